//! Tensors, threads and kernels: the only home of arithmetic.
//!
//! Nothing here knows what a BERT is, reads a file or prints. Every operation lives in a folder of
//! [`ops`], with the same files in each: `mod.rs` (formula, shapes, checks), `cpu.rs` (the kernel),
//! `reference.rs` (a naive f64 oracle, for tests) and `tests.rs`.

#![allow(unsafe_code)] // The kernels are the one place that needs it; every site says why it is sound.

mod buffer;
pub mod ceiling;
pub mod ops;
pub mod random;
pub mod simd;
mod tensor;
pub mod threads;

pub use buffer::Buffer;
pub use tensor::{SharedData, Tensor};
