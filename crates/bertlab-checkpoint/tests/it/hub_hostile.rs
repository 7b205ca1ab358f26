//! What a hub, or somebody on the way to it, may try: each must end in words, with the cache and the token as
//! they were.

use crate::hub::{NAME, assert_is_whole, model_files, options, temporary_folder, weights_file};
use crate::stand_in_hub::{COMMIT, Faults, StandInHub};
use bertlab_checkpoint::Error;
use bertlab_checkpoint::hub::{DatasetRepo, HubOptions, resolve};
use ring::digest::{SHA256, digest};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Many steps up: from any folder of the cache to the root of the disk.
const UP: &str = "../../../../../../../../../../../../../../../..";
const WEIGHTS: &str = "model.safetensors";

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The error of a download under these faults. Whatever it left lies in the cache, and under no name from
/// outside.
fn refusal(faults: Faults) -> Error {
    let hub = StandInHub::start(NAME, &model_files(), faults);
    let around = temporary_folder();
    let cache = around.path().join("a/b");
    let options = HubOptions { stall_timeout: Some(Duration::from_secs(5)), ..options(&hub, &cache) };
    let error = resolve(NAME, &options).expect_err("refused");
    for path in files_below(around.path()) {
        let text = path.strip_prefix(&cache).expect("it lies in the cache").display().to_string();
        assert!(!text.contains("evil"), "{text}");
    }
    assert!(!cache.join("models--some-lab--tiny-bert/refs/main").exists());
    error
}

fn refusal_in_words(faults: Faults) -> String {
    let error = refusal(faults);
    assert!(matches!(error, Error::HubAnswer { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(NAME) && message.contains("http://127.0.0.1:"), "{message}");
    assert!(!message.contains("secret"), "{message}");
    message
}

#[test]
fn the_token_stays_with_the_hub() {
    for host in ["127.0.0.1", "localhost"] {
        let store = StandInHub::start(NAME, &model_files(), Faults::default());
        let elsewhere = store.endpoint.replace("127.0.0.1", host);
        let faults = Faults { redirects_to: Some(elsewhere.clone()), ..Faults::default() };
        let hub = StandInHub::start(NAME, &model_files(), faults.clone());
        let cache = temporary_folder();
        assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
        let has_token = |hub: &StandInHub| hub.requests().iter().map(|r| r.authorization.is_some()).collect();
        let (by_hub, by_store): (Vec<bool>, Vec<bool>) = (has_token(&hub), has_token(&store));
        assert!(by_hub.len() >= 6 && by_hub.iter().all(|has| *has));
        assert!(by_store.len() >= 5 && !by_store.iter().any(|has| *has), "{host} was shown the token");

        hub.set_faults(Faults { redirects_listing: true, ..faults });
        let cache = temporary_folder();
        assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
        assert!(store.requests().iter().all(|request| request.authorization.is_none()));
    }
}

/// Here `0.0.0.0` is this machine as well, but no loopback address.
#[cfg(target_os = "linux")]
#[test]
fn the_token_is_not_sent_over_plain_http() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let plain = HubOptions {
        endpoint: Some(hub.endpoint.replace("127.0.0.1", "0.0.0.0")),
        ..options(&hub, cache.path())
    };
    assert_is_whole(&resolve(NAME, &plain).expect("it is public"));
    assert!(hub.requests().iter().all(|request| request.authorization.is_none()));

    hub.set_faults(Faults { status: Some(401), ..Faults::default() });
    let elsewhere = temporary_folder();
    let plain = HubOptions { cache: Some(elsewhere.path().into()), ..plain };
    let message = resolve(NAME, &plain).expect_err("it is private").to_string();
    assert!(message.contains("was not sent") && message.contains("https"), "{message}");
}

#[test]
fn a_token_that_cannot_be_one_is_not_shown() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let options = HubOptions { token: Some("sec\nret".into()), ..options(&hub, cache.path()) };
    let message = resolve(NAME, &options).expect_err("no token").to_string();
    assert!(message.contains("HF_TOKEN") && !message.contains("sec"), "{message}");
    assert!(hub.requests().is_empty());
}

