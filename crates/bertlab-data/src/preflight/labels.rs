//! Findings about labels: what cannot be used, what is missing, what is sorted, what is unequal.

use super::finding::{Finding, Kind, Severity, Split, percent, rows_that, single_excerpts};
use super::{ModelLimits, SplitRows};
use crate::counts::{counted, grouped};
use crate::{Target, label_counts};
use bertlab_feedback::Hint;

/// A majority of so many times the smallest class is worth a note.
const UNEQUAL_FROM: usize = 3;
/// Rows in the order of their labels change label at most this share as often as shuffled rows would.
const SORTED_BELOW: f64 = 0.05;
/// The part of a split that is looked at as the sampling `first` would take it.
const FIRST_PART: usize = 5;

/// All findings about the labels of all splits.
pub(super) fn findings(splits: &[SplitRows], limits: &ModelLimits) -> Vec<Finding> {
    let names = &limits.class_names;
    let training = splits.iter().find(|rows| rows.split == Split::Training);
    let mut findings = Vec::new();
    for rows in splits {
        findings.extend(unusable(rows, names));
        let Some(classes) = Classes::of(rows, names) else { continue };
        findings.extend(classes.single());
        findings.extend(classes.sorted());
        findings.extend(classes.unequal());
        match training.filter(|training| training.split != rows.split) {
            Some(training) => findings.extend(classes.not_in(training)),
            None => findings.extend(classes.without_rows()),
        }
    }
    findings
}

fn unusable(rows: &SplitRows, names: &[String]) -> Option<Finding> {
    let targets = rows.targets.as_ref()?;
    let mut errors =
        targets.iter().enumerate().filter_map(|(row, target)| Some((row, target.as_ref().err()?)));
    let (_, first) = errors.clone().next()?;
    let count = errors.clone().count();
    let sentence = match count {
        1 => first.to_string(),
        _ => format!("{} have a label that cannot be used. The first: {first}", counted(count, "row")),
    };
    Some(Finding {
        severity: Severity::Fatal,
        kind: Kind::UnusableLabels,
        split: rows.split,
        count,
        sentence,
        excerpts: single_excerpts(rows, errors.by_ref().map(|(row, _)| row), names),
    })
}

/// A split whose rows have exactly one class each.
struct Classes<'a> {
    rows: &'a SplitRows,
    names: &'a [String],
    /// Of usable rows, in their order.
    ids: Vec<usize>,
    counts: Vec<usize>,
}

impl<'a> Classes<'a> {
    fn of(rows: &'a SplitRows, names: &'a [String]) -> Option<Self> {
        let class = |target: &&Target| match target {
            Target::Class(class) => Some(*class),
            _ => None,
        };
        let targets = rows.usable_targets();
        let ids: Vec<usize> = targets.iter().filter_map(class).collect();
        if ids.is_empty() || ids.len() != targets.len() || names.is_empty() {
            return None;
        }
        let counts = counts(&ids, names.len());
        Some(Self { rows, names, ids, counts })
    }

    /// Ids of the classes that occur.
    fn present(&self) -> Vec<usize> {
        (0..self.counts.len()).filter(|&class| self.counts[class] > 0).collect()
    }

    fn finding(&self, severity: Severity, kind: Kind, count: usize, sentence: String) -> Finding {
        Finding { severity, kind, split: self.rows.split, count, sentence, excerpts: Vec::new() }
    }

    fn single(&self) -> Option<Finding> {
        let [only] = self.present()[..] else { return None };
        // Rows whose label cannot be used may be of other classes; they are fatal themselves.
        if self.ids.len() < self.rows.dataset.records.len() {
            return None;
        }
        let all = match self.ids.len() {
            1 => "the only row has".to_owned(),
            n => format!("all {} have", counted(n, "row")),
        };
        let sentence = format!(
            "{all} the label {:?}: whatever a model answers, its accuracy would mean nothing. Look at the label column, \
             or add rows with other labels",
            self.names[only]
        );
        Some(self.finding(Severity::Fatal, Kind::SingleClass, self.ids.len(), sentence))
    }

