//! A vocabulary that is trained: the same for the same texts, opened as BERT's, with room for what was asked.

use bertlab_text::{EncodeOptions, TextInput, Tokenizer, VocabularyOptions, train_word_piece};

const TEXTS: [&str; 4] = [
    "The river bank is long, and the banks of rivers are longer.",
    "A banker banks on the longest river!",
    "Größe und Länge: the river's length, le café.",
    "long longer longest, bank banker banks, river rivers",
];

fn options(vocab_size: usize) -> VocabularyOptions {
    VocabularyOptions { vocab_size, ..VocabularyOptions::default() }
}

fn files(options: &VocabularyOptions) -> Vec<(String, Vec<u8>)> {
    train_word_piece(TEXTS.iter().map(|text| text.repeat(3)), options).expect("texts with words")
}

fn open(options: &VocabularyOptions) -> Tokenizer {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, contents) in files(options) {
        std::fs::write(folder.path().join(name), contents).expect("writable");
    }
    Tokenizer::open(folder.path()).expect("what was trained opens")
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let encoding = tokenizer.encode(&TextInput::from(text), &EncodeOptions::default());
    encoding.expect("a text").tokens
}

#[test]
fn the_same_texts_give_the_same_vocabulary_every_time() {
    let first = files(&options(80));
    assert!((0..8).all(|_| files(&options(80)) == first), "hash maps have another order in every run");
    let mut other_order: Vec<&str> = TEXTS.to_vec();
    other_order.reverse();
    let reversed = train_word_piece(other_order.iter().map(|text| text.repeat(3)), &options(80));
    assert_eq!(reversed.expect("the same words"), first);
}

#[test]
fn frequent_words_become_one_piece_and_special_tokens_come_first() {
    let tokenizer = open(&options(80));
    assert_eq!(tokenizer.vocab_size(), 80);
    assert_eq!(
        [
            tokenizer.pad_token_id(),
            tokenizer.unk_token_id(),
            tokenizer.cls_token_id(),
            tokenizer.mask_token_id()
        ],
        [Some(0), Some(1), Some(2), Some(4)]
    );
    assert_eq!(tokenizer.model_max_length(), Some(512));
    let found = tokens(&tokenizer, "The RIVER bank");
    assert_eq!(found, ["[CLS]", "the", "river", "bank", "[SEP]"], "frequent words, in any case");
    assert!(tokens(&tokenizer, "Lange grosse").iter().all(|token| token != "[UNK]"), "accents are gone");
    let rare = tokens(&tokenizer, "ring");
    assert!(rare.len() > 3 && rare[2].starts_with("##"), "{rare:?}");
}

#[test]
fn case_stays_and_rare_characters_go_where_that_is_asked() {
    let cased = open(&VocabularyOptions { lowercase: false, ..options(120) });
    assert!(cased.id_to_token(5).is_some() && tokens(&cased, "The the")[1] != tokens(&cased, "The the")[2]);
    assert_ne!(tokens(&cased, "ü"), tokens(&cased, "u"));
    let few = open(&VocabularyOptions { limit_alphabet: 10, ..options(60) });
    assert!(tokens(&few, "café!").contains(&"[UNK]".to_owned()));
    let pieces = (0..few.vocab_size() as u32).filter_map(|id| few.id_to_token(id));
    assert_eq!(pieces.filter(|piece| piece.chars().count() == 1).count(), 10);
}

#[test]
fn what_cannot_be_a_vocabulary_is_refused_in_words() {
    let error = train_word_piece(TEXTS.iter().map(|text| (*text).to_owned()), &options(20));
    let message = error.expect_err("the alphabet alone is larger").to_string();
    assert!(
        message.contains("a vocabulary of 20 tokens is too small") && message.contains("alphabet"),
        "{message}"
    );
    let none = train_word_piece(std::iter::once("  ".to_owned()), &options(100)).expect_err("no word");
    assert!(none.to_string().contains("no word"), "{none}");
}
