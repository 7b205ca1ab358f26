//! Scaled dot-product attention over packed rows (Vaswani et al. 2017).
//!
//! For every row and head: `P = softmax(Q Kᵀ / √d)`, `out = dropout(P) V`. Each token attends to the tokens
//! of its own row alone, or to those of a window around it; padding exists nowhere. Scores are formed a strip
//! of queries at a time.
//!
//! Axes: T packed tokens, B rows, s tokens of a row, D width, H heads, d = D / H, Q query tokens: T, or B
//! where only each row's first is one.

mod backward;
mod cpu;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use super::dropout::Dropout;
use crate::buffer::Buffer;
use crate::device::Device;
use crate::element::ElementType;
use crate::simd::Level;
use crate::view::View;

/// Which tokens are queries. Keys and values are of all tokens, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queries {
    /// All of them: Q = T.
    #[default]
    All,
    /// Each row's first: Q = B.
    Firsts,
}

/// The shape of one attention.
#[derive(Clone, Copy)]
pub struct Heads<'a> {
    /// Where each row starts, and the end. `[B + 1]`
    pub row_starts: &'a [usize],
    /// H
    pub n_heads: usize,
    /// D
    pub width: usize,
    /// Which tokens are queries.
    pub queries: Queries,
    /// How far a token sees to either side; the whole row where there is none.
    pub window: Option<usize>,
    /// Of the products of queries, keys, weights and values: f32 or bf16.
    pub precision: ElementType,
}

impl Heads<'_> {
    fn n_tokens(&self) -> usize {
        *self.row_starts.last().expect("row_starts holds at least the end")
    }

    fn head_width(&self) -> usize {
        self.width / self.n_heads
    }

    fn n_rows(&self) -> usize {
        self.row_starts.len() - 1
    }

    /// Q
    fn n_queries(&self) -> usize {
        match self.queries {
            Queries::All => self.n_tokens(),
            Queries::Firsts => self.n_rows(),
        }
    }

    /// The softmax's factor 1 / √d.
    fn scale(&self) -> f32 {
        1.0 / (self.head_width() as f32).sqrt()
    }
}

/// What a forward pass may leave behind.
pub struct Attended {
    /// `[Q, D]`
    pub out: Buffer,
    /// ln Σ e^score of every query and head, from which the backward pass computes P again. `[Q, H]`
    pub log_sums: Buffer,
    /// P of every row, `[H, s, s]` each, when asked for (before dropout); only where all tokens are queries.
    pub maps: Option<Vec<Buffer>>,
}

/// Attention of `qkv`: queries, keys and values side by side. `[T, 3 D]`
pub fn forward<'a>(
    heads: Heads<'_>,
    qkv: impl Into<View<'a>>,
    dropout: Option<Dropout>,
    keep_maps: bool,
) -> Attended {
    let qkv = qkv.into();
    assert!(heads.width.is_multiple_of(heads.n_heads));
    assert!(heads.precision != ElementType::Int8, "attention is computed in f32 or bf16");
    assert_eq!(qkv.len(), heads.n_tokens() * 3 * heads.width);
    assert!(!keep_maps || heads.queries == Queries::All, "maps are of all queries");
    match qkv.device() {
        Device::Cpu => cpu::forward(Level::current(), heads, qkv.cpu(), dropout, keep_maps),
    }
}

/// What the backward pass starts from.
#[derive(Clone, Copy)]
pub struct AttentionGradient<'a> {
    /// `[T, 3 D]`
    pub qkv: View<'a>,
    /// `[Q, D]`
    pub out: View<'a>,
    /// `[Q, H]`
    pub log_sums: View<'a>,
    /// `[Q, D]`
    pub d_out: View<'a>,
    /// The same as in the forward pass.
    pub dropout: Option<Dropout>,
}

impl<'a> AttentionGradient<'a> {
    fn cpu(self) -> backward::Job<'a> {
        let Self { qkv, out, log_sums, d_out, dropout } = self;
        let [qkv, out, log_sums, d_out] = [qkv, out, log_sums, d_out].map(View::cpu);
        backward::Job { qkv, out, log_sums, d_out, dropout }
    }
}

/// `d_qkv`: `[T, 3 D]`; zero in d_Q for tokens that are not queries.
pub fn backward(heads: Heads<'_>, job: AttentionGradient<'_>) -> Buffer {
    assert!(job.out.len() == heads.n_queries() * heads.width && job.d_out.len() == job.out.len());
    match Device::common([job.qkv, job.out, job.log_sums, job.d_out].map(View::device)) {
        Device::Cpu => backward::backward(Level::current(), heads, job.cpu()),
    }
}
