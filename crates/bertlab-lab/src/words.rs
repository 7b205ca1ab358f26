//! T2: four sentences, their tokens, and four words in their context.

use bertlab_explore::{
    EmbedOptions, Embedding, Occurrences, Pooling, WordOptions, WordVector, cosine, cosine_matrix, embed,
    word_vectors,
};
use bertlab_model::{Batch, Row};
use bertlab_text::{EncodeOptions, Encoding, Padding, TextInput, Tokenizer};
use serde::Serialize;

use super::Figure;
use bertlab::{Error, OpenedModel};

/// The lab's sentences.
pub const SENTENCES: [&str; 4] =
    ["I have a new CPU!", "I have a new Intel CPU!", "I have a new GPU!", "I have a new NVIDIA GPU!"];

/// The lab's words, and how the vectors of a word's occurrences become one. Its recipes are mixed: it takes the mean of
/// two CPUs, but the sum of two GPUs. Pieces are summed; a word of one piece is its piece.
const WORDS: [(&str, Occurrences); 4] = [
    ("CPU@1,2", Occurrences::Mean),
    ("Intel@2", Occurrences::Mean),
    ("GPU@3,4", Occurrences::Sum),
    ("NVIDIA@4", Occurrences::Sum),
];

/// The lab's pairs in its order: its name, and indices of words.
const PAIRS: [(&str, usize, usize); 6] = [
    ("cos_cpu_intel", 0, 1),
    ("cos_gpu_nv", 2, 3),
    ("cos_cpu_nv", 0, 3),
    ("cos_gpu_intel", 2, 1),
    ("cos_cpu_gpu", 0, 2),
    ("cos_intel_nv", 1, 3),
];

/// Words in context.
#[derive(Clone, Debug, Serialize)]
pub struct WordsTask {
    /// The lab's sentences.
    pub sentences: Vec<LabSentence>,
    /// The same as the rectangle that other tools need.
    pub padded: PaddedBatch,
    /// The first sentence's ids as text again.
    pub decoded: String,
    /// `[B, N, D]`, as HuggingFace gives it.
    pub last_hidden_state: [usize; 3],
    /// CPU, Intel, GPU, NVIDIA.
    pub words: Vec<LabWord>,
    /// Of the lab's six pairs.
    pub cosines: Vec<Figure>,
    /// Of every pair of the words, in their order.
    pub matrix: Vec<Vec<Option<f32>>>,
    /// What the cosines are to be compared with.
    pub baseline: Baseline,
}

/// A sentence and its tokens.
#[derive(Clone, Debug, Serialize)]
pub struct LabSentence {
    /// As it is written.
    pub text: String,
    /// Without special tokens.
    pub tokens: Vec<String>,
    /// With special tokens.
    pub input_ids: Vec<u32>,
    /// All that is known of each token.
    #[serde(skip)]
    pub encoding: Encoding,
}

/// Rows filled up to the length of the longest.
#[derive(Clone, Debug, Serialize)]
pub struct PaddedBatch {
    /// `[B, N]`
    pub input_ids: Vec<Vec<u32>>,
    /// 1 for a token, 0 for padding. `[B, N]`
    pub attention_mask: Vec<Vec<u32>>,
    /// What the rows are filled up with.
    pub pad_token_id: Option<u32>,
    /// B N
    pub n_places: usize,
    /// Places that hold a token.
    pub n_tokens: usize,
}

/// A word that was found by its characters.
#[derive(Clone, Debug, Serialize)]
pub struct LabWord {
    /// `CPU`
    pub word: String,
    /// `CPU@1,2: sum of pieces, mean of 2 occurrences, layer -1`
    pub recipe: String,
    /// Of each occurrence: the sentence, counted from 1, and the tokens.
    pub tokens: Vec<(usize, Vec<String>)>,
    /// Whether the tokenizer has pieces for it, rather than one token for all that it does not know.
    pub is_known: bool,
}

/// How alike tokens are that have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The mean cosine of all pairs of unlike tokens of the sentences, special tokens left out; none without a pair.
    pub mean: Option<f64>,
    /// How many pairs there are.
    pub n_pairs: usize,
}

impl WordsTask {
    pub(super) fn of(opened: &OpenedModel) -> Result<Self, Error> {
        let tokenizer = opened.tokenizer()?;
        let inputs = SENTENCES.map(TextInput::from);
        let encodings = tokenizer.encode_batch(&inputs, &EncodeOptions::default())?;
        let padded = PaddedBatch::of(tokenizer, &inputs)?;
        let baseline = Baseline::of(opened, &encodings)?;
        let vectors = word_vectors_of_lab(opened)?;
        let rows: Vec<&[f32]> = vectors.iter().map(|word| word.vector.as_slice()).collect();
        let cosines = PAIRS.map(|(name, a, b)| Figure::new(name, cosine(rows[a], rows[b])));
        let n_longest = padded.input_ids.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Self {
            decoded: tokenizer.decode(&encodings[0].input_ids, false)?,
            last_hidden_state: [SENTENCES.len(), n_longest, opened.model.spec.encoder.width],
            matrix: cosine_matrix(&rows),
            cosines: cosines.into(),
            words: vectors.iter().map(|vector| LabWord::of(tokenizer, vector)).collect(),
            sentences: SENTENCES.into_iter().zip(encodings).map(LabSentence::of).collect(),
            padded,
            baseline,
        })
    }
}

