//! The parent process: starts workers, notices when one panics, aborts, hangs or takes too much memory, and
//! goes on behind the input that did it.

use crate::Target;
use crate::worker::{Budget, TIME_MAX};
use std::io::{BufRead, BufReader, Read, Result};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

/// Address space of a worker in KiB, where the system can limit it: an input that asks for more ends the
/// worker.
const ADDRESS_SPACE_KIB: u64 = 4 * 1024 * 1024;
/// A worker that is silent for this many times [`TIME_MAX`] is stopped.
const SILENCE_FACTOR: u32 = 4;
/// After this many ended workers a target is given up.
const DEATHS_MAX: usize = 100;

/// What became of a target's inputs.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Inputs that were read.
    pub n_inputs: u64,
    /// Of these: accepted by the reader.
    pub n_accepted: u64,
    /// The most memory that one input took, in KiB; 0 where the system does not tell.
    pub peak_kib: u64,
    /// Inputs that did harm.
    pub faults: Vec<Fault>,
}

/// An input that did harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the input: `input(target, seeds, index)` makes it again.
    pub index: u64,
    /// What happened: a panic with its message, `slow`, `memory`, or how the process ended.
    pub what: String,
}

/// Reads a target's inputs in worker processes; `program` is the `bertlab-fuzz` executable.
///
/// # Errors
/// A worker that cannot be started.
pub fn supervise(program: &Path, target: &Target, budget: Budget) -> Result<Outcome> {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    let mut n_deaths = 0;
    loop {
        let left = match budget {
            Budget::Until(_) => budget,
            Budget::For(time) => Budget::For(time.saturating_sub(began.elapsed())),
        };
        let is_complete = run_worker(program, target, outcome.n_inputs, left, &mut outcome)?;
        n_deaths += usize::from(!is_complete);
        if is_complete || n_deaths == DEATHS_MAX {
            return Ok(outcome);
        }
    }
}

/// Runs one worker until it ends; whether it read all of its inputs.
fn run_worker(
    program: &Path,
    target: &Target,
    start: u64,
    budget: Budget,
    outcome: &mut Outcome,
) -> Result<bool> {
    let (kind, amount) = match budget {
        Budget::Until(end) => ("until", end),
        Budget::For(time) => ("for", time.as_millis() as u64),
    };
    let (start, amount) = (start.to_string(), amount.to_string());
    let mut command = limited(program);
    let command = command.args(["worker", target.name, &start, kind, &amount]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut errors = child.stderr.take().expect("it is piped");
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        errors.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let lines = lines_of(&mut child);
    let in_time = follow(&lines, outcome);
    if in_time == Followed::Complete {
        child.wait()?;
        return Ok(true);
    }
    let silent = in_time == Followed::Silent;
    if silent {
        child.kill()?;
    }
    let status = child.wait()?;
    let said = errors.join().expect("it only reads")?;
    let what = if silent { "no answer in time".to_owned() } else { ending(status, &said) };
    outcome.faults.push(Fault { index: outcome.n_inputs.saturating_sub(1), what });
    Ok(false)
}

/// The program with a limit on its address space, where there is a shell that can set one, and without
/// network.
fn limited(program: &Path) -> Command {
    let mut command = if cfg!(unix) {
        let script = format!("ulimit -v {ADDRESS_SPACE_KIB}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(program);
        shell
    } else {
        Command::new(program)
    };
    // A proxy that does not exist: redirects to other machines fail at once.
    for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command.env_remove("HF_HUB_OFFLINE").env_remove("NO_PROXY").env_remove("no_proxy");
    command
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    receiver
}

/// How a worker's report ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Followed {
    /// With its last line.
    Complete,
    /// Before that.
    CutOff,
    /// The worker said nothing for too long.
    Silent,
}

/// Adds a worker's report to `outcome`.
fn follow(lines: &Receiver<String>, outcome: &mut Outcome) -> Followed {
    loop {
        let line = match lines.recv_timeout(TIME_MAX * SILENCE_FACTOR) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Followed::Silent,
            Err(RecvTimeoutError::Disconnected) => return Followed::CutOff,
        };
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let number = |text: &str| text.parse::<u64>().expect("a number from our own worker");
        match word {
            "at" => outcome.n_inputs = number(rest) + 1,
            "end" => {
                let (accepted, peak) = rest.split_once(' ').expect("two numbers");
                outcome.n_accepted += number(accepted);
                outcome.peak_kib = outcome.peak_kib.max(number(peak));
                return Followed::Complete;
            }
            _ => outcome.faults.push(Fault { index: outcome.n_inputs - 1, what: line }),
        }
    }
}

/// The end of a process in words: its status, and the last line that it wrote to standard error.
fn ending(status: ExitStatus, said: &str) -> String {
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("");
    format!("the process ended ({status}): {last}")
}
