//! Entities found and missed, counted as seqeval counts them: an entity is right when its first word, its last word and its type are.

use super::bootstrap::bootstrap_interval;
use super::classification::{Averages, ClassScores, macro_averages, weighted_averages};
use super::interval::Interval;
use super::tags::{Entity, Tag, TagSet, entities, entities_strict};

/// A sentence's tags as they should be and as they were answered, word for word.
#[derive(Debug, Clone, Copy)]
pub struct TaggedSentence<'a> {
    /// As they should be.
    pub wanted: &'a [Tag],
    /// As they were answered.
    pub found: &'a [Tag],
}

/// What is said about one type of entities.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityType {
    /// Its name, such as PER.
    pub name: String,
    /// Precision, recall, F1, and how many entities there should be.
    pub scores: ClassScores,
    /// How many were answered.
    pub n_predicted: usize,
}

/// How entities of one type were taken for another. Both axes are the types and, last, no entity: of a wanted entity, that nothing
/// was answered on exactly its words; of an answered one, that nothing was wanted there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityConfusion {
    /// `[types + 1][types + 1]`: by wanted type, then by answered type; the last corner is 0.
    pub counts: Vec<Vec<usize>>,
}

/// What became of the wanted entities, and which answers nobody wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntityErrors {
    /// Words and type are right.
    pub n_right: usize,
    /// The words are right, the type is another.
    pub n_wrong_type: usize,
    /// An answer shares a word with it, but not all.
    pub n_wrong_border: usize,
    /// No answer touches it.
    pub n_missed: usize,
    /// Answers that touch no wanted entity.
    pub n_spurious: usize,
}

/// Precision, recall and F1 over all entities, and averaged over types.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityScores {
    /// Every type that was wanted or answered, in alphabetical order.
    pub types: Vec<EntityType>,
    /// All entities together: what is meant by "the" F1.
    pub micro: ClassScores,
    /// Every type weighs the same; `None` without any entity.
    pub macro_average: Option<Averages>,
    /// Every type weighs as its wanted entities; `None` without any.
    pub weighted_average: Option<Averages>,
}

/// Everything about entities.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityReport {
    /// As seqeval's default mode counts, like conlleval.
    pub scores: EntityScores,
    /// As seqeval's `mode="strict", scheme=IOB2` counts; `None` where labels have `E-` or `S-`.
    pub strict: Option<EntityScores>,
    /// Of the F1 over all entities: 95 %, by bootstrap over sentences ([`super::bootstrap`]). `None` where the F1 has no meaning.
    pub f1_interval: Option<Interval>,
    /// Names of the types of [`Self::confusion`], in alphabetical order: all that the labels have.
    pub type_names: Vec<String>,
    /// Types taken for one another.
    pub confusion: EntityConfusion,
    /// What kinds of errors there are.
    pub errors: EntityErrors,
}

impl EntityReport {
    /// Compares all sentences.
    ///
    /// # Panics
    /// When a sentence's two lists differ in length.
    pub fn new(set: &TagSet, sentences: &[TaggedSentence<'_>]) -> EntityReport {
        let n_types = set.types.len();
        let mut counts = Counts::new(n_types);
        let mut strict = Counts::new(n_types);
        let mut confusion = EntityConfusion { counts: vec![vec![0; n_types + 1]; n_types + 1] };
        let mut errors = EntityErrors::default();
        for sentence in sentences {
            assert_eq!(sentence.wanted.len(), sentence.found.len(), "an answer for each word");
            let pair = Pair { wanted: entities(sentence.wanted), found: entities(sentence.found) };
            counts.add(&pair);
            confusion.add(&pair);
            errors.add(&pair);
            strict.add(&Pair {
                wanted: entities_strict(sentence.wanted),
                found: entities_strict(sentence.found),
            });
        }
        EntityReport {
            f1_interval: bootstrap_interval(&counts.sentences, |[n_right, n_predicted, support]| {
                (n_predicted + support > 0).then(|| 2.0 * n_right as f64 / (n_predicted + support) as f64)
            }),
            scores: counts.scores(&set.types),
            strict: set.is_iob2().then(|| strict.scores(&set.types)),
            type_names: set.types.clone(),
            confusion,
            errors,
        }
    }
}

/// The entities of a sentence; both lists ascend.
struct Pair {
    wanted: Vec<Entity>,
    found: Vec<Entity>,
}

/// Of one type.
#[derive(Clone, Copy, Default)]
struct Count {
    n_right: usize,
    n_predicted: usize,
    support: usize,
}

/// By type, and by sentence: right, answered, wanted.
struct Counts {
    types: Vec<Count>,
    sentences: Vec<[u32; 3]>,
}

impl Counts {
    fn new(n_types: usize) -> Counts {
        Counts { types: vec![Count::default(); n_types], sentences: Vec::new() }
    }

