//! A writer of HTML and SVG that is well formed by construction: elements are closed, and texts are escaped.

use std::fmt::Write;

/// Name and value of an attribute; the value is escaped.
pub(crate) type Attribute<'a> = (&'static str, &'a str);

/// A document that is being written. Names of elements and attributes are constants; texts and values are
/// untrusted.
#[derive(Default)]
pub(crate) struct Markup {
    out: String,
}

impl Markup {
    /// Writes an element and its contents.
    pub(crate) fn within(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        fill: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.start(name, attributes);
        self.out.push('>');
        fill(self);
        let _ = write!(self.out, "</{name}>");
        self
    }

    /// Writes an element that contains only text.
    pub(crate) fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) -> &mut Self {
        self.within(name, attributes, |inner| {
            inner.text(text);
        })
    }

    /// Writes an empty element.
    pub(crate) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> &mut Self {
        self.start(name, attributes);
        self.out.push_str("/>");
        self
    }

    /// Writes escaped text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.out, text);
        self
    }

    /// Writes constant text without escaping: a style sheet, a doctype.
    pub(crate) fn raw(&mut self, text: &'static str) -> &mut Self {
        self.out.push_str(text);
        self
    }

    /// Appends the markup of another document.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.out.push_str(&other.out);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.out, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.out, " {attribute}=\"");
            escape_into(&mut self.out, value);
            self.out.push('"');
        }
    }
}

/// Appends escaped text. Control characters except tab and line feed are invalid in HTML and XML; they become
/// U+FFFD.
fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            // Bidirectional controls would also affect the text around them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            character if character.is_control() => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_values_cannot_become_markup() {
        let mut markup = Markup::default();
        markup.leaf("p", &[("title", "\"><script>")], "<script>alert('1 & 2')</script>\u{0}\u{202e}");
        let expected = "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;script&gt;alert(&#39;1 &amp; 2&#39;)&lt;/script&gt;\u{fffd}\u{fffd}</p>";
        assert_eq!(markup.finish(), expected);
    }
}
