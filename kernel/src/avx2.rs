//! AVX2 with FMA.

use std::arch::x86_64::*;

use crate::simd::{Simd, Work};

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// # Safety
/// The CPU must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn dispatch<W: Work>(work: W) -> W::Output {
    // 6 x 2 sums, 2 columns and a weight use 15 of the 16 registers.
    work.run::<_, 6, 2>(Avx2(()))
}

// SAFETY of every block below: the token exists only inside `dispatch`, whose caller detected the instructions, and
// pointers are valid as the trait's methods require.
impl Simd for Avx2 {
    type V = __m256;
    const WIDTH: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: __m256) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to, value) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fnmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn where_positive(self, of: __m256, value: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(of, _mm256_setzero_ps());
            _mm256_and_ps(positive, value)
        }
    }

    #[inline(always)]
    fn flip_sign_if_odd(self, odd: __m256, value: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let sign = _mm256_slli_epi32::<31>(_mm256_castps_si256(odd));
            _mm256_xor_ps(value, _mm256_castsi256_ps(sign))
        }
    }

    #[inline(always)]
    fn all_within(self, value: __m256, limit: f32) -> bool {
        // SAFETY: see above.
        unsafe {
            let magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0), value);
            let fine = _mm256_cmp_ps::<_CMP_LE_OQ>(magnitude, _mm256_set1_ps(limit));
            _mm256_movemask_ps(fine) == 0xff
        }
    }

    #[inline(always)]
    fn sum(self, value: __m256) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_add_ps(
                _mm256_castps256_ps128(value),
                _mm256_extractf128_ps::<1>(value),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32) {
        // SAFETY: see above.
        unsafe {
            // Rows r and r + 4 share a register, so that a 4 x 4 transposition remains in each half.
            for column in [0, 4] {
                let mut pairs = [_mm256_setzero_ps(); 4];
                for (row, pair) in pairs.iter_mut().enumerate() {
                    let from = from.add(row * stride + column);
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(from));
                    *pair = _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add(4 * stride)));
                }
                let [a, b, c, d] = pairs;
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let to = to.add(column * 8);
                _mm256_storeu_ps(to, _mm256_shuffle_ps::<0x44>(ab_low, cd_low));
                _mm256_storeu_ps(to.add(8), _mm256_shuffle_ps::<0xee>(ab_low, cd_low));
                _mm256_storeu_ps(to.add(16), _mm256_shuffle_ps::<0x44>(ab_high, cd_high));
                _mm256_storeu_ps(to.add(24), _mm256_shuffle_ps::<0xee>(ab_high, cd_high));
            }
        }
    }
}