#[test]
fn etags_that_lead_out_of_the_cache_are_refused() {
    for etag in
        [format!("{UP}/tmp/evil"), "..".into(), "evil/evil".into(), "evil\\evil".into(), String::new()]
    {
        let etags = model_files().into_iter().map(|(name, _)| (name, etag.clone())).collect();
        let message = refusal_in_words(Faults { etags, ..Faults::default() });
        assert!(message.contains("config.json") && message.contains("etag"), "{message}");
    }
    assert!(!Path::new("/tmp/evil").exists());
}

#[test]
fn commits_that_lead_out_of_the_cache_are_refused() {
    for commit in [format!("{UP}/tmp/evil"), "main".into(), "f".repeat(40)] {
        let message = refusal_in_words(Faults { commit: Some(commit.clone()), ..Faults::default() });
        assert!(message.contains("X-Repo-Commit") && message.contains(&commit[..4]), "{message}");
    }
    let cache = temporary_folder();
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let note = cache.path().join("models--some-lab--tiny-bert/refs/main");
    fs::create_dir_all(note.parent().expect("a folder")).expect("writable");
    fs::write(&note, format!("{UP}{}", env!("CARGO_MANIFEST_DIR"))).expect("writable");
    let folder = resolve(NAME, &options(&hub, cache.path())).expect("asked for anew");
    assert!(folder.ends_with(Path::new("snapshots").join(COMMIT)));
}

#[test]
fn file_names_that_lead_out_of_the_cache_are_refused_by_name() {
    for name in ["../../evil.txt", "/etc/evil", "a/../../evil", "a\\\\..\\\\..\\\\evil", "evil\\u0000"] {
        let message = refusal_in_words(Faults { more_names: vec![name], ..Faults::default() });
        assert!(message.contains("the list of files") && message.contains("evil"), "{message}");
    }
    let hub = StandInHub::start_dataset(NAME, "old", "{}", &[("a.csv", b"a\n".to_vec())]);
    let cache = temporary_folder();
    let repo = DatasetRepo::open(NAME, &options(&hub, cache.path())).expect("it is there");
    let message = repo.fetch(&["../../../evil.csv".into()]).expect_err("refused").to_string();
    assert!(message.contains("../../../evil.csv"), "{message}");
}

#[test]
fn redirects_that_lead_nowhere_are_refused() {
    let message =
        |location: &str| refusal_in_words(Faults { location: Some(location.into()), ..Faults::default() });
    assert!(message("").contains("a redirect to nowhere"));
    assert!(message("file:///etc/passwd").contains("file:///etc/passwd"));
    let itself = format!("/{NAME}/resolve/{COMMIT}/config.json");
    assert!(message(&itself).contains("more than 10 redirects"));
}

