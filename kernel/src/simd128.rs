//! WebAssembly's 128-bit vectors, compiled for targets that have them.

use std::arch::wasm32::*;

use crate::simd::{Simd, transpose_plainly};

/// simd128.
#[derive(Clone, Copy)]
pub(super) struct Simd128;

impl Simd for Simd128 {
    type V = v128;
    const WIDTH: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> v128 {
        f32x4_splat(value)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: the caller guarantees four values.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: v128) {
        // SAFETY: the caller guarantees four values.
        unsafe { v128_store(to.cast(), value) }
    }

    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }

    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }

    #[inline(always)]
    fn neg_mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_sub(c, f32x4_mul(a, b))
    }

    #[inline(always)]
    fn where_positive(self, of: v128, value: v128) -> v128 {
        v128_and(f32x4_gt(of, f32x4_splat(0.0)), value)
    }

    #[inline(always)]
    fn flip_sign_if_odd(self, odd: v128, value: v128) -> v128 {
        v128_xor(value, u32x4_shl(odd, 31))
    }

    #[inline(always)]
    fn all_within(self, value: v128, limit: f32) -> bool {
        u32x4_all_true(f32x4_le(f32x4_abs(value), f32x4_splat(limit)))
    }

    #[inline(always)]
    fn sum(self, value: v128) -> f32 {
        (f32x4_extract_lane::<0>(value) + f32x4_extract_lane::<1>(value))
            + (f32x4_extract_lane::<2>(value) + f32x4_extract_lane::<3>(value))
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32) {
        // SAFETY: the caller guarantees the same.
        unsafe { transpose_plainly(self, from, stride, to) }
    }
}
