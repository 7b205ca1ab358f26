//! Many texts to vectors: cut, sorted by length into batches of a bounded size, and given back in their
//! order.

use bertlab_explore::{EmbedOptions, Embedding, Layers, Pooling, embed as embed_batch};
use bertlab_feedback::{Meter, Progress, Stage, Status, Unit};
use bertlab_model::{Batch, Row};
use bertlab_text::{EncodeOptions, Encoding, TextInput, Truncation};

use crate::{Error, OpenedModel, SentenceSettings};

/// Tokens that go through the model at once: enough to keep all threads busy, little enough to stay in the
/// caches.
const TOKENS_PER_BATCH: usize = 1024;
/// Texts that are tokenized at once: bounds the memory that token strings and offsets take.
const TEXTS_PER_CHUNK: usize = 1024;

/// How texts become vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedRequest {
    /// How a text's tokens become one vector. `None`: as the folder's sentence-transformers files say, with
    /// their normalisation; mean pooling where there are none.
    pub pooling: Option<Pooling>,
    /// The hidden states that are averaged first.
    pub layers: Layers,
    /// Scale every vector to length 1. `None`: as the folder says, if the pooling is the folder's, too.
    pub normalize: Option<bool>,
    /// Texts are cut to this many tokens. `None`: to the folder's `max_seq_length`, as sentence-transformers
    /// cuts them; to what the model takes where the folder has none.
    pub max_tokens: Option<usize>,
}

/// What a request means for one model.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedRecipe {
    /// How a text's tokens become one vector.
    pub pooling: Pooling,
    /// The hidden states that are averaged first.
    pub layers: Layers,
    /// Scale every vector to length 1.
    pub normalize: bool,
    /// Texts are cut to this many tokens.
    pub max_tokens: usize,
    /// Whether that is the folder's `max_seq_length`, and less than the model takes.
    pub is_folders_length: bool,
    /// Texts are written in lower case first.
    pub lower_case: bool,
    /// Whether sentence-transformers files of the folder decided.
    pub is_the_folders: bool,
}

/// The vectors of texts, in the order of the texts.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// One per text: a vector, or with [`Pooling::Tokens`] one per token.
    pub embeddings: Vec<Embedding>,
    /// How many texts were longer than the recipe's `max_tokens`, and cut.
    pub n_truncated: usize,
}

impl OpenedModel {
    /// What a request means for this model.
    ///
    /// # Errors
    /// Sentence-transformers files that ask for something else than is computed here; a `max_tokens` beyond
    /// the model.
    pub fn embed_recipe(&self, request: &EmbedRequest) -> Result<EmbedRecipe, Error> {
        let settings = match request.pooling {
            Some(_) => SentenceSettings::read_for_texts(&self.folder)?,
            None => self.sentence_settings()?,
        };
        let by_model = self.model.spec.encoder.max_tokens();
        // As in sentence-transformers, it counts more than the tokenizer's own length.
        let by_folder = settings.max_tokens.filter(|_| request.max_tokens.is_none());
        Ok(EmbedRecipe {
            pooling: request.pooling.or(settings.pooling).unwrap_or(Pooling::Mean),
            layers: request.layers,
            normalize: request.normalize.unwrap_or(settings.normalize),
            max_tokens: match by_folder {
                Some(by_folder) => by_folder.min(by_model),
                None => self.row_length(request.max_tokens, true)?,
            },
            is_folders_length: by_folder.is_some_and(|by_folder| by_folder < by_model),
            lower_case: settings.lower_case,
            is_the_folders: settings.pooling.is_some(),
        })
    }

    /// Embeds texts.
    ///
    /// # Errors
    /// Layers that the model does not have, pooling that needs a pooler where there is none, texts that the
    /// tokenizer or the model refuses, a vector that is NaN or infinite.
    pub fn embed(
        &self,
        texts: &[TextInput],
        recipe: &EmbedRecipe,
        progress: &dyn Progress,
    ) -> Result<Embedded, Error> {
        let (rows, n_truncated) = self.tokenize_for(texts, recipe)?;
        let how =
            EmbedOptions { pooling: recipe.pooling, layers: recipe.layers, normalize: recipe.normalize };
        let mut embeddings: Vec<Option<Embedding>> = vec![None; texts.len()];
        let meter = Meter::new(progress, Status::new(Stage::Embed, "", texts.len() as u64, Unit::Texts));
        for group in groups_of_similar_length(&rows) {
            let inputs: Vec<Row<'_>> = group.iter().map(|&index| rows[index].as_row()).collect();
            let batch = Batch::new(&self.model.spec.encoder, &inputs)?;
            let vectors = embed_batch(&self.model, &batch, &how).map_err(|error| error.in_rows(&group))?;
            for (&index, embedding) in group.iter().zip(vectors) {
                embeddings[index] = Some(embedding);
            }
            meter.add(group.len() as u64)?;
        }
        let embeddings = embeddings.into_iter().map(|one| one.expect("every text is in one group")).collect();
        Ok(Embedded { embeddings, n_truncated })
    }

