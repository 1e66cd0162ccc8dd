//! Weights of separable filters along one axis.

use std::ops::Range;

/// A filter along one axis: kernel and radius in source pixels where the axis grows; where it shrinks both widen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// The exact share of each source pixel in the output pixel.
    Area,
    /// Cubic convolution with a = -1/2 (Keys 1981).
    Cubic,
    /// Between cubic convolution, 0, and the area, 1, of reductions.
    Between(f64),
    /// A Gaussian of this standard deviation, in pixels of the coarser side.
    Gaussian(f64),
    /// The cubic B-spline, never widened: values of a spline from its coefficients.
    Spline,
    /// From samples to the coefficients of their cubic spline (Unser 1999); between as many.
    Prefilter,
}

/// The pole of the cubic spline's prefilter, the square root of 3 less 2.
const POLE: f64 = -0.267_949_192_431_122_7;

impl Kernel {
    fn radius(self) -> f64 {
        match self {
            Self::Area => 0.5,
            Self::Cubic | Self::Between(_) | Self::Spline => 2.0,
            Self::Prefilter => 12.0,
            Self::Gaussian(sigma) => 4.0 * sigma,
        }
    }

    /// The weight of the pixel whose centre is `distance` away, where a pixel is `side` wide; all in kernel units.
    fn weight(self, distance: f64, side: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Area => ((x + side / 2.0).min(0.5) - (x - side / 2.0).max(-0.5)).max(0.0),
            Self::Cubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Cubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Cubic => 0.0,
            Self::Between(share) => {
                let area = Self::Area.weight(distance, side) / side;
                share * area + (1.0 - share) * Self::Cubic.weight(distance, side)
            }
            Self::Gaussian(sigma) => (-0.5 * (x / sigma).powi(2)).exp(),
            Self::Spline if x < 1.0 => 2.0 / 3.0 - x * x * (1.0 - x / 2.0),
            Self::Spline => (2.0 - x).max(0.0).powi(3) / 6.0,
            Self::Prefilter => POLE.powi(x.round() as i32),
        }
    }
}

/// For every output sample of an axis the source samples that it is made of. Weights sum to 1.
#[derive(Clone, Debug)]
pub struct Axis {
    /// First source sample of each output sample, and where its weights end.
    spans: Vec<(usize, usize)>,
    weights: Vec<f32>,
    sources: usize,
}

impl Axis {
    /// `outputs` samples that divide `sources` samples evenly; the source goes on mirrored beyond its ends, edge samples
    /// repeated. As MATLAB's `imresize` for [`Kernel::Cubic`].
    pub fn new(kernel: Kernel, sources: usize, outputs: usize) -> Self {
        Self::over(kernel, [0.0, sources as f64], sources, outputs)
    }

    /// As [`Axis::new`], with outputs that divide a part of the source: its start and length in source samples.
    pub fn over(kernel: Kernel, [start, length]: [f64; 2], sources: usize, outputs: usize) -> Self {
        let ratio = length / outputs as f64;
        let widened = match kernel {
            Kernel::Area => ratio,
            Kernel::Spline | Kernel::Prefilter => 1.0,
            Kernel::Cubic | Kernel::Between(_) | Kernel::Gaussian(_) => ratio.max(1.0),
        };
        let mut axis = Self {
            spans: Vec::with_capacity(outputs),
            weights: Vec::new(),
            sources,
        };
        let mut folded: Vec<(usize, f64)> = Vec::new();
        for output in 0..outputs {
            let centre = start + (output as f64 + 0.5) * ratio - 0.5;
            let reach = kernel.radius() * widened + 0.5;
            folded.clear();
            for at in (centre - reach).floor() as i64..=(centre + reach).ceil() as i64 {
                let weight = kernel.weight((at as f64 - centre) / widened, 1.0 / widened);
                folded.push((mirrored(at, sources), weight));
            }
            if folded.iter().all(|(_, weight)| *weight == 0.0) {
                // A part narrower than the spacing of f64 has no area left to measure.
                folded.push((mirrored(centre.round() as i64, sources), 1.0));
            }
            axis.push(&folded);
        }
        axis
    }

    /// Adds an output sample; weights of one source sample that come more than once add up, and are scaled to sum to 1.
    fn push(&mut self, taps: &[(usize, f64)]) {
        let most = taps
            .iter()
            .map(|(_, weight)| weight.abs())
            .fold(0.0, f64::max);
        let used = || taps.iter().filter(|(_, weight)| weight.abs() > 1e-9 * most);
        let first = used().map(|(at, _)| *at).min().unwrap_or(0);
        let end = used().map(|(at, _)| at + 1).max().unwrap_or(1);
        let mut weights = vec![0.0; end - first];
        used().for_each(|(at, weight)| weights[at - first] += weight);
        let sum: f64 = weights.iter().sum();
        let scale = if sum.abs() > 1e-12 { 1.0 / sum } else { 0.0 };
        self.weights
            .extend(weights.iter().map(|weight| (weight * scale) as f32));
        self.spans.push((first, self.weights.len()));
    }

    /// Number of output samples.
    pub fn outputs(&self) -> usize {
        self.spans.len()
    }

