//! From the lab's findings to its page.

use std::path::Path;

use bertlab_checkpoint::atomic;
use bertlab_data::counts::grouped;
use bertlab_explore::{TreeLine, tree_lines};
use bertlab_report::{
    LabFacts, LayersFacts, ModelTreeFacts, ModuleLine, PairFacts, RunReport, TokenFacts, WordsFacts, lab_page,
};

use super::{Figure, LabReport, LabSentence, Likeness, ModelTask, TrainingTask};
use bertlab::Error;
use bertlab::report::{last_part, repeat_facts};

/// Names of the cosines of T2, in the lab's order.
pub const PAIRS: [&str; 6] =
    ["CPU ~ Intel", "GPU ~ NVIDIA", "CPU ~ NVIDIA", "GPU ~ Intel", "CPU ~ GPU", "Intel ~ NVIDIA"];

/// What to try after the lab, as the program that runs it spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// What it is good for.
    pub words: String,
    /// What to type.
    pub command: String,
}

/// Writes the page into a file.
///
/// # Errors
/// A file that cannot be written.
pub fn write_lab_report(
    file: &Path,
    name: &str,
    report: &LabReport,
    training: Option<&RunReport>,
    next: &[NextStep],
) -> Result<(), Error> {
    let repeat = repeat_facts(None);
    let facts = LabFacts {
        name: last_part(name),
        introduction: report.introduction(),
        model: model_facts(&report.t1),
        words: words_facts(report),
        layers: layers_facts(report),
        training: training.cloned(),
        beside_the_lab: report.t4.as_ref().map(TrainingTask::beside_the_lab).unwrap_or_default(),
        next: next.iter().map(|step| (step.words.clone(), step.command.clone())).collect(),
        version: repeat.version,
        written_at: repeat.written_at,
    };
    atomic::make_folder_of(file)?;
    Ok(atomic::write_file(file, lab_page(&facts).as_bytes())?)
}

impl LabReport {
    /// What the lab's printed figures have to do with this model.
    pub fn introduction(&self) -> String {
        match self.likeness {
            Likeness::BertBaseUncased => format!(
                "This is bert-base-uncased, the model of the lab: what the lab prints stands beside each number, and \
                 \"agrees\" means within {:e}.",
                super::TOLERANCE
            ),
            Likeness::SameShape => {
                "The lab's printed figures are of bert-base-uncased. This model has its sizes, but other \
                 weights (fine-tuned, trained anew, or random), so that from T2 on its numbers stand alone."
                    .to_owned()
            }
            Likeness::Other => format!(
                "The lab's printed figures are of bert-base-uncased. This is another model ({}, {} layers of width {}), so \
                 its numbers stand alone.",
                self.t1.class, self.t1.n_layers, self.t1.width
            ),
        }
    }
}

fn model_facts(task: &ModelTask) -> ModelTreeFacts {
    let printed = task.printed;
    let query = &task.query;
    let line = |line: TreeLine| ModuleLine {
        depth: line.depth,
        label: line.name_label() + &line.class_label(),
        count: match line.n_parameters {
            0 => String::new(),
            n => format!("{}{}", line.times(), grouped(n)),
        },
    };
    ModelTreeFacts {
        counts: [
            ("tensors", task.counts.n_tensors, printed.map(|printed| printed.n_tensors)),
            ("parameters", task.counts.n_parameters, printed.map(|printed| printed.n_parameters)),
        ],
        n_layers: task.n_layers,
        width: task.width,
        parts: task.parts.iter().map(|part| (part.name.clone(), part.n_parameters)).collect(),
        modules: tree_lines(&task.tree).into_iter().map(line).collect(),
        query: format!(
            "{}: weight {:?} ([out, in]: {} heads of {} rows, stacked), mean {:.6}, standard deviation {:.6}.",
            query.path, query.weight_shape, query.n_heads, query.head_width, query.mean, query.std
        ),
    }
}

fn words_facts(report: &LabReport) -> WordsFacts {
    let task = &report.t2;
    let tokens = |sentence: &LabSentence| {
        let encoding = &sentence.encoding;
        let token = |position: usize| TokenFacts {
            token: encoding.tokens[position].clone(),
            id: encoding.input_ids[position],
            word: encoding.word_ids[position],
        };
        (0..encoding.len()).map(token).collect()
    };
    WordsFacts {
        sentences: task.sentences.iter().map(tokens).collect(),
        n_places: task.padded.n_places,
        n_tokens: task.padded.n_tokens,
        labels: task.words.iter().map(|word| word.word.clone()).collect(),
        matrix: task.matrix.clone(),
        pairs: PAIRS.iter().zip(&task.cosines).map(|(name, figure)| pair(name, figure)).collect(),
        baseline: task.baseline.mean,
    }
}

fn layers_facts(report: &LabReport) -> LayersFacts {
    let task = &report.t3;
    LayersFacts {
        n_hidden_states: task.n_hidden_states,
        shape: format!("{:?}", task.shape),
        towards_last: task.towards_last.clone(),
        cpu_gpu: task.cpu_gpu.clone(),
        pairs: vec![
            pair("mean of the last layers ~ T2's CPU", &task.last_four),
            pair("layers only: mean ~ last", &task.layers_only),
            pair("occurrences only: sentence 1 ~ 1 and 2", &task.occurrences_only),
        ],
    }
}

fn pair(name: &str, figure: &Figure) -> PairFacts {
    PairFacts { name: name.to_owned(), value: figure.value, printed: figure.printed }
}
