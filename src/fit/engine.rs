//! What the trainer asks of an engine: the loss of a batch and its gradient.

use std::borrow::Cow;

use inr_formats::{Activation, Mlp};

use crate::Error;
use crate::net::{Layer, Network};

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

    /// Length of each tensor in the flat parameter vector: per layer the weights `[outputs, inputs]`, then the bias
    /// `[outputs]`.
    pub(crate) fn tensor_lengths(&self) -> Vec<usize> {
        let lengths = |(outputs, inputs): (usize, usize)| [outputs * inputs, outputs];
        self.shapes().into_iter().flat_map(lengths).collect()
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
        let mut rest = parameters;
        let mut take = |length: usize, omega: f32| -> Vec<f32> {
            let (tensor, tail) = rest.split_at(length);
            rest = tail;
            tensor.iter().map(|value| value * omega).collect()
        };
        let layers = self
            .shapes()
            .into_iter()
            .enumerate()
            .map(|(index, (outputs, inputs))| Layer {
                inputs,
                outputs,
                weights: take(outputs * inputs, self.omega(index)),
                bias: take(outputs, self.omega(index)),
            });
        let layers = layers.collect();
        Network {
            activation: self.mlp.activation,
            frequencies: self.mlp.frequencies,
            layers,
        }
    }
}

/// Training samples, feature-major.
pub(crate) struct Batch<'a> {
    /// Network inputs, positional encoding included: shape `[inputs, points]`.
    pub(crate) inputs: Cow<'a, [f32]>,
    /// Wanted outputs: shape `[channels, points]`.
    pub(crate) targets: Cow<'a, [f32]>,
    /// Weight of each squared error, if they differ: shape `[channels, points]`.
    pub(crate) weights: Option<Cow<'a, [f32]>>,
    /// Points in the batch.
    pub(crate) points: usize,
}

impl Batch<'_> {
    /// A copy that can go to another thread.
    pub(crate) fn to_owned(&self) -> Batch<'static> {
        let own = |values: &Cow<[f32]>| Cow::Owned(values.to_vec());
        Batch {
            inputs: own(&self.inputs),
            targets: own(&self.targets),
            weights: self.weights.as_ref().map(own),
            points: self.points,
        }
    }
}

/// Computes losses and gradients; interchangeable between CPU and GPU.
pub(crate) trait Engine {
    /// Mean over the points of all `shards` and over channels of the weighted squared error at `parameters`; its gradient
    /// goes into `gradient`, laid out like `parameters` (see [`Trainee::tensor_lengths`]). Shards may be worked on at the
    /// same time, and are added up in order, so that the result does not depend on the number of threads.
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        shards: &[Batch],
        gradient: &mut [f32],
    ) -> Result<f64, Error>;
}
