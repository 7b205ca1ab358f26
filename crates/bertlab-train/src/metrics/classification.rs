//! One class per row: accuracy, confusion matrix, precision, recall, F1 and their averages, Matthews correlation, the majority baseline.

// C classes, N rows; labels and predictions are class ids below C.

use super::Figure;
use super::interval::{Interval, wilson_interval};
use super::probability::ProbabilityReport;

/// Share of rows whose predicted class is the label; `None` without rows.
///
/// # Panics
/// When the slices differ in length.
pub fn accuracy(labels: &[usize], predictions: &[usize]) -> Option<f64> {
    assert_eq!(labels.len(), predictions.len(), "a prediction for each label");
    let n_right = labels.iter().zip(predictions).filter(|(label, prediction)| label == prediction).count();
    share(n_right, labels.len())
}

/// How often each label was predicted as each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// C rows by label, each with C counts by predicted class.
    pub counts: Vec<Vec<usize>>,
}

impl ConfusionMatrix {
    /// Counts N rows.
    ///
    /// # Panics
    /// When the slices differ in length or an id is not below `n_classes`.
    pub fn new(labels: &[usize], predictions: &[usize], n_classes: usize) -> ConfusionMatrix {
        assert_eq!(labels.len(), predictions.len(), "a prediction for each label");
        let mut counts = vec![vec![0; n_classes]; n_classes];
        for (&label, &prediction) in labels.iter().zip(predictions) {
            assert!(
                label < n_classes && prediction < n_classes,
                "{label} and {prediction} of {n_classes} classes"
            );
            counts[label][prediction] += 1;
        }
        ConfusionMatrix { counts }
    }

    /// Rows counted.
    pub fn n_rows(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Rows on the diagonal.
    pub fn n_right(&self) -> usize {
        (0..self.counts.len()).map(|class| self.counts[class][class]).sum()
    }

    /// Rows with that label.
    pub fn support(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    /// Rows predicted as that class.
    pub fn n_predicted(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// Precision, recall and F1 of each of the C classes.
    pub fn class_scores(&self) -> Vec<ClassScores> {
        (0..self.counts.len())
            .map(|class| {
                ClassScores::new(self.counts[class][class], self.n_predicted(class), self.support(class))
            })
            .collect()
    }

    /// Matthews' correlation of labels and predictions for any number of classes, -1 to 1 (Gorodkin 2004; scikit-learn's `matthews_corrcoef`).
    ///
    /// `None` when labels or predictions know one class only: scikit-learn says 0 there, which looks like a measured absence of correlation.
    pub fn matthews_correlation(&self) -> Option<f64> {
        let n_rows = self.n_rows() as f64;
        let classes = 0..self.counts.len();
        let sum = |of: &dyn Fn(usize) -> f64| classes.clone().map(of).sum::<f64>();
        let labels_by_predictions = sum(&|class| self.support(class) as f64 * self.n_predicted(class) as f64);
        let labels_squared = sum(&|class| (self.support(class) as f64).powi(2));
        let predictions_squared = sum(&|class| (self.n_predicted(class) as f64).powi(2));
        let covariance = self.n_right() as f64 * n_rows - labels_by_predictions;
        let variances = (n_rows * n_rows - labels_squared) * (n_rows * n_rows - predictions_squared);
        // Counts below 2^26 rows square exactly in f64: a variance of zero is an exact zero.
        (variances > 0.0).then(|| covariance / variances.sqrt())
    }
}

/// Precision, recall and F1 of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Share of the rows predicted as this class that have it; `None` when none was predicted so.
    pub precision: Option<f64>,
    /// Share of the rows of this class that were found; `None` when there is no such row.
    pub recall: Option<f64>,
    /// Harmonic mean of the two, 2 tp / (2 tp + fp + fn); `None` when the class occurs neither as label nor as prediction.
    pub f1: Option<f64>,
    /// Rows of this class.
    pub support: usize,
}

impl ClassScores {
    /// Scores from the rows that are rightly of a class, all rows predicted so, and all rows that are so.
    pub fn new(n_right: usize, n_predicted: usize, support: usize) -> ClassScores {
        ClassScores {
            precision: share(n_right, n_predicted),
            recall: share(n_right, support),
            f1: share(2 * n_right, n_predicted + support),
            support,
        }
    }

    /// Whether the class occurs as a label or as a prediction.
    pub fn occurs(&self) -> bool {
        self.f1.is_some()
    }
}

/// A mean over classes in which undefined values count as 0, as scikit-learn's `zero_division=0` has it, and are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Average {
    /// The mean.
    pub value: f64,
    /// How many classes had no value of their own and counted as 0.
    pub n_undefined: usize,
}

/// Averages of precision, recall and F1 over the classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averages {
    /// Of precision.
    pub precision: Average,
    /// Of recall.
    pub recall: Average,
    /// Of F1.
    pub f1: Average,
}

/// Every class weighs the same; classes that occur neither as label nor as prediction are left out, as in scikit-learn. `None` when none occurs.
pub fn macro_averages(classes: &[ClassScores]) -> Option<Averages> {
    let occurring: Vec<ClassScores> = classes.iter().filter(|class| class.occurs()).copied().collect();
    averages(&occurring, |_| 1.0)
}

/// Every class weighs as its rows; `None` without rows.
pub fn weighted_averages(classes: &[ClassScores]) -> Option<Averages> {
    let occurring: Vec<ClassScores> = classes.iter().filter(|class| class.occurs()).copied().collect();
    averages(&occurring, |class| class.support as f64)
}

/// All classes' counts together; for one class per row each of the three is the accuracy. `None` without rows.
pub fn micro_averages(matrix: &ConfusionMatrix) -> Option<Averages> {
    let value = share(matrix.n_right(), matrix.n_rows())?;
    let average = Average { value, n_undefined: 0 };
    Some(Averages { precision: average, recall: average, f1: average })
}

