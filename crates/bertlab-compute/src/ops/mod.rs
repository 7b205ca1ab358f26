//! The operations: one folder each, with the same files inside.

pub mod activation;
pub mod adamw;
pub mod attention;
pub mod dropout;
pub mod embedding;
pub mod finite;
pub mod gated;
pub mod layer_norm;
pub mod matmul;
pub mod residual;
pub mod rotary;
pub mod rows;
pub mod softmax;
pub mod sum;
#[cfg(test)]
mod testing;
