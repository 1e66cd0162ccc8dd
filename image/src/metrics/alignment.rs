//! The shift between two pictures of the same thing, to about a hundredth of a pixel.

use crate::raster::{Raster, assert_alike};

/// Largest shift that is looked for, in pixels along each axis, before refinement.
const REACH: isize = 2;
/// Taps of the kernel that moves a picture by a fraction of a pixel.
const TAPS: usize = 8;
/// Border that is left out: half of the largest shift, rounded up, the kernel, and a pixel for the gradients.
const MARGIN: usize = 8;
/// Smallest side in pixels for which there is an answer.
const SMALLEST_SIDE: usize = 2 * MARGIN + 8;

/// How far the content of `b` lies from that of `a`, in pixels, as `(dx, dy)`: `b(x, y)` is about `a(x - dx, y - dy)`.
///
/// Positive values mean that `b` lies further right and further down. `None` when a side is below 24 px or when the
/// picture has no detail along one of the axes (a plain ramp is none). Shifts up to 2 px are found, to 0.02 px for
/// pictures without much detail near the pixel frequency; blur, noise, brightness and contrast do not bias the result.
///
/// The whole-pixel shift of least squared error is refined by Gauss-Newton steps on the mean of all channels (Lucas and
/// Kanade 1981). Each picture is moved half of the way, so that both lose the same sharpness: moving only one has its
/// least error nearer to the shifts that blur less.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn alignment(a: Raster, b: Raster) -> Option<(f64, f64)> {
    assert_alike(&a, &b);
    if a.width.min(a.height) < SMALLEST_SIDE {
        return None;
    }
    let (a, b) = (Grey::mean_of(&a), Grey::mean_of(&b));
    let start = whole_pixel_shift(&a, &b);
    let mut shift = start;
    for _ in 0..20 {
        let (step_x, step_y) = newton_step(&a.moved(shift, 0.5), &b.moved(shift, -0.5))?;
        // The start is within half a pixel of the answer; a longer way means the step went astray.
        shift.0 = (shift.0 + step_x).clamp(start.0 - 1.0, start.0 + 1.0);
        shift.1 = (shift.1 + step_y).clamp(start.1 - 1.0, start.1 + 1.0);
        if step_x.abs().max(step_y.abs()) < 1e-5 {
            break;
        }
    }
    Some(shift)
}

/// The mean of all channels.
struct Grey {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

impl Grey {
    fn mean_of(raster: &Raster) -> Self {
        let mean =
            |pixel: &[f32]| pixel.iter().map(|&v| f64::from(v)).sum::<f64>() / pixel.len() as f64;
        Self {
            width: raster.width,
            height: raster.height,
            values: raster
                .samples
                .chunks_exact(raster.channels)
                .map(mean)
                .collect(),
        }
    }

