//! The kernels in plain Rust, written so that the compiler vectorises them at whatever width it is given.

use super::{DenseShape, LANES};

type Lane = [f32; LANES];

#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    // Without the instruction `mul_add` is a library call.
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn lane(row: &[f32]) -> &Lane {
    row[..LANES].try_into().expect("the slice was cut to LANES")
}

/// `ROWS` outputs for `LANES` points at once, so that each load of an input feeds `ROWS` products.
#[inline(always)]
fn block<const FUSED: bool, const ROWS: usize>(
    shape: DenseShape,
    input: &[f32],
    weights: &[&[f32]; ROWS],
    bias: &[f32],
    out: &mut [f32],
    at: usize,
) {
    let mut sums: [Lane; ROWS] = [[0.0; LANES]; ROWS];
    for (sum, &bias) in sums.iter_mut().zip(bias) {
        *sum = [bias; LANES];
    }
    for i in 0..shape.inputs {
        let values = lane(&input[i * shape.stride + at..]);
        for (sum, weights) in sums.iter_mut().zip(weights) {
            let weight = weights[i];
            for (sum, &value) in sum.iter_mut().zip(values) {
                *sum = multiply_add::<FUSED>(weight, value, *sum);
            }
        }
    }
    for (row, sum) in sums.iter().enumerate() {
        let start = row * shape.stride + at;
        out[start..start + LANES].copy_from_slice(sum);
    }
}

#[inline(always)]
fn rows<const FUSED: bool, const ROWS: usize>(
    shape: DenseShape,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    out: &mut [f32],
) {
    let weights: [&[f32]; ROWS] =
        std::array::from_fn(|row| &weights[row * shape.inputs..(row + 1) * shape.inputs]);
    for at in (0..shape.count).step_by(LANES) {
        block::<FUSED, ROWS>(shape, input, &weights, bias, out, at);
    }
}

#[inline(always)]
pub(super) fn dense<const FUSED: bool, const ROWS: usize>(
    shape: DenseShape,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    out: &mut [f32],
) {
    let whole = shape.outputs - shape.outputs % ROWS;
    for row in (0..whole).step_by(ROWS) {
        let weights = &weights[row * shape.inputs..];
        rows::<FUSED, ROWS>(
            shape,
            input,
            weights,
            &bias[row..],
            &mut out[row * shape.stride..],
        );
    }
    for row in whole..shape.outputs {
        let weights = &weights[row * shape.inputs..];
        rows::<FUSED, 1>(
            shape,
            input,
            weights,
            &bias[row..],
            &mut out[row * shape.stride..],
        );
    }
}

/// Above this the three-part reduction loses digits; such angles take the library's sine.
const LARGEST: f32 = 8192.0;

/// pi in three parts, the first two with few enough bits that their products with a half-turn count are exact.
const PI: [f32; 3] = [3.140_625, 9.675_026e-4, 1.509_958e-7];
const ROUNDING: f32 = 12_582_912.0;

/// Remainder of `x` after the nearest multiple of pi, and the sign that this multiple puts on sine and cosine.
#[inline(always)]
fn reduce<const FUSED: bool>(x: f32) -> (f32, u32) {
    let shifted = multiply_add::<FUSED>(x, std::f32::consts::FRAC_1_PI, ROUNDING);
    let turns = shifted - ROUNDING;
    let mut rest = multiply_add::<FUSED>(turns, -PI[0], x);
    rest = multiply_add::<FUSED>(turns, -PI[1], rest);
    rest = multiply_add::<FUSED>(turns, -PI[2], rest);
    (rest, shifted.to_bits() << 31)
}

#[inline(always)]
fn sine_one<const FUSED: bool>(x: f32) -> f32 {
    let (rest, sign) = reduce::<FUSED>(x);
    let square = rest * rest;
    // Minimax on -pi/2..=pi/2: 5e-9 relative before rounding.
    let mut poly = 2.608_789_1e-6_f32;
    for coefficient in [-1.981_105_3e-4, 8.333_088e-3, -1.666_666e-1] {
        poly = multiply_add::<FUSED>(poly, square, coefficient);
    }
    let sine = multiply_add::<FUSED>(poly * square, rest, rest);
    f32::from_bits(sine.to_bits() ^ sign)
}

#[cfg(feature = "candle")]
#[inline(always)]
fn cosine_one<const FUSED: bool>(x: f32) -> f32 {
    let (rest, sign) = reduce::<FUSED>(x);
    let square = rest * rest;
    // Minimax on -pi/2..=pi/2: 3e-10 absolute before rounding.
    let mut poly = -2.607_566e-7_f32;
    for coefficient in [2.476_180_8e-5, -1.388_840_3e-3, 4.166_664e-2, -0.5] {
        poly = multiply_add::<FUSED>(poly, square, coefficient);
    }
    let cosine = multiply_add::<FUSED>(poly, square, 1.0);
    f32::from_bits(cosine.to_bits() ^ sign)
}

/// True when every value may take the fast path; false for NaN too.
#[inline(always)]
fn moderate(values: &[f32]) -> bool {
    values
        .iter()
        .fold(true, |fine, value| fine & (value.abs() <= LARGEST))
}

#[inline(always)]
pub(super) fn sine<const FUSED: bool>(values: &mut [f32]) {
    for values in values.chunks_mut(256) {
        if moderate(values) {
            for value in values {
                *value = sine_one::<FUSED>(*value);
            }
        } else {
            for value in values {
                *value = f64::from(*value).sin() as f32;
            }
        }
    }
}

#[cfg(feature = "candle")]
#[inline(always)]
pub(super) fn sine_gradient<const FUSED: bool>(omega: f32, gradient: &[f32], values: &mut [f32]) {
    for (z, gradient) in values.iter_mut().zip(gradient) {
        *z = gradient * omega * cosine_one::<FUSED>(omega * *z);
    }
}
