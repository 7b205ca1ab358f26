//! Readers of tokenizer files. What opens also encodes and decodes a text.

use super::options;
use crate::Answer;
use crate::folder::with_files;
use bertlab_text::{EncodeOptions, Error, TextInput, Tokenizer, Truncation};

pub(super) const WORDS: &[&str] =
    &["[UNK]", "[CLS]", "[SEP]", "##", "\n", "\r\n", "\u{0120}", "\"type\":\"Sequence\"", "added_tokens"];
const TEXT: &str = "Über 12 naïve [MASK] 中 words\u{301}, e\u{200d}x and\tmore.";
const VOCABULARY: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nmore\n";

/// `tokenizer.json`, or a settings file beside a valid vocabulary.
pub(super) fn tokenizer(input: &[u8]) -> Answer {
    let (choice, contents) = options(input);
    let name = match choice % 4 {
        0 => return with_files("tokenizer", &[("tokenizer.json", contents)], open_and_use),
        1 => "tokenizer_config.json",
        2 => "special_tokens_map.json",
        _ => "added_tokens.json",
    };
    // Each settings file has a folder of its own, so that the others are absent.
    let target = format!("tokenizer-{name}");
    with_files(&target, &[("vocab.txt", VOCABULARY), (name, contents)], open_and_use)
}

/// `vocab.txt`, or `vocab.json` and `merges.txt`.
pub(super) fn vocabulary(input: &[u8]) -> Answer {
    const BPE: &[u8] = br#"{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"a":5,"b":6,"ab":7}"#;
    let (choice, contents) = options(input);
    match choice % 3 {
        0 => with_files("vocab_txt", &[("vocab.txt", contents)], open_and_use),
        1 => with_files("vocab_json", &[("vocab.json", contents), ("merges.txt", b"a b\n")], open_and_use),
        _ => with_files("merges", &[("vocab.json", BPE), ("merges.txt", contents)], open_and_use),
    }
}

fn open_and_use(folder: &std::path::Path) -> Answer {
    let encoded = || -> Result<String, Error> {
        let tokenizer = Tokenizer::open(folder)?;
        let cut = EncodeOptions {
            truncation: Truncation::LongestFirst,
            max_length: Some(8),
            ..EncodeOptions::default()
        };
        tokenizer.encode(&TextInput::from(TEXT), &cut)?;
        let encoding = tokenizer.encode(&TextInput::from(TEXT), &EncodeOptions::default())?;
        tokenizer.decode(&encoding.input_ids, true)
    };
    encoded().into()
}
