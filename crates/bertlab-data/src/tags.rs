//! Tags of words, such as B-PER, and the entities that a sequence of them marks.

use std::collections::{BTreeMap, BTreeSet};

/// Where a word stands in an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `B-`: its first word.
    Begin,
    /// `I-`: a further word; in IOB1 also the first.
    Inside,
    /// `E-` or `L-`: the last of several words.
    End,
    /// `S-` or `U-`: the only word.
    Single,
}

/// The type of a tag that names none, as seqeval has it.
const NAMELESS: &str = "_";

/// A label as a tag: `None` inside for "O".
///
/// `B-PER`, and `B` alone where there is one type of entities. `None` for any other word: parts of speech, plain types.
pub fn parse(label: &str) -> Option<Option<(Place, &str)>> {
    if label == "O" {
        return Some(None);
    }
    let (letter, kind) = match label.split_once('-') {
        Some((letter, kind)) if !kind.is_empty() => (letter, kind),
        _ => (label, NAMELESS),
    };
    let place = match letter {
        "B" => Place::Begin,
        "I" => Place::Inside,
        "E" | "L" => Place::End,
        "S" | "U" => Place::Single,
        _ => return None,
    };
    Some(Some((place, kind)))
}

/// A label as a tag: its place and the number of its type; `None` for "O".
pub type Tag = Option<(Place, usize)>;

/// A list of labels that are all tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSet {
    /// Types of entities by number, in alphabetical order.
    pub types: Vec<String>,
    /// Every label's tag, by the label's id.
    pub tags: Vec<Tag>,
}

impl TagSet {
    /// Of labels by id; `None` where one is no tag, or none marks an entity.
    pub fn of(labels: &[String]) -> Option<TagSet> {
        let parsed: Vec<Option<(Place, &str)>> =
            labels.iter().map(|label| parse(label)).collect::<Option<_>>()?;
        let types: BTreeSet<&str> = parsed.iter().flatten().map(|&(_, kind)| kind).collect();
        if types.is_empty() {
            return None;
        }
        let numbers: BTreeMap<&str, usize> =
            types.iter().enumerate().map(|(number, &kind)| (kind, number)).collect();
        let tags = parsed.iter().map(|tag| tag.map(|(place, kind)| (place, numbers[kind]))).collect();
        Some(TagSet { types: types.into_iter().map(str::to_owned).collect(), tags })
    }

    /// The id of "O".
    pub fn outside(&self) -> Option<usize> {
        self.tags.iter().position(Option::is_none)
    }

    /// Whether all tags are of IOB2: `B-`, `I-` and "O".
    pub fn is_iob2(&self) -> bool {
        self.tags.iter().flatten().all(|(place, _)| matches!(place, Place::Begin | Place::Inside))
    }
}

/// Words `start..end` of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// The first word.
    pub start: usize,
    /// After the last word.
    pub end: usize,
    /// The number of its type.
    pub kind: usize,
}

/// The entities of a sentence as seqeval's default mode and conlleval read them: every word that is not "O" belongs to one. A word goes on with the
/// entity before it when both say so (`B-` or `I-` before, `I-` or `E-` here, the same type), else it begins one.
pub fn entities(tags: &[Tag]) -> Vec<Entity> {
    let goes_on = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| tags[before]);
        matches!((before, tags[index]), (Some((Place::Begin | Place::Inside, a)), Some((Place::Inside | Place::End, b))) if a == b)
    };
    gather(tags, goes_on, |_| true)
}

/// The entities of a sentence as seqeval's `mode="strict", scheme=IOB2` reads them: a `B-` and the `I-` of its type that follow. An `I-` without
/// that belongs to none.
pub fn entities_strict(tags: &[Tag]) -> Vec<Entity> {
    let goes_on = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| tags[before]);
        matches!((before, tags[index]), (Some((_, a)), Some((Place::Inside, b))) if a == b)
    };
    gather(tags, goes_on, |place| place == Place::Begin)
}

/// Runs of words that go on, each from a word that may begin one.
fn gather(tags: &[Tag], goes_on: impl Fn(usize) -> bool, begins: impl Fn(Place) -> bool) -> Vec<Entity> {
    let mut entities: Vec<Entity> = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        let Some((place, kind)) = *tag else { continue };
        match entities.last_mut() {
            Some(entity) if goes_on(index) && entity.end == index => entity.end += 1,
            _ if begins(place) => entities.push(Entity { start: index, end: index + 1, kind }),
            _ => {}
        }
    }
    entities
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    /// As `PER 0..2`.
    fn found(words: &str, of: fn(&[Tag]) -> Vec<Entity>) -> Vec<String> {
        let labels = labels(words);
        let set = TagSet::of(&labels).expect("they are tags");
        let entities = of(&set.tags);
        entities
            .iter()
            .map(|entity| format!("{} {}..{}", set.types[entity.kind], entity.start, entity.end))
            .collect()
    }

    #[test]
    fn labels_are_tags_or_not() {
        assert_eq!(parse("O"), Some(None));
        assert_eq!(parse("B-PER"), Some(Some((Place::Begin, "PER"))));
        assert_eq!(parse("U-art-film"), Some(Some((Place::Single, "art-film"))));
        assert_eq!(parse("I"), Some(Some((Place::Inside, "_"))));
        assert_eq!([parse("NOUN"), parse("PER"), parse("-PER"), parse(""), parse("Q-X")], [None; 5]);
        assert_eq!(TagSet::of(&labels("O O")), None);
        assert_eq!(TagSet::of(&labels("B-X NOUN")), None);
        let set = TagSet::of(&labels("I-PER O B-LOC")).expect("tags");
        assert_eq!(
            (set.types.as_slice(), set.outside()),
            (["LOC".to_owned(), "PER".to_owned()].as_slice(), Some(1))
        );
    }

    #[test]
    fn entities_are_read_leniently() {
        assert_eq!(found("B-PER I-PER O B-PER B-PER", entities), ["PER 0..2", "PER 3..4", "PER 4..5"]);
        assert_eq!(found("I-PER I-PER I-LOC O I-LOC", entities), ["PER 0..2", "LOC 2..3", "LOC 4..5"]);
        assert_eq!(
            found("B-PER E-PER E-PER S-PER I-PER", entities),
            ["PER 0..2", "PER 2..3", "PER 3..4", "PER 4..5"]
        );
    }

    #[test]
    fn entities_are_read_strictly() {
        assert_eq!(found("B-PER I-PER O I-PER", entities_strict), ["PER 0..2"]);
        assert_eq!(found("I-PER I-PER B-LOC I-PER I-PER", entities_strict), ["LOC 2..3"]);
        assert_eq!(found("B-PER B-PER I-PER I-LOC I-PER", entities_strict), ["PER 0..1", "PER 1..3"]);
    }
}
