//! Every recorded case of HuggingFace's fast tokenizers, on the shared vocabularies and models; skipped without them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use bertlab_text::{EncodeOptions, Encoding, Error, Padding, TextInput, Tokenizer, Truncation};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    text: String,
    pair: Option<String>,
    options: CaseOptions,
    tokens: Vec<String>,
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    attention_mask: Vec<u32>,
    special_tokens_mask: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    word_ids: Vec<Option<u32>>,
    decoded: String,
    decoded_skip_special: String,
}

#[derive(Deserialize)]
struct CaseOptions {
    #[serde(default)]
    truncation: serde_json::Value,
    max_length: Option<usize>,
    padding: Option<String>,
    add_special_tokens: Option<bool>,
}

impl Case {
    fn options(&self) -> EncodeOptions {
        let truncation = match &self.options.truncation {
            serde_json::Value::Bool(true) => Truncation::LongestFirst,
            serde_json::Value::String(word) => word.parse().expect("a word of HuggingFace's"),
            _ => Truncation::DoNotTruncate,
        };
        let padding =
            self.options.padding.as_deref().map(|word| word.parse().expect("a word of HuggingFace's"));
        EncodeOptions {
            add_special_tokens: self.options.add_special_tokens.unwrap_or(true),
            truncation,
            max_length: self.options.max_length,
            padding: padding.unwrap_or(Padding::None),
        }
    }

    fn input(&self) -> TextInput {
        TextInput { text: self.text.clone(), pair: self.pair.clone() }
    }

    fn assert_encoding(&self, encoding: &Encoding, name: &str) {
        let name = format!("{name}: {:?}", self.text);
        assert_eq!(encoding.tokens, self.tokens, "{name}");
        assert_eq!(encoding.input_ids, self.input_ids, "{name}");
        assert_eq!(encoding.token_type_ids, self.token_type_ids, "{name}");
        assert_eq!(encoding.attention_mask, self.attention_mask, "{name}");
        assert_eq!(encoding.special_tokens_mask, self.special_tokens_mask, "{name}");
        assert_eq!(encoding.offsets, self.offsets, "{name}");
        assert_eq!(encoding.word_ids, self.word_ids, "{name}");
        assert_eq!(encoding.sequence_ids.len(), self.input_ids.len(), "{name}");
    }
}

