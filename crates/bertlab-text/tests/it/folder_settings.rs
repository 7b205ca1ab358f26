//! What the files of a folder say, and what is wrong with them: settings, special and added tokens, saving, damage.

use bertlab_text::{EncodeOptions, Error, TextInput, Tokenizer};
use serde_json::{Value, json};

const WORDS: [&str; 15] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s", "cafe", "Hello", "北", "京",
    "Café", "<a>", "<b>",
];

fn words() -> String {
    WORDS.map(|word| format!("{word}\n")).concat()
}

fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, contents) in files {
        std::fs::write(folder.path().join(name), contents).expect("a writable folder");
    }
    folder
}

fn open(files: &[(&str, &str)]) -> Result<Tokenizer, Error> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    Tokenizer::open(folder_with(&files).path())
}

fn open_words(settings: &[(&str, &str)]) -> Result<Tokenizer, Error> {
    let words = words();
    let mut files = vec![("vocab.txt", words.as_str())];
    files.extend(settings);
    open(&files)
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    tokenizer
        .encode(&TextInput::from(text), &EncodeOptions::default())
        .expect("no options that could fail")
        .tokens
}

/// The tokenizer.json that the words make, changed.
fn words_json(change: impl Fn(&mut Value)) -> String {
    let made = saved_file(&open_words(&[]).expect("good words"), "tokenizer.json");
    let mut json: Value = serde_json::from_slice(&made).expect("JSON");
    change(&mut json);
    json.to_string()
}

fn saved_file(tokenizer: &Tokenizer, name: &str) -> Vec<u8> {
    tokenizer.files().into_iter().find(|(file_name, _)| file_name == name).expect("it is among the files").1
}

fn reopened(tokenizer: &Tokenizer) -> Tokenizer {
    let files = tokenizer.files();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    Tokenizer::open(folder_with(&files).path()).expect("what was saved opens")
}

