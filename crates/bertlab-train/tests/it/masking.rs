//! What is hidden from a masked language model: how much, what becomes of it, whole words, the same masks again.

use bertlab_data::{Columns, Example, Piece, Target, TokenRows, Tokenization, read};
use bertlab_feedback::Meter;
use bertlab_text::Tokenizer;
use bertlab_train::{Masking, MaskingOptions};

const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const MASK: u32 = 4;
/// Words `w0`, `w1`, ... and the pieces that they can go on with.
const N_WORDS: usize = 300;

fn tokenizer() -> Tokenizer {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let words = (0..N_WORDS).map(|n| format!("w{n}"));
    let vocabulary: Vec<String> = SPECIAL
        .map(str::to_owned)
        .into_iter()
        .chain(words)
        .chain(["##x".to_owned(), "##y".to_owned()])
        .collect();
    std::fs::write(folder.path().join("vocab.txt"), vocabulary.join("\n")).expect("writable");
    Tokenizer::open(folder.path()).expect("a valid vocabulary")
}

/// Texts as rows, with [`Example::pieces`].
fn rows(tokenizer: &Tokenizer, texts: &str) -> TokenRows {
    let file = tempfile::NamedTempFile::with_suffix(".txt").expect("a temporary file");
    std::fs::write(file.path(), texts).expect("writable");
    let dataset = read(&[file.path().to_path_buf()], &Columns::default()).expect("a text per line");
    let tokenization = Tokenization { tokenizer: Some(tokenizer), max_length: None, cache: None };
    tokenization.rows(&dataset, &Meter::silent()).expect("texts can be tokenized")
}

fn examples(rows: &TokenRows) -> Vec<Example> {
    rows.iter().map(|row| row.example_to_mask()).collect()
}

/// Many words of one, two and three tokens, in rows of 50 words.
fn many_words(n_rows: usize) -> String {
    let word = |n: usize| format!("w{}{}", n * 7 % N_WORDS, ["", "x", "xy"][n % 3]);
    let row = |row: usize| (row * 50..row * 50 + 50).map(word).collect::<Vec<_>>().join(" ");
    (0..n_rows).map(row).collect::<Vec<_>>().join("\n")
}

fn masking(options: MaskingOptions, seed: u64) -> Masking {
    Masking::new(&tokenizer(), options, seed).expect("there is a mask token")
}

fn whole_words() -> MaskingOptions {
    MaskingOptions { whole_word_mask: true, ..MaskingOptions::default() }
}

fn labels(example: &Example) -> &[i64] {
    match &example.target {
        Some(Target::Tokens(labels)) => labels,
        target => panic!("{target:?}"),
    }
}

/// How many tokens could be chosen, were, became the mask, became another token, and stayed.
fn counts(originals: &[Example], masked: &[Example]) -> [usize; 5] {
    let mut counts = [0; 5];
    for (original, masked) in originals.iter().zip(masked) {
        for (i, &label) in labels(masked).iter().enumerate() {
            let (was, is) = (original.input_ids[i], masked.input_ids[i]);
            counts[0] += usize::from(original.pieces[i] != Piece::Special);
            if label == -100 {
                assert_eq!(was, is, "what is not asked for stays");
                continue;
            }
            assert_eq!(label, i64::from(was));
            assert!(original.pieces[i] != Piece::Special, "special tokens are never hidden");
            counts[1] += 1;
            counts[2] += usize::from(is == MASK);
            counts[3] += usize::from(is != MASK && is != was);
            counts[4] += usize::from(is == was);
        }
    }
    counts
}

#[test]
fn as_much_is_hidden_as_was_asked_for_and_in_the_three_ways() {
    let originals = examples(&rows(&tokenizer(), &many_words(2001)));
    for options in [
        MaskingOptions::default(),
        whole_words(),
        MaskingOptions { mlm_probability: 0.4, ..MaskingOptions::default() },
    ] {
        let masked = masking(options, 1).fixed(&originals);
        let [n_all, n_chosen, n_masked, n_other, n_same] = counts(&originals, &masked);
        assert_eq!(n_all, 2001 * 50 * 2, "words have two tokens on average");
        // Four standard deviations; words of up to three tokens spread wider than single ones.
        let share_is = |n: usize, of: usize, share: f64| {
            let found = n as f64 / of as f64;
            let allowed = 4.0 * (share * (1.0 - share) * 3.0 / of as f64).sqrt();
            assert!((found - share).abs() < allowed, "{options:?}: {found}, not {share} ± {allowed}");
        };
        share_is(n_chosen, n_all, options.mlm_probability);
        share_is(n_masked, n_chosen, 0.8);
        // One of 302 tokens at random is the same one.
        share_is(n_other, n_chosen, 0.1);
        share_is(n_same, n_chosen, 0.1);
    }
}

