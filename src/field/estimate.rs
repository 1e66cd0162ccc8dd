//! How a picture came about, as a small network estimates it from windows of its luma, with its uncertainty.

use std::fmt;
use std::sync::LazyLock;

use crate::field::trunk::{KNOWN, Small, UNKNOWN};
use inr_image::{Part, Picture, noise};
use inr_kernel::{Backend, Convolution, ConvolutionShape, Lines, STRIP, Units};

/// The weights, signed 16-bit numbers in 1/4096: every layer's over windows, then those of two dense layers.
static BUILT_IN: &[u8] = include_bytes!("estimate.bin");
/// One in the weights.
const ONE: f32 = 4096.0;
/// Side of the windows that are read, in pixels.
const SIDE: usize = 48;
/// Windows that are read at most; fewer where they would cover a picture more than twice.
const WINDOWS: u32 = 32;
/// Factors of the picture without its local mean: one shows edges, the other, cut off at 1, faint noise.
const SCALING: [f32; 2] = [4.0, 32.0];
/// Numbers that are averaged over all windows, each with a weight of its own.
const MEANS: usize = 16;
/// Units of the dense layer.
const UNITS: usize = 32;
/// Slope of the units below 0.
const LEAK: f32 = 0.1;
/// Logarithms of weights and of the uncertainty are kept within these.
const WEIGHTS: f32 = 6.0;
const UNCERTAINTY: [f32; 2] = [-5.0, 0.0];
/// The losses are estimated as the logarithms of 1 + this times them.
const LOSSES: [f32; 3] = [400.0, 100.0, 100.0];
/// Nothing that the network learnt from is beyond these: variance, and the losses.
const MOST: [f32; 4] = [0.81, 0.1, 0.25, 0.25];
/// Estimated losses below these are none.
const LEAST: [f32; 3] = [1.0 / 255.0, 5.0 / 255.0, 0.02];

/// One of variance, uncertainty, noise and a JPEG's step in bytes.
const BYTES: [f32; 4] = [256.0, 512.0, 1024.0, 1024.0];

const SHAPE: ConvolutionShape = ConvolutionShape {
    features: 2,
    width: 16,
    depth: 6,
    outputs: 2 * MEANS,
    pointwise: false,
    units: Units::Leaky(LEAK),
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::new(Backend::detect()));

/// What the network says of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// Variance of the blur in squared pixels, and the deviation of its error.
    pub(crate) variance: f32,
    pub(crate) uncertainty: f32,
    /// Deviation of white noise, in samples.
    pub(crate) noise: f32,
    /// Step of a JPEG's tables and of an `.inr` file's latents, in samples.
    pub(crate) jpeg: f32,
    pub(crate) latents: f32,
}

impl Estimate {
    /// Nothing is known.
    pub(crate) const NOTHING: Self = Self {
        variance: 0.0,
        uncertainty: UNKNOWN,
        noise: 0.0,
        jpeg: 0.0,
        latents: 0.0,
    };

    /// The same losses of a picture that was soft before it was reduced.
    pub(crate) fn without_blur(self) -> Self {
        Self {
            variance: 0.0,
            uncertainty: 0.0,
            ..self
        }
    }

    /// Of latents with this `step` and [`inr_formats::Latents::degradation`].
    pub(crate) fn stored(step: f32, degradation: Option<[u8; 4]>) -> Self {
        let nothing = Self::NOTHING;
        let latents = step;
        let Some(bytes) = degradation else {
            return Self { latents, ..nothing };
        };
        let [variance, uncertainty, noise, jpeg] =
            std::array::from_fn(|at| f32::from(bytes[at]) / BYTES[at]);
        Self {
            variance,
            uncertainty,
            noise,
            jpeg,
            latents,
        }
    }

    /// What the trunk reads of it.
    pub(crate) fn features(self) -> [f32; KNOWN] {
        let Self {
            variance,
            uncertainty,
            noise,
            jpeg,
            latents,
        } = self;
        [variance, uncertainty, noise, jpeg, latents]
    }

