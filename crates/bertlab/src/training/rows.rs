//! The rows of a training, split by split: read, held out, chosen.

use bertlab_data::Dataset;
use bertlab_data::held_out::{hold_out, n_held_out};
use bertlab_data::preflight::{Finding, Kind, Preflight, Split};
use bertlab_feedback::{Hint, Progress};
use bertlab_train::{IntervalStrategy, SamplingStrategy, TrainError};

use super::TrainJob;
use crate::check::model_limits;
use crate::labelled::{LabelledRows, Question, Rows, RowsRequest, select};
use crate::{Error, LabelCounts, OpenedModel};

/// A validation part that is cut from the training rows where no rows are given to evaluate on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HoldOut {
    /// The part, from 0 (none) to below 1. When none: a tenth, at most 5,000 rows and no more than are learnt
    /// from; nothing of fewer than 100 rows, or where no evaluation is wanted.
    pub share: Option<f64>,
    /// At most so many rows.
    pub max_samples: Option<usize>,
}

/// How rows were held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldOutRows {
    /// Rows that the files hold.
    pub n_of: usize,
    /// Rows that are evaluated on.
    pub n_rows: usize,
    /// Rows that were drawn, but whose text stands among the training rows too: they are learnt from.
    pub n_returned: usize,
}

/// Every split's rows, chosen, not yet tokenized.
pub(super) struct JobRows {
    /// In the order training, validation, test; the latter two where there are such rows.
    pub(super) splits: Vec<(Split, Rows)>,
    pub(super) held_out: Option<HeldOutRows>,
    /// What was found while reading.
    pub(super) findings: Vec<Finding>,
}

impl TrainJob {
    /// Reads the other splits beside the training rows, and chooses.
    pub(super) fn rows(&self, training: Dataset, question: &Question) -> Result<JobRows, Error> {
        let targets = question.targets(&training)?;
        let mut training = (training, targets);
        let mut held_out = None;
        let validation = match &self.validation {
            Some(request) => Some(chosen(request, read(request, question)?, question)?),
            None => self.hold_out(&mut training, &mut held_out),
        };
        let mut splits = vec![(Split::Training, self.train.choose(training))];
        splits.extend(validation.map(|rows| (Split::Validation, rows)));
        let mut findings = Vec::new();
        if let Some(request) = &self.test {
            let dataset = read(request, question)?;
            match request.left_out(Split::Test, &dataset).filter(|_| *question != Question::Texts) {
                Some(finding) => findings.push(finding),
                None => splits.push((Split::Test, chosen(request, dataset, question)?)),
            }
        }
        for (split, rows) in &splits {
            self.check_classes(*split, question, rows)?;
        }
        Ok(JobRows { splits, held_out, findings })
    }

    /// Looks at all rows, and makes them ready for the model.
    pub(super) fn ready(
        &self,
        opened: &OpenedModel,
        question: &Question,
        rows: JobRows,
        progress: &dyn Progress,
    ) -> Result<(Vec<(Split, LabelledRows)>, Preflight), Error> {
        if *question == Question::Texts {
            return self.ready_texts(opened, rows, progress);
        }
        let max_length =
            opened.max_length_for(rows.splits.iter().map(|(_, rows)| &rows.0), self.text.max_length)?;
        let (mut splits, mut examples) = (Vec::new(), Vec::new());
        for (split, rows) in rows.splits {
            let (rows, tokenized) =
                opened.tokenized(split, rows, (max_length, &self.text.cache), progress)?;
            splits.push(rows);
            examples.push(tokenized);
        }
        let mut preflight = Preflight::of(&splits, &model_limits(opened, Some(question)));
        // Sorted rows matter where they are learnt in file order: else they are shuffled.
        let keeps_order = self.arguments.train_sampling_strategy == SamplingStrategy::Sequential;
        preflight.findings.retain(|finding| {
            finding.kind != Kind::SortedLabels || (keeps_order && finding.split == Split::Training)
        });
        self.heed(&preflight)?;
        let ready = splits
            .into_iter()
            .zip(examples)
            .map(|(rows, examples)| (rows.split, LabelledRows::new(question, rows, examples, max_length)));
        Ok((ready.collect(), preflight))
    }

