//! The names most similar to a mistyped name.

/// Up to `n` names, ordered by edit distance to `name`.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>, n: usize) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = names.map(|other| (edit_distance(name, other), other)).collect();
    ranked.sort_by_key(|&(changes, _)| changes);
    ranked.into_iter().take(n).map(|(_, other)| other.to_owned()).collect()
}

/// The Levenshtein distance: insertions, deletions and substitutions of characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
        assert_eq!(edit_distance("bac", "abc"), 2);
    }

    #[test]
    fn the_most_alike_come_first() {
        let names = ["encoder.layer.0.output", "pooler.dense.bias", "pooler.dense.weight"];
        assert_eq!(nearest("poler.dense.weight", names.into_iter(), 2), [names[2], names[1]]);
    }
}
