//! Which part of a text stays when it is cut, and that a saved tokenizer knows it.

use bertlab_text::{EncodeOptions, Encoding, Keep, TextInput, Tokenizer, Truncation};
use serde_json::{Value, json};

const QUARTER: Keep = Keep::HeadAndTail { head: None };

/// Words `w0` to `w999`; the last goes on with `##x`.
fn folder(settings: Option<Value>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let words: Vec<String> = (0..1000).map(|n| format!("w{n}")).collect();
    let vocabulary = format!("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n{}\n##x\n", words.join("\n"));
    std::fs::write(folder.path().join("vocab.txt"), vocabulary).expect("writable");
    if let Some(settings) = settings {
        std::fs::write(folder.path().join("tokenizer_config.json"), settings.to_string()).expect("writable");
    }
    folder
}

fn tokenizer(keep: Keep) -> Tokenizer {
    let mut tokenizer = Tokenizer::open(folder(None).path()).expect("a good vocabulary");
    tokenizer.set_keep(keep);
    tokenizer
}

/// `w0 w1 ... w(n - 1)`, or from another word on.
fn text(words: std::ops::Range<usize>) -> String {
    words.map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ")
}

fn encode(tokenizer: &Tokenizer, input: TextInput, max_length: usize, truncation: Truncation) -> Encoding {
    let options = EncodeOptions { truncation, max_length: Some(max_length), ..EncodeOptions::default() };
    tokenizer.encode(&input, &options).expect("it can be cut")
}