    /// First source sample and weights of output sample `output`.
    pub fn taps(&self, output: usize) -> (usize, &[f32]) {
        let start = output
            .checked_sub(1)
            .map_or(0, |before| self.spans[before].1);
        let (first, end) = self.spans[output];
        (first, &self.weights[start..end])
    }

    /// Output samples `outputs` made of source samples `sources` alone, both counted from the start of their range.
    pub fn part(&self, outputs: Range<usize>, sources: Range<usize>) -> Self {
        let mut part = Self {
            spans: Vec::with_capacity(outputs.len()),
            weights: Vec::new(),
            sources: sources.len(),
        };
        for output in outputs {
            let (first, weights) = self.taps(output);
            let whole = first >= sources.start && first + weights.len() <= sources.end;
            if whole {
                // As it is: scaling again would round, and tiles would differ.
                part.weights.extend(weights);
                part.spans.push((first - sources.start, part.weights.len()));
                continue;
            }
            let taps: Vec<(usize, f64)> = (first..)
                .zip(weights)
                .map(|(at, &weight)| {
                    let at = at.clamp(sources.start, sources.end - 1) - sources.start;
                    (at, f64::from(weight))
                })
                .collect();
            part.push(&taps);
        }
        part
    }

    /// The transposed operator: sources become outputs. With `even` each of its rows is scaled to sum to 1, so that what is
    /// the same everywhere stays what it is.
    pub fn transposed(&self, even: bool) -> Self {
        let mut columns: Vec<Vec<(usize, f32)>> = vec![Vec::new(); self.sources];
        for output in 0..self.outputs() {
            let (first, weights) = self.taps(output);
            for (column, weight) in columns[first..].iter_mut().zip(weights) {
                column.push((output, *weight));
            }
        }
        let mut axis = Self {
            spans: Vec::with_capacity(self.sources),
            weights: Vec::new(),
            sources: self.outputs(),
        };
        for column in columns {
            let first = column.first().map_or(0, |(at, _)| *at);
            let end = column.last().map_or(0, |(at, _)| at + 1);
            let sum: f32 = column.iter().map(|(_, weight)| weight).sum();
            let scale = if even && sum.abs() > 1e-6 {
                1.0 / sum
            } else {
                1.0
            };
            let start = axis.weights.len();
            axis.weights.resize(start + end - first, 0.0);
            for (at, weight) in column {
                axis.weights[start + at - first] = weight * scale;
            }
            axis.spans.push((first, axis.weights.len()));
        }
        axis
    }

    /// Filters the columns of `plane`, rows of `width` samples.
    pub fn vertically(&self, plane: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.outputs() * width];
        for (output, line) in out.chunks_exact_mut(width).enumerate() {
            let (first, weights) = self.taps(output);
            for (row, weight) in plane[first * width..].chunks_exact(width).zip(weights) {
                line.iter_mut()
                    .zip(row)
                    .for_each(|(sum, value)| *sum += weight * value);
            }
        }
        out
    }

    /// Filters the rows of `plane`, each as long as this axis has sources.
    pub fn horizontally(&self, plane: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(plane.len() / self.sources.max(1) * self.outputs());
        for row in plane.chunks_exact(self.sources) {
            out.extend((0..self.outputs()).map(|output| {
                let (first, weights) = self.taps(output);
                let taps = row[first..].iter().zip(weights);
                taps.map(|(value, weight)| value * weight).sum::<f32>()
            }));
        }
        out
    }
}

/// A pair of axes, across and down.
#[derive(Clone, Debug)]
pub struct Axes {
    /// Columns.
    pub across: Axis,
    /// Rows.
    pub down: Axis,
}

impl Axes {
    /// From `sources` to `outputs`, both width and height.
    pub fn new(kernel: Kernel, sources: [usize; 2], outputs: [usize; 2]) -> Self {
        Self {
            across: Axis::new(kernel, sources[0], outputs[0]),
            down: Axis::new(kernel, sources[1], outputs[1]),
        }
    }

    /// A plane of the sources' size at the outputs' size.
    pub fn apply(&self, plane: &[f32]) -> Vec<f32> {
        let (width, shrinks) = (
            self.across.sources,
            self.across.outputs() < self.across.sources,
        );
        // The smaller picture first.
        if shrinks {
            let narrow = self.across.horizontally(plane);
            return self.down.vertically(&narrow, self.across.outputs());
        }
        self.across
            .horizontally(&self.down.vertically(plane, width))
    }

    /// As [`Axis::transposed`].
    pub fn transposed(&self, even: bool) -> Self {
        Self {
            across: self.across.transposed(even),
            down: self.down.transposed(even),
        }
    }

    /// As [`Axis::part`], ranges across and down.
    pub fn part(&self, outputs: &[Range<usize>; 2], sources: &[Range<usize>; 2]) -> Self {
        let [ox, oy] = outputs.clone();
        let [sx, sy] = sources.clone();
        Self {
            across: self.across.part(ox, sx),
            down: self.down.part(oy, sy),
        }
    }
}

/// Place within `0..count` of sample `at` of a row that goes on mirrored, edge samples repeated.
pub fn mirrored(at: i64, count: usize) -> usize {
    let count = count as i64;
    let at = at.rem_euclid(2 * count);
    at.min(2 * count - 1 - at) as usize
}
