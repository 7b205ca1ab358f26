//! AdamW's state in optimizer.pt, as saved by HuggingFace's Trainer. It identifies weights by number only.

use crate::pickle::{Pickle, Value};
use crate::pytorch::{Tensors, malformed, read_objects, tensor_arguments};
use crate::{Error, NamedArray};
use std::collections::BTreeMap;
use std::path::Path;

const HINT: &str = "A run can be resumed from a checkpoint of HuggingFace's Trainer with AdamW (optim \
    adamw_torch or adamw_torch_fused). To start a new run from the checkpoint's weights, use its folder as \
    the model and do not resume";

/// The state of AdamW (Loshchilov and Hutter 2019), as in `AdamW.state_dict()`.
#[derive(Clone, Debug)]
pub struct AdamState {
    /// Groups of weights with common settings.
    pub groups: Vec<AdamGroup>,
    /// Moments by the weight's number; a weight that never had a gradient has none.
    pub moments: BTreeMap<usize, AdamMoments>,
}

/// Settings of a group of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamGroup {
    /// Learning rate of the next step.
    pub learning_rate: f64,
    /// Learning rate before scheduling; `None` without a scheduler.
    pub initial_learning_rate: Option<f64>,
    /// β1 and β2.
    pub betas: [f64; 2],
    /// ε.
    pub epsilon: f64,
    /// Weight decay of all weights of the group.
    pub weight_decay: f64,
    /// Numbers of the weights, in the order in which they were passed to the optimizer.
    pub weights: Vec<usize>,
}

/// Moments of one weight.
#[derive(Clone, Debug)]
pub struct AdamMoments {
    /// Number of updates.
    pub n_steps: u64,
    /// Moving average of the gradients, with the shape of the weight.
    pub exp_avg: NamedArray,
    /// Moving average of the squared gradients, with the same shape.
    pub exp_avg_sq: NamedArray,
}

/// Reads optimizer.pt in either format of PyTorch. The moments are memory-mapped.
///
/// # Errors
/// A missing or damaged file, the state of an optimizer other than AdamW, or moments of one weight with
/// different shapes.
pub fn read_adam_state(file: &Path) -> Result<AdamState, Error> {
    let read = read_objects(file, |pickle, tensors| Reader { pickle, tensors, file }.state());
    read.map(|(state, _)| state).map_err(with_hint)
}

/// Replaces the hint for files of weights.
fn with_hint(mut error: Error) -> Error {
    if let Error::Malformed { hint, .. } | Error::Tensor { hint, .. } | Error::ForbiddenGlobal { hint, .. } =
        &mut error
    {
        *hint = HINT;
    }
    error
}

struct Reader<'a, 't> {
    pickle: &'a Pickle,
    tensors: Tensors<'t>,
    file: &'a Path,
}

/// The entries of a dictionary.
#[derive(Clone, Copy)]
struct Dictionary<'a>(&'a [(Value, Value)]);

impl<'a> Dictionary<'a> {
    /// The value of a key; of a repeated key the last value, as in Python.
    fn get(self, wanted: &str) -> Option<&'a Value> {
        let mut entries = self.0.iter().rev();
        let is_wanted = |key: &Value| matches!(key, Value::Text(key) if &**key == wanted);
        entries.find(|(key, _)| is_wanted(key)).map(|(_, value)| value)
    }

    /// The first string keys, for messages.
    fn keys(self) -> String {
        let keys = self.0.iter().filter_map(|(key, _)| match key {
            Value::Text(key) => Some(&**key),
            _ => None,
        });
        let keys: Vec<&str> = keys.take(12).collect();
        if keys.is_empty() { "no string keys".to_owned() } else { keys.join(", ") }
    }
}

