//! What a run or an evaluation leaves for a person: gathered here, made by the report crate, written whole or not at all.

mod gather;

use std::path::Path;

use bertlab_checkpoint::atomic;

pub use bertlab_report::{
    Comparison, EvaluationFacts, ModelFacts, Outcome, Plot, RepeatFacts, RowFacts, RunReport, Seconds,
    SplitFacts, Tone, TrainingFacts, Verdict, model_card, page, plots, verdict,
};
pub(crate) use gather::{evaluation_facts, split_facts};
pub use gather::{evaluation_report, last_part, model_facts, repeat_facts};

use crate::Error;

/// The page's name in an output folder.
pub const PAGE: &str = "report.html";
/// The folder of plots in an output folder.
pub const PLOTS: &str = "plots";

/// Writes the page and the plots into a run's output folder.
///
/// # Errors
/// Files that cannot be written.
pub fn write(output_dir: &Path, report: &RunReport) -> Result<(), Error> {
    write_page(&output_dir.join(PAGE), report)?;
    let plots = plots(report);
    atomic::write_folder(&output_dir.join(PLOTS), |staging| -> Result<(), Error> {
        for plot in &plots {
            atomic::write_file(&staging.join(&plot.file_name), plot.svg.as_bytes())?;
        }
        Ok(())
    })
}

/// Writes the model card into the folder of a trained model.
///
/// # Errors
/// A file that cannot be written.
pub fn write_card(final_model: &Path, report: &RunReport) -> Result<(), Error> {
    Ok(atomic::write_file(&final_model.join("README.md"), model_card(report).as_bytes())?)
}

/// Writes the page alone.
///
/// # Errors
/// A file that cannot be written.
pub fn write_page(file: &Path, report: &RunReport) -> Result<(), Error> {
    Ok(atomic::write_file(file, page(report).as_bytes())?)
}

/// Removes what an earlier run has left, so that nothing old is taken for new.
pub(crate) fn forget(output_dir: &Path) {
    // What cannot be removed is written over at the end, or that fails with words.
    std::fs::remove_file(output_dir.join(PAGE)).ok();
    std::fs::remove_dir_all(output_dir.join(PLOTS)).ok();
}
