//! T1: what the model is made of, and one matrix of it.

use bertlab_explore::tensor_stats;
use bertlab_model::Module;
use serde::Serialize;

use super::Counts;
use bertlab::{Error, OpenedModel};

/// What the model is made of.
#[derive(Clone, Debug, Serialize)]
pub struct ModelTask {
    /// HuggingFace's class: `BertModel`
    pub class: String,
    /// L
    pub n_layers: usize,
    /// D
    pub width: usize,
    /// Its tensors and parameters.
    #[serde(flatten)]
    pub counts: Counts,
    /// What the lab prints, where the model has bert-base-uncased's sizes.
    pub printed: Option<Counts>,
    /// Where the parameters are: embeddings, layers, pooler.
    pub parts: Vec<Part>,
    /// The module tree as Python's `print` shows it, equal layers folded.
    pub modules: String,
    /// The same as a tree.
    #[serde(skip)]
    pub tree: Module,
    /// The query matrix of the first layer's attention.
    pub query: QueryModule,
    /// What its opening had to say: weights that are new, or were left out.
    pub remarks: Vec<String>,
    /// The dense layer over the first token, which T2 and T3 do not use; none where the family has none.
    pub pooler: Option<Part>,
}

/// A part of the model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Its path: `embeddings`
    pub name: String,
    /// Numbers in it.
    pub n_parameters: usize,
    /// Of all parameters, from 0 to 1.
    pub share: f64,
}

/// The query matrix of the first layer's attention.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryModule {
    /// As `get_submodule` takes it.
    pub path: String,
    /// As Python's `print` shows it.
    pub text: String,
    /// `[D, D]`: out, in.
    pub weight_shape: Vec<usize>,
    /// Of the weight's numbers.
    pub mean: f64,
    /// As `torch.std` gives it.
    pub std: f64,
    /// Heads whose rows are stacked in the weight.
    pub n_heads: usize,
    /// Rows of one head.
    pub head_width: usize,
}

impl ModelTask {
    pub(super) fn of(opened: &OpenedModel) -> Result<Self, Error> {
        let (model, tree) = (&opened.model, opened.model.module_tree());
        let n_parameters = tree.n_parameters;
        let part = |module: &Module| Part {
            name: module.path.clone(),
            n_parameters: module.n_parameters,
            share: module.n_parameters as f64 / n_parameters as f64,
        };
        Ok(Self {
            class: tree.class.clone(),
            n_layers: model.spec.encoder.n_layers,
            width: model.spec.encoder.width,
            counts: Counts { n_tensors: model.named_tensors().len(), n_parameters },
            printed: None,
            parts: tree.children.iter().map(part).collect(),
            modules: tree.to_pytorch_text(),
            query: QueryModule::of(opened, &tree)?,
            remarks: opened.report.messages(),
            pooler: tree.find("pooler").map(part),
            tree,
        })
    }
}

impl QueryModule {
    fn of(opened: &OpenedModel, tree: &Module) -> Result<Self, Error> {
        let module =
            first_query(tree).expect("a model has a layer at least, and each layer's attention a query");
        let weight = tensor_stats(&opened.model, &format!("{}.weight", module.path), 1)?;
        let encoder = &opened.model.spec.encoder;
        Ok(Self {
            path: module.path.clone(),
            text: module.to_pytorch_text(),
            weight_shape: weight.shape,
            mean: weight.mean,
            std: weight.std,
            n_heads: encoder.n_heads,
            head_width: encoder.width / encoder.n_heads,
        })
    }
}

/// By its place in the tree and not by a family's path: BERT calls it `query`, DistilBERT `q_lin`.
fn first_query(module: &Module) -> Option<&Module> {
    if module.class == "Linear" && module.name.starts_with('q') {
        return Some(module);
    }
    module.children.iter().find_map(first_query)
}
