//! Rules for the sources of this repository, checked by this crate's tests: how long functions and lines are, which
//! files import each other in a circle, and that only the doors name flags and commands.
//!
//! Where a rule does not hold everywhere yet, a list in `allowed/` says where it does not: of each file, how many lines, or
//! how many files are in its circle. A list may only shrink: the tests fail for a number above its list's, and for one below.

mod allowed;
mod circles;
mod doors;
mod functions;
mod lexer;
mod modules;
mod sources;

pub use allowed::check_against;
pub use circles::circles;
pub use doors::{commands, lines_for_doors};
pub use functions::{Function, functions};
pub use lexer::{Kind, Token, tokens, without_tests};
pub use sources::{Source, crates, root, sources};
