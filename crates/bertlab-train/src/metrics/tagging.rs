//! A label per word: named entities, parts of speech. Accuracy over words, every label's scores, and entities where the labels mark them.

use super::Figure;
use super::bootstrap::bootstrap_interval;
use super::classification::{
    Averages, ClassScores, ConfusionMatrix, MajorityBaseline, macro_averages, majority_baseline,
    weighted_averages,
};
use super::entities::{EntityReport, TaggedSentence};
use super::interval::Interval;
use super::tags::{Tag, TagSet};

/// A sentence's labels by id, word for word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelledSentence {
    /// As they should be.
    pub wanted: Vec<usize>,
    /// As they were answered; `None` for a word that the model did not read.
    pub found: Vec<Option<usize>>,
}

/// What an evaluation with a label per word gives.
#[derive(Debug, Clone, PartialEq)]
pub struct TaggingReport {
    /// Sentences with at least one word that counts.
    pub n_sentences: usize,
    /// Words that count, at least one.
    pub n_words: usize,
    /// Of these, words that the model did not read, because truncation took them or they have no token. They count as answered "O", and as
    /// wrong where there is no such label.
    pub n_unread: usize,
    /// Share of words with the right label.
    pub accuracy: f64,
    /// 95 %, by bootstrap over sentences ([`super::bootstrap`]).
    pub accuracy_interval: Interval,
    /// What always answering the commonest label would reach; with named entities "O", with an entity F1 of 0.
    pub majority_baseline: MajorityBaseline,
    /// Words by label and answer; without those that were not read where there is no "O".
    pub confusion: ConfusionMatrix,
    /// Scores by label, over words.
    pub labels: Vec<ClassScores>,
    /// Over labels that occur; every label weighs the same.
    pub macro_average: Averages,
    /// Over labels that occur; each weighs as its words.
    pub weighted_average: Averages,
    /// Where all labels are tags such as B-PER.
    pub entities: Option<EntityReport>,
}

impl TaggingReport {
    /// Computes all of it; `None` without words. `names`: of the labels, by id.
    ///
    /// # Panics
    /// When a sentence's two lists differ in length, or an id has no name.
    pub fn new(names: &[String], sentences: &[LabelledSentence]) -> Option<TaggingReport> {
        let outside = names.iter().position(|name| name == "O");
        let wanted: Vec<usize> = sentences.iter().flat_map(|sentence| &sentence.wanted).copied().collect();
        let found: Vec<Option<usize>> =
            sentences.iter().flat_map(|sentence| &sentence.found).copied().collect();
        assert_eq!(wanted.len(), found.len(), "an answer for each word");
        let answered: Vec<Option<usize>> = found.iter().map(|label| label.or(outside)).collect();
        let labels = label_scores(names.len(), &wanted, &answered);
        let counts: Vec<[u32; 2]> = sentences.iter().map(|sentence| right_words(sentence, outside)).collect();
        let n_right: u32 = counts.iter().map(|[n_right, _]| n_right).sum();
        Some(TaggingReport {
            n_sentences: sentences.iter().filter(|sentence| !sentence.wanted.is_empty()).count(),
            n_words: wanted.len(),
            n_unread: found.iter().filter(|label| label.is_none()).count(),
            accuracy: f64::from(n_right) / wanted.len() as f64,
            accuracy_interval: bootstrap_interval(&counts, |[part, whole]| {
                (whole > 0).then(|| part as f64 / whole as f64)
            })?,
            majority_baseline: majority_baseline(&wanted, names.len())?,
            confusion: confusion(&wanted, &answered, names.len()),
            macro_average: macro_averages(&labels)?,
            weighted_average: weighted_averages(&labels)?,
            labels,
            entities: TagSet::of(names).map(|set| entity_report(&set, sentences)),
        })
    }

    /// The figures that a person watches, by the names that HuggingFace's run_ner gives them.
    pub fn figures(&self) -> Vec<Figure> {
        let accuracy = ("accuracy", Some(self.accuracy));
        match &self.entities {
            Some(report) => {
                let micro = &report.scores.micro;
                vec![("precision", micro.precision), ("recall", micro.recall), ("f1", micro.f1), accuracy]
            }
            None => vec![
                accuracy,
                ("majority_baseline", Some(self.majority_baseline.share)),
                ("f1_macro", Some(self.macro_average.f1.value)),
            ],
        }
    }

    /// All other figures: averages over types of entities, or over labels where there are no entities.
    pub fn details(&self) -> Vec<Figure> {
        let averages = |average: Option<&Averages>, names: [&'static str; 3]| {
            let values = average.map(|of| [of.precision.value, of.recall.value, of.f1.value]);
            names.into_iter().enumerate().map(move |(i, name)| (name, values.map(|values| values[i])))
        };
        const MACRO: [&str; 3] = ["precision_macro", "recall_macro", "f1_macro"];
        const WEIGHTED: [&str; 3] = ["precision_weighted", "recall_weighted", "f1_weighted"];
        let Some(report) = &self.entities else {
            return averages(Some(&self.macro_average), MACRO)
                .take(2)
                .chain(averages(Some(&self.weighted_average), WEIGHTED))
                .collect();
        };
        let strict = report.strict.as_ref().map(|scores| &scores.micro);
        averages(report.scores.macro_average.as_ref(), MACRO)
            .chain(averages(report.scores.weighted_average.as_ref(), WEIGHTED))
            .chain([
                ("precision_strict", strict.and_then(|scores| scores.precision)),
                ("recall_strict", strict.and_then(|scores| scores.recall)),
                ("f1_strict", strict.and_then(|scores| scores.f1)),
                ("majority_baseline", Some(self.majority_baseline.share)),
            ])
            .collect()
    }
}

