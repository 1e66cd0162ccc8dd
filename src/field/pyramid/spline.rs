//! Cubic B-splines through samples: values and derivatives at any position, as weights of samples along one axis.
//!
//! M. Unser, "Splines: a perfect fit for signal and image processing" (1999). The prefilter is cut off where its taps
//! fall below the precision of the samples, so that a window gives the same result wherever it is cut.

/// Taps of the prefilter on either side of its centre.
const PREFILTER: usize = 12;

/// Which derivative of the spline along an axis is wanted: 0, 1 or 2.
pub(crate) type Order = u8;

/// The prefilter's taps from its centre on; the whole filter sums to 1.
fn prefilter() -> [f32; PREFILTER + 1] {
    let pole = 3.0_f64.sqrt() - 2.0;
    let mut taps = [0.0_f64; PREFILTER + 1];
    let mut power = 1.0;
    for tap in &mut taps {
        *tap = power;
        power *= pole;
    }
    let sum = taps[0] + 2.0 * taps[1..].iter().sum::<f64>();
    taps.map(|tap| (tap / sum) as f32)
}

/// Weights of the four spline coefficients around a position `t` in 0..1 after the second of them.
fn basis(t: f64, order: Order) -> [f64; 4] {
    let s = 1.0 - t;
    match order {
        0 => [
            s * s * s / 6.0,
            2.0 / 3.0 - t * t + t * t * t / 2.0,
            2.0 / 3.0 - s * s + s * s * s / 2.0,
            t * t * t / 6.0,
        ],
        1 => [
            -s * s / 2.0,
            1.5 * t * t - 2.0 * t,
            2.0 * s - 1.5 * s * s,
            t * t / 2.0,
        ],
        _ => [s, 3.0 * t - 2.0, 3.0 * s - 2.0, t],
    }
}

/// What each output position takes from the samples of one axis.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    /// Index of the first coefficient of each output; may lie outside the samples, which then go on mirrored.
    starts: Vec<isize>,
    /// Weights, `length` for each output.
    weights: Vec<f32>,
    length: usize,
}

impl Taps {
    /// Outputs at `centres` (in samples, sample i at i), averaged over `width` samples around each by `count` points.
    pub(crate) fn new(centres: &[f64], width: f64, count: usize, order: Order) -> Self {
        let length = 5 + width.ceil() as usize;
        let mut starts = Vec::with_capacity(centres.len());
        let mut weights = vec![0.0_f32; centres.len() * length];
        let mut sums = vec![0.0_f64; length];
        for (centre, out) in centres.iter().zip(weights.chunks_exact_mut(length)) {
            let place = |k: usize| centre + ((k as f64 + 0.5) / count as f64 - 0.5) * width;
            let start = place(0).floor() as isize - 1;
            sums.fill(0.0);
            for k in 0..count {
                let at = place(k);
                let whole = at.floor();
                let first = (whole as isize - 1 - start) as usize;
                let four = basis(at - whole, order);
                sums[first..first + 4]
                    .iter_mut()
                    .zip(four)
                    .for_each(|(sum, weight)| *sum += weight);
            }
            starts.push(start);
            out.iter_mut()
                .zip(&sums)
                .for_each(|(out, sum)| *out = (sum / count as f64) as f32);
        }
        Self {
            starts,
            weights,
            length,
        }
    }

    /// The samples that outputs `range` depend on, prefilter included; they go on mirrored outside the picture.
    pub(crate) fn reach(&self, range: std::ops::Range<usize>) -> std::ops::Range<isize> {
        let starts = &self.starts[range];
        let first = starts.iter().min().copied().unwrap_or(0);
        let last = starts.iter().max().copied().unwrap_or(0) + self.length as isize;
        first - PREFILTER as isize..last + PREFILTER as isize
    }

    /// First coefficient and weights of output `index`.
    pub(crate) fn output(&self, index: usize) -> (isize, &[f32]) {
        (
            self.starts[index],
            &self.weights[index * self.length..][..self.length],
        )
    }

    /// Outputs.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }
}

/// `index` mirrored into 0..`length`, edges repeated.
pub(crate) fn mirrored(index: isize, length: usize) -> usize {
    let length = length as isize;
    let folded = index.rem_euclid(2 * length);
    folded.min(2 * length - 1 - folded) as usize
}

/// Samples that a range of mirrored ones comes from.
pub(crate) fn folded(range: &std::ops::Range<isize>, length: usize) -> std::ops::Range<usize> {
    let found = range.clone().map(|index| mirrored(index, length));
    let first = found.clone().min().unwrap_or(0);
    first..found.max().map_or(0, |last| last + 1)
}

/// Spline coefficients of a line of samples; those within [`PREFILTER`] of either end are not written.
pub(crate) fn prefilter_line(samples: &[f32], out: &mut [f32]) {
    let taps = prefilter();
    let count = samples.len().saturating_sub(2 * PREFILTER);
    let out = &mut out[PREFILTER..][..count];
    for (value, centre) in out.iter_mut().zip(&samples[PREFILTER..]) {
        *value = taps[0] * centre;
    }
    for (k, tap) in taps.iter().enumerate().skip(1) {
        let (before, after) = (&samples[PREFILTER - k..], &samples[PREFILTER + k..]);
        for ((value, a), b) in out.iter_mut().zip(before).zip(after) {
            *value += tap * (a + b);
        }
    }
}

/// As [`prefilter_line`] down the columns of `rows`, each `width` long.
pub(crate) fn prefilter_rows(samples: &[f32], width: usize, out: &mut [f32]) {
    let taps = prefilter();
    let rows = samples.len() / width.max(1);
    let row = |y: usize| &samples[y * width..][..width];
    for y in PREFILTER..rows.saturating_sub(PREFILTER) {
        let out = &mut out[y * width..][..width];
        for (value, centre) in out.iter_mut().zip(row(y)) {
            *value = taps[0] * centre;
        }
        for (k, tap) in taps.iter().enumerate().skip(1) {
            for ((value, a), b) in out.iter_mut().zip(row(y - k)).zip(row(y + k)) {
                *value += tap * (a + b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spline_goes_through_its_samples() {
        let samples: Vec<f32> = (0..64).map(|i| ((i * 37) % 19) as f32 / 19.0).collect();
        let mut coefficients = vec![0.0; 64];
        prefilter_line(&samples, &mut coefficients);
        let centres: Vec<f64> = (20..40).map(f64::from).collect();
        let taps = Taps::new(&centres, 0.0, 1, 0);
        for (index, centre) in centres.iter().enumerate() {
            let (start, weights) = taps.output(index);
            let value: f32 = weights
                .iter()
                .zip(&coefficients[start as usize..])
                .map(|(w, c)| w * c)
                .sum();
            assert!((value - samples[*centre as usize]).abs() < 2e-6);
        }
    }

    #[test]
    fn derivatives_are_those_of_the_basis() {
        for order in 0..2 {
            for i in 0..20 {
                let t = f64::from(i) / 20.0 + 0.01;
                let h = 1e-6;
                let (low, high) = (basis(t - h, order), basis(t + h, order));
                for (k, exact) in basis(t, order + 1).into_iter().enumerate() {
                    assert!(((high[k] - low[k]) / (2.0 * h) - exact).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn mirrors_repeat_the_edge() {
        let found: Vec<usize> = (-3..7).map(|i| mirrored(i, 3)).collect();
        assert_eq!(found, [2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
    }
}
