//! Small random models and a tokenizer for the tests of this crate.

use bertlab_model::{Batch, HeadChoice, HeadKind, Model, OpenOptions, Row, open};
use bertlab_text::Tokenizer;
use std::path::Path;

/// Ids from 0: `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]` …
const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ni\nhave\na\nnew\ncpu\nintel\ngp\n##u\nn\n##vid\n##ia\n!\n,\nno\n#\n@\n";

/// 3 layers, hidden size 8, 16 positions, a vocabulary of 24, of which the tokenizer has 21.
const BERT: &str = r#"{"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2,
    "intermediate_size": 12, "vocab_size": 24, "max_position_embeddings": 16, "initializer_range": 0.5}"#;

const DISTILBERT: &str = r#"{"model_type": "distilbert", "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12,
    "vocab_size": 24, "max_position_embeddings": 16}"#;

pub(crate) fn bare_model() -> Model {
    model(BERT, HeadKind::None)
}

pub(crate) fn masked_lm() -> Model {
    model(BERT, HeadKind::MaskedLm)
}

pub(crate) fn classifier(family: &str) -> Model {
    model(if family == "bert" { BERT } else { DISTILBERT }, HeadKind::SequenceClassification)
}

pub(crate) fn tokenizer() -> Tokenizer {
    with_folder(BERT, |folder| Tokenizer::open(folder).expect("the vocabulary is in order"))
}

pub(crate) fn batch(model: &Model, rows: &[&[u32]]) -> Batch {
    let rows: Vec<Row<'_>> = rows.iter().map(|&input_ids| Row { input_ids, ..Row::default() }).collect();
    Batch::new(&model.spec.encoder, &rows).expect("the rows fit")
}

fn model(config: &str, kind: HeadKind) -> Model {
    let options =
        OpenOptions { head: HeadChoice::Kind(kind), allow_random: true, seed: 7, ..OpenOptions::default() };
    with_folder(config, |folder| open(folder, &options).expect("the config is in order").0)
}

fn with_folder<T>(config: &str, read: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("tests can write temporary files");
    std::fs::write(folder.path().join("config.json"), config).expect("the folder is new");
    std::fs::write(folder.path().join("vocab.txt"), VOCABULARY).expect("the folder is new");
    read(folder.path())
}
