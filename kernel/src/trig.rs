//! Sine and cosine over vectors.

use crate::backend::Backend;
use crate::simd::Simd;
use crate::simd::Work;

/// Above this the three-part reduction loses digits; such angles use the library's functions.
const LARGEST: f32 = 8192.0;

/// Pi in three parts; the first two have few enough bits that their products with a half-turn count are exact.
const PI: [f32; 3] = [3.140_625, 9.675_026e-4, 1.509_958e-7];
const ROUNDING: f32 = 12_582_912.0;

/// Minimax on -pi/2..=pi/2: 5e-9 relative before rounding.
const SINE: [f32; 4] = [2.608_789_1e-6, -1.981_105_3e-4, 8.333_088e-3, -1.666_666e-1];
/// Minimax on -pi/2..=pi/2: 3e-10 absolute before rounding.
const COSINE: [f32; 5] = [
    -2.607_566e-7,
    2.476_180_8e-5,
    -1.388_840_3e-3,
    4.166_664e-2,
    -0.5,
];

/// An angle minus the nearest multiple of pi, and that multiple in the lowest bits of a rounded float.
struct Reduced<V> {
    rest: V,
    square: V,
    turns: V,
}

#[inline(always)]
fn reduce<S: Simd>(simd: S, angle: S::V) -> Reduced<S::V> {
    let rounding = simd.splat(ROUNDING);
    let shifted = simd.mul_add(angle, simd.splat(std::f32::consts::FRAC_1_PI), rounding);
    let turns = simd.sub(shifted, rounding);
    let mut rest = angle;
    for part in PI {
        rest = simd.neg_mul_add(turns, simd.splat(part), rest);
    }
    Reduced {
        rest,
        square: simd.mul(rest, rest),
        turns: shifted,
    }
}

#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, coefficients: [f32; N], at: S::V) -> S::V {
    let mut sum = simd.splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = simd.mul_add(sum, at, simd.splat(coefficient));
    }
    sum
}

impl<V: Copy> Reduced<V> {
    #[inline(always)]
    fn sine<S: Simd<V = V>>(&self, simd: S) -> V {
        let poly = polynomial(simd, SINE, self.square);
        let sine = simd.mul_add(simd.mul(poly, self.square), self.rest, self.rest);
        simd.flip_sign_if_odd(self.turns, sine)
    }

    #[inline(always)]
    fn cosine<S: Simd<V = V>>(&self, simd: S) -> V {
        let poly = polynomial(simd, COSINE, self.square);
        let cosine = simd.mul_add(poly, self.square, simd.splat(1.0));
        simd.flip_sign_if_odd(self.turns, cosine)
    }
}

/// Applies `function` from the library to each value in double precision.
#[cold]
#[inline(never)]
fn one_by_one(values: &mut [f32], function: fn(f64) -> f64) {
    for value in values {
        *value = function(f64::from(*value)) as f32;
    }
}

/// Applies [`one_by_one`] to a vector.
#[inline(always)]
fn exactly<S: Simd>(simd: S, angle: S::V, function: fn(f64) -> f64) -> S::V {
    let mut values = [0.0; 16];
    // SAFETY: vectors hold at most 16 values.
    unsafe {
        simd.store(values.as_mut_ptr(), angle);
        one_by_one(&mut values[..S::WIDTH], function);
        simd.load(values.as_ptr())
    }
}

/// Sine; absolute error at most 2e-7 up to 1,000 and about 1e-6 up to 8,192.
#[inline(always)]
pub(super) fn sine<S: Simd>(simd: S, angle: S::V) -> S::V {
    if simd.all_within(angle, LARGEST) {
        reduce(simd, angle).sine(simd)
    } else {
        exactly(simd, angle, f64::sin)
    }
}

/// Sine and cosine, with the accuracy of [`sine`].
#[inline(always)]
pub(super) fn sine_cosine<S: Simd>(simd: S, angle: S::V) -> (S::V, S::V) {
    if simd.all_within(angle, LARGEST) {
        let reduced = reduce(simd, angle);
        (reduced.sine(simd), reduced.cosine(simd))
    } else {
        (
            exactly(simd, angle, f64::sin),
            exactly(simd, angle, f64::cos),
        )
    }
}

/// Replaces values by `gradient * omega * cos(omega * value)`, or by `sin(omega * value)` without a gradient.
pub(super) struct Waves<'a> {
    pub(super) omega: f32,
    pub(super) values: &'a mut [f32],
    pub(super) gradient: Option<&'a [f32]>,
}

impl Work for Waves<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const COLUMNS: usize>(self, simd: S) {
        let omega = simd.splat(self.omega);
        for (index, values) in self.values.chunks_mut(S::WIDTH).enumerate() {
            let start = index * S::WIDTH;
            let gradient = self.gradient.map(|all| &all[start..start + values.len()]);
            let mut padded = [[0.0; 16]; 2];
            padded[0][..values.len()].copy_from_slice(values);
            if let Some(gradient) = gradient {
                padded[1][..values.len()].copy_from_slice(gradient);
            }
            // SAFETY: vectors hold at most 16 values.
            unsafe {
                let angle = simd.mul(omega, simd.load(padded[0].as_ptr()));
                let (sine, cosine) = sine_cosine(simd, angle);
                let result = match gradient {
                    None => sine,
                    Some(_) => {
                        let arriving = simd.load(padded[1].as_ptr());
                        simd.mul(simd.mul(arriving, omega), cosine)
                    }
                };
                simd.store(padded[0].as_mut_ptr(), result);
            }
            values.copy_from_slice(&padded[0][..values.len()]);
        }
    }
}

impl Backend {
    /// Replaces every value by `sin(omega * value)`; absolute error at most 2e-7 for angles up to 1,000.
    pub fn scaled_sine(self, omega: f32, values: &mut [f32]) {
        self.dispatch(Waves {
            omega,
            values,
            gradient: None,
        });
    }

    /// Replaces every `z` by `gradient * omega * cos(omega * z)`, the backward pass of a sine layer.
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn sine_gradient(self, omega: f32, gradient: &[f32], values: &mut [f32]) {
        assert_eq!(gradient.len(), values.len());
        self.dispatch(Waves {
            omega,
            values,
            gradient: Some(gradient),
        });
    }
}
