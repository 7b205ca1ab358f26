//! The same training with several seeds: how far its figures are from chance.

use bertlab_feedback::Progress;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bertlab_checkpoint::atomic;
use bertlab_settings::{Kind, SettingValue};
use bertlab_train::{PROGRESS_FILE, Reporter, Resume, TrainError, TrainingSummary};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PreparedTraining, TrainJob};
use crate::Error;

/// The file in the output folder that holds what came of every seed.
pub const SEEDS_FILE: &str = "seeds.json";

/// Which seeds. In files: a number, a list of numbers, or the words of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seeds {
    /// So many, from the settings' seed on.
    Count(u64),
    /// These.
    These(Vec<u64>),
}

impl FromStr for Seeds {
    type Err = String;

    /// `5`, or `1,2,3`.
    fn from_str(words: &str) -> Result<Self, String> {
        let numbers = words.split(',').map(|word| word.trim().parse::<u64>());
        let numbers = numbers.collect::<Result<Vec<u64>, _>>().map_err(|_| format!("{words:?}"))?;
        match numbers[..] {
            [n] => Self::Count(n).checked(),
            _ => Self::These(numbers).checked(),
        }
    }
}

impl SettingValue for Seeds {
    const KIND: Kind = Kind::Text;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        let list = |values: &Vec<Value>| values.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
        let seeds = match value {
            Value::String(words) => words.parse(),
            Value::Array(values) => {
                list(values).ok_or_else(|| value.to_string()).and_then(|all| Self::These(all).checked())
            }
            value => value.as_u64().ok_or_else(|| value.to_string()).and_then(|n| Self::Count(n).checked()),
        };
        seeds.map_err(|why| format!("how many seeds (5), or which (1,2,3): {why}"))
    }

    fn words(&self) -> String {
        match self {
            Self::Count(n) => n.to_string(),
            Self::These(seeds) => seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(","),
        }
    }
}

impl Seeds {
    /// Refuses no seeds, and the same one twice.
    fn checked(self) -> Result<Self, String> {
        let mut sorted = self.list(0);
        let n = sorted.len();
        sorted.sort_unstable();
        sorted.dedup();
        match n {
            0 => Err("0 seeds are no training; wanted 1 or more".to_owned()),
            _ if sorted.len() < n => Err("a seed stands there twice".to_owned()),
            _ => Ok(self),
        }
    }

    fn list(&self, first: u64) -> Vec<u64> {
        match self {
            Self::Count(n) => (0..*n).map(|i| first.wrapping_add(i)).collect(),
            Self::These(seeds) => seeds.clone(),
        }
    }
}

/// What came of one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// Of order, dropout and new weights.
    pub seed: u64,
    /// Update steps.
    pub n_steps: u64,
    /// The mean of all steps' losses.
    pub train_loss: f64,
    /// Of the evaluation of the final model; what is undefined is none.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// Where the model lies, in the output folder.
    pub final_model: PathBuf,
}

