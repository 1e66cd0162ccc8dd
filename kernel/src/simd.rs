//! Operations that the kernels need from an instruction set.

/// Points per strip.
pub const STRIP: usize = 32;

/// Vectors of `f32` in one instruction set.
///
/// A value of the type is a token: it exists only where the instructions were detected. All methods must be inlined
/// into a function compiled for the instruction set, see [`Backend::dispatch`].
pub(super) trait Simd: Copy {
    /// One vector.
    type V: Copy;
    /// Values per vector; divides [`STRIP`].
    const WIDTH: usize;

    fn splat(self, value: f32) -> Self::V;
    /// # Safety
    /// `from` must be valid for reads of [`Self::WIDTH`] values.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// # Safety
    /// `to` must be valid for writes of [`Self::WIDTH`] values.
    unsafe fn store(self, to: *mut f32, value: Self::V);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, fused where the instruction set supports it.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`, fused where the instruction set supports it.
    fn neg_mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `value` where `of` is above 0, else 0.
    fn where_positive(self, of: Self::V, value: Self::V) -> Self::V;
    /// `value` with its sign flipped where the lowest bit of `odd` is set.
    fn flip_sign_if_odd(self, odd: Self::V, value: Self::V) -> Self::V;
    /// Whether every value's magnitude is at most `limit`; false for NaN.
    fn all_within(self, value: Self::V, limit: f32) -> bool;
    /// Sum of the values.
    fn sum(self, value: Self::V) -> f32;
    /// Transposes a square of [`Self::WIDTH`] rows, `stride` values apart, into contiguous rows.
    ///
    /// # Safety
    /// `from` must be valid for reads of all rows, `to` for writes of the square of [`Self::WIDTH`] values.
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32);
}

/// A computation written once for every instruction set.
pub(super) trait Work {
    type Output;

    /// Runs with blocks of `ROWS` x `COLUMNS` vectors, which fit the instruction set's registers. Mark implementations
    /// `#[inline(always)]`.
    fn run<S: Simd, const ROWS: usize, const COLUMNS: usize>(self, simd: S) -> Self::Output;
}

/// Transposes value by value, for instruction sets without a faster method.
///
/// # Safety
/// Same as [`Simd::transpose`].
#[inline(always)]
pub(super) unsafe fn transpose_plainly<S: Simd>(
    _: S,
    from: *const f32,
    stride: usize,
    to: *mut f32,
) {
    for row in 0..S::WIDTH {
        for column in 0..S::WIDTH {
            // SAFETY: both are inside the squares that the caller guarantees.
            unsafe { *to.add(column * S::WIDTH + row) = *from.add(row * stride + column) };
        }
    }
}
