//! What the trainer asks of an engine: the loss of a batch and its gradient.

use inr_formats::{Activation, Mlp};

use super::descent::{Descent, Method};
use crate::error::Error;
use inr_kernel::{Layer, Network};

/// A network's shape with everything that training needs to know and a stored file does not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trainee {
    pub(crate) mlp: Mlp,
    /// Samples per point.
    pub(crate) channels: usize,
}

impl Trainee {
    /// `(outputs, inputs)` of each layer.
    pub(crate) fn shapes(&self) -> Vec<(usize, usize)> {
        self.mlp.layer_shapes(self.channels)
    }

    /// Values per point of the network's input, of every hidden layer and of the output.
    pub(crate) fn widths(&self) -> Vec<usize> {
        let shapes = self.shapes();
        let inputs = shapes.first().map(|shape| shape.1);
        inputs
            .into_iter()
            .chain(shapes.iter().map(|shape| shape.0))
            .collect()
    }

    /// Length of each tensor in the flat parameter vector: per layer the weights `[outputs, inputs]`, then the bias
    /// `[outputs]`.
    pub(crate) fn tensor_lengths(&self) -> Vec<usize> {
        let lengths = |(outputs, inputs): (usize, usize)| [outputs * inputs, outputs];
        self.shapes().into_iter().flat_map(lengths).collect()
    }

    /// Each layer's weights and bias in the flat vector `parameters`.
    pub(crate) fn split<'p>(&self, parameters: &'p [f32]) -> Vec<[&'p [f32]; 2]> {
        let mut rest = parameters;
        let mut take = |length: usize| {
            let (tensor, tail) = rest.split_at(length);
            rest = tail;
            tensor
        };
        let lengths = self.tensor_lengths();
        let layers = lengths.chunks_exact(2);
        layers.map(|pair| [take(pair[0]), take(pair[1])]).collect()
    }

    /// What the parameters of layer `index` are multiplied by: omega0 of a sine layer, else 1.
    pub(crate) fn omega(&self, index: usize) -> f32 {
        match (self.mlp.activation, index) {
            (Activation::Relu, _) => 1.0,
            (Activation::Sine, _) if index >= self.mlp.hidden.len() => 1.0,
            (Activation::Sine, 0) => self.mlp.omega_first,
            (Activation::Sine, _) => self.mlp.omega_hidden,
        }
    }

    /// The network with omega0 multiplied into its weights.
    pub(crate) fn fold(&self, parameters: &[f32]) -> Network {
        let layers = self.shapes().into_iter().zip(self.split(parameters));
        let layers = layers
            .enumerate()
            .map(|(index, ((outputs, inputs), tensors))| {
                let omega = self.omega(index);
                let [weights, bias] =
                    tensors.map(|tensor| tensor.iter().map(|value| value * omega).collect());
                Layer {
                    inputs,
                    outputs,
                    weights,
                    bias,
                }
            });
        Network {
            activation: self.mlp.activation,
            frequencies: self.mlp.frequencies,
            layers: layers.collect(),
        }
    }
}

/// Computes losses and gradients of one network on one picture's samples; interchangeable between CPU and GPU.
pub(crate) trait Engine {
    /// Mean over the pixels `items` and over channels of the weighted squared error at `parameters` (see
    /// [`super::samples::Samples`]); its gradient goes into `gradient`, laid out like `parameters` (see
    /// [`Trainee::tensor_lengths`]). The result does not depend on the number of threads.
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error>;

    /// A descent from `start` that stays on the engine's device, optimiser and all; none when the engine has no device of
    /// its own, or cannot do it for these samples.
    fn resident(&self, start: &[f32], method: &Method) -> Result<Option<Box<dyn Descent>>, Error> {
        let _ = (start, method);
        Ok(None)
    }
}

impl<E: Engine + ?Sized> Engine for &mut E {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        (**self).loss_and_gradient(parameters, items, gradient)
    }
}

impl<E: Engine + ?Sized> Engine for Box<E> {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        (**self).loss_and_gradient(parameters, items, gradient)
    }
}
