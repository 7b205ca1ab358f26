//! How long functions are.

use crate::lexer::{Kind, Token};

/// A function that has a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its `fn` stands, from 1.
    pub line: usize,
    /// From `fn` to the closing brace.
    pub n_lines: usize,
}

/// The functions of a source. `code`: its tokens, without comments.
pub fn functions(code: &[Token<'_>]) -> Vec<Function> {
    (0..code.len()).filter_map(|at| function(&code[at..])).collect()
}

fn function(code: &[Token<'_>]) -> Option<Function> {
    let [first, name, ..] = code else { return None };
    if !first.is("fn") || name.kind != Kind::Word {
        return None;
    }
    let end = end_of_body(code)?;
    Some(Function { name: name.text.to_owned(), line: first.line, n_lines: code[end].line - first.line + 1 })
}

/// Where the closing brace stands; none for a declaration without a body.
fn end_of_body(code: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in code.iter().enumerate() {
        if token.kind != Kind::Punctuation {
            continue;
        }
        match token.text {
            ";" if depth == 0 => return None,
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::tokens;

    #[test]
    fn a_function_reaches_from_its_name_to_its_brace() {
        let source =
            "trait A {\n  fn a();\n  fn b(x: [u8; 2]) -> fn(u8) {\n    if c {\n    }\n  }\n}\nfn d() {}";
        let found: Vec<(String, usize, usize)> = functions(&tokens(source))
            .into_iter()
            .map(|found| (found.name, found.line, found.n_lines))
            .collect();
        assert_eq!(found, [("b".to_owned(), 3, 4), ("d".to_owned(), 8, 1)]);
    }
}
