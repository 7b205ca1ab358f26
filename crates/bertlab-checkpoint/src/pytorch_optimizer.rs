//! optimizer.pt: what PyTorch's AdamW remembers, as HuggingFace's Trainer saves it in a checkpoint. Read as data.

use crate::pickle::{Pickle, Value};
use crate::pytorch::{Tensors, read_objects, tensor_arguments};
use crate::{Error, NamedArray};
use std::collections::BTreeMap;
use std::path::Path;

const HINT: &str = "Only AdamW's state (torch.optim.AdamW, HuggingFace's default) can be taken up: \
                    begin a new run from the checkpoint's weights instead";

/// An AdamW of PyTorch.
#[derive(Debug)]
pub struct PytorchOptimizer {
    /// Parameters with the same settings.
    pub groups: Vec<ParameterGroup>,
    /// By parameter, as the groups count them; a parameter that never had a gradient has none.
    pub states: BTreeMap<usize, AdamState>,
}

/// Parameters with the same settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterGroup {
    /// `lr`, of the next step.
    pub learning_rate: f64,
    /// `betas`
    pub betas: [f64; 2],
    /// `eps`
    pub epsilon: f64,
    /// `weight_decay`
    pub weight_decay: f64,
    /// The parameters, by number.
    pub parameters: Vec<usize>,
}

/// What is remembered of one parameter.
#[derive(Debug)]
pub struct AdamState {
    /// Updates made.
    pub step: u64,
    /// The mean of its gradients.
    pub exp_avg: NamedArray,
    /// The mean of their squares.
    pub exp_avg_sq: NamedArray,
}

/// Reads an optimizer.pt.
///
/// # Errors
/// A file that cannot be read or is damaged, and another optimizer than AdamW.
pub fn read_pytorch_optimizer(path: &Path) -> Result<PytorchOptimizer, Error> {
    let read = |pickle: &Pickle, tensors: Tensors<'_>| Reader { pickle, file: path, tensors }.optimizer();
    Ok(read_objects(path, read)?.0)
}

struct Reader<'a, 't> {
    pickle: &'a Pickle,
    file: &'a Path,
    tensors: Tensors<'t>,
}

impl<'a> Reader<'a, '_> {
    fn optimizer(mut self) -> Result<PytorchOptimizer, Error> {
        const WANTED: &str = "an optimizer's state: a dictionary with state and param_groups";
        let (Some(Value::List(groups)), Some(Value::Dictionary(states))) =
            (self.entry(&self.pickle.root, "param_groups"), self.entry(&self.pickle.root, "state"))
        else {
            return Err(self.malformed(WANTED, "something else"));
        };
        let groups =
            self.pickle.lists[*groups].iter().map(|group| self.group(group)).collect::<Result<_, _>>()?;
        let mut found = BTreeMap::new();
        for (key, state) in &self.pickle.dictionaries[*states] {
            let Value::Int(number) = key else {
                return Err(self.malformed("parameters by number", "another key in state"));
            };
            let number = usize::try_from(*number)
                .map_err(|_| self.malformed("parameters by number", "less than 0"))?;
            found.insert(number, self.state(number, state)?);
        }
        Ok(PytorchOptimizer { groups, states: found })
    }

    fn group(&self, group: &'a Value) -> Result<ParameterGroup, Error> {
        let number = |key: &str| {
            let found = self.entry(group, key).and_then(number);
            found.ok_or_else(|| self.malformed(&format!("a parameter group with the number {key}"), "none"))
        };
        let betas = match self.entry(group, "betas") {
            Some(Value::Tuple(betas)) => betas.items.iter().map(self::number).collect::<Option<Vec<f64>>>(),
            Some(Value::List(betas)) => self.pickle.lists[*betas].iter().map(self::number).collect(),
            _ => None,
        };
        let betas = betas.and_then(|betas| <[f64; 2]>::try_from(betas).ok());
        let betas = betas.ok_or_else(|| self.malformed("a parameter group with AdamW's betas", "none"))?;
        let index = |value: &Value| match value {
            Value::Int(index) => usize::try_from(*index).ok(),
            _ => None,
        };
        let parameters = match self.entry(group, "params") {
            Some(Value::List(params)) => self.pickle.lists[*params].iter().map(index).collect(),
            _ => None,
        };
        Ok(ParameterGroup {
            learning_rate: number("lr")?,
            betas,
            epsilon: number("eps")?,
            weight_decay: number("weight_decay")?,
            parameters: parameters.ok_or_else(|| self.malformed("a parameter group with params", "none"))?,
        })
    }

    fn state(&mut self, parameter: usize, state: &Value) -> Result<AdamState, Error> {
        let step = self.array(parameter, state, "step");
        let step = match self.entry(state, "step").and_then(number) {
            Some(step) => Some(step),
            // Since PyTorch 1.12 it is a tensor.
            None => step?.to_f32()?.first().map(|&step| f64::from(step)),
        };
        Ok(AdamState {
            step: step.unwrap_or(0.0) as u64,
            exp_avg: self.array(parameter, state, "exp_avg")?,
            exp_avg_sq: self.array(parameter, state, "exp_avg_sq")?,
        })
    }

    /// The tensor `key` of a parameter's state.
    fn array(&mut self, parameter: usize, state: &Value, key: &str) -> Result<NamedArray, Error> {
        let Some(arguments) = self.entry(state, key).and_then(tensor_arguments) else {
            let wanted = format!("AdamW's {key} of parameter {parameter}");
            return Err(self.malformed(&wanted, "none"));
        };
        self.tensors.array(&format!("state.{parameter}.{key}"), arguments)
    }

    /// The last value of this key, where `dictionary` is one and has it.
    fn entry(&self, dictionary: &Value, key: &str) -> Option<&'a Value> {
        let Value::Dictionary(dictionary) = dictionary else { return None };
        let mut entries = self.pickle.dictionaries[*dictionary].iter().rev();
        entries
            .find(|(found, _)| matches!(found, Value::Text(text) if &**text == key))
            .map(|(_, value)| value)
    }

    fn malformed(&self, wanted: &str, found: &str) -> Error {
        let file = self.file.to_path_buf();
        Error::Malformed { file, wanted: wanted.into(), found: found.into(), hint: HINT }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}
