//! The report of a run: what was seen of it while it ran, and how it ended.

use bertlab_feedback::{Cancelled, Progress, Status};
use std::path::{Path, PathBuf};

use bertlab_report::tensorboard::EventLog;
use bertlab_report::{Outcome, RunReport, Seconds, SplitFacts, TrainingFacts};
use bertlab_train::{
    Evaluation, Plan, Record, ReportTo, Reporter, TrainingArguments, TrainingSummary, saved_log,
};

use super::PreparedTraining;
use crate::report::{self, evaluation_facts, model_facts, repeat_facts, split_facts};
use crate::{Error, RowsRequest};

/// Sees the whole log of a run, also where it does not come to its end.
pub(crate) struct Witness {
    output_dir: PathBuf,
    log: Vec<Record>,
    /// Steps in all; none of a run that did not begin.
    n_steps: Option<u64>,
    last_evaluation: Option<Evaluation>,
    events: Events,
    /// To be said when the run has ended.
    warnings: Vec<String>,
}

/// TensorBoard's event files of a run.
enum Events {
    /// Not wanted, or given up after a warning.
    No,
    /// Begun with the first line: by then it is known whether the run goes on.
    Wanted { goes_on: bool },
    /// Under way.
    Open(EventLog),
}

impl Witness {
    pub(crate) fn new(output_dir: &Path, report_to: ReportTo) -> Self {
        Self {
            output_dir: output_dir.to_path_buf(),
            log: Vec::new(),
            n_steps: None,
            last_evaluation: None,
            warnings: Vec::new(),
            events: match report_to {
                ReportTo::None => Events::No,
                ReportTo::Tensorboard => Events::Wanted { goes_on: false },
            },
        }
    }

    /// The last evaluation that the run made.
    pub(crate) fn last_evaluation(&self) -> Option<&Evaluation> {
        self.last_evaluation.as_ref()
    }

    /// How the run went.
    pub(crate) fn facts(
        &self,
        outcome: Outcome,
        arguments: &TrainingArguments,
        summary: Option<&TrainingSummary>,
    ) -> TrainingFacts {
        TrainingFacts {
            outcome,
            arguments: arguments.clone(),
            log: self.log.clone(),
            divergence: summary.and_then(|summary| summary.divergence),
            n_steps: self.n_steps.unwrap_or(0),
            loaded_step: summary.and_then(|summary| summary.loaded.as_ref()).map(|best| best.global_step),
            seconds: summary.map(|summary| Seconds {
                training: summary.train_time.as_secs_f64(),
                evaluation: summary.eval_time.as_secs_f64(),
                saving: summary.save_time.as_secs_f64(),
            }),
        }
    }

    /// Writes the report, and the card of a model that came of it; what stands in its way is a warning.
    pub(crate) fn leave(
        &self,
        report: &RunReport,
        summary: Option<&TrainingSummary>,
        reporter: &mut dyn Reporter,
    ) {
        if self.n_steps.is_none() {
            return; // The run was refused: whatever lies in the folder is not its own.
        }
        self.warnings.iter().for_each(|warning| reporter.warned(warning));
        if let Some(summary) = summary
            && let Err(error) = report::write_card(&summary.final_model, report)
        {
            reporter.warned(&format!("the model card could not be written: {error}"));
        }
        if let Err(error) = report::write(&self.output_dir, report) {
            reporter.warned(&format!("the report could not be written: {error}"));
        }
    }

    /// What stood in the way of event files, in words: the run goes on without.
    fn add_event(&mut self, record: &Record) -> Result<(), std::io::Error> {
        if let Events::Wanted { goes_on } = self.events {
            self.events = Events::Open(EventLog::begin(&self.output_dir, &self.log, goes_on)?);
        }
        match &mut self.events {
            Events::Open(log) => log.add(record),
            _ => Ok(()),
        }
    }
}

impl Progress for Witness {
    fn update(&self, _: Status<'_>) -> Result<(), Cancelled> {
        Ok(())
    }
}

impl Reporter for Witness {
    fn planned(&mut self, plan: &Plan) {
        self.n_steps = Some(plan.n_steps);
        report::forget(&self.output_dir);
    }

    fn resumed(&mut self, checkpoint: &Path, _step: u64) {
        self.log = saved_log(checkpoint);
        if let Events::Wanted { goes_on } = &mut self.events {
            *goes_on = true;
        }
    }

    fn logged(&mut self, record: &Record) {
        if let Err(error) = self.add_event(record) {
            self.events = Events::No;
            self.warnings.push(format!("TensorBoard's event files end at this step: {error}"));
        }
        self.log.push(record.clone());
    }

    fn evaluated(&mut self, evaluation: &Evaluation) {
        self.last_evaluation = Some(evaluation.clone());
    }
}

impl PreparedTraining {
    /// Writes the report; what stands in its way is a warning.
    pub(super) fn leave_report(
        &mut self,
        witness: &Witness,
        result: &Result<TrainingSummary, Error>,
        reporter: &mut dyn Reporter,
    ) {
        let report = self.run_report(witness, result);
        witness.leave(&report, result.as_ref().ok(), reporter);
        self.report = Some(report);
    }

    fn run_report(&self, witness: &Witness, result: &Result<TrainingSummary, Error>) -> RunReport {
        let summary = result.as_ref().ok();
        let outcome = match result {
            Ok(_) => Outcome::Finished,
            Err(error) => Outcome::Ended(error.to_string()),
        };
        let training = witness.facts(outcome, &self.job.arguments, summary);
        let while_training =
            summary.and_then(|summary| summary.evaluation.as_ref()).or(witness.last_evaluation());
        // Rows that were evaluated once, at the end, say more than those by which the model was chosen.
        let test = summary.and_then(|summary| summary.test.as_ref()).zip(self.test.as_ref());
        let evaluation = match test {
            Some((found, rows)) => Some(evaluation_facts("test", found, rows)),
            None => while_training
                .zip(self.validation.as_ref())
                .map(|(found, rows)| evaluation_facts("evaluation", found, rows)),
        };
        RunReport {
            model: model_facts(&self.opened, &self.job.model),
            training: Some(training),
            splits: self.split_facts(),
            findings: self.preflight.findings.clone(),
            evaluation,
            repeat: repeat_facts(self.command.clone()),
        }
    }

    fn split_facts(&self) -> Vec<SplitFacts> {
        let files = |request: &Option<RowsRequest>| request.as_ref().map(|request| request.files.clone());
        let training = &self.job.train.files;
        let mut splits = vec![split_facts("training", &self.train, training)];
        if let Some(rows) = &self.validation {
            // Held out of the training rows where no files were given.
            let files = files(&self.job.validation).unwrap_or_else(|| training.clone());
            let name = if self.held_out.is_some() { "evaluation (held out)" } else { "evaluation" };
            splits.push(split_facts(name, rows, &files));
        }
        if let (Some(rows), Some(files)) = (&self.test, files(&self.job.test)) {
            splits.push(split_facts("test", rows, &files));
        }
        splits
    }
}
