//! The bertlab program.
fn main() {}
