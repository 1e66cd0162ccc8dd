//! NEON, which every 64-bit ARM CPU has.

use std::arch::aarch64::*;

use crate::simd::{Simd, transpose_plainly};

/// NEON.
#[derive(Clone, Copy)]
pub(super) struct Neon;

// SAFETY of every block below: NEON is part of the aarch64 baseline, and pointers are valid as the trait's methods
// require.
impl Simd for Neon {
    type V = float32x4_t;
    const WIDTH: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: float32x4_t) {
        // SAFETY: see above.
        unsafe { vst1q_f32(to, value) }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn neg_mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vfmsq_f32(c, a, b) }
    }

    #[inline(always)]
    fn where_positive(self, of: float32x4_t, value: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe {
            let positive = vcgtzq_f32(of);
            vreinterpretq_f32_u32(vandq_u32(positive, vreinterpretq_u32_f32(value)))
        }
    }

    #[inline(always)]
    fn flip_sign_if_odd(self, odd: float32x4_t, value: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe {
            let sign = vshlq_n_u32::<31>(vreinterpretq_u32_f32(odd));
            vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(value), sign))
        }
    }

    #[inline(always)]
    fn all_within(self, value: float32x4_t, limit: f32) -> bool {
        // SAFETY: see above.
        unsafe { vminvq_u32(vcleq_f32(vabsq_f32(value), vdupq_n_f32(limit))) != 0 }
    }

    #[inline(always)]
    fn sum(self, value: float32x4_t) -> f32 {
        // SAFETY: see above.
        unsafe { vaddvq_f32(value) }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32) {
        // SAFETY: the caller guarantees the same.
        unsafe { transpose_plainly(self, from, stride, to) }
    }
}
