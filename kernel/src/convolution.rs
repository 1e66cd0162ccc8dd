//! Small convolutional networks over grids, a row at a time.

use inr_formats::Activation;

use crate::backend::Backend;
use crate::evaluate::Offsets;
use crate::prepared::Prepared;
use crate::simd::STRIP;

/// Samples of a 3 x 3 window.
const TAPS: usize = 9;

/// Layers over 3 x 3 windows, the last of them linear or followed by a linear output layer, packed for one instruction set.
/// Sines are those of SIREN (Sitzmann et al. 2020, arXiv:2006.09661).
pub struct Convolution {
    backend: Backend,
    shape: ConvolutionShape,
    /// One network per layer over windows, which maps them to the layer's values; the last one has the outputs.
    layers: Vec<Prepared>,
}

/// Sizes of a [`Convolution`].
#[derive(Clone, Copy, Debug)]
pub struct ConvolutionShape {
    /// Input values per point.
    pub features: usize,
    /// Values per point of every hidden layer.
    pub width: usize,
    /// Number of layers over windows, which is also the radius of the receptive field in points.
    pub depth: usize,
    /// Output values per point.
    pub outputs: usize,
    /// Whether the last layer over windows is hidden too and a linear layer at the point itself gives the outputs; else it
    /// gives them, linear.
    pub pointwise: bool,
    /// Activation of the hidden layers.
    pub units: Units,
}

/// Activation of the hidden layers of a [`Convolution`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Units {
    /// Sines.
    Sine,
    /// Rectified, with this slope below 0.
    Leaky(f32),
}

impl ConvolutionShape {
    /// Number of weights and biases of the hidden layers.
    pub const fn hidden_numbers(&self) -> usize {
        let hidden = if self.pointwise {
            self.depth
        } else {
            self.depth - 1
        };
        let width = self.width;
        width * (self.features * TAPS + 1) + (hidden - 1) * width * (width * TAPS + 1)
    }

    /// Input values per point of hidden layer `index`.
    const fn inputs(&self, index: usize) -> usize {
        if index == 0 {
            self.features
        } else {
            self.width
        }
    }
}

impl Convolution {
    /// Takes the weights `[outputs, inputs, 3, 3]` and biases of every layer from `numbers`, first layer first; those
    /// of a pointwise output layer have shape `[outputs, width]`.
    pub fn new(
        backend: Backend,
        shape: ConvolutionShape,
        numbers: &mut impl Iterator<Item = f32>,
    ) -> Self {
        let mut layer = |prepared: &mut Prepared, index: usize| {
            let widths = prepared.widths();
            let (inputs, outputs) = (widths[index], widths[index + 1]);
            let weights: Vec<f32> = numbers.by_ref().take(inputs * outputs).collect();
            let bias: Vec<f32> = numbers.by_ref().take(outputs).collect();
            prepared.set(backend, index, &weights, &bias, 1.0);
        };
        let hidden = |index: usize| {
            let last = index + 1 == shape.depth;
            let windows = shape.inputs(index) * TAPS;
            let widths = match (last, shape.pointwise) {
                (false, _) => &[windows, shape.width][..],
                (true, true) => &[windows, shape.width, shape.outputs],
                (true, false) => &[windows, shape.outputs],
            };
            let (activation, leak) = match shape.units {
                Units::Sine => (Activation::Sine, 0.0),
                Units::Leaky(leak) => (Activation::Relu, leak),
            };
            let mut prepared = Prepared::new(activation, widths, false);
            (prepared.activates_last, prepared.leak) = (!last, leak);
            (0..widths.len() - 1).for_each(|index| layer(&mut prepared, index));
            prepared
        };
        Self {
            backend,
            shape,
            layers: (0..shape.depth).map(hidden).collect(),
        }
    }

    /// Runs the network over `columns` x `rows` points.
    ///
    /// `read` gets a row number and the row's lines, one per feature, and fills the first `columns + 2 * depth` values
    /// of each; the rest of a line is ignored. Row and column 0 of `read` are `depth` before row and column 0 of the
    /// output. `write` gets the row and first column of 32 points, and their outputs, shape `[outputs, 32]`; points
    /// beyond the last column must be ignored. Rows come in order.
    pub fn run(
        &self,
        columns: usize,
        rows: usize,
        read: impl FnMut(usize, &mut Lines<'_>),
        write: impl FnMut(usize, usize, &[f32]),
    ) {
        let depth = self.shape.depth;
        let stride = (columns + 2 * depth).next_multiple_of(STRIP) + STRIP;
        let ring = |index| Ring::new(self.shape.inputs(index), stride);
        let mut pass = Pass {
            network: self,
            columns,
            rings: (0..depth).map(ring).collect(),
        };
        pass.run(rows, read, write);
    }
}

/// A row of values, with a line for each feature.
pub struct Lines<'a> {
    values: &'a mut [f32],
    stride: usize,
}

