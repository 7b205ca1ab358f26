//! The door: a run that is killed, stopped or out of disk loses nothing that was saved, and ends in the same bits.
#![cfg(unix)] // Signals and limits are sent and set as a shell does it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{TinyModel, parse};

/// A run on the tiny model with its rows; every output folder has the same name, in a folder of its own.
struct Job {
    model: TinyModel,
}

/// Two epochs with a checkpoint after every step.
const SAVED_OFTEN: &str = "--num-train-epochs 2 --save-strategy steps --save-steps 1 --save-total-limit 3";
/// Moments at which a run is killed.
const N_KILLS: usize = 24;

impl Job {
    fn new() -> Self {
        let model = TinyModel::new("BertForSequenceClassification");
        let words =
            ["i have a new cpu", "the bank of the river", "my loan !", "don ' t . intel", "a new gpu"];
        let row = |i: usize| {
            let text = format!("{} {} {}", words[i % 5], words[i / 5 % 5], words[i / 25]);
            let label = ["bad", "good", "so so"][(i * 7 + i / 3) % 3];
            serde_json::json!({ "text": text, "label": label }).to_string()
        };
        let rows = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<_>>().join("\n");
        fs::write(model.beside("train.jsonl"), rows(0..26)).expect("writable");
        fs::write(model.beside("held-out.jsonl"), rows(26..35)).expect("writable");
        Self { model }
    }

    /// Where the run `name` writes.
    fn output(&self, name: &str) -> PathBuf {
        PathBuf::from(self.model.beside(name)).join("out")
    }

