//! AVX-512 F, with AVX2 and FMA.

use std::arch::x86_64::*;

use crate::simd::{Simd, Work};

/// Proof that the CPU has AVX-512 F, AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

/// # Safety
/// The CPU must have AVX-512 F, AVX2 and FMA.
#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) unsafe fn dispatch<W: Work>(work: W) -> W::Output {
    work.run::<_, 8, 2>(Avx512(()))
}

// SAFETY of every block below: the token exists only inside `dispatch`, whose caller detected the instructions, and
// pointers are valid as the trait's methods require.
impl Simd for Avx512 {
    type V = __m512;
    const WIDTH: usize = 16;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: __m512) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(to, value) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn where_positive(self, of: __m512, value: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(of, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(positive, value)
        }
    }

    #[inline(always)]
    fn flip_sign_if_odd(self, odd: __m512, value: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let sign = _mm512_slli_epi32::<31>(_mm512_castps_si512(odd));
            _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(value), sign))
        }
    }

    #[inline(always)]
    fn all_within(self, value: __m512, limit: f32) -> bool {
        // SAFETY: see above.
        unsafe {
            let magnitude = _mm512_abs_ps(value);
            _mm512_cmp_ps_mask::<_CMP_LE_OQ>(magnitude, _mm512_set1_ps(limit)) == 0xffff
        }
    }

    #[inline(always)]
    fn sum(self, value: __m512) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_ps(value) }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32) {
        // SAFETY: see above.
        unsafe {
            // Rows r, r + 4, r + 8 and r + 12 share a register, so that a 4 x 4 transposition remains in each quarter.
            for column in [0, 4, 8, 12] {
                let mut quads = [_mm512_setzero_ps(); 4];
                for (row, quad) in quads.iter_mut().enumerate() {
                    let from = from.add(row * stride + column);
                    let mut values = _mm512_castps128_ps512(_mm_loadu_ps(from));
                    values = _mm512_insertf32x4::<1>(values, _mm_loadu_ps(from.add(4 * stride)));
                    values = _mm512_insertf32x4::<2>(values, _mm_loadu_ps(from.add(8 * stride)));
                    *quad = _mm512_insertf32x4::<3>(values, _mm_loadu_ps(from.add(12 * stride)));
                }
                let [a, b, c, d] = quads;
                let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                let to = to.add(column * 16);
                _mm512_storeu_ps(to, _mm512_shuffle_ps::<0x44>(ab_low, cd_low));
                _mm512_storeu_ps(to.add(16), _mm512_shuffle_ps::<0xee>(ab_low, cd_low));
                _mm512_storeu_ps(to.add(32), _mm512_shuffle_ps::<0x44>(ab_high, cd_high));
                _mm512_storeu_ps(to.add(48), _mm512_shuffle_ps::<0xee>(ab_high, cd_high));
            }
        }
    }
}
