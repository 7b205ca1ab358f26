//! T4: fine-tuning with the lab's settings on a user's own rows.

use std::path::{Path, PathBuf};

use bertlab_data::counts::grouped;
use bertlab_data::{Columns, Encoding, Sampling, expand};
use bertlab_train::{SaveStrategy, Scores, TrainingArguments, TrainingSummary};
use serde::Serialize;

use super::{LabData, PrintedTraining, SAMPLES};
use bertlab::{Error, LabelCounts, PreparedTraining, Question, RowsRequest, Task, TextOptions, TrainJob};

/// What T4 needs beside the lab's settings.
#[derive(Clone, Debug)]
pub struct LabTraining {
    /// A folder or a hub name.
    pub model: String,
    /// Never ask the network.
    pub offline: bool,
    /// Rows to learn from.
    pub train_files: Vec<PathBuf>,
    /// Rows to evaluate on.
    pub validation_files: Vec<PathBuf>,
    /// Which columns; found by name where none is named.
    pub columns: Columns,
    /// Learn from so many rows at most; the lab's are [`SAMPLES`].
    pub max_train_samples: usize,
    /// Evaluate on so many rows at most; the lab's are [`SAMPLES`].
    pub max_eval_samples: usize,
    /// Longer texts are cut; the model's own limit when none.
    pub max_length: Option<usize>,
    /// Of the choice of rows, their order, dropout and new weights.
    pub seed: u64,
    /// How it is trained.
    pub settings: LabSettings,
    /// Where everything goes; a run that lies there is written over.
    pub output_dir: PathBuf,
}

/// How T4 trains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabSettings {
    /// As the lab does: learning rate 2e-5, batches of 4, 8 of them an update, one epoch, weight decay 0.01. Gradient
    /// checkpointing, which the lab switches on, gives the same numbers for more time and stays off.
    AsInTheLab,
    /// So that a few hundred rows are enough to learn from.
    FewRows {
        /// Of the model at hand.
        learning_rate: f64,
    },
}

impl LabSettings {
    /// For a few hundred rows, and a model of width D: the wider, the smaller the steps.
    pub fn few_rows(width: usize) -> Self {
        Self::FewRows { learning_rate: 5e-5 * 768.0 / width.max(1) as f64 }
    }

    fn arguments(self, seed: u64) -> TrainingArguments {
        let common = TrainingArguments { weight_decay: 0.01, seed, ..TrainingArguments::default() };
        match self {
            Self::AsInTheLab => TrainingArguments {
                learning_rate: 2e-5,
                per_device_train_batch_size: 4,
                per_device_eval_batch_size: 4,
                gradient_accumulation_steps: 8,
                num_train_epochs: 1.0,
                ..common
            },
            Self::FewRows { learning_rate } => TrainingArguments {
                learning_rate,
                warmup_ratio: 0.1,
                num_train_epochs: 10.0,
                logging_steps: Some(25.0),
                // The last state is the result: the rows that it is judged by have chosen nothing.
                save_strategy: SaveStrategy::No,
                load_best_model_at_end: Some(false),
                ..common
            },
        }
    }
}

/// The model that T4 fine-tunes where none is named: as in the lab, DistilBERT where bert-base-uncased is looked into
/// and rows of the user's are learnt from; else the model itself.
pub fn model_to_train(explored: &str, data: &LabData) -> String {
    let is_the_labs = ["bert-base-uncased", "google-bert/bert-base-uncased"].contains(&explored);
    if is_the_labs && *data != LabData::Reviews && !Path::new(explored).exists() {
        return "distilbert-base-uncased".to_owned();
    }
    explored.to_owned()
}

impl LabTraining {
    /// The settings.
    pub fn arguments(&self) -> TrainingArguments {
        self.settings.arguments(self.seed)
    }

    /// Refuses early what would fail after minutes.
    ///
    /// # Errors
    /// A data file that is not there.
    pub fn check(&self) -> Result<(), Error> {
        expand(&self.train_files)?;
        expand(&self.validation_files)?;
        Ok(())
    }

