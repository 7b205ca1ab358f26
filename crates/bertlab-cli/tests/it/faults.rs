//! The door: faults from outside (a full disk, a folder that cannot be written, a run that lies there) are told in
//! words, take nothing with them, and leave nothing half-made.
#![cfg(unix)] // Limits are set as a shell does it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::job::{Job, SAVED_OFTEN, check_same, check_success, error_of, names};

#[test]
fn a_full_disk_at_a_checkpoint_is_told_and_takes_nothing_with_it() {
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

#[test]
fn a_full_disk_at_the_end_leaves_the_checkpoints() {
    let job = Job::new();
    check_success(&job.run("run", SAVED_OFTEN));
    let expected = job.ended("run");
    let output = job.output("run");
    fs::remove_dir_all(output.join("final_model")).expect("it was written");
    let words = format!("{SAVED_OFTEN} --resume-from-checkpoint");
    let failed = job.run_with_small_files("run", &words);
    let message = error_of(&failed);
    assert_eq!(failed.status.code(), Some(1), "{message}");
    for part in ["out/final_model could not be saved", "File too large", "--resume-from-checkpoint"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    assert!(!output.join("final_model").exists(), "nothing half-made stands there");
    assert!(names(&output).iter().all(|name| !name.starts_with('.')), "{:?}", names(&output));
    check_success(&job.run("run", &words));
    check_same(&job.ended("run"), &expected, "with room again");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_read() {
    let job = Job::new();
    fs::write(job.model.beside("a-file"), "").expect("writable");
    let below_a_file = format!("{}/out", job.model.beside("a-file"));
    // Not even root makes a folder there.
    let in_the_kernel = "/proc/bertlab/out";
    for folder in [below_a_file.as_str(), in_the_kernel] {
        if !Path::new(folder).ancestors().any(|part| part != Path::new("/") && part.exists()) {
            println!("skipped: there is no {folder} to try on this system");
            continue;
        }
        let rows = job.model.beside("no-such-file.csv");
        crate::support::run(&["train", &job.model.word(), "--train-file", &rows, "--output-dir", folder])
            .refused(&["nothing can be written there", folder, "another --output-dir"]);
    }
}

#[test]
fn a_folder_that_holds_a_run_is_refused_before_anything_is_read() {
    let job = Job::new();
    check_success(&job.run("run", "--max-steps 1"));
    let (rows, output) = (job.model.beside("no-such-file.csv"), job.output("run"));
    let before = contents(&output.join("final_model"));
    let folder = output.to_str().expect("UTF-8");
    crate::support::run(&["train", "no-such-model", "--train-file", &rows, "--output-dir", folder])
        .refused(&["already holds a run", "--resume-from-checkpoint", "--overwrite-output-dir"]);
    assert!(contents(&output.join("final_model")) == before);
}

#[test]
fn before_the_first_step_a_signal_ends_the_program_at_once_and_leaves_no_folder() {
    let job = Job::new();
    // So many rows that they are still being read and tokenized when the signal comes.
    let row = r#"{"text": "i have a new cpu ! the bank of the river . my loan", "label": "good"}"#;
    fs::write(job.model.beside("train.jsonl"), format!("{row}\n").repeat(400_000)).expect("writable");
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let name = format!("signal-{signal}");
        let mut child = job.start(&name, "--allow-single-class");
        std::thread::sleep(Duration::from_millis(400));
        assert!(child.try_wait().expect("it was started").is_none(), "it is still reading");
        let start = Instant::now();
        let words = [format!("-{signal}"), child.id().to_string()];
        assert!(Command::new("kill").args(words).status().expect("every Unix has `kill`").success());
        let status = child.wait().expect("it was started");
        assert!(start.elapsed() < Duration::from_secs(5), "it ended after {:?}", start.elapsed());
        // By the signal itself, which a shell shows as 128 and its number; or by that very code.
        assert!(status.signal() == Some(number) || status.code() == Some(128 + number), "{status}");
        assert!(!job.output(&name).exists(), "no half-made folder");
    }
}

/// The files of a folder.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).expect("readable"));
    names(folder).into_iter().map(read).collect()
}
