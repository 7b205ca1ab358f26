//! What a token classifier says about words: a label for each, and the entities that the labels mark.

use bertlab_compute::ops::softmax::softmax;
use bertlab_data::tags::{Tag, TagSet, entities};
use bertlab_feedback::{Meter, Progress, Stage, Status, Unit};
use bertlab_model::{Batch, Request, Row};
use bertlab_text::{EncodeOptions, Encoding, TextInput, Truncation, split_into_words};

use crate::evaluation::likeliest;
use crate::{Error, OpenedModel};

/// What a token classifier says about the words of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordPredictions {
    /// Every word, in order.
    pub words: Vec<WordLabel>,
    /// The entities that the labels mark, where they are tags such as B-PER; as seqeval's default mode reads them.
    pub entities: Vec<PredictedEntity>,
}

/// What a token classifier says about a word: what it says about the word's first token.
#[derive(Clone, Debug, PartialEq)]
pub struct WordLabel {
    /// As it stands in the text.
    pub word: String,
    /// Characters of the text.
    pub span: (usize, usize),
    /// The likeliest label's id; none for a word that the model did not see, because the text was cut before it or it has no token.
    pub id: Option<usize>,
    /// Its probability, or 0.
    pub probability: f32,
}

/// Several words that are one entity.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedEntity {
    /// Its type, such as PER.
    pub kind: String,
    /// As it stands in the text.
    pub text: String,
    /// Characters of the text.
    pub span: (usize, usize),
    /// Its words `start..end`.
    pub words: (usize, usize),
    /// The mean of its words' probabilities.
    pub probability: f32,
}

/// A text and where its words stand.
struct Sentence {
    characters: Vec<char>,
    spans: Vec<(usize, usize)>,
}

impl Sentence {
    fn of_text(text: &str) -> Self {
        Self { characters: text.chars().collect(), spans: split_into_words(text) }
    }

    /// The words with a space between.
    fn of_words(words: &[String]) -> Self {
        let mut sentence = Self { characters: Vec::new(), spans: Vec::new() };
        for word in words {
            if !sentence.spans.is_empty() {
                sentence.characters.push(' ');
            }
            let start = sentence.characters.len();
            sentence.characters.extend(word.chars());
            sentence.spans.push((start, sentence.characters.len()));
        }
        sentence
    }

    fn text(&self, (start, end): (usize, usize)) -> String {
        self.characters[start..end].iter().collect()
    }

    fn words(&self) -> Vec<String> {
        self.spans.iter().map(|&span| self.text(span)).collect()
    }
}

impl OpenedModel {
    /// What a token classifier says about rows of words; how many rows were cut.
    ///
    /// # Errors
    /// Words that cannot be tokenized.
    pub fn predict_words(
        &self,
        rows: &[Vec<String>],
        progress: &dyn Progress,
    ) -> Result<(Vec<WordPredictions>, usize), Error> {
        let sentences: Vec<Sentence> = rows.iter().map(|words| Sentence::of_words(words)).collect();
        self.predict_sentences(&sentences, progress)
    }

    /// The same about texts, which [`split_into_words`] splits. Second texts are not read.
    pub(crate) fn predict_words_of_texts(
        &self,
        texts: &[TextInput],
        progress: &dyn Progress,
    ) -> Result<(Vec<WordPredictions>, usize), Error> {
        let sentences: Vec<Sentence> = texts.iter().map(|input| Sentence::of_text(&input.text)).collect();
        self.predict_sentences(&sentences, progress)
    }

