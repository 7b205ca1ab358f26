//! The child process: runs a range of inputs of one target and reports each on its standard output.
//!
//! One line before each input, so that the parent knows which input ended the process: `at INDEX`. After it,
//! where there is something to say: `panic MESSAGE`, `slow MILLISECONDS`, `memory KIB`. At the end: `end
//! ACCEPTED PEAK_KIB`.

use crate::{Answer, Target, input, seeds};
use std::fs;
use std::io::{Write, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time for one input, after which it counts as a fault.
pub const TIME_MAX: Duration = Duration::from_secs(5);
/// Memory that one input may add to the process, in KiB.
pub const MEMORY_MAX_KIB: u64 = 200 * 1024;

/// How many inputs a worker reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Inputs up to this index.
    Until(u64),
    /// Inputs for this long.
    For(Duration),
}

/// The place and the text of the last panic, whether or not it was caught inside the reader.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Stops panics from printing. Readers may catch panics of libraries; only what reaches the target is a
/// fault.
pub fn silence_panics() {
    set_hook(Box::new(|panic| {
        *LAST_PANIC.lock().expect("nothing panics while it is held") = panic.to_string().replace('\n', " ");
    }));
}

/// Reads the inputs of `target` from number `start` on, and reports to standard output.
///
/// # Errors
/// The parent process no longer reads the reports.
pub fn work(target: &Target, start: u64, budget: Budget) -> std::io::Result<()> {
    silence_panics();
    bertlab::set_n_threads(1);
    let seeds = seeds(target.name);
    (target.read)(&seeds[0]); // What is set up once does not count as an input's memory.
    let mut out = stdout().lock();
    let began = Instant::now();
    let (mut n_accepted, mut peak) = (0, 0);
    let more = |index: u64| match budget {
        Budget::Until(end) => index < end,
        Budget::For(time) => began.elapsed() < time,
    };
    for index in (start..).take_while(|&index| more(index)) {
        writeln!(out, "at {index}")?;
        let bytes = input(target, &seeds, index);
        let read = observe(target, &bytes);
        n_accepted += u64::from(read.accepted);
        peak = peak.max(read.memory_kib);
        for fault in read.faults() {
            writeln!(out, "{fault}")?;
        }
    }
    writeln!(out, "end {n_accepted} {peak}")
}

/// What one input did.
struct Observed {
    accepted: bool,
    panic: Option<String>,
    time: Duration,
    memory_kib: u64,
}

fn observe(target: &Target, bytes: &[u8]) -> Observed {
    let before = reset_peak();
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(bytes)));
    let time = began.elapsed();
    let panic = outcome.is_err().then(|| LAST_PANIC.lock().expect("nothing panics while it is held").clone());
    let memory_kib = peak_kib().saturating_sub(before);
    Observed { accepted: matches!(outcome, Ok(Answer::Accepted)), panic, time, memory_kib }
}

impl Observed {
    fn faults(&self) -> Vec<String> {
        let panic = self.panic.as_ref().map(|text| format!("panic {text}"));
        let slow = (self.time > TIME_MAX).then(|| format!("slow {}", self.time.as_millis()));
        let large = (self.memory_kib > MEMORY_MAX_KIB).then(|| format!("memory {}", self.memory_kib));
        panic.into_iter().chain(slow).chain(large).collect()
    }
}

/// Sets the system's record of the largest memory use to the present use; returns it in KiB. Linux only, 0
/// elsewhere.
fn reset_peak() -> u64 {
    // Where this is refused, the peak is that of the whole run.
    let _ = fs::write("/proc/self/clear_refs", "5");
    peak_kib()
}

/// The largest memory use since [`reset_peak`], in KiB. Linux only, 0 elsewhere.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}
