//! The name nearest to a wrong one.

/// The name among `known` that `name` was probably meant to be.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain = name.trim_matches('-').replace('-', "_").to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&plain, &candidate.to_lowercase());
    let (distance, found) = known.into_iter().map(|candidate| (distance(candidate), candidate)).min()?;
    (distance <= (plain.chars().count() / 3).max(1)).then_some(found)
}
