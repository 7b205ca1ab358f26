//! Results of the lab "Explore BERT" for a model: the input of its page.

use crate::run::RunReport;

/// Results of the lab for one model.
#[derive(Clone, Debug, Default)]
pub struct LabFacts {
    /// The model's name, as the user gave it.
    pub name: String,
    /// How the lab's printed figures relate to this model.
    pub introduction: String,
    /// T1: the model's modules and parameters.
    pub model: ModelTreeFacts,
    /// T2: words in context.
    pub words: WordsFacts,
    /// T3: all hidden states.
    pub layers: LayersFacts,
    /// T4: fine-tuning, if it was run.
    pub training: Option<RunReport>,
    /// T4: what is compared, the lab's figure, and the figure here; empty if the settings are not the lab's.
    pub beside_the_lab: Vec<[String; 3]>,
    /// What to try next: a description and a command line.
    pub next: Vec<(String, String)>,
    /// bertlab's version.
    pub version: String,
    /// Time of writing, in seconds since 1970-01-01.
    pub written_at: u64,
}

/// Modules and parameters of a model.
#[derive(Clone, Debug, Default)]
pub struct ModelTreeFacts {
    /// Names, counts of tensors and of parameters, and the lab's counts if it used this model.
    pub counts: [(&'static str, usize, Option<usize>); 2],
    /// Number of encoder layers.
    pub n_layers: usize,
    /// Hidden size D.
    pub width: usize,
    /// Parts of the model and their numbers of parameters.
    pub parts: Vec<(String, usize)>,
    /// The module tree; identical neighbours are one line.
    pub modules: Vec<ModuleLine>,
    /// The query matrix of the first layer: its path, shape and statistics.
    pub query: String,
}

/// A line of the module tree.
#[derive(Clone, Debug, Default)]
pub struct ModuleLine {
    /// Depth in the tree; 0 for the root.
    pub depth: usize,
    /// Name and class, for example `(query): Linear(in_features=256, ...)`.
    pub label: String,
    /// Number of parameters, for example `4 x 789,760`; empty for modules without parameters.
    pub count: String,
}

/// Results about words in context.
#[derive(Clone, Debug, Default)]
pub struct WordsFacts {
    /// Tokens of each sentence.
    pub sentences: Vec<Vec<TokenFacts>>,
    /// Number of positions of the padded batch.
    pub n_places: usize,
    /// Number of tokens without padding.
    pub n_tokens: usize,
    /// Labels of the matrix's rows and columns.
    pub labels: Vec<String>,
    /// Cosine similarities `[W, W]`; `None` where undefined.
    pub matrix: Vec<Vec<Option<f32>>>,
    /// The pairs of words that the lab compares.
    pub pairs: Vec<PairFacts>,
    /// The mean cosine of different tokens.
    pub baseline: Option<f64>,
}

/// A token of a sentence.
#[derive(Clone, Debug, Default)]
pub struct TokenFacts {
    /// The token, as in the vocabulary.
    pub token: String,
    /// Its id.
    pub id: u32,
    /// The index of its word in the sentence; `None` for special tokens.
    pub word: Option<u32>,
}

/// A cosine similarity of two words.
#[derive(Clone, Debug, Default)]
pub struct PairFacts {
    /// Names of the words, for example `CPU ~ Intel`.
    pub name: String,
    /// The cosine; `None` if a vector is zero or not finite.
    pub value: Option<f64>,
    /// The lab's figure, if it used this model.
    pub printed: Option<f64>,
}

/// Results about all hidden states.
#[derive(Clone, Debug, Default)]
pub struct LayersFacts {
    /// Number of hidden states, L + 1.
    pub n_hidden_states: usize,
    /// Shape of a hidden state, for example `[4, 12, 768]`.
    pub shape: String,
    /// Cosine of "CPU" in each hidden state with itself in the last. `[L + 1]`
    pub towards_last: Vec<Option<f32>>,
    /// Cosine of "CPU" and "GPU" in each hidden state. `[L + 1]`
    pub cpu_gpu: Vec<Option<f32>>,
    /// The lab's cosine of averaged layers, and the cosines that it averages over.
    pub pairs: Vec<PairFacts>,
}
