//! The cache of tokenized rows: found again, never wrong, never too large, never in the way.

use bertlab_data::{CacheUse, Columns, Dataset, TokenCache, TokenRows, Tokenization, read};
use bertlab_feedback::Meter;
use bertlab_text::{Keep, Tokenizer};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A tokenizer, and a folder for the cache.
struct Case {
    scratch: TempDir,
    tokenizer: Tokenizer,
}

/// Room for every file of these tests.
const MUCH: u64 = 1 << 30;

fn tokenizer(extra: &str) -> Tokenizer {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let vocabulary = format!("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\none\ntwo\nthree\n##s\n{extra}\n");
    fs::write(folder.path().join("vocab.txt"), vocabulary).expect("writable");
    Tokenizer::open(folder.path()).expect("a valid vocabulary")
}

/// `n_rows` rows of text; a hundred are too few to be kept, two thousand are not.
fn dataset(n_rows: usize, columns: &str, tail: &str) -> Dataset {
    let file = tempfile::NamedTempFile::with_suffix(".csv").expect("a temporary file");
    let row =
        |n: usize| format!("{} twos threes one {}", ["one", "two", "threes"][n % 3], "one ".repeat(n % 20));
    let second = if columns.contains(',') { ",one twos" } else { "" };
    let rows: Vec<String> = (0..n_rows).map(|n| row(n) + second).collect();
    fs::write(file.path(), format!("{columns}\n{}{tail}\n", rows.join("\n"))).expect("writable");
    read(&[file.path().to_path_buf()], &Columns::default()).expect("a table")
}

fn many() -> Dataset {
    dataset(2000, "text", "")
}

impl Case {
    fn new() -> Self {
        Self { scratch: tempfile::tempdir().expect("a temporary folder"), tokenizer: tokenizer("") }
    }

    fn folder(&self) -> PathBuf {
        self.scratch.path().join("deep/tokens")
    }

