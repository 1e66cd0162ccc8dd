//! Measures the CPU's peak rate of multiply-adds, as a reference for the kernels.

use crate::backend::Backend;
use crate::simd::{Simd, Work};

/// Runs `rounds` rounds of independent multiply-adds and returns the number of floating-point operations.
pub(super) struct Peak {
    pub(super) rounds: u32,
}

/// Independent sums: more than any CPU's latency times its units, fewer than its registers.
const SUMS: usize = 12;

impl Work for Peak {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const COLUMNS: usize>(self, simd: S) -> f64 {
        let mut sums = [simd.splat(std::hint::black_box(1.0)); SUMS];
        let factor = simd.splat(std::hint::black_box(0.999_999));
        let term = simd.splat(std::hint::black_box(1e-6));
        for _ in 0..self.rounds {
            for _ in 0..16 {
                for sum in &mut sums {
                    *sum = simd.mul_add(*sum, factor, term);
                }
            }
        }
        for sum in sums {
            std::hint::black_box(simd.sum(sum));
        }
        f64::from(self.rounds) * (16 * SUMS * S::WIDTH * 2) as f64
    }
}

impl Backend {
    /// Executes about `rounds` x 200 independent vector multiply-adds; returns the number of floating-point operations.
    pub fn peak(self, rounds: u32) -> f64 {
        self.dispatch(Peak { rounds })
    }
}
