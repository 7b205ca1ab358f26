//! `cargo bench -p bertlab-compute [FILTER]`: products, attention and norms at the sizes of bert-base.
//!
//! The column of items per second is operations per second, two for every multiply-add; `peak` is what the
//! machine's units give in registers alone. `BERTLAB_SIMD` chooses the instruction set, as everywhere.

use bertlab_compute::ops::activation::Activation;
use bertlab_compute::ops::attention::{self, AttentionGradient, Heads, Queries};
use bertlab_compute::ops::layer_norm::{self, AddNorm, Affine, NormGradient};
use bertlab_compute::ops::matmul::{MatrixView, PackedMatrix, linear};
use bertlab_compute::random::Generator;
use bertlab_compute::{Buffer, ElementType, peak};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use std::time::Duration;

/// D
const WIDTH: usize = 768;
/// F
const INNER_WIDTH: usize = 3072;
/// H
const N_HEADS: usize = 12;

const ELEMENTS: [ElementType; 3] = [ElementType::F32, ElementType::Bf16, ElementType::Int8];
/// Rows of the left matrix: a query, a short text, a text, a batch.
const ROWS: [usize; 4] = [1, 16, 128, 1024];

fn main() {
    divan::main();
}

fn numbers(n: usize) -> Vec<f32> {
    let mut generator = Generator::new(1);
    (0..n).map(|_| generator.uniform() as f32 - 0.5).collect()
}

/// Registers alone, in twenty milliseconds.
#[divan::bench(args = ELEMENTS, sample_count = 10, sample_size = 1)]
fn peak_in_registers(bencher: Bencher, element: ElementType) {
    let time = Duration::from_millis(20);
    let n_operations = peak::operations_per_second(element, time) * time.as_secs_f64();
    let n_operations = ItemsCount::new(n_operations as usize);
    bencher.counter(n_operations).bench(|| peak::operations_per_second(element, time));
}

/// A dense layer from K to N numbers, `M` rows at a time.
fn product(bencher: Bencher, element: ElementType, (m, k, n): (usize, usize, usize)) {
    let (a, weight, bias) = (numbers(m * k), numbers(n * k), numbers(n));
    let b = PackedMatrix::pack(element, MatrixView::new(&weight, n, k).transposed());
    let run = || linear(MatrixView::new(black_box(&a), m, k), &b, Some((&bias).into()), None);
    bencher.counter(ItemsCount::new(2 * m * k * n)).bench(run);
}

#[divan::bench_group(max_time = 0.5)]
mod products {
    use super::*;

    #[divan::bench(args = ELEMENTS, consts = ROWS)]
    fn queries_keys_values<const M: usize>(bencher: Bencher, element: ElementType) {
        product(bencher, element, (M, WIDTH, 3 * WIDTH));
    }

    #[divan::bench(args = ELEMENTS, consts = ROWS)]
    fn attention_output<const M: usize>(bencher: Bencher, element: ElementType) {
        product(bencher, element, (M, WIDTH, WIDTH));
    }

    #[divan::bench(args = ELEMENTS, consts = ROWS)]
    fn intermediate<const M: usize>(bencher: Bencher, element: ElementType) {
        product(bencher, element, (M, WIDTH, INNER_WIDTH));
    }

    #[divan::bench(args = ELEMENTS, consts = ROWS)]
    fn output<const M: usize>(bencher: Bencher, element: ElementType) {
        product(bencher, element, (M, INNER_WIDTH, WIDTH));
    }

    /// The intermediate layer with its activation.
    #[divan::bench(args = ELEMENTS)]
    fn with_gelu(bencher: Bencher, element: ElementType) {
        let (m, k, n) = (128, WIDTH, INNER_WIDTH);
        let (a, weight) = (numbers(m * k), numbers(n * k));
        let b = PackedMatrix::pack(element, MatrixView::new(&weight, n, k).transposed());
        let run = || linear(MatrixView::new(black_box(&a), m, k), &b, None, Some(Activation::Gelu));
        bencher.counter(ItemsCount::new(2 * m * k * n)).bench(run);
    }

