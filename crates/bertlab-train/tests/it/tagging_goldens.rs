//! Entities against seqeval's figures; `scripts/make_tagging_goldens.py` makes them.

use crate::support::check;
use bertlab_train::metrics::classification::{Averages, ClassScores};
use bertlab_train::metrics::entities::EntityScores;
use bertlab_train::metrics::tagging::{LabelledSentence, TaggingReport};
use serde_json::Value;

fn goldens() -> Value {
    serde_json::from_str(include_str!("../goldens/tagging.json")).expect("the goldens are JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn words(value: &Value) -> Vec<String> {
    list(value).iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

/// The report on a case's sentences.
fn report(case: &Value) -> TaggingReport {
    let labels = words(&case["labels"]);
    let ids = |sentence: &Value| -> Vec<usize> {
        let id = |word: &String| labels.iter().position(|label| label == word).expect("a label");
        words(sentence).iter().map(id).collect()
    };
    let sentences: Vec<LabelledSentence> = list(&case["wanted"])
        .iter()
        .zip(list(&case["found"]))
        .map(|(wanted, found)| LabelledSentence {
            wanted: ids(wanted),
            found: ids(found).into_iter().map(Some).collect(),
        })
        .collect();
    TaggingReport::new(&labels, &sentences).expect("every case has words")
}

fn check_scores(what: &str, found: &ClassScores, wanted: &Value) {
    check(&format!("{what} precision"), found.precision, &wanted["precision"]);
    check(&format!("{what} recall"), found.recall, &wanted["recall"]);
    check(&format!("{what} f1"), found.f1, &wanted["f1"]);
}

fn check_averages(what: &str, found: Option<&Averages>, wanted: &Value) {
    assert_eq!(found.is_none(), wanted.is_null(), "{what}");
    if let Some(found) = found {
        check(&format!("{what} precision"), Some(found.precision.value), &wanted["precision"]);
        check(&format!("{what} recall"), Some(found.recall.value), &wanted["recall"]);
        check(&format!("{what} f1"), Some(found.f1.value), &wanted["f1"]);
    }
}

fn check_entities(what: &str, found: &EntityScores, wanted: &Value) {
    let names: Vec<&str> = found.types.iter().map(|kind| kind.name.as_str()).collect();
    let wanted_names: Vec<String> =
        list(&wanted["types"]).iter().map(|kind| kind["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(names, wanted_names, "{what}");
    for (kind, wanted) in found.types.iter().zip(list(&wanted["types"])) {
        let what = format!("{what} {}", kind.name);
        check_scores(&what, &kind.scores, wanted);
        check(&format!("{what} support"), Some(kind.scores.support as f64), &wanted["support"]);
        check(&format!("{what} answered"), Some(kind.n_predicted as f64), &wanted["n_predicted"]);
    }
    check_scores(&format!("{what} micro"), &found.micro, &wanted["micro"]);
    check_averages(&format!("{what} macro"), found.macro_average.as_ref(), &wanted["macro"]);
    check_averages(&format!("{what} weighted"), found.weighted_average.as_ref(), &wanted["weighted"]);
}

#[test]
fn entities_are_counted_as_seqeval_counts_them() {
    let goldens = goldens();
    let cases = list(&goldens["cases"]);
    assert_eq!(cases.len(), 15);
    let mut n_strict = 0;
    for case in cases {
        let name = case["name"].as_str().expect("each case has a name");
        let report = report(case);
        check(&format!("{name} accuracy"), Some(report.accuracy), &case["accuracy"]);
        check(&format!("{name} macro F1"), Some(report.macro_average.f1.value), &case["macro_over_labels"]);
        let entities = report.entities.expect("the labels are tags");
        check_entities(&format!("{name}, default"), &entities.scores, &case["default"]);
        match (&entities.strict, case.get("strict")) {
            (Some(found), Some(wanted)) => check_entities(&format!("{name}, strict"), found, wanted),
            (found, wanted) => assert!(found.is_none() && wanted.is_none(), "{name}: {found:?}, {wanted:?}"),
        }
        n_strict += usize::from(entities.strict.is_some());
    }
    assert_eq!(n_strict, 12);
}

#[test]
fn an_interval_is_about_that_of_another_bootstrap() {
    let goldens = goldens();
    let golden = &goldens["bootstrap"];
    let entities = report(golden).entities.expect("the labels are tags");
    check("f1", entities.scores.micro.f1, &golden["f1"]);
    let interval = entities.f1_interval.expect("there are entities");
    let near = |found: f64, wanted: &Value| (found - wanted.as_f64().expect("a number")).abs() < 0.006;
    assert!(near(interval.low, &golden["low"]) && near(interval.high, &golden["high"]), "{interval:?}");
}