/// Right words, and words in all.
fn right_words(sentence: &LabelledSentence, outside: Option<usize>) -> [u32; 2] {
    let pairs = sentence.wanted.iter().zip(&sentence.found);
    let n_right = pairs.filter(|(wanted, found)| found.or(outside) == Some(**wanted)).count();
    [n_right as u32, sentence.wanted.len() as u32]
}

fn label_scores(n_labels: usize, wanted: &[usize], found: &[Option<usize>]) -> Vec<ClassScores> {
    let mut counts = vec![[0; 3]; n_labels];
    for (&wanted, &found) in wanted.iter().zip(found) {
        counts[wanted][2] += 1;
        if let Some(found) = found {
            counts[found][1] += 1;
            counts[wanted][0] += usize::from(found == wanted);
        }
    }
    counts
        .into_iter()
        .map(|[n_right, n_predicted, support]| ClassScores::new(n_right, n_predicted, support))
        .collect()
}

fn confusion(wanted: &[usize], found: &[Option<usize>], n_labels: usize) -> ConfusionMatrix {
    let read = wanted.iter().zip(found).filter_map(|(&wanted, &found)| Some((wanted, found?)));
    let (wanted, found): (Vec<usize>, Vec<usize>) = read.unzip();
    ConfusionMatrix::new(&wanted, &found, n_labels)
}

fn entity_report(set: &TagSet, sentences: &[LabelledSentence]) -> EntityReport {
    let tags: Vec<(Vec<Tag>, Vec<Tag>)> = sentences
        .iter()
        .map(|sentence| {
            let wanted = sentence.wanted.iter().map(|&label| set.tags[label]).collect();
            let found = sentence.found.iter().map(|label| label.and_then(|label| set.tags[label])).collect();
            (wanted, found)
        })
        .collect();
    let pairs: Vec<TaggedSentence<'_>> =
        tags.iter().map(|(wanted, found)| TaggedSentence { wanted, found }).collect();
    EntityReport::new(set, &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    fn value(figures: &[(&'static str, Option<f64>)], name: &str) -> Option<f64> {
        figures.iter().find(|(known, _)| *known == name).expect("that figure is given").1
    }

    #[test]
    fn what_was_not_read_counts_as_outside() {
        let names = names("O B-PER I-PER");
        let sentence =
            LabelledSentence { wanted: vec![1, 2, 0, 1], found: vec![Some(1), Some(2), None, None] };
        let report = TaggingReport::new(&names, &[sentence]).expect("there are words");
        assert_eq!((report.n_words, report.n_unread, report.accuracy), (4, 2, 0.75));
        let entities = report.entities.as_ref().expect("tags");
        assert_eq!((entities.scores.micro.precision, entities.scores.micro.recall), (Some(1.0), Some(0.5)));
        assert_eq!((entities.errors.n_right, entities.errors.n_missed), (1, 1));
        assert_eq!(report.confusion.counts, [[1, 0, 0], [1, 1, 0], [0, 0, 1]]);
    }

    #[test]
    fn parts_of_speech_have_no_entities_and_what_was_not_read_is_wrong() {
        let names = names("ADJ NOUN");
        let sentence = LabelledSentence { wanted: vec![1, 1, 0], found: vec![Some(1), Some(0), None] };
        let report = TaggingReport::new(&names, &[sentence]).expect("there are words");
        assert_eq!((report.entities.is_none(), report.accuracy), (true, 1.0 / 3.0));
        assert_eq!(report.majority_baseline, MajorityBaseline { class: 1, share: 2.0 / 3.0 });
        assert_eq!(report.labels[0].recall, Some(0.0));
        assert_eq!(value(&report.figures(), "f1_macro"), Some(report.macro_average.f1.value));
        assert!(value(&report.details(), "f1_weighted").is_some());
    }

    #[test]
    fn nothing_but_outside_has_an_accuracy_and_no_f1() {
        let sentence = LabelledSentence { wanted: vec![0, 0], found: vec![Some(0), Some(0)] };
        let report = TaggingReport::new(&names("O B-PER"), &[sentence]).expect("there are words");
        assert_eq!((value(&report.figures(), "accuracy"), value(&report.figures(), "f1")), (Some(1.0), None));
        assert_eq!(value(&report.details(), "f1_macro"), None);
        assert_eq!(report.entities.expect("tags").f1_interval, None);
        assert_eq!(TaggingReport::new(&names("O B-PER"), &[]), None);
        assert_eq!(TaggingReport::new(&names("O B-PER"), &[LabelledSentence::default()]), None);
    }

    #[test]
    fn errors_are_told_apart() {
        // Right; another type; a border; missed; and an answer nobody wanted.
        let names = names("O B-A I-A B-B");
        let wanted = vec![1, 0, 1, 0, 1, 2, 0, 3, 0, 0];
        let found = [1, 0, 3, 0, 1, 0, 0, 0, 0, 3].map(Some).to_vec();
        let report = TaggingReport::new(&names, &[LabelledSentence { wanted, found }]).expect("words");
        let entities = report.entities.expect("tags");
        let errors = entities.errors;
        assert_eq!(
            [errors.n_right, errors.n_wrong_type, errors.n_wrong_border, errors.n_missed, errors.n_spurious],
            [1; 5]
        );
        // Rows: A, B, nothing wanted there.
        assert_eq!(entities.confusion.counts, [[1, 1, 1], [0, 0, 1], [1, 1, 0]]);
    }
}