    /// As a job: a sequence classifier, rows chosen so that every label keeps its share.
    pub fn job(&self) -> TrainJob {
        let train = self.rows(&self.train_files, self.max_train_samples);
        TrainJob {
            offline: self.offline,
            task: Some(Task::SequenceClassification),
            validation: Some(self.rows(&self.validation_files, self.max_eval_samples)),
            text: TextOptions { max_length: self.max_length, ..TextOptions::default() },
            // The lab's rows are as they are: a check may find fault with them.
            ignore_findings: true,
            arguments: self.arguments(),
            overwrite_output_dir: true,
            ..TrainJob::new(&self.model, train, &self.output_dir)
        }
    }

    /// The labels among the rows that the lab's `select(range(5000))` would take, of training and evaluation files.
    ///
    /// # Errors
    /// Files or labels that do not fit the question.
    pub fn first_rows(&self, question: &Question) -> Result<Vec<FirstRows>, Error> {
        let mut found = Vec::new();
        for files in [&self.train_files, &self.validation_files] {
            found.extend(FirstRows::of(&self.rows(files, SAMPLES), question)?);
        }
        Ok(found)
    }

    fn rows(&self, files: &[PathBuf], max_samples: usize) -> RowsRequest {
        RowsRequest {
            files: files.to_vec(),
            columns: self.columns.clone(),
            encoding: Encoding::Utf8,
            optional: false,
            max_samples: Some(max_samples),
            sampling: Sampling::Stratified,
            seed: self.seed,
        }
    }
}

/// How many rows have a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// Its name.
    pub label: String,
    /// Rows that have it.
    pub n_rows: usize,
}

/// The labels among a file's first rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstRows {
    /// The file, or the first of several.
    pub file: PathBuf,
    /// Rows looked at: [`SAMPLES`], or all where there are fewer.
    pub n_rows: usize,
    /// Rows in all.
    pub n_rows_all: usize,
    /// Every label.
    pub labels: Vec<LabelCount>,
}

impl FirstRows {
    /// None where rows have no labels to be counted (numbers).
    fn of(request: &RowsRequest, question: &Question) -> Result<Option<Self>, Error> {
        let dataset = request.read()?;
        let targets = question.targets(&dataset)?;
        let n_rows = targets.len().min(SAMPLES);
        let counts = LabelCounts::of(question, &targets[..n_rows]);
        Ok(counts.map(|counts| Self {
            file: request.files[0].clone(),
            n_rows,
            n_rows_all: targets.len(),
            labels: label_counts(&counts),
        }))
    }

    /// The label that all of them have, if it is so.
    pub fn only_label(&self) -> Option<&str> {
        self.labels.iter().find(|count| count.n_rows == self.n_rows).map(|count| count.label.as_str())
    }
}

fn label_counts(counts: &LabelCounts) -> Vec<LabelCount> {
    let named = counts.names.iter().zip(&counts.counts);
    named.map(|(label, &n_rows)| LabelCount { label: label.clone(), n_rows }).collect()
}

/// How often a classifier is right, and what that is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accuracy {
    /// From 0 to 1.
    pub accuracy: f64,
    /// Wilson's 95 % interval: low, high.
    pub interval: [f64; 2],
    /// The accuracy of always giving the commonest label.
    pub baseline: f64,
    /// The commonest label.
    pub baseline_label: String,
    /// Rows evaluated on.
    pub n_rows: usize,
}

