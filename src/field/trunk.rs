//! The trunk: what a picture's own spline lacks of the large picture, as coefficients of a spline on a finer lattice.
//!
//! A convolutional network at the small size reads luma and what is known of the degradation, and gives coefficients of a
//! cubic B-spline with [`FINE`] of them along a pixel: one twice differentiable field for every scale. It was trained once,
//! on open photographs and drawn shapes (docs/upscale).

use std::ops::Range;
use std::sync::LazyLock;

use crate::error::Error;
use inr_kernel::Job;
use inr_kernel::{Backend, STRIP};
use inr_kernel::{Convolution, ConvolutionShape, Lines, Units};

/// The weights, signed 16-bit numbers in 1/8192: every layer's, then two numbers per output for its gain.
static BUILT_IN: &[u8] = include_bytes!("trunk.bin");
/// One in the weights.
const ONE: f32 = 8192.0;
/// Coefficients along a side of a pixel.
pub(crate) const FINE: usize = 4;
/// Numbers that say what is known of how the picture came about: variance of the blur and its uncertainty in squared pixels;
/// deviation of the noise, a JPEG's step and the step of latents in samples.
pub(crate) const KNOWN: usize = 5;
/// The picture, and what is known of it.
const FEATURES: usize = 1 + KNOWN;
/// Uncertainty of the variance where nothing is known.
pub(crate) const UNKNOWN: f32 = 0.25;
/// Factors of the features.
const SCALING: [f32; FEATURES] = [4.0, 2.0, 2.0, 8.0, 4.0, 4.0];
/// Pixels each way of the window whose mean is taken from the picture.
const AROUND: usize = 4;
/// Width of the hidden layers.
const WIDTH: usize = 48;
/// Layers over windows, the last of which gives the outputs.
const DEPTH: usize = 11;
/// Columns that are worked on together, whose rows fit a processor's second cache; 16 strips with their surroundings.
pub(crate) const BLOCK: usize = 16 * STRIP - 2 * DEPTH;
/// Factor of the outputs.
const OUTPUT: f32 = 0.25;
/// Slope of the units below 0.
const LEAK: f32 = 0.1;
/// One over the scale at which the gains are 1.
const USUAL: f32 = 1.0 / 3.0;
/// Pixels around a pixel that its coefficients depend on.
pub(crate) const REACH: usize = DEPTH + AROUND;

const SHAPE: ConvolutionShape = ConvolutionShape {
    features: FEATURES,
    width: WIDTH,
    depth: DEPTH,
    outputs: FINE * FINE,
    pointwise: false,
    units: Units::Leaky(LEAK),
};

static TRUNK: LazyLock<Trunk> = LazyLock::new(|| Trunk::new(Backend::detect()));

struct Trunk {
    network: Convolution,
    /// Of each output: how its gain changes with 1 / scale - [`USUAL`], and with its square.
    gains: [[f32; FINE * FINE]; 2],
}

impl Trunk {
    fn new(backend: Backend) -> Self {
        let pairs = BUILT_IN.as_chunks::<2>().0;
        let mut numbers = pairs
            .iter()
            .map(|two| f32::from(i16::from_le_bytes(*two)) / ONE);
        let network = Convolution::new(backend, SHAPE, &mut numbers);
        let mut row = || std::array::from_fn(|_| numbers.next().unwrap_or(0.0));
        Self {
            network,
            gains: [row(), row()],
        }
    }

    /// What each output is multiplied with at a scale.
    fn gain(&self, scale: f32) -> [f32; FINE * FINE] {
        let t = 1.0 / scale - USUAL;
        std::array::from_fn(|output| {
            OUTPUT * (1.0 + t * self.gains[0][output] + t * t * self.gains[1][output])
        })
    }

