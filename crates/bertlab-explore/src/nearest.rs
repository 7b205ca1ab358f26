//! The names most like a mistyped one.

/// Up to `n` of the names, those first that take the fewest changes to become `name`.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>, n: usize) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = names.map(|other| (n_changes(name, other), other)).collect();
    ranked.sort_by_key(|&(changes, _)| changes);
    ranked.into_iter().take(n).map(|(_, other)| other.to_owned()).collect()
}

/// The Levenshtein distance: characters put in, taken out or exchanged.
fn n_changes(a: &str, b: &str) -> usize {
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
        assert_eq!(n_changes("kitten", "sitting"), 3);
        assert_eq!(n_changes("", "abc"), 3);
        assert_eq!(n_changes("abc", ""), 3);
        assert_eq!(n_changes("abc", "abc"), 0);
        assert_eq!(n_changes("bac", "abc"), 2);
    }

    #[test]
    fn the_most_alike_come_first() {
        let names = ["encoder.layer.0.output", "pooler.dense.bias", "pooler.dense.weight"];
        assert_eq!(nearest("poler.dense.weight", names.into_iter(), 2), [names[2], names[1]]);
    }
}
