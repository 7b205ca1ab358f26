//! Tensors, threads and kernels: the only home of arithmetic.
//!
//! Nothing here knows what a BERT is, reads a file or prints. Numbers are held by [`Buffer`]s and [`Tensor`]s
//! on a [`Device`] and borrowed as [`View`]s. Every operation lives in a folder of [`ops`], with the same
//! files in each: `mod.rs` (formula, shapes, checks; dispatches to the operands' device), `cpu.rs` (the
//! kernel), `reference.rs` (a naive f64 oracle, for tests) and `tests.rs`.

#![allow(unsafe_code)] // The kernels are the one place that needs it; every site says why it is sound.

mod buffer;
mod device;
mod element;
mod host_memory;
pub mod ops;
pub mod peak;
pub mod random;
pub mod simd;
mod tensor;
pub mod threads;
mod view;

pub use buffer::Buffer;
pub use device::Device;
pub use element::ElementType;
pub use tensor::{SharedData, Tensor};
pub use view::{View, ViewMut};