#[test]
fn bytes_with_another_hash_are_not_kept() {
    let wrong = Faults { etags: vec![(WEIGHTS, sha256(b"other bytes"))], ..Faults::default() };
    let hub = StandInHub::start(NAME, &model_files(), wrong);
    let cache = temporary_folder();
    let error = resolve(NAME, &options(&hub, cache.path())).expect_err("refused");
    assert!(matches!(error, Error::HubAnswer { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(WEIGHTS) && message.contains(&sha256(b"other bytes")), "{message}");
    assert!(message.contains(&sha256(&weights_file())), "{message}");
    let left = files_below(&cache.path().join("models--some-lab--tiny-bert"));
    assert!(!left.iter().any(|path| path.display().to_string().contains(&sha256(b"other bytes"))));

    hub.set_faults(Faults { etags: vec![(WEIGHTS, sha256(&weights_file()))], ..Faults::default() });
    assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("downloaded"));
}

#[test]
fn a_damaged_part_is_found_by_the_hash_and_fetched_anew() {
    let right = Faults { etags: vec![(WEIGHTS, sha256(&weights_file()))], ..Faults::default() };
    let hub = StandInHub::start(NAME, &model_files(), right);
    let whole = weights_file();
    for (part, is_asked_for) in [(vec![1; 500], true), (vec![1; whole.len()], true), (whole.clone(), false)] {
        let cache = temporary_folder();
        let blobs = cache.path().join("models--some-lab--tiny-bert/blobs");
        fs::create_dir_all(&blobs).expect("writable");
        fs::write(blobs.join(format!("{}.incomplete", sha256(&whole))), &part).expect("writable");
        let n_before = hub.requests().len();
        let folder = resolve(NAME, &options(&hub, cache.path())).expect("downloaded");
        assert_eq!(fs::read(folder.join(WEIGHTS)).expect("readable"), whole);
        let n_requests = hub.requests().len() - n_before;
        assert_eq!(n_requests > 6, is_asked_for && part.len() < whole.len(), "{n_requests} requests");
    }
}

#[test]
fn lengths_that_disagree_are_refused() {
    for size in ["7", "many", "-1"] {
        let message = refusal_in_words(Faults { linked_size: Some(size.into()), ..Faults::default() });
        assert!(message.contains("config.json"), "{message}");
    }
    // The hub says less than what the store then sends.
    let store = StandInHub::start(NAME, &model_files(), Faults::default());
    let faults = Faults {
        redirects_to: Some(store.endpoint.clone()),
        linked_size: Some("7".into()),
        ..Faults::default()
    };
    assert!(refusal_in_words(faults).contains("wanted 7 bytes, found more"));
}

#[test]
fn a_hub_that_goes_silent_is_given_up() {
    let faults = Faults { stalls: Some(Duration::from_secs(2)), ..Faults::default() };
    let hub = StandInHub::start(NAME, &model_files(), faults);
    let cache = temporary_folder();
    let options = HubOptions {
        n_attempts: 1,
        stall_timeout: Some(Duration::from_millis(200)),
        ..options(&hub, cache.path())
    };
    let begin = Instant::now();
    let message = resolve(NAME, &options).expect_err("silent").to_string();
    assert!(message.contains("127.0.0.1 sent nothing for 0.2 s"), "{message}");
    assert!(begin.elapsed() < Duration::from_millis(1900), "{:?}", begin.elapsed());
}

#[test]
fn without_a_network_the_answer_is_quick() {
    for (endpoint, words) in
        [("http://127.0.0.1:9", "127.0.0.1: "), ("https://no-such-host.invalid", "no-such-host.invalid")]
    {
        let cache = temporary_folder();
        let options = HubOptions {
            cache: Some(cache.path().into()),
            endpoint: Some(endpoint.into()),
            connect_timeout: Some(Duration::from_secs(2)),
            ..HubOptions::default()
        };
        let begin = Instant::now();
        let error = resolve(NAME, &options).expect_err("nobody there");
        // The name server may take its time; a refusal comes at once.
        let limit = if endpoint.starts_with("http:") { 1 } else { 5 };
        assert!(begin.elapsed() < Duration::from_secs(limit), "{:?}", begin.elapsed());
        assert!(matches!(error, Error::HubUnreachable { .. }), "{error}");
        let message = error.to_string();
        let place = cache.path().join("models--some-lab--tiny-bert").display().to_string();
        for words in [words, endpoint, NAME, &place, "snapshot_download", "Check the connection"] {
            assert!(message.contains(words), "`{words}` is not in: {message}");
        }
    }
}

#[test]
fn blobs_are_never_rewritten() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let folder = resolve(NAME, &options(&hub, cache.path())).expect("downloaded");
    let blob = cache.path().join("models--some-lab--tiny-bert/blobs/etag-of-model-safetensors");
    let mut permissions = fs::metadata(&blob).expect("a blob").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&blob, permissions).expect("ours");
    let written = fs::metadata(&blob).expect("a blob").modified().expect("a time");
    fs::remove_dir_all(&folder).expect("removable");
    assert_is_whole(&resolve(NAME, &options(&hub, cache.path())).expect("linked again"));
    assert_eq!(fs::metadata(&blob).expect("a blob").modified().expect("a time"), written);
}

#[test]
fn a_file_that_another_process_downloads_is_waited_for() {
    let hub = StandInHub::start(NAME, &model_files(), Faults::default());
    let cache = temporary_folder();
    let path = cache.path().join(".locks/models--some-lab--tiny-bert/etag-of-config-json.lock");
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    let lock = File::create(&path).expect("writable");
    lock.lock().expect("free");
    let options =
        HubOptions { stall_timeout: Some(Duration::from_millis(300)), ..options(&hub, cache.path()) };
    let message = resolve(NAME, &options).expect_err("locked").to_string();
    assert!(message.contains("etag-of-config-json.lock") && message.contains("another process"), "{message}");

    let options = HubOptions { stall_timeout: Some(Duration::from_secs(20)), ..options };
    let waiting = std::thread::spawn(move || resolve(NAME, &options));
    std::thread::sleep(Duration::from_millis(300));
    drop(lock);
    assert_is_whole(&waiting.join().expect("no panic").expect("downloaded"));
}
