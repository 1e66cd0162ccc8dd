//! A network evaluated over tiles of points.

use crate::net::{Network, encode_points};

use super::kernel::{Backend, DenseShape, LANES};
use inr_formats::Activation;

/// Points per tile: at 256 wide and f32 two rows of activations stay within a 1 MiB second-level cache.
pub(crate) const TILE: usize = 256;

/// Evaluates one network, keeping the buffers of a tile between calls; one per thread.
pub(crate) struct Evaluator<'a> {
    network: &'a Network,
    backend: Backend,
    front: Vec<f32>,
    back: Vec<f32>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(network: &'a Network, backend: Backend) -> Self {
        let size = network.widest() * TILE;
        Self {
            network,
            backend,
            front: vec![0.0; size],
            back: vec![0.0; size],
        }
    }

    /// Outputs at up to [`TILE`] points: shape `[channels, TILE]`, valid in the first `x.len()` of each row.
    ///
    /// # Panics
    /// When `x` and `y` differ in length or exceed [`TILE`].
    pub(crate) fn evaluate(&mut self, x: &[f32], y: &[f32]) -> &[f32] {
        assert!(x.len() == y.len() && x.len() <= TILE);
        encode_points(self.network.frequencies, x, y, TILE, &mut self.front);
        let count = x.len().next_multiple_of(LANES);
        let last = self.network.layers.len() - 1;
        for (index, layer) in self.network.layers.iter().enumerate() {
            let shape = DenseShape {
                inputs: layer.inputs,
                outputs: layer.outputs,
                count,
                stride: TILE,
            };
            self.backend.dense(
                shape,
                &self.front,
                &layer.weights,
                &layer.bias,
                &mut self.back,
            );
            if index < last {
                for row in self.back[..layer.outputs * TILE].chunks_exact_mut(TILE) {
                    match self.network.activation {
                        Activation::Sine => self.backend.sine(&mut row[..count]),
                        Activation::Relu => row[..count].iter_mut().for_each(|z| *z = z.max(0.0)),
                    }
                }
            }
            std::mem::swap(&mut self.front, &mut self.back);
        }
        &self.front[..self.network.channels() * TILE]
    }
}
