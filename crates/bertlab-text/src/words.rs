//! Rows of words → [`Encoding`], as HuggingFace does with `is_split_into_words=True`, and splitting a text
//! into words.

use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;

use crate::encode::encode_rows;
use crate::span::is_ideograph;
use crate::{EncodeOptions, Encoding, Error, Tokenizer, files};

impl Tokenizer {
    /// Encodes rows of words in parallel and returns their encodings in order.
    ///
    /// `word_ids` are indices of the row's words, and `offsets` are characters within the word. A word may
    /// have no tokens (a control character, a space).
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode_batch`]; a byte-level tokenizer without `add_prefix_space`, which
    /// [`Tokenizer::for_words`] sets.
    pub fn encode_words_batch<S: AsRef<[String]> + Sync>(
        &self,
        rows: &[S],
        options: &EncodeOptions,
    ) -> Result<Vec<Encoding>, Error> {
        if self.lacks_prefix_space() {
            return Err(Error::NoPrefixSpace);
        }
        let plan = self.plan(options)?;
        encode_rows(rows, &plan, |words| self.finish_unpadded(self.tokenize(words.as_ref())?, None, &plan))
    }

    /// The tokenizer for rows of words. A byte-level tokenizer (RoBERTa's) recognises a word by the space
    /// before it, so `add_prefix_space` is set, as HuggingFace requires and its examples do; it is saved with
    /// the tokenizer. Other tokenizers are not changed.
    #[must_use]
    pub fn for_words(mut self) -> Tokenizer {
        if !self.lacks_prefix_space() {
            return self;
        }
        if let Some(PreTokenizerWrapper::ByteLevel(stored)) = self.backend.get_pre_tokenizer() {
            let with_space = stored.add_prefix_space(true);
            self.backend.with_pre_tokenizer(Some(with_space));
        }
        if let Some(PostProcessorWrapper::Roberta(processor)) = &mut self.post_processor {
            processor.add_prefix_space = true;
        }
        self.settings.add_prefix_space = Some(true);
        self.json_is_current = false;
        self.set_in_config("add_prefix_space", true.into());
        self
    }

    fn lacks_prefix_space(&self) -> bool {
        matches!(self.backend.get_pre_tokenizer(), Some(PreTokenizerWrapper::ByteLevel(stored)) if !stored.add_prefix_space)
    }

    /// Sets a key of the tokenizer_config.json that will be saved. If the source has no such file, saving
    /// writes a complete one.
    fn set_in_config(&mut self, key: &str, value: serde_json::Value) {
        let config = self.source_files.iter_mut().find(|(name, _)| name == files::TOKENIZER_CONFIG);
        let Some((_, bytes)) = config else { return };
        let mut object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).expect("it was read as a JSON object at opening");
        object.insert(key.to_owned(), value);
        *bytes = crate::save::json_bytes(&object);
    }
}

/// Splits a text into words like corpora of named entities; returns character ranges `start..end`.
///
/// Text is split at white space. Punctuation at the borders of a word is a word of its own ("(EU)." has four
/// words), as is each CJK ideograph and an English genitive ("Germany", "'s"). Punctuation inside a word
/// stays ("U.N.", "3.5", "Franco-German"), and so does the point of an abbreviation with another point
/// ("e.g.") or of one letter ("J.").
pub fn split_into_words(text: &str) -> Vec<(usize, usize)> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut start = 0;
    while start < characters.len() {
        if characters[start].is_whitespace() {
            start += 1;
            continue;
        }
        let length = characters[start..].iter().take_while(|c| !c.is_whitespace()).count();
        split_chunk(&characters, start, start + length, &mut words);
        start += length;
    }
    words
}

/// Splits characters without white space.
fn split_chunk(characters: &[char], mut start: usize, end: usize, words: &mut Vec<(usize, usize)>) {
    while let Some(ideograph) = (start..end).find(|&i| is_ideograph(characters[i])) {
        split_plain(characters, start, ideograph, words);
        words.push((ideograph, ideograph + 1));
        start = ideograph + 1;
    }
    split_plain(characters, start, end, words);
}

/// Splits characters without white space and ideographs.
fn split_plain(characters: &[char], mut start: usize, mut end: usize, words: &mut Vec<(usize, usize)>) {
    while start < end && is_mark(characters[start]) {
        let length = run_length(&characters[start..end]);
        words.push((start, start + length));
        start += length;
    }
    let mut after = Vec::new();
    while start < end && !is_whole(&characters[start..end]) {
        let cut = match &characters[start..end] {
            [.., '\'' | '’', 's' | 'S'] if end - start > 2 => 2,
            rest => {
                let last = rest[rest.len() - 1];
                rest.iter().rev().take_while(|&&c| c == last).count()
            }
        };
        after.push((end - cut, end));
        end -= cut;
    }
    if start < end {
        words.push((start, end));
    }
    words.extend(after.into_iter().rev());
}

/// Whether the word has no more punctuation to split off at its end.
fn is_whole(word: &[char]) -> bool {
    match word {
        [.., '\'' | '’', 's' | 'S'] => word.len() <= 2,
        [letter, '.'] => letter.is_uppercase(),
        [inside @ .., '.'] => inside.contains(&'.') && inside.last().is_some_and(|c| c.is_alphanumeric()),
        [.., last] => !is_mark(*last),
        [] => true,
    }
}

/// How often the first character is repeated; "..." and "--" are one word each.
fn run_length(characters: &[char]) -> usize {
    characters.iter().take_while(|&&c| c == characters[0]).count()
}

fn is_mark(character: char) -> bool {
    !character.is_alphanumeric() && !matches!(character, '_' | '@' | '#') && !is_joined(character)
}

/// Whether it is a combining mark or an emoji joiner, which belongs to the character before it.
fn is_joined(character: char) -> bool {
    matches!(u32::from(character), 0x0300..=0x036F | 0x0900..=0x0963 | 0x0966..=0x0EFF | 0x200C | 0x200D | 0xFE0F | 0x1F3FB..=0x1F3FF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = split_into_words(text).into_iter();
        words.map(|(start, end)| text.chars().skip(start).take(end - start).collect()).collect()
    }

    #[test]
    fn marks_at_the_borders_are_words() {
        assert_eq!(
            words("He lives in Paris, (France)."),
            ["He", "lives", "in", "Paris", ",", "(", "France", ")", "."]
        );
        assert_eq!(
            words("\"Wait...\" -- $5 and 10%?!"),
            ["\"", "Wait", "...", "\"", "--", "$", "5", "and", "10", "%", "?", "!"]
        );
        assert_eq!(words(" \t\n"), [] as [&str; 0]);
        assert_eq!(words("?"), ["?"]);
    }

    #[test]
    fn what_stands_inside_stays() {
        assert_eq!(
            words("The U.N. and J. Smith, e.g. Franco-German 3.5 10:30."),
            ["The", "U.N.", "and", "J.", "Smith", ",", "e.g.", "Franco-German", "3.5", "10:30", "."]
        );
        assert_eq!(words("Don't ask Germany's @team #1"), ["Don't", "ask", "Germany", "'s", "@team", "#1"]);
        assert_eq!(words("'s"), ["'", "s"]);
        assert_eq!(words("the end.\u{201d}"), ["the", "end", ".", "\u{201d}"]);
    }

    #[test]
    fn ideographs_are_words_and_characters_are_counted() {
        assert_eq!(words("Zoë在北京。"), ["Zoë", "在", "北", "京", "。"]);
        assert_eq!(split_into_words("Zoë 在x"), [(0, 3), (4, 5), (5, 6)]);
    }
}
