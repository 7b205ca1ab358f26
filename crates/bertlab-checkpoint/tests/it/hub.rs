//! Resolving and downloading models, against a stand-in hub on loopback.

use crate::stand_in_hub::{COMMIT, Faults, StandInHub};
use bertlab_checkpoint::hub::{HubOptions, resolve};
use bertlab_checkpoint::{Error, NamedArray, open_config, open_weights, write_safetensors};
use bertlab_feedback::{Cancelled, Progress, Stage, Status, Unit};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const NAME: &str = "some-lab/tiny-bert";

pub fn temporary_folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub fn weights_file() -> Vec<u8> {
    let folder = temporary_folder();
    let file = folder.path().join("w");
    let values = (0..5000).map(|value| value as f32).collect();
    write_safetensors(&file, &[NamedArray::from_f32("w", [5000], values)], &[]).expect("writable");
    std::fs::read(&file).expect("readable")
}

pub fn model_files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("README.md", b"# not fetched".to_vec()),
        ("config.json", br#"{"model_type":"bert"}"#.to_vec()),
        ("model.safetensors", weights_file()),
        ("pytorch_model.bin", b"not fetched either".to_vec()),
        ("tokenizer.json", b"{}".to_vec()),
        ("vocab.txt", b"[PAD]\n".to_vec()),
        ("1_Pooling/config.json", b"{}".to_vec()),
    ]
}

pub fn options(hub: &StandInHub, cache: &Path) -> HubOptions {
    HubOptions {
        cache: Some(cache.to_path_buf()),
        endpoint: Some(hub.endpoint.clone()),
        token: Some("secret".into()),
        n_attempts: 3,
        ..HubOptions::default()
    }
}

pub fn assert_is_whole(folder: &Path) {
    assert_eq!(open_config(folder).expect("a config").string_required("model_type").expect("a text"), "bert");
    let weights = open_weights(folder).expect("weights");
    assert_eq!(weights.arrays["w"].to_f32().expect("floats")[4999], 4999.0);
    assert!(folder.join("1_Pooling/config.json").is_file());
}

#[test]
fn a_model_is_downloaded_once_and_then_found_without_the_network() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let folder = resolve(NAME, &options(&hub, cache.path())).expect("downloaded");
    assert_is_whole(&folder);

    // The layout that Python's huggingface_hub reads.
    let repository = cache.path().join("models--some-lab--tiny-bert");
    assert_eq!(folder, repository.join("snapshots").join(COMMIT));
    assert_eq!(std::fs::read_to_string(repository.join("refs/main")).expect("a note"), COMMIT);
    let n_notes = std::fs::read_dir(repository.join("refs")).expect("readable").count();
    assert_eq!(n_notes, 1);
    assert!(repository.join("blobs/etag-of-config-json").is_file());
    assert!(cache.path().join(".locks/models--some-lab--tiny-bert/etag-of-config-json.lock").is_file());
    #[cfg(unix)]
    for (file, target) in [
        ("config.json", "../../blobs/etag-of-config-json"),
        ("1_Pooling/config.json", "../../../blobs/etag-of-1_Pooling-config-json"),
    ] {
        assert_eq!(std::fs::read_link(folder.join(file)).expect("a link"), Path::new(target));
    }

    let requests = hub.requests();
    assert!(requests.iter().all(|request| request.authorization.as_deref() == Some("Bearer secret")));
    let asked_for = |name: &str| requests.iter().any(|request| request.path.ends_with(name));
    assert!(asked_for("/vocab.txt") && !asked_for("README.md") && !asked_for("pytorch_model.bin"));

    hub.set_faults(Faults { status: Some(500), ..Faults::default() });
    assert_eq!(resolve(NAME, &options(&hub, cache.path())).expect("cached"), folder);
    let offline = HubOptions { offline: true, ..options(&hub, cache.path()) };
    assert_eq!(resolve(NAME, &offline).expect("cached"), folder);
    let commit = HubOptions { revision: Some(COMMIT.into()), ..options(&hub, cache.path()) };
    assert_eq!(resolve(NAME, &commit).expect("cached"), folder);
    assert_eq!(hub.requests().len(), requests.len(), "the second run asked the hub");
}

