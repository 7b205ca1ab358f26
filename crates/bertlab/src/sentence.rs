//! What a folder's sentence-transformers files say: pooling, normalisation, the longest text.

use std::path::{Path, PathBuf};

use bertlab_checkpoint::Config;
use bertlab_explore::Pooling;
use serde::Deserialize;

use crate::Error;

/// How sentence-transformers turns a text into a vector with this checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentenceSettings {
    /// Of the tokens' vectors; `None` where the folder says nothing.
    pub pooling: Option<Pooling>,
    /// Whether the vector is scaled to length 1.
    pub normalize: bool,
    /// The longest text in tokens, special tokens included.
    pub max_tokens: Option<usize>,
    /// Whether texts are written in lower case before the tokenizer sees them.
    pub lower_case: bool,
}

/// One step of modules.json.
#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Module {
    fn kind(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }
}

const MODULES: &str = "modules.json";
const POOLING_CONFIG: &str = "config.json";
const POOLING_FOLDER: &str = "1_Pooling";
/// Names of the transformer's settings; the first that is there counts, as in sentence-transformers.
const SENTENCE_CONFIGS: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];
const MODE_PREFIX: &str = "pooling_mode_";

impl SentenceSettings {
    /// Reads modules.json, the pooling config and sentence_bert_config.json (or its like for another family),
    /// as far as they are there.
    ///
    /// # Errors
    /// A file that is not valid JSON; a pooling or a further step that is not computed here.
    pub fn read(folder: &Path) -> Result<SentenceSettings, Error> {
        Self::read_modules(folder, false)
    }

    /// What the files say about texts, whatever the pooling: the longest text and lower case.
    ///
    /// # Errors
    /// A file that is not valid JSON.
    pub fn read_for_texts(folder: &Path) -> Result<SentenceSettings, Error> {
        Self::read_modules(folder, true)
    }

    fn read_modules(folder: &Path, only_texts: bool) -> Result<SentenceSettings, Error> {
        let mut settings = SentenceSettings::default();
        for module in read_modules(folder)? {
            match module.kind() {
                "Transformer" => settings.read_transformer(&folder.join(&module.path))?,
                _ if only_texts => {}
                "Pooling" => settings.pooling = Some(read_pooling(&folder.join(&module.path))?),
                "Normalize" => settings.normalize = true,
                _ => {
                    let found = format!("the step {}", module.class);
                    return Err(Error::SentencePooling { file: folder.join(MODULES), found });
                }
            }
        }
        Ok(settings)
    }

    fn read_transformer(&mut self, folder: &Path) -> Result<(), Error> {
        let mut files = SENTENCE_CONFIGS.iter().map(|name| folder.join(name));
        if let Some(file) = files.find(|file| file.is_file()) {
            let config = Config::open(&file)?;
            self.max_tokens = config.usize("max_seq_length")?;
            self.lower_case = config.bool("do_lower_case")?.unwrap_or(false);
        }
        Ok(())
    }
}

/// Every usual file, as far as a folder has it.
pub(crate) fn files() -> impl Iterator<Item = &'static str> {
    SENTENCE_CONFIGS.into_iter().chain([
        MODULES,
        "config_sentence_transformers.json",
        "1_Pooling/config.json",
    ])
}

/// The steps; a pooling folder alone means a transformer and that pooling.
fn read_modules(folder: &Path) -> Result<Vec<Module>, Error> {
    let file = folder.join(MODULES);
    if file.is_file() {
        let text = std::fs::read_to_string(&file)
            .map_err(|source| Error::ReadTexts { source_name: file.display().to_string(), source })?;
        return serde_json::from_str(&text).map_err(|error| {
            bertlab_checkpoint::Error::Malformed {
                file,
                wanted: "a list of modules, each with a type and a path".into(),
                found: error.to_string(),
                hint: "Fetch the file again, or remove it",
            }
            .into()
        });
    }
    let module = |path: &str, class: &str| Module { path: path.into(), class: class.into() };
    let mut modules = vec![module("", "Transformer")];
    if folder.join(POOLING_FOLDER).join(POOLING_CONFIG).is_file() {
        modules.push(module(POOLING_FOLDER, "Pooling"));
    }
    Ok(modules)
}

