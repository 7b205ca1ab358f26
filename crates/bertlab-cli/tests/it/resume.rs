//! The door: a run that is killed or stopped loses nothing that was saved, and ends in the same bits.
#![cfg(unix)] // Signals are sent as a shell does it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::support::job::{Job, SAVED_OFTEN, check_same, check_success, error_of, names};
use crate::support::parse;

/// Kills of each kind.
const N_KILLS: usize = 8;
/// Rows to evaluate on: enough for a kill to fall into an evaluation.
const N_HELD_OUT: usize = 600;
/// After these steps there is an evaluation.
const EVALUATED: [u64; 5] = [3, 6, 9, 12, 14];

/// Numbers that look random in [0, 1), the same at every run of the test.
fn shares(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// When a run is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// After a share of the time that a whole run takes.
    Any(f64),
    /// While rows are evaluated.
    Evaluation,
    /// While a checkpoint is being written.
    Save,
}

#[test]
fn killed_at_any_moment_a_run_ends_as_if_it_had_never_stopped() {
    let job = Job::with_held_out(N_HELD_OUT);
    let start = Instant::now();
    check_success(&job.run("whole", SAVED_OFTEN));
    let duration = start.elapsed();
    let expected = job.ended("whole");
    let mut shares = shares(7);
    // In turn, so that kills of every kind follow on kills of every other.
    let mut moments: Vec<Moment> = (0..N_KILLS)
        .flat_map(|_| [Moment::Save, Moment::Any(shares.next().expect("without end")), Moment::Evaluation])
        .collect();
    let n_wanted = moments.len();
    for round in 0.. {
        assert!(round < 4 * n_wanted, "moments that are never met: {moments:?}");
        let name = format!("killed-{round}");
        run_with_kills(&job, &name, duration, &mut moments);
        check_same(&job.ended(&name), &expected, &format!("after {} kills", n_wanted - moments.len()));
        if moments.is_empty() {
            return;
        }
    }
}

/// Runs to the end, killed again and again on the way: at moments that are taken out of the list when they were met.
fn run_with_kills(job: &Job, name: &str, duration: Duration, moments: &mut Vec<Moment>) {
    const KILLS_MAX: usize = 6;
    for n_kills in 0.. {
        let is_begun = job.output(name).is_dir()
            && names(&job.output(name)).iter().any(|name| name.starts_with("checkpoint-"));
        let more = match (is_begun, job.output(name).is_dir()) {
            (true, _) => "--resume-from-checkpoint",
            // Killed before the first checkpoint: there is nothing to go on from.
            (false, true) => "--overwrite-output-dir",
            (false, false) => "",
        };
        // Any number of threads: it changes nothing.
        let mut child = job.start(name, &format!("{SAVED_OFTEN} --threads {} {more}", 1 + n_kills % 2));
        if let Some(&moment) = moments.last().filter(|_| n_kills < KILLS_MAX) {
            if kill_at(job, name, &mut child, moment, duration) {
                moments.pop();
            } else if let Some(Moment::Any(share)) = moments.last_mut() {
                // The run was over before: the next may be as short.
                *share *= 0.8;
            }
            if child.wait().expect("it was started").code() != Some(0) {
                continue;
            }
            return;
        }
        check_success(&child.wait_with_output().expect("it ends"));
        return;
    }
}

