//! Evaluates a network's values and derivatives over tiles of points, by forward-mode jets.

use std::sync::Arc;

use crate::backend::Backend;
use crate::evaluator::TILE;
use crate::network::{Network, encode_jets};
use crate::prepared::Prepared;
use crate::simd::STRIP;
use crate::tile::{Streams, Tile};

/// Evaluates one network's jets and reuses the buffers of a tile between calls; each thread needs its own. Training
/// uses the same forward pass.
pub struct JetEvaluator {
    network: Arc<Prepared>,
    frequencies: u8,
    scale: [f64; 2],
    backend: Backend,
    tile: Tile,
    outputs: Vec<f32>,
}

impl JetEvaluator {
    /// Creates an evaluator whose derivatives are with respect to units of `scale` in the network's coordinates, x and
    /// y.
    pub fn new(network: &Network, scale: [f64; 2], backend: Backend) -> Self {
        let prepared = Arc::new(Prepared::of(network, backend));
        Self::with(prepared, network.frequencies, scale, backend)
    }

    /// Creates an evaluator of the same network for another thread.
    pub fn another(&self) -> Self {
        Self::with(
            self.network.clone(),
            self.frequencies,
            self.scale,
            self.backend,
        )
    }

    fn with(network: Arc<Prepared>, frequencies: u8, scale: [f64; 2], backend: Backend) -> Self {
        let widths = network.widths();
        let rows = Streams::Jet.count() * widths[widths.len() - 1];
        Self {
            tile: Tile::new(&widths, TILE / STRIP, Streams::Jet),
            outputs: vec![0.0; rows * TILE],
            network,
            frequencies,
            scale,
            backend,
        }
    }

    /// Returns value, d/dx, d/dy and Laplacian at up to [`TILE`] points, shape `[4, channels, TILE]`; the first
    /// `x.len()` values of each row are valid.
    ///
    /// # Panics
    /// When `x` and `y` differ in length or exceed [`TILE`].
    pub fn evaluate(&mut self, x: &[f32], y: &[f32]) -> &[f32] {
        assert!(x.len() == y.len() && x.len() <= TILE);
        let streams = Streams::Jet.count();
        let inputs = self.network.layers[0].forward.inner * streams * STRIP;
        let points = x.chunks(STRIP).zip(y.chunks(STRIP));
        for ((x, y), strip) in points.zip(self.tile.inputs().chunks_exact_mut(inputs)) {
            encode_jets(self.frequencies, [x, y], self.scale, STRIP, strip);
        }
        self.backend
            .forward(&self.network, &mut self.tile, x.len().div_ceil(STRIP));
        let rows = self.outputs.len() / TILE;
        let strips = self.tile.outputs().chunks_exact(rows * STRIP);
        for (strip, start) in strips.zip((0..x.len()).step_by(STRIP)) {
            for (row, values) in strip.chunks_exact(STRIP).enumerate() {
                self.outputs[row * TILE + start..][..STRIP].copy_from_slice(values);
            }
        }
        &self.outputs
    }
}
