//! Step sizes: how coarsely each tensor of a network is stored.

use inr_formats::{LayerData, Tensor};

use inr_kernel::Network;
use inr_kernel::{Backend, Evaluator, TILE};

/// Largest integer that is stored, 16 bits with sign.
const LARGEST: f32 = 32_767.0;

/// One step size per tensor of a network, in file order: weights and bias of the first layer, and so on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Steps(pub(crate) Vec<f32>);

fn tensors(network: &Network) -> impl Iterator<Item = &[f32]> {
    network
        .layers
        .iter()
        .flat_map(|layer| [layer.weights.as_slice(), &layer.bias])
}

fn largest(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0.0, |largest, value| value.abs().max(largest))
}

fn mean_magnitude(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).sum::<f32>() / values.len().max(1) as f32
}

impl Steps {
    /// Steps in the proportions that cost the least: each bit spent on any tensor takes the same share of error away.
    ///
    /// Rounding tensor `t` to step `s` adds about `c_t s^2` to the mean squared error; with `n_t` values, bits are spent
    /// evenly when `s_t^2` is proportional to `n_t / c_t`. `c_t` is measured by rounding one tensor at a time and
    /// evaluating the change at `points`, shape `[2, n]`.
    pub(crate) fn balanced(network: &Network, points: &[Vec<f32>; 2]) -> Self {
        let exact = outputs(network, points);
        let steps = (0..network.layers.len() * 2).map(|index| {
            let mut rounded = network.clone();
            let layer = &mut rounded.layers[index / 2];
            let tensor = if index % 2 == 0 {
                &mut layer.weights
            } else {
                &mut layer.bias
            };
            let count = tensor.len() as f32;
            let probe = (largest(tensor) / 256.0).max(f32::MIN_POSITIVE);
            tensor
                .iter_mut()
                .for_each(|value| *value = (*value / probe).round() * probe);
            let change = mean_square_difference(&exact, &outputs(&rounded, points)).max(1e-20);
            probe * (count / change as f32).sqrt()
        });
        Self(steps.collect())
    }

    /// The same proportions, `factor` times as coarse.
    pub(crate) fn scaled(&self, factor: f32) -> Self {
        Self(self.0.iter().map(|step| step * factor).collect())
    }

    /// The same proportions at a mean of `bits` bits per value, as an ideal entropy coder would spend them: log2(2 e m /
    /// step) for Laplace-distributed values of mean magnitude `m`, and within 0.06 bits of it for normal ones. The
    /// largest values say less: one outlier would coarsen its whole tensor.
    pub(crate) fn at_bits(&self, network: &Network, bits: f64) -> Self {
        let mean_bits = |factor: f32| {
            let (mut total, mut count) = (0.0, 0);
            for (tensor, step) in tensors(network).zip(&self.0) {
                let spread = 2.0 * std::f32::consts::E * mean_magnitude(tensor);
                total += tensor.len() as f64 * f64::from(spread / (step * factor) + 1.0).log2();
                count += tensor.len();
            }
            total / f64::from(count.max(1) as u32)
        };
        let (mut low, mut high) = (1e-12_f32, 1e12_f32);
        for _ in 0..100 {
            let middle = (low * high).sqrt();
            if mean_bits(middle) > bits {
                low = middle
            } else {
                high = middle
            }
        }
        self.scaled(low)
    }

    /// No step so fine that the network's values do not fit 16 bits.
    pub(crate) fn fitting(&self, network: &Network) -> Self {
        let fit = |(tensor, &step): (&[f32], &f32)| {
            let finest = largest(tensor) / LARGEST * 1.01;
            step.max(finest).clamp(1e-30, 1e30)
        };
        Self(tensors(network).zip(&self.0).map(fit).collect())
    }

    /// The network's layers in these steps, each value rounded as if it were `pull` steps nearer to zero, 0.0..=0.5.
    pub(crate) fn quantise(&self, network: &Network, pull: f32) -> Vec<LayerData> {
        let mut steps = self.0.iter();
        let mut tensor = |values: &[f32]| {
            let step = steps.next().copied().unwrap_or(1.0);
            let round = |value: &f32| {
                let magnitude = ((value / step).abs() - pull).max(0.0).round();
                magnitude.min(LARGEST).copysign(*value) as i32
            };
            let values: Vec<i32> = values.iter().map(round).collect();
            let most = values
                .iter()
                .map(|value| value.unsigned_abs())
                .max()
                .unwrap_or(0);
            // One bit for the sign; two bits are the format's least.
            let bits = (33 - most.leading_zeros()).max(2) as u8;
            Tensor::Quantised { step, bits, values }
        };
        let layers = network.layers.iter();
        layers
            .map(|layer| LayerData {
                matrix: tensor(&layer.weights),
                bias: tensor(&layer.bias),
            })
            .collect()
    }
}

/// Outputs at `points`, shape `[channels, n]` per tile.
fn outputs(network: &Network, points: &[Vec<f32>; 2]) -> Vec<f32> {
    let mut evaluator = Evaluator::new(network, Backend::detect());
    let mut all = Vec::new();
    for (x, y) in points[0].chunks(TILE).zip(points[1].chunks(TILE)) {
        let values = evaluator.evaluate(x, y);
        all.extend(values.chunks_exact(TILE).flat_map(|row| &row[..x.len()]));
    }
    all
}

fn mean_square_difference(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>() / a.len().max(1) as f64
}
