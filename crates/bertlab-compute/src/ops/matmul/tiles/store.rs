//! The epilogue of every tile: from sums to numbers of `out`, with bias, activation and a copy of what stood
//! before it.

use crate::ops::activation::Activation;
use crate::simd::{LANES, Simd};

/// What the sums of quantized numbers are multiplied by; unused by other tiles.
#[derive(Clone, Copy)]
pub(crate) struct Scales {
    /// Of the tile's rows.
    pub rows: *const f32,
    /// Of the panel's columns, as wide as it is.
    pub columns: *const f32,
    /// Subtracted from the sums of the panel's columns first.
    pub offsets: *const f32,
}

/// Where a tile's numbers go and what happens to them on the way.
#[derive(Clone, Copy)]
pub(crate) struct Store {
    pub out: *mut f32,
    pub out_stride: usize,
    /// Valid columns of the tile.
    pub n_columns: usize,
    pub add_to_out: bool,
    pub bias: Option<*const f32>,
    pub activation: Option<Activation>,
    pub before_activation: Option<*mut f32>,
    pub scales: Scales,
}

/// How a tile's sums become numbers of `out`.
pub(crate) trait Finish<S: Simd> {
    /// `out + sums + bias`, of as many of the three as there are, for sixteen neighbours of a row. Sums of
    /// f32 are added as they are; others say at which row and column of the tile they stand.
    ///
    /// # Safety
    /// The contract of [`Simd`]; the scales of the row and of sixteen columns must be valid where they are
    /// used.
    #[inline(always)]
    unsafe fn finish(
        sums: S::V,
        out: Option<S::V>,
        bias: Option<S::V>,
        _scales: Scales,
        _at: (usize, usize),
    ) -> S::V {
        // SAFETY: the caller's contract.
        unsafe {
            let sum = if let Some(out) = out { S::add(out, sums) } else { sums };
            if let Some(bias) = bias { S::add(sum, bias) } else { sum }
        }
    }
}

impl Store {
    /// Stores a tile's `ROWS` rows of `NV` vectors.
    ///
    /// # Safety
    /// The contract of [`Simd`]; the tile's rectangle of `out`, and of what is kept before the activation,
    /// must be valid, and the bias as wide.
    #[allow(clippy::needless_range_loop)] // Indices of known range keep every sum in its register.
    #[inline(always)]
    pub(crate) unsafe fn tile<S: Simd, F: Finish<S>, const ROWS: usize, const NV: usize>(
        self,
        sums: &[[S::V; NV]; ROWS],
    ) {
        // SAFETY: the caller's contract.
        unsafe {
            if self.n_columns == NV * LANES {
                self.whole::<S, F, ROWS, NV>(sums);
            } else {
                for row in 0..ROWS {
                    for v in 0..NV {
                        self.part::<S, F>(sums[row][v], row, v);
                    }
                }
            }
        }
    }

    /// Every vector whole, so that the sums go from their registers to memory.
    #[allow(clippy::needless_range_loop)] // As in `tile`.
    #[inline(always)]
    unsafe fn whole<S: Simd, F: Finish<S>, const ROWS: usize, const NV: usize>(
        self,
        sums: &[[S::V; NV]; ROWS],
    ) {
        // SAFETY: the tile's ROWS x NV * LANES numbers lie inside the caller's rectangle, and the bias is as
        // wide.
        unsafe {
            let mut biases = [S::splat(0.0); NV];
            if let Some(from) = self.bias {
                for v in 0..NV {
                    biases[v] = S::load(from.add(v * LANES));
                }
            }
            for row in 0..ROWS {
                for v in 0..NV {
                    let to = self.out.add(row * self.out_stride + v * LANES);
                    let out = if self.add_to_out { Some(S::load(to)) } else { None };
                    let bias = if self.bias.is_some() { Some(biases[v]) } else { None };
                    S::store(to, F::finish(sums[row][v], out, bias, self.scales, (row, v * LANES)));
                }
            }
        }
    }

    /// One vector, perhaps the last of a row.
    #[allow(clippy::manual_map)] // A closure would not be inlined to where the instructions are on.
    #[inline(always)]
    unsafe fn part<S: Simd, F: Finish<S>>(self, sums: S::V, row: usize, v: usize) {
        let column = v * LANES;
        let n = (self.n_columns - column).min(LANES);
        // SAFETY: n numbers at this row and column lie inside the caller's rectangle.
        unsafe {
            let to = self.out.add(row * self.out_stride + column);
            let out = if self.add_to_out { Some(S::load_part(to, n)) } else { None };
            let bias =
                if let Some(bias) = self.bias { Some(S::load_part(bias.add(column), n)) } else { None };
            S::store_part(to, F::finish(sums, out, bias, self.scales, (row, column)), n);
        }
    }

    /// Applies the activation, where there is one, to a tile that was just stored, while it is in the first
    /// cache.
    ///
    /// # Safety
    /// The contract of [`Self::tile`], for `n_rows` rows.
    #[inline(always)]
    pub(crate) unsafe fn activate<S: Simd>(self, n_rows: usize) {
        let Some(activation) = self.activation else { return };
        for row in 0..n_rows {
            for column in (0..self.n_columns).step_by(LANES) {
                let n = (self.n_columns - column).min(LANES);
                let offset = row * self.out_stride + column;
                // SAFETY: n numbers at this row and column lie inside the caller's rectangle.
                unsafe {
                    let x = S::load_part(self.out.add(offset), n);
                    if let Some(kept) = self.before_activation {
                        S::store_part(kept.add(offset), x, n);
                    }
                    S::store_part(self.out.add(offset), activation.apply::<S>(x), n);
                }
            }
        }
    }
}
