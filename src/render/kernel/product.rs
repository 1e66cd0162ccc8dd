//! Matrix products over strips of points: the three that training a dense layer takes.
//!
//! A strip holds [`STRIP`] points of every feature, one row of points per feature. Points lie across the lanes, weights
//! are broadcast; a block of `R` features by `C` vectors of points is summed in registers.

use super::STRIP;
use super::simd::Simd;

/// A matrix in the order in which blocks read it: for each block of rows its columns, each column's rows together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed {
    values: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) inner: usize,
}

/// Rows of the next block when `left` are left and registers hold `most`.
#[inline(always)]
fn block_rows(left: usize, most: usize) -> usize {
    match left {
        left if left >= most => most,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

impl Packed {
    pub(crate) fn new(rows: usize, inner: usize) -> Self {
        Self {
            values: vec![0.0; rows * inner],
            rows,
            inner,
        }
    }

    /// Takes in `scale * matrix`, shape `[rows, inner]`, for blocks of `most` rows.
    pub(crate) fn pack(&mut self, matrix: &[f32], scale: f32, most: usize) {
        let inner = self.inner;
        let mut row = 0;
        while row < self.rows {
            let size = block_rows(self.rows - row, most);
            let block = &mut self.values[row * inner..][..size * inner];
            let source = &matrix[row * inner..][..size * inner];
            match size {
                8 => interleave::<8>(block, source, scale),
                6 => interleave::<6>(block, source, scale),
                4 => interleave::<4>(block, source, scale),
                2 => interleave::<2>(block, source, scale),
                _ => interleave::<1>(block, source, scale),
            }
            row += size;
        }
    }

    /// Takes in the transposition of `scale * matrix`, shape `[inner, rows]`.
    pub(crate) fn pack_transposed(&mut self, matrix: &[f32], scale: f32, most: usize) {
        let inner = self.inner;
        let mut row = 0;
        while row < self.rows {
            let size = block_rows(self.rows - row, most);
            let block = &mut self.values[row * inner..][..size * inner];
            for (packed, source) in block.chunks_exact_mut(size).zip(matrix.chunks_exact(self.rows)) {
                for (packed, source) in packed.iter_mut().zip(&source[row..row + size]) {
                    *packed = source * scale;
                }
            }
            row += size;
        }
    }
}

fn interleave<const SIZE: usize>(block: &mut [f32], source: &[f32], scale: f32) {
    let inner = source.len() / SIZE;
    let rows: [&[f32]; SIZE] = std::array::from_fn(|row| &source[row * inner..][..inner]);
    for (column, packed) in block.chunks_exact_mut(SIZE).enumerate() {
        for (packed, row) in packed.iter_mut().zip(rows) {
            *packed = row[column] * scale;
        }
    }
}

/// What becomes of a product's sums.
pub(super) trait Epilogue<S: Simd> {
    /// Takes the vector of sums at `offset` values into the strip.
    ///
    /// # Safety
    /// `offset` plus a vector must lie within the strips that the epilogue was made with.
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V);
}

/// `weights` times the strip at `input`, shape `[inner, STRIP]`, plus `bias` if it is not null; sums go to `epilogue`.
///
/// # Safety
/// `input` must hold `weights.inner` rows, `bias` `weights.rows` values, and `weights` be packed for `R` rows.
#[inline(always)]
pub(super) unsafe fn product<S: Simd, E: Epilogue<S>, const R: usize, const C: usize>(
    simd: S,
    weights: &Packed,
    bias: *const f32,
    input: *const f32,
    epilogue: &mut E,
) {
    let mut row = 0;
    while row < weights.rows {
        let size = block_rows(weights.rows - row, R);
        // SAFETY: the block's rows are below `weights.rows`, and the caller vouches for the rest.
        unsafe {
            let block = weights.values.as_ptr().add(row * weights.inner);
            let bias = if bias.is_null() { bias } else { bias.add(row) };
            let at = Block {
                weights: block,
                inner: weights.inner,
                bias,
                input,
                row,
            };
            if size == R {
                at.sum::<S, E, R, C>(simd, epilogue);
            } else if R > 4 && size == 4 {
                at.sum::<S, E, 4, C>(simd, epilogue);
            } else if size == 2 {
                at.sum::<S, E, 2, C>(simd, epilogue);
            } else {
                at.sum::<S, E, 1, C>(simd, epilogue);
            }
        }
        row += size;
    }
}

#[derive(Clone, Copy)]
struct Block {
    weights: *const f32,
    inner: usize,
    bias: *const f32,
    input: *const f32,
    row: usize,
}

impl Block {
    /// # Safety
    /// As [`product`].
    #[inline(always)]
    unsafe fn sum<S: Simd, E: Epilogue<S>, const R: usize, const C: usize>(
        self,
        simd: S,
        epilogue: &mut E,
    ) {
        for column in (0..STRIP).step_by(C * S::WIDTH) {
            let mut sums = [[simd.splat(0.0); C]; R];
            // SAFETY: rows and columns stay inside the block, see `product`.
            unsafe {
                if !self.bias.is_null() {
                    for (row, sums) in sums.iter_mut().enumerate() {
                        *sums = [simd.splat(*self.bias.add(row)); C];
                    }
                }
                let mut input = self.input.add(column);
                let mut weights = self.weights;
                for _ in 0..self.inner {
                    let mut columns = [simd.splat(0.0); C];
                    for (index, values) in columns.iter_mut().enumerate() {
                        *values = simd.load(input.add(index * S::WIDTH));
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let weight = simd.splat(*weights.add(row));
                        for (sum, values) in sums.iter_mut().zip(columns) {
                            *sum = simd.mul_add(weight, values, *sum);
                        }
                    }
                    input = input.add(STRIP);
                    weights = weights.add(R);
                }
                for (row, sums) in sums.into_iter().enumerate() {
                    for (index, sums) in sums.into_iter().enumerate() {
                        let offset = (self.row + row) * STRIP + column + index * S::WIDTH;
                        epilogue.take(simd, offset, sums);
                    }
                }
            }
        }
    }
}

/// Two runs of strips whose product over all points is a layer's weight gradient.
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
    /// Adds to `out` instead of overwriting it.
    pub(super) add: bool,
}

impl Outer {
    fn points(&self) -> usize {
        self.strips * STRIP
    }

    /// # Safety
    /// All pointers must be valid for the shapes that the fields state.
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
    /// As [`Outer::wide`].
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
                    let before = if self.add { simd.load(out) } else { simd.splat(0.0) };
                    simd.store(out, simd.add(before, sum));
                }
            }
        }
    }

    /// The same for few columns, whose vectors would be mostly empty: `inputs` are strips.
    ///
    /// # Safety
    /// As [`Outer::wide`].
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
    /// As [`Outer::wide`].
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

/// Transposes `strips` strips of `rows` rows into panels, shape `[ceil(rows / WIDTH), strips * STRIP, WIDTH]`. The last
/// panel's surplus columns are whatever follows the rows.
///
/// # Safety
/// `from` must hold the strips and a vector's number of rows besides, `to` the panels.
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
                // SAFETY: inside the shapes above.
                unsafe {
                    let from = from.add((strip * rows + panel * S::WIDTH) * STRIP + point);
                    let to = to.add(((panel * strips + strip) * STRIP + point) * S::WIDTH);
                    simd.transpose(from, STRIP, to);
                }
            }
        }
    }
}

/// Sums over points of `strips` strips of `rows` rows, into or added to `out`.
///
/// # Safety
/// `from` must hold the strips and `out` `rows` values.
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
        // SAFETY: inside the shapes above.
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
