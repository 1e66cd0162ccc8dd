//! Evaluates a network over tiles of points.

use std::sync::Arc;

use crate::aligned::Aligned;
use crate::backend::Backend;
use crate::network::{Network, encode_points};
use crate::prepared::Prepared;
use crate::simd::STRIP;

/// Points per tile.
pub const TILE: usize = 256;

/// Evaluates one network and reuses the buffers of a tile between calls; each thread needs its own.
pub struct Evaluator {
    network: Arc<Prepared>,
    frequencies: u8,
    backend: Backend,
    inputs: Aligned,
    scratch: [Aligned; 2],
    strips: Aligned,
    outputs: Vec<f32>,
}

impl Evaluator {
    /// Evaluates `network` with the kernels of `backend`.
    pub fn new(network: &Network, backend: Backend) -> Self {
        Self::with(
            Arc::new(Prepared::of(network, backend)),
            network.frequencies,
            backend,
        )
    }

    /// Creates an evaluator of the same network for another thread.
    pub fn another(&self) -> Self {
        Self::with(self.network.clone(), self.frequencies, self.backend)
    }

    fn with(network: Arc<Prepared>, frequencies: u8, backend: Backend) -> Self {
        let widths = network.widths();
        let widest = widths.iter().copied().max().unwrap_or(0);
        let channels = widths[widths.len() - 1];
        Self {
            inputs: Aligned::zeros(widths[0] * TILE),
            scratch: [0, 1].map(|_| Aligned::zeros(widest * STRIP)),
            strips: Aligned::zeros(channels * TILE),
            outputs: vec![0.0; channels * TILE],
            network,
            frequencies,
            backend,
        }
    }

    /// Returns the outputs at up to [`TILE`] points, shape `[channels, TILE]`; the first `x.len()` values of each row
    /// are valid.
    ///
    /// # Panics
    /// When `x` and `y` differ in length or exceed [`TILE`].
    pub fn evaluate(&mut self, x: &[f32], y: &[f32]) -> &[f32] {
        assert!(x.len() == y.len() && x.len() <= TILE);
        let inputs = self.network.layers[0].forward.inner * STRIP;
        let points = x.chunks(STRIP).zip(y.chunks(STRIP));
        for ((x, y), strip) in points.zip(self.inputs.chunks_exact_mut(inputs)) {
            encode_points(self.frequencies, x, y, STRIP, strip);
        }
        let [front, back] = &mut self.scratch;
        self.backend.evaluate(
            &self.network,
            &self.inputs,
            x.len().div_ceil(STRIP),
            [front, back],
            &mut self.strips,
        );
        let channels = self.outputs.len() / TILE;
        let strips = self.strips.chunks_exact(channels * STRIP);
        for (strip, start) in strips.zip((0..x.len()).step_by(STRIP)) {
            for (channel, row) in strip.chunks_exact(STRIP).enumerate() {
                self.outputs[channel * TILE + start..][..STRIP].copy_from_slice(row);
            }
        }
        &self.outputs
    }
}
