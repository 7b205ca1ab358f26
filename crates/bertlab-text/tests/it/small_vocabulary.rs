//! Encoding and decoding on a vocabulary of a few words: every rule of the options, without any shared file.

use std::path::Path;

use bertlab_text::{EncodeOptions, Encoding, Error, Padding, TextInput, Tokenizer, Truncation};

const WORDS: &str =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\nbig\ndon\n'\nt\n!\ncafe\nHello\n北\n京\n[ENT]\n";

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, contents) in files {
        std::fs::write(folder.path().join(name), contents).expect("a writable folder");
    }
    folder
}

fn open(files: &[(&str, &str)]) -> Tokenizer {
    Tokenizer::open(folder_with(files).path()).expect("a good folder")
}

fn small() -> Tokenizer {
    open(&[("vocab.txt", WORDS)])
}

fn pair(text: &str, second: &str) -> TextInput {
    TextInput { text: text.to_owned(), pair: Some(second.to_owned()) }
}

fn cut(truncation: Truncation, max_length: usize) -> EncodeOptions {
    EncodeOptions { truncation, max_length: Some(max_length), ..EncodeOptions::default() }
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Encoding {
    tokenizer.encode(&TextInput::from(text), &EncodeOptions::default()).expect("no options that could fail")
}

#[test]
fn every_field_of_a_single_text() {
    let encoding = encode(&small(), "Café worlds北京 xyz");
    assert_eq!(encoding.tokens, ["[CLS]", "cafe", "world", "##s", "北", "京", "[UNK]", "[SEP]"]);
    assert_eq!(encoding.input_ids, [2, 13, 6, 7, 15, 16, 1, 3]);
    assert_eq!(encoding.token_type_ids, [0; 8]);
    assert_eq!(encoding.attention_mask, [1; 8]);
    assert_eq!(encoding.special_tokens_mask, [1, 0, 0, 0, 0, 0, 0, 1]);
    // Characters, not bytes: é, 北 and 京 count one each.
    let offsets = [(0, 0), (0, 4), (5, 10), (10, 11), (11, 12), (12, 13), (14, 17), (0, 0)];
    assert_eq!(encoding.offsets, offsets);
    let words = [None, Some(0), Some(1), Some(1), Some(2), Some(3), Some(4), None];
    assert_eq!(encoding.word_ids, words);
    assert_eq!(encoding.sequence_ids[0], None);
    assert_eq!(encoding.sequence_ids[1..7], [Some(0); 6]);
    assert_eq!(encoding.n_truncated, 0);
    assert_eq!(encoding.tokens_of_span(5, 11), [2, 3]);
}

#[test]
fn a_pair_has_types_and_sequences() {
    let encoding = small().encode(&pair("hello", "big world"), &EncodeOptions::default()).unwrap();
    assert_eq!(encoding.tokens, ["[CLS]", "hello", "[SEP]", "big", "world", "[SEP]"]);
    assert_eq!(encoding.token_type_ids, [0, 0, 0, 1, 1, 1]);
    assert_eq!(encoding.sequence_ids, [None, Some(0), None, Some(1), Some(1), None]);
    assert_eq!(encoding.tokens_of_span(0, 5), [1]);
    let empty = small().encode(&pair("hello", ""), &EncodeOptions::default()).unwrap();
    assert_eq!(empty.tokens, ["[CLS]", "hello", "[SEP]"]);
    // As in HuggingFace, rows of a batch keep both separators: models are trained so.
    let rows = [pair("hello", ""), TextInput::from("hello")];
    let rows = small().encode_batch(&rows, &EncodeOptions::default()).unwrap();
    assert_eq!(rows[0].tokens, ["[CLS]", "hello", "[SEP]", "[SEP]"]);
    assert_eq!(rows[0].token_type_ids, [0, 0, 0, 1]);
    assert_eq!(rows[1].tokens, ["[CLS]", "hello", "[SEP]"]);
}

#[test]
fn special_tokens_can_be_left_out_and_are_found_in_the_text() {
    let options = EncodeOptions { add_special_tokens: false, ..EncodeOptions::default() };
    let encoding = small().encode(&pair("hello [MASK]!", "world"), &options).unwrap();
    assert_eq!(encoding.tokens, ["hello", "[MASK]", "!", "world"]);
    assert_eq!(encoding.special_tokens_mask, [0; 4]);
    assert_eq!(encoding.token_type_ids, [0, 0, 0, 1]);
    assert!(small().encode(&TextInput::from(""), &options).unwrap().is_empty());
    assert_eq!(encode(&small(), "").tokens, ["[CLS]", "[SEP]"]);
}

#[test]
fn longest_first_cuts_the_longer_text_and_counts_what_goes() {
    let tokenizer = small();
    let input = pair("hello hello hello", "world");
    let encoding = tokenizer.encode(&input, &cut(Truncation::LongestFirst, 5)).unwrap();
    assert_eq!(encoding.tokens, ["[CLS]", "hello", "[SEP]", "world", "[SEP]"]);
    assert_eq!(encoding.n_truncated, 2);
    let encoding =
        tokenizer.encode(&pair("hello hello", "world world"), &cut(Truncation::LongestFirst, 6)).unwrap();
    assert_eq!(encoding.tokens, ["[CLS]", "hello", "[SEP]", "world", "world", "[SEP]"]);
    let encoding =
        tokenizer.encode(&TextInput::from("hello world"), &cut(Truncation::LongestFirst, 2)).unwrap();
    assert_eq!(encoding.tokens, ["[CLS]", "[SEP]"]);
    assert_eq!(encoding.n_truncated, 2);
    let without = EncodeOptions { add_special_tokens: false, ..cut(Truncation::LongestFirst, 2) };
    assert_eq!(
        tokenizer.encode(&TextInput::from("hello big world"), &without).unwrap().tokens,
        ["hello", "big"]
    );
}

#[test]
fn only_first_and_only_second_cut_that_text_or_say_why_not() {
    let tokenizer = small();
    let input = pair("hello big world", "big world");
    let first = tokenizer.encode(&input, &cut(Truncation::OnlyFirst, 6)).unwrap();
    assert_eq!(first.tokens, ["[CLS]", "hello", "[SEP]", "big", "world", "[SEP]"]);
    let second = tokenizer.encode(&input, &cut(Truncation::OnlySecond, 7)).unwrap();
    assert_eq!(second.tokens, ["[CLS]", "hello", "big", "world", "[SEP]", "big", "[SEP]"]);

    let error = tokenizer.encode(&input, &cut(Truncation::OnlyFirst, 5)).unwrap_err();
    assert!(
        matches!(error, Error::TooShortToCut { n_to_remove: 3, n_tokens: 3, max_length: 5, .. }),
        "{error}"
    );
    let error = tokenizer.encode(&input, &cut(Truncation::OnlySecond, 6)).unwrap_err();
    assert!(
        matches!(error, Error::TooShortToCut { n_to_remove: 2, n_tokens: 2, max_length: 6, .. }),
        "{error}"
    );
    let single = TextInput::from("hello big world");
    let error = tokenizer.encode(&single, &cut(Truncation::OnlySecond, 4)).unwrap_err();
    assert!(matches!(error, Error::NoSecondText { n_tokens: 5, max_length: 4 }), "{error}");
    assert_eq!(tokenizer.encode(&single, &cut(Truncation::OnlySecond, 5)).unwrap().len(), 5);
}

#[test]
fn lengths_that_cannot_be_are_errors() {
    let tokenizer = small();
    let input = TextInput::from("hello");
    for max_length in [0, 1] {
        let error = tokenizer.encode(&input, &cut(Truncation::LongestFirst, max_length)).unwrap_err();
        assert!(matches!(error, Error::MaxLengthTooSmall { n_special_tokens: 2, .. }), "{error}");
    }
    let no_length = EncodeOptions { truncation: Truncation::OnlyFirst, ..EncodeOptions::default() };
    let error = tokenizer.encode(&input, &no_length).unwrap_err();
    assert!(error.to_string().contains("truncation only_first needs a max_length"), "{error}");
    let no_length = EncodeOptions { padding: Padding::MaxLength, ..EncodeOptions::default() };
    let error = tokenizer.encode_batch(&[], &no_length).unwrap_err();
    assert!(error.to_string().contains("padding max_length needs a max_length"), "{error}");
}

#[test]
fn a_length_alone_cuts_nothing_and_the_model_length_stands_in_for_a_missing_one() {
    let options = EncodeOptions { max_length: Some(3), ..EncodeOptions::default() };
    assert_eq!(small().encode(&TextInput::from("hello big world"), &options).unwrap().len(), 5);

    let tokenizer = open(&[("vocab.txt", WORDS), ("tokenizer_config.json", r#"{"model_max_length": 4}"#)]);
    let options = EncodeOptions { truncation: Truncation::LongestFirst, ..EncodeOptions::default() };
    assert_eq!(tokenizer.encode(&TextInput::from("hello big world"), &options).unwrap().len(), 4);
    let options = EncodeOptions { padding: Padding::MaxLength, ..EncodeOptions::default() };
    assert_eq!(tokenizer.encode(&TextInput::from("hello"), &options).unwrap().len(), 4);
}

#[test]
fn padding_fills_every_list_on_its_side() {
    let tokenizer = small();
    let inputs = [TextInput::from("hello"), TextInput::from("hello big world")];
    let options = EncodeOptions { padding: Padding::Longest, ..EncodeOptions::default() };
    let batch = tokenizer.encode_batch(&inputs, &options).unwrap();
    assert_eq!(batch[0].input_ids, [2, 5, 3, 0, 0]);
    assert_eq!(batch[0].tokens[3..], ["[PAD]", "[PAD]"]);
    assert_eq!(batch[0].attention_mask, [1, 1, 1, 0, 0]);
    assert_eq!(batch[0].special_tokens_mask, [1, 0, 1, 1, 1]);
    assert_eq!(batch[0].offsets[3..], [(0, 0), (0, 0)]);
    assert_eq!((batch[0].word_ids[4], batch[0].sequence_ids[4]), (None, None));
    assert_eq!(batch[1], encode(&tokenizer, "hello big world"));
    assert_eq!(tokenizer.encode(&inputs[0], &options).unwrap().len(), 3);

    let left = open(&[
        ("vocab.txt", WORDS),
        ("tokenizer_config.json", r#"{"padding_side": "left", "truncation_side": "left"}"#),
    ]);
    let options = EncodeOptions { padding: Padding::MaxLength, ..cut(Truncation::LongestFirst, 4) };
    let batch = left.encode_batch(&inputs, &options).unwrap();
    assert_eq!(batch[0].input_ids, [0, 2, 5, 3]);
    assert_eq!(batch[0].sequence_ids, [None, None, Some(0), None]);
    assert_eq!(batch[1].tokens, ["[CLS]", "big", "world", "[SEP]"]);
}

#[test]
fn a_row_is_the_same_in_any_batch_and_a_wrong_one_is_named() {
    let tokenizer = small();
    let inputs: Vec<TextInput> = (0..200).map(|n| TextInput::from("hello ".repeat(n % 17))).collect();
    let batch = tokenizer.encode_batch(&inputs, &EncodeOptions::default()).unwrap();
    for (input, row) in inputs.iter().zip(&batch) {
        assert_eq!(&tokenizer.encode(input, &EncodeOptions::default()).unwrap(), row);
    }
    assert!(tokenizer.encode_batch(&[], &EncodeOptions::default()).unwrap().is_empty());
    let error = tokenizer.encode_batch(&inputs, &cut(Truncation::OnlySecond, 12)).unwrap_err();
    assert!(matches!(error, Error::Row { row: 11, .. }), "{error}");
}

#[test]
fn decoding_joins_pieces_and_cleans_up() {
    let tokenizer = small();
    let ids = [2, 9, 10, 11, 6, 7, 12, 3];
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), "[CLS] don't worlds! [SEP]");
    assert_eq!(tokenizer.decode(&ids, true).unwrap(), "don't worlds!");
    assert_eq!(tokenizer.decode(&[], true).unwrap(), "");
    assert_eq!(tokenizer.tokens(&[6, 7]).unwrap(), ["world", "##s"]);
    let error = tokenizer.decode(&[2, 99], true).unwrap_err();
    assert!(matches!(error, Error::UnknownId { id: 99, last: 17 }), "{error}");
    assert_eq!((tokenizer.id_to_token(4).as_deref(), tokenizer.id_to_token(18)), (Some("[MASK]"), None));
    assert_eq!((tokenizer.token_to_id("##s"), tokenizer.token_to_id("##z")), (Some(7), None));

    let plain = r#"{"clean_up_tokenization_spaces": false}"#;
    let tokenizer = open(&[("vocab.txt", WORDS), ("tokenizer_config.json", plain)]);
    assert_eq!(tokenizer.decode(&ids, true).unwrap(), "don ' t worlds!");
}

#[test]
fn words_of_the_options_are_those_of_huggingface() {
    for word in ["do_not_truncate", "longest_first", "only_first", "only_second"] {
        assert_eq!(word.parse::<Truncation>().unwrap().to_string(), word);
    }
    for word in ["do_not_pad", "longest", "max_length"] {
        assert_eq!(word.parse::<Padding>().unwrap().to_string(), word);
    }
    let error = "longest".parse::<Truncation>().unwrap_err().to_string();
    assert!(error.contains("longest_first, only_first, only_second, do_not_truncate"), "{error}");
    assert!("true".parse::<Padding>().is_err());
}

#[test]
fn sizes_and_special_ids() {
    let tokenizer = small();
    assert_eq!(tokenizer.vocab_size(), 18);
    assert_eq!(tokenizer.special_token_ids(), [0, 1, 2, 3, 4]);
    let ids = [
        tokenizer.pad_token_id(),
        tokenizer.unk_token_id(),
        tokenizer.cls_token_id(),
        tokenizer.sep_token_id(),
        tokenizer.mask_token_id(),
    ];
    assert_eq!(ids, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!((tokenizer.n_special_tokens(false), tokenizer.n_special_tokens(true)), (2, 3));
    assert_eq!(tokenizer.model_max_length(), None);
}

#[test]
fn very_long_words_and_odd_characters_are_taken() {
    let tokenizer = small();
    assert_eq!(encode(&tokenizer, &"s".repeat(101)).tokens, ["[CLS]", "[UNK]", "[SEP]"]);
    for odd in ["\u{0}", "\u{fffd}", "\u{202e}\u{200b}", "🙂👩‍👩‍👧", "e\u{301}\u{301}", "\r\n\t "]
    {
        let encoding = encode(&tokenizer, odd);
        let n_chars = odd.chars().count();
        assert!(encoding.offsets.iter().all(|&(start, end)| start <= end && end <= n_chars), "{odd:?}");
    }
}

#[test]
fn a_missing_folder_is_said_to_have_no_tokenizer() {
    let error = Tokenizer::open(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(matches!(error, Error::NoTokenizer { .. }), "{error}");
    assert!(error.to_string().contains("vocab.txt"), "{error}");
}
