//! What a preflight's findings mean for a training that is about to begin.

use bertlab_feedback::Hint;
use std::path::Path;

use bertlab_data::preflight::{Finding, Kind, Preflight, Severity, Split};
use bertlab_train::{IntervalStrategy, Plan, SaveStrategy};

use super::TrainJob;
use crate::Error;

impl TrainJob {
    /// Stops at what would make the result meaningless, unless told to go on.
    pub(super) fn heed(&self, preflight: &Preflight) -> Result<(), Error> {
        let is_allowed = |kind: Kind| kind == Kind::SingleClass && self.allow_single_class;
        let is_fatal = |finding: &&Finding| finding.severity == Severity::Fatal && !is_allowed(finding.kind);
        let fatal: Vec<Finding> = preflight.findings.iter().filter(is_fatal).cloned().collect();
        match fatal.is_empty() || self.ignore_findings {
            true => Ok(()),
            false => Err(Error::Findings(fatal)),
        }
    }

    /// A warning where the best of several states of the model is chosen by rows whose name says "test".
    pub(super) fn chosen_on_test(&self, plan: &Plan) -> Option<Finding> {
        let request = self.validation.as_ref()?;
        let named = request.files.iter().find(|file| is_named_test(file))?;
        let is_chosen = self.arguments.load_best_model_at_end != Some(false)
            && plan.save.0 != SaveStrategy::No
            && n_evaluations(plan) > 1;
        let sentence = format!(
            "{} looks like the test split, and the best of several checkpoints is chosen by it: its figures then are \
             too good. Leave {} out (rows are held out of training), and give it as {}",
            named.display(),
            Hint::Setting("validation_file"),
            Hint::Setting("test_file")
        );
        is_chosen.then_some(Finding {
            severity: Severity::Warning,
            kind: Kind::ChosenOnTest,
            split: Split::Validation,
            count: 0,
            sentence,
            excerpts: Vec::new(),
        })
    }
}

/// `test.parquet`, `imdb_test_1000.csv`, `test-00000-of-00001.parquet`, `test/`, `test/0000.parquet`.
fn is_named_test(path: &Path) -> bool {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut words = stem.split(|letter: char| !letter.is_alphabetic());
    let has_letters = stem.contains(char::is_alphabetic);
    let parent = path.parent().and_then(Path::file_name);
    words.any(|word| matches!(word, "test" | "testing"))
        || (!has_letters && parent.is_some_and(|name| name.eq_ignore_ascii_case("test")))
}

fn n_evaluations(plan: &Plan) -> u64 {
    match plan.eval {
        (IntervalStrategy::No, _) => 0,
        (IntervalStrategy::Epoch, _) => plan.n_epochs,
        (IntervalStrategy::Steps, steps) => plan.n_steps.div_ceil(steps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_splits_are_known_by_their_names() {
        let names =
            ["test.parquet", "data/imdb_test_1000.csv", "test-00000-of-00001.parquet", "aclImdb/test"];
        for name in names.into_iter().chain(["plain_text/test/0000.parquet", "TEST.CSV"]) {
            assert!(is_named_test(Path::new(name)), "{name}");
        }
        for name in
            ["test/held-out.csv", "latest.csv", "contest.csv", "dev.tsv", "validation.csv", "eng.testa"]
        {
            assert!(!is_named_test(Path::new(name)), "{name}");
        }
    }
}