    /// The content moved by `part * shift` pixels; within [`MARGIN`] of the border the values mean nothing.
    fn moved(&self, shift: (f64, f64), part: f64) -> Self {
        let (first, kernel) = fractional_shift(part * shift.0);
        let mut across = vec![0.0; self.values.len()];
        for (row, out) in self
            .values
            .chunks_exact(self.width)
            .zip(across.chunks_exact_mut(self.width))
        {
            for x in MARGIN - 1..self.width + 1 - MARGIN {
                let taps = &row[x.wrapping_add_signed(first)..];
                out[x] = kernel.iter().zip(taps).map(|(w, v)| w * v).sum();
            }
        }
        let (first, kernel) = fractional_shift(part * shift.1);
        let mut values = vec![0.0; self.values.len()];
        for (y, out) in values.chunks_exact_mut(self.width).enumerate() {
            if y + 1 < MARGIN || y >= self.height + 1 - MARGIN {
                continue;
            }
            for (k, weight) in kernel.iter().enumerate() {
                let row = &across[(y.wrapping_add_signed(first) + k) * self.width..][..self.width];
                out.iter_mut().zip(row).for_each(|(o, v)| *o += weight * v);
            }
        }
        Self {
            width: self.width,
            height: self.height,
            values,
        }
    }
}

/// Offset of the first tap and the taps that move content by `shift` pixels, `|shift|` at most 1.5.
///
/// Lagrange interpolation through eight pixels: unlike a windowed sinc it moves ramps by exactly the distance asked for,
/// and slow changes are what a picture has most of (Lanczos with as many taps is off by 0.006 px at a quarter).
fn fractional_shift(shift: f64) -> (isize, [f64; TAPS]) {
    let before = (TAPS / 2 - 1) as isize;
    let whole = (-shift).floor();
    let at = -shift - whole + before as f64;
    let kernel = std::array::from_fn(|k| {
        (0..TAPS)
            .filter(|&j| j != k)
            .map(|j| (at - j as f64) / (k as f64 - j as f64))
            .product()
    });
    (whole as isize - before, kernel)
}

/// The shift in whole pixels, up to [`REACH`], with the least squared error.
fn whole_pixel_shift(a: &Grey, b: &Grey) -> (f64, f64) {
    let mut best = (f64::INFINITY, (0.0, 0.0));
    for dy in -REACH..=REACH {
        for dx in -REACH..=REACH {
            let error = squared_error(a, b, dx, dy);
            if error < best.0 {
                best = (error, (dx as f64, dy as f64));
            }
        }
    }
    best.1
}

fn squared_error(a: &Grey, b: &Grey, dx: isize, dy: isize) -> f64 {
    let columns = a.width - 2 * MARGIN;
    (MARGIN..a.height - MARGIN)
        .map(|y| {
            let row_a = &a.values[y * a.width + MARGIN..][..columns];
            let row_b = &b.values
                [y.wrapping_add_signed(dy) * b.width + MARGIN.wrapping_add_signed(dx)..][..columns];
            row_a
                .iter()
                .zip(row_b)
                .map(|(p, q)| (p - q) * (p - q))
                .sum::<f64>()
        })
        .sum()
}

/// One Gauss-Newton step towards the shift that is left between `a` and `b`; `None` when there is no detail to go by.
///
/// Least squares over `a - b = offset + gain * v + dx * v_x + dy * v_y`, where `v` is the mean of both. Without the
/// first two terms a change of brightness or contrast reads as a shift.
fn newton_step(a: &Grey, b: &Grey) -> Option<(f64, f64)> {
    let both = |i: usize| 0.5 * (a.values[i] + b.values[i]);
    let mut equations = [[0.0; 5]; 4];
    for y in MARGIN..a.height - MARGIN {
        for i in y * a.width + MARGIN..(y + 1) * a.width - MARGIN {
            let across = 0.5 * (both(i + 1) - both(i - 1));
            let down = 0.5 * (both(i + a.width) - both(i - a.width));
            let terms = [1.0, both(i), across, down, a.values[i] - b.values[i]];
            for (equation, term) in equations.iter_mut().zip(terms) {
                (0..5).for_each(|k| equation[k] += term * terms[k]);
            }
        }
    }
    let [.., dx, dy] = solved(equations)?;
    Some((dx, dy))
}

/// Unknowns of symmetric positive normal equations (right side last); `None` when they do not determine them.
fn solved(mut equations: [[f64; 5]; 4]) -> Option<[f64; 4]> {
    let diagonal: [f64; 4] = std::array::from_fn(|i| equations[i][i]);
    // A gradient is measured against both: along an axis without detail its own sum is only rounding.
    let scale = [
        diagonal[0],
        diagonal[1],
        diagonal[2] + diagonal[3],
        diagonal[2] + diagonal[3],
    ];
    for i in 0..4 {
        let pivot = equations[i];
        if pivot[i].is_nan() || pivot[i] <= 1e-6 * scale[i] || pivot[i] <= 1e-12 {
            return None;
        }
        for equation in &mut equations[i + 1..] {
            let factor = equation[i] / pivot[i];
            (i..5).for_each(|k| equation[k] -= factor * pivot[k]);
        }
    }
    let mut unknowns = [0.0; 4];
    for i in (0..4).rev() {
        let known: f64 = (i + 1..4).map(|k| equations[i][k] * unknowns[k]).sum();
        unknowns[i] = (equations[i][4] - known) / equations[i][i];
    }
    Some(unknowns)
}
