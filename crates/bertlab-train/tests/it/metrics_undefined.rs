//! Values without a meaning are `None`, and averages tell what they counted as 0.

use bertlab_train::metrics::auroc::{auroc, auroc_one_versus_rest};
use bertlab_train::metrics::calibration::Calibration;
use bertlab_train::metrics::classification::{ClassificationReport, accuracy, majority_baseline};
use bertlab_train::metrics::interval::wilson_interval;
use bertlab_train::metrics::is_error;
use bertlab_train::metrics::multilabel::MultiLabelReport;
use bertlab_train::metrics::perplexity::perplexity;
use bertlab_train::metrics::regression;

#[test]
fn nothing_follows_from_no_rows() {
    assert_eq!(accuracy(&[], &[]), None);
    assert_eq!(majority_baseline(&[], 2), None);
    assert_eq!(wilson_interval(0, 0), None);
    assert_eq!(ClassificationReport::new(&[], &[], 2), None);
    assert_eq!(MultiLabelReport::new(&[], &[], 3), None);
    assert_eq!(regression::mean_squared_error(&[], &[]), None);
    assert_eq!(regression::spearman(&[], &[]), None);
    assert_eq!(auroc(&[], &[]), None);
}

#[test]
fn one_label_only_is_a_perfect_score_with_no_correlation() {
    let report = ClassificationReport::new(&[0; 5000], &[0; 5000], 2).expect("has rows");
    assert_eq!(report.accuracy, 1.0);
    assert_eq!(report.majority_baseline.share, 1.0);
    assert_eq!(report.matthews_correlation, None);
    assert_eq!(report.classes[1].recall, None);
    assert_eq!(report.classes[1].f1, None);
}

#[test]
fn averages_tell_how_many_classes_counted_as_zero() {
    // Class 2 occurs and is never predicted: its precision has no value.
    let report = ClassificationReport::new(&[0, 1, 2, 1], &[0, 1, 1, 1], 3).expect("has rows");
    assert_eq!(report.macro_average.precision.n_undefined, 1);
    assert_eq!(report.macro_average.recall.n_undefined, 0);
    let precision = (1.0 + 2.0 / 3.0 + 0.0) / 3.0;
    assert!((report.macro_average.precision.value - precision).abs() < 1e-12);
}

#[test]
fn the_majority_is_the_smallest_of_equal_classes() {
    let baseline = majority_baseline(&[1, 0, 1, 0, 2], 3).expect("has rows");
    assert_eq!((baseline.class, baseline.share), (0, 0.4));
}

#[test]
fn auroc_needs_both_answers_and_numbers() {
    assert_eq!(auroc(&[true, true], &[0.1, 0.2]), None);
    assert_eq!(auroc(&[true, false], &[f32::NAN, 0.2]), None);
    let found = auroc_one_versus_rest(&[0, 1], &[0.9, 0.1, 0.0, 0.1, 0.9, 0.0], 3);
    assert_eq!(found.classes, [Some(1.0), Some(1.0), None]);
    assert_eq!(found.macro_average, None);
}

#[test]
fn probabilities_need_finite_logits_and_answers() {
    let report = ClassificationReport::of_logits(&[0, 1], &[f32::NAN, 0.0, 0.0, 1.0], 2).expect("has rows");
    assert_eq!((report.accuracy, report.probabilities), (1.0, None));
    assert_eq!(Calibration::new(&[]), None);
    assert_eq!(Calibration::new(&[(1.5, true)]), None);
    let one_label = ClassificationReport::of_logits(&[0, 0], &[1.0, 0.0, 2.0, 0.0], 2).expect("has rows");
    assert_eq!(one_label.figures().last(), Some(&("auroc", None)));
}

#[test]
fn a_sure_and_wrong_answer_is_as_far_from_honest_as_can_be() {
    let found = Calibration::new(&[(1.0, false), (1.0, false)]).expect("has answers");
    assert_eq!(found.expected_error, 1.0);
    assert_eq!(found.bins.last().map(|bin| (bin.n_answers, bin.n_right)), Some((2, 0)));
    assert_eq!(found.bins[0].share_right(), None);
}

#[test]
fn labels_that_nobody_has_count_as_zero_and_have_no_auroc() {
    let truth = [false, false, false, false];
    let report = MultiLabelReport::of_logits(&truth, &[-1.0; 4], 2).expect("has rows");
    assert_eq!(report.micro_average, None);
    assert_eq!(report.weighted_average, None);
    assert_eq!((report.subset_accuracy, report.baseline.share), (1.0, 1.0));
    assert_eq!(report.samples_average.f1.n_undefined, 2);
    let probabilities = report.probabilities.expect("finite logits");
    assert_eq!((probabilities.auroc, probabilities.auroc_macro), (vec![None, None], None));
}

#[test]
fn errors_are_better_when_less_and_scores_when_more() {
    for name in
        ["loss", "mse", "rmse", "mae", "brier", "perplexity", "expected_calibration_error", "hamming_loss"]
    {
        assert!(is_error(name), "{name}");
    }
    for name in ["accuracy", "f1_macro", "pearson", "r_squared", "auroc", "matthews_correlation"] {
        assert!(!is_error(name), "{name}");
    }
}

#[test]
fn constant_values_have_no_correlation() {
    let (constant, varied) = ([1.1, 1.1, 1.1], [1.0, 2.0, 3.0]);
    assert_eq!(regression::pearson(&constant, &varied), None);
    assert_eq!(regression::spearman(&varied, &constant), None);
    assert_eq!(regression::r_squared(&constant, &varied), None);
    assert!(regression::r_squared(&varied, &constant).is_some_and(|value| value < 0.0));
}

#[test]
fn values_that_are_no_numbers_have_no_error() {
    assert_eq!(regression::mean_squared_error(&[1.0, f32::NAN], &[1.0, 2.0]), None);
    assert_eq!(regression::mean_absolute_error(&[1.0], &[f32::INFINITY]), None);
    assert_eq!(regression::spearman(&[1.0, f32::NAN], &[1.0, 2.0]), None);
}

#[test]
fn zeros_of_both_signs_share_a_rank() {
    let found = regression::spearman(&[0.0, -0.0, 1.0], &[1.0, 1.0, 2.0]).expect("neither side is constant");
    assert!((found - 1.0).abs() < 1e-12);
}

#[test]
fn perplexity_is_the_number_of_equally_likely_tokens() {
    let found = perplexity(10.0 * 30522f64.ln(), 10).expect("a finite loss");
    assert!((found - 30522.0).abs() < 1e-6);
    assert_eq!(perplexity(0.0, 0), None);
    assert_eq!(perplexity(f64::NAN, 3), None);
    assert_eq!(perplexity(1e6, 1), None);
}