/// Tokens without the special ones.
fn words(encoding: &Encoding) -> String {
    let kept = encoding.tokens.iter().zip(&encoding.special_tokens_mask).filter(|(_, mask)| **mask == 0);
    kept.map(|(token, _)| token.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn head_tail_and_both_keep_what_they_say() {
    let cut = |keep| encode(&tokenizer(keep), text(0..600).into(), 512, Truncation::LongestFirst);
    for (keep, expected) in [
        (Keep::Head, text(0..510)),
        (Keep::Tail, text(90..600)),
        // As in the paper: 128 + 382.
        (QUARTER, text(0..128) + " " + &text(218..600)),
        (Keep::HeadAndTail { head: Some(500) }, text(0..500) + " " + &text(590..600)),
        (Keep::HeadAndTail { head: Some(0) }, text(90..600)),
        (Keep::HeadAndTail { head: Some(9999) }, text(0..510)),
    ] {
        let encoding = cut(keep);
        assert_eq!(words(&encoding), expected, "{keep:?}");
        assert_eq!((encoding.len(), encoding.n_truncated), (512, 90));
        assert_eq!((encoding.tokens[0].as_str(), encoding.tokens[511].as_str()), ("[CLS]", "[SEP]"));
    }
}

#[test]
fn both_ends_know_where_they_stand_in_the_text() {
    let input = "w0 w1x w2 w3 w4 w5x";
    let encoding = encode(&tokenizer(QUARTER), input.into(), 6, Truncation::LongestFirst);
    assert_eq!(encoding.tokens, ["[CLS]", "w0", "w4", "w5", "##x", "[SEP]"]);
    assert_eq!(encoding.offsets[1..5], [(0, 2), (13, 15), (16, 18), (18, 19)]);
    assert_eq!(encoding.word_ids, [None, Some(0), Some(4), Some(5), Some(5), None]);
    assert_eq!(encoding.sequence_ids, [None, Some(0), Some(0), Some(0), Some(0), None]);
    // What fits stays whole, and the smallest room is no trouble.
    assert_eq!(encode(&tokenizer(QUARTER), input.into(), 10, Truncation::LongestFirst).n_truncated, 0);
    assert_eq!(words(&encode(&tokenizer(QUARTER), input.into(), 3, Truncation::LongestFirst)), "##x");
    assert_eq!(words(&encode(&tokenizer(QUARTER), input.into(), 2, Truncation::LongestFirst)), "");
}

#[test]
fn of_pairs_each_text_that_is_too_long_is_cut_alike() {
    let pair = |n: usize| TextInput { text: text(0..3), pair: Some(text(100..100 + n)) };
    let cut = |keep, n, truncation| encode(&tokenizer(keep), pair(n), 14, truncation);
    let encoding = cut(QUARTER, 40, Truncation::LongestFirst);
    assert_eq!(words(&encoding), text(0..3) + " " + &text(100..102) + " " + &text(134..140));
    assert_eq!(encoding.n_truncated, 32);
    assert_eq!(encoding.token_type_ids, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(words(&cut(Keep::Tail, 40, Truncation::OnlySecond)), text(0..3) + " " + &text(132..140));
    assert_eq!(cut(QUARTER, 40, Truncation::OnlySecond), encoding);
    // Two long texts share the room.
    let long = TextInput { text: text(0..40), pair: Some(text(100..140)) };
    let encoding = encode(&tokenizer(QUARTER), long, 19, Truncation::LongestFirst);
    let both = [text(0..2), text(34..40), text(100..102), text(134..140)];
    assert_eq!(words(&encoding), both.join(" "));
}

/// A tokenizer, saved and opened again, and its tokenizer_config.json.
fn reopened(tokenizer: &Tokenizer) -> (Tokenizer, Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in tokenizer.files() {
        std::fs::write(folder.path().join(name), bytes).expect("writable");
    }
    let config = std::fs::read(folder.path().join("tokenizer_config.json")).expect("it is saved");
    let reopened = Tokenizer::open(folder.path()).expect("what was saved opens");
    (reopened, serde_json::from_slice(&config).expect("JSON"))
}

#[test]
fn what_was_chosen_is_saved_and_found_again() {
    let settings =
        [None, Some(json!({"truncation_side": "right"})), Some(json!({"truncation_side": "left"}))];
    let with_both = json!({"bertlab_truncation": "head+tail", "bertlab_truncation_head": 7, "other": 1});
    for settings in settings.into_iter().chain([Some(with_both)]) {
        for keep in [Keep::Head, Keep::Tail, QUARTER, Keep::HeadAndTail { head: Some(128) }] {
            let mut tokenizer = Tokenizer::open(folder(settings.clone()).path()).expect("good settings");
            tokenizer.set_keep(keep);
            let (found, config) = reopened(&tokenizer);
            assert_eq!(found.keep(), keep, "{settings:?}");
            let side = config["truncation_side"].as_str().unwrap_or("right");
            assert_eq!(side == "left", keep == Keep::Tail, "HuggingFace's word agrees: {config}");
            assert_eq!(
                config["bertlab_truncation_head"].as_u64(),
                (keep.n_head(510) == 128 && keep != QUARTER).then_some(128)
            );
            let other = settings.as_ref().and_then(|settings| settings.get("other"));
            assert_eq!(config.get("other"), other, "what is not ours stays");
        }
    }
    let open = |settings| Tokenizer::open(folder(Some(settings)).path());
    assert_eq!(open(json!({"truncation_side": "left"})).expect("good").keep(), Keep::Tail);
    assert_eq!(open(json!({"bertlab_truncation_head": 3})).expect("good").keep(), Keep::Head);
    let message = open(json!({"bertlab_truncation": "middle"})).expect_err("no such part").to_string();
    assert!(message.contains("bertlab_truncation") && message.contains("head+tail"), "{message}");
}

#[test]
fn a_length_that_was_set_is_saved_and_found_again() {
    for settings in [None, Some(json!({"model_max_length": 512, "other": 1})), Some(json!({"max_len": 512}))]
    {
        let mut tokenizer = Tokenizer::open(folder(settings.clone()).path()).expect("good settings");
        let before = tokenizer.model_max_length();
        assert_eq!(reopened(&tokenizer).0.model_max_length(), before);
        tokenizer.set_model_max_length(128);
        let (found, config) = reopened(&tokenizer);
        assert_eq!(found.model_max_length(), Some(128), "{settings:?}");
        assert_eq!((&config["model_max_length"], &config["max_len"]), (&json!(128), &json!(null)));
        let other = settings.as_ref().and_then(|settings| settings.get("other"));
        assert_eq!(config.get("other"), other, "what is not ours stays");
    }
}

#[test]
fn words_of_the_command_line_are_read() {
    for word in Keep::WORDS {
        assert_eq!(word.parse::<Keep>().expect("a known word").to_string(), word);
    }
    assert!("middle".parse::<Keep>().expect_err("unknown").to_string().contains("head+tail"));
}
