//! The networks: what bicubic lacks of luma, guessed from the small picture around each of its pixels.
//!
//! Convolutional sine networks at the small size whose outputs are the sub-pixels of an enlarged pixel (Shi et al. 2016,
//! arXiv:1609.05158), trained once on open photographs and drawn shapes (docs/upscale); scales share all layers but the
//! last.

use std::sync::LazyLock;

use crate::error::Error;
use inr_kernel::Job;
use inr_kernel::{Backend, STRIP};
use inr_kernel::{Convolution, ConvolutionShape, Lines};

/// The weights, signed 16-bit numbers in 1/4096: every hidden layer's, then the output layers', which have no bias.
static BUILT_IN: &[u8] = include_bytes!("network.bin");
/// One in the weights.
const ONE: f32 = 4096.0;
/// Scales that there are networks for.
pub(super) const SCALES: [usize; 3] = [2, 3, 4];
/// What is read: the differences to the pixels right and below.
const FEATURES: usize = 2;
/// Factor of the differences.
const GAIN: f32 = 4.0;
/// Width of the hidden layers.
const WIDTH: usize = 32;
/// Hidden layers.
const DEPTH: usize = 6;
/// Pixels around a pixel that its enlargement depends on, whichever way the picture is turned.
pub(super) const REACH: usize = DEPTH + 1;

static NETWORKS: LazyLock<[Convolution; 3]> = LazyLock::new(|| networks(Backend::detect()));

const fn shape(scale: usize) -> ConvolutionShape {
    ConvolutionShape {
        features: FEATURES,
        width: WIDTH,
        depth: DEPTH,
        outputs: scale * scale,
    }
}

fn networks(backend: Backend) -> [Convolution; 3] {
    let pairs = BUILT_IN.as_chunks::<2>().0;
    let numbers: Vec<f32> = pairs
        .iter()
        .map(|two| f32::from(i16::from_le_bytes(*two)) / ONE)
        .collect();
    let (hidden, mut outputs) = numbers.split_at(shape(1).hidden_numbers());
    SCALES.map(|scale| {
        let weights;
        (weights, outputs) = outputs.split_at(scale * scale * WIDTH);
        let with_bias = |bias: &[f32]| {
            let numbers = [hidden, weights, bias].concat();
            Convolution::new(backend, shape(scale), &mut numbers.into_iter())
        };
        // A flat picture lacks nothing: what the network says of it is taken away.
        let mut flat = vec![0.0; scale * scale];
        with_bias(&flat).run(
            1,
            1,
            |_, _| {},
            |_, _, found| {
                let firsts = found.iter().step_by(STRIP);
                flat.iter_mut()
                    .zip(firsts)
                    .for_each(|(flat, found)| *flat = -found);
            },
        );
        with_bias(&flat)
    })
}

/// Luma of a part of the small picture.
#[derive(Clone, Copy)]
pub(super) struct Small<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: &'a [f32],
}

/// What bicubic lacks at `scale`, one of [`SCALES`]: the mean over `turns` of the eight flips and rotations (Timofte et al.
/// 2016, arXiv:1511.02228), shape `[height * scale, width * scale]`.
/// `job` counts the turns.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn missing(
    small: Small<'_>,
    scale: usize,
    turns: &[Turn],
    job: &mut Job,
) -> Result<Vec<f32>, Error> {
    let network = &NETWORKS[SCALES.iter().position(|&known| known == scale).unwrap_or(0)];
    let mut sum = vec![0.0; small.values.len() * scale * scale];
    let (width, share) = (small.width * scale, 1.0 / turns.len() as f32);
    for turn in turns {
        let values = turn.apply(small);
        let turned = Small {
            width: turn.of_size(small.width, small.height),
            height: turn.of_size(small.height, small.width),
            values: &values,
        };
        let found = enlarged(network, turned, scale);
        turn.add_back(&found, share, &mut sum, width);
        job.advance(1)?;
    }
    Ok(sum)
}

/// One network's outputs as pixels.
fn enlarged(network: &Convolution, small: Small<'_>, scale: usize) -> Vec<f32> {
    let Small {
        width,
        height,
        values,
    } = small;
    let mut out = vec![0.0; values.len() * scale * scale];
    let line = |row: usize| {
        let y = row.saturating_sub(DEPTH).min(height - 1);
        &values[y * width..][..width]
    };
    let read = |row: usize, lines: &mut Lines<'_>| {
        let (here, below) = (line(row), line(row + 1));
        let mut lines = lines.each();
        let (Some(to_right), Some(to_below)) = (lines.next(), lines.next()) else {
            return;
        };
        let columns = to_right.iter_mut().zip(to_below).take(width + 2 * DEPTH);
        for (column, (to_right, to_below)) in columns.enumerate() {
            let x = column.saturating_sub(DEPTH).min(width - 1);
            let right = (column + 1).saturating_sub(DEPTH).min(width - 1);
            *to_right = GAIN * (here[right] - here[x]);
            *to_below = GAIN * (below[x] - here[x]);
        }
    };
    network.run(width, height, read, |row, x, found| {
        let columns = STRIP.min(width - x);
        for (part, found) in found.chunks_exact(STRIP).enumerate() {
            let start = (row * scale + part / scale) * width * scale + x * scale + part % scale;
            let places = out[start..].iter_mut().step_by(scale);
            places
                .zip(&found[..columns])
                .for_each(|(place, found)| *place = *found);
        }
    });
    out
}

/// One of the eight ways to lay a picture: mirrored left to right, top to bottom, and across the diagonal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn(u8);

impl Turn {
    /// The first `count` of the eight, in an order in which each few of them have opposite errors.
    pub(super) fn first(count: usize) -> Vec<Self> {
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

    #[test]
    fn every_instruction_set_enlarges_like_the_scalar_one() {
        let values = wavy(45, 9);
        let small = Small {
            width: 45,
            height: 9,
            values: &values,
        };
        let expected = networks(Backend::Scalar);
        for backend in Backend::available() {
            for (scale, (a, b)) in SCALES.iter().zip(expected.iter().zip(&networks(backend))) {
                let pairs = enlarged(a, small, *scale)
                    .into_iter()
                    .zip(enlarged(b, small, *scale));
                for (a, b) in pairs {
                    assert!((a - b).abs() < 1e-5, "{backend:?} at {scale}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn flat_pictures_lack_nothing_and_turned_ones_the_same() {
        let flat = vec![0.7; 20 * 12];
        let small = Small {
            width: 20,
            height: 12,
            values: &flat,
        };
        let missing = |small: Small<'_>, scale| {
            Job::unwatched(|job| missing(small, scale, &Turn::first(8), job))
                .expect("not cancelled")
        };
        assert!(missing(small, 3).iter().all(|v| v.abs() < 1e-6));
        let values = wavy(20, 12);
        let small = Small {
            width: 20,
            height: 12,
            values: &values,
        };
        let straight = missing(small, 2);
        for turn in Turn::first(8) {
            let turned = turn.apply(small);
            let turned = Small {
                width: turn.of_size(20, 12),
                height: turn.of_size(12, 20),
                values: &turned,
            };
            let found = missing(turned, 2);
            let large = Small {
                width: 40,
                height: 24,
                values: &straight,
            };
            for (a, b) in turn.apply(large).iter().zip(&found) {
                assert!((a - b).abs() < 1e-5, "{turn:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn the_built_in_weights_are_all_used() {
        let outputs: usize = SCALES.iter().map(|scale| scale * scale * WIDTH).sum();
        assert_eq!(BUILT_IN.len(), 2 * (shape(1).hidden_numbers() + outputs));
    }
}