impl Lines<'_> {
    /// Iterates over all lines, first feature first.
    pub fn each(&mut self) -> std::slice::ChunksExactMut<'_, f32> {
        self.values.chunks_exact_mut(self.stride)
    }
}

/// A ring buffer of three rows of `channels` lines, indexed by row number.
struct Ring {
    values: Vec<f32>,
    channels: usize,
    stride: usize,
}

impl Ring {
    fn new(channels: usize, stride: usize) -> Self {
        Self {
            values: vec![0.0; 3 * channels * stride],
            channels,
            stride,
        }
    }

    fn row(&mut self, row: usize) -> &mut [f32] {
        let length = self.channels * self.stride;
        &mut self.values[row % 3 * length..][..length]
    }

    /// Where the 3 x 3 windows of every channel at the 32 points from column 0 of the middle row `row` are; shape
    /// `[channels, 9]`.
    fn windows(&self, row: usize) -> Offsets {
        let length = self.channels * self.stride;
        let place = |channel: usize, tap: usize| {
            (row + 2 + tap / 3) % 3 * length + channel * self.stride + tap % 3
        };
        let each = |channel| (0..TAPS).map(move |tap| place(channel, tap));
        Offsets::new((0..self.channels).flat_map(each).collect())
    }
}

/// The state of a run. Columns and rows are counted from `depth` before those of the output: the features start at row
/// 0, the values of hidden layer l at row l (the first layer is 1), and the outputs at row `depth`.
struct Pass<'a> {
    network: &'a Convolution,
    columns: usize,
    /// Three rows of the features and of each hidden layer except the last, which is not stored.
    rings: Vec<Ring>,
}

impl Pass<'_> {
    fn run(
        &mut self,
        rows: usize,
        mut read: impl FnMut(usize, &mut Lines<'_>),
        mut write: impl FnMut(usize, usize, &[f32]),
    ) {
        let depth = self.network.shape.depth;
        for row in 0..rows + 2 * depth {
            let stride = self.rings[0].stride;
            let values = self.rings[0].row(row);
            values.fill(0.0);
            read(row, &mut Lines { values, stride });
            // Each layer lags one row behind its input, and needs the two rows before that.
            for layer in 1..depth {
                if row >= 2 * layer {
                    self.hidden_row(layer, row - layer);
                }
            }
            if row >= 2 * depth {
                self.output_row(row - depth, &mut write);
            }
        }
    }

    /// Computes row `row` of hidden layer `layer`, at least 1, from the three surrounding rows of its input.
    fn hidden_row(&mut self, layer: usize, row: usize) {
        let Convolution {
            backend,
            shape,
            layers,
        } = self.network;
        let network = &layers[layer - 1];
        let windows = self.rings[layer - 1].windows(row);
        let mut outputs = vec![0.0; shape.width * STRIP];
        for x in (layer - 1..self.columns + 2 * shape.depth - layer - 1).step_by(STRIP) {
            let inputs = (&self.rings[layer - 1].values[x..], &windows);
            let none = [&mut [][..], &mut [][..]];
            backend.evaluate_scattered(network, inputs, none, &mut outputs);
            let ring = &mut self.rings[layer];
            let stride = ring.stride;
            let lines = ring.row(row).chunks_exact_mut(stride);
            for (line, values) in lines.zip(outputs.chunks_exact(STRIP)) {
                line[x + 1..x + 1 + STRIP].copy_from_slice(values);
            }
        }
    }

    fn output_row(&mut self, row: usize, write: &mut impl FnMut(usize, usize, &[f32])) {
        let Convolution {
            backend,
            shape,
            layers,
        } = self.network;
        let last = shape.depth - 1;
        let windows = self.rings[last].windows(row);
        let mut outputs = vec![0.0; shape.outputs * STRIP];
        let mut scratch = [(); 2].map(|()| vec![0.0; shape.width * STRIP]);
        for x in (0..self.columns).step_by(STRIP) {
            let inputs = (&self.rings[last].values[x + last..], &windows);
            let [front, back] = &mut scratch;
            backend.evaluate_scattered(&layers[last], inputs, [front, back], &mut outputs);
            write(row - shape.depth, x, &outputs);
        }
    }
}