fn read_pooling(folder: &Path) -> Result<Pooling, Error> {
    let file: PathBuf = folder.join(POOLING_CONFIG);
    let config = Config::open(&file)?;
    let chosen: Vec<&str> = match config.string("pooling_mode")? {
        Some(mode) => vec![mode],
        None => {
            let modes = config.values.iter().filter(|(_, value)| value.as_bool() == Some(true));
            modes.filter_map(|(key, _)| key.strip_prefix(MODE_PREFIX)).collect()
        }
    };
    match chosen.as_slice() {
        ["mean_tokens" | "mean"] => Ok(Pooling::Mean),
        ["cls_token" | "cls"] => Ok(Pooling::Cls),
        ["max_tokens" | "max"] => Ok(Pooling::Max),
        [] => Err(Error::SentencePooling { file, found: "no pooling at all".into() }),
        modes => Err(Error::SentencePooling { file, found: format!("the pooling {}", modes.join(" + ")) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, contents) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("inside the folder")).expect("writable");
            fs::write(path, contents).expect("writable");
        }
        folder
    }

    const THREE_STEPS: &str = r#"[{"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]"#;

    #[test]
    fn a_folder_without_such_files_says_nothing() {
        let empty = folder(&[]);
        assert_eq!(
            SentenceSettings::read(empty.path()).expect("nothing to read"),
            SentenceSettings::default()
        );
    }

    #[test]
    fn the_three_files_are_read() {
        let folder = folder(&[
            ("modules.json", THREE_STEPS),
            (
                "1_Pooling/config.json",
                r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
            ),
            ("sentence_bert_config.json", r#"{"max_seq_length": 128, "do_lower_case": true}"#),
        ]);
        let settings = SentenceSettings::read(folder.path()).expect("valid");
        let wanted = SentenceSettings {
            pooling: Some(Pooling::Cls),
            normalize: true,
            max_tokens: Some(128),
            lower_case: true,
        };
        assert_eq!(settings, wanted);
    }

    #[test]
    fn the_transformers_settings_have_a_name_for_each_family() {
        let max_tokens =
            |files: &[(&str, &str)]| SentenceSettings::read(folder(files).path()).expect("valid").max_tokens;
        for name in SENTENCE_CONFIGS {
            assert_eq!(max_tokens(&[(name, r#"{"max_seq_length": 128}"#)]), Some(128), "{name}");
        }
        let both = [
            ("sentence_roberta_config.json", r#"{"max_seq_length": 64}"#),
            ("sentence_bert_config.json", r#"{"max_seq_length": 32}"#),
        ];
        assert_eq!(max_tokens(&both), Some(32));
        assert_eq!(max_tokens(&[("sentence_bert_config.json", r#"{"max_seq_length": null}"#)]), None);
    }

    #[test]
    fn texts_are_read_the_same_whatever_the_pooling_is() {
        let folder = folder(&[
            ("1_Pooling/config.json", r#"{"pooling_mode": "lasttoken"}"#),
            ("sentence_bert_config.json", r#"{"max_seq_length": 128, "do_lower_case": true}"#),
        ]);
        let wanted =
            SentenceSettings { max_tokens: Some(128), lower_case: true, ..SentenceSettings::default() };
        assert_eq!(SentenceSettings::read_for_texts(folder.path()).expect("valid"), wanted);
    }

    #[test]
    fn what_is_not_computed_here_is_refused_by_name() {
        for (pooling, words) in [
            (r#"{"pooling_mode_mean_sqrt_len_tokens": true}"#, "mean_sqrt_len_tokens"),
            (
                r#"{"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}"#,
                "cls_token + max_tokens",
            ),
            (r#"{"pooling_mode": "lasttoken"}"#, "lasttoken"),
        ] {
            let folder = folder(&[("1_Pooling/config.json", pooling)]);
            let message = SentenceSettings::read(folder.path()).expect_err("unsupported").to_string();
            assert!(message.contains(words) && message.contains("`pooling` = mean"), "{message}");
        }
        let dense = r#"[{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#;
        let folder = folder(&[("modules.json", dense)]);
        assert!(
            SentenceSettings::read(folder.path()).expect_err("unsupported").to_string().contains("Dense")
        );
    }
}