/// What fine-tuning did.
#[derive(Clone, Debug, Serialize)]
pub struct TrainingTask {
    /// What the lab's choice of rows would have been.
    pub first_rows: Vec<FirstRows>,
    /// Rows learnt from.
    pub n_train_rows: usize,
    /// Their labels.
    pub train_labels: Vec<LabelCount>,
    /// Update steps.
    pub n_steps: u64,
    /// Batches of an update.
    pub accumulation: usize,
    /// Batches of the last update.
    pub n_last_accumulation: usize,
    /// The mean of all steps' losses.
    pub train_loss: f64,
    /// Of the model as it ends.
    pub eval_loss: Option<f64>,
    /// Of the model as it ends; none for rows without classes.
    pub accuracy: Option<Accuracy>,
    /// Seconds in the steps alone.
    pub train_seconds: f64,
    /// Seconds in evaluation.
    pub eval_seconds: f64,
    /// Where the model lies.
    pub final_model: PathBuf,
    /// The model that was trained.
    pub model: String,
    /// How.
    pub settings: LabSettings,
    /// What the lab prints, where the settings are its own.
    pub printed: Option<PrintedTraining>,
}

impl TrainingTask {
    /// What is compared, what the lab prints, and what was found here with the difference; empty where the settings are not the lab's.
    pub fn beside_the_lab(&self) -> Vec<[String; 3]> {
        let Some(printed) = self.printed else { return Vec::new() };
        let row = |name: &str, printed: String, here: String| [name.to_owned(), printed, here];
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        let loss = |here: f64, printed: f64| format!("{here:.4} ({:+.4})", here - printed);
        let accuracy = self.accuracy.as_ref();
        let n_steps = format!("{} ({:+})", self.n_steps, self.n_steps as i64 - printed.n_steps as i64);
        let eval_loss = self.eval_loss.map(|here| loss(here, printed.eval_loss));
        let difference = |found: &Accuracy| 100.0 * (found.accuracy - printed.accuracy);
        let accuracy_here = accuracy.map(|it| format!("{} ({:+.1})", percent(it.accuracy), difference(it)));
        let interval =
            accuracy.map(|it| it.interval.map(|share| format!("{:.1}", 100.0 * share)).join(" to "));
        let baseline = accuracy.map(|found| percent(found.baseline));
        let train_seconds = printed.seconds - printed.eval_seconds;
        vec![
            row("model", "distilbert-base-uncased".to_owned(), self.model.clone()),
            row("rows learnt from", "5,000, all negative".to_owned(), self.rows_in_words()),
            row("update steps", printed.n_steps.to_string(), n_steps),
            row(
                "training loss",
                format!("{:.4}", printed.train_loss),
                loss(self.train_loss, printed.train_loss),
            ),
            row("evaluation loss", format!("{:.4}", printed.eval_loss), or_none(eval_loss)),
            row("accuracy", percent(printed.accuracy), or_none(accuracy_here)),
            row("its 95 % interval", "means nothing".to_owned(), or_none(interval)),
            row("always the commonest label", percent(1.0), or_none(baseline)),
            row(
                "seconds of training",
                format!("{train_seconds:.0} (GPU)"),
                format!("{:.0}", self.train_seconds),
            ),
            row(
                "seconds of evaluation",
                format!("{:.0}", printed.eval_seconds),
                format!("{:.0}", self.eval_seconds),
            ),
        ]
    }

    /// `5,000: neg 2,500, pos 2,500`
    fn rows_in_words(&self) -> String {
        let labels: Vec<String> = self
            .train_labels
            .iter()
            .map(|count| format!("{} {}", count.label, grouped(count.n_rows)))
            .collect();
        format!("{}: {}", grouped(self.n_train_rows), labels.join(", "))
    }

