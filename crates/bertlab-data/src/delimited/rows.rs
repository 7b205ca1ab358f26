//! Splits CSV (RFC 4180) and TSV text into rows of fields, keeping count of rows and lines, and noticing a quote that is never closed.
//!
//! The `csv` crate reads the rest of a file into one field when a quote is left open, and does not say so; a label lost that way is never missed.
//! That is why this splitter exists; a test holds the two against each other on well-formed files.

use std::borrow::Cow;

/// How a file separates its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) delimiter: u8,
    /// Whether a field that starts with `"` runs to the closing `"`, over delimiters and line ends; else quotes are characters like others.
    pub(super) quotes: bool,
}

/// One row of the file; blank lines are no rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// 1-based, the header included, blank lines left out.
    pub(super) row: usize,
    /// 1-based line on which the row starts.
    pub(super) line: usize,
    pub(super) fields: Vec<Cow<'a, str>>,
    /// The row as it stands in the file, without its line end.
    pub(super) raw: &'a str,
    /// A quoted field holds a doubled quote.
    pub(super) doubled: bool,
    /// Characters follow a closing quote: not RFC 4180.
    pub(super) stray: bool,
}

/// A quoted field that runs to the end of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed<'a> {
    pub(super) row: usize,
    pub(super) line: usize,
    /// From the opening quote on.
    pub(super) rest: &'a str,
}

/// Iterates over the rows of a text. After an [`Unclosed`] it ends.
pub(super) struct Rows<'a> {
    text: &'a str,
    style: Style,
    position: usize,
    row: usize,
    line: usize,
}

struct Field<'a> {
    value: Cow<'a, str>,
    end: usize,
    doubled: bool,
    stray: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str, style: Style) -> Rows<'a> {
        Rows { text, style, position: 0, row: 0, line: 1 }
    }

    /// Of a text that goes on where another ended, after so many rows and before line `line` of its file.
    pub(super) fn going_on(text: &'a str, style: Style, (row, line): (usize, usize)) -> Rows<'a> {
        Rows { text, style, position: 0, row, line }
    }

    /// Bytes that the rows so far take, and the rows and the line at which the next one stands.
    pub(super) fn place(&self) -> (usize, (usize, usize)) {
        (self.position, (self.row, self.line))
    }

    fn byte(&self, position: usize) -> Option<u8> {
        self.text.as_bytes().get(position).copied()
    }

    /// Length of the line end at a position, 0 where there is none. A lone CR ends a row only where a text holding one would be quoted.
    fn line_end(&self, position: usize) -> usize {
        match (self.byte(position), self.byte(position + 1)) {
            (Some(b'\n'), _) => 1,
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\r'), _) => usize::from(self.style.quotes),
            _ => 0,
        }
    }

    fn skip_blank_lines(&mut self) {
        loop {
            match self.line_end(self.position) {
                0 => return,
                length => self.position += length,
            }
            self.line += 1;
        }
    }

    fn field(&self, start: usize) -> Option<Field<'a>> {
        if self.style.quotes && self.byte(start) == Some(b'"') {
            return self.quoted_field(start + 1);
        }
        let end = self.end_of_bare(start);
        Some(Field { value: Cow::Borrowed(&self.text[start..end]), end, doubled: false, stray: false })
    }

    fn end_of_bare(&self, start: usize) -> usize {
        (start..self.text.len())
            .find(|&position| {
                self.byte(position) == Some(self.style.delimiter) || self.line_end(position) > 0
            })
            .unwrap_or(self.text.len())
    }

    /// From behind the opening quote; `None` when no quote closes it.
    fn quoted_field(&self, start: usize) -> Option<Field<'a>> {
        let mut from = start;
        let mut doubled = false;
        let close = loop {
            let quote = from + self.text[from..].find('"')?;
            if self.byte(quote + 1) != Some(b'"') {
                break quote;
            }
            doubled = true;
            from = quote + 2;
        };
        let end = self.end_of_bare(close + 1);
        let inside = &self.text[start..close];
        let stray = end > close + 1;
        let mut value =
            if doubled { Cow::Owned(inside.replace("\"\"", "\"")) } else { Cow::Borrowed(inside) };
        if stray {
            value.to_mut().push_str(&self.text[close + 1..end]);
        }
        Some(Field { value, end, doubled, stray })
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, Unclosed<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blank_lines();
        let start = self.position;
        if start >= self.text.len() {
            return None;
        }
        self.row += 1;
        let mut row =
            Row { row: self.row, line: self.line, fields: Vec::new(), raw: "", doubled: false, stray: false };
        let mut position = start;
        loop {
            let Some(field) = self.field(position) else {
                self.position = self.text.len();
                let line = self.line + line_breaks(&self.text[start..position]);
                return Some(Err(Unclosed { row: self.row, line, rest: &self.text[position..] }));
            };
            row.fields.push(field.value);
            row.doubled |= field.doubled;
            row.stray |= field.stray;
            position = field.end + 1;
            if self.byte(field.end) != Some(self.style.delimiter) {
                row.raw = &self.text[start..field.end];
                self.position = field.end + self.line_end(field.end);
                break;
            }
        }
        self.line += line_breaks(&self.text[start..self.position]);
        Some(Ok(row))
    }
}

/// Line breaks as an editor counts them: LF, CRLF or a lone CR. A lone CR inside a text counts too, as editors show it.
fn line_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let breaks = |index: usize| {
        bytes[index] == b'\n' || (bytes[index] == b'\r' && bytes.get(index + 1) != Some(&b'\n'))
    };
    (0..bytes.len()).filter(|&index| breaks(index)).count()
}
