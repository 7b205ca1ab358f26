//! How fast this machine can multiply and add at best: registers alone, no memory, all threads.

use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{n_threads, parallel_for};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Sums that run side by side: more than an instruction's latency times the units that take it.
const CHAINS: usize = 24;
/// Multiply-adds per chain between two looks at the clock.
const ROUNDS: usize = 20_000;

/// What an instruction multiplies in every lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// Two f32.
    Single,
    /// Two pairs of bf16.
    Pairs,
    /// Four bytes by four bytes.
    Quads,
}

impl Products {
    fn n(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Pairs => 2,
            Self::Quads => 4,
        }
    }
}

/// Operations per second, two for every multiply-add, over all threads, in about `time`.
pub fn flops_per_second(products: Products, time: Duration) -> f64 {
    let total = Mutex::new(0.0);
    parallel_for(n_threads(), |_| {
        let start = Instant::now();
        let mut n_rounds = 0;
        while start.elapsed() < time {
            run(Level::current(), Spin { products });
            n_rounds += 1;
        }
        let per_round = 2 * CHAINS * ROUNDS * LANES * products.n();
        let rate = (n_rounds * per_round) as f64 / start.elapsed().as_secs_f64();
        *total.lock().expect("no thread panics while it adds") += rate;
    });
    total.into_inner().expect("no thread panics while it adds")
}

struct Spin {
    products: Products,
}

impl Kernel for Spin {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the level is on, by `run`'s contract; nothing is read or written.
        unsafe {
            // Small numbers, so that the sums neither overflow nor lose their bits to zero.
            let (a, b) = (S::splat(black_box(1e-3)), S::splat(black_box(1e-3)));
            let mut sums = [S::splat(1.0); CHAINS];
            for _ in 0..ROUNDS {
                for sum in &mut sums {
                    *sum = match self.products {
                        Products::Single => S::fma(a, b, *sum),
                        Products::Pairs => S::fma_pairs(a, b, *sum),
                        Products::Quads => S::dot_quads(a, b, *sum),
                    };
                }
            }
            for sum in sums {
                black_box(S::sum(sum));
            }
        }
    }
}
