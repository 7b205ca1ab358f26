//! Words that stand for themselves → [`Encoding`], as HuggingFace does it with `is_split_into_words=True`; and a text into such words.

use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;

use crate::encode::encode_rows;
use crate::span::is_ideograph;
use crate::{EncodeOptions, Encoding, Error, Tokenizer, files};

impl Tokenizer {
    /// Encodes rows of words on all threads, in their order. Of each token, `word_ids` then says which of the row's words it belongs to, and `offsets`
    /// which characters of that word. A word may have no token at all (a control character, a space).
    ///
    /// # Errors
    /// As [`Tokenizer::encode_batch`]; a byte-level tokenizer that puts no space before a word ([`Tokenizer::for_words`] makes one that does).
    pub fn encode_words_batch<S: AsRef<[String]> + Sync>(
        &self,
        rows: &[S],
        options: &EncodeOptions,
    ) -> Result<Vec<Encoding>, Error> {
        if self.lacks_prefix_space() {
            return Err(Error::NoPrefixSpace);
        }
        let plan = self.plan(options)?;
        encode_rows(rows, &plan, |words| self.finish_unpadded(self.pieces_of(words.as_ref())?, None, &plan))
    }

    /// The tokenizer for rows of words. A byte-level one (RoBERTa's) tells a word by the space before it, so it gets `add_prefix_space`, as
    /// HuggingFace asks for then and its examples do; its files say so as well. Any other stays as it is.
    #[must_use]
    pub fn for_words(mut self) -> Tokenizer {
        if !self.lacks_prefix_space() {
            return self;
        }
        if let Some(PreTokenizerWrapper::ByteLevel(stored)) = self.pieces.get_pre_tokenizer() {
            let with_space = stored.add_prefix_space(true);
            self.pieces.with_pre_tokenizer(Some(with_space));
        }
        if let Some(PostProcessorWrapper::Roberta(processor)) = &mut self.post_processor {
            processor.add_prefix_space = true;
        }
        self.settings.add_prefix_space = Some(true);
        self.json_is_current = false;
        self.say_in_config("add_prefix_space", true.into());
        self
    }

    fn lacks_prefix_space(&self) -> bool {
        matches!(self.pieces.get_pre_tokenizer(), Some(PreTokenizerWrapper::ByteLevel(stored)) if !stored.add_prefix_space)
    }

    /// Changes a key of the tokenizer_config.json that will be written; where there is none, a whole one is written anyway.
    fn say_in_config(&mut self, key: &str, value: serde_json::Value) {
        let config = self.source_files.iter_mut().find(|(name, _)| name == files::TOKENIZER_CONFIG);
        let Some((_, bytes)) = config else { return };
        let mut object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).expect("it was read as a JSON object at opening");
        object.insert(key.to_owned(), value);
        *bytes = crate::save::json_bytes(&object);
    }
}

/// The words of a text, as characters `start..end`, in the way in which corpora of named entities are split: at white space, with marks of punctuation at a
/// word's borders as words of their own ("(EU)." is four), ideographs too. What stands inside a word stays ("U.N.", "3.5", "Franco-German"), and so does the
/// point of an abbreviation that has another ("e.g.") or is one letter ("J."). An English genitive is a word ("Germany", "'s").
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

/// A run without white space.
fn split_chunk(characters: &[char], start: usize, end: usize, words: &mut Vec<(usize, usize)>) {
    let Some(ideograph) = (start..end).find(|&i| is_ideograph(characters[i])) else {
        return split_plain(characters, start, end, words);
    };
    split_plain(characters, start, ideograph, words);
    words.push((ideograph, ideograph + 1));
    if ideograph + 1 < end {
        split_chunk(characters, ideograph + 1, end, words);
    }
}

/// A run without white space and ideographs.
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

/// Whether nothing more is to be taken off a word's end.
fn is_whole(word: &[char]) -> bool {
    match word {
        [.., '\'' | '’', 's' | 'S'] => word.len() <= 2,
        [letter, '.'] => letter.is_uppercase(),
        [inside @ .., '.'] => inside.contains(&'.') && inside.last().is_some_and(|c| c.is_alphanumeric()),
        [.., last] => !is_mark(*last),
        [] => true,
    }
}

/// How often the first character is repeated: "..." and "--" are one word each.
fn run_length(characters: &[char]) -> usize {
    characters.iter().take_while(|&&c| c == characters[0]).count()
}

fn is_mark(character: char) -> bool {
    !character.is_alphanumeric() && !matches!(character, '_' | '@' | '#') && !is_joined(character)
}

/// Combining marks and the joiners of emoji: they belong to the character before them.
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
