//! Readers of settings: of training runs, and of sentence-transformers folders.

use super::options;
use crate::Answer;
use crate::folder::with_files;
use bertlab::SentenceSettings;
use bertlab::train::TrainingArguments;

/// Training settings in TOML.
pub(super) fn toml(input: &[u8]) -> Answer {
    with_files("settings_toml", &[("run.toml", input)], |folder| {
        TrainingArguments::from_file(&folder.join("run.toml")).into()
    })
}

/// Training settings in JSON.
pub(super) fn json(input: &[u8]) -> Answer {
    with_files("settings_json", &[("run.json", input)], |folder| {
        TrainingArguments::from_file(&folder.join("run.json")).into()
    })
}

/// One of the files of a sentence-transformers folder, the others valid.
pub(super) fn sentence_files(input: &[u8]) -> Answer {
    let (choice, contents) = options(input);
    let mut files = [
        (
            "modules.json",
            br#"[{"path": "", "type": "sentence_transformers.models.Transformer"},
                {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]"#
                as &[u8],
        ),
        ("1_Pooling/config.json", br#"{"pooling_mode_mean_tokens": true}"#),
        ("sentence_bert_config.json", br#"{"max_seq_length": 128, "do_lower_case": false}"#),
    ];
    files[usize::from(choice) % files.len()].1 = contents;
    with_files("sentence_files", &files, |folder| SentenceSettings::read(folder).into())
}