/// Weighted means of the scores of all given classes.
pub(super) fn averages(classes: &[ClassScores], weight: fn(&ClassScores) -> f64) -> Option<Averages> {
    let total: f64 = classes.iter().map(weight).sum();
    if total <= 0.0 {
        return None;
    }
    let average = |score: fn(&ClassScores) -> Option<f64>| Average {
        value: classes.iter().map(|class| weight(class) * score(class).unwrap_or(0.0)).sum::<f64>() / total,
        n_undefined: classes.iter().filter(|class| score(class).is_none()).count(),
    };
    Some(Averages {
        precision: average(|class| class.precision),
        recall: average(|class| class.recall),
        f1: average(|class| class.f1),
    })
}

/// What answering every row with the most frequent label would reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MajorityBaseline {
    /// The most frequent label, the smallest id of several.
    pub class: usize,
    /// Its share of the rows: the accuracy of that answer.
    pub share: f64,
}

/// The majority baseline of the evaluated rows themselves; `None` without rows.
///
/// # Panics
/// When a label is not below `n_classes`.
pub fn majority_baseline(labels: &[usize], n_classes: usize) -> Option<MajorityBaseline> {
    let mut counts = vec![0usize; n_classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    let class = (0..n_classes).rev().max_by_key(|&class| counts[class])?;
    share(counts[class], labels.len()).map(|share| MajorityBaseline { class, share })
}

/// The index of the greatest number, the first of equals: the class that a model answers. 0 of no numbers.
pub fn likeliest(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

/// Everything above for one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    /// Rows evaluated, at least one.
    pub n_rows: usize,
    /// Share of right predictions.
    pub accuracy: f64,
    /// Wilson's 95 % interval of the accuracy.
    pub accuracy_interval: Interval,
    /// The answer that needs no model.
    pub majority_baseline: MajorityBaseline,
    /// Counts by label and prediction.
    pub confusion: ConfusionMatrix,
    /// Scores by class id.
    pub classes: Vec<ClassScores>,
    /// Averages with equal weights.
    pub macro_average: Averages,
    /// Averages of the counts.
    pub micro_average: Averages,
    /// Averages weighted by rows.
    pub weighted_average: Averages,
    /// Matthews' correlation, if it has a meaning.
    pub matthews_correlation: Option<f64>,
    /// What the probabilities are worth, where they are known and finite.
    pub probabilities: Option<ProbabilityReport>,
}

impl ClassificationReport {
    /// Computes all of it; `None` without rows.
    ///
    /// # Panics
    /// When the slices differ in length or an id is not below `n_classes`.
    pub fn new(labels: &[usize], predictions: &[usize], n_classes: usize) -> Option<ClassificationReport> {
        let confusion = ConfusionMatrix::new(labels, predictions, n_classes);
        let classes = confusion.class_scores();
        Some(ClassificationReport {
            n_rows: labels.len(),
            accuracy: accuracy(labels, predictions)?,
            accuracy_interval: wilson_interval(confusion.n_right(), labels.len())?,
            majority_baseline: majority_baseline(labels, n_classes)?,
            macro_average: macro_averages(&classes)?,
            micro_average: micro_averages(&confusion)?,
            weighted_average: weighted_averages(&classes)?,
            matthews_correlation: confusion.matthews_correlation(),
            confusion,
            classes,
            probabilities: None,
        })
    }

    /// The same from logits `[N, C]`, row by row: the answer is the greatest, and the probabilities are judged too.
    ///
    /// # Panics
    /// When `logits` does not hold `labels.len() * n_classes` numbers, or a label is not below `n_classes`.
    pub fn of_logits(labels: &[usize], logits: &[f32], n_classes: usize) -> Option<ClassificationReport> {
        assert_eq!(logits.len(), labels.len() * n_classes, "a logit for each row and class");
        let predictions: Vec<usize> = logits.chunks(n_classes.max(1)).map(likeliest).collect();
        let report = ClassificationReport::new(labels, &predictions, n_classes)?;
        Some(ClassificationReport {
            probabilities: ProbabilityReport::new(labels, logits, n_classes),
            ..report
        })
    }

    /// The figures that a person watches, by their names.
    pub fn figures(&self) -> Vec<Figure> {
        vec![
            ("accuracy", Some(self.accuracy)),
            ("majority_baseline", Some(self.majority_baseline.share)),
            ("f1_macro", Some(self.macro_average.f1.value)),
            ("matthews_correlation", self.matthews_correlation),
            ("auroc", self.probabilities.as_ref().and_then(ProbabilityReport::auroc_value)),
        ]
    }

    /// All other figures. Of two classes `f1`, `precision` and `recall` are those of class 1, as in scikit-learn.
    pub fn details(&self) -> Vec<Figure> {
        let probabilities = self.probabilities.as_ref();
        let mut details = vec![
            ("precision_macro", Some(self.macro_average.precision.value)),
            ("recall_macro", Some(self.macro_average.recall.value)),
            ("f1_micro", Some(self.micro_average.f1.value)),
            ("precision_weighted", Some(self.weighted_average.precision.value)),
            ("recall_weighted", Some(self.weighted_average.recall.value)),
            ("f1_weighted", Some(self.weighted_average.f1.value)),
            ("brier", probabilities.map(|report| report.brier)),
            ("expected_calibration_error", probabilities.map(|report| report.calibration.expected_error)),
        ];
        if let [_, of_one] = self.classes.as_slice() {
            details.extend([("precision", of_one.precision), ("recall", of_one.recall), ("f1", of_one.f1)]);
        }
        details
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
