//! Ids → text and tokens, as HuggingFace's fast tokenizers decode, with their default clean-up.

use tokenizers::{Decoder, Model};

use crate::{Error, Tokenizer};

impl Tokenizer {
    /// Decodes ids to text. Spaces are cleaned up (`don ' t` → `don't`) if the tokenizer's class or settings
    /// say so.
    ///
    /// # Errors
    /// An id that is not in the vocabulary; HuggingFace omits it silently.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        let mut tokens = self.tokens(ids)?;
        if skip_special_tokens {
            let added = self.backend.get_added_vocabulary();
            tokens.retain(|token| !added.is_special_token(token));
        }
        let text = match self.backend.get_decoder() {
            Some(decoder) => {
                decoder.decode(tokens).map_err(|error| Error::Decode { reason: error.to_string() })?
            }
            None => tokens.join(" "),
        };
        Ok(if self.cleans_up { clean_up(&text) } else { text })
    }

    /// The tokens of these ids.
    ///
    /// # Errors
    /// An id that is not in the vocabulary.
    pub fn tokens(&self, ids: &[u32]) -> Result<Vec<String>, Error> {
        let token_of = |&id: &u32| self.id_to_token(id).ok_or(Error::UnknownId { id, last: self.last_id });
        ids.iter().map(token_of).collect()
    }

    /// The token of an id, as written in the vocabulary; `None` if the id is not in the vocabulary.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        // The `tokenizers` crate returns an added token in normalized form; HuggingFace 4.57 as written.
        let added = self.backend.get_added_vocabulary().get_added_tokens_decoder().get(&id);
        added.map(|token| token.content.clone()).or_else(|| self.backend.get_model().id_to_token(id))
    }

    /// The id of a token, which must be spelled as in the vocabulary; `None` if it is not there.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.backend.token_to_id(token)
    }
}

/// Removes spaces before punctuation and inside English contractions, as
/// `PreTrainedTokenizerBase.clean_up_tokenization` does.
fn clean_up(text: &str) -> String {
    const REPLACEMENTS: [(&str, &str); 10] = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    REPLACEMENTS.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
