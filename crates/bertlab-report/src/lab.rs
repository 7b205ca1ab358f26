//! What the lab "Explore BERT" found on a model, as plain data: what its page is made of.

use crate::run::RunReport;

/// The lab on one model.
#[derive(Clone, Debug, Default)]
pub struct LabFacts {
    /// The model's name, as it was given.
    pub name: String,
    /// What the lab's printed figures have to do with this model.
    pub introduction: String,
    /// T1: what the model is made of.
    pub model: ModelTreeFacts,
    /// T2: words in context.
    pub words: WordsFacts,
    /// T3: all hidden states.
    pub layers: LayersFacts,
    /// T4: fine-tuning, where it was done.
    pub training: Option<RunReport>,
    /// Of T4: what is compared, what the lab prints, and what was found here; empty where the settings are not the lab's.
    pub beside_the_lab: Vec<[String; 3]>,
    /// What to try next: words, and a command line.
    pub next: Vec<(String, String)>,
    /// bertlab's version.
    pub version: String,
    /// Seconds since 1970.
    pub written_at: u64,
}

/// What a model is made of.
#[derive(Clone, Debug, Default)]
pub struct ModelTreeFacts {
    /// Tensors and parameters here, and what the lab prints, where it is of this model.
    pub counts: [(&'static str, usize, Option<usize>); 2],
    /// Layers of the encoder.
    pub n_layers: usize,
    /// Numbers per token.
    pub width: usize,
    /// Where the parameters are.
    pub parts: Vec<(String, usize)>,
    /// The modules, neighbours that are alike as one.
    pub modules: Vec<ModuleLine>,
    /// The query matrix of the first layer: its path, shape and statistics.
    pub query: String,
}

/// A line of the module tree.
#[derive(Clone, Debug, Default)]
pub struct ModuleLine {
    /// 0 for the root.
    pub depth: usize,
    /// `(query): Linear(in_features=256, ...)`
    pub label: String,
    /// `4 x 789,760`; empty where there are none.
    pub count: String,
}

/// Words in context.
#[derive(Clone, Debug, Default)]
pub struct WordsFacts {
    /// The sentences' tokens.
    pub sentences: Vec<Vec<TokenFacts>>,
    /// Places of the padded rectangle, and tokens in it.
    pub n_places: usize,
    /// Tokens without padding.
    pub n_tokens: usize,
    /// Of the matrix's rows and columns.
    pub labels: Vec<String>,
    /// Cosines. `[W, W]`
    pub matrix: Vec<Vec<Option<f32>>>,
    /// The lab's pairs.
    pub pairs: Vec<PairFacts>,
    /// The mean cosine of unlike tokens.
    pub baseline: Option<f64>,
}

/// A token of a sentence.
#[derive(Clone, Debug, Default)]
pub struct TokenFacts {
    /// As the vocabulary has it.
    pub token: String,
    /// Its id.
    pub id: u32,
    /// Which word of the sentence it belongs to; none for special tokens.
    pub word: Option<u32>,
}

/// A cosine.
#[derive(Clone, Debug, Default)]
pub struct PairFacts {
    /// `CPU ~ Intel`
    pub name: String,
    /// None where a vector has no direction.
    pub value: Option<f64>,
    /// What the lab prints, where it is of this model.
    pub printed: Option<f64>,
}

/// All hidden states.
#[derive(Clone, Debug, Default)]
pub struct LayersFacts {
    /// L + 1
    pub n_hidden_states: usize,
    /// `[4, 12, 768]`, in words.
    pub shape: String,
    /// CPU after each hidden state against the last. `[L + 1]`
    pub towards_last: Vec<Option<f32>>,
    /// CPU against GPU in each hidden state. `[L + 1]`
    pub cpu_gpu: Vec<Option<f32>>,
    /// The lab's cosine, and what it mixes.
    pub pairs: Vec<PairFacts>,
}
