//! `bertlab-fuzz`: runs the fuzz targets on the stable toolchain, repeats one input, and writes the seeds
//! out.

use bertlab_fuzz::process::{Outcome, supervise};
use bertlab_fuzz::worker::{Budget, work};
use bertlab_fuzz::{TARGETS, Target, find, input, seeds};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, io, thread};

const USAGE: &str = "\
bertlab-fuzz all MINUTES [TARGET ...]   run the targets; inputs with faults go to fuzz/artifacts
bertlab-fuzz try TARGET FILE            give one file to a target
bertlab-fuzz input TARGET INDEX FILE    write input INDEX of a target to a file
bertlab-fuzz list                       print the names of the targets";

/// Where inputs with faults are written, below the current folder.
const ARTIFACTS: &str = "fuzz/artifacts";
/// Inputs written for one target.
const ARTIFACTS_MAX: usize = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

/// Whether there was no fault.
fn run(words: &[&str]) -> Result<bool, String> {
    let said = |error: io::Error| error.to_string();
    match words {
        ["list"] => TARGETS.iter().for_each(|target| println!("{}", target.name)),
        ["all", minutes, names @ ..] => return all(number(minutes)?, names),
        ["try", name, file] => {
            let bytes = fs::read(file).map_err(said)?;
            println!("{:?}", (known(name)?.read)(&bytes));
        }
        ["input", name, index, file] => {
            let bytes = input(known(name)?, &seeds(name), number(index)?);
            fs::write(file, bytes).map_err(said)?;
        }
        ["worker", name, start, kind, amount] => {
            let amount = number(amount)?;
            let budget = match *kind {
                "until" => Budget::Until(amount),
                _ => Budget::For(Duration::from_millis(amount)),
            };
            work(known(name)?, number(start)?, budget).map_err(said)?;
        }
        _ => return Err(USAGE.to_owned()),
    }
    Ok(true)
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("`{word}` is no number\n{USAGE}"))
}

fn known(name: &str) -> Result<&'static Target, String> {
    find(name).ok_or_else(|| format!("There is no target `{name}`; `bertlab-fuzz list` names them"))
}

/// Runs targets side by side, one per CPU, for equal parts of the time; prints a line for each when it is
/// done.
fn all(minutes: u64, names: &[&str]) -> Result<bool, String> {
    let named = names.iter().map(|name| known(name)).collect::<Result<Vec<_>, _>>()?;
    let targets: Vec<&Target> = if named.is_empty() { TARGETS.iter().collect() } else { named };
    let n_workers = thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    let time = Duration::from_secs(minutes * 60).mul_f64(n_workers as f64 / targets.len() as f64);
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    println!("{:<16} {:>12} {:>9} {:>7} {:>12}", "target", "inputs", "accepted", "faults", "memory MiB");
    let (next, problems, n_faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..n_workers {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match supervise(&program, target, Budget::For(time))
                        .and_then(|outcome| show(target, outcome))
                    {
                        Ok(count) => drop(n_faults.fetch_add(count, Ordering::Relaxed)),
                        Err(error) => problems.lock().expect("a push cannot panic").push(error.to_string()),
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().expect("a push cannot panic");
    if problems.is_empty() { Ok(n_faults.into_inner() == 0) } else { Err(problems.join("\n")) }
}

/// Prints a target's line and writes its first faulty inputs; returns the number of faults.
fn show(target: &Target, outcome: Outcome) -> io::Result<usize> {
    let Outcome { n_inputs, n_accepted, peak_kib, faults } = outcome;
    let percent = 100 * n_accepted / n_inputs.max(1);
    let (name, n_faults, mib) = (target.name, faults.len(), peak_kib / 1024);
    println!("{name:<16} {n_inputs:>12} {percent:>8}% {n_faults:>7} {mib:>12}");
    let (folder, seeds) = (Path::new(ARTIFACTS).join(name), seeds(name));
    for fault in faults.iter().take(ARTIFACTS_MAX) {
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("input-{}", fault.index));
        fs::write(&file, input(target, &seeds, fault.index))?;
        println!("  {}: {}", file.display(), fault.what);
    }
    Ok(n_faults)
}
