//! How many operations per second this machine's units give at best: registers alone, no memory, all threads.

use crate::element::ElementType;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{n_threads, parallel_for};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Sums that run side by side: more than an instruction's latency times the units that take it.
const CHAINS: usize = 24;
/// Multiply-adds per chain between two looks at the clock.
const ROUNDS: usize = 20_000;

/// Operations per second, two for every multiply-add, of products in this element type, over all threads,
/// measured for about `time`.
pub fn operations_per_second(element: ElementType, time: Duration) -> f64 {
    let total = Mutex::new(0.0);
    parallel_for(n_threads(), |_| {
        let start = Instant::now();
        let mut n_rounds = 0;
        while start.elapsed() < time {
            run(Level::current(), Spin { element });
            n_rounds += 1;
        }
        let per_lane = size_of::<f32>() / element.size_bytes();
        let per_round = 2 * CHAINS * ROUNDS * LANES * per_lane;
        let rate = (n_rounds * per_round) as f64 / start.elapsed().as_secs_f64();
        *total.lock().expect("no thread panics while it adds") += rate;
    });
    total.into_inner().expect("no thread panics while it adds")
}

struct Spin {
    element: ElementType,
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
                    *sum = match self.element {
                        ElementType::F32 => S::fma(a, b, *sum),
                        ElementType::Bf16 => S::fma_pairs(a, b, *sum),
                        ElementType::Int8 => S::dot_quads(a, b, *sum),
                    };
                }
            }
            for sum in sums {
                black_box(S::sum(sum));
            }
        }
    }
}