    fn cache(&self) -> TokenCache {
        TokenCache::at(self.folder(), MUCH)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// The rows, and what the cache did.
    fn rows(&self, dataset: &Dataset, max_length: Option<usize>) -> (TokenRows, Vec<CacheUse>) {
        rows(&self.tokenizer, dataset, max_length, &self.cache())
    }
}

fn rows(
    tokenizer: &Tokenizer,
    dataset: &Dataset,
    max_length: Option<usize>,
    cache: &TokenCache,
) -> (TokenRows, Vec<CacheUse>) {
    let tokenization = Tokenization { tokenizer: Some(tokenizer), max_length, cache: Some(cache) };
    let rows = tokenization.rows(dataset, &Meter::silent()).expect("texts can be tokenized");
    (rows, cache.take_uses())
}

fn is_written(uses: &[CacheUse]) -> bool {
    matches!(uses, [CacheUse::Written(_)])
}

fn is_read(uses: &[CacheUse]) -> bool {
    matches!(uses, [CacheUse::Read(_)])
}

#[test]
fn the_second_start_reads_what_the_first_made() {
    let case = Case::new();
    for dataset in [many(), dataset(2000, "sentence1,sentence2", "")] {
        for max_length in [None, Some(8)] {
            let plain = Tokenization { tokenizer: Some(&case.tokenizer), max_length, cache: None };
            let expected = plain.rows(&dataset, &Meter::silent()).expect("texts can be tokenized");
            let (first, uses) = case.rows(&dataset, max_length);
            assert!(is_written(&uses), "{uses:?}");
            let (second, uses) = case.rows(&dataset, max_length);
            assert!(is_read(&uses), "{uses:?}");
            assert!(first == expected && second == expected);
            assert_eq!(expected.n_cut.iter().any(|&n| n > 0), max_length.is_some());
            assert_eq!(expected.types.is_empty(), dataset.pair_column.is_none());
        }
    }
    assert_eq!(case.files().len(), 4);
}

#[test]
fn whatever_rows_come_from_makes_a_file_of_its_own() {
    let case = Case::new();
    assert!(is_written(&case.rows(&many(), Some(8)).1));
    assert!(is_written(&case.rows(&many(), Some(9)).1), "another length");
    assert!(is_written(&case.rows(&many(), None).1), "no length");
    assert!(is_written(&case.rows(&dataset(2000, "text", " two"), Some(8)).1), "another text");
    assert!(is_written(&case.rows(&dataset(2001, "text", ""), Some(8)).1), "another row");
    let of = |tokenizer: &Tokenizer| rows(tokenizer, &many(), Some(8), &case.cache()).1;
    assert!(is_written(&of(&tokenizer("twos"))), "another vocabulary");
    let mut other_end = tokenizer("");
    for keep in [Keep::Tail, Keep::HeadAndTail { head: None }, Keep::HeadAndTail { head: Some(2) }] {
        other_end.set_keep(keep);
        assert!(is_written(&of(&other_end)), "{keep:?}");
    }
    // The same content elsewhere is the same.
    assert!(is_read(&of(&tokenizer(""))));
    // Where one text ends and the next begins counts too.
    let mut moved = many();
    let second = moved.records[1].text.take().unwrap_or_default();
    moved.records[0].text = moved.records[0].text.take().map(|first| first + &second);
    moved.records[1].text = Some(String::new());
    assert!(is_written(&case.rows(&moved, Some(8)).1), "another border");
}

#[test]
fn small_sets_ready_rows_and_an_absent_cache_leave_no_trace() {
    let case = Case::new();
    assert_eq!(case.rows(&dataset(100, "text", ""), None).1, []);
    let off = TokenCache::off();
    assert_eq!(rows(&case.tokenizer, &many(), None, &off).1, []);
    let mut ready = many();
    ready.records[7].input_ids = Some(vec![2, 5, 3]);
    let (rows, uses) = case.rows(&ready, None);
    assert_eq!((rows.lengths[7], uses.len()), (3, 0));
    assert!(case.files().is_empty());
}

#[test]
fn a_damaged_file_is_told_and_replaced() {
    let case = Case::new();
    let (expected, _) = case.rows(&many(), None);
    let [file] = &case.files()[..] else { panic!("one file") };
    let whole = fs::read(file).expect("readable");
    // A byte of the lists, not of the header.
    let changed_at = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    let damages: [(&str, Vec<u8>); 6] = [
        ("an id", changed_at(whole.len() / 2)),
        ("the last byte", changed_at(whole.len() - 1)),
        ("cut in the middle", whole[..whole.len() / 2].to_vec()),
        ("one byte short", whole[..whole.len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("something else", b"no safetensors file at all, but long enough to look at".to_vec()),
    ];
    for (what, bytes) in damages {
        fs::write(file, bytes).expect("writable");
        let (rows, uses) = case.rows(&many(), None);
        let [CacheUse::Damaged { file: told, .. }, CacheUse::Written(_)] = &uses[..] else {
            panic!("{what}: {uses:?}")
        };
        assert_eq!((told, rows == expected), (file, true), "{what}");
        assert!(is_read(&case.rows(&many(), None).1), "{what}: it was replaced");
    }
    // A file under the name of other rows.
    case.rows(&dataset(3000, "text", ""), None);
    let other = case.files().into_iter().find(|other| other != file).expect("two files");
    fs::copy(other, file).expect("writable");
    let (rows, uses) = case.rows(&many(), None);
    assert!(matches!(&uses[0], CacheUse::Damaged { why, .. } if why.contains("fit")), "{uses:?}");
    assert!(rows == expected);
}

#[test]
fn what_was_used_longest_ago_goes_first_and_remains_go_too() {
    let case = Case::new();
    let sets: Vec<Dataset> = (0..3).map(|n| dataset(2000 + n, "text", "")).collect();
    for set in &sets {
        case.rows(set, None);
        age(&case.folder());
    }
    let sizes: Vec<u64> = case.files().iter().map(|file| fs::metadata(file).expect("there").len()).collect();
    fs::write(case.folder().join(".x.saving-1-1.partial"), "half").expect("writable");
    fs::write(case.folder().join("note.txt"), "not ours").expect("writable");
    (0..24).for_each(|_| age(&case.folder()));
    // The first is read again, so the second is the oldest now.
    assert!(is_read(&case.rows(&sets[0], None).1));
    let room = TokenCache::at(case.folder(), sizes.iter().sum::<u64>() + 1000);
    assert!(is_written(&rows(&case.tokenizer, &dataset(2003, "text", ""), None, &room).1));
    assert!(is_read(&case.rows(&sets[0], None).1));
    assert!(is_read(&case.rows(&sets[2], None).1));
    let names: Vec<PathBuf> = case.files();
    assert!(names.contains(&case.folder().join("note.txt")));
    assert!(!names.iter().any(|name| name.extension().is_some_and(|extension| extension == "partial")));
    assert!(is_written(&case.rows(&sets[1], None).1), "it had gone");
    // What is larger than all the room is not kept at all.
    let tiny = TokenCache::at(case.folder(), 1000);
    let (_, uses) = rows(&case.tokenizer, &dataset(2004, "text", ""), None, &tiny);
    assert!(matches!(&uses[..], [CacheUse::NotWritten { why, .. }] if why.contains("1000")), "{uses:?}");
}

/// Makes every file two hours older.
fn age(folder: &Path) {
    for entry in fs::read_dir(folder).expect("readable").flatten() {
        let file = fs::File::options().append(true).open(entry.path()).expect("writable");
        let modified = file.metadata().and_then(|metadata| metadata.modified()).expect("files have times");
        file.set_modified(modified - std::time::Duration::from_secs(2 * 60 * 60)).expect("allowed");
    }
}

#[test]
fn a_cache_that_cannot_be_written_stops_nothing() {
    let case = Case::new();
    let file = case.scratch.path().join("a file");
    fs::write(&file, "no folder").expect("writable");
    let (rows, uses) = rows(&case.tokenizer, &many(), None, &TokenCache::at(file.join("tokens"), MUCH));
    assert_eq!(rows.len(), 2000);
    assert!(matches!(&uses[..], [CacheUse::NotWritten { .. }]), "{uses:?}");
}

#[test]
fn many_at_once_do_each_other_no_harm() {
    let case = Case::new();
    let (sets, expected) = ([many(), dataset(2500, "text", "")], case.rows(&many(), Some(7)).0);
    fs::remove_dir_all(case.folder()).expect("writable");
    // Room for one file: whoever writes removes the others'.
    let n_bytes = 10 * expected.ids.len() as u64;
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (case, sets, expected) = (&case, &sets, &expected);
            scope.spawn(move || {
                let cache = TokenCache::at(case.folder(), n_bytes);
                for round in 0..20 {
                    let set = &sets[(n + round) % 2];
                    let (rows, uses) = rows(&case.tokenizer, set, Some(7), &cache);
                    assert_eq!(rows.len(), set.records.len());
                    assert!(set.records.len() != 2000 || rows == *expected);
                    let is_fine = |what: &CacheUse| matches!(what, CacheUse::Read(_) | CacheUse::Written(_));
                    assert!(uses.iter().all(is_fine), "{uses:?}");
                }
            });
        }
    });
}