/// How a figure is spread over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Seeds with that figure.
    pub n: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample (over n - 1); none for one seed.
    pub standard_deviation: Option<f64>,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of these values; none where there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (n > 0).then(|| Self {
            n,
            mean,
            standard_deviation: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// What is known when some seeds are done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SeedSummary {
    /// In the order of the seeds.
    pub runs: Vec<SeedResult>,
    /// By the metric's name; `train_loss` among them.
    pub metrics: BTreeMap<String, Spread>,
}

impl SeedSummary {
    fn new(runs: Vec<SeedResult>) -> Self {
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for run in &runs {
            values.entry("train_loss".to_owned()).or_default().push(run.train_loss);
            for (name, value) in &run.metrics {
                values.entry(name.clone()).or_default().extend(value);
            }
        }
        let metrics = values.into_iter().filter_map(|(name, values)| Some((name, Spread::of(&values)?)));
        Self { metrics: metrics.collect(), runs }
    }

    /// By how much accuracy is better than always the commonest label, and its standard deviation over seeds.
    pub fn gain_and_spread(&self) -> Option<(f64, f64)> {
        let accuracy = self.metrics.get("accuracy")?;
        let baseline = self.metrics.get("majority_baseline")?;
        Some((accuracy.mean - baseline.mean, accuracy.standard_deviation?))
    }
}

/// seeds.json
#[derive(Serialize, Deserialize)]
struct SeedsFile {
    /// Settings and rows that all runs have in common.
    identity: Value,
    runs: Vec<SeedResult>,
    /// For whoever reads the file; computed anew from the runs.
    #[serde(default)]
    metrics: Value,
}

/// Runs of one job that differ in their seed: order, dropout and new weights. The rows are the same in all.
pub struct SeedRuns {
    prepared: PreparedTraining,
    seeds: Vec<u64>,
    output_dir: PathBuf,
    identity: Value,
    done: Vec<SeedResult>,
    goes_on: bool,
}

impl SeedRuns {
    /// Prepares the job once. `progress`: as [`TrainJob::prepare`]. Of a job that resumes, seeds that are
    /// done are done.
    ///
    /// # Errors
    /// As [`TrainJob::prepare`]; an output folder that is in use, or holds other runs than these.
    pub fn prepare(job: TrainJob, seeds: &Seeds, progress: &dyn Progress) -> Result<Self, Error> {
        let output_dir = job.output_dir.clone();
        let seeds = seeds.list(job.arguments.seed);
        let goes_on = job.resume != Resume::No;
        let file = output_dir.join(SEEDS_FILE);
        if !goes_on && !job.overwrite_output_dir {
            check_unused(&output_dir)?;
        }
        // Whether a seed's own folder is in use is seen when its turn comes.
        let job = TrainJob { resume: Resume::No, overwrite_output_dir: true, ..job };
        let mut prepared = job.prepare(progress)?;
        let identity = prepared.trainer().fingerprint();
        let done = match fs::read(&file) {
            Ok(text) if goes_on => done_before(&file, &text, &identity)?,
            _ => Vec::new(),
        };
        if !goes_on {
            remove(&file)?;
        }
        Ok(Self { prepared, seeds, output_dir, identity, done, goes_on })
    }

    /// What is the same for all seeds.
    pub fn prepared(&self) -> &PreparedTraining {
        &self.prepared
    }

    /// All seeds, in their order.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// What came of a seed that is done.
    pub fn result(&self, seed: u64) -> Option<&SeedResult> {
        let is_there =
            |run: &&SeedResult| run.seed == seed && self.output_dir.join(&run.final_model).is_dir();
        self.done.iter().find(is_there)
    }

    /// Trains with a seed, in `OUTPUT_DIR/seed-N`, from its newest checkpoint where it was begun and the job
    /// resumes.
    ///
    /// # Errors
    /// As [`PreparedTraining::train`]; seeds.json that cannot be written.
    pub fn train(&mut self, seed: u64, reporter: &mut dyn Reporter) -> Result<TrainingSummary, Error> {
        let name = format!("seed-{seed}");
        let folder = self.output_dir.join(&name);
        self.prepared.begin_seed(seed, folder.clone(), self.goes_on && has_checkpoint(&folder))?;
        let summary = self.prepared.train(reporter)?;
        let evaluation = summary.evaluation.as_ref();
        let metrics = evaluation.map(|evaluation| evaluation.metrics()).unwrap_or_default();
        self.done.retain(|run| run.seed != seed);
        self.done.push(SeedResult {
            seed,
            n_steps: summary.n_steps,
            train_loss: summary.train_loss,
            metrics: metrics.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            final_model: Path::new(&name).join("final_model"),
        });
        self.write()?;
        Ok(summary)
    }

    /// Over the seeds that are done.
    pub fn summary(&self) -> SeedSummary {
        SeedSummary::new(self.seeds.iter().filter_map(|&seed| self.result(seed).cloned()).collect())
    }

    fn write(&self) -> Result<(), Error> {
        let summary = self.summary();
        let metrics = serde_json::to_value(&summary.metrics).expect("figures are plain values");
        let file = SeedsFile { identity: self.identity.clone(), runs: self.done.clone(), metrics };
        let mut text = serde_json::to_vec_pretty(&file).expect("figures are plain values");
        text.push(b'\n');
        Ok(atomic::write_file(&self.output_dir.join(SEEDS_FILE), &text)?)
    }
}

impl PreparedTraining {
    /// The same rows, and a model with new weights of this seed.
    fn begin_seed(&mut self, seed: u64, output_dir: PathBuf, goes_on: bool) -> Result<(), Error> {
        self.job.arguments.seed = seed;
        self.job.output_dir = output_dir;
        self.job.resume = if goes_on { Resume::Newest } else { Resume::No };
        self.job.overwrite_output_dir = !goes_on;
        (self.opened, self.masking) = self.job.set_up(&self.question)?;
        Ok(())
    }
}

fn done_before(file: &Path, text: &[u8], identity: &Value) -> Result<Vec<SeedResult>, Error> {
    let damaged = |why: String| TrainError::DamagedCheckpoint { file: file.to_path_buf(), why };
    let known: SeedsFile = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
    if known.identity != *identity {
        let what = "its seeds were trained with other settings or rows, see \"identity\" there".to_owned();
        return Err(TrainError::ChangedRun { checkpoint: file.to_path_buf(), what }.into());
    }
    Ok(known.runs)
}

/// Whether a run can go on from a checkpoint in its folder; one with the model alone is none.
fn has_checkpoint(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_whole = |entry: fs::DirEntry| {
        let is_checkpoint = entry.file_name().to_string_lossy().starts_with("checkpoint-");
        is_checkpoint && entry.path().join(PROGRESS_FILE).is_file()
    };
    entries.into_iter().any(is_whole)
}

/// Refuses a folder that holds runs of seeds, or a run.
fn check_unused(folder: &Path) -> Result<(), Error> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_run = |name: &String| {
        [SEEDS_FILE, "final_model", "trainer_state.json"].contains(&name.as_str())
            || ["seed-", "checkpoint-"].iter().any(|start| name.starts_with(start))
    };
    match names.map(|name| name.to_string_lossy().into_owned()).find(is_run) {
        Some(found) => Err(TrainError::OutputInUse { folder: folder.to_path_buf(), found }.into()),
        None => Ok(()),
    }
}

