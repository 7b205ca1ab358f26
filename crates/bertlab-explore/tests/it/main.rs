//! Looking inside: word vectors and module trees against the reference.

mod lab;
mod module_trees;