/// The folder of shared fixtures; says so where it is absent.
fn shared(below: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("BERTLAB_SHARED").map_or(beside, PathBuf::from);
    let folder = root.join(below);
    if !folder.exists() {
        println!("skipped: ../shared is not here ({} is wanted)", folder.display());
        return None;
    }
    Some(folder)
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("it exists");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn cases(folder: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(folder.join("cases.jsonl")).expect("each vocabulary has its cases");
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

/// Writes those of the tokenizer's files that are named into a new folder.
fn save_some(tokenizer: &Tokenizer, wanted: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, contents) in tokenizer.files() {
        if wanted.contains(&name.as_str()) {
            std::fs::write(folder.path().join(name), contents).expect("a writable folder");
        }
    }
    folder
}

fn assert_all_encodings(tokenizer: &Tokenizer, cases: &[Case], name: &str) {
    for case in cases {
        let encoding = tokenizer.encode(&case.input(), &case.options()).expect("the reference took it");
        case.assert_encoding(&encoding, name);
    }
}

fn assert_all_decoded(tokenizer: &Tokenizer, cases: &[Case], name: &str) {
    for case in cases {
        assert_eq!(tokenizer.decode(&case.input_ids, false).unwrap(), case.decoded, "{name}");
        assert_eq!(tokenizer.decode(&case.input_ids, true).unwrap(), case.decoded_skip_special, "{name}");
    }
}

#[test]
fn every_case_is_equal_before_and_after_saving() {
    let Some(root) = shared("fixtures/tokenizers") else { return };
    let mut n_cases = 0;
    for folder in subfolders(&root) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let cases = cases(&folder);
        let tokenizer = Tokenizer::open(&folder).unwrap();
        assert_all_encodings(&tokenizer, &cases, &name);
        assert_all_decoded(&tokenizer, &cases, &name);

        let saved =
            save_some(&tokenizer, &["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]);
        let reopened = Tokenizer::open(saved.path()).unwrap();
        assert_all_encodings(&reopened, &cases, &name);
        assert_all_decoded(&reopened, &cases, &name);
        assert_eq!(reopened.special_token_ids(), tokenizer.special_token_ids());

        // Nothing but tokenizer.json: it cannot say that decoding cleans up, the rest is in it.
        let bare = save_some(&tokenizer, &["tokenizer.json"]);
        let bare = Tokenizer::open(bare.path()).unwrap();
        assert_all_encodings(&bare, &cases, &name);
        assert_eq!(bare.pad_token_id(), tokenizer.pad_token_id());
        assert_eq!(bare.vocab_size(), tokenizer.vocab_size());
        n_cases += cases.len();
    }
    assert_eq!(n_cases, 1212);
}

#[test]
fn a_batch_is_its_rows() {
    let Some(root) = shared("fixtures/tokenizers") else { return };
    for folder in subfolders(&root) {
        let tokenizer = Tokenizer::open(&folder).unwrap();
        let all = cases(&folder);
        let plain: Vec<&Case> =
            all.iter().filter(|case| case.options() == EncodeOptions::default()).collect();
        let inputs: Vec<TextInput> = plain.iter().map(|case| case.input()).collect();
        let encodings = tokenizer.encode_batch(&inputs, &EncodeOptions::default()).unwrap();
        assert!(encodings.len() > 100);
        for (case, encoding) in plain.iter().zip(&encodings) {
            case.assert_encoding(encoding, "batch");
        }
        let longest = encodings.iter().map(Encoding::len).max().unwrap();
        let padded = EncodeOptions { padding: Padding::Longest, ..EncodeOptions::default() };
        for (filled, plain) in tokenizer.encode_batch(&inputs, &padded).unwrap().iter().zip(&encodings) {
            assert_eq!(filled.len(), longest);
            assert_eq!(filled.input_ids[..plain.len()], plain.input_ids);
            assert_eq!(filled.attention_mask.iter().sum::<u32>() as usize, plain.len());
        }
    }
}

#[test]
fn model_folders_open_without_their_stored_truncation_and_padding() {
    let Some(root) = shared("models") else { return };
    for folder in subfolders(&root) {
        let tokenizer = Tokenizer::open(&folder).unwrap();
        let long = "word ".repeat(1000);
        let encoding = tokenizer.encode(&TextInput::from(long), &EncodeOptions::default()).unwrap();
        assert!(encoding.len() >= 1002, "{}: {} tokens", folder.display(), encoding.len());
        let short = tokenizer.encode(&TextInput::from("a"), &EncodeOptions::default()).unwrap();
        assert_eq!(short.len(), 3);
        assert_eq!(tokenizer.model_max_length(), Some(512));
        let saved = save_some(&tokenizer, &["tokenizer.json"]);
        let json = std::fs::read(saved.path().join("tokenizer.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(json["truncation"].is_null() && json["padding"].is_null(), "{}", folder.display());
    }
}

#[test]
fn the_real_vocabulary_in_both_forms_gives_the_same_ids() {
    let (Some(txt), Some(json)) =
        (shared("fixtures/tokenizers/bert-base-uncased"), shared("models/all-MiniLM-L6-v2"))
    else {
        return;
    };
    let (from_txt, from_json) = (Tokenizer::open(&txt).unwrap(), Tokenizer::open(&json).unwrap());
    assert_all_encodings(&from_json, &cases(&txt), "all-MiniLM-L6-v2");
    assert_eq!((from_txt.vocab_size(), from_json.vocab_size()), (30522, 30522));
    assert_eq!(from_json.special_token_ids(), [0, 100, 101, 102, 103]);
    // What HuggingFace prints for these two folders: the fast tokenizer cleans up only if it is made from vocab.txt.
    let ids = [101, 2123, 1005, 1056, 102];
    assert_eq!(from_txt.decode(&ids, false).unwrap(), "[CLS] don't [SEP]");
    assert_eq!(from_json.decode(&ids, false).unwrap(), "[CLS] don ' t [SEP]");
}

#[test]
fn a_vocabulary_with_lower_case_special_tokens_is_refused() {
    let Some(vocabulary) = shared("data/vocab/bert-base-uncased-vocab.blingfire.txt") else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(vocabulary, folder.path().join("vocab.txt")).unwrap();
    let error = Tokenizer::open(folder.path()).unwrap_err();
    let Error::MissingSpecialTokens { missing, near_misses, .. } = &error else { panic!("{error}") };
    assert_eq!(missing, &["[UNK]", "[SEP]", "[CLS]"]);
    assert_eq!(near_misses, &["[cls]", "[sep]", "[unk]"]);
}

#[test]
fn a_thousand_reviews() {
    let Some(file) = shared("data/imdb/imdb_train_2000.csv") else { return };
    let Some(model) = shared("models/all-MiniLM-L6-v2") else { return };
    let text = std::fs::read_to_string(file).unwrap();
    // A line of the file is a review with its quotes and label: near enough to one for timing.
    let inputs: Vec<TextInput> = text.lines().skip(1).take(1000).map(TextInput::from).collect();
    let start = Instant::now();
    let tokenizer = Tokenizer::open(&model).unwrap();
    println!("opened in {:?}", start.elapsed());
    let options = EncodeOptions {
        truncation: Truncation::LongestFirst,
        max_length: Some(512),
        ..EncodeOptions::default()
    };
    let start = Instant::now();
    let batch = tokenizer.encode_batch(&inputs, &options).unwrap();
    println!("{} texts in a batch: {:?}", inputs.len(), start.elapsed());
    let start = Instant::now();
    let singly: Vec<Encoding> =
        inputs.iter().map(|input| tokenizer.encode(input, &options).unwrap()).collect();
    println!("one by one: {:?}", start.elapsed());
    assert_eq!(batch, singly);
    assert!(batch.iter().any(|encoding| encoding.n_truncated > 0));
    assert!(batch.iter().all(|encoding| encoding.len() <= 512));
}