    /// Packing the intermediate layer's weight.
    #[divan::bench(args = ELEMENTS)]
    fn packing(bencher: Bencher, element: ElementType) {
        let (k, n) = (WIDTH, INNER_WIDTH);
        let weight = numbers(n * k);
        let pack = || PackedMatrix::pack(element, MatrixView::new(black_box(&weight), n, k).transposed());
        bencher.counter(BytesCount::of_slice(&weight)).bench(pack);
    }
}

/// Rows and tokens of each.
const BATCHES: [(usize, usize); 3] = [(8, 128), (8, 512), (1, 16)];

#[divan::bench_group(max_time = 0.5)]
mod attention_of_rows {
    use super::*;

    fn row_starts((n_rows, n_tokens): (usize, usize)) -> Vec<usize> {
        (0..=n_rows).map(|row| row * n_tokens).collect()
    }

    fn heads(row_starts: &[usize], precision: ElementType) -> Heads<'_> {
        Heads { row_starts, n_heads: N_HEADS, width: WIDTH, queries: Queries::All, window: None, precision }
    }

    /// Operations of both products.
    fn n_operations((n_rows, n_tokens): (usize, usize)) -> ItemsCount {
        ItemsCount::new(4 * n_rows * n_tokens * n_tokens * WIDTH)
    }

    #[divan::bench(args = BATCHES, consts = [false, true])]
    fn forward<const BF16: bool>(bencher: Bencher, batch: (usize, usize)) {
        let starts = row_starts(batch);
        let heads = heads(&starts, if BF16 { ElementType::Bf16 } else { ElementType::F32 });
        let qkv = numbers(batch.0 * batch.1 * 3 * WIDTH);
        let run = || attention::forward(heads, black_box(&qkv), None, false);
        bencher.counter(n_operations(batch)).bench(run);
    }

    #[divan::bench(args = BATCHES, consts = [false, true])]
    fn backward<const BF16: bool>(bencher: Bencher, batch: (usize, usize)) {
        let starts = row_starts(batch);
        let heads = heads(&starts, if BF16 { ElementType::Bf16 } else { ElementType::F32 });
        let n_tokens = batch.0 * batch.1;
        let (qkv, d_out) = (numbers(n_tokens * 3 * WIDTH), numbers(n_tokens * WIDTH));
        let done = attention::forward(heads, &qkv, None, false);
        let job = AttentionGradient {
            qkv: (&qkv).into(),
            out: done.out.view(),
            log_sums: done.log_sums.view(),
            d_out: (&d_out).into(),
            dropout: None,
        };
        bencher.counter(n_operations(batch)).bench(|| attention::backward(heads, black_box(job)));
    }
}

#[divan::bench_group(max_time = 0.5)]
mod norms {
    use super::*;

    const N_TOKENS: [usize; 2] = [128, 4096];

    #[divan::bench(args = N_TOKENS)]
    fn forward(bencher: Bencher, n_tokens: usize) {
        let (weight, bias, residual) = (numbers(WIDTH), numbers(WIDTH), numbers(n_tokens * WIDTH));
        let affine = Affine { weight: (&weight).into(), bias: Some((&bias).into()), epsilon: 1e-12 };
        let (mut x, mut out) = (Buffer::copy_of(&residual), Buffer::copy_of(&residual));
        bencher.counter(BytesCount::of_slice(&residual)).bench_local(|| {
            let residual = Some((&residual).into());
            let job = AddNorm { x: x.view_mut(), residual, dropout: None, out: out.view_mut() };
            layer_norm::forward(affine, job);
        });
    }

    #[divan::bench(args = N_TOKENS)]
    fn backward(bencher: Bencher, n_tokens: usize) {
        let (weight, bias, z) = (numbers(WIDTH), numbers(WIDTH), numbers(n_tokens * WIDTH));
        let affine = Affine { weight: (&weight).into(), bias: Some((&bias).into()), epsilon: 1e-12 };
        let (mut d_weight, mut d_bias, mut d) = (numbers(WIDTH), numbers(WIDTH), Buffer::copy_of(&z));
        bencher.counter(BytesCount::of_slice(&z)).bench_local(|| {
            let (d_weight, d_bias) = (Some((&mut d_weight).into()), Some((&mut d_bias).into()));
            let job = NormGradient { z: (&z).into(), d: d.view_mut(), d_weight, d_bias };
            layer_norm::backward(affine, job);
        });
    }
}
