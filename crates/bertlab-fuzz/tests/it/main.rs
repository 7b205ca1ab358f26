//! Every target over its seeds and a fixed sequence of mutations.
//!
//! `BERTLAB_FUZZ_SECONDS` gives each target so many seconds instead of a fixed number of inputs.

use bertlab_fuzz::process::supervise;
use bertlab_fuzz::worker::Budget;
use bertlab_fuzz::{Answer, TARGETS, seeds};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Inputs per target: the same ones in every run, on every machine.
const N_INPUTS: u64 = 400;

#[test]
fn no_input_makes_a_reader_panic_abort_hang_or_take_much_memory() {
    let seconds = std::env::var("BERTLAB_FUZZ_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("BERTLAB_FUZZ_SECONDS is a number of seconds"));
    let budget = seconds.map_or(Budget::Until(N_INPUTS), |seconds| Budget::For(Duration::from_secs(seconds)));
    let program = Path::new(env!("CARGO_BIN_EXE_bertlab-fuzz"));
    let mut faults = Vec::new();
    for target in TARGETS {
        let outcome = supervise(program, target, budget).expect("the worker starts");
        assert!(outcome.n_inputs > 0, "{} read nothing", target.name);
        faults.extend(
            outcome
                .faults
                .iter()
                .map(|fault| format!("{} input {}: {}", target.name, fault.index, fault.what)),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn readers_accept_their_seeds() {
    for target in TARGETS {
        for (index, seed) in seeds(target.name).iter().enumerate() {
            assert_eq!((target.read)(seed), Answer::Accepted, "{} seed {index}", target.name);
        }
    }
}

#[test]
fn each_target_has_a_cargo_fuzz_target() {
    let fuzz: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("the manifest of cargo-fuzz");
    for target in TARGETS {
        let file = fuzz.join(format!("fuzz_targets/{}.rs", target.name));
        let text = std::fs::read_to_string(&file).expect("a file for each target");
        assert!(text.contains(&format!("\"{}\"", target.name)), "{}", file.display());
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
    let files = std::fs::read_dir(fuzz.join("fuzz_targets")).expect("a folder");
    assert_eq!(files.count(), TARGETS.len());
}