    fn predict_sentences(
        &self,
        sentences: &[Sentence],
        progress: &dyn Progress,
    ) -> Result<(Vec<WordPredictions>, usize), Error> {
        let options = EncodeOptions {
            truncation: Truncation::LongestFirst,
            max_length: Some(self.max_tokens()?),
            ..EncodeOptions::default()
        };
        let words: Vec<Vec<String>> = sentences.iter().map(Sentence::words).collect();
        let encodings = self.tokenizer()?.encode_words_batch(&words, &options)?;
        let n_cut = encodings.iter().filter(|encoding| encoding.n_truncated > 0).count();
        let tags = TagSet::of(&self.model.spec.head.labels);
        let mut predictions = Vec::with_capacity(sentences.len());
        let start = Status::new(Stage::Predict, "", sentences.len() as u64, Unit::Texts);
        let meter = Meter::new(progress, start);
        for (index, (sentence, encoding)) in sentences.iter().zip(&encodings).enumerate() {
            let words = self.word_labels(sentence, encoding).map_err(|error| error.in_rows(&[index]))?;
            let entities = tags.as_ref().map(|tags| predicted_entities(tags, sentence, &words));
            predictions.push(WordPredictions { words, entities: entities.unwrap_or_default() });
            meter.set(predictions.len() as u64)?;
        }
        Ok((predictions, n_cut))
    }

    fn word_labels(
        &self,
        sentence: &Sentence,
        encoding: &Encoding,
    ) -> Result<Vec<WordLabel>, bertlab_model::Error> {
        let row = Row {
            input_ids: &encoding.input_ids,
            token_type_ids: &encoding.token_type_ids,
            position_ids: &[],
        };
        let batch = Batch::new(&self.model.spec.encoder, &[row])?;
        let logits = self.model.forward(&batch, Request::default()).head.logits;
        let logits = logits.expect("a token classifier has logits");
        self.model.check_finite(&batch, logits.as_slice())?;
        let unseen = |&span: &(usize, usize)| WordLabel {
            word: sentence.text(span),
            span,
            id: None,
            probability: 0.0,
        };
        let mut labels: Vec<WordLabel> = sentence.spans.iter().map(unseen).collect();
        for (token, word) in encoding.word_ids.iter().enumerate() {
            let Some(label) = word.and_then(|word| labels.get_mut(word as usize)) else { continue };
            if label.id.is_none() {
                let (id, probability) = likeliest(&softmax(logits.row(token)));
                (label.id, label.probability) = (Some(id), probability);
            }
        }
        Ok(labels)
    }
}

fn predicted_entities(tags: &TagSet, sentence: &Sentence, words: &[WordLabel]) -> Vec<PredictedEntity> {
    let of_words: Vec<Tag> = words.iter().map(|word| word.id.and_then(|id| tags.tags[id])).collect();
    let entity = |found: bertlab_data::tags::Entity| {
        let inside = &words[found.start..found.end];
        let span = (inside[0].span.0, inside[inside.len() - 1].span.1);
        PredictedEntity {
            kind: tags.types[found.kind].clone(),
            text: sentence.text(span),
            span,
            words: (found.start, found.end),
            probability: inside.iter().map(|word| word.probability).sum::<f32>() / inside.len() as f32,
        }
    };
    entities(&of_words).into_iter().map(entity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_have_their_text_and_the_mean_of_their_probabilities() {
        let labels: Vec<String> = ["O", "B-ORG", "I-ORG"].map(str::to_owned).to_vec();
        let sentence = Sentence::of_text("The U.N. Council, too.");
        let ids = [Some(0), Some(1), Some(2), Some(0), None, Some(0)];
        let words: Vec<WordLabel> = sentence
            .spans
            .iter()
            .zip(ids)
            .zip([0.9, 0.8, 0.6, 1.0, 0.0, 1.0])
            .map(|((&span, id), probability)| WordLabel { word: sentence.text(span), span, id, probability })
            .collect();
        let found = predicted_entities(&TagSet::of(&labels).expect("tags"), &sentence, &words);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind.as_str(), found[0].text.as_str()), ("ORG", "U.N. Council"));
        assert_eq!((found[0].span, found[0].words), ((4, 16), (1, 3)));
        assert!((found[0].probability - 0.7).abs() < 1e-6);
    }

    #[test]
    fn words_stand_with_a_space_between() {
        let sentence = Sentence::of_words(&["é".to_owned(), "won".to_owned(), ".".to_owned()]);
        assert_eq!(sentence.spans, [(0, 1), (2, 5), (6, 7)]);
        assert_eq!(sentence.words(), ["é", "won", "."]);
    }
}
