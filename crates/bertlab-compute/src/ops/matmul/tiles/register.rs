//! The loop over k of tiles whose sums stay in vector registers: one instruction, or a few, for every vector
//! of sums.

use super::store::Store;
use super::tile::{Inputs, Tile};
use crate::simd::{LANES, Simd};

/// A tile whose rows lie unit after unit of k, one unit of every row beside the other.
pub(super) trait RegisterTile<S: Simd>: Tile<S> {
    /// `c + a · b`, summed over the numbers of a unit, lane by lane.
    ///
    /// # Safety
    /// The contract of [`Simd`].
    unsafe fn multiply_add(a: S::V, b: S::V, c: S::V) -> S::V;
}

/// Enters the loop of the right size: as many rows as there are, as many vectors as hold columns.
///
/// # Safety
/// The contract of [`Tile::multiply`].
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd, T: RegisterTile<S>>(inputs: Inputs, store: Store) {
    // Sizes that the registers do not hold are left out of the program before it is compiled: most of them,
    // at most levels.
    macro_rules! by_size {
        ($($rows:literal)*) => {
            match (inputs.n_rows, store.n_columns.div_ceil(LANES)) {
                $(
                    // SAFETY: the caller's contract; the sizes are the tile's.
                    ($rows, 1) if const { fits::<S>($rows, 1) } => unsafe {
                        tile::<S, T, $rows, 1>(inputs, store)
                    },
                    // SAFETY: as above.
                    ($rows, 2) if const { fits::<S>($rows, 2) } => unsafe {
                        tile::<S, T, $rows, 2>(inputs, store)
                    },
                    // SAFETY: as above.
                    ($rows, 3) if const { fits::<S>($rows, 3) } => unsafe {
                        tile::<S, T, $rows, 3>(inputs, store)
                    },
                )*
                _ => unreachable!("tiles have at most {} rows", S::TILE_ROWS),
            }
        };
    }
    by_size!(1 2 3 4 5 6 7 8)
}

/// Whether a tile of this size stays in the registers.
const fn fits<S: Simd>(n_rows: usize, n_vectors: usize) -> bool {
    n_rows <= S::TILE_ROWS && n_vectors <= S::TILE_VECTORS
}

/// `ROWS` rows of `NV` vectors: products over `depth`, then the store.
#[allow(clippy::needless_range_loop)] // Indices of known range keep every sum in its register.
#[inline(always)]
unsafe fn tile<S: Simd, T: RegisterTile<S>, const ROWS: usize, const NV: usize>(
    inputs: Inputs,
    store: Store,
) {
    let Inputs { depth, a, b, prefetch, .. } = inputs;
    // SAFETY: the caller's contract gives `depth` runs of `a` and `b`.
    unsafe {
        for row in 0..ROWS {
            for v in 0..NV {
                S::prefetch(store.out.wrapping_add(row * store.out_stride + v * LANES));
            }
        }
        let mut sums = [[S::splat(0.0); NV]; ROWS]; // The bits of 0, f32 or integer.
        for unit in 0..depth {
            prefetch.next::<S>(unit);
            let mut right = [S::splat(0.0); NV];
            for v in 0..NV {
                right[v] = S::load(b.add((unit * S::TILE_VECTORS + v) * LANES));
            }
            for row in 0..ROWS {
                let left = S::splat(*a.add(unit * ROWS + row));
                for v in 0..NV {
                    sums[row][v] = T::multiply_add(left, right[v], sums[row][v]);
                }
            }
        }
        store.tile::<S, T, ROWS, NV>(&sums);
    }
}
