//! Data of the passes: a tile's buffers and gradients.

use crate::aligned::Aligned;
use crate::prepared::Prepared;
use crate::prepared::PreparedLayer;
use crate::simd::STRIP;

/// Quantities propagated through the network for each point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// The value.
    Value,
    /// The value, its derivatives along x and y, and its Laplacian: a second-order forward-mode jet.
    Jet,
}

impl Streams {
    /// Values per feature and point: 1, or 4.
    pub fn count(self) -> usize {
        match self {
            Self::Value => 1,
            Self::Jet => 4,
        }
    }
}

/// Buffers of a tile's passes. The layout of strips is `[strips, streams, features, STRIP]`.
pub struct Tile {
    /// Quantities propagated for each point.
    pub streams: Streams,
    pub(super) strips: usize,
    pub(super) widths: Vec<usize>,
    /// Inputs of every layer: the network's, then each hidden layer's activations.
    pub(super) values: Vec<Aligned>,
    /// Slope of the activation for each hidden layer, `[strips, features, STRIP]`; without derivatives the backward
    /// pass overwrites it with the gradient.
    pub(super) slopes: Vec<Aligned>,
    /// Sums before activation of the three derivative streams, for each hidden layer.
    pub(super) sums: Vec<Aligned>,
    /// The network's outputs, which the caller overwrites with the loss's gradient.
    pub(super) outputs: Aligned,
    /// Gradients of two layers, used with derivatives.
    pub(super) back: [Aligned; 2],
    pub(super) panels: Aligned,
}

impl Tile {
    /// Allocates buffers for up to `strips` strips of a network with these layer widths.
    pub fn new(widths: &[usize], strips: usize, streams: Streams) -> Self {
        let columns = strips * streams.count();
        let zeros = |rows: usize| Aligned::zeros(rows * STRIP);
        let hidden = &widths[1..widths.len() - 1];
        let widest = hidden.iter().copied().max().unwrap_or(0);
        let jet = streams == Streams::Jet;
        let per_hidden = |count: usize| {
            let layers = hidden.iter();
            layers
                .map(move |width| zeros(count * width))
                .collect::<Vec<_>>()
        };
        Self {
            streams,
            strips,
            widths: widths.to_vec(),
            // Transposition reads up to one vector of rows past the last strip.
            values: widths[..widths.len() - 1]
                .iter()
                .map(|width| zeros(columns * width + 16))
                .collect(),
            slopes: per_hidden(strips),
            sums: per_hidden(if jet { 3 * strips } else { 0 }),
            outputs: zeros(columns * widths[widths.len() - 1]),
            back: [0, 1].map(|_| zeros(if jet { columns * widest } else { 0 })),
            panels: zeros(
                columns
                    * widths[..widths.len() - 1]
                        .iter()
                        .fold(0, |most, width| width.next_multiple_of(16).max(most)),
            ),
        }
    }

    /// The network's inputs, shape `[strips, streams, inputs, STRIP]`, to be filled by the caller.
    pub fn inputs(&mut self) -> &mut [f32] {
        &mut self.values[0]
    }

    /// The outputs after `Backend::forward`, shape `[strips, streams, channels, STRIP]`; to be overwritten with the
    /// loss's gradient before `Backend::backward`.
    pub fn outputs(&mut self) -> &mut [f32] {
        &mut self.outputs
    }
}

/// Positions of the layers' gradients in a buffer.
#[derive(Clone, Debug)]
pub struct GradientLayout {
    widths: Vec<usize>,
    /// First to last.
    pub layers: Vec<LayerGradient>,
    /// Length of the buffer.
    pub length: usize,
}

/// Position of one layer's gradient: weights `[outputs, pitch]` at `weights`, bias `[outputs]` at `bias`.
#[derive(Clone, Copy, Debug)]
pub struct LayerGradient {
    /// Offset of the weights.
    pub weights: usize,
    /// Offset between consecutive rows of weights.
    pub pitch: usize,
    /// Offset of the bias.
    pub bias: usize,
}

impl GradientLayout {
    /// Creates the layout for a network with these layer widths, its input first; rows start at multiples of 16.
    pub fn new(widths: &[usize]) -> Self {
        let mut length = 0;
        let mut place = |size: usize| {
            let start = length;
            length += size.next_multiple_of(16);
            start
        };
        let layers = widths
            .windows(2)
            .map(|pair| {
                let pitch = pair[0].next_multiple_of(16);
                LayerGradient {
                    weights: place(pair[1] * pitch),
                    pitch,
                    bias: place(pair[1]),
                }
            })
            .collect();
        Self {
            widths: widths.to_vec(),
            layers,
            length,
        }
    }
}

impl Tile {
    /// Panics unless the tile was created for `network` and holds `strips` strips.
    pub(super) fn check(&self, network: &Prepared, strips: usize) {
        network.check();
        assert_eq!(self.widths, network.widths(), "a tile of another network");
        assert!(
            strips <= self.strips,
            "{strips} strips in a tile of {}",
            self.strips
        );
    }
}

impl GradientLayout {
    /// Panics unless the layout was created for `network` and `gradient` has its length.
    pub(super) fn check(&self, network: &Prepared, gradient: &[f32]) {
        assert_eq!(
            self.widths,
            network.widths(),
            "a gradient of another network"
        );
        assert!(
            gradient.len() >= self.length,
            "a gradient that is too short"
        );
        let trained = |layer: &PreparedLayer| {
            (layer.backward.rows, layer.backward.inner) == (layer.forward.inner, layer.forward.rows)
        };
        assert!(
            network.layers[1..].iter().all(trained),
            "a network that is not trained"
        );
    }
}
