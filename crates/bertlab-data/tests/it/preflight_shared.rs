//! The duplicates of IMDB, where it is at hand.

use crate::data_files::shared;
use bertlab_data::preflight::{Finding, Kind, ModelLimits, Preflight, Severity, Split, SplitRows};
use bertlab_data::{Columns, infer_label_space, read, targets_by_row};

fn imdb(split: Split, file: &str) -> Option<SplitRows> {
    let path = shared(&format!("data/imdb/{file}-00000-of-00001.parquet"))?;
    let dataset = read(&[path], &Columns::default()).expect("a real data set is readable");
    let space = infer_label_space(&dataset, None).expect("it names its classes");
    Some(SplitRows {
        split,
        targets: Some(targets_by_row(&dataset, &space)),
        dataset,
        lengths: Vec::new(),
        blocks: None,
    })
}

#[test]
fn imdb_is_sorted_repeats_itself_and_leaks_123_test_rows() {
    let (Some(training), Some(test)) = (imdb(Split::Training, "train"), imdb(Split::Test, "test")) else {
        return;
    };
    let class_names = ["neg", "pos"].map(str::to_owned).to_vec();
    let limits = ModelLimits { class_names, ..ModelLimits::default() };
    let preflight = Preflight::of(&[training, test], &limits);
    let found = |split: Split, kind: Kind| -> &Finding {
        let is_meant = |finding: &&Finding| finding.split == split && finding.kind == kind;
        preflight.findings.iter().find(is_meant).unwrap_or_else(|| panic!("{kind:?} of {split}"))
    };
    assert_eq!(found(Split::Test, Kind::Leakage).count, 123);
    assert_eq!(found(Split::Training, Kind::Duplicates).count, 96);
    assert_eq!(found(Split::Test, Kind::Duplicates).count, 199);
    let sorted = found(Split::Training, Kind::SortedLabels);
    assert_eq!(sorted.severity, Severity::Warning);
    assert!(sorted.sentence.contains("only \"neg\" with its first 5,000"), "{}", sorted.sentence);
    assert_eq!(preflight.n_fatal(), 0);
}
