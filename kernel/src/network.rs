//! Networks as data: shapes and weights, without training.

use inr_formats::{Activation, LayerData, Mlp, Tensor};

/// The shapes of the layers differ from the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{layers} layers that do not match the model")]
pub struct LayersMismatch {
    /// Number of layers given.
    pub layers: usize,
}

/// One dense layer: `z = weights * a + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Width of the layer's input.
    pub inputs: usize,
    /// Width of the layer's output.
    pub outputs: usize,
    /// Shape `[outputs, inputs]`, row-major; a sine layer's omega0 is already multiplied in.
    pub weights: Vec<f32>,
    /// Shape `[outputs]`; a sine layer's omega0 is already multiplied in.
    pub bias: Vec<f32>,
}

/// A coordinate network: maps positions in the field's square to samples.
///
/// Hidden layers apply the activation to `W a + b`. The last layer is linear, and its outputs -1.0..=1.0 span the range
/// of samples. The network is a SIREN (Sitzmann et al. 2020, arXiv:2006.09661) with omega0 folded into the weights, or
/// a ReLU net; either may use the positional encoding of NeRF (Mildenhall et al. 2020, arXiv:2003.08934).
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Frequencies of the positional encoding; 0 for none.
    pub frequencies: u8,
    /// First to last; at least one.
    pub layers: Vec<Layer>,
}

impl Network {
    /// Builds the network described by the model and layers of an `.inr` file, dequantised.
    ///
    /// # Errors
    /// [`LayersMismatch`] when the layers do not have the model's shapes; those of a file read successfully do.
    pub fn from_layers(
        model: &Mlp,
        channels: usize,
        layers: &[LayerData],
    ) -> Result<Self, LayersMismatch> {
        let shapes = model.layer_shapes(channels);
        let fits = shapes.len() == layers.len()
            && shapes
                .iter()
                .zip(layers)
                .all(|(&(outputs, inputs), layer)| {
                    layer.matrix.len() == outputs * inputs && layer.bias.len() == outputs
                });
        if !fits {
            return Err(LayersMismatch {
                layers: layers.len(),
            });
        }
        Ok(Self {
            activation: model.activation,
            frequencies: model.frequencies,
            layers: shapes
                .into_iter()
                .zip(layers)
                .map(|((outputs, inputs), layer)| Layer {
                    inputs,
                    outputs,
                    weights: layer.matrix.values(),
                    bias: layer.bias.values(),
                })
                .collect(),
        })
    }

    /// The layers as 32-bit floats, ready for an `.inr` file.
    pub fn to_float_layers(&self) -> Vec<LayerData> {
        let tensor = |values: &[f32]| Tensor::Float(values.to_vec());
        self.layers
            .iter()
            .map(|layer| LayerData {
                matrix: tensor(&layer.weights),
                bias: tensor(&layer.bias),
            })
            .collect()
    }

    /// Creates a network of `model`'s shape with all weights 0.
    pub fn zeroed(model: &Mlp, channels: usize) -> Self {
        let layer = |(outputs, inputs): (usize, usize)| Layer {
            inputs,
            outputs,
            weights: vec![0.0; inputs * outputs],
            bias: vec![0.0; outputs],
        };
        Self {
            activation: model.activation,
            frequencies: model.frequencies,
            layers: model
                .layer_shapes(channels)
                .into_iter()
                .map(layer)
                .collect(),
        }
    }

    /// Samples per point.
    pub fn channels(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Multiply-adds per point.
    pub fn multiply_adds(&self) -> u64 {
        self.layers
            .iter()
            .map(|layer| (layer.inputs * layer.outputs) as u64)
            .sum()
    }
}

/// Writes the network's inputs for the points `(x, y)` into `out`, one row of `stride` values per input: x, y, then
/// sin(2^i pi x), sin(2^i pi y), cos(2^i pi x), cos(2^i pi y) for each octave `i` of `frequencies`.
pub fn encode_points(frequencies: u8, x: &[f32], y: &[f32], stride: usize, out: &mut [f32]) {
    const CHUNK: usize = 32;
    for (axis, positions) in [x, y].into_iter().enumerate() {
        out[axis * stride..][..positions.len()].copy_from_slice(positions);
        if frequencies == 0 {
            continue;
        }
        for (chunk, positions) in positions.chunks(CHUNK).enumerate() {
            let mut turns = [[0.0_f64; 2]; CHUNK];
            for (turn, position) in turns.iter_mut().zip(positions) {
                *turn = (f64::from(*position) * std::f64::consts::PI)
                    .sin_cos()
                    .into();
            }
            for octave in 0..usize::from(frequencies) {
                let row = (2 + 4 * octave + axis) * stride + chunk * CHUNK;
                for (point, [sine, cosine]) in turns[..positions.len()].iter_mut().enumerate() {
                    out[row + point] = *sine as f32;
                    out[row + 2 * stride + point] = *cosine as f32;
                    // Double-angle formula: the error doubles as well, from 1e-16 to 1e-11 at the highest octave.
                    let double = 2.0 * *sine * *cosine;
                    *cosine = 1.0 - 2.0 * *sine * *sine;
                    *sine = double;
                }
            }
        }
    }
}

/// Same as [`encode_points`], with derivatives along both axes in units of `1 / scale` and the Laplacian: shape
/// `[4, inputs, stride]`.
pub fn encode_jets(
    frequencies: u8,
    points: [&[f32]; 2],
    scale: [f64; 2],
    stride: usize,
    out: &mut [f32],
) {
    let size = (2 + 4 * usize::from(frequencies)) * stride;
    encode_points(frequencies, points[0], points[1], stride, out);
    let (values, derivatives) = out.split_at_mut(size);
    derivatives[..3 * size].fill(0.0);
    for axis in 0..2 {
        let along = axis * size;
        derivatives[along + axis * stride..][..stride].fill(scale[axis] as f32);
        for octave in 0..usize::from(frequencies) {
            let factor = (octave as f64).exp2() * std::f64::consts::PI * scale[axis];
            let first = (2 + 4 * octave + axis) * stride;
            let second = first + 2 * stride;
            for point in 0..points[0].len() {
                let [sine, cosine] = [first, second].map(|row| f64::from(values[row + point]));
                derivatives[along + first + point] = (factor * cosine) as f32;
                derivatives[along + second + point] = (-factor * sine) as f32;
                derivatives[2 * size + first + point] = (-factor * factor * sine) as f32;
                derivatives[2 * size + second + point] = (-factor * factor * cosine) as f32;
            }
        }
    }
}
