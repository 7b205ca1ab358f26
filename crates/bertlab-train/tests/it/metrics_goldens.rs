//! Every metric against scikit-learn's and scipy's figures; `scripts/make_metric_goldens.py` makes them.

use crate::support::check;
use bertlab_train::metrics::auroc::{auroc, auroc_one_versus_rest};
use bertlab_train::metrics::calibration::Calibration;
use bertlab_train::metrics::classification::{Averages, ClassScores, ClassificationReport};
use bertlab_train::metrics::interval::correlation_interval;
use bertlab_train::metrics::multilabel::MultiLabelReport;
use bertlab_train::metrics::regression::{self, RegressionReport};
use serde_json::Value;

fn cases(group: &str) -> Vec<Value> {
    let goldens: Value =
        serde_json::from_str(include_str!("../goldens/metrics.json")).expect("the goldens are JSON");
    goldens[group].as_array().expect("each group is a list").clone()
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    let items = value.as_array().expect("a list");
    items.iter().map(|value| item(value).expect("an item of the list's type")).collect()
}

fn ids(value: &Value) -> Vec<usize> {
    list(value, |value| value.as_u64().map(|id| id as usize))
}

fn floats(value: &Value) -> Vec<f32> {
    list(value, |value| value.as_f64().map(|number| number as f32))
}

fn check_averages(what: &str, found: &Averages, wanted: &Value) {
    check(&format!("{what} precision"), Some(found.precision.value), &wanted["precision"]);
    check(&format!("{what} recall"), Some(found.recall.value), &wanted["recall"]);
    check(&format!("{what} f1"), Some(found.f1.value), &wanted["f1"]);
}

fn check_classes(what: &str, found: &[ClassScores], wanted: &Value) {
    assert_eq!(found.len(), wanted["support"].as_array().expect("a list").len(), "{what}");
    for (class, scores) in found.iter().enumerate() {
        let what = format!("{what}, class {class}");
        check(&format!("{what} precision"), scores.precision, &wanted["precision"][class]);
        check(&format!("{what} recall"), scores.recall, &wanted["recall"][class]);
        check(&format!("{what} f1"), scores.f1, &wanted["f1"][class]);
        check(&format!("{what} support"), Some(scores.support as f64), &wanted["support"][class]);
    }
}

#[test]
fn classification_agrees_with_scikit_learn() {
    let cases = cases("classification");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let n_classes = case["n_classes"].as_u64().expect("a count") as usize;
        let report = ClassificationReport::new(&ids(&case["labels"]), &ids(&case["predictions"]), n_classes);
        let report = report.expect("each case has rows");
        check(&format!("{name} accuracy"), Some(report.accuracy), &case["accuracy"]);
        for (row, counts) in report.confusion.counts.iter().enumerate() {
            assert_eq!(*counts, ids(&case["confusion"][row]), "{name} confusion");
        }
        check_classes(name, &report.classes, &case);
        check_averages(&format!("{name} macro"), &report.macro_average, &case["macro"]);
        check_averages(&format!("{name} micro"), &report.micro_average, &case["micro"]);
        check_averages(&format!("{name} weighted"), &report.weighted_average, &case["weighted"]);
        check(&format!("{name} Matthews"), report.matthews_correlation, &case["matthews"]);
        check(&format!("{name} Wilson low"), Some(report.accuracy_interval.low), &case["wilson"][0]);
        check(&format!("{name} Wilson high"), Some(report.accuracy_interval.high), &case["wilson"][1]);
        check(&format!("{name} majority"), Some(report.majority_baseline.share), &case["majority"]);
    }
}

#[test]
fn auroc_agrees_with_scikit_learn() {
    let cases = cases("auroc");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let n_classes = case["n_classes"].as_u64().expect("a count") as usize;
        let found = auroc_one_versus_rest(&ids(&case["labels"]), &floats(&case["scores"]), n_classes);
        for (class, value) in found.classes.iter().enumerate() {
            check(&format!("{name}, class {class}"), *value, &case["classes"][class]);
        }
        if n_classes > 2 {
            check(&format!("{name} macro"), found.macro_average, &case["macro"]);
        }
    }
}

#[test]
fn several_labels_agree_with_scikit_learn() {
    let cases = cases("multilabel");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let n_labels = case["n_labels"].as_u64().expect("a count") as usize;
        let flags = |key: &str| list(&case[key], Value::as_bool);
        let report =
            MultiLabelReport::new(&flags("truth"), &flags("predictions"), n_labels).expect("has rows");
        check(&format!("{name} subset accuracy"), Some(report.subset_accuracy), &case["subset_accuracy"]);
        check_classes(name, &report.labels, &case);
        check_averages(
            &format!("{name} micro"),
            &report.micro_average.expect("labels are set"),
            &case["micro"],
        );
        check_averages(&format!("{name} macro"), &report.macro_average, &case["macro"]);
        check_averages(
            &format!("{name} weighted"),
            &report.weighted_average.expect("labels are set"),
            &case["weighted"],
        );
        check_averages(&format!("{name} samples"), &report.samples_average, &case["samples"]);
        check(&format!("{name} hamming loss"), Some(report.hamming_loss), &case["hamming_loss"]);
    }
}