    /// What a run did.
    pub fn of(
        training: &LabTraining,
        first_rows: Vec<FirstRows>,
        prepared: &PreparedTraining,
        summary: &TrainingSummary,
    ) -> Self {
        let plan = prepared.plan();
        let names = &prepared.opened.model.spec.head.labels;
        let accuracy = summary.evaluation.as_ref().and_then(|evaluation| match &evaluation.scores {
            Scores::Classification(report) => Some(Accuracy {
                accuracy: report.accuracy,
                interval: [report.accuracy_interval.low, report.accuracy_interval.high],
                baseline: report.majority_baseline.share,
                baseline_label: names[report.majority_baseline.class].clone(),
                n_rows: report.n_rows,
            }),
            _ => None,
        });
        Self {
            first_rows,
            n_train_rows: plan.n_rows,
            train_labels: prepared.train.counts.as_ref().map(label_counts).unwrap_or_default(),
            n_steps: summary.n_steps,
            accumulation: plan.accumulation,
            n_last_accumulation: plan.n_last_accumulation(),
            train_loss: summary.train_loss,
            eval_loss: summary.evaluation.as_ref().map(|evaluation| evaluation.loss),
            accuracy,
            train_seconds: summary.train_time.as_secs_f64(),
            eval_seconds: summary.eval_time.as_secs_f64(),
            final_model: summary.final_model.clone(),
            model: training.model.clone(),
            settings: training.settings,
            printed: (training.settings == LabSettings::AsInTheLab).then_some(PrintedTraining::LAB),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bertlab_data::{LabelSpace, ProblemType};
    use bertlab_train::Plan;
    use std::path::Path;

    fn training(folder: &Path, train: &str) -> LabTraining {
        LabTraining {
            model: "model".to_owned(),
            offline: true,
            train_files: vec![folder.join(train)],
            validation_files: vec![folder.join(train)],
            columns: Columns::default(),
            max_train_samples: SAMPLES,
            max_eval_samples: SAMPLES,
            max_length: None,
            seed: 42,
            settings: LabSettings::AsInTheLab,
            output_dir: folder.join("out"),
        }
    }

    #[test]
    fn the_labs_5000_rows_are_157_steps_the_last_2_of_8() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plan = Plan::new(&training(folder.path(), "a.csv").arguments(), (SAMPLES, 10 * SAMPLES), true);
        assert_eq!((plan.n_micro_batches, plan.n_steps), (1250, 157));
        assert_eq!((plan.n_last_accumulation(), plan.accumulation), (2, 8));
    }

    #[test]
    fn a_sorted_file_shows_one_label_among_its_first_rows() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rows = |n_bad: usize| {
            let bad = "it bored me,0\n".repeat(n_bad);
            format!("text,label\n{bad}{}", "it moved me,1\n".repeat(SAMPLES + 1))
        };
        let space = LabelSpace {
            problem_type: ProblemType::SingleLabel,
            names: vec!["0".to_owned(), "1".to_owned()],
        };
        for (n_bad, only) in [(SAMPLES, Some("0")), (SAMPLES - 1, None), (0, Some("1"))] {
            std::fs::write(folder.path().join("rows.csv"), rows(n_bad)).expect("writable");
            let training = training(folder.path(), "rows.csv");
            let found = training.first_rows(&Question::Rows(space.clone())).expect("valid rows");
            assert_eq!(found.len(), 2);
            assert_eq!(found[0].only_label(), only);
            assert_eq!((found[0].n_rows, found[0].n_rows_all), (SAMPLES, n_bad + SAMPLES + 1));
            assert_eq!(found[0].labels[0], LabelCount { label: "0".to_owned(), n_rows: n_bad });
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_refused_early() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let training = training(folder.path(), "rows.csv");
        let refused = training.check().expect_err("no file").to_string();
        assert!(refused.contains("rows.csv") && refused.contains("cannot be read"), "{refused}");
        std::fs::write(folder.path().join("rows.csv"), "text,label\na,0\n").expect("writable");
        training.check().expect("it is there");
    }

    #[test]
    fn the_labs_model_is_looked_into_and_distilbert_trained() {
        let imdb = LabData::Dataset("stanfordnlp/imdb".to_owned());
        assert_eq!(model_to_train("bert-base-uncased", &imdb), "distilbert-base-uncased");
        assert_eq!(model_to_train("bert-base-uncased", &LabData::Reviews), "bert-base-uncased");
        assert_eq!(model_to_train("roberta-base", &imdb), "roberta-base");
    }

    #[test]
    fn a_wider_model_takes_smaller_steps() {
        let rate = |width| LabSettings::few_rows(width).arguments(0).learning_rate;
        assert!((rate(768) - 5e-5).abs() < 1e-12 && (rate(256) - 1.5e-4).abs() < 1e-12);
    }
}