#[test]
fn whole_words_are_hidden_whole_and_have_one_fate() {
    let originals = examples(&rows(&tokenizer(), &many_words(200)));
    let masked = masking(whole_words(), 1).fixed(&originals);
    let mut n_words_of_several = 0;
    for (original, masked) in originals.iter().zip(&masked) {
        for i in 1..original.pieces.len() {
            if original.pieces[i] != Piece::Next {
                continue;
            }
            let is_chosen = |i: usize| labels(masked)[i] != -100;
            assert_eq!(is_chosen(i), is_chosen(i - 1));
            assert_eq!(masked.input_ids[i] == MASK, masked.input_ids[i - 1] == MASK);
            n_words_of_several += usize::from(is_chosen(i));
        }
    }
    assert!(n_words_of_several > 300, "{n_words_of_several}");
    // Without it, some words are hidden in part.
    let masked = masking(MaskingOptions::default(), 1).fixed(&originals);
    let in_part = |(original, masked): (&Example, &Example)| {
        let is_next = |i: &usize| original.pieces[*i] == Piece::Next;
        let differs = |i: usize| (labels(masked)[i] == -100) != (labels(masked)[i - 1] == -100);
        (1..original.pieces.len()).filter(is_next).any(differs)
    };
    assert!(originals.iter().zip(&masked).any(in_part));
}

#[test]
fn a_mask_belongs_to_seed_epoch_row_and_position() {
    let originals = examples(&rows(&tokenizer(), &many_words(3)));
    let of = |seed, epoch, row| {
        let masked = masking(MaskingOptions::default(), seed).of_epoch(&originals[0], epoch, row);
        (masked.input_ids, masked.target)
    };
    assert_eq!(of(1, 2, 3), of(1, 2, 3));
    assert!(of(1, 2, 3) != of(2, 2, 3) && of(1, 2, 3) != of(1, 3, 3) && of(1, 2, 3) != of(1, 2, 4));
    // The same beginning is hidden in the same places, whatever follows.
    let mut longer = originals[0].clone();
    longer.input_ids.extend_from_slice(&originals[1].input_ids);
    longer.pieces.extend_from_slice(&originals[1].pieces);
    for options in [MaskingOptions::default(), whole_words()] {
        let masking = masking(options, 1);
        let (short, long) = (masking.of_epoch(&originals[0], 0, 0), masking.of_epoch(&longer, 0, 0));
        assert_eq!(short.input_ids, long.input_ids[..short.input_ids.len()]);
    }
    // The evaluation's masks are the same at every call, and none of training's.
    let masking = masking(MaskingOptions::default(), 1);
    let fixed = |n: usize| masking.fixed(&originals[..n]).pop().map(|row| row.input_ids);
    assert_eq!(fixed(1), fixed(1));
    assert_ne!(fixed(1), Some(masking.of_epoch(&originals[0], 0, 0).input_ids));
    assert_eq!(masking.fixed(&originals)[1].input_ids, masking.fixed(&originals[..2])[1].input_ids);
}

#[test]
fn special_tokens_in_the_text_are_special_too() {
    let tokenizer = tokenizer();
    let rows = rows(&tokenizer, "w1xy [MASK] w2 unknown [SEP]\n");
    use Piece::{First, Next, Special};
    assert_eq!(rows.pieces, [Special, First, Next, Next, Special, First, Special, Special, Special]);
    let all = MaskingOptions { mlm_probability: 1.0, ..MaskingOptions::default() };
    let masked = masking(all, 1).fixed(&examples(&rows));
    assert_eq!(labels(&masked[0]).iter().filter(|&&label| label != -100).count(), 4);
}

#[test]
fn what_cannot_be_hidden_is_said() {
    let refused = |tokenizer: &Tokenizer, mlm_probability| {
        let options = MaskingOptions { mlm_probability, whole_word_mask: false };
        Masking::new(tokenizer, options, 0).expect_err("it cannot be").to_string()
    };
    for probability in [0.0, -0.5, 1.5, f64::NAN] {
        assert!(refused(&tokenizer(), probability).contains("mlm_probability"));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\nword\n").expect("writable");
    let without_mask = Tokenizer::open(folder.path()).expect("a vocabulary without a mask");
    assert!(refused(&without_mask, 0.15).contains("without a mask token"));
}