    /// Of luma of `size`, parts of which `read` gives.
    fn of(size: [usize; 2], read: impl Fn(&Part) -> Vec<f32>) -> Self {
        let sides = size.map(|side| side.min(SIDE));
        let [mut sums, mut weights] = [[0.0; MEANS]; 2];
        let fits = 2 * size[0] * size[1] / (sides[0] * sides[1]).max(1);
        for window in 0..(fits as u32).clamp(1, WINDOWS) {
            let [a, b] = [2 * window, 2 * window + 1].map(|at| {
                let part = place(size, sides, at);
                let values = read(&part);
                (activity(&values, sides[0]), values)
            });
            let values = if a.0 >= b.0 { a.1 } else { b.1 };
            let small = Small {
                width: sides[0],
                height: sides[1],
                values: &values,
            };
            NETWORK.add(small, &mut sums, &mut weights);
            if sides == size {
                break;
            }
        }
        let means = std::array::from_fn(|at| sums[at] / weights[at].max(f32::MIN_POSITIVE));
        NETWORK.estimate(&means)
    }

    /// Of a picture, parts of whose luma `read` gives; drawn ones have no losses.
    pub(crate) fn of_picture(picture: &Picture, read: impl Fn(&Part) -> Vec<f32>) -> Self {
        let size = [picture.width() as usize, picture.height() as usize];
        let found = Self::of(size, read);
        match noise::drawn(picture) {
            true => found.without_losses(),
            false => found,
        }
    }

    /// The same blur without noise and compression.
    fn without_losses(self) -> Self {
        Self {
            noise: 0.0,
            jpeg: 0.0,
            latents: 0.0,
            ..self
        }
    }

    /// For the bytes of [`inr_formats::Latents::degradation`].
    #[cfg(feature = "fit")]
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        let values = [self.variance, self.uncertainty, self.noise, self.jpeg];
        std::array::from_fn(|at| (values[at] * BYTES[at]).round() as u8)
    }

    /// Of a plane of `size`.
    pub(crate) fn of_plane(plane: &[f32], size: [usize; 2]) -> Self {
        Self::of(size, |[columns, rows]| {
            let rows = plane
                .chunks_exact(size[0])
                .skip(rows.start)
                .take(rows.len());
            rows.flat_map(|row| &row[columns.clone()])
                .copied()
                .collect()
        })
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let (variance, uncertainty) = (self.variance, self.uncertainty);
        write!(
            formatter,
            "degradation estimated: a blur with a variance of {variance:.2} +- {uncertainty:.2} square pixels"
        )?;
        let losses = [
            (self.noise, "noise"),
            (self.jpeg, "JPEG steps"),
            (self.latents, "quantisation"),
        ];
        for (loss, name) in losses.iter().filter(|(loss, _)| *loss > 0.0) {
            write!(formatter, ", {name} of {:.1}/255", loss * 255.0)?;
        }
        Ok(())
    }
}

/// A window of `sides` somewhere in a picture of `size`: all over it, in an order without a pattern.
fn place(size: [usize; 2], sides: [usize; 2], at: u32) -> Part {
    std::array::from_fn(|axis| {
        // Fractions of multiples of the plastic number's inverses spread evenly (M. Roberts 2018).
        let step = [0.754_877_666_f64, 0.569_840_291][axis];
        let fraction = (0.5 + f64::from(at) * step).fract();
        let room = size[axis] - sides[axis];
        let start = ((fraction * (room + 1) as f64) as usize).min(room);
        start..start + sides[axis]
    })
}

/// Sum of the differences along rows.
fn activity(values: &[f32], width: usize) -> f64 {
    let lines = values.chunks_exact(width);
    let steps = lines.flat_map(|line| {
        line.windows(2)
            .map(|two| f64::from((two[1] - two[0]).abs()))
    });
    steps.sum()
}

