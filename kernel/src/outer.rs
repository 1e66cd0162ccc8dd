//! Products over all points of a tile: the gradients of weights.

use crate::product::block_rows;
use crate::simd::STRIP;
use crate::simd::Simd;

/// A product of two arrays of strips over all points, which gives a layer's weight gradient.
#[derive(Clone, Copy)]
pub(super) struct Outer {
    /// Gradients with respect to the layer's sums: `strips` strips of `rows` rows.
    pub(super) back: *const f32,
    pub(super) rows: usize,
    pub(super) strips: usize,
    /// The layer's inputs, transposed by [`panels`]; or as strips of `columns` rows for [`Outer::narrow`].
    pub(super) inputs: *const f32,
    pub(super) columns: usize,
    /// Result, shape `[rows, pitch]`; `pitch` is a multiple of 16 and at least `columns`.
    pub(super) out: *mut f32,
    pub(super) pitch: usize,
    /// Whether to add to `out` instead of overwriting it.
    pub(super) add: bool,
}

impl Outer {
    fn points(&self) -> usize {
        self.strips * STRIP
    }

    /// # Safety
    /// All pointers must be valid for the shapes stated by the fields.
    #[inline(always)]
    pub(super) unsafe fn wide<S: Simd, const R: usize, const C: usize>(self, simd: S) {
        let vectors = self.columns.div_ceil(S::WIDTH);
        let mut vector = 0;
        while vector < vectors {
            let count = if vectors - vector >= C { C } else { 1 };
            let mut row = 0;
            while row < self.rows {
                let size = block_rows(self.rows - row, R);
                // SAFETY: rows and vectors are below the counts.
                unsafe {
                    match (size == R, count == C) {
                        (true, true) => self.block::<S, R, C>(simd, row, vector),
                        (true, false) => self.block::<S, R, 1>(simd, row, vector),
                        (false, true) if size == 4 => self.block::<S, 4, C>(simd, row, vector),
                        (false, false) if size == 4 => self.block::<S, 4, 1>(simd, row, vector),
                        (false, true) if size == 2 => self.block::<S, 2, C>(simd, row, vector),
                        (false, false) if size == 2 => self.block::<S, 2, 1>(simd, row, vector),
                        (false, true) => self.block::<S, 1, C>(simd, row, vector),
                        (false, false) => self.block::<S, 1, 1>(simd, row, vector),
                    }
                }
                row += size;
            }
            vector += count;
        }
    }

    /// # Safety
    /// Same as [`Outer::wide`].
    #[inline(always)]
    unsafe fn block<S: Simd, const R: usize, const C: usize>(
        self,
        simd: S,
        row: usize,
        vector: usize,
    ) {
        let panel = self.points() * S::WIDTH;
        // SAFETY: see `wide`.
        unsafe {
            let mut inputs = self.inputs.add(vector * panel);
            let mut sums = [[simd.splat(0.0); C]; R];
            for strip in 0..self.strips {
                let back = self.back.add((strip * self.rows + row) * STRIP);
                for point in 0..STRIP {
                    let mut columns = [simd.splat(0.0); C];
                    for (index, values) in columns.iter_mut().enumerate() {
                        *values = simd.load(inputs.add(index * panel));
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let back = simd.splat(*back.add(row * STRIP + point));
                        for (sum, values) in sums.iter_mut().zip(columns) {
                            *sum = simd.mul_add(back, values, *sum);
                        }
                    }
                    inputs = inputs.add(S::WIDTH);
                }
            }
            for (index, sums) in sums.into_iter().enumerate() {
                for (column, sum) in sums.into_iter().enumerate() {
                    let start = (row + index) * self.pitch + (vector + column) * S::WIDTH;
                    let out = self.out.add(start);
                    let before = if self.add {
                        simd.load(out)
                    } else {
                        simd.splat(0.0)
                    };
                    simd.store(out, simd.add(before, sum));
                }
            }
        }
    }

    /// Same as [`Outer::wide`] for few columns, where vectors would be mostly empty: `inputs` are strips.
    ///
    /// # Safety
    /// Same as [`Outer::wide`].
    #[inline(always)]
    pub(super) unsafe fn narrow<S: Simd>(self, simd: S) {
        let mut row = 0;
        while row < self.rows {
            let size = if self.rows - row >= 4 { 4 } else { 1 };
            for column in 0..self.columns {
                // SAFETY: rows and columns are below the counts.
                unsafe {
                    match size {
                        4 => self.dots::<S, 4>(simd, row, column),
                        _ => self.dots::<S, 1>(simd, row, column),
                    }
                }
            }
            row += size;
        }
    }

    /// # Safety
    /// Same as [`Outer::wide`].
    #[inline(always)]
    unsafe fn dots<S: Simd, const R: usize>(self, simd: S, row: usize, column: usize) {
        let mut sums = [simd.splat(0.0); R];
        // SAFETY: see `narrow`.
        unsafe {
            for strip in 0..self.strips {
                let back = self.back.add((strip * self.rows + row) * STRIP);
                let inputs = self.inputs.add((strip * self.columns + column) * STRIP);
                for point in (0..STRIP).step_by(S::WIDTH) {
                    let values = simd.load(inputs.add(point));
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let back = simd.load(back.add(index * STRIP + point));
                        *sum = simd.mul_add(back, values, *sum);
                    }
                }
            }
            for (index, sum) in sums.into_iter().enumerate() {
                let out = self.out.add((row + index) * self.pitch + column);
                let before = if self.add { *out } else { 0.0 };
                *out = before + simd.sum(sum);
            }
        }
    }
}

/// Transposes `strips` strips of `rows` rows into panels, shape `[ceil(rows / WIDTH), strips * STRIP, WIDTH]`. The
/// surplus columns of the last panel hold arbitrary values.
///
/// # Safety
/// `from` must hold the strips plus as many further rows as a vector has values, and `to` the panels.
#[inline(always)]
pub(super) unsafe fn panels<S: Simd>(
    simd: S,
    from: *const f32,
    rows: usize,
    strips: usize,
    to: *mut f32,
) {
    for panel in 0..rows.div_ceil(S::WIDTH) {
        for strip in 0..strips {
            for point in (0..STRIP).step_by(S::WIDTH) {
                // SAFETY: all accesses are inside the shapes above.
                unsafe {
                    let from = from.add((strip * rows + panel * S::WIDTH) * STRIP + point);
                    let to = to.add(((panel * strips + strip) * STRIP + point) * S::WIDTH);
                    simd.transpose(from, STRIP, to);
                }
            }
        }
    }
}

/// Sums `strips` strips of `rows` rows over points, and stores the sums in `out` or adds them to it.
///
/// # Safety
/// `from` must hold the strips, and `out` must hold `rows` values.
#[inline(always)]
pub(super) unsafe fn row_sums<S: Simd>(
    simd: S,
    from: *const f32,
    rows: usize,
    strips: usize,
    stride: usize,
    out: *mut f32,
    add: bool,
) {
    for row in 0..rows {
        let mut sum = simd.splat(0.0);
        // SAFETY: all accesses are inside the shapes above.
        unsafe {
            for strip in 0..strips {
                let from = from.add((strip * stride * rows + row) * STRIP);
                for point in (0..STRIP).step_by(S::WIDTH) {
                    sum = simd.add(sum, simd.load(from.add(point)));
                }
            }
            let before = if add { *out.add(row) } else { 0.0 };
            *out.add(row) = before + simd.sum(sum);
        }
    }
}
