//! The lab "Explore BERT", task by task, on any model: what each step computes, and its numbers.
//!
//! T1 what the model is made of, T2 words in context, T3 all hidden states, T4 fine-tuning. The lab's own figures are
//! of bert-base-uncased; only where a model is that one do they stand beside its numbers.
//!
//! B sentences, N tokens of the longest one, D width, L layers, everywhere in this folder.

mod folder;
mod layers;
mod model;
mod page;
mod printed;
mod training;
mod words;

use bertlab_explore::summary;
use serde::Serialize;

pub use folder::{LabData, LabFiles, LabFolder};
pub use layers::LayersTask;
pub use model::{ModelTask, Part, QueryModule};
pub use page::{NextStep, PAIRS, write_lab_report};
pub use printed::{Counts, Figure, Likeness, PrintedTraining, SAMPLES, TOLERANCE};
pub use training::{Accuracy, FirstRows, LabSettings, LabTraining, LabelCount, TrainingTask, model_to_train};
pub use words::{Baseline, LabSentence, LabWord, PaddedBatch, SENTENCES, WordsTask};

use bertlab::{Error, OpenedModel};

/// The lab on one model.
#[derive(Clone, Debug, Serialize)]
pub struct LabReport {
    /// Whether the lab's printed figures are of this model.
    pub likeness: Likeness,
    /// What the model is made of.
    pub t1: ModelTask,
    /// Words in context.
    pub t2: WordsTask,
    /// All hidden states.
    pub t3: LayersTask,
    /// Fine-tuning, where it was asked for.
    pub t4: Option<TrainingTask>,
}

impl LabReport {
    /// T1 to T3 of the lab on a model, which is best opened without a head: the lab looks at the bare encoder.
    ///
    /// # Errors
    /// A model that has no tokenizer, or that does not take the lab's four sentences.
    pub fn of(opened: &OpenedModel) -> Result<Self, Error> {
        let t1 = ModelTask::of(opened)?;
        let t2 = WordsTask::of(opened)?;
        let t3 = LayersTask::of(opened, t2.last_hidden_state)?;
        let mut report = Self { likeness: Likeness::Other, t1, t2, t3, t4: None };
        report.likeness = Likeness::of(&summary(&opened.model), &report.figures());
        report.compare();
        Ok(report)
    }

    /// The seven cosines that the lab prints, in its order.
    fn figures(&self) -> Vec<&Figure> {
        self.t2.cosines.iter().chain([&self.t3.last_four]).collect()
    }

    /// Puts the lab's figures beside the numbers, as far as they are of this model.
    fn compare(&mut self) {
        if self.likeness != Likeness::Other {
            self.t1.printed = Some(Counts::PRINTED);
        }
        if self.likeness == Likeness::BertBaseUncased {
            self.t2.cosines.iter_mut().chain([&mut self.t3.last_four]).for_each(Figure::compare);
        }
    }
}
