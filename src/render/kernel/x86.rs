//! The portable kernels compiled for wider x86-64 instruction sets.

use super::{DenseShape, portable};

/// # Safety
/// The CPU must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn dense_avx2(
    shape: DenseShape,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    out: &mut [f32],
) {
    portable::dense::<true, 6>(shape, input, weights, bias, out);
}

/// # Safety
/// The CPU must have AVX-512 F and VL, AVX2 and FMA.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn dense_avx512(
    shape: DenseShape,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    out: &mut [f32],
) {
    portable::dense::<true, 8>(shape, input, weights, bias, out);
}

/// # Safety
/// The CPU must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn sine_avx2(values: &mut [f32]) {
    portable::sine::<true>(values);
}

/// # Safety
/// The CPU must have AVX-512 F and VL, AVX2 and FMA.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn sine_avx512(values: &mut [f32]) {
    portable::sine::<true>(values);
}

/// # Safety
/// The CPU must have AVX2 and FMA.
#[cfg(feature = "candle")]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn sine_gradient_avx2(omega: f32, gradient: &[f32], values: &mut [f32]) {
    portable::sine_gradient::<true>(omega, gradient, values);
}

/// # Safety
/// The CPU must have AVX-512 F and VL, AVX2 and FMA.
#[cfg(feature = "candle")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn sine_gradient_avx512(omega: f32, gradient: &[f32], values: &mut [f32]) {
    portable::sine_gradient::<true>(omega, gradient, values);
}
