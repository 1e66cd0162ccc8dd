//! Matrix products with strips of points.
//!
//! A strip holds [`STRIP`] points of every feature, one row of points per feature. Points are spread over the lanes and
//! weights are broadcast; a block of `R` features by `C` vectors of points is summed in registers.

use crate::simd::STRIP;
use crate::simd::Simd;

/// A matrix in blocks of rows; each block stores its columns one after another, and each column its rows contiguously.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    values: Vec<f32>,
    /// Rows of the matrix, which are outputs.
    pub rows: usize,
    /// Columns of the matrix, which are inputs.
    pub inner: usize,
}

/// Size of the next block, given that `left` rows remain and registers hold `most`.
#[inline(always)]
pub(super) fn block_rows(left: usize, most: usize) -> usize {
    match left {
        left if left >= most => most,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

impl Packed {
    /// Creates a matrix of zeros.
    pub fn new(rows: usize, inner: usize) -> Self {
        Self {
            values: vec![0.0; rows * inner],
            rows,
            inner,
        }
    }

    /// Packs `scale * matrix`, shape `[rows, inner]`, in blocks of `most` rows.
    pub fn pack(&mut self, matrix: &[f32], scale: f32, most: usize) {
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

    /// Packs the transpose of `scale * matrix`; `matrix` has shape `[inner, rows]`.
    pub fn pack_transposed(&mut self, matrix: &[f32], scale: f32, most: usize) {
        let inner = self.inner;
        let mut row = 0;
        while row < self.rows {
            let size = block_rows(self.rows - row, most);
            let block = &mut self.values[row * inner..][..size * inner];
            for (packed, source) in block
                .chunks_exact_mut(size)
                .zip(matrix.chunks_exact(self.rows))
            {
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

/// Processes the sums of a product.
pub(super) trait Epilogue<S: Simd> {
    /// Processes the vector of sums at offset `offset` in the strip.
    ///
    /// # Safety
    /// `offset` plus a vector must lie within the strips that the epilogue was created with.
    unsafe fn take(&mut self, simd: S, offset: usize, sums: S::V);
}

/// Where the rows of a strip are, [`STRIP`] points each.
pub(super) trait Operand: Copy {
    /// # Safety
    /// The strip must have row `index`.
    unsafe fn row(self, index: usize) -> *const f32;
}

/// Rows one after another.
impl Operand for *const f32 {
    #[inline(always)]
    unsafe fn row(self, index: usize) -> *const f32 {
        // SAFETY: the caller guarantees the row.
        unsafe { self.add(index * STRIP) }
    }
}

/// Rows at offsets from a place; they may overlap.
#[derive(Clone, Copy)]
pub(super) struct Scattered {
    pub(super) start: *const f32,
    pub(super) offsets: *const usize,
}

impl Operand for Scattered {
    #[inline(always)]
    unsafe fn row(self, index: usize) -> *const f32 {
        // SAFETY: the caller guarantees the row, and so its offset.
        unsafe { self.start.add(*self.offsets.add(index)) }
    }
}

/// Multiplies `weights` by the strip `input`, shape `[inner, STRIP]`, adds `bias` if it is not null, and passes the
/// sums to `epilogue`.
///
/// # Safety
/// `input` must hold `weights.inner` rows, `bias` `weights.rows` values, and `weights` must be packed for `R` rows.
#[inline(always)]
pub(super) unsafe fn product<
    S: Simd,
    E: Epilogue<S>,
    const R: usize,
    const C: usize,
    O: Operand,
>(
    simd: S,
    weights: &Packed,
    bias: *const f32,
    input: O,
    epilogue: &mut E,
) {
    let mut row = 0;
    while row < weights.rows {
        let size = block_rows(weights.rows - row, R);
        // SAFETY: the block's rows are below `weights.rows`, and the caller guarantees the rest.
        unsafe {
            let block = weights.values.as_ptr().add(row * weights.inner);
            let bias = if bias.is_null() { bias } else { bias.add(row) };
            let at = Block {
                weights: block,
                inner: weights.inner,
                bias,
                row,
            };
            if size == R {
                at.sum::<S, E, R, C, O>(simd, input, epilogue);
            } else if R > 4 && size == 4 {
                at.sum::<S, E, 4, C, O>(simd, input, epilogue);
            } else if size == 2 {
                at.sum::<S, E, 2, C, O>(simd, input, epilogue);
            } else {
                at.sum::<S, E, 1, C, O>(simd, input, epilogue);
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
    row: usize,
}

impl Block {
    /// # Safety
    /// Same as [`product`].
    #[inline(always)]
    unsafe fn sum<S: Simd, E: Epilogue<S>, const R: usize, const C: usize, O: Operand>(
        self,
        simd: S,
        input: O,
        epilogue: &mut E,
    ) {
        for column in (0..STRIP).step_by(C * S::WIDTH) {
            let mut sums = [[simd.splat(0.0); C]; R];
            // SAFETY: rows and columns are inside the block, see `product`.
            unsafe {
                if !self.bias.is_null() {
                    for (row, sums) in sums.iter_mut().enumerate() {
                        *sums = [simd.splat(*self.bias.add(row)); C];
                    }
                }
                let mut weights = self.weights;
                for index in 0..self.inner {
                    let input = input.row(index).add(column);
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
