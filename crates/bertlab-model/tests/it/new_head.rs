//! A new head: which weights are new, and which stay.

use bertlab_model::{OpenOptions, open};

use crate::goldens::{golden, weight_bits};
use crate::rows::opened;

#[test]
fn a_new_head_is_what_huggingface_makes_new_on_the_base_model() {
    let cases: [(&str, &[&str]); 6] = [
        ("bert-sequence-classification", &["classifier"]),
        ("bert-token-classification", &["classifier"]),
        (
            "bert-masked-lm",
            &["cls.predictions", "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"],
        ),
        ("distilbert-sequence-classification", &["pre_classifier", "classifier"]),
        ("roberta-sequence-classification", &["classifier.dense", "classifier.out_proj"]),
        ("distilbert-question-answering", &["qa_outputs"]),
    ];
    for (name, layers) in cases {
        let folder = golden("checkpoints").join(name);
        let options = OpenOptions { new_head: true, ..OpenOptions::default() };
        let (model, report) = open(&folder, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut found: Vec<&str> = report.replaced.iter().map(|name| layer_of(name)).collect();
        found.dedup();
        assert_eq!(found, layers, "{name}");
        let before = weight_bits(&opened(&folder));
        for (weight, bits) in weight_bits(&model) {
            let is_replaced = report.replaced.contains(&weight);
            assert_eq!(bits != before[&weight], is_replaced, "{name}: {weight}");
        }
    }
}

/// A weight's name without `.weight` or `.bias`.
fn layer_of(name: &str) -> &str {
    name.rsplit_once('.').expect("weights belong to layers").0
}