    /// The coefficients, shape `[FINE * height, FINE * width]`.
    fn run(&self, small: Small<'_>, known: &[f32; KNOWN], scale: f32) -> Vec<f32> {
        let Small { width, height, .. } = small;
        let detail = small.detail();
        let gain = self.gain(scale);
        // A flat picture lacks nothing: what the network says of it is taken away.
        let mut flat = [0.0; FINE * FINE];
        self.outputs((1, 1), 0..1, &[0.0], known, |_, _, found| {
            for (flat, found) in flat.iter_mut().zip(found.chunks_exact(STRIP)) {
                *flat = found[0];
            }
        });
        let mut out = vec![0.0; detail.len() * FINE * FINE];
        for first in (0..width).step_by(BLOCK) {
            let block = first..(first + BLOCK).min(width);
            self.outputs(
                (width, height),
                block.clone(),
                &detail,
                known,
                |row, x, found| {
                    let columns = STRIP.min(block.len() - x);
                    let x = block.start + x;
                    for (part, found) in found.chunks_exact(STRIP).enumerate() {
                        let start =
                            (row * FINE + part / FINE) * width * FINE + x * FINE + part % FINE;
                        let places = out[start..].iter_mut().step_by(FINE);
                        for (place, found) in places.zip(&found[..columns]) {
                            *place = gain[part] * (found - flat[part]);
                        }
                    }
                },
            );
        }
        out
    }

    /// Calls `write` with the outputs for the `block` of columns of `detail`.
    fn outputs(
        &self,
        (width, height): (usize, usize),
        block: Range<usize>,
        detail: &[f32],
        known: &[f32; KNOWN],
        write: impl FnMut(usize, usize, &[f32]),
    ) {
        let read = |row: usize, lines: &mut Lines<'_>| {
            let y = row.saturating_sub(DEPTH).min(height - 1);
            let line = &detail[y * width..][..width];
            let columns = block.len() + 2 * DEPTH;
            let mut lines = lines.each();
            if let Some(first) = lines.next() {
                for (column, value) in first[..columns].iter_mut().enumerate() {
                    let x = (block.start + column).saturating_sub(DEPTH).min(width - 1);
                    *value = SCALING[0] * line[x];
                }
            }
            for (line, (known, scaling)) in lines.zip(known.iter().zip(&SCALING[1..])) {
                line[..columns].fill(known * scaling);
            }
        };
        self.network.run(block.len(), height, read, write);
    }
}

/// Luma of a part of the small picture.
#[derive(Clone, Copy)]
pub(crate) struct Small<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: &'a [f32],
}

impl Small<'_> {
    /// The picture without the mean around each pixel; edges go on as they are.
    pub(crate) fn detail(self) -> Vec<f32> {
        let Self {
            width,
            height,
            values,
        } = self;
        let around = |at: usize, length: usize| {
            let places = (0..=2 * AROUND).map(move |by| (at + by).saturating_sub(AROUND));
            places.map(move |place| place.min(length - 1))
        };
        let mut sums = vec![0.0; values.len()];
        for (line, sums) in values.chunks_exact(width).zip(sums.chunks_exact_mut(width)) {
            for (x, sum) in sums.iter_mut().enumerate() {
                *sum = around(x, width).map(|x| line[x]).sum::<f32>();
            }
        }
        let mut out = values.to_vec();
        let side = 2 * AROUND + 1;
        let share = 1.0 / (side * side) as f32;
        for (y, out) in out.chunks_exact_mut(width).enumerate() {
            let mut mean = vec![0.0; width];
            for row in around(y, height) {
                let sums = &sums[row * width..][..width];
                mean.iter_mut()
                    .zip(sums)
                    .for_each(|(mean, sum)| *mean += sum);
            }
            out.iter_mut()
                .zip(mean)
                .for_each(|(out, mean)| *out -= share * mean);
        }
        out
    }
}

/// As [`coefficients`], of one turn.
pub(crate) fn estimate(small: Small<'_>, known: &[f32; KNOWN], scale: f64) -> Vec<f32> {
    TRUNK.run(small, known, scale as f32)
}

/// Coefficients of what the spline of `small` lacks at `scale`, shape `[FINE * height, FINE * width]`: the mean over `turns`
/// of the eight flips and rotations (Timofte et al. 2016, arXiv:1511.02228). `job` counts the turns.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn coefficients(
    small: Small<'_>,
    known: &[f32; KNOWN],
    scale: f64,
    turns: &[Turn],
    job: &mut Job,
) -> Result<Vec<f32>, Error> {
    let mut sum = vec![0.0; small.values.len() * FINE * FINE];
    let (width, share) = (small.width * FINE, 1.0 / turns.len() as f32);
    for turn in turns {
        let values = turn.apply(small);
        let turned = Small {
            width: turn.of_size(small.width, small.height),
            height: turn.of_size(small.height, small.width),
            values: &values,
        };
        let found = TRUNK.run(turned, known, scale as f32);
        turn.add_back(&found, share, &mut sum, width);
        job.advance(1)?;
    }
    Ok(sum)
}