struct Network {
    convolution: Convolution,
    /// Weights and biases of the dense layers, shapes `[UNITS, MEANS + 1]` and `[KNOWN, UNITS + 1]`, the bias last.
    hidden: Vec<f32>,
    output: Vec<f32>,
}

impl Network {
    fn new(backend: Backend) -> Self {
        let pairs = BUILT_IN.as_chunks::<2>().0;
        let mut numbers = pairs
            .iter()
            .map(|two| f32::from(i16::from_le_bytes(*two)) / ONE);
        Self {
            convolution: Convolution::new(backend, SHAPE, &mut numbers),
            hidden: numbers.by_ref().take(UNITS * (MEANS + 1)).collect(),
            output: numbers.take(KNOWN * (UNITS + 1)).collect(),
        }
    }

    /// Adds what a window says to the sums of weighted numbers and of their weights.
    fn add(&self, small: Small<'_>, sums: &mut [f32; MEANS], weights: &mut [f32; MEANS]) {
        let detail = small.detail();
        let depth = SHAPE.depth;
        let read = |row: usize, lines: &mut Lines<'_>| {
            let y = row.saturating_sub(depth).min(small.height - 1);
            let from = &detail[y * small.width..][..small.width];
            for (line, factor) in lines.each().zip(SCALING) {
                let most = if factor == SCALING[0] {
                    f32::INFINITY
                } else {
                    1.0
                };
                for (column, value) in line[..small.width + 2 * depth].iter_mut().enumerate() {
                    let x = column.saturating_sub(depth).min(small.width - 1);
                    *value = (factor * from[x]).clamp(-most, most);
                }
            }
        };
        let write = |_, x: usize, found: &[f32]| {
            let columns = STRIP.min(small.width - x);
            let (values, logarithms) = found.split_at(MEANS * STRIP);
            let pairs = values
                .chunks_exact(STRIP)
                .zip(logarithms.chunks_exact(STRIP));
            for (at, (values, logarithms)) in pairs.enumerate() {
                for (value, logarithm) in values[..columns].iter().zip(logarithms) {
                    let weight = logarithm.clamp(-WEIGHTS, WEIGHTS).exp();
                    sums[at] += weight * value;
                    weights[at] += weight;
                }
            }
        };
        self.convolution.run(small.width, small.height, read, write);
    }

    fn estimate(&self, means: &[f32; MEANS]) -> Estimate {
        let dense = |weights: &[f32], inputs: &[f32]| -> Vec<f32> {
            let rows = weights.chunks_exact(inputs.len() + 1);
            let sum = |row: &[f32]| row.iter().zip(inputs).map(|(w, v)| w * v).sum::<f32>();
            rows.map(|row| row[inputs.len()] + sum(row)).collect()
        };
        let mut hidden = dense(&self.hidden, means);
        hidden.iter_mut().for_each(|v| *v = v.max(LEAK * *v));
        let found = dense(&self.output, &hidden);
        let loss = |at: usize| {
            let value = found[2 + at].exp_m1() / LOSSES[at];
            if value >= LEAST[at] {
                value.min(MOST[1 + at])
            } else {
                0.0
            }
        };
        if !(found[0].is_finite() && found[1].is_finite()) {
            return Estimate::NOTHING;
        }
        Estimate {
            variance: found[0].clamp(0.0, MOST[0]),
            uncertainty: found[1]
                .clamp(UNCERTAINTY[0], UNCERTAINTY[1])
                .exp()
                .min(UNKNOWN),
            noise: loss(0),
            jpeg: loss(1),
            latents: loss(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_weights_are_all_used() {
        let outputs = SHAPE.outputs * (SHAPE.width * 9 + 1);
        let dense = UNITS * (MEANS + 1) + KNOWN * (UNITS + 1);
        assert_eq!(
            BUILT_IN.len(),
            2 * (SHAPE.hidden_numbers() + outputs + dense)
        );
    }
}
