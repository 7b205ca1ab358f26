//! The module tree: a model as PyTorch users know it, with HuggingFace's names and classes.
//!
//! Which modules there are is data, a tree of [`Node`]s in `families/`; sizes and rates come from the
//! model at hand.

use crate::heads::predictions::aliases;
use crate::model::Model;
use crate::spec::{EncoderSpec, HeadSpec};
use bertlab_compute::ops::activation::Activation;
use std::collections::{BTreeMap, BTreeSet};

/// One module as PyTorch users know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The last part of the path: `query`; empty for the root.
    pub name: String,
    /// As `get_submodule` takes it: `encoder.layer.0.attention.self.query`; empty for the root.
    pub path: String,
    /// `BertSelfAttention`, `Linear`
    pub class: String,
    /// What PyTorch prints in the parentheses of a leaf: `in_features=768, out_features=768, bias=True`.
    pub detail: String,
    /// Numbers in it and below it; a weight with two names is counted once.
    pub n_parameters: usize,
    /// In PyTorch's order.
    pub children: Vec<Self>,
}

/// A module in a family's tree. In a class, `*` stands for the family's class prefix.
pub(crate) enum Node {
    /// The base model, in the tree of a model with a head.
    Base,
    /// Name, class and children.
    Group(&'static str, &'static str, &'static [Node]),
    /// The layers: the list's name, one layer's class and children.
    Layers(&'static str, &'static str, &'static [Node]),
    /// Name and class of the dense layer over the first token; only in models that have it there.
    Pooler(&'static str, &'static str),
    /// A table.
    Embedding(&'static str, Padding),
    /// A dense layer.
    Linear(&'static str),
    /// A layer norm.
    Norm(&'static str),
    /// A layer norm, or the identity in a layer that has none.
    NormOrIdentity(&'static str),
    /// With its probability.
    Dropout(&'static str, Rate),
    /// The identity where the probability is 0.
    DropoutOrIdentity(&'static str, Rate),
    /// The encoder's activation.
    Activation(&'static str),
    /// That of the head's transform.
    HeadActivation(&'static str),
    /// Anything without weights and settings: name and class.
    Plain(&'static str, &'static str),
}

/// Whether a table has a row for padding.
#[derive(Clone, Copy)]
pub(crate) enum Padding {
    None,
    /// The padding token's.
    Row,
    /// Where positions count from the padding id + 1.
    RowOfOffset,
}

/// Which of the dropout probabilities.
#[derive(Clone, Copy)]
pub(crate) enum Rate {
    Embeddings,
    Attention,
    AttentionOutput,
    Inner,
    Output,
    Head,
}

impl Model {
    /// The modules with HuggingFace's names and classes (transformers 4.57, eager attention; ModernBERT's of 5.24).
    pub fn module_tree(&self) -> Module {
        let builder = Builder {
            model: self,
            encoder: &self.spec.encoder,
            head: &self.spec.head,
            tensors: tensors_by_name(self),
        };
        builder.root()
    }
}

impl Module {
    /// The module at a path. Paths of the base model also work on a model with a head:
    /// `encoder.layer.0` finds `bert.encoder.layer.0`.
    pub fn find(&self, path: &str) -> Option<&Self> {
        let is_base = |child: &&Self| self.path.is_empty() && child.class.ends_with("Model");
        self.descend(path).or_else(|| self.children.iter().find(is_base)?.descend(path))
    }

    fn descend(&self, path: &str) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        path.split('.').try_fold(self, |module, name| module.children.iter().find(|child| child.name == name))
    }

    /// What Python's `print(model)` shows, equal layers folded: `(0-11): 12 x BertLayer(`.
    pub fn to_pytorch_text(&self) -> String {
        if self.children.is_empty() {
            return format!("{}({})", self.class, self.detail);
        }
        let mut text = format!("{}(\n", self.class);
        for (label, child) in self.folded_children() {
            text += &format!("  {label}{}\n", child.replace('\n', "\n  "));
        }
        text + ")"
    }

    /// Label and text of each child; runs of equal items of a list as one.
    fn folded_children(&self) -> Vec<(String, String)> {
        let mut runs: Vec<(&str, &str, usize, String)> = Vec::new();
        for child in &self.children {
            let text = child.to_pytorch_text();
            match runs.last_mut() {
                Some((_, last, n, same)) if self.class == MODULE_LIST && *same == text => {
                    *last = &child.name;
                    *n += 1;
                }
                _ => runs.push((&child.name, &child.name, 1, text)),
            }
        }
        let label = |(first, last, n, text)| match n {
            1 => (format!("({first}): "), text),
            _ => (format!("({first}-{last}): {n} x "), text),
        };
        runs.into_iter().map(label).collect()
    }
}

/// The one class whose repeated items PyTorch folds.
const MODULE_LIST: &str = "ModuleList";

/// A weight under one of its names.
struct NamedSize {
    /// The same for all names of a weight.
    weight: String,
    shape: Vec<usize>,
}

/// Every weight under every name that PyTorch has for it, with HuggingFace's names.
fn tensors_by_name(model: &Model) -> BTreeMap<String, NamedSize> {
    let named = model.named_tensors().into_iter();
    let mut tensors: BTreeMap<String, NamedSize> = named
        .map(|(name, tensor)| (name.clone(), NamedSize { weight: name, shape: tensor.shape().to_vec() }))
        .collect();
    // PyTorch's decoder shows the word embedding and the predictions' bias as its own.
    for (alias, canonical) in aliases(model.params()) {
        let source = &tensors[&model.name_of(&canonical)];
        let shared = NamedSize { weight: source.weight.clone(), shape: source.shape.clone() };
        tensors.entry(model.name_of(alias)).or_insert(shared);
    }
    tensors
}

struct Builder<'a> {
    model: &'a Model,
    encoder: &'a EncoderSpec,
    head: &'a HeadSpec,
    /// By HuggingFace's name.
    tensors: BTreeMap<String, NamedSize>,
}

impl Builder<'_> {
    fn root(&self) -> Module {
        let class = self.model.family.class_name(self.head.kind);
        self.group("", "", &class, self.model.family.head_modules(self.head.kind))
    }

    /// The module of a node below `parent`; none where this model does not have it.
    fn module(&self, parent: &str, node: &Node) -> Option<Module> {
        match *node {
            Node::Base => {
                let (name, class, children) = self.model.family.base_module();
                Some(self.group(parent, name, &class, children))
            }
            Node::Group(name, class, children) => Some(self.group(parent, name, class, children)),
            Node::Layers(name, class, children) => Some(self.layers(parent, name, class, children)),
            Node::Pooler(name, class) => {
                let children = &[Node::Linear("dense"), Node::Plain("activation", "Tanh")];
                self.shape(&format!("{}.dense", join(parent, name)))?;
                Some(self.group(parent, name, class, children))
            }
            _ => self.leaf(parent, node),
        }
    }

    fn leaf(&self, parent: &str, node: &Node) -> Option<Module> {
        let (name, class, detail) = match *node {
            Node::Embedding(name, padding) => {
                let shape = self.shape(&join(parent, name))?;
                (name, "Embedding", self.embedding_detail(shape, padding))
            }
            Node::Linear(name) => {
                let shape = self.shape(&join(parent, name))?;
                let bias = if self.has_bias(&join(parent, name)) { "True" } else { "False" };
                (name, "Linear", format!("in_features={}, out_features={}, bias={bias}", shape[1], shape[0]))
            }
            Node::Norm(name) | Node::NormOrIdentity(name) => match self.shape(&join(parent, name)) {
                Some(shape) => (name, "LayerNorm", self.norm_detail(shape)),
                None if matches!(node, Node::NormOrIdentity(_)) => (name, "Identity", String::new()),
                None => return None,
            },
            Node::DropoutOrIdentity(name, rate) if self.rate(rate) == 0.0 => {
                (name, "Identity", String::new())
            }
            Node::Dropout(name, rate) | Node::DropoutOrIdentity(name, rate) => {
                (name, "Dropout", format!("p={}, inplace=False", python_float(self.rate(rate))))
            }
            Node::Activation(name) => (name, activation_class(self.encoder.activation), String::new()),
            Node::HeadActivation(name) => (name, activation_class(self.head_activation()), String::new()),
            Node::Plain(name, class) => (name, class, String::new()),
            Node::Base | Node::Group(..) | Node::Layers(..) | Node::Pooler(..) => return None,
        };
        let mut module = self.group(parent, name, class, &[]);
        module.detail = detail;
        Some(module)
    }

    fn group(&self, parent: &str, name: &str, class: &str, children: &[Node]) -> Module {
        let path = join(parent, name);
        let children = children.iter().filter_map(|node| self.module(&path, node)).collect();
        self.with_children(path, class, children)
    }

    fn layers(&self, parent: &str, name: &str, class: &str, children: &[Node]) -> Module {
        let path = join(parent, name);
        let layer = |index: usize| self.group(&path, &index.to_string(), class, children);
        let layers = (0..self.encoder.n_layers).map(layer).collect();
        self.with_children(path, MODULE_LIST, layers)
    }

    fn with_children(&self, path: String, class: &str, children: Vec<Module>) -> Module {
        Module {
            name: path.rsplit('.').next().unwrap_or_default().to_owned(),
            class: class.replace('*', self.model.family.class_prefix),
            detail: String::new(),
            n_parameters: self.n_parameters(&path),
            path,
            children,
        }
    }

    /// Of the weight of the module at `path`.
    fn shape(&self, path: &str) -> Option<&[usize]> {
        self.tensors.get(&format!("{path}.weight")).map(|tensor| tensor.shape.as_slice())
    }

    fn has_bias(&self, path: &str) -> bool {
        self.tensors.contains_key(&format!("{path}.bias"))
    }

    /// PyTorch says of a bias only that there is none.
    fn norm_detail(&self, shape: &[usize]) -> String {
        let epsilon = python_float(self.encoder.norms.epsilon);
        let bias = if self.encoder.norms.has_bias { "" } else { ", bias=False" };
        format!("({},), eps={epsilon}, elementwise_affine=True{bias}", shape[0])
    }

    fn head_activation(&self) -> Activation {
        let of_pooler = self.head.pooler.map(|pooler| pooler.activation);
        let of_predictions = self.head.predictions.map(|part| part.activation);
        of_pooler.or(of_predictions).unwrap_or(self.encoder.activation)
    }

    fn n_parameters(&self, path: &str) -> usize {
        let start = if path.is_empty() { String::new() } else { format!("{path}.") };
        let below = self.tensors.range(start.clone()..).take_while(|(name, _)| name.starts_with(&start));
        let mut counted = BTreeSet::new();
        below
            .filter(|(_, tensor)| counted.insert(&tensor.weight))
            .map(|(_, tensor)| tensor.shape.iter().product::<usize>())
            .sum()
    }

    fn embedding_detail(&self, shape: &[usize], padding: Padding) -> String {
        let has_row = match padding {
            Padding::None => false,
            Padding::Row => true,
            Padding::RowOfOffset => self.encoder.position_offset > 0,
        };
        let padding =
            if has_row { format!(", padding_idx={}", self.encoder.pad_token_id) } else { String::new() };
        format!("{}, {}{padding}", shape[0], shape[1])
    }

    fn rate(&self, rate: Rate) -> f32 {
        let dropout = &self.encoder.dropout;
        match rate {
            Rate::Embeddings => dropout.embeddings,
            Rate::Attention => dropout.attention,
            Rate::AttentionOutput => dropout.attention_output,
            Rate::Inner => dropout.inner.unwrap_or(0.0),
            Rate::Output => dropout.output.unwrap_or(0.0),
            Rate::Head => self.head.dropout,
        }
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn activation_class(activation: Activation) -> &'static str {
    match activation {
        Activation::Gelu => "GELUActivation",
        Activation::GeluNew => "NewGELUActivation",
        Activation::Relu => "ReLU",
        Activation::Tanh => "Tanh",
    }
}

/// A number as Python prints it: `0.1`, `0.0`, `1e-12`, `1e-05`.
fn python_float(x: f32) -> String {
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(name: &str, class: &str) -> Module {
        let (name, path) = (name.to_owned(), name.to_owned());
        Module {
            name,
            path,
            class: class.to_owned(),
            detail: String::new(),
            n_parameters: 0,
            children: Vec::new(),
        }
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let cases = [
            (0.1, "0.1"),
            (0.0, "0.0"),
            (1e-12, "1e-12"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e-4, "0.0001"),
        ];
        for (x, text) in cases {
            assert_eq!(python_float(x), text);
        }
    }

    #[test]
    fn only_equal_neighbours_of_a_list_are_folded() {
        let children = vec![leaf("0", "ReLU"), leaf("1", "ReLU"), leaf("2", "Tanh"), leaf("3", "ReLU")];
        let list = Module { children: children.clone(), ..leaf("layer", MODULE_LIST) };
        assert_eq!(
            list.to_pytorch_text(),
            "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n  (3): ReLU()\n)"
        );
        let other = Module { children, ..leaf("layer", "Sequential") };
        assert!(other.to_pytorch_text().starts_with("Sequential(\n  (0): ReLU()\n  (1): ReLU()\n"));
    }

    #[test]
    fn the_base_models_paths_work_below_a_head() {
        let encoder = Module { children: vec![leaf("layer", "ReLU")], ..leaf("encoder", "BertEncoder") };
        let base = Module { children: vec![encoder], ..leaf("bert", "BertModel") };
        let root = Module { children: vec![base, leaf("classifier", "Linear")], ..leaf("", "BertForX") };
        assert_eq!(root.find("encoder.layer"), root.find("bert.encoder.layer"));
        assert_eq!(root.find("encoder.layer").map(|module| module.name.as_str()), Some("layer"));
        assert_eq!(root.find("").map(|module| module.class.as_str()), Some("BertForX"));
        assert_eq!(root.find("layer"), None);
        assert_eq!(root.find("encoder."), None);
    }
}