/// One of the eight ways to lay a picture: mirrored left to right, top to bottom, and across the diagonal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn(u8);

impl Turn {
    /// The first `count` of the eight, in an order in which each few of them have opposite errors.
    pub(crate) fn first(count: usize) -> Vec<Self> {
        [0, 7, 3, 4, 1, 6, 2, 5]
            .into_iter()
            .take(count)
            .map(Self)
            .collect()
    }

    fn of_size(self, along: usize, across: usize) -> usize {
        if self.0 & 4 == 0 { along } else { across }
    }

    /// Place in the turned picture, of `width` columns, of what is at `x`, `y` of a picture of `columns` x `rows`.
    fn place(self, [x, y]: [usize; 2], [columns, rows]: [usize; 2]) -> usize {
        let x = if self.0 & 1 == 0 { x } else { columns - 1 - x };
        let y = if self.0 & 2 == 0 { y } else { rows - 1 - y };
        if self.0 & 4 == 0 {
            y * columns + x
        } else {
            x * rows + y
        }
    }

    fn apply(self, small: Small<'_>) -> Vec<f32> {
        let Small {
            width,
            height,
            values,
        } = small;
        let mut out = vec![0.0; values.len()];
        for (at, value) in values.iter().enumerate() {
            out[self.place([at % width, at / width], [width, height])] = *value;
        }
        out
    }

    /// Adds `share` of every value of `turned` to its place in `sum`, the picture as it was, of `columns` columns.
    fn add_back(self, turned: &[f32], share: f32, sum: &mut [f32], columns: usize) {
        let rows = turned.len() / columns;
        for (at, sum) in sum.iter_mut().enumerate() {
            *sum += share * turned[self.place([at % columns, at / columns], [columns, rows])];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inr_kernel::Job;

    fn wavy(width: usize, height: usize) -> Vec<f32> {
        let value = |at: usize| {
            let (x, y) = ((at % width) as f32, (at / width) as f32);
            0.5 + 0.3 * (0.9 * x).sin() * (0.4 * y + 0.1 * x).cos()
        };
        (0..width * height).map(value).collect()
    }

    fn small(values: &[f32], width: usize) -> Small<'_> {
        Small {
            width,
            height: values.len() / width,
            values,
        }
    }

    #[test]
    fn every_instruction_set_enlarges_like_the_scalar_one() {
        let values = wavy(45, 9);
        let known = [0.0, UNKNOWN, 0.0, 0.0, 0.0];
        let run = |backend| Trunk::new(backend).run(small(&values, 45), &known, 2.0);
        let expected = run(Backend::Scalar);
        for backend in Backend::available() {
            for (a, b) in expected.iter().zip(run(backend)) {
                assert!((a - b).abs() < 1e-4, "{backend:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn flat_pictures_lack_nothing_and_turned_ones_the_same() {
        let missing = |small: Small<'_>| {
            let (known, turns) = ([0.0, UNKNOWN, 0.0, 0.0, 0.0], Turn::first(8));
            Job::unwatched(|job| coefficients(small, &known, 3.0, &turns, job))
                .expect("not cancelled")
        };
        let flat = vec![0.7; 20 * 12];
        assert!(missing(small(&flat, 20)).iter().all(|v| v.abs() < 1e-5));
        let values = wavy(20, 12);
        let straight = missing(small(&values, 20));
        for turn in Turn::first(8) {
            let turned = turn.apply(small(&values, 20));
            let found = missing(small(&turned, turn.of_size(20, 12)));
            for (a, b) in turn.apply(small(&straight, 20 * FINE)).iter().zip(&found) {
                assert!((a - b).abs() < 1e-5, "{turn:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn the_built_in_weights_are_all_used() {
        let outputs = FINE * FINE * (WIDTH * 9 + 1);
        let numbers = SHAPE.hidden_numbers() + outputs + 2 * FINE * FINE;
        assert_eq!(BUILT_IN.len(), 2 * numbers);
    }

    #[test]
    fn the_built_in_weights_are_those_of_the_document() {
        let document = include_str!("../../formats/SPEC.md");
        let length = BUILT_IN.len();
        for part in [
            format!("{},{:03} bytes", length / 1000, length % 1000),
            format!("CRC-32 {:08x}", crc32fast::hash(BUILT_IN)),
        ] {
            assert!(document.contains(&part), "{part}");
        }
    }
}
