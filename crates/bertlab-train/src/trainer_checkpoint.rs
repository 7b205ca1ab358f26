//! A checkpoint of HuggingFace's Trainer as a place to go on from: optimizer.pt and trainer_state.json, and what they
//! leave open.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::progress::{self, Identity, Losses, SavedProgress, Seconds};
use crate::state::{Record, TrainerState};
use bertlab_checkpoint::{AdamState, NamedArray, ParameterGroup, PytorchOptimizer, read_pytorch_optimizer};
use bertlab_compute::Tensor;
use bertlab_model::{Model, Spec};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// PyTorch's file in a checkpoint.
const FILE_NAME: &str = "optimizer.pt";

/// Whether a checkpoint is HuggingFace's and none of ours.
pub(crate) fn is_one(checkpoint: &Path) -> bool {
    !checkpoint.join(progress::FILE_NAME).is_file() && checkpoint.join(FILE_NAME).is_file()
}

/// Canonical names in the orders in which HuggingFace's Trainer may hand weights to the optimizer: those that decay,
/// then those that do not, either as PyTorch lists them.
fn parameters(model: &Model, decays: impl Fn(&str) -> bool) -> [[Vec<String>; 2]; 2] {
    model.names_as_pytorch_lists_them().map(|names| {
        let trained = names.into_iter().filter(|name| model.is_trained(name));
        let (decaying, others) = trained.partition(|name| decays(name));
        [decaying, others]
    })
}

/// An optimizer.pt that fits a model.
pub(crate) struct Moments {
    file: PathBuf,
    groups: Vec<ParameterGroup>,
    /// By canonical name.
    states: BTreeMap<String, AdamState>,
    /// Updates made.
    pub(crate) n_steps: u64,
}

impl Moments {
    /// Reads a checkpoint's optimizer.pt; `decays` says which weights the first group holds.
    ///
    /// # Errors
    /// A file that cannot be read, another optimizer, parameters that are not the model's trained ones.
    pub(crate) fn read(
        checkpoint: &Path,
        model: &Model,
        decays: impl Fn(&str) -> bool,
    ) -> Result<Self, TrainError> {
        let file = checkpoint.join(FILE_NAME);
        let PytorchOptimizer { groups, mut states } = read_pytorch_optimizer(&file)?;
        let orders = parameters(model, decays);
        let why = match fitting(&orders, &groups, &states, model) {
            Ok(names) => {
                let numbers = groups.iter().flat_map(|group| &group.parameters);
                let state = |(name, number): (&String, &usize)| Some((name.clone(), states.remove(number)?));
                let states: BTreeMap<_, _> = names.iter().flatten().zip(numbers).filter_map(state).collect();
                let n_steps = states.values().map(|state| state.step).max().unwrap_or(0);
                return Ok(Self { file, groups, states, n_steps });
            }
            Err(why) => why,
        };
        Err(TrainError::DamagedCheckpoint { file, why })
    }

    /// Both moments of a weight, where it ever had a gradient.
    ///
    /// # Errors
    /// Numbers that are no floats.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<[Tensor; 2]>, TrainError> {
        let Some(AdamState { exp_avg, exp_avg_sq, .. }) = self.states.remove(name) else { return Ok(None) };
        let tensor = |array: NamedArray| Ok::<_, TrainError>(Tensor::from_vec(&array.shape, array.to_f32()?));
        Ok(Some([tensor(exp_avg)?, tensor(exp_avg_sq)?]))
    }

    /// What the optimizer was set to otherwise than the run is, in words. `learning_rate`: of the run's next step.
    pub(crate) fn differences(&self, arguments: &TrainingArguments, learning_rate: f64) -> Vec<String> {
        let (Some(decaying), Some(other)) = (self.groups.first(), self.groups.last()) else {
            return Vec::new();
        };
        let figures = [
            ("the learning rate of the next step", decaying.learning_rate, learning_rate),
            ("adam_beta1", decaying.betas[0], arguments.adam_beta1),
            ("adam_beta2", decaying.betas[1], arguments.adam_beta2),
            ("adam_epsilon", decaying.epsilon, arguments.adam_epsilon),
            ("weight_decay", decaying.weight_decay, arguments.weight_decay),
            ("the weight decay of biases and norms", other.weight_decay, 0.0),
        ];
        let differ = |a: f64, b: f64| (a - b).abs() > 1e-6 * a.abs().max(b.abs());
        let words = |(name, then, now): (&str, f64, f64)| {
            differ(then, now).then(|| format!("{name} was {then:e} and is {now:e} now"))
        };
        figures.into_iter().filter_map(words).collect()
    }

    /// The file that this was read from.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// The order in which the parameters have the shapes of the model's weights; else why none has.
fn fitting<'o>(
    orders: &'o [[Vec<String>; 2]; 2],
    groups: &[ParameterGroup],
    states: &BTreeMap<usize, AdamState>,
    model: &Model,
) -> Result<&'o [Vec<String>; 2], String> {
    let sizes: Vec<usize> = groups.iter().map(|group| group.parameters.len()).collect();
    let wanted = orders[0].each_ref().map(Vec::len);
    if sizes != wanted {
        return Err(format!(
            "its groups have {sizes:?} parameters, those of this model's Trainer {wanted:?} (weights, then biases and \
             norms): was it trained with another head, or with other weights frozen?"
        ));
    }
    let shapes: BTreeMap<String, &[usize]> =
        model.params().named().into_iter().map(|(name, tensor)| (name, tensor.shape())).collect();
    let misfit = |names: &[Vec<String>; 2]| {
        let numbers = groups.iter().flat_map(|group| &group.parameters);
        names.iter().flatten().zip(numbers).find_map(|(name, number)| {
            let (state, shape) = (states.get(number)?, shapes[name]);
            let found = [&state.exp_avg, &state.exp_avg_sq].into_iter().find(|array| array.shape != shape)?;
            let name = model.name_of(name);
            Some(format!("parameter {number} has the shape {:?}, {name} has {shape:?}", found.shape))
        })
    };
    match orders.iter().find(|names| misfit(names).is_none()) {
        Some(names) => Ok(names),
        None => Err(misfit(&orders[0]).expect("no order fits")),
    }
}

/// What our own progress.json would say, as far as HuggingFace's log tells.
pub(crate) fn progress(state: &TrainerState, identity: &Identity) -> SavedProgress {
    let step = |record: &Record| record.get("step").and_then(Value::as_u64).unwrap_or(0);
    let (mut total, mut n_known) = (0.0, 0);
    for record in &state.log_history {
        if let Some(loss) = record.get("loss").and_then(Value::as_f64) {
            total += loss * step(record).saturating_sub(n_known) as f64;
            n_known = step(record);
        }
    }
    // Steps after the last log line count with the mean of those before.
    let total = if n_known > 0 { total / n_known as f64 * state.global_step as f64 } else { 0.0 };
    let evaluated = state.log_history.iter().filter(|record| record.contains_key("eval_loss"));
    SavedProgress {
        global_step: state.global_step,
        evaluated_at: evaluated.map(step).max(),
        unevaluated: None,
        losses: Losses { total, ..Losses::default() },
        seconds: Seconds::default(),
        identity: identity.clone(),
    }
}

/// Whether both are the same but for names: HuggingFace's checkpoints seldom name their labels.
pub(crate) fn is_same_shape(saved: &Spec, wanted: &Spec) -> bool {
    let mut saved = saved.clone();
    if saved.head.labels.len() == wanted.head.labels.len() {
        saved.head.labels.clone_from(&wanted.head.labels);
        saved.head.problem_type = wanted.head.problem_type;
    }
    saved == *wanted
}
