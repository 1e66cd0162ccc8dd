//! A network's weights in the kernels' memory order.

use inr_formats::Activation;

use crate::backend::Backend;
use crate::network::Network;
use crate::product::Packed;

/// A network's weights, packed for the kernels.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// First to last.
    pub layers: Vec<PreparedLayer>,
    /// Whether [`Backend::evaluate`] applies the activation to the last layer too.
    pub activates_last: bool,
    /// Slope below 0 of the rectified units that [`Backend::evaluate`] computes; 0 but for leaky ones.
    pub leak: f32,
}

/// One dense layer's weights, with omega0 multiplied in.
#[derive(Clone, Debug)]
pub struct PreparedLayer {
    /// Weights `[outputs, inputs]`.
    pub forward: Packed,
    /// Shape `[outputs]`.
    pub bias: Vec<f32>,
    /// The transposed weights; empty without training.
    pub backward: Packed,
}

impl Prepared {
    /// Allocates a network whose layers have these widths, its input first; all weights are 0.
    pub fn new(activation: Activation, widths: &[usize], training: bool) -> Self {
        let layer = |(index, pair): (usize, &[usize])| {
            let (inputs, outputs) = (pair[0], pair[1]);
            // The gradient of the network's inputs is not needed.
            let transposed = training && index > 0;
            PreparedLayer {
                forward: Packed::new(outputs, inputs),
                bias: vec![0.0; outputs],
                backward: if transposed {
                    Packed::new(inputs, outputs)
                } else {
                    Packed::default()
                },
            }
        };
        Self {
            activation,
            layers: widths.windows(2).enumerate().map(layer).collect(),
            activates_last: false,
            leak: 0.0,
        }
    }

    /// Packs `network` for rendering.
    pub fn of(network: &Network, backend: Backend) -> Self {
        let inputs = network.layers.first().map(|layer| layer.inputs);
        let outputs = network.layers.iter().map(|layer| layer.outputs);
        let widths: Vec<usize> = inputs.into_iter().chain(outputs).collect();
        let mut prepared = Self::new(network.activation, &widths, false);
        for (index, layer) in network.layers.iter().enumerate() {
            prepared.set(backend, index, &layer.weights, &layer.bias, 1.0);
        }
        prepared
    }

    /// Packs the weights `[outputs, inputs]` and bias of layer `index`, times `omega`.
    pub fn set(
        &mut self,
        backend: Backend,
        index: usize,
        weights: &[f32],
        bias: &[f32],
        omega: f32,
    ) {
        let layer = &mut self.layers[index];
        let rows = backend.block_rows();
        layer.forward.pack(weights, omega, rows);
        if layer.backward.rows > 0 {
            layer.backward.pack_transposed(weights, omega, rows);
        }
        for (to, from) in layer.bias.iter_mut().zip(bias) {
            *to = from * omega;
        }
    }

    /// Values per point of the network's input.
    pub(super) fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.forward.inner)
    }

    /// Values per point of the network's input, of every hidden layer and of the output.
    pub fn widths(&self) -> Vec<usize> {
        let inputs = self.layers.first().map(|layer| layer.forward.inner);
        let outputs = self.layers.iter().map(|layer| layer.forward.rows);
        inputs.into_iter().chain(outputs).collect()
    }
}

impl Prepared {
    /// Panics unless every layer's bias fits its matrix, and each matrix fits the one before.
    pub(super) fn check(&self) {
        assert!(!self.layers.is_empty(), "a network without layers");
        let mut inner = self.layers[0].forward.inner;
        for PreparedLayer { forward, bias, .. } in &self.layers {
            assert_eq!((forward.inner, forward.rows), (inner, bias.len()));
            inner = forward.rows;
        }
    }
}