    /// Rows in the order of their labels: the sampling `first`, and learning in file order, would see one label at a time.
    fn sorted(&self) -> Option<Finding> {
        let n_rows = self.ids.len() as f64;
        let n_changes = self.ids.windows(2).filter(|pair| pair[0] != pair[1]).count() as f64;
        // Of shuffled rows, two neighbours agree with the probability Σ (n_c / n)².
        let agreement: f64 = self.counts.iter().map(|&count| (count as f64 / n_rows).powi(2)).sum();
        let n_changes_shuffled = n_rows * (1.0 - agreement);
        if n_changes == 0.0 || n_changes > SORTED_BELOW * n_changes_shuffled {
            return None;
        }
        let n_first = (self.ids.len() / FIRST_PART).max(1);
        let first = counts(&self.ids[..n_first], self.names.len());
        let listed = listed(self.names, &first);
        let sentence = format!(
            "rows are sorted by label: {} would take {listed} with its first {}. Keep {}, and do not learn in file order",
            Hint::value("sample", "first"),
            grouped(n_first),
            Hint::value("sample", "stratified")
        );
        Some(self.finding(Severity::Warning, Kind::SortedLabels, self.ids.len(), sentence))
    }

    fn unequal(&self) -> Option<Finding> {
        let present = self.present();
        let largest = present.iter().copied().max_by_key(|&class| self.counts[class])?;
        let smallest = present.iter().copied().min_by_key(|&class| self.counts[class])?;
        if self.counts[largest] < UNEQUAL_FROM * self.counts[smallest] {
            return None;
        }
        let sentence = format!(
            "labels are unequal: {:?} has {}, {:?} {}. Always answering {:?} is right in {} of all rows: measure accuracy \
             against that, or look at F1",
            self.names[largest],
            counted(self.counts[largest], "row"),
            self.names[smallest],
            grouped(self.counts[smallest]),
            self.names[largest],
            percent(self.counts[largest], self.ids.len())
        );
        Some(self.finding(Severity::Note, Kind::UnequalClasses, self.counts[largest], sentence))
    }

    fn not_in(&self, training: &SplitRows) -> Option<Finding> {
        let learnt = Classes::of(training, self.names)?;
        let unseen = |class: usize| self.counts[class] > 0 && learnt.counts[class] == 0;
        let count: usize =
            (0..self.names.len()).filter(|&class| unseen(class)).map(|class| self.counts[class]).sum();
        let names: Vec<String> =
            (0..self.names.len()).filter(|&c| unseen(c)).map(|c| format!("{:?}", self.names[c])).collect();
        if count == 0 {
            return None;
        }
        let sentence = format!(
            "{} a label that no training row has ({}): a model cannot learn it. Add training rows with it, or leave such \
             rows out",
            rows_that(count, ["has", "have"]),
            first_few(&names)
        );
        let indices = (0..self.rows.dataset.records.len())
            .filter(|&row| matches!(self.rows.target(row), Some(Target::Class(class)) if unseen(*class)));
        let excerpts = single_excerpts(self.rows, indices, self.names);
        let finding = self.finding(Severity::Fatal, Kind::ClassNotInTraining, count, sentence);
        Some(Finding { excerpts, ..finding })
    }

    /// Only of the training split: the model has the class, the rows do not.
    fn without_rows(&self) -> Option<Finding> {
        let absent: Vec<String> = (0..self.names.len())
            .filter(|&class| self.counts[class] == 0)
            .map(|class| format!("{:?}", self.names[class]))
            .collect();
        // One label alone is said already, and worse.
        if absent.is_empty() || self.single().is_some() {
            return None;
        }
        let sentence = format!(
            "the classifier has {} labels, but no row has {}: its answers for them stay as they are",
            self.names.len(),
            first_few(&absent)
        );
        Some(self.finding(Severity::Warning, Kind::ClassWithoutRows, 0, sentence))
    }
}

fn counts(ids: &[usize], n_classes: usize) -> Vec<usize> {
    label_counts(&ids.iter().map(|&id| Target::Class(id)).collect::<Vec<_>>(), n_classes)
}

/// `only "neg"`, or `"neg" 4,000 and "pos" 1,000`.
fn listed(names: &[String], counts: &[usize]) -> String {
    let present: Vec<(&String, usize)> =
        names.iter().zip(counts.iter().copied()).filter(|&(_, count)| count > 0).collect();
    match &present[..] {
        [(only, _)] => format!("only {only:?}"),
        _ => first_few(
            &present.iter().map(|(name, n)| format!("{name:?} {}", grouped(*n))).collect::<Vec<_>>(),
        ),
    }
}

pub(super) fn first_few(words: &[String]) -> String {
    const SHOWN_MAX: usize = 5;
    let shown = words.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match words.len().checked_sub(SHOWN_MAX) {
        Some(n_more @ 1..) => format!("{shown} and {n_more} more"),
        _ => shown,
    }
}