    /// Plain texts, of which tokens will be hidden: in training others in every epoch, in evaluation always
    /// the same.
    fn ready_texts(
        &self,
        opened: &OpenedModel,
        rows: JobRows,
        progress: &dyn Progress,
    ) -> Result<(Vec<(Split, LabelledRows)>, Preflight), Error> {
        let (mut splits, mut ready) = (Vec::new(), Vec::new());
        for (split, (dataset, _)) in rows.splits {
            let (looked_at, mut rows) = opened.masked_rows(split, dataset, &self.text, progress)?;
            if split != Split::Training {
                rows.hide(&opened.masking(&self.text, self.seed_of(split))?);
            }
            splits.push(looked_at);
            ready.push((split, rows));
        }
        let preflight = Preflight::of(&splits, &model_limits(opened, Some(&Question::Texts)));
        self.heed(&preflight)?;
        Ok((ready, preflight))
    }

    /// The seed by which a split's rows are chosen, and their tokens hidden.
    fn seed_of(&self, split: Split) -> u64 {
        self.request(split).map_or(self.arguments.seed, |request| request.seed)
    }

    fn request(&self, split: Split) -> Option<&RowsRequest> {
        match split {
            Split::Training => Some(&self.train),
            Split::Validation => self.validation.as_ref(),
            Split::Test => self.test.as_ref(),
        }
    }

    /// Takes validation rows out of the training rows, where that is wanted.
    fn hold_out(&self, training: &mut Rows, held_out: &mut Option<HeldOutRows>) -> Option<Rows> {
        let (dataset, targets) = &*training;
        let n_of = targets.len();
        if self.hold_out.share.is_none() && self.arguments.eval_strategy == Some(IntervalStrategy::No) {
            return None;
        }
        let n = n_held_out(n_of, self.train.max_samples, self.hold_out.share);
        let n = n.min(self.hold_out.max_samples.unwrap_or(n));
        let cut = hold_out(dataset, targets, n, self.arguments.seed);
        if cut.validation.is_empty() {
            return None;
        }
        let validation = select(dataset, targets, &cut.validation);
        *held_out = Some(HeldOutRows { n_of, n_rows: cut.validation.len(), n_returned: cut.n_returned });
        *training = select(dataset, targets, &cut.training);
        Some(validation)
    }

    /// Stops where every answer would be right by chance.
    fn check_classes(&self, split: Split, question: &Question, (_, targets): &Rows) -> Result<(), Error> {
        let counts = LabelCounts::of(question, targets);
        let Some(label) = counts.as_ref().and_then(|counts| counts.only_label()) else { return Ok(()) };
        if self.allow_single_class {
            return Ok(());
        }
        let is_cut = self.request(split).is_some_and(|request| request.max_samples == Some(targets.len()));
        let hint = if is_cut {
            let stratified = Hint::value("sample", "stratified");
            format!("The file is probably sorted by label, as IMDB is: take rows with {stratified}")
        } else {
            "Look at the label column, or add rows with other labels".to_owned()
        };
        let label = label.to_owned();
        let (unit, n_rows) = counts.as_ref().map_or(("row", 0), |counts| (counts.unit, counts.n_rows));
        Err(TrainError::SingleClass { split, n_rows, unit, label, hint }.into())
    }
}

fn chosen(request: &RowsRequest, dataset: Dataset, question: &Question) -> Result<Rows, Error> {
    let targets = question.targets(&dataset)?;
    Ok(request.choose((dataset, targets)))
}

fn read(request: &RowsRequest, question: &Question) -> Result<Dataset, Error> {
    request.clone().for_task(Some(question.task())).read()
}