/// Kills the run at this moment. Gives whether it was met for certain; else the run is over, or was killed beside it.
fn kill_at(job: &Job, name: &str, child: &mut Child, moment: Moment, duration: Duration) -> bool {
    match moment {
        Moment::Any(share) => {
            std::thread::sleep(duration.mul_f64(share));
            kill(child)
        }
        Moment::Evaluation => {
            let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
            let announced = EVALUATED.map(|step| format!("step {step:>5} "));
            let mut line = String::new();
            while out.read_line(&mut line).expect("text") > 0 {
                if announced.iter().any(|beginning| line.starts_with(beginning)) {
                    let was_alive = kill(child);
                    let mut rest = String::new();
                    out.read_to_string(&mut rest).expect("text");
                    // Had the evaluation ended, its figures would be among the rest.
                    return was_alive && !rest.contains("validation");
                }
                line.clear();
            }
            false
        }
        Moment::Save => {
            let is_staged = |name: &String| name.starts_with(".checkpoint-") && name.ends_with(".new");
            let is_saving = || job.output(name).is_dir() && names(&job.output(name)).iter().any(is_staged);
            while child.try_wait().expect("it was started").is_none() {
                if is_saving() {
                    // What was being written still lies there: the kill came before its end.
                    return kill(child) && is_saving();
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            false
        }
    }
}

/// Whether it was still alive.
fn kill(child: &mut Child) -> bool {
    if child.try_wait().expect("it was started").is_some() {
        return false;
    }
    child.kill().expect("it is alive, or has just ended");
    child.wait().expect("it was started").code().is_none()
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
fn ctrl_c_in_an_evaluation_ends_it_and_it_is_made_again() {
    // Enough rows for the signal to come in time.
    let job = Job::with_held_out(10 * N_HELD_OUT);
    check_success(&job.run("whole", SAVED_OFTEN));
    let expected = job.ended("whole");
    for (step, more) in [(3, ""), (6, "--resume-from-checkpoint")] {
        let mut child = job.start("stopped", &format!("{SAVED_OFTEN} {more}"));
        // Right after this line comes the evaluation.
        wait_for_line(&mut child, &format!("step {step:>5} "));
        send("INT", &child);
        let output = child.wait_with_output().expect("it ends");
        let message = error_of(&output);
        assert_eq!(output.status.code(), Some(130), "{message}");
        assert!(message.contains(&format!("stopped after step {step} of 14")), "{message}");
        let state = job.output("stopped").join(format!("checkpoint-{step}/trainer_state.json"));
        let log = parse(&std::fs::read_to_string(state).expect("it was saved"))["log_history"].clone();
        let last = log.as_array().and_then(|log| log.last()).expect("losses were logged");
        assert!(last["step"] == step && last.get("loss").is_some(), "the evaluation was not awaited: {last}");
    }
    check_success(&job.run("stopped", &format!("{SAVED_OFTEN} --resume-from-checkpoint")));
    check_same(&job.ended("stopped"), &expected, "stopped twice");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let job = Job::with_held_out(N_HELD_OUT);
    check_success(&job.run("whole", SAVED_OFTEN));
    let mut child = job.start("stopped", SAVED_OFTEN);
    wait_for_line(&mut child, "step     3 ");
    send("INT", &child);
    // The first one must have been seen, or both are one to the system.
    std::thread::sleep(Duration::from_millis(5));
    send("INT", &child);
    assert_eq!(child.wait().expect("it was started").code(), Some(130));
    check_success(&job.run("stopped", &format!("{SAVED_OFTEN} --resume-from-checkpoint")));
    check_same(&job.ended("stopped"), &job.ended("whole"), "ended at once");
}

#[test]
fn seeds_that_were_stopped_or_killed_go_on_where_they_stood() {
    let job = Job::new();
    let words = "--seeds 2 --num-train-epochs 20 --save-strategy steps --save-steps 50";
    check_success(&job.run("whole", words));
    let expected = seeds_ended(&job, "whole");
    let mut n_in_time = 0;
    for (seed, step) in [(42, 2), (42, 52), (43, 2), (43, 52)] {
        for (signal, more) in [("INT", ""), ("KILL", ""), ("KILL", "--save-only-model")] {
            let (name, words) = (format!("{signal}-{seed}-{step}{more}"), format!("{words} {more}"));
            let mut child = job.start(&name, &words);
            wait_for_lines(&mut child, &[&format!("seed {seed} "), &format!("step {step:>5} ")]);
            send(signal, &child);
            let code = child.wait().expect("it was started").code();
            if code == Some(0) {
                // A machine with much else to do sends the signal too late.
                continue;
            }
            n_in_time += 1;
            assert_eq!(code, (signal == "INT").then_some(130), "{name}");
            let is_begun = has_whole_checkpoint(&job.output(&name).join(format!("seed-{seed}")));
            assert!(is_begun || signal == "KILL", "{name}: a signal saves first");
            let output = job.run(&name, &format!("{words} --resume-from-checkpoint"));
            check_success(&output);
            let goes_on = error_of(&output).contains("going on after step");
            assert_eq!(goes_on, is_begun, "{name}: {}", error_of(&output));
            assert!(seeds_ended(&job, &name) == expected, "{name}");
        }
    }
    assert!(n_in_time >= 4, "only {n_in_time} runs were met");
}

fn has_whole_checkpoint(folder: &Path) -> bool {
    let is_whole =
        |name: &String| name.starts_with("checkpoint-") && folder.join(name).join("progress.json").is_file();
    folder.is_dir() && names(folder).iter().any(is_whole)
}

/// What came of all seeds, and the weights of each.
fn seeds_ended(job: &Job, name: &str) -> (String, Vec<Vec<u8>>) {
    let folder = job.output(name);
    let weights = [42, 43].map(|seed| {
        let file = folder.join(format!("seed-{seed}/final_model/model.safetensors"));
        std::fs::read(file).expect("it was saved")
    });
    (std::fs::read_to_string(folder.join("seeds.json")).expect("it was written"), weights.to_vec())
}

/// Reads the program's output up to a line that begins like this.
fn wait_for_line(child: &mut Child, beginning: &str) {
    wait_for_lines(child, &[beginning]);
}

/// Reads the program's output until a line began like each of these, one after the other.
fn wait_for_lines(child: &mut Child, beginnings: &[&str]) {
    let out = child.stdout.as_mut().expect("it is piped");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    for beginning in beginnings {
        assert!(lines.any(|line| line.starts_with(beginning)), "no line begins with `{beginning}`");
    }
}

fn send(signal: &str, child: &Child) {
    let words = [format!("-{signal}"), child.id().to_string()];
    assert!(Command::new("kill").args(words).status().expect("every Unix has `kill`").success());
}