/// The bins with answers, as scikit-learn's `calibration_curve` gives them, and all counts.
fn check_calibration(name: &str, found: &Calibration, case: &Value) {
    let counts: Vec<usize> = found.bins.iter().map(|bin| bin.n_answers).collect();
    assert_eq!(counts, ids(&case["counts"]), "{name} counts");
    let filled: Vec<_> = found.bins.iter().filter(|bin| bin.n_answers > 0).collect();
    assert_eq!(filled.len(), case["share_right"].as_array().expect("a list").len(), "{name} bins");
    for (index, bin) in filled.iter().enumerate() {
        check(&format!("{name} share {index}"), bin.share_right(), &case["share_right"][index]);
        check(&format!("{name} mean {index}"), bin.mean_probability, &case["mean_probability"][index]);
    }
    let error = &case["expected_calibration_error"];
    check(&format!("{name} expected calibration error"), Some(found.expected_error), error);
}

#[test]
fn probabilities_agree_with_scikit_learn() {
    let cases = cases("probabilities");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let n_classes = case["n_classes"].as_u64().expect("a count") as usize;
        let (labels, logits) = (ids(&case["labels"]), floats(&case["logits"]));
        let report = ClassificationReport::of_logits(&labels, &logits, n_classes).expect("has rows");
        let found = report.probabilities.as_ref().expect("finite logits");
        check(&format!("{name} AUROC"), found.auroc_value(), &case["auroc"]);
        check(&format!("{name} Brier"), Some(found.brier), &case["brier"]);
        check_calibration(name, &found.calibration, &case);
    }
}

#[test]
fn probabilities_of_several_labels_agree_with_scikit_learn() {
    let cases = cases("label_probabilities");
    assert_eq!(cases.len(), 1);
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let n_labels = case["n_labels"].as_u64().expect("a count") as usize;
        let truth = list(&case["truth"], Value::as_bool);
        let report =
            MultiLabelReport::of_logits(&truth, &floats(&case["logits"]), n_labels).expect("has rows");
        check_classes(name, &report.labels, &case);
        let found = report.probabilities.as_ref().expect("finite logits");
        for (label, value) in found.auroc.iter().enumerate() {
            check(&format!("{name} AUROC of {label}"), *value, &case["auroc"][label]);
        }
        check(&format!("{name} AUROC"), found.auroc_macro, &case["auroc_macro"]);
        check_calibration(name, &found.calibration, &case);
    }
}

#[test]
fn several_values_a_row_agree_with_scikit_learn() {
    let cases = cases("several_values");
    assert_eq!(cases.len(), 1);
    for case in cases {
        let n_values = case["n_values"].as_u64().expect("a count") as usize;
        let report = RegressionReport::new(&floats(&case["wanted"]), &floats(&case["found"]), n_values)
            .expect("has rows");
        check("mse", report.mean_squared_error, &case["mse"]);
        check("rmse", report.root_mean_squared_error, &case["rmse"]);
        check("mae", report.mean_absolute_error, &case["mae"]);
        check("r2", report.r_squared, &case["r2"]);
        check("pearson", report.pearson, &case["pearson"]);
        check("spearman", report.spearman, &case["spearman"]);
    }
}

#[test]
fn regression_agrees_with_scikit_learn_and_scipy() {
    let cases = cases("regression");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let (wanted, found) = (floats(&case["wanted"]), floats(&case["found"]));
        check(&format!("{name} mse"), regression::mean_squared_error(&wanted, &found), &case["mse"]);
        check(&format!("{name} rmse"), regression::root_mean_squared_error(&wanted, &found), &case["rmse"]);
        check(&format!("{name} mae"), regression::mean_absolute_error(&wanted, &found), &case["mae"]);
        check(&format!("{name} pearson"), regression::pearson(&wanted, &found), &case["pearson"]);
        let interval = regression::pearson(&wanted, &found)
            .and_then(|correlation| correlation_interval(correlation, wanted.len()));
        let ends = interval.map(|interval| (interval.low, interval.high)).unzip();
        check(&format!("{name} pearson low"), ends.0, &case["pearson_interval"][0]);
        check(&format!("{name} pearson high"), ends.1, &case["pearson_interval"][1]);
        check(&format!("{name} spearman"), regression::spearman(&wanted, &found), &case["spearman"]);
        check(&format!("{name} r2"), regression::r_squared(&wanted, &found), &case["r2"]);
    }
}

#[test]
fn auroc_of_two_classes_is_the_same_seen_from_either() {
    let is_positive = [true, false, true, false, false];
    let scores = [0.9, 0.1, 0.4, 0.4, 0.7];
    let mirrored: Vec<f32> = scores.iter().map(|score| -score).collect();
    let negated: Vec<bool> = is_positive.iter().map(|positive| !positive).collect();
    // Pairs won by the positives: 3 of 3 for 0.9; 1 and a tie of 3 for 0.4.
    assert_eq!(auroc(&is_positive, &scores), Some(4.5 / 6.0));
    assert_eq!(auroc(&negated, &mirrored), Some(4.5 / 6.0));
}