    fn add(&mut self, pair: &Pair) {
        let right: Vec<&Entity> =
            pair.wanted.iter().filter(|entity| pair.found.binary_search(entity).is_ok()).collect();
        right.iter().for_each(|entity| self.types[entity.kind].n_right += 1);
        pair.found.iter().for_each(|entity| self.types[entity.kind].n_predicted += 1);
        pair.wanted.iter().for_each(|entity| self.types[entity.kind].support += 1);
        self.sentences.push([right.len(), pair.found.len(), pair.wanted.len()].map(|n| n as u32));
    }

    fn total(&self, of: fn(&Count) -> usize) -> usize {
        self.types.iter().map(of).sum()
    }

    fn scores(&self, names: &[String]) -> EntityScores {
        let of = |count: &Count| ClassScores::new(count.n_right, count.n_predicted, count.support);
        let types: Vec<EntityType> = names
            .iter()
            .zip(&self.types)
            .filter(|(_, count)| count.n_predicted + count.support > 0)
            .map(|(name, count)| EntityType {
                name: name.clone(),
                scores: of(count),
                n_predicted: count.n_predicted,
            })
            .collect();
        let classes: Vec<ClassScores> = types.iter().map(|kind| kind.scores).collect();
        EntityScores {
            micro: of(&Count {
                n_right: self.total(|of| of.n_right),
                n_predicted: self.total(|of| of.n_predicted),
                support: self.total(|of| of.support),
            }),
            macro_average: macro_averages(&classes),
            weighted_average: weighted_averages(&classes),
            types,
        }
    }
}

impl EntityConfusion {
    fn add(&mut self, pair: &Pair) {
        let none = self.counts.len() - 1;
        let same_words = |entity: &Entity, others: &[Entity]| {
            others
                .iter()
                .find(|other| (other.start, other.end) == (entity.start, entity.end))
                .map(|other| other.kind)
        };
        for entity in &pair.wanted {
            self.counts[entity.kind][same_words(entity, &pair.found).unwrap_or(none)] += 1;
        }
        for entity in pair.found.iter().filter(|entity| same_words(entity, &pair.wanted).is_none()) {
            self.counts[none][entity.kind] += 1;
        }
    }
}

impl EntityErrors {
    fn add(&mut self, pair: &Pair) {
        let touches = |entity: &Entity, others: &[Entity]| {
            others.iter().any(|other| other.start < entity.end && entity.start < other.end)
        };
        for entity in &pair.wanted {
            let twin = pair.found.iter().find(|other| (other.start, other.end) == (entity.start, entity.end));
            let place = match twin {
                Some(twin) if twin.kind == entity.kind => &mut self.n_right,
                Some(_) => &mut self.n_wrong_type,
                None if touches(entity, &pair.found) => &mut self.n_wrong_border,
                None => &mut self.n_missed,
            };
            *place += 1;
        }
        self.n_spurious += pair.found.iter().filter(|entity| !touches(entity, &pair.wanted)).count();
    }
}