fn remove(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            let (path, action) = (file.to_path_buf(), "remove the file");
            Err(bertlab_checkpoint::Error::Io { path, action, source }.into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_counted_or_listed() {
        assert_eq!("3".parse::<Seeds>().map(|seeds| seeds.list(42)), Ok(vec![42, 43, 44]));
        assert_eq!("7, 1".parse::<Seeds>().map(|seeds| seeds.list(42)), Ok(vec![7, 1]));
        for wrong in ["0", "a", "1,1", "", "-3"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
        let read =
            |text: &str| Seeds::read(&serde_json::from_str(text).expect("it is JSON"), &mut Vec::new());
        assert_eq!(read("3").ok(), Some(Seeds::Count(3)));
        assert_eq!(
            (read("[7]").ok(), read("\"7, 1\"").ok()),
            (Some(Seeds::These(vec![7])), "7,1".parse().ok())
        );
        for wrong in ["0", "[1, 1]", "[]", "true", "1.5"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        // numpy.std([1, 2, 4], ddof=1) = 1.5275252316519468
        let spread = Spread::of(&[1.0, 2.0, 4.0]).expect("three values");
        assert!((spread.standard_deviation.expect("more than one") - 1.527_525_231_651_946_8).abs() < 1e-15);
        assert_eq!((spread.n, spread.min, spread.max), (3, 1.0, 4.0));
        assert_eq!(Spread::of(&[2.0]).map(|spread| spread.standard_deviation), Some(None));
        assert_eq!(Spread::of(&[]), None);
    }
}
