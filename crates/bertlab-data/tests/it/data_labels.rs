//! From labels to classes and targets.

use crate::data_files::{assert_says, read_as};
use bertlab_data::{
    Dataset, LabelSpace, ProblemType, Target, infer_label_space, label_counts, targets, token_targets,
};

fn csv(labels: &[&str]) -> Dataset {
    let rows: String = labels.iter().map(|label| format!("a,{label}\n")).collect();
    read_as("train.csv", format!("text,label\n{rows}")).expect("well formed")
}

/// One row per label, each written as JSON.
fn json(labels: &[&str]) -> Dataset {
    let rows: String =
        labels.iter().map(|label| format!("{{\"text\": \"a\", \"label\": {label}}}\n")).collect();
    read_as("train.jsonl", rows).expect("well formed")
}

fn ready(rows: &[(&str, &str)]) -> Dataset {
    let rows: String =
        rows.iter().map(|(ids, label)| format!("{{\"input_ids\": {ids}, \"labels\": {label}}}\n")).collect();
    read_as("train.jsonl", rows).expect("well formed")
}

fn space(problem_type: ProblemType, names: &[&str]) -> LabelSpace {
    LabelSpace { problem_type, names: names.iter().map(|name| name.to_string()).collect() }
}

fn single(names: &[&str]) -> LabelSpace {
    space(ProblemType::SingleLabel, names)
}

fn inferred(dataset: &Dataset) -> LabelSpace {
    infer_label_space(dataset, None).expect("the labels agree")
}

fn resolved(dataset: &Dataset, space: &LabelSpace) -> Vec<Target> {
    targets(dataset, space).expect("every label is known")
}

fn classes(dataset: &Dataset, space: &LabelSpace) -> Vec<usize> {
    let class = |target| match target {
        Target::Class(class) => class,
        other => panic!("{other:?} is no class"),
    };
    resolved(dataset, space).into_iter().map(class).collect()
}

fn refusal(dataset: &Dataset, space: &LabelSpace) -> String {
    targets(dataset, space).expect_err("a label must be refused").to_string()
}

fn inference_refusal(dataset: &Dataset) -> String {
    infer_label_space(dataset, None).expect_err("no space follows from this").to_string()
}

#[test]
fn integers_from_zero_are_class_ids() {
    for dataset in [csv(&["0", "2", "1"]), json(&["0", "2", "1"]), csv(&["LABEL_0", "LABEL_2", "1"])] {
        let found = inferred(&dataset);
        assert_eq!(found, single(&["LABEL_0", "LABEL_1", "LABEL_2"]));
        assert_eq!(classes(&dataset, &found), [0, 2, 1]);
    }
    assert_eq!(inferred(&csv(&["0", "0"])), single(&["LABEL_0", "LABEL_1"]));
    assert_eq!(inferred(&json(&["true", "false"])), single(&["LABEL_0", "LABEL_1"]));
}

#[test]
fn integers_from_one_are_names_in_numeric_order() {
    let dataset = csv(&["5", "1", "10", "5"]);
    let found = inferred(&dataset);
    assert_eq!(found, single(&["1", "5", "10"]));
    assert_eq!(classes(&dataset, &found), [1, 0, 2, 1]);
    assert_eq!(classes(&json(&["10", "1"]), &found), [2, 0]);
    assert_says(&refusal(&json(&["0"]), &found), &["label 0", "outside", "\"1\", \"5\", \"10\""]);
}

#[test]
fn texts_are_names_in_alphabetical_order() {
    let dataset = csv(&["pos", "neg", " pos", "neutral"]);
    let found = inferred(&dataset);
    assert_eq!(found, single(&["neg", "neutral", "pos"]));
    assert_eq!(classes(&dataset, &found), [2, 0, 2, 1]);
    // A number among names is a name.
    assert_eq!(inferred(&csv(&["a", "1"])), single(&["1", "a"]));
}

#[test]
fn numbers_with_a_decimal_point_are_a_regression() {
    for dataset in [csv(&["5.0", "4.75", "3"]), json(&["5.0", "4.75", "3"])] {
        let found = inferred(&dataset);
        assert_eq!(found, space(ProblemType::Regression, &["LABEL_0"]));
        assert_eq!(resolved(&dataset, &found), [Target::Value(5.0), Target::Value(4.75), Target::Value(3.0)]);
    }
}