    fn words(&self, more: &str) -> Vec<String> {
        let words = format!(
            "train {} --train-file {} --validation-file {} --output-dir out --learning-rate 1e-3 \
             --per-device-train-batch-size 2 --gradient-accumulation-steps 2 --eval-strategy steps --eval-steps 3 \
             --metric-for-best-model accuracy {more}",
            self.model.word(),
            self.model.beside("train.jsonl"),
            self.model.beside("held-out.jsonl")
        );
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn start(&self, name: &str, more: &str) -> Child {
        let folder = PathBuf::from(self.model.beside(name));
        fs::create_dir_all(&folder).expect("writable");
        Command::new(env!("CARGO_BIN_EXE_bertlab"))
            .args(self.words(more))
            .env("HF_HUB_OFFLINE", "1")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built")
    }

    /// As on a full disk: no file may grow beyond a few kilobytes.
    fn run_with_small_files(&self, name: &str, more: &str) -> Output {
        Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_bertlab")])
            .args(self.words(more))
            .env("HF_HUB_OFFLINE", "1")
            .current_dir(self.model.beside(name))
            .output()
            .expect("every Unix has `sh`")
    }

    fn run(&self, name: &str, more: &str) -> Output {
        self.start(name, more).wait_with_output().expect("it ends")
    }

    /// What the run `name` ended in.
    fn ended(&self, name: &str) -> Ended {
        let output = self.output(name);
        let read = |file: &str| fs::read(output.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut state = parse(&String::from_utf8(read("trainer_state.json")).expect("UTF-8"));
        for record in state["log_history"].as_array_mut().expect("a log is a list") {
            let record = record.as_object_mut().expect("a log line is an object");
            record.retain(|name, _| !name.ends_with("runtime") && !name.ends_with("per_second"));
        }
        Ended { weights: read("final_model/model.safetensors"), state, names: names(&output) }
    }
}

/// Weights, the state but for its times, and what lies in the output folder.
#[derive(PartialEq)]
struct Ended {
    weights: Vec<u8>,
    state: Value,
    names: Vec<String>,
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn check_same(found: &Ended, expected: &Ended, what: &str) {
    assert_eq!(found.state, expected.state, "{what}");
    assert_eq!(found.names, expected.names, "{what}");
    assert!(found.weights == expected.weights, "{what}: the final weights differ");
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn check_success(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", error_of(output));
}

/// Numbers that look random in [0, 1), the same at every run of the test.
fn shares(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

#[test]
fn killed_at_any_moment_a_run_ends_as_if_it_had_never_stopped() {
    let job = Job::new();
    let start = Instant::now();
    check_success(&job.run("whole", SAVED_OFTEN));
    let duration = start.elapsed();
    let expected = job.ended("whole");
    let (mut shares, mut n_kills, mut n_rounds) = (shares(7), 0, 0);
    while n_kills < N_KILLS {
        n_rounds += 1;
        assert!(n_rounds < 10 * N_KILLS, "the run is hardly ever alive when it is killed");
        let name = format!("killed-{n_rounds}");
        n_kills += run_with_kills(&job, &name, duration, &mut shares);
        check_same(&job.ended(&name), &expected, &format!("after {n_kills} kills in all"));
    }
}

/// Runs to the end, killed again and again on the way. Gives how often.
fn run_with_kills(
    job: &Job,
    name: &str,
    duration: Duration,
    shares: &mut impl Iterator<Item = f64>,
) -> usize {
    let (mut n_kills, mut is_begun) = (0, false);
    loop {
        let more = if is_begun { "--resume-from-checkpoint" } else { "" };
        // Any number of threads: it changes nothing.
        let mut child = job.start(name, &format!("{SAVED_OFTEN} --threads {} {more}", 1 + n_kills % 2));
        if n_kills < N_KILLS / 3 {
            std::thread::sleep(duration.mul_f64(shares.next().expect("without end")));
            if child.try_wait().expect("it was started").is_none() {
                child.kill().expect("it is alive, or has just ended");
                n_kills += usize::from(child.wait().expect("it was started").code().is_none());
                is_begun = names(&PathBuf::from(job.model.beside(name))).contains(&"out".to_owned())
                    && names(&job.output(name)).iter().any(|name| name.starts_with("checkpoint-"));
                continue;
            }
        }
        check_success(&child.wait_with_output().expect("it ends"));
        return n_kills;
    }
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let job = Job::new();
    for (signal, saving) in [("INT", "--save-strategy steps --save-steps 50"), ("TERM", "--save-strategy no")]
    {
        let words = format!("--num-train-epochs 40 {saving}");
        let (whole, stopped) = (format!("whole-{signal}"), format!("stopped-{signal}"));
        check_success(&job.run(&whole, &words));
        let mut child = job.start(&stopped, &words);
        wait_for_line(&mut child, "step ");
        send(signal, &child);
        let output = child.wait_with_output().expect("it ends");
        let message = error_of(&output);
        assert_eq!(output.status.code(), Some(130), "{message}");
        for part in ["stopped after step", "of 280", "out/checkpoint-", "--resume-from-checkpoint"] {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
        let output = job.run(&stopped, &format!("{words} --resume-from-checkpoint"));
        check_success(&output);
        assert!(error_of(&output).contains("going on after step"), "{}", error_of(&output));
        let (expected, mut found) = (job.ended(&whole), job.ended(&stopped));
        // The checkpoint that the signal asked for is one more.
        found.names.retain(|name| !name.starts_with("checkpoint-") || expected.names.contains(name));
        check_same(&found, &expected, signal);
    }
}

#[test]
fn a_full_disk_is_told_and_takes_nothing_with_it() {
    let job = Job::new();
    check_success(&job.run("run", SAVED_OFTEN));
    let expected = job.ended("run");
    let output = job.output("run");
    fs::remove_dir_all(output.join("final_model")).expect("it was written");
    fs::remove_dir_all(output.join("checkpoint-14")).expect("it was written");
    let before = contents(&output.join("checkpoint-13"));
    let words = format!("{SAVED_OFTEN} --resume-from-checkpoint");
    let failed = job.run_with_small_files("run", &words);
    let message = error_of(&failed);
    assert_eq!(failed.status.code(), Some(1), "{message}");
    for part in
        ["out/checkpoint-14 could not be saved", "File too large", "stays", "--resume-from-checkpoint"]
    {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    assert!(!output.join("checkpoint-14").exists() && contents(&output.join("checkpoint-13")) == before);
    check_success(&job.run("run", &words));
    check_same(&job.ended("run"), &expected, "with room again");
}

/// The files of a folder.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).expect("readable"));
    names(folder).into_iter().map(read).collect()
}

/// Reads the program's output up to a line that begins like this.
fn wait_for_line(child: &mut Child, beginning: &str) {
    use std::io::{BufRead, BufReader};
    let out = child.stdout.as_mut().expect("it is piped");
    let found = BufReader::new(out).lines().map_while(Result::ok).any(|line| line.starts_with(beginning));
    assert!(found, "no line begins with `{beginning}`");
}

fn send(signal: &str, child: &Child) {
    let words = [format!("-{signal}"), child.id().to_string()];
    assert!(Command::new("kill").args(words).status().expect("every Unix has `kill`").success());
}
