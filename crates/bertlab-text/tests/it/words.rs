//! Rows of words: the expectations are what transformers 5.24's fast tokenizers say with is_split_into_words=True.

use bertlab_text::{EncodeOptions, Encoding, Error, Tokenizer, Truncation};

const WORDS: &str =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\nbig\ndon\n'\nt\n!\ncafe\nHello\n北\n京\n[ENT]\n";
const ROBERTA: [&str; 16] =
    ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", "E", "U", "w", "o", "n", "Ġw", "on", "ĠE", "Ġwon", "."];

fn open(files: &[(&str, String)]) -> Tokenizer {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, contents) in files {
        std::fs::write(folder.path().join(name), contents).expect("a writable folder");
    }
    Tokenizer::open(folder.path()).expect("a good folder")
}

fn bert() -> Tokenizer {
    open(&[("vocab.txt", WORDS.to_owned())])
}

fn roberta() -> Tokenizer {
    let ids: Vec<String> = ROBERTA.iter().enumerate().map(|(id, token)| format!("{token:?}: {id}")).collect();
    open(&[
        ("vocab.json", format!("{{{}}}", ids.join(", "))),
        ("merges.txt", "#version: 0.2\nĠ w\no n\nĠ E\nĠw on\n".to_owned()),
        (
            "tokenizer_config.json",
            r#"{"tokenizer_class": "RobertaTokenizer", "add_prefix_space": false}"#.to_owned(),
        ),
    ])
}

fn encode(tokenizer: &Tokenizer, words: &[&str], options: &EncodeOptions) -> Result<Encoding, Error> {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    tokenizer.encode_words_batch(&[words], options).map(|mut encodings| encodings.remove(0))
}

#[test]
fn words_keep_their_places_and_some_have_no_token() {
    let words = ["Café", "worlds北京", "\u{200b}", "don't", "[MASK]", "xyz"];
    let encoding = encode(&bert(), &words, &EncodeOptions::default()).expect("words");
    assert_eq!(encoding.input_ids, [2, 13, 6, 7, 15, 16, 9, 10, 11, 4, 1, 3]);
    let places = [
        None,
        Some(0),
        Some(1),
        Some(1),
        Some(1),
        Some(1),
        Some(3),
        Some(3),
        Some(3),
        Some(4),
        Some(5),
        None,
    ];
    assert_eq!(encoding.word_ids, places);
    // Characters of each word.
    assert_eq!(encoding.offsets[1..6], [(0, 4), (0, 5), (5, 6), (6, 7), (7, 8)]);
    let spaces = encode(&bert(), &["a b", "hello world"], &EncodeOptions::default()).expect("words");
    assert_eq!(spaces.input_ids, [2, 1, 1, 5, 6, 3]);
    assert_eq!(spaces.word_ids[1..5], [Some(0), Some(0), Some(1), Some(1)]);
    assert_eq!(encode(&bert(), &[], &EncodeOptions::default()).expect("no words").input_ids, [2, 3]);
}

#[test]
fn long_rows_are_cut_within_words() {
    let options = EncodeOptions {
        truncation: Truncation::LongestFirst,
        max_length: Some(5),
        ..EncodeOptions::default()
    };
    let encoding = encode(&bert(), &["worlds", "don't", "big"], &options).expect("words");
    assert_eq!((encoding.input_ids.as_slice(), encoding.n_truncated), ([2, 6, 7, 9, 3].as_slice(), 3));
    assert_eq!(encoding.word_ids, [None, Some(0), Some(0), Some(1), None]);
}

#[test]
fn byte_level_words_have_a_space_before_them() {
    let refused =
        encode(&roberta(), &["EU"], &EncodeOptions::default()).expect_err("they would run together");
    assert!(refused.to_string().contains("add_prefix_space"), "{refused}");
    let for_words = roberta().for_words();
    let check = |tokenizer: &Tokenizer| {
        let encoding = encode(tokenizer, &["EU", "won", "."], &EncodeOptions::default()).expect("words");
        assert_eq!(encoding.input_ids, [0, 13, 7, 14, 5, 15, 2]);
        assert_eq!(encoding.word_ids, [None, Some(0), Some(0), Some(1), Some(2), Some(2), None]);
    };
    check(&for_words);
    // What is saved opens as the same.
    let files: Vec<(String, String)> = for_words
        .files()
        .into_iter()
        .map(|(name, contents)| (name, String::from_utf8(contents).expect("text files")))
        .collect();
    let config = files.iter().find(|(name, _)| name == "tokenizer_config.json").expect("it is among them");
    assert!(config.1.contains("\"add_prefix_space\": true"), "{}", config.1);
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    check(&open(&files));
}
