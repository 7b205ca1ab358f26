//! Perplexity of a language model: how many equally likely tokens the model hesitates between.

/// exp of the mean cross-entropy: `total_loss` in nats, summed over `n_tokens` predicted tokens.
///
/// `None` without tokens, and when the loss is not finite or the result exceeds f64.
pub fn perplexity(total_loss: f64, n_tokens: usize) -> Option<f64> {
    let value = (total_loss / n_tokens as f64).exp();
    (n_tokens > 0 && total_loss.is_finite() && value.is_finite()).then_some(value)
}
