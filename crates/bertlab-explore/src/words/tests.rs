//! Words of small sentences in a small random model.

use super::*;
use crate::testing::{bare_model, batch, tokenizer};
use crate::{EmbedOptions, Embedding, Pooling, embed};

const SENTENCES: [&str; 4] =
    ["I have a new CPU!", "I have a new Intel CPU!", "a GPU, no GPU", "I have a new NVIDIA GPU!"];

fn vectors(queries: &[&str], options: WordOptions) -> Result<Vec<WordVector>, Error> {
    let sentences = SENTENCES.map(str::to_owned);
    let queries: Vec<WordQuery> = queries.iter().map(|query| query.parse()).collect::<Result<_, _>>()?;
    word_vectors(&bare_model(), &tokenizer(), &sentences, &queries, &options)
}

fn vector(query: &str, options: WordOptions) -> WordVector {
    vectors(&[query], options).expect("the word is there").remove(0)
}

/// The hidden states of a sentence's tokens, alone in its batch.
fn tokens_of(sentence: usize, layers: Layers) -> Tensor {
    let (model, input) = (bare_model(), TextInput::from(SENTENCES[sentence - 1]));
    let encoding = tokenizer().encode(&input, &EncodeOptions::default()).expect("it is text");
    let how = EmbedOptions { pooling: Pooling::Tokens, layers, normalize: false };
    let mut embeddings =
        embed(&model, &batch(&model, &[&encoding.input_ids]), &how).expect("the layers are there");
    match embeddings.remove(0) {
        Embedding::Tokens(tokens) => tokens,
        Embedding::Vector(_) => unreachable!("tokens were asked for"),
    }
}

fn combined(rows: &[&[f32]], divisor: f32) -> Vec<f32> {
    (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).sum::<f32>() / divisor).collect()
}

fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
}

#[test]
fn a_whole_word_has_its_tokens_vector() {
    let word = vector("Intel", WordOptions::default());
    assert_eq!(word.tokens, [(2, vec!["intel".to_owned()])]);
    assert_eq!(word.vector, tokens_of(2, Layers::LAST).row(5));
    assert_eq!(word.recipe, "Intel@2: sum of pieces, 1 occurrence, layer -1");
}

#[test]
fn pieces_are_joined_as_asked() {
    let tokens = tokens_of(4, Layers::LAST);
    let rows = [tokens.row(5), tokens.row(6), tokens.row(7)];
    let joined = |pieces| vector("NVIDIA", WordOptions { pieces, ..WordOptions::default() });
    assert_close(&joined(Pieces::Sum).vector, &combined(&rows, 1.0));
    assert_close(&joined(Pieces::Mean).vector, &combined(&rows, 3.0));
    assert_eq!(joined(Pieces::First).vector, rows[0]);
    assert_eq!(joined(Pieces::First).recipe, "NVIDIA@4: first piece, 1 occurrence, layer -1");
    assert_eq!(joined(Pieces::Sum).tokens, [(4, ["n", "##vid", "##ia"].map(str::to_owned).to_vec())]);
}

#[test]
fn occurrences_are_joined_as_asked() {
    let (first, second) = (tokens_of(1, Layers::LAST), tokens_of(2, Layers::LAST));
    let rows = [first.row(5), second.row(6)];
    let word = vector("CPU", WordOptions::default());
    assert_close(&word.vector, &combined(&rows, 2.0));
    assert_eq!(word.recipe, "CPU@1,2: sum of pieces, mean of 2 occurrences, layer -1");
    let summed = vector("CPU@1,2", WordOptions { occurrences: Occurrences::Sum, ..WordOptions::default() });
    assert_close(&summed.vector, &combined(&rows, 1.0));
}

#[test]
fn layers_are_chosen() {
    let layers = Layers { first: -2, last: -1 };
    let word = vector("CPU@1", WordOptions { layers, ..WordOptions::default() });
    assert_close(&word.vector, tokens_of(1, layers).row(5));
    assert!(word.recipe.ends_with("mean of layers -2..-1"), "{}", word.recipe);
}

#[test]
fn a_word_that_stands_twice_must_be_told_apart() {
    for query in ["GPU", "GPU@3"] {
        let error = vectors(&[query], WordOptions::default()).expect_err("it is there twice").to_string();
        assert!(error.contains("2 times in sentence 3") && error.contains("GPU@3#2"), "{error}");
    }
    let (first, second) =
        (vector("GPU@3#1", WordOptions::default()), vector("GPU@3#2", WordOptions::default()));
    let tokens = tokens_of(3, Layers::LAST);
    assert_close(&first.vector, &combined(&[tokens.row(2), tokens.row(3)], 1.0));
    assert_close(&second.vector, &combined(&[tokens.row(6), tokens.row(7)], 1.0));
    assert!(second.recipe.starts_with("GPU@3#2: "), "{}", second.recipe);
    assert!(vectors(&["GPU@3#3"], WordOptions::default()).is_err());
}

#[test]
fn a_word_that_is_not_there_is_an_error_with_the_sentences() {
    let refused = |query: &str| vectors(&[query], WordOptions::default()).expect_err(query).to_string();
    let error = refused("TPU");
    assert!(error.contains("any sentence") && SENTENCES.iter().all(|text| error.contains(text)), "{error}");
    assert!(refused("Intel@1").contains("sentence 1"));
    assert!(refused("Intel@5").contains("1 to 4"));
}

#[test]
fn sentences_that_cannot_be_read_are_errors() {
    let read = |sentences: &[String], options: WordOptions| {
        let queries = [WordQuery { word: "cpu".to_owned(), places: Vec::new() }];
        word_vectors(&bare_model(), &tokenizer(), sentences, &queries, &options)
            .expect_err("it is refused")
            .to_string()
    };
    assert!(read(&[], WordOptions::default()).contains("no sentence"));
    let long = [format!("cpu{}", " new".repeat(20))];
    assert!(read(&long, WordOptions::default()).contains("sentence 1 has 23 tokens"));
    let layers = Layers { first: 9, last: 9 };
    assert!(read(&["cpu".to_owned()], WordOptions { layers, ..WordOptions::default() }).contains("3 layers"));
}

#[test]
fn a_sentence_that_no_word_needs_is_not_read() {
    let sentences = ["a cpu".to_owned(), " new".repeat(20)];
    let queries = [WordQuery { word: "cpu".to_owned(), places: Vec::new() }];
    let words = word_vectors(&bare_model(), &tokenizer(), &sentences, &queries, &WordOptions::default());
    assert_eq!(words.expect("the long sentence is left out").len(), 1);
}
