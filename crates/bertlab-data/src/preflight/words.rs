//! Findings about labels of words: one only, never learnt, tags out of order.

use super::finding::{Finding, Kind, Severity, Split, percent, single_excerpts, verb};
use super::labels::first_few;
use super::{ModelLimits, SplitRows};
use crate::counts::counted;
use crate::labels::WordLabels;
use crate::tags::{Place, Tag, TagSet};
use crate::{Target, label_counts};

/// All findings about the labels of words.
pub(super) fn findings(splits: &[SplitRows], limits: &ModelLimits) -> Vec<Finding> {
    let names = &limits.class_names;
    let training = splits.iter().find(|rows| rows.split == Split::Training).map(|rows| counts(rows, names));
    let mut findings = Vec::new();
    for rows in splits.iter().filter(|rows| has_word_labels(rows)) {
        let own = counts(rows, names);
        findings.extend(single(rows, names, &own));
        findings.extend(out_of_order(rows, names));
        match &training {
            Some(training) if rows.split != Split::Training => {
                findings.extend(not_in(rows, names, &own, training))
            }
            _ => findings.extend(without_words(rows, names, &own)),
        }
    }
    findings
}

/// Labels of a row's words, or of its tokens.
fn labels(target: &Target) -> Option<&[i64]> {
    match target {
        Target::Words(WordLabels { first, .. }) => Some(first),
        Target::Tokens(labels) => Some(labels),
        _ => None,
    }
}

fn has_word_labels(rows: &SplitRows) -> bool {
    rows.usable_targets().iter().any(|target| labels(target).is_some_and(|labels| !labels.is_empty()))
}

/// Words by label.
fn counts(rows: &SplitRows, names: &[String]) -> Vec<usize> {
    let targets: Vec<Target> = rows.usable_targets().into_iter().cloned().collect();
    label_counts(&targets, names.len())
}

fn single(rows: &SplitRows, names: &[String], counts: &[usize]) -> Option<Finding> {
    let mut present = counts.iter().enumerate().filter(|&(_, &count)| count > 0);
    let (only, &count) = present.next()?;
    // Rows whose labels cannot be used may hold others; they are fatal themselves.
    if present.next().is_some() || rows.usable_targets().len() < rows.dataset.records.len() {
        return None;
    }
    let sentence = format!(
        "all {} have the label {:?}: whatever a model answers, its figures would mean nothing. Look at the label column, or add \
         rows with other labels",
        counted(count, "word"),
        names[only]
    );
    Some(finding(rows, Severity::Fatal, Kind::SingleClass, count, sentence))
}

fn not_in(rows: &SplitRows, names: &[String], own: &[usize], training: &[usize]) -> Option<Finding> {
    let missing: Vec<usize> =
        (0..names.len()).filter(|&label| own[label] > 0 && training[label] == 0).collect();
    let count: usize = missing.iter().map(|&label| own[label]).sum();
    let named: Vec<String> = missing
        .iter()
        .map(|&label| format!("{:?} ({})", names[label], counted(own[label], "word")))
        .collect();
    (count > 0).then(|| {
        let sentence = format!(
            "{} {} labels that training does not have: {}. No model can learn them there",
            counted(count, "word"),
            verb(count, ["has", "have"]),
            first_few(&named)
        );
        finding(rows, Severity::Warning, Kind::ClassNotInTraining, count, sentence)
    })
}

fn without_words(rows: &SplitRows, names: &[String], own: &[usize]) -> Option<Finding> {
    let absent: Vec<String> = (0..names.len())
        .filter(|&label| own[label] == 0)
        .map(|label| format!("{:?}", names[label]))
        .collect();
    (!absent.is_empty()).then(|| {
        let sentence = format!(
            "{} of the {} labels {} on no word: {}. The model will hardly answer {}",
            absent.len(),
            names.len(),
            verb(absent.len(), ["stands", "stand"]),
            first_few(&absent),
            verb(absent.len(), ["it", "them"])
        );
        finding(rows, Severity::Note, Kind::ClassWithoutRows, 0, sentence)
    })
}

/// Tags that cannot follow one another: an `I-` or `E-` that goes on with nothing; where single words have tags of their own, also a `B-` or `I-`
/// with which nothing goes on.
fn out_of_order(rows: &SplitRows, names: &[String]) -> Option<Finding> {
    let set = TagSet::of(names)?;
    let mut n_words = 0;
    let mut sentences = Vec::new();
    for index in 0..rows.dataset.records.len() {
        let Some(labels) = rows.target(index).and_then(labels) else { continue };
        let known = labels.iter().filter_map(|&label| usize::try_from(label).ok());
        let tags: Vec<Tag> = known.filter_map(|label| set.tags.get(label).copied()).collect();
        let n = (0..tags.len()).filter(|&word| is_out_of_order(&tags, word, !set.is_iob2())).count();
        if n > 0 {
            n_words += n;
            sentences.push(index);
        }
    }
    let n_rows = rows.usable_targets().len();
    (n_words > 0).then(|| Finding {
        severity: Severity::Warning,
        kind: Kind::TagOrder,
        split: rows.split,
        count: sentences.len(),
        sentence: format!(
            "{} in {} ({}) {} a tag that cannot follow the one before, such as an I- after \"O\": each is counted as the beginning of an \
             entity, and in a strict count as none. Correct them",
            counted(n_words, "word"),
            counted(sentences.len(), "row"),
            percent(sentences.len(), n_rows),
            verb(n_words, ["has", "have"])
        ),
        excerpts: single_excerpts(rows, sentences, names),
    })
}

fn is_out_of_order(tags: &[Tag], word: usize, has_ends: bool) -> bool {
    let Some((place, kind)) = tags[word] else { return false };
    let before = word.checked_sub(1).and_then(|before| tags[before]);
    let after = tags.get(word + 1).copied().flatten();
    let is_open = |tag: Tag| matches!(tag, Some((Place::Begin | Place::Inside, other)) if other == kind);
    let goes_on = |tag: Tag| matches!(tag, Some((Place::Inside | Place::End, other)) if other == kind);
    match place {
        Place::Begin => has_ends && !goes_on(after),
        Place::Inside => !is_open(before) || has_ends && !goes_on(after),
        Place::End => !is_open(before),
        Place::Single => false,
    }
}

fn finding(rows: &SplitRows, severity: Severity, kind: Kind, count: usize, sentence: String) -> Finding {
    Finding { severity, kind, split: rows.split, count, sentence, excerpts: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(words: &str) -> Vec<usize> {
        let names: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let set = TagSet::of(&names).expect("tags");
        (0..names.len()).filter(|&word| is_out_of_order(&set.tags, word, !set.is_iob2())).collect()
    }

    #[test]
    fn tags_that_cannot_follow_one_another_are_found() {
        assert_eq!(wrong("B-A I-A O B-A B-A"), [0usize; 0]);
        assert_eq!(wrong("I-A I-A O I-A B-A I-B"), [0, 3, 5]);
        assert_eq!(wrong("B-A I-A E-A S-A O B-A E-A"), [0usize; 0]);
        assert_eq!(wrong("B-A O E-A S-A I-A"), [0, 2, 4]);
    }
}
