//! TensorBoard event files: TFRecord frames of `Event` protocol buffers, written by hand.

mod checksum;
mod event;
mod record;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bertlab_train::Record;

use crate::number::civil;
use event::Event;
pub use event::Scalar;
pub use record::{Damaged, scalars};

/// Name of the folder for event files in an output folder.
pub const RUNS: &str = "runs";

/// An event file that grows with a run's log. Each record is written immediately.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    path: PathBuf,
}

impl EventLog {
    /// Creates the event file of a run in `output_dir`, with the records of `log`. A resumed run keeps its
    /// folder; its older files, which may contain steps that are repeated, are replaced.
    ///
    /// # Errors
    /// A folder or a file that cannot be written.
    pub fn begin(output_dir: &Path, log: &[Record], is_resumed: bool) -> io::Result<Self> {
        let now = now();
        let runs = output_dir.join(RUNS);
        let last = if is_resumed { last_folder(&runs) } else { None };
        let folder = last.unwrap_or_else(|| runs.join(folder_name(now as u64)));
        fs::create_dir_all(&folder)?;
        let older = event_files(&folder);
        let times = older.iter().flat_map(times_of).collect::<Vec<(u64, f64)>>();
        let path = free_path(&folder, now as u64);
        let beside = path.with_extension("partial");
        let mut file = File::create_new(&beside)?;
        let mut bytes = record::framed(&Event::version(now).bytes());
        // Invalidates what a reader knows from earlier files of this run.
        bytes.extend(record::framed(&Event::start(now).bytes()));
        for line in log {
            let step = step_of(line);
            let time = times.iter().find(|(known, _)| *known == step).map_or(now, |(_, time)| *time);
            bytes.extend(record::framed(&Event::of_log(line, step, time).bytes()));
        }
        file.write_all(&bytes)?;
        fs::rename(&beside, &path)?;
        older.iter().try_for_each(fs::remove_file)?;
        Ok(Self { file, path })
    }

    /// Appends a log record.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn add(&mut self, line: &Record) -> io::Result<()> {
        let event = Event::of_log(line, step_of(line), now());
        self.file.write_all(&record::framed(&event.bytes()))
    }

    /// Path of the event file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64())
}

fn step_of(line: &Record) -> u64 {
    line.get("step").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

/// The name of a run as in HuggingFace, but in UTC: `Mar01_14-05-09_host`.
fn folder_name(seconds: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60);
    let month = MONTHS[month as usize - 1];
    format!("{month}{day:02}_{hour:02}-{minute:02}-{second:02}_{}", host())
}

/// The host name, restricted to characters that are valid in file names.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// An unused file name. TensorBoard reads files whose names contain `tfevents`, ordered by name.
fn free_path(folder: &Path, seconds: u64) -> PathBuf {
    let name =
        |n: u32| folder.join(format!("events.out.tfevents.{seconds}.{}.{}.{n}", host(), std::process::id()));
    (0..).map(name).find(|path| !path.exists()).expect("there are fewer than 2^32 files")
}

/// The folder of the newest event file.
fn last_folder(runs: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(runs).ok()?.flatten().map(|entry| entry.path());
    folders.filter(|path| path.is_dir()).max_by_key(|path| {
        event_files(path).iter().filter_map(|file| fs::metadata(file).ok()?.modified().ok()).max()
    })
}

fn event_files(folder: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_events =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains("tfevents"));
    let mut files: Vec<PathBuf> = names.filter(is_events).collect();
    files.sort();
    files
}

/// Time of each logged step, up to the first damaged record.
fn times_of(file: &PathBuf) -> Vec<(u64, f64)> {
    let bytes = fs::read(file).unwrap_or_default();
    let (read, _) = scalars(&bytes);
    read.into_iter().map(|scalar| (scalar.step, scalar.wall_time)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(step: u64, loss: f64) -> Record {
        let value = json!({ "loss": loss, "epoch": 0.5, "note": "NaN", "step": step });
        value.as_object().expect("an object").clone()
    }

    fn read(log: &EventLog) -> Vec<(String, u64, f32)> {
        let bytes = fs::read(log.path()).expect("it is there");
        let (read, damaged) = scalars(&bytes);
        assert_eq!(damaged, None);
        read.into_iter().map(|scalar| (scalar.tag, scalar.step, scalar.value)).collect()
    }

    #[test]
    fn a_run_that_goes_on_has_every_step_once_in_one_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut first = EventLog::begin(folder.path(), &[], false).expect("writable");
        for step in 1..=4 {
            first.add(&line(step, step as f64)).expect("writable");
        }
        // Killed while it wrote: the last record is not whole.
        let bytes = fs::read(first.path()).expect("it is there");
        fs::write(first.path(), &bytes[..bytes.len() - 7]).expect("writable");
        let done = [line(1, 1.0), line(2, 2.0)];
        let mut second = EventLog::begin(folder.path(), &done, true).expect("writable");
        second.add(&line(3, 9.0)).expect("writable");
        let losses: Vec<(u64, f32)> = read(&second)
            .into_iter()
            .filter(|(tag, _, _)| tag == "train/loss")
            .map(|(_, step, value)| (step, value))
            .collect();
        assert_eq!(losses, [(1, 1.0), (2, 2.0), (3, 9.0)]);
        assert_eq!(first.path().parent(), second.path().parent());
        assert!(!first.path().exists());
        let folders = fs::read_dir(folder.path().join(RUNS)).expect("a folder").count();
        assert_eq!(folders, 1);
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut log = EventLog::begin(folder.path(), &[], false).expect("writable");
        log.add(&line(1, 1.0)).expect("writable");
        let mut bytes = fs::read(log.path()).expect("it is there");
        let place = bytes.len() - 9;
        bytes[place] ^= 1;
        assert!(matches!(scalars(&bytes).1, Some(Damaged { .. })));
    }

    #[test]
    fn runs_are_named_as_huggingface_names_them() {
        assert!(folder_name(1_772_373_909).starts_with("Mar01_14-05-09_"));
    }
}