impl<'a> Reader<'a, '_> {
    fn state(mut self) -> Result<AdamState, Error> {
        let root = self.dictionary(Some(&self.pickle.root), "an optimizer's state dictionary")?;
        let states = self.dictionary(root.get("state"), "a dictionary `state`")?;
        let Some(Value::List(groups)) = root.get("param_groups") else {
            return Err(self.wanted("a list `param_groups`", root.keys()));
        };
        if states.0.is_empty() {
            return Err(self.wanted("AdamW's moments", "no state of any weight"));
        }
        let groups = self.pickle.lists[*groups].iter();
        let groups = groups.map(|group| self.group(group)).collect::<Result<_, _>>()?;
        let mut moments = BTreeMap::new();
        for (key, state) in states.0 {
            let Some(number) = whole(key) else {
                return Err(self.wanted("weights by their numbers in `state`", "another key"));
            };
            moments.insert(number, self.moments(number, state)?);
        }
        Ok(AdamState { groups, moments })
    }

    fn group(&mut self, group: &'a Value) -> Result<AdamGroup, Error> {
        let group = self.dictionary(Some(group), "a dictionary in `param_groups`")?;
        self.refuse_variants(group)?;
        let weights = self.items(group.get("params")).and_then(|items| items.iter().map(whole).collect());
        let weights =
            weights.ok_or_else(|| self.wanted("`params`, numbers of weights, in a group", group.keys()))?;
        let Some([beta1, beta2]) = self.items(group.get("betas")) else {
            return Err(self.wanted("AdamW's two `betas` in a group", group.keys()));
        };
        let initial_learning_rate = match group.get("initial_lr") {
            Some(rate) => Some(self.number(Some(rate), "initial_lr")?),
            None => None,
        };
        Ok(AdamGroup {
            learning_rate: self.number(group.get("lr"), "lr")?,
            initial_learning_rate,
            betas: [self.number(Some(beta1), "betas")?, self.number(Some(beta2), "betas")?],
            epsilon: self.number(group.get("eps"), "eps")?,
            weight_decay: self.number(group.get("weight_decay"), "weight_decay")?,
            weights,
        })
    }

    /// Refuses variants: AMSGrad has a third moment, `maximize` changes the sign, Adam adds the decay to the
    /// gradient.
    fn refuse_variants(&self, group: Dictionary<'a>) -> Result<(), Error> {
        let is = |name: &str, wanted: bool| matches!(group.get(name), Some(Value::Bool(found)) if *found == wanted);
        for (name, unwanted) in [("amsgrad", true), ("maximize", true), ("decoupled_weight_decay", false)] {
            if is(name, unwanted) {
                return Err(self.wanted("plain AdamW", format!("`{name}` {unwanted}")));
            }
        }
        Ok(())
    }

    fn moments(&mut self, number: usize, state: &'a Value) -> Result<AdamMoments, Error> {
        let name = format!("state.{number}");
        let state = self.dictionary(Some(state), &name)?;
        let found = [state.get("step"), state.get("exp_avg"), state.get("exp_avg_sq")];
        let [Some(step), Some(first), Some(second)] = found else {
            let wanted = format!("AdamW's step, exp_avg and exp_avg_sq in `{name}`");
            return Err(self.wanted(wanted, state.keys()));
        };
        let n_steps = self.number(Some(step), &format!("{name}.step"))?;
        let exp_avg = self.array(first, format!("{name}.exp_avg"))?;
        let exp_avg_sq = self.array(second, format!("{name}.exp_avg_sq"))?;
        if exp_avg.shape != exp_avg_sq.shape {
            let wanted = format!("exp_avg and exp_avg_sq of one shape in `{name}`");
            return Err(self.wanted(wanted, format!("{:?} and {:?}", exp_avg.shape, exp_avg_sq.shape)));
        }
        if n_steps < 1.0 || n_steps.fract() != 0.0 {
            return Err(self.wanted(format!("a number of updates in `{name}.step`"), n_steps.to_string()));
        }
        Ok(AdamMoments { n_steps: n_steps as u64, exp_avg, exp_avg_sq })
    }

    fn array(&mut self, value: &Value, name: String) -> Result<NamedArray, Error> {
        match tensor_arguments(value) {
            Some(arguments) => self.tensors.array(&name, arguments),
            None => Err(self.wanted(format!("a tensor as `{name}`"), "something else")),
        }
    }

    /// A number, or a tensor with one element, as PyTorch stores steps since 1.12.
    fn number(&mut self, value: Option<&Value>, name: &str) -> Result<f64, Error> {
        match value {
            Some(Value::Int(number)) => return Ok(*number as f64),
            Some(Value::Float(number)) => return Ok(*number),
            _ => {}
        }
        if let Some(arguments) = value.and_then(tensor_arguments) {
            let array = self.tensors.array(name, arguments)?;
            if array.n_elements() == 1 {
                let whole = array.to_i64().map(|numbers| numbers[0] as f64);
                return whole.or_else(|_| array.to_f32().map(|numbers| f64::from(numbers[0])));
            }
        }
        Err(self.wanted(format!("a number as `{name}`"), "none"))
    }

    fn dictionary(&self, value: Option<&Value>, name: &str) -> Result<Dictionary<'a>, Error> {
        match value {
            Some(Value::Dictionary(number)) => Ok(Dictionary(&self.pickle.dictionaries[*number])),
            _ => Err(self.wanted(name, "something else")),
        }
    }

    /// The items of a list or a tuple.
    fn items(&self, value: Option<&'a Value>) -> Option<&'a [Value]> {
        match value? {
            Value::List(list) => Some(&self.pickle.lists[*list]),
            Value::Tuple(nest) => Some(&nest.items),
            _ => None,
        }
    }

    fn wanted(&self, wanted: impl Into<String>, found: impl Into<String>) -> Error {
        malformed(self.file, wanted, found)
    }
}

fn whole(value: &Value) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    }
}