fn word_vectors_of_lab(opened: &OpenedModel) -> Result<Vec<WordVector>, Error> {
    let sentences = SENTENCES.map(str::to_owned);
    let mut vectors = Vec::with_capacity(WORDS.len());
    for (word, occurrences) in WORDS {
        let options = WordOptions { occurrences, ..WordOptions::default() };
        let query = [word.parse()?];
        vectors.extend(word_vectors(&opened.model, opened.tokenizer()?, &sentences, &query, &options)?);
    }
    Ok(vectors)
}

impl LabSentence {
    fn of((text, encoding): (&str, Encoding)) -> Self {
        let tokens = ordinary(&encoding).map(|position| encoding.tokens[position].clone()).collect();
        Self { text: text.to_owned(), tokens, input_ids: encoding.input_ids.clone(), encoding }
    }
}

/// Positions of all but the special tokens.
fn ordinary(encoding: &Encoding) -> impl Iterator<Item = usize> {
    (0..encoding.len()).filter(|&position| encoding.special_tokens_mask[position] == 0)
}

impl PaddedBatch {
    fn of(tokenizer: &Tokenizer, inputs: &[TextInput]) -> Result<Self, Error> {
        let options = EncodeOptions { padding: Padding::Longest, ..EncodeOptions::default() };
        let rows = tokenizer.encode_batch(inputs, &options)?;
        Ok(Self {
            pad_token_id: tokenizer.pad_token_id(),
            n_places: rows.iter().map(Encoding::len).sum(),
            n_tokens: rows.iter().flat_map(|row| &row.attention_mask).filter(|&&mask| mask == 1).count(),
            attention_mask: rows.iter().map(|row| row.attention_mask.clone()).collect(),
            input_ids: rows.into_iter().map(|row| row.input_ids).collect(),
        })
    }
}

impl LabWord {
    fn of(tokenizer: &Tokenizer, vector: &WordVector) -> Self {
        let unknown = tokenizer.unk_token_id().and_then(|id| tokenizer.id_to_token(id));
        let mut pieces = vector.tokens.iter().flat_map(|(_, tokens)| tokens);
        Self {
            word: vector.word.clone(),
            recipe: vector.recipe.clone(),
            tokens: vector.tokens.clone(),
            is_known: !pieces.any(|piece| Some(piece) == unknown.as_ref()),
        }
    }
}

impl Baseline {
    /// Few tokens have few pairs: all of them instead of a random choice, so that the figure needs no seed.
    fn of(opened: &OpenedModel, encodings: &[Encoding]) -> Result<Self, Error> {
        let rows: Vec<Row<'_>> = encodings
            .iter()
            .map(|encoding| Row {
                input_ids: &encoding.input_ids,
                token_type_ids: &encoding.token_type_ids,
                position_ids: &[],
            })
            .collect();
        let batch = Batch::new(&opened.model.spec.encoder, &rows)?;
        let how = EmbedOptions { pooling: Pooling::Tokens, ..EmbedOptions::default() };
        let mut tokens: Vec<(u32, Vec<f32>)> = Vec::new();
        for (encoding, embedding) in encodings.iter().zip(embed(&opened.model, &batch, &how)?) {
            let Embedding::Tokens(vectors) = embedding else { unreachable!("tokens were asked for") };
            tokens.extend(
                ordinary(encoding)
                    .map(|position| (encoding.input_ids[position], vectors.row(position).to_vec())),
            );
        }
        Ok(Self::of_tokens(&tokens))
    }

    /// Ids and vectors. A token is no fair company for itself in another sentence.
    fn of_tokens(tokens: &[(u32, Vec<f32>)]) -> Self {
        let mut cosines: Vec<f64> = Vec::new();
        for (index, (id, vector)) in tokens.iter().enumerate() {
            let others = tokens[index + 1..].iter().filter(|(other, _)| other != id);
            cosines.extend(others.filter_map(|(_, other)| cosine(vector, other)).map(f64::from));
        }
        let n_pairs = cosines.len();
        let mean = (n_pairs > 0).then(|| cosines.iter().sum::<f64>() / n_pairs as f64);
        Self { mean, n_pairs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_the_mean_over_unlike_tokens() {
        let tokens = [(7, vec![1.0, 0.0]), (7, vec![1.0, 0.1]), (8, vec![0.0, 1.0]), (9, vec![1.0, 0.0])];
        // 7~8, 7~9, 7'~8, 7'~9, 8~9
        let near = 1.0 / 1.01f64.sqrt();
        let wanted = (0.0 + 1.0 + 0.1 * near + near + 0.0) / 5.0;
        let found = Baseline::of_tokens(&tokens);
        assert_eq!(found.n_pairs, 5);
        assert!((found.mean.expect("there are pairs") - wanted).abs() < 1e-6);
        assert_eq!(Baseline::of_tokens(&tokens[..2]), Baseline { mean: None, n_pairs: 0 });
    }
}
