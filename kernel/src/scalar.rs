//! The reference: plain Rust for any CPU, with arrays that compilers vectorise.

use crate::simd::{Simd, transpose_plainly};

/// Plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

type V = [f32; 4];

#[inline(always)]
fn map2(a: V, b: V, f: impl Fn(f32, f32) -> f32) -> V {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

impl Simd for Scalar {
    type V = V;
    const WIDTH: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> V {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> V {
        // SAFETY: the caller guarantees four values.
        unsafe { from.cast::<V>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: V) {
        // SAFETY: the caller guarantees four values.
        unsafe { to.cast::<V>().write_unaligned(value) }
    }

    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        map2(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: V, b: V) -> V {
        map2(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: V, b: V) -> V {
        map2(a, b, |a, b| a * b)
    }

    // Without the instruction `f32::mul_add` is a library call.
    #[inline(always)]
    fn mul_add(self, a: V, b: V, c: V) -> V {
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn neg_mul_add(self, a: V, b: V, c: V) -> V {
        self.sub(c, self.mul(a, b))
    }

    #[inline(always)]
    fn where_positive(self, of: V, value: V) -> V {
        map2(of, value, |of, value| if of > 0.0 { value } else { 0.0 })
    }

    #[inline(always)]
    fn flip_sign_if_odd(self, odd: V, value: V) -> V {
        map2(odd, value, |odd, value| {
            f32::from_bits(value.to_bits() ^ (odd.to_bits() << 31))
        })
    }

    #[inline(always)]
    fn all_within(self, value: V, limit: f32) -> bool {
        value
            .iter()
            .fold(true, |fine, value| fine & (value.abs() <= limit))
    }

    #[inline(always)]
    fn sum(self, value: V) -> f32 {
        (value[0] + value[1]) + (value[2] + value[3])
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32) {
        // SAFETY: the caller guarantees the same.
        unsafe { transpose_plainly(self, from, stride, to) }
    }
}
