//! Data sets of the hub, against a stand-in on loopback.

use crate::stand_in_hub::{COMMIT, Faults, StandInHub};
use bertlab_checkpoint::Error;
use bertlab_checkpoint::hub::{DatasetRepo, HubOptions};
use std::path::Path;

const NAME: &str = "some-lab/reviews";
const CARD: &str =
    r#"{"configs":[{"config_name":"plain","data_files":[{"split":"train","path":"plain/train-*"}]}]}"#;
const TRAIN: &str = "plain/train-00000-of-00001.csv";
const TEST: &str = "plain/test-00000-of-00001.csv";

fn hub() -> StandInHub {
    let files = [(TRAIN, b"text,label\na,0\n".to_vec()), (TEST, b"text,label\nb,1\n".to_vec())];
    StandInHub::start_dataset(NAME, "reviews", CARD, &files)
}

fn options(hub: &StandInHub, cache: &Path) -> HubOptions {
    HubOptions {
        cache: Some(cache.to_path_buf()),
        endpoint: Some(hub.endpoint.clone()),
        n_attempts: 1,
        ..HubOptions::default()
    }
}

fn fetch(repo: &DatasetRepo, name: &str) -> Result<String, Error> {
    let paths = repo.fetch(&[name.to_owned()])?;
    Ok(std::fs::read_to_string(&paths[0]).expect("it was fetched"))
}

#[test]
fn only_what_is_wanted_is_fetched_once_into_the_layout_of_python() {
    let (hub, cache) = (hub(), tempfile::tempdir().expect("a temporary folder"));
    let repo = DatasetRepo::open(NAME, &options(&hub, cache.path())).expect("it is there");
    assert_eq!(repo.file_names(), [TEST, TRAIN]);
    assert_eq!(repo.configs()[0]["config_name"], "plain");
    assert_eq!(fetch(&repo, TRAIN).expect("fetched"), "text,label\na,0\n");
    let folder = cache.path().join("datasets--some-lab--reviews");
    assert_eq!(std::fs::read_to_string(folder.join("refs/main")).expect("a note"), COMMIT);
    assert_eq!(std::fs::read_dir(folder.join("refs")).expect("readable").count(), 1);
    assert!(folder.join("snapshots").join(COMMIT).join(TRAIN).is_file());
    assert!(!folder.join("snapshots").join(COMMIT).join(TEST).exists());
    assert!(folder.join("blobs").is_dir());

    // The second time nothing is asked for; another split is fetched at the same commit.
    let n_requests = hub.requests().len();
    let again = DatasetRepo::open(NAME, &options(&hub, cache.path())).expect("it is cached");
    fetch(&again, TRAIN).expect("it is cached");
    assert_eq!(hub.requests().len(), n_requests);
    assert_eq!(fetch(&again, TEST).expect("fetched"), "text,label\nb,1\n");
}

#[test]
fn offline_the_cache_is_all_there_is() {
    let (hub, cache) = (hub(), tempfile::tempdir().expect("a temporary folder"));
    let offline = HubOptions { offline: true, ..options(&hub, cache.path()) };
    let error = DatasetRepo::open(NAME, &offline).err().expect("nothing is cached").to_string();
    assert!(error.contains("snapshot_download(\"some-lab/reviews\", repo_type=\"dataset\")"), "{error}");
    assert!(hub.requests().is_empty());
    let online = DatasetRepo::open(NAME, &options(&hub, cache.path())).expect("it is there");
    fetch(&online, TRAIN).expect("fetched");
    let n_requests = hub.requests().len();
    // Also as Python's library leaves the cache: without our list.
    for _ in 0..2 {
        let repo = DatasetRepo::open(NAME, &offline).expect("it is cached");
        fetch(&repo, TRAIN).expect("it is cached");
        assert!(matches!(fetch(&repo, TEST), Err(Error::Offline { .. })));
        std::fs::remove_dir_all(cache.path().join("datasets--some-lab--reviews/bertlab")).ok();
    }
    assert_eq!(hub.requests().len(), n_requests);
}

#[test]
fn an_old_name_is_followed_and_the_hubs_own_parquet_branch_is_found() {
    let (hub, cache) = (hub(), tempfile::tempdir().expect("a temporary folder"));
    let repo = DatasetRepo::open("reviews", &options(&hub, cache.path())).expect("redirected");
    assert_eq!(fetch(&repo, TRAIN).expect("redirected"), "text,label\na,0\n");
    assert!(cache.path().join("datasets--reviews/refs/main").is_file());

    hub.move_to_converted();
    let cache = tempfile::tempdir().expect("a temporary folder");
    let main = DatasetRepo::open(NAME, &options(&hub, cache.path())).expect("it is there");
    assert_eq!(main.file_names(), ["imdb.py"]);
    let converted =
        HubOptions { revision: Some("refs/convert/parquet".into()), ..options(&hub, cache.path()) };
    let repo = DatasetRepo::open(NAME, &converted).expect("it is there");
    fetch(&repo, TRAIN).expect("fetched");
    let note = cache.path().join("datasets--some-lab--reviews/refs/refs/convert/parquet");
    assert_eq!(std::fs::read_to_string(note).expect("a note"), COMMIT);
}

#[test]
fn refusals_speak_of_data_sets_and_wrong_names_ask_nobody() {
    let (hub, cache) = (hub(), tempfile::tempdir().expect("a temporary folder"));
    let message = |name: &str| {
        DatasetRepo::open(name, &options(&hub, cache.path())).err().expect("refused").to_string()
    };
    for (status, words) in
        [(404, "no data set `some-lab/reviews`"), (403, "The data set is gated"), (401, "HF_TOKEN")]
    {
        hub.set_faults(Faults { status: Some(status), ..Faults::default() });
        assert!(message(NAME).contains(words), "{}", message(NAME));
    }
    let n_requests = hub.requests().len();
    for wrong in ["./reviews", "a/b/c", "re views", "Cargo.toml"] {
        assert!(message(wrong).contains("`train_file`"), "{}", message(wrong));
    }
    assert_eq!(hub.requests().len(), n_requests);
}