    /// The ids of all texts, and how many texts were cut.
    fn tokenize_for(&self, texts: &[TextInput], recipe: &EmbedRecipe) -> Result<(Vec<Ids>, usize), Error> {
        let options = EncodeOptions {
            truncation: Truncation::LongestFirst,
            max_length: Some(recipe.max_tokens),
            ..EncodeOptions::default()
        };
        let tokenizer = self.tokenizer()?;
        let mut rows = Vec::with_capacity(texts.len());
        let mut n_truncated = 0;
        for chunk in texts.chunks(TEXTS_PER_CHUNK) {
            let encodings = if recipe.lower_case {
                let lowered: Vec<TextInput> = chunk.iter().map(lowered).collect();
                tokenizer.encode_batch(&lowered, &options)?
            } else {
                tokenizer.encode_batch(chunk, &options)?
            };
            n_truncated += encodings.iter().filter(|encoding| encoding.n_truncated > 0).count();
            rows.extend(encodings.into_iter().map(Ids::from));
        }
        Ok((rows, n_truncated))
    }
}

fn lowered(input: &TextInput) -> TextInput {
    TextInput { text: input.text.to_lowercase(), pair: input.pair.as_ref().map(|pair| pair.to_lowercase()) }
}

/// What the model needs of an encoding.
struct Ids {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
}

impl From<Encoding> for Ids {
    fn from(encoding: Encoding) -> Self {
        Ids { input_ids: encoding.input_ids, token_type_ids: encoding.token_type_ids }
    }
}

impl Ids {
    fn as_row(&self) -> Row<'_> {
        Row { input_ids: &self.input_ids, token_type_ids: &self.token_type_ids, position_ids: &[] }
    }
}

/// Indices of rows, longest first, in groups of at most `TOKENS_PER_BATCH` tokens (a longer row goes alone).
/// The longest first, so that a lack of memory shows at once and not at the end.
fn groups_of_similar_length(rows: &[Ids]) -> Vec<Vec<usize>> {
    let n_tokens = |index: usize| rows[index].input_ids.len();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(n_tokens(index)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut n_tokens_of_group = 0;
    for index in order {
        match groups.last_mut() {
            Some(group) if n_tokens_of_group + n_tokens(index) <= TOKENS_PER_BATCH => {
                group.push(index);
                n_tokens_of_group += n_tokens(index);
            }
            _ => {
                groups.push(vec![index]);
                n_tokens_of_group = n_tokens(index);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lengths: &[usize]) -> Vec<Ids> {
        lengths.iter().map(|&n| Ids { input_ids: vec![0; n], token_type_ids: vec![0; n] }).collect()
    }

    #[test]
    fn groups_hold_every_row_once_within_the_budget() {
        let lengths: Vec<usize> = (0..500).map(|i| 1 + i * 37 % 512).collect();
        let rows = rows(&lengths);
        let groups = groups_of_similar_length(&rows);
        let mut seen: Vec<usize> = groups.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
        let n_tokens = |group: &Vec<usize>| group.iter().map(|&index| lengths[index]).sum::<usize>();
        assert!(groups.iter().all(|group| n_tokens(group) <= TOKENS_PER_BATCH));
        assert!(groups.len() <= lengths.iter().sum::<usize>() / (TOKENS_PER_BATCH - 512) + 1);
    }

    #[test]
    fn a_row_beyond_the_budget_goes_alone() {
        assert_eq!(groups_of_similar_length(&rows(&[1, 5000, 2])), [vec![1], vec![2, 0]]);
        assert!(groups_of_similar_length(&[]).is_empty());
    }
}
