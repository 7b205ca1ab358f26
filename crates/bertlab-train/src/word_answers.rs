//! What a token classifier says about words: what it says about each word's first token.

use crate::metrics::classification::likeliest;
use crate::metrics::tagging::LabelledSentence;
use bertlab_compute::Tensor;
use bertlab_compute::ops::softmax::softmax_rows;
use bertlab_data::{Example, Target, Word};

/// What a token classifier said about a word that has a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordAnswer {
    /// The label that it should have.
    pub wanted: usize,
    /// The likeliest; none for a word that the model did not read.
    pub found: Option<usize>,
    /// Of the likeliest; 0 for a word that was not read.
    pub probability: f32,
}

/// The answers to a row's labelled words, or, of a row of ids, to its labelled tokens. `logits`: `[s, C]`
pub(crate) fn word_answers(logits: &Tensor, example: &Example) -> Vec<WordAnswer> {
    let words = labelled(example).into_iter();
    words.filter_map(|word| answer(logits, word)).collect()
}

/// A row's words; the tokens of a row of ids are words of their own.
fn labelled(example: &Example) -> Vec<Word> {
    match &example.target {
        Some(Target::Tokens(labels)) if example.words.is_empty() => {
            let tokens = labels.iter().enumerate();
            tokens.map(|(token, &label)| Word { token: Some(token), label }).collect()
        }
        _ => example.words.clone(),
    }
}

/// None for a word without a label.
fn answer(logits: &Tensor, word: Word) -> Option<WordAnswer> {
    let wanted = usize::try_from(word.label).ok()?;
    let Some(token) = word.token else {
        return Some(WordAnswer { wanted, found: None, probability: 0.0 });
    };
    let mut probabilities = logits.row(token).to_vec();
    let found = likeliest(&probabilities);
    let n_labels = probabilities.len();
    softmax_rows(&mut probabilities, n_labels);
    Some(WordAnswer { wanted, found: Some(found), probability: probabilities[found] })
}

/// The same as labels alone.
pub(crate) fn sentence(answers: &[WordAnswer]) -> LabelledSentence {
    LabelledSentence {
        wanted: answers.iter().map(|answer| answer.wanted).collect(),
        found: answers.iter().map(|answer| answer.found).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_answer_by_their_first_tokens_and_what_was_not_read_is_told() {
        // [CLS] Ger ##many won [SEP], and a fourth word that was cut.
        let logits = Tensor::from_vec(&[5, 2], vec![9.0, 0.0, 0.0, 3.0, 9.0, 0.0, 2.0, 1.0, 9.0, 0.0]);
        let word = |token, label| Word { token, label };
        let words = vec![word(Some(1), 1), word(Some(3), 1), word(None, 1), word(Some(4), -100)];
        let answers = word_answers(&logits, &Example { words, ..Example::default() });
        let found: Vec<(usize, Option<usize>)> =
            answers.iter().map(|answer| (answer.wanted, answer.found)).collect();
        assert_eq!(found, [(1, Some(1)), (1, Some(0)), (1, None)]);
        assert!((answers[0].probability - 0.952_574).abs() < 1e-6, "{answers:?}");
        assert_eq!(sentence(&answers).found, [Some(1), Some(0), None]);
    }

    #[test]
    fn labelled_tokens_of_a_row_of_ids_are_its_words() {
        let logits = Tensor::from_vec(&[3, 2], vec![9.0, 0.0, 0.0, 3.0, 9.0, 0.0]);
        let target = Some(Target::Tokens(vec![-100, 1, 1]));
        let answers = word_answers(&logits, &Example { target, ..Example::default() });
        assert_eq!(
            sentence(&answers),
            LabelledSentence { wanted: vec![1, 1], found: vec![Some(1), Some(0)] }
        );
    }
}
