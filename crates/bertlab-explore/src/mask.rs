//! Fill-mask: the tokens that a masked LM predicts for mask tokens.

use crate::Error;
use bertlab_compute::Tensor;
use bertlab_compute::ops::softmax::softmax;
use bertlab_model::{Batch, Model, Request, Row};
use bertlab_text::{EncodeOptions, Encoding, TextInput, Tokenizer};
use serde::Serialize;
use std::cmp::Ordering;

/// The predictions for one mask token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaskPrediction {
    /// Position of the mask token in the row, special tokens included.
    pub position: usize,
    /// Candidates, most probable first.
    pub candidates: Vec<Candidate>,
}

/// A predicted token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// The token, decoded.
    pub token: String,
    /// The id of the token.
    pub id: u32,
    /// Probability by softmax over the vocabulary.
    pub score: f32,
    /// The text with this token; other mask tokens are kept.
    pub sequence: String,
}

/// Predicts the `top_k` most probable tokens for each mask token, in the order of the text (Devlin et al.
/// 2019). Both `[MASK]` and `<mask>` denote the tokenizer's mask token.
///
/// # Errors
/// A model without a masked-LM head, a tokenizer without a mask token, a text without mask tokens or a text
/// that is too long for the model, logits that are NaN or infinite.
pub fn fill_mask(
    model: &Model,
    tokenizer: &Tokenizer,
    text: &str,
    top_k: usize,
) -> Result<Vec<MaskPrediction>, Error> {
    if !model.spec.head.has_predictions() {
        let class = model.family.class_name(model.spec.head.kind);
        return Err(Error::NoMaskedLm { class });
    }
    let mask = tokenizer.mask_token_id().ok_or(Error::NoMaskToken)?;
    let mask_token = tokenizer.id_to_token(mask).ok_or(Error::NoMaskToken)?;
    let text =
        ["[MASK]", "<mask>"].iter().fold(text.to_owned(), |text, word| text.replace(word, &mask_token));
    let encoding = tokenizer.encode(&TextInput::from(text), &EncodeOptions::default())?;
    let positions: Vec<usize> = positions_of(&encoding, mask);
    if positions.is_empty() {
        return Err(Error::NoMask { mask_token });
    }
    let row =
        Row { input_ids: &encoding.input_ids, token_type_ids: &encoding.token_type_ids, ..Row::default() };
    let batch = Batch::new(&model.spec.encoder, &[row])?;
    let request = Request { tokens: Some(&positions), ..Request::default() };
    let logits = model.forward(&batch, request).head.logits;
    let logits = logits.expect("a model with a masked-LM head returns logits");
    model.check_finite(&batch, logits.as_slice())?;
    let filler = Filler { tokenizer, encoding: &encoding, mask, top_k };
    positions.iter().enumerate().map(|(i, &position)| filler.predict(position, &logits, i)).collect()
}

fn positions_of(encoding: &Encoding, id: u32) -> Vec<usize> {
    (0..encoding.len()).filter(|&position| encoding.input_ids[position] == id).collect()
}

struct Filler<'a> {
    tokenizer: &'a Tokenizer,
    encoding: &'a Encoding,
    mask: u32,
    top_k: usize,
}

impl Filler<'_> {
    /// Predictions for one mask token; `logits` are `[masks, V]`, and `row` is the row of this mask token.
    fn predict(&self, position: usize, logits: &Tensor, row: usize) -> Result<MaskPrediction, Error> {
        let probabilities = softmax(logits.row(row));
        let mut ids: Vec<u32> = (0..probabilities.len() as u32).collect();
        let by_probability = |a: &u32, b: &u32| {
            let (a_score, b_score) = (probabilities[*a as usize], probabilities[*b as usize]);
            b_score.partial_cmp(&a_score).unwrap_or(Ordering::Equal).then(a.cmp(b))
        };
        ids.sort_unstable_by(by_probability);
        // The vocabulary of the model may be larger than that of the tokenizer.
        let tokens = ids.into_iter().filter(|&id| self.tokenizer.id_to_token(id).is_some());
        let candidates =
            tokens.take(self.top_k).map(|id| self.candidate(position, id, probabilities[id as usize]));
        Ok(MaskPrediction { position, candidates: candidates.collect::<Result<_, _>>()? })
    }

    fn candidate(&self, position: usize, id: u32, score: f32) -> Result<Candidate, Error> {
        let encoding = self.encoding;
        let is_text = |&place: &usize| {
            encoding.special_tokens_mask[place] == 0 || encoding.input_ids[place] == self.mask
        };
        let fill = |place| if place == position { id } else { encoding.input_ids[place] };
        let ids: Vec<u32> = (0..encoding.len()).filter(is_text).map(fill).collect();
        Ok(Candidate {
            token: self.tokenizer.decode(&[id], false)?,
            id,
            score,
            sequence: self.tokenizer.decode(&ids, false)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bare_model, masked_lm, tokenizer};

    #[test]
    fn every_mask_gets_its_candidates() {
        let (model, tokenizer) = (masked_lm(), tokenizer());
        let text = "i have a [MASK] <mask> !";
        let predictions = fill_mask(&model, &tokenizer, text, 3).expect("it can be filled");
        assert_eq!(predictions.iter().map(|mask| mask.position).collect::<Vec<_>>(), [4, 5]);
        for prediction in &predictions {
            let scores: Vec<f32> = prediction.candidates.iter().map(|candidate| candidate.score).collect();
            assert_eq!(scores.len(), 3);
            assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        }
        let first = &predictions[0].candidates[0];
        assert_eq!(first.id, tokenizer.token_to_id(&first.token).expect("it is a token"));
        // The other mask stays, the tokens around the text go. (The random model may well choose "##u".)
        assert!(
            first.sequence.starts_with("i have a") && first.sequence.ends_with("[MASK]!"),
            "{}",
            first.sequence
        );
    }

    #[test]
    fn all_probabilities_together_are_one() {
        let (model, tokenizer) = (masked_lm(), tokenizer());
        let predictions = fill_mask(&model, &tokenizer, "[MASK]", 1000).expect("it can be filled");
        let candidates = &predictions[0].candidates;
        assert_eq!(candidates.len(), tokenizer.vocab_size());
        // The rest belongs to the model's rows that no token has.
        let sum: f32 = candidates.iter().map(|candidate| candidate.score).sum();
        assert!(sum > 0.0 && sum < 1.0, "{sum}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let refused = |model: &Model, text: &str| {
            fill_mask(model, &tokenizer(), text, 1).expect_err("nothing to fill").to_string()
        };
        assert!(refused(&masked_lm(), "i have a new cpu").contains("[MASK]"));
        assert!(refused(&bare_model(), "i have a [MASK]").contains("BertModel has no masked-LM"));
        assert!(refused(&masked_lm(), &"[MASK] ".repeat(30)).contains("32 tokens"));
    }
}
