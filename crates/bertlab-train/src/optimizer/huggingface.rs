//! AdamW's memory from HuggingFace's optimizer.pt, which knows weights by numbers: those that decay come first, in the
//! order of the model's modules, then the others in the same order. Shapes show whether that is so.

use super::Optimizer;
use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use bertlab_checkpoint::{AdamGroup, AdamState, read_adam_state};
use bertlab_model::{Model, Slot};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The optimizer's file in a checkpoint of HuggingFace's Trainer.
pub(crate) const PYTORCH_FILE: &str = "optimizer.pt";

const HINT: &str = "Give the checkpoint's own folder as MODEL, with what was frozen when it was trained";

/// What optimizer.pt says.
pub(crate) struct Adopted {
    pub(crate) optimizer: Optimizer,
    /// Settings of the weights that decay.
    pub(crate) settings: AdamGroup,
    /// HuggingFace's names of weights of which nothing is remembered, since they never had a gradient.
    pub(crate) without_moments: Vec<String>,
}

impl Optimizer {
    /// Reads optimizer.pt for a model of the same shape, with the same weights frozen.
    ///
    /// # Errors
    /// A file that is missing, damaged, of another optimizer, or of another model: with the first weight that does not fit.
    pub(crate) fn adopt(
        checkpoint: &Path,
        model: &Model,
        arguments: &TrainingArguments,
    ) -> Result<Adopted, TrainError> {
        let file = checkpoint.join(PYTORCH_FILE);
        let damaged = |why: String| TrainError::DamagedCheckpoint { file: file.clone(), why };
        let mut saved = read_adam_state(&file)?;
        let mut optimizer = Self::new(model, arguments);
        let numbers = numbers(&saved, model).map_err(damaged)?;
        optimizer.n_steps = n_steps(&saved).map_err(damaged)?;
        let mut without_moments = Vec::new();
        for weight in &mut optimizer.weights {
            let Some(moments) = saved.moments.remove(&numbers[&weight.slot.name]) else {
                without_moments.push(model.name_of(&weight.slot.name));
                continue;
            };
            weight.first.as_mut_slice().copy_from_slice(&moments.exp_avg.to_f32()?);
            weight.second.as_mut_slice().copy_from_slice(&moments.exp_avg_sq.to_f32()?);
            weight.find_moved();
        }
        Ok(Adopted { optimizer, settings: saved.groups.swap_remove(0), without_moments })
    }
}

/// Weights that share their settings: of this model, and of the file.
struct Group<'a> {
    /// "decay" or "do not decay".
    what: &'static str,
    slots: Vec<Arc<Slot>>,
    numbers: &'a [usize],
}

/// The number of every weight, by its canonical name; else why there is none.
fn numbers(saved: &AdamState, model: &Model) -> Result<HashMap<String, usize>, String> {
    let [decaying, others] = &saved.groups[..] else {
        return Err(format!(
            "wanted the two groups of HuggingFace's Trainer (weights that decay, then biases and norms), found {}",
            saved.groups.len()
        ));
    };
    if others.weight_decay != 0.0 {
        let found = others.weight_decay;
        return Err(format!("wanted a second group without weight decay (biases and norms), found {found}"));
    }
    let mut misfit = None;
    for order in model.weight_orders() {
        let trained = order.into_iter().filter(|slot| model.is_trained(slot));
        let (first, second): (Vec<_>, Vec<_>) = trained.partition(|slot| slot.decays());
        let groups = [
            Group { what: "decay", slots: first, numbers: &decaying.weights },
            Group { what: "do not decay", slots: second, numbers: &others.weights },
        ];
        misfit = groups.iter().find_map(|group| group.misfit(saved, model));
        if misfit.is_none() {
            return Ok(groups.into_iter().flat_map(Group::pairs).collect());
        }
    }
    // Of the newest order.
    Err(format!("{}. {HINT}", misfit.expect("there is always an order")))
}

