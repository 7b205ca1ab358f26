//! What the door tests share: a tiny checkpoint, made with the library, and the program run as a process.

#[cfg(unix)]
pub mod job;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bertlab::{HeadChoice, ModelOptions, OpenOptions, open_model, save_pretrained};
use serde_json::Value;
use tempfile::TempDir;

const VOCABULARY: [&str; 24] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "have", "a", "new", "cpu", "intel", "gp", "##u", "!",
    "the", "bank", "of", "river", "my", "loan", ".", "don", "'", "t",
];

/// Longest row of the tiny models, in tokens.
pub const MAX_TOKENS: usize = 24;

/// A folder with a tiny checkpoint, removed at the end of the test.
pub struct TinyModel {
    folder: TempDir,
}

impl TinyModel {
    /// Of a HuggingFace class: "BertModel", "BertForMaskedLM", "BertForSequenceClassification".
    pub fn new(class: &str) -> TinyModel {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bare = folder.path().join("bare");
        fs::create_dir(&bare).expect("writable");
        fs::write(bare.join("config.json"), config(class).to_string()).expect("writable");
        fs::write(bare.join("vocab.txt"), VOCABULARY.join("\n")).expect("writable");
        let settings = format!(r#"{{"tokenizer_class": "BertTokenizer", "model_max_length": {MAX_TOKENS}}}"#);
        fs::write(bare.join("tokenizer_config.json"), settings).expect("writable");
        let open =
            OpenOptions { head: head_of(class), allow_random: true, seed: 7, ..OpenOptions::default() };
        let options = ModelOptions { open, offline: true };
        let opened = open_model(bare.to_str().expect("UTF-8"), &options).expect("a valid folder");
        let tokenizer = opened.tokenizer().expect("a valid tokenizer");
        save_pretrained(&folder.path().join("model"), &opened.model, Some(tokenizer)).expect("writable");
        TinyModel { folder }
    }

    /// The checkpoint.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    /// The checkpoint as a word of a command line.
    pub fn word(&self) -> String {
        self.path().to_str().expect("UTF-8").to_owned()
    }

    /// The same sizes without weights.
    pub fn without_weights(&self) -> String {
        self.folder.path().join("bare").to_str().expect("UTF-8").to_owned()
    }

    /// A place beside the checkpoint.
    pub fn beside(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Changes a key of config.json.
    pub fn set_config(&self, key: &str, value: Value) {
        let file = self.path().join("config.json");
        let mut config = parse(&fs::read_to_string(&file).expect("there"));
        config[key] = value;
        fs::write(file, config.to_string()).expect("writable");
    }
}

fn head_of(class: &str) -> HeadChoice {
    let suffix = class.strip_prefix("Bert").expect("a BERT class");
    let kind = bertlab::HeadKind::ALL.into_iter().find(|kind| kind.class_suffix() == suffix);
    HeadChoice::Kind(kind.expect("one of HuggingFace's classes"))
}

fn config(class: &str) -> Value {
    serde_json::json!({
        "model_type": "bert", "architectures": [class], "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": VOCABULARY.len(),
        "max_position_embeddings": MAX_TOKENS, "type_vocab_size": 2, "hidden_act": "gelu",
        "id2label": {"0": "bad", "1": "good", "2": "so so"},
    })
}

/// What a run of the program gave.
pub struct Run {
    /// The exit code; panics and signals have none.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Run {
    /// The output of a run that went well.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }

    /// The output of a run that went well, as JSON.
    pub fn json(self) -> Value {
        parse(&self.ok())
    }

    /// The output of a run that went well, a JSON value per line.
    pub fn json_lines(self) -> Vec<Value> {
        self.ok().lines().map(parse).collect()
    }

    /// The one message of a run that was refused; it must hold all `words`.
    pub fn refused(self, words: &[&str]) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        assert!(self.err.contains("error: ") && !self.err.contains("panicked"), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in: {}", self.err);
        }
        self.err
    }
}

/// Runs the program without a terminal and without a network.
pub fn run(arguments: &[&str]) -> Run {
    run_with_input(arguments, "")
}

/// As [`run`], with this on standard input.
pub fn run_with_input(arguments: &[&str], input: &str) -> Run {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_bertlab"))
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        // Beside the program: nothing is left in the user's cache.
        .env("BERTLAB_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    // A program that does not read its input may be gone already.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// JSON, or a failed test that shows what there was.
pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Numbers of a JSON list.
pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap_or_else(|| panic!("not a list: {value}"));
    list.iter().map(|x| x.as_f64().unwrap_or_else(|| panic!("not a number: {x}"))).collect()
}

/// A folder given beside the repository; `None`, said aloud, where it is not.
pub fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("BERTLAB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = root.join(path);
    if !found.exists() {
        println!("skipped: ../shared is not here ({path})");
        return None;
    }
    Some(found.to_str().expect("UTF-8").to_owned())
}