#[test]
fn large_files_come_through_redirects() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    hub.set_faults(Faults { redirects_to: Some(hub.endpoint.clone()), ..Faults::default() });
    let cache = temporary_folder();
    assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let hub = StandInHub::start(NAME, &model_files(), Faults { n_breaks: 3, ..Faults::default() });
    let cache = temporary_folder();
    assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
    let length = weights_file().len();
    let mut ranges = hub.requests().into_iter().filter(|request| request.path.ends_with("model.safetensors"));
    let half = format!("bytes={}-", length / 2);
    assert!(ranges.any(|request| request.range.as_deref() == Some(&half)), "it began anew");
}

#[test]
fn a_transfer_that_fails_for_good_leaves_nothing_that_looks_whole() {
    let hub = StandInHub::start(NAME, &model_files(), Faults { n_breaks: 3, ..Faults::default() });
    let cache = temporary_folder();
    let two_tries = HubOptions { n_attempts: 2, ..options(&hub, cache.path()) };
    let message = resolve(NAME, &two_tries).expect_err("broken twice").to_string();
    assert!(message.contains("model.safetensors") && message.contains("2 attempt"), "{message}");
    assert!(message.contains(NAME) && message.contains("try again"), "{message}");

    let offline = HubOptions { offline: true, ..options(&hub, cache.path()) };
    assert!(matches!(resolve(NAME, &offline), Err(Error::Offline { .. })));
    let repository = cache.path().join("models--some-lab--tiny-bert");
    assert!(!repository.join("refs/main").exists());
    assert!(!repository.join("snapshots").join(COMMIT).join("model.safetensors").exists());

    // The next run goes on from there, and does not fetch the small files again.
    let n_before = hub.requests().len();
    assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
    let later = &hub.requests()[n_before..];
    assert!(!later.iter().any(|request| request.path.ends_with("vocab.txt")));
}

#[test]
fn a_server_that_ignores_ranges_does_not_spoil_the_file() {
    let faults = Faults { n_breaks: 1, ignores_ranges: true, ..Faults::default() };
    let hub = StandInHub::start(NAME, &model_files(), faults);
    let cache = temporary_folder();
    assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
}

#[test]
fn a_part_that_is_as_long_as_the_file_is_fetched_anew() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let blobs = cache.path().join("models--some-lab--tiny-bert/blobs");
    std::fs::create_dir_all(&blobs).expect("writable");
    for excess in [0, 7] {
        let part = vec![0; weights_file().len() + excess];
        std::fs::write(blobs.join("etag-of-model-safetensors.incomplete"), part).expect("writable");
        assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
        std::fs::remove_dir_all(cache.path().join("models--some-lab--tiny-bert/snapshots"))
            .expect("removable");
    }
}

#[test]
fn shards_are_fetched_as_the_index_names_them() {
    let shard = |name: &str| {
        let folder = temporary_folder();
        let file = folder.path().join("s");
        write_safetensors(&file, &[NamedArray::from_f32(name, [1], vec![1.0])], &[]).expect("writable");
        std::fs::read(&file).expect("readable")
    };
    let index =
        |second: &str| format!(r#"{{"weight_map":{{"a":"1.safetensors","b":"{second}"}}}}"#).into_bytes();
    let mut files = vec![
        ("config.json", b"{}".to_vec()),
        ("model.safetensors.index.json", index("2.safetensors")),
        ("1.safetensors", shard("a")),
        ("2.safetensors", shard("b")),
    ];
    let cache = temporary_folder();
    let hub = StandInHub::start(NAME, &files, Faults::default());
    let folder = resolve(NAME, &options(&hub, cache.path())).expect("downloaded");
    assert_eq!(open_weights(&folder).expect("two shards").arrays.len(), 2);

    files[1].1 = index("../../outside.safetensors");
    let hub = StandInHub::start(NAME, &files, Faults::default());
    let cache = temporary_folder();
    let message = resolve(NAME, &options(&hub, cache.path())).expect_err("refused").to_string();
    assert!(message.contains("outside of the folder"), "{message}");
}

#[test]
fn refusals_of_the_hub_have_words_of_their_own() {
    let message = |status: u16| {
        let hub = StandInHub::start(NAME, &[], Faults { status: Some(status), ..Faults::default() });
        let cache = temporary_folder();
        let options = HubOptions { n_attempts: 1, ..options(&hub, cache.path()) };
        let message = resolve(NAME, &options).expect_err("refused").to_string();
        assert!(message.contains(NAME) && message.contains(&hub.endpoint), "{message}");
        message
    };
    assert!(message(401).contains("not accepted"));
    assert!(message(403).contains("may not read"));
    assert!(message(404).contains("no model `some-lab/tiny-bert` at revision `main`"));
    assert!(message(500).contains("1 attempt"));
}

#[test]
fn a_refusal_is_not_asked_for_again_but_a_busy_hub_is() {
    let n_requests = |status: u16| {
        let hub = StandInHub::start(NAME, &[], Faults { status: Some(status), ..Faults::default() });
        let cache = temporary_folder();
        let options = HubOptions { n_attempts: 2, ..options(&hub, cache.path()) };
        assert!(resolve(NAME, &options).is_err());
        hub.requests().len()
    };
    assert_eq!([401, 403, 404, 429, 503].map(n_requests), [1, 1, 1, 2, 2]);
}

#[test]
fn a_repository_without_readable_weights_says_what_it_holds() {
    let message = |files: &[(&str, Vec<u8>)]| {
        let hub = StandInHub::start(NAME, files, Faults::default());
        let cache = temporary_folder();
        resolve(NAME, &options(&hub, cache.path())).expect_err("incomplete").to_string()
    };
    let keras = message(&[("config.json", vec![]), ("tf_model.h5", vec![])]);
    assert!(keras.contains("tf_model.h5") && keras.contains("from_tf=True"), "{keras}");
    let data = message(&[("README.md", vec![])]);
    assert!(data.contains("config.json") && data.contains("README.md"), "{data}");
}

#[test]
fn offline_and_not_cached_says_how_to_get_it() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let offline = HubOptions { offline: true, ..options(&hub, cache.path()) };
    let message = resolve(NAME, &offline).expect_err("not cached").to_string();
    assert!(message.contains("snapshot_download(\"some-lab/tiny-bert\", repo_type=\"model\")"), "{message}");
    let place = cache.path().join("models--some-lab--tiny-bert");
    assert!(message.contains(&place.display().to_string()), "{message}");
    assert!(hub.requests().is_empty());
}

