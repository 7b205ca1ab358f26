//! What makes two rows the same.

use super::Record;

/// The exact text and second text of a row, or its ids where it has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Content<'a> {
    text: Option<&'a str>,
    pair: Option<&'a str>,
    input_ids: Option<&'a [u32]>,
}

impl<'a> Content<'a> {
    /// `None` for a blank row: all of these are the same, and they say nothing.
    pub(crate) fn of(record: &'a Record) -> Option<Self> {
        let input_ids = record.input_ids.as_deref().filter(|_| record.text.is_none());
        (!record.is_blank()).then_some(Self {
            text: record.text.as_deref(),
            pair: record.pair.as_deref(),
            input_ids,
        })
    }
}
