//! HTML and SVG that are well formed by construction: what is opened is closed, and every text is escaped.

use std::fmt::Write;

/// An attribute's name and value; the value is escaped.
pub(crate) type Attribute<'a> = (&'static str, &'a str);

/// A document under way. Names of elements and attributes are the program's own; texts and values may be anybody's.
#[derive(Default)]
pub(crate) struct Markup {
    out: String,
}

impl Markup {
    /// An element with contents.
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

    /// An element that holds a text and nothing else.
    pub(crate) fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) -> &mut Self {
        self.within(name, attributes, |inner| {
            inner.text(text);
        })
    }

    /// An element without contents.
    pub(crate) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> &mut Self {
        self.start(name, attributes);
        self.out.push_str("/>");
        self
    }

    /// A text, escaped.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.out, text);
        self
    }

    /// The program's own words, as they are: a style sheet, a doctype.
    pub(crate) fn own(&mut self, words: &'static str) -> &mut Self {
        self.out.push_str(words);
        self
    }

    /// Another document's markup.
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

/// Control characters other than tab and line ends have no place in HTML or XML: they become U+FFFD.
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
            // Direction overrides would turn the text around them too.
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