#[test]
fn progress_is_told_file_by_file() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<(String, u64, u64)>>);
    impl Progress for Seen {
        fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
            assert_eq!((now.stage, now.unit), (Stage::Download, Unit::Bytes));
            self.0.lock().expect("alone").push((now.item.into(), now.done, now.total));
            Ok(())
        }
    }
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let (cache, seen) = (temporary_folder(), Arc::new(Seen::default()));
    let options = HubOptions { progress: Some(Arc::<Seen>::clone(&seen)), ..options(&hub, cache.path()) };
    resolve(NAME, &options).expect("downloaded");
    let seen = seen.0.lock().expect("alone");
    let steps: Vec<_> = seen
        .iter()
        .filter(|(file, ..)| file == "model.safetensors")
        .map(|(_, done, of)| (*done, *of))
        .collect();
    let n_bytes = weights_file().len() as u64;
    assert_eq!((steps.first(), steps.last()), (Some(&(0, n_bytes)), Some(&(n_bytes, n_bytes))));
    assert!(steps.is_sorted());
}

#[test]
fn a_download_can_be_cancelled_and_goes_on_later() {
    struct Impatient;
    impl Progress for Impatient {
        fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
            if now.item == "model.safetensors" { Err(Cancelled) } else { Ok(()) }
        }
    }
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let impatient = HubOptions { progress: Some(Arc::new(Impatient)), ..options(&hub, cache.path()) };
    let error = resolve(NAME, &impatient).expect_err("cancelled");
    assert!(matches!(error, Error::Cancelled(Cancelled)), "{error}");
    let folder = resolve(NAME, &options(&hub, cache.path())).expect("downloaded");
    assert_eq!(std::fs::read(folder.join("model.safetensors")).expect("whole"), weights_file());
}

#[test]
fn a_folder_never_contacts_the_hub_and_neither_does_a_wrong_path() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let folder = temporary_folder();
    let path = folder.path().to_str().expect("UTF-8");
    // Empty as it is: what is wrong with a folder is said by whoever opens it.
    assert_eq!(resolve(path, &options(&hub, cache.path())).expect("a folder"), folder.path());
    for wrong in ["./no-such-model", "runs/no/such", "/no/such/model", "some-lab/tiny-bert/"] {
        let error = resolve(wrong, &options(&hub, cache.path())).expect_err("no such folder");
        assert!(matches!(error, Error::NoSuchFolder { .. }), "{error}");
    }
    let traversal = HubOptions { revision: Some("../../x".into()), ..options(&hub, cache.path()) };
    assert!(resolve(NAME, &traversal).is_err());
    assert!(hub.requests().is_empty());
}