impl Group<'_> {
    /// Names and numbers.
    fn pairs(self) -> Vec<(String, usize)> {
        let names = self.slots.iter().map(|slot| slot.name.clone());
        names.zip(self.numbers.iter().copied()).collect()
    }

    /// Other weights than the file's, in words: how many, and the first whose shape differs.
    fn misfit(&self, saved: &AdamState, model: &Model) -> Option<String> {
        let other = self.slots.iter().zip(self.numbers).find_map(|(slot, number)| {
            let (wanted, found) = (&slot.shape, &saved.moments.get(number)?.exp_avg.shape);
            let name = model.name_of(&slot.name);
            let misfit = format!("weight {number} has the shape {found:?}, where {name} has {wanted:?}");
            (found != wanted).then_some(misfit)
        });
        self.miscount(model).into_iter().chain(other).reduce(|count, other| format!("{count}; {other}"))
    }

    fn miscount(&self, model: &Model) -> Option<String> {
        let (n_wanted, n_found) = (self.slots.len(), self.numbers.len());
        let named = match self.slots.get(n_found).or(self.slots.last()) {
            Some(slot) if n_found < n_wanted => format!("there is none for {}", model.name_of(&slot.name)),
            Some(slot) => format!("there are more after {}", model.name_of(&slot.name)),
            None => "the model has none".to_owned(),
        };
        let misfit = || format!("{n_found} weights {}, and {n_wanted} of this model: {named}", self.what);
        (n_wanted != n_found).then(misfit)
    }
}

/// How many updates were made: of all weights the same number.
fn n_steps(saved: &AdamState) -> Result<u64, String> {
    let mut steps = saved.moments.iter().map(|(number, moments)| (number, moments.n_steps));
    let (first, n_steps) = steps.next().ok_or("it remembers nothing of any weight")?;
    match steps.find(|(_, steps)| *steps != n_steps) {
        None => Ok(n_steps),
        Some((other, steps)) => Err(format!(
            "wanted weights with equally many updates, found {n_steps} of weight {first} and {steps} of weight {other}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bertlab_model::{OpenOptions, open};

    const POSITIONS: &str = "embeddings.position_embeddings.weight";

    /// RoBERTa as transformers 5 numbers it: positions after types.
    fn roberta() -> (Model, AdamState) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../goldens/resume/roberta-token-classification/checkpoint-5");
        let (model, _) = open(&folder, &OpenOptions::default()).expect("it belongs to the repository");
        (model, read_adam_state(&folder.join(PYTORCH_FILE)).expect("valid"))
    }

    fn exchange(saved: &mut AdamState, a: usize, b: usize) {
        let [first, second] = [a, b].map(|number| saved.moments.remove(&number).expect("it was trained"));
        saved.moments.insert(b, first);
        saved.moments.insert(a, second);
    }

    #[test]
    fn shapes_tell_in_which_order_weights_were_numbered() {
        let (model, mut saved) = roberta();
        assert_eq!(numbers(&saved, &model).expect("valid")[POSITIONS], 2);
        exchange(&mut saved, 1, 2);
        assert_eq!(numbers(&saved, &model).expect("transformers 4 numbers so")[POSITIONS], 1);
        exchange(&mut saved, 0, 1);
        let message = numbers(&saved, &model).expect_err("no version numbers so");
        assert!(
            message.contains("weight 0 has the shape [20, 8], where roberta.embeddings.word"),
            "{message}"
        );
    }

    #[test]
    fn groups_and_counts_are_checked() {
        let (model, saved) = roberta();
        let refused = |edit: fn(&mut AdamState)| {
            let mut saved = saved.clone();
            edit(&mut saved);
            numbers(&saved, &model).expect_err("it must be refused")
        };
        assert!(refused(|saved| saved.groups.truncate(1)).contains("two groups"));
        assert!(refused(|saved| saved.groups[1].weight_decay = 0.1).contains("without weight decay"));
        let fewer = refused(|saved| saved.groups[0].weights.truncate(9));
        assert!(fewer.contains("weights decay") && fewer.contains("none for classifier.weight"), "{fewer}");
        let more = refused(|saved| saved.groups[1].weights.push(99));
        assert!(more.contains("do not decay") && more.contains("more after classifier.bias"), "{more}");
    }

    #[test]
    fn every_weight_has_made_equally_many_updates() {
        let (_, mut saved) = roberta();
        assert_eq!(n_steps(&saved), Ok(5));
        saved.moments.get_mut(&3).expect("it was trained").n_steps = 4;
        assert!(n_steps(&saved).expect_err("one lags behind").contains("5 of weight 0 and 4 of weight 3"));
        saved.moments.clear();
        assert!(n_steps(&saved).is_err());
    }
}
