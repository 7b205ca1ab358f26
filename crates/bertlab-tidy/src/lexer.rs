//! Rust sources as tokens: enough to tell code from comments and texts, and to match braces.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or a keyword.
    Word,
    /// One character of punctuation.
    Punctuation,
    /// A string literal, its quotes included.
    Text,
    /// A comment, doc comments included.
    Comment,
    /// A number, a character, a lifetime.
    Other,
}

/// A piece of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it stands in the source.
    pub text: &'a str,
    /// Where it begins, from 1.
    pub line: usize,
}

impl Token<'_> {
    /// Whether it is this word, or this character of punctuation.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Punctuation) && self.text == text
    }
}

/// The tokens of a source.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut all, mut rest, mut line) = (Vec::new(), source, 1);
    while let Some(first) = rest.chars().next() {
        let (kind, n_bytes) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ => {
                let (kind, n_bytes) = token(rest, first);
                (Some(kind), n_bytes)
            }
        };
        let (text, after) = rest.split_at(n_bytes);
        all.extend(kind.map(|kind| Token { kind, text, line }));
        line += text.matches('\n').count();
        rest = after;
    }
    all
}

/// The kind and the length in bytes of the token that `rest` begins with.
fn token(rest: &str, first: char) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    match first {
        '"' => (Kind::Text, text(rest)),
        '\'' => (Kind::Other, character_or_lifetime(rest)),
        _ if first.is_ascii_digit() => (Kind::Other, number(rest)),
        _ if is_of_word(first) => word_or_prefixed_text(rest),
        _ => (Kind::Punctuation, first.len_utf8()),
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn word(rest: &str) -> usize {
    rest.find(|character| !is_of_word(character)).unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// A string literal from its opening quote on.
fn text(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn word_or_prefixed_text(rest: &str) -> (Kind, usize) {
    let n_bytes = word(rest);
    let (prefix, after) = rest.split_at(n_bytes);
    match prefix {
        "b" | "c" if after.starts_with('"') => (Kind::Text, n_bytes + text(after)),
        "b" if after.starts_with('\'') => (Kind::Other, n_bytes + character_or_lifetime(after)),
        "r" | "br" | "cr" => match raw_text(after) {
            Some(length) => (Kind::Text, n_bytes + length),
            None => (Kind::Word, n_bytes),
        },
        _ => (Kind::Word, n_bytes),
    }
}

/// A raw string literal from its first `#` or quote on.
fn raw_text(rest: &str) -> Option<usize> {
    let n_hashes = rest.bytes().take_while(|&byte| byte == b'#').count();
    let inside = rest[n_hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(n_hashes));
    Some(n_hashes + 1 + inside.find(&end).map_or(inside.len(), |at| at + end.len()))
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) => rest[3..].find('\'').map_or(rest.len(), |at| at + 4),
        (Some(character), Some('\'')) => character.len_utf8() + 2,
        _ => 1 + word(&rest[1..]),
    }
}

fn number(rest: &str) -> usize {
    let whole = word(rest);
    let fraction =
        rest[whole..].strip_prefix('.').filter(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    whole + fraction.map_or(0, |after| 1 + word(after))
}

/// Code without comments and without what is compiled for tests alone.
pub fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let code: Vec<Token<'a>> = tokens.iter().filter(|token| token.kind != Kind::Comment).copied().collect();
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < code.len() {
        let is_test = ["#", "[", "cfg", "(", "test", ")", "]"]
            .iter()
            .enumerate()
            .all(|(i, text)| code.get(at + i).is_some_and(|token| token.is(text)));
        if is_test {
            at = end_of_item(&code, at + 7);
        } else {
            kept.push(code[at]);
            at += 1;
        }
    }
    kept
}

/// After the item that begins at `start`: behind its `;`, or its block.
fn end_of_item(code: &[Token<'_>], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in code.iter().enumerate().skip(start) {
        match token.text {
            "{" | "(" | "[" if token.kind == Kind::Punctuation => depth += 1,
            "}" | ")" | "]" if token.kind == Kind::Punctuation => {
                depth -= 1;
                if depth == 0 && token.text == "}" {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, &str)> {
        tokens(source).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn texts_and_comments_are_no_code() {
        let source = r####"a("}\"{", r#"fn "b" {"#, '{', '\'', b'{', &'x y) /* { /* */ { */ // {"####;
        let punctuation = |(kind, text): (Kind, &'static str)| (kind == Kind::Punctuation).then_some(text);
        let found: String = kinds(source).into_iter().filter_map(punctuation).collect();
        assert_eq!(found, "(,,,,,&)");
    }

    #[test]
    fn numbers_end_before_a_range() {
        let texts: Vec<&str> = kinds("1.5..x.0").into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["1.5", ".", ".", "x", ".", "0"]);
    }

    #[test]
    fn lines_are_counted_through_texts() {
        let lines: Vec<usize> = tokens("a\n\"b\nc\"\nd").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn what_is_for_tests_is_left_out() {
        let source = "fn a() {} #[cfg(test)] mod t { fn b() { x } } #[cfg(test)] use c; fn d() {}";
        let all = tokens(source);
        let kept: Vec<&str> = without_tests(&all).iter().map(|token| token.text).collect();
        assert_eq!(kept.concat(), "fna(){}fnd(){}");
    }
}