#[test]
fn lists_are_several_labels() {
    let shares = json(&["[1.0, 0.0, 0.5]", "[0, 0, 0]"]);
    let found = inferred(&shares);
    assert_eq!(found, space(ProblemType::MultiLabel, &["LABEL_0", "LABEL_1", "LABEL_2"]));
    assert_eq!(
        resolved(&shares, &found),
        [Target::Classes(vec![1.0, 0.0, 0.5]), Target::Classes(vec![0.0, 0.0, 0.0])]
    );

    let marks = json(&["[1, 0, 1]", "[0, 0, 1]"]);
    assert_eq!(inferred(&marks).names.len(), 3);
    assert_eq!(resolved(&marks, &inferred(&marks))[0], Target::Classes(vec![1.0, 0.0, 1.0]));

    let ids = json(&["[3]", "[0, 2]", "[]"]);
    let found = inferred(&ids);
    assert_eq!(found.names.len(), 4);
    assert_eq!(
        resolved(&ids, &found),
        [
            Target::Classes(vec![0.0, 0.0, 0.0, 1.0]),
            Target::Classes(vec![1.0, 0.0, 1.0, 0.0]),
            Target::Classes(vec![0.0; 4])
        ]
    );

    let names = json(&["[\"toxic\", \"insult\"]", "[]", "[\"toxic\"]"]);
    let found = inferred(&names);
    assert_eq!(found, space(ProblemType::MultiLabel, &["insult", "toxic"]));
    assert_eq!(resolved(&names, &found)[2], Target::Classes(vec![0.0, 1.0]));
}

#[test]
fn lists_beyond_zero_to_one_are_a_regression_of_several_outputs() {
    let dataset = json(&["[1.5, -2.0]", "[0, 7]"]);
    let found = inferred(&dataset);
    assert_eq!(found, space(ProblemType::Regression, &["LABEL_0", "LABEL_1"]));
    assert_eq!(resolved(&dataset, &found)[0], Target::Values(vec![1.5, -2.0]));
    assert_says(&refusal(&json(&["[1.5]"]), &found), &["list of 1 numbers", "list of 2 finite numbers"]);
}

#[test]
fn a_label_is_known_by_every_one_of_its_names() {
    let sentiment = single(&["negative", "positive"]);
    let dataset = csv(&["positive", "Positive", " NEGATIVE ", "LABEL_1", "1", "0", "1.0"]);
    assert_eq!(classes(&dataset, &sentiment), [1, 1, 0, 1, 1, 0, 1]);
    assert_eq!(
        classes(&json(&["1", "1.0", "\"1\"", "\"LABEL_0\"", "\"negative\""]), &sentiment),
        [1, 1, 1, 0, 0]
    );
    // Where letter case tells two names apart, it counts.
    let cased = single(&["us", "US"]);
    assert_eq!(classes(&csv(&["US", "us"]), &cased), [1, 0]);
    assert_says(&refusal(&csv(&["Us"]), &cased), &["\"Us\"", "\"us\", \"US\""]);
}

#[test]
fn labels_outside_the_space_are_refused_with_file_and_row() {
    let sentiment = single(&["neg", "pos"]);
    assert_says(
        &refusal(&json(&["0", "-1"]), &sentiment),
        &["train.jsonl, row 2", "label -1", "0..2", "\"neg\", \"pos\"", "without a label"],
    );
    assert_says(&refusal(&csv(&["0", "2"]), &sentiment), &["train.csv, row 3", "label 2", "0..2"]);
    assert_says(
        &refusal(&csv(&["0", "good"]), &sentiment),
        &["row 3", "\"good\"", "\"neg\", \"pos\"", "id2label"],
    );
    assert_says(&refusal(&csv(&["0", "LABEL_2"]), &sentiment), &["row 3", "\"LABEL_2\""]);
    assert_says(&refusal(&csv(&["0", ""]), &sentiment), &["row 3", "no label", "\"label\""]);
    assert_says(
        &refusal(&json(&["0.5"]), &sentiment),
        &["row 1", "the number 0.5", "one class", "regression"],
    );
    assert_says(
        &refusal(&json(&["[0, 1]"]), &sentiment),
        &["list of 2 integers", "single_label_classification"],
    );
    let nothing = read_as("test.txt", "just a text\n").expect("one line");
    assert_says(&refusal(&nothing, &sentiment), &["row 1", "no label", "put one per class into a folder"]);
}

#[test]
fn numbers_must_be_finite_numbers() {
    let score = space(ProblemType::Regression, &["LABEL_0"]);
    for label in ["nan", "inf", "1e400", "high"] {
        let message = refusal(&csv(&["1.5", label]), &score);
        assert_says(&message, &["row 3", "one finite number", "problem_type is regression"]);
    }
    assert_eq!(
        resolved(&json(&["3", "[4.5]", "\"2.5\""]), &score),
        [Target::Value(3.0), Target::Value(4.5), Target::Value(2.5)]
    );
}

#[test]
fn several_labels_are_checked() {
    let tags = space(ProblemType::MultiLabel, &["a", "b", "c"]);
    assert_says(&refusal(&json(&["[0.5, 0, 1.5]"]), &tags), &["list of 3 numbers from 0 to 1"]);
    assert_says(&refusal(&json(&["[1, 1, 0]", "[0, 1]"]), &tags), &["row 2", "list of 2 integers"]);
    assert_says(&refusal(&json(&["[2]", "[3]"]), &tags), &["row 2", "label 3", "0..3"]);
    assert_says(&refusal(&json(&["[\"a\", \"d\"]"]), &tags), &["\"d\"", "\"a\", \"b\", \"c\""]);
    assert_says(&refusal(&csv(&["a"]), &tags), &["use .jsonl"]);
}

