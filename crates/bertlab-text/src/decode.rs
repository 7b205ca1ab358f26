//! Ids → text and tokens, as HuggingFace's fast tokenizers decode with their default clean-up.

use tokenizers::{Decoder, Model};

use crate::{Error, Tokenizer};

impl Tokenizer {
    /// The text of these ids, cleaned up (`don ' t` → `don't`) where the folder's class and settings do so.
    ///
    /// # Errors
    /// An id that no token has (HuggingFace leaves it out without a word).
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        let mut tokens = self.tokens(ids)?;
        if skip_special_tokens {
            let added = self.pieces.get_added_vocabulary();
            tokens.retain(|token| !added.is_special_token(token));
        }
        let text = match self.pieces.get_decoder() {
            Some(decoder) => {
                decoder.decode(tokens).map_err(|error| Error::Decode { reason: error.to_string() })?
            }
            None => tokens.join(" "),
        };
        Ok(if self.cleans_up { clean_up(&text) } else { text })
    }

    /// The token of each id.
    ///
    /// # Errors
    /// An id that no token has.
    pub fn tokens(&self, ids: &[u32]) -> Result<Vec<String>, Error> {
        let token_of = |&id: &u32| self.id_to_token(id).ok_or(Error::UnknownId { id, last: self.last_id });
        ids.iter().map(token_of).collect()
    }

    /// The token of an id, as it is written in the vocabulary.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        // The crate would give the normalized form of an added token; HuggingFace 4.57 gives the written one.
        let added = self.pieces.get_added_vocabulary().get_added_tokens_decoder().get(&id);
        added.map(|token| token.content.clone()).or_else(|| self.pieces.get_model().id_to_token(id))
    }

    /// The id of a token, which must be written as in the vocabulary.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.pieces.token_to_id(token)
    }
}

/// `PreTrainedTokenizerBase.clean_up_tokenization`: spaces before punctuation and inside English contractions go.
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