#[test]
fn case_accents_and_ideographs_follow_the_settings() {
    let lower = open_words(&[]).unwrap();
    assert_eq!(tokens(&lower, "Hello Café北京"), ["[CLS]", "hello", "cafe", "北", "京", "[SEP]"]);
    let cased = open_words(&[("tokenizer_config.json", r#"{"do_lower_case": false}"#)]).unwrap();
    assert_eq!(tokens(&cased, "Hello Café"), ["[CLS]", "Hello", "Café", "[SEP]"]);
    let stripped = r#"{"do_lower_case": false, "strip_accents": true}"#;
    let stripped = open_words(&[("tokenizer_config.json", stripped)]).unwrap();
    assert_eq!(tokens(&stripped, "Hello café"), ["[CLS]", "Hello", "cafe", "[SEP]"]);
    let joined = open_words(&[("tokenizer_config.json", r#"{"tokenize_chinese_chars": false}"#)]).unwrap();
    assert_eq!(tokens(&joined, "北京"), ["[CLS]", "[UNK]", "[SEP]"]);
}

#[test]
fn settings_win_over_tokenizer_json_where_the_class_is_bert() {
    let json = words_json(|_| ());
    let cased = r#"{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}"#;
    let tokenizer = open(&[("tokenizer.json", &json), ("tokenizer_config.json", cased)]).unwrap();
    assert_eq!(tokens(&tokenizer, "Hello"), ["[CLS]", "Hello", "[SEP]"]);
    assert_eq!(tokens(&reopened(&tokenizer), "Hello"), ["[CLS]", "Hello", "[SEP]"]);

    let generic = r#"{"do_lower_case": false, "tokenizer_class": "PreTrainedTokenizerFast"}"#;
    let tokenizer = open(&[("tokenizer.json", &json), ("tokenizer_config.json", generic)]).unwrap();
    assert_eq!(tokens(&tokenizer, "Hello"), ["[CLS]", "hello", "[SEP]"]);

    // BertTokenizerFast's own default is lower case, whatever its tokenizer.json says.
    let cased = words_json(|json| json["normalizer"]["lowercase"] = json!(false));
    let tokenizer =
        open(&[("tokenizer.json", &cased), ("config.json", r#"{"model_type": "bert"}"#)]).unwrap();
    assert_eq!(tokens(&tokenizer, "Hello"), ["[CLS]", "hello", "[SEP]"]);
    let bare = open(&[("tokenizer.json", &cased)]).unwrap();
    assert_eq!(tokens(&bare, "Hello"), ["[CLS]", "Hello", "[SEP]"]);
    assert_eq!(bare.pad_token_id(), Some(0));
}

#[test]
fn stored_truncation_and_padding_are_switched_off_and_not_saved() {
    let json = words_json(|json| {
        json["truncation"] =
            json!({"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Left"});
        json["padding"] = json!({"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    });
    let tokenizer = open(&[("tokenizer.json", &json)]).unwrap();
    assert_eq!(tokens(&tokenizer, "hello world"), ["[CLS]", "hello", "world", "[SEP]"]);
    let saved: Value = serde_json::from_slice(&saved_file(&tokenizer, "tokenizer.json")).unwrap();
    assert!(saved["truncation"].is_null() && saved["padding"].is_null());
    // The sides stay: they only say where, once a caller asks.
    for tokenizer in [reopened(&tokenizer), tokenizer] {
        let padding = bertlab_text::Padding::MaxLength;
        let options = EncodeOptions { padding, max_length: Some(4), ..EncodeOptions::default() };
        assert_eq!(tokenizer.encode(&TextInput::from("hello"), &options).unwrap().input_ids, [0, 2, 5, 3]);
    }
}

#[test]
fn special_tokens_take_the_names_that_the_files_give() {
    let map = r#"{"cls_token": "<a>", "sep_token": {"content": "<b>", "lstrip": false}}"#;
    let tokenizer = open_words(&[("special_tokens_map.json", map)]).unwrap();
    assert_eq!(tokens(&tokenizer, "hello"), ["<a>", "hello", "<b>"]);
    assert_eq!((tokenizer.cls_token_id(), tokenizer.sep_token_id()), (Some(13), Some(14)));
    // special_tokens_map.json wins over tokenizer_config.json, but not over its newer added_tokens_decoder.
    let config = r#"{"cls_token": "[CLS]", "added_tokens_decoder": {}}"#;
    let both = [("special_tokens_map.json", map), ("tokenizer_config.json", config)];
    assert_eq!(tokens(&open_words(&both).unwrap(), "hello"), ["[CLS]", "hello", "[SEP]"]);
    let none = open_words(&[("tokenizer_config.json", r#"{"mask_token": null}"#)]).unwrap();
    assert_eq!(none.mask_token_id(), None);
}

#[test]
fn added_tokens_are_found_in_the_text() {
    let map = r#"{"additional_special_tokens": ["<ent>"]}"#;
    let added = r#"{"New York": 15, "<ent>": 16}"#;
    let legacy = open_words(&[("added_tokens.json", added), ("special_tokens_map.json", map)]).unwrap();
    let config = json!({"added_tokens_decoder": {
        "15": {"content": "New York", "special": false, "normalized": true},
        "16": {"content": "<ent>", "special": true, "normalized": false}}});
    let modern = open_words(&[("tokenizer_config.json", &config.to_string())]).unwrap();
    for tokenizer in [legacy, modern] {
        for tokenizer in [reopened(&tokenizer), tokenizer] {
            let options = EncodeOptions { add_special_tokens: false, ..EncodeOptions::default() };
            let encoding = tokenizer.encode(&TextInput::from("hello <ent> New York"), &options).unwrap();
            assert_eq!(encoding.input_ids, [5, 16, 15]);
            assert_eq!(tokenizer.vocab_size(), 17);
            assert_eq!(tokenizer.special_token_ids(), [0, 1, 2, 3, 4, 16]);
            assert_eq!(tokenizer.decode(&encoding.input_ids, true).unwrap(), "hello New York");
        }
    }
    // An empty added_tokens_decoder forbids the older files, and a token without an id is put at the end.
    let config = r#"{"added_tokens_decoder": {}, "additional_special_tokens": ["<new>"]}"#;
    let files = [("tokenizer_config.json", config), ("added_tokens.json", added)];
    assert_eq!(open_words(&files).unwrap().token_to_id("<new>"), Some(15));
}

#[test]
fn added_tokens_that_do_not_fit_the_vocabulary_are_refused() {
    let error = open_words(&[("added_tokens.json", r#"{"<ent>": 40}"#)]).unwrap_err();
    assert!(matches!(error, Error::AddedTokenId { assigned: 15, .. }), "{error}");
    let json = words_json(|json| json["added_tokens"][2]["id"] = json!(7));
    let error = open(&[("tokenizer.json", &json)]).unwrap_err();
    assert!(matches!(error, Error::AddedTokenId { assigned: 2, .. }), "{error}");
    // "hello" twice: 16 lines, 15 tokens, and id 15 is taken when the next free one is looked for.
    let vocabulary = words() + "hello\n";
    let tokenizer = open(&[("vocab.txt", &vocabulary)]).unwrap();
    assert_eq!((tokenizer.token_to_id("hello"), tokenizer.vocab_size()), (Some(15), 16));
    let config = r#"{"additional_special_tokens": ["<new>"]}"#;
    let error = open(&[("vocab.txt", &vocabulary), ("tokenizer_config.json", config)]).unwrap_err();
    assert!(error.to_string().contains("not that of \"hello\""), "{error}");
}

#[test]
fn a_vocabulary_without_its_special_tokens_is_refused_with_near_misses() {
    let error = open(&[("vocab.txt", "[PAD]\n[unk]\n<cls>\n[SEP] \nhello\ncls\n")]).unwrap_err();
    let Error::MissingSpecialTokens { missing, near_misses, .. } = &error else { panic!("{error}") };
    assert_eq!(missing, &["[UNK]", "[SEP]", "[CLS]"]);
    assert_eq!(near_misses, &["<cls>", "[SEP] ", "[unk]"]);
    assert!(error.to_string().contains("vocab.txt"), "{error}");

    let named = r#"{"mask_token": "[mask]"}"#;
    let error = open_words(&[("tokenizer_config.json", named)]).unwrap_err();
    assert!(error.to_string().contains("lacks the special token \"[mask]\" (it has \"[MASK]\""), "{error}");
    let without_mask = open(&[("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n")]).unwrap();
    assert_eq!((without_mask.mask_token_id(), without_mask.vocab_size()), (None, 5));
}

#[test]
fn lines_end_as_python_reads_them() {
    let windows = words().replace('\n', "\r\n");
    assert_eq!(open(&[("vocab.txt", &windows)]).unwrap().token_to_id("<b>"), Some(14));
    let unended = words().trim_end().to_owned();
    assert_eq!(open(&[("vocab.txt", &unended)]).unwrap().vocab_size(), 15);
}

#[test]
fn damaged_files_are_named() {
    let open_bytes = |name: &str, bytes: &[u8]| {
        Tokenizer::open(folder_with(&[("vocab.txt", words().as_bytes()), (name, bytes)]).path()).unwrap_err()
    };
    let error = open_bytes("vocab.txt", b"[PAD]\n[UNK]\ncaf\xe9\n");
    assert!(matches!(error, Error::NotUtf8 { line: 3, offset: 15, .. }), "{error}");
    for empty in [&b""[..], b"\n", b"\r\n\r\n"] {
        let error = open_bytes("vocab.txt", empty);
        assert!(matches!(error, Error::EmptyVocabulary { .. }), "{error}");
    }
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] {
        let error = open_bytes(name, b"{\"version\": \"1.0\", ");
        assert!(matches!(error, Error::Json { .. }) && error.to_string().contains(name), "{error}");
    }
    for wrong in [
        r#"{"do_lower_case": "yes"}"#,
        r#"{"model_max_length": -1}"#,
        r#"{"cls_token": 5}"#,
        "[]",
        r#"{"padding_side": "up"}"#,
        r#"{"added_tokens_decoder": {"x": "y"}}"#,
        r#"{"strip_accents": 1}"#,
    ] {
        let error = open_bytes("tokenizer_config.json", wrong.as_bytes());
        assert!(matches!(error, Error::Setting { .. }), "{error}");
    }
    let error = open_bytes("tokenizer.json", b"{}");
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
}

#[test]
fn a_template_that_does_not_fit_together_is_refused() {
    let piece = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let second_text = json!({"Sequence": {"id": "B", "type_id": 1}});
    let refused = |reason: &str, change: &dyn Fn(&mut Value)| {
        let json = words_json(|json| change(&mut json["post_processor"]));
        let error = open(&[("tokenizer.json", &json)]).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    };
    refused("uses \"[NO]\"", &|template| template["single"][0] = piece("[NO]"));
    refused("uses the text B", &|template| template["single"][1] = second_text.clone());
    refused("2 ids but 1 tokens", &|template| template["special_tokens"]["[CLS]"]["ids"] = json!([2, 3]));
    let twice = words_json(|json| {
        let template = json["post_processor"].take();
        json["post_processor"] = json!({"type": "Sequence", "processors": [template.clone(), template]});
    });
    assert!(open(&[("tokenizer.json", &twice)]).unwrap_err().to_string().contains("several in sequence"));
}

#[test]
fn files_are_passed_on_byte_for_byte_or_made() {
    let config = "{ \"clean_up_tokenization_spaces\": true,   \"do_lower_case\":false}";
    let tokenizer = open_words(&[("tokenizer_config.json", config)]).unwrap();
    assert_eq!(saved_file(&tokenizer, "tokenizer_config.json"), config.as_bytes());
    assert_eq!(saved_file(&tokenizer, "vocab.txt"), words().as_bytes());
    // A tokenizer.json beside vocab.txt would switch the clean-up off if nobody said that it is on.
    let made: Value =
        serde_json::from_slice(&saved_file(&open_words(&[]).unwrap(), "tokenizer_config.json")).unwrap();
    assert_eq!(made["clean_up_tokenization_spaces"], json!(true));
    assert_eq!(made["tokenizer_class"], json!("BertTokenizer"));
    assert_eq!(made["do_lower_case"], json!(true));

    let json = words_json(|_| ());
    let tokenizer = open(&[("tokenizer.json", &json)]).unwrap();
    assert_eq!(saved_file(&tokenizer, "tokenizer.json"), json.as_bytes());
    assert_eq!(saved_file(&tokenizer, "vocab.txt"), words().as_bytes());
    let map: Value = serde_json::from_slice(&saved_file(&tokenizer, "special_tokens_map.json")).unwrap();
    assert_eq!(map["mask_token"], json!("[MASK]"));
    assert_eq!(tokens(&reopened(&tokenizer), "hello worlds"), tokens(&tokenizer, "hello worlds"));
}

#[test]
fn no_limit_is_no_length() {
    for (length, expected) in [("1000000000000000019884624838656", None), ("512", Some(512)), ("null", None)]
    {
        let config = format!("{{\"model_max_length\": {length}}}");
        let tokenizer = open_words(&[("tokenizer_config.json", &config)]).unwrap();
        assert_eq!(tokenizer.model_max_length(), expected);
    }
    let older = open_words(&[("tokenizer_config.json", r#"{"max_len": 64}"#)]).unwrap();
    assert_eq!(older.model_max_length(), Some(64));
}

#[test]
fn classes_decide_which_files_make_a_tokenizer() {
    let roberta = r#"{"tokenizer_class": "RobertaTokenizer"}"#;
    let error = open_words(&[("tokenizer_config.json", roberta)]).unwrap_err();
    assert!(error.to_string().contains("vocab.json and merges.txt"), "{error}");
    let other = r#"{"tokenizer_class": "BertJapaneseTokenizer"}"#;
    let error = open_words(&[("tokenizer_config.json", other)]).unwrap_err();
    assert!(matches!(error, Error::UnsupportedClass { .. }), "{error}");
}

#[test]
fn byte_pairs_from_vocab_json_and_merges() {
    let vocab =
        r#"{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"h":5,"i":6,"Ġ":7,"hi":8,"Ġhi":9,"Ã":10,"©":11}"#;
    let merges = "#version: 0.2\nh i\nĠ hi\n";
    let tokenizer = open(&[("vocab.json", vocab), ("merges.txt", merges)]).unwrap();
    for tokenizer in [reopened(&tokenizer), tokenizer] {
        let input = TextInput { text: "hi hi <mask>".to_owned(), pair: Some("hié".to_owned()) };
        let encoding = tokenizer.encode(&input, &EncodeOptions::default()).unwrap();
        let expected = ["<s>", "hi", "Ġhi", "Ġ", "<mask>", "</s>", "</s>", "hi", "Ã", "©", "</s>"];
        assert_eq!(encoding.tokens, expected);
        assert_eq!(encoding.token_type_ids, [0; 11]);
        let offsets = [(0, 2), (3, 5), (6, 6), (6, 12), (0, 0), (0, 0), (0, 2), (2, 3), (2, 3)];
        assert_eq!(encoding.offsets[1..10], offsets);
        assert_eq!(tokenizer.decode(&encoding.input_ids, true).unwrap(), "hi hi hié");
        assert_eq!(tokenizer.n_special_tokens(true), 4);
        assert_eq!(tokenizer.pad_token_id(), Some(1));
    }
    let error = open(&[("vocab.json", vocab), ("merges.txt", "#version: 0.2\nhi\n")]).unwrap_err();
    assert!(error.to_string().contains("line 2 is not two pieces"), "{error}");
    let error = open(&[("vocab.json", vocab), ("merges.txt", "#version: 0.2\nx y\n")]).unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
}

/// transformers 5.24: tokenizer.json decides, else tokenizer_config.json; a plain name takes no space along.
#[test]
fn the_mask_takes_the_space_before_it_only_where_a_file_says_so() {
    const MERGES: &str = "#version: 0.2\nh i\n";
    let vocab = r#"{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"h":5,"i":6,"Ġ":7,"hi":8}"#;
    let files = |config| [("vocab.json", vocab), ("merges.txt", MERGES), ("tokenizer_config.json", config)];
    let object = |lstrip: bool| {
        json!({"mask_token": {"content": "<mask>", "lstrip": lstrip, "special": true}}).to_string()
    };
    let tokens = |tokenizer: &Tokenizer| {
        tokenizer.encode(&TextInput::from("hi <mask>"), &EncodeOptions::default()).unwrap().tokens
    };
    let (apart, together) = (vec!["<s>", "hi", "Ġ", "<mask>", "</s>"], vec!["<s>", "hi", " <mask>", "</s>"]);
    for (config, wanted) in [
        ("{}", &apart),
        (r#"{"mask_token": "<mask>"}"#, &apart),
        (&object(false), &apart),
        (&object(true), &together),
    ] {
        let tokenizer = open(&files(config)).unwrap();
        assert_eq!(tokens(&tokenizer), *wanted, "{config}");
        // Saved as tokenizer.json, the flag is the same whatever another settings file says.
        let saved = tokenizer.files().into_iter().find(|(name, _)| name == "tokenizer.json").unwrap();
        let json = String::from_utf8(saved.1).unwrap();
        for other in [r#"{"tokenizer_class": "RobertaTokenizer"}"#, &object(true), &object(false)] {
            let reopened = open(&[("tokenizer.json", &json), ("tokenizer_config.json", other)]).unwrap();
            assert_eq!(tokens(&reopened), *wanted, "{config}, then {other}");
        }
    }
}