#[test]
fn no_space_follows_from_labels_that_disagree() {
    assert_says(&inference_refusal(&json(&["1", "\"a\""])), &["row 2", "names", "integers"]);
    assert_says(&inference_refusal(&json(&["[1]", "1"])), &["row 2", "integers", "lists of integers"]);
    assert_says(&inference_refusal(&csv(&["1", ""])), &["row 3", "no label"]);
    assert_says(&inference_refusal(&json(&["0", "-1"])), &["row 2", "-1", "without a label"]);
    assert_says(&inference_refusal(&csv(&["0", "9999999999"])), &["9999999999", "`label_column`"]);
}

#[test]
fn a_trained_head_keeps_its_names() {
    let given = single(&["negative", "positive"]);
    assert_eq!(infer_label_space(&csv(&["0", "1"]), Some(&given)).expect("it fits"), given);
    assert_eq!(infer_label_space(&csv(&["positive"]), Some(&given)).expect("it fits"), given);
    let error = infer_label_space(&csv(&["sports"]), Some(&given)).expect_err("another task");
    assert_says(&error.to_string(), &["\"sports\"", "\"negative\", \"positive\""]);
}

#[test]
fn names_that_say_nothing_give_way_to_as_many_from_the_data() {
    let generic = single(&["LABEL_0", "LABEL_1"]);
    let found = infer_label_space(&csv(&["pos", "neg"]), Some(&generic)).expect("two names");
    assert_eq!(found, single(&["neg", "pos"]));
    assert_eq!(infer_label_space(&csv(&["1", "0"]), Some(&generic)).expect("two ids"), generic);
    infer_label_space(&csv(&["a", "b", "c"]), Some(&generic)).expect_err("three names for two outputs");
}

#[test]
fn names_in_a_file_s_schema_win_and_are_matched_by_name() {
    let mut dataset = json(&["0", "1"]);
    dataset.class_names = Some(vec!["neg".to_owned(), "pos".to_owned()]);
    assert_eq!(inferred(&dataset), single(&["neg", "pos"]));
    assert_eq!(classes(&dataset, &single(&["pos", "neg"])), [1, 0], "the same names in another order");
    assert_eq!(classes(&dataset, &single(&["negative", "positive"])), [0, 1], "other names go by id");
    assert_eq!(classes(&dataset, &single(&["POS", "other", "NEG"])), [2, 0]);
    dataset.records[1].label = bertlab_data::RawLabel::Integer(-1);
    assert_says(&refusal(&dataset, &inferred_names(&dataset)), &["label -1"]);
}

fn inferred_names(dataset: &Dataset) -> LabelSpace {
    LabelSpace {
        problem_type: ProblemType::SingleLabel,
        names: dataset.class_names.clone().expect("set above"),
    }
}

#[test]
fn ready_rows_have_a_label_per_token() {
    let dataset = ready(&[("[1, 2, 3]", "[-100, 4, 0]"), ("[5]", "[-100]")]);
    let wanted = [Target::Tokens(vec![-100, 4, 0]), Target::Tokens(vec![-100])];
    assert_eq!(token_targets(&dataset, 5).expect("in range"), wanted);
    let found = inferred(&dataset);
    assert_eq!(found.problem_type, ProblemType::SingleLabel);
    assert_eq!(found.names.len(), 5);
    assert_eq!(resolved(&dataset, &found), wanted);
    assert_says(
        &token_targets(&dataset, 4).expect_err("4 classes").to_string(),
        &["row 1", "4 at token 1", "0..4"],
    );
    let short = ready(&[("[1, 2]", "[1]")]);
    assert_says(&token_targets(&short, 4).expect_err("too short").to_string(), &["a list of 1 for 2 tokens"]);
    assert_says(&token_targets(&json(&["1"]), 4).expect_err("no tokens").to_string(), &["the integer 1"]);
}

#[test]
fn counts_are_per_class() {
    assert_eq!(label_counts(&[Target::Class(1), Target::Class(0), Target::Class(1)], 3), [1, 2, 0]);
    assert_eq!(label_counts(&[Target::Classes(vec![1.0, 0.4]), Target::Classes(vec![0.5, 1.0])], 2), [2, 1]);
    assert_eq!(label_counts(&[Target::Tokens(vec![-100, 1, 1, 9])], 2), [0, 2]);
    assert_eq!(label_counts(&[Target::Value(1.0), Target::Values(vec![1.0, 2.0])], 1), [0]);
}

#[test]
fn problem_types_have_the_words_of_config_json() {
    for problem_type in [ProblemType::SingleLabel, ProblemType::MultiLabel, ProblemType::Regression] {
        assert_eq!(problem_type.to_string().parse(), Ok(problem_type));
    }
    assert_says(
        &"classification".parse::<ProblemType>().expect_err("no such type").to_string(),
        &["regression"],
    );
}
