//! optimizer.pt made by hand: both formats, steps as numbers and as tensors, and every optimizer that is not AdamW.

use std::path::Path;

use crate::forge::{Pickler, legacy_file, moments, optimizer, tensor, zip_file};
use bertlab_checkpoint::{AdamState, Error, read_adam_state};

fn read(file: &[u8]) -> Result<AdamState, Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("optimizer.pt");
    std::fs::write(&path, file).expect("writable");
    read_adam_state(&path)
}

/// The error's text, which says what to try.
fn refused(objects: &[u8]) -> String {
    let message = read(&zip_file(objects.to_vec(), &moments(), |_| {})).expect_err("an error").to_string();
    assert!(message.contains("optimizer.pt") && message.contains("adamw_torch"), "{message}");
    message
}

#[test]
fn groups_and_moments_are_read_in_both_formats() {
    let objects = optimizer(|_| {}, |_| {});
    for file in [zip_file(objects.clone(), &moments(), |_| {}), legacy_file(&objects, &moments(), true)] {
        let state = read(&file).expect("valid");
        let [group] = &state.groups[..] else { panic!("one group") };
        assert_eq!((group.learning_rate, group.initial_learning_rate), (0.25, Some(0.5)));
        assert_eq!((group.betas, group.epsilon, group.weight_decay), ([0.9, 0.999], 1e-8, 0.0));
        assert_eq!(group.weights, [0, 1]);
        assert_eq!(state.moments.keys().collect::<Vec<_>>(), [&0]);
        let moments = &state.moments[&0];
        assert_eq!((moments.n_steps, &moments.exp_avg.shape[..]), (7, [2, 3].as_slice()));
        assert_eq!(moments.exp_avg.to_f32().expect("floats"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(moments.exp_avg_sq.to_f32().expect("floats"), [0.5; 6]);
    }
}

#[test]
fn steps_of_old_are_plain_numbers() {
    let objects = optimizer(
        |_| {},
        |state| {
            state.text("step").int(9);
        },
    );
    let state = read(&zip_file(objects, &moments(), |_| {})).expect("valid");
    assert_eq!(state.moments[&0].n_steps, 9);
}

#[test]
fn other_optimizers_are_told_apart_by_what_they_remember() {
    let with_state = |entries: &[u8]| {
        let mut pickler = Pickler::new();
        let text = pickler.raw(b"}(").text("state").raw(entries).text("param_groups").raw(b"]u").stop();
        refused(&text)
    };
    let adafactor =
        Pickler::default().raw(b"}").int(0).raw(b"}(").text("exp_avg_sq_row").int(1).raw(b"us").stop();
    let message = with_state(&adafactor[..adafactor.len() - 1]);
    assert!(message.contains("`state.0`") && message.contains("exp_avg_sq_row"), "{message}");
    assert!(with_state(b"}").contains("no state of any weight"));
    assert!(with_state(b"N").contains("dictionary `state`"));
    for (name, value, part) in [
        ("amsgrad", b"\x88", "`amsgrad` true"),
        ("maximize", b"\x88", "`maximize` true"),
        ("decoupled_weight_decay", b"\x89", "`decoupled_weight_decay` false"),
        ("betas", b"N", "two `betas`"),
        ("lr", b"N", "number as `lr`"),
        ("params", b"N", "`params`"),
    ] {
        let message = refused(&optimizer(
            |settings| {
                settings.text(name).raw(value);
            },
            |_| {},
        ));
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused_by_name() {
    let message = refused(&optimizer(
        |_| {},
        |state| {
            state.text("exp_avg_sq").tensor(&tensor("", 1, &[3, 2], &[2, 1]), 6);
        },
    ));
    assert!(message.contains("`state.0`") && message.contains("[2, 3] and [3, 2]"), "{message}");
    let message = refused(&optimizer(
        |_| {},
        |state| {
            state.text("exp_avg").int(1);
        },
    ));
    assert!(message.contains("tensor as `state.0.exp_avg`"), "{message}");
    let message = refused(&optimizer(
        |_| {},
        |state| {
            state.text("step").float(0.5);
        },
    ));
    assert!(message.contains("`state.0.step`"), "{message}");
    let message = refused(&optimizer(
        |_| {},
        |state| {
            state.text("exp_avg").tensor(&tensor("", 0, &[2, 4], &[4, 1]), 6);
        },
    ));
    assert!(message.contains("`state.0.exp_avg`") && message.contains("beyond"), "{message}");
}

#[test]
fn what_is_no_optimizer_is_refused_and_runs_nothing() {
    assert!(refused(&Pickler::new().raw(b"}").stop()).contains("`state`"));
    assert!(refused(&Pickler::new().int(1).stop()).contains("state dictionary"));
    let message = refused(b"\x80\x02cos\nsystem\nX\x07\x00\x00\x00echo hi\x85R.");
    assert!(message.contains("`os.system`") && message.contains("not executed"), "{message}");
    let file = zip_file(optimizer(|_| {}, |_| {}), &moments(), |_| {});
    assert!(read(&file[..file.len() / 2]).is_err());
    assert!(matches!(read_adam_state(Path::new("/nowhere/optimizer.pt")), Err(Error::Io { .. })));
}
