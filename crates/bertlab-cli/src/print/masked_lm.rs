//! Masked language models in words: what texts became, what is hidden, what the guesses are worth.

use anstyle::Style;
use bertlab::TextCounts;
use bertlab::train::{MaskedLmScores, MaskingOptions};

use super::numbers::{counted, grouped};

/// `552 blocks of 512 tokens, 282,391 tokens, of 1,000 texts; 3 blank ones are left out`
pub fn rows_in_words(n_rows: usize, n_tokens: usize, of: TextCounts) -> String {
    let mut words = match of.block_length {
        Some(length) => {
            let (texts, blocks) = (counted(of.n_texts, "text"), counted(n_rows, "block"));
            format!("{texts}, {} tokens, in {blocks} of {}", grouped(n_tokens), grouped(length))
        }
        None => format!("{}, {} tokens, each a row", counted(of.n_texts, "text"), grouped(n_tokens)),
    };
    match of.n_blank {
        0 => {}
        1 => words += "; a blank one is left out",
        n => words += &format!("; {} blank ones are left out", grouped(n)),
    }
    words
}

/// What the model will have to guess.
pub fn masking_in_words(options: MaskingOptions) -> String {
    let share = (1000.0 * options.mlm_probability).round() / 10.0;
    let what = if options.whole_word_mask { "words" } else { "tokens" };
    format!("{share} % of the {what}, others in every epoch; in evaluations always the same")
}

/// The figures beside the guess that needs no model.
pub fn result_in_words(scores: &MaskedLmScores, figure: Style) -> String {
    let (Some(perplexity), Some(accuracy), Some(of_5), Some(baseline)) =
        (scores.perplexity, scores.accuracy, scores.accuracy_top5, scores.majority_baseline)
    else {
        return "undefined: no token was hidden".to_owned();
    };
    format!(
        "perplexity {figure}{perplexity:.2}{figure:#}; of {} {:.1} % guessed, {:.1} % among the five likeliest; always \
         the commonest token: {:.1} %",
        counted(scores.n_tokens, "hidden token"),
        100.0 * accuracy,
        100.0 * of_5,
        100.0 * baseline
    )
}
