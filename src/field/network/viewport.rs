//! Which pixels a render has, and over which footprints it averages the field.

use inr_formats::Sampling;

/// Which part of the plane is rendered, and on how many pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Viewport {
    /// Left, top, width, height in source pixels.
    pub(crate) region: [f64; 4],
    /// Columns and rows of the output.
    pub(crate) size: [u32; 2],
    pub(crate) sampling: Sampling,
}

/// Finest sub-sampling of a pixel's footprint, per axis.
const MOST_SUBSAMPLES: u32 = 16;
/// Sub-samples per source pixel of footprint; see the test on footprints for the error that this leaves.
const SUBSAMPLES_PER_PIXEL: f64 = 3.0;

/// Sub-samples along one axis: offsets from the output pixel's centre, in source pixels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Footprint(pub(super) Vec<f64>);

impl Footprint {
    /// For output pixels `pitch` source pixels apart. Enlarging point-sampled fields takes one sample; reducing them
    /// integrates over a box of `sqrt(pitch^2 - 1)`, which grows from nothing at scale 1; area-sampled fields
    /// integrate over the output pixel itself.
    pub(crate) fn new(pitch: f64, sampling: Sampling) -> Self {
        let width = match sampling {
            Sampling::Point => (pitch * pitch - 1.0).max(0.0).sqrt(),
            Sampling::Area => pitch,
        };
        let count = if width < 1e-3 {
            1
        } else {
            ((width * SUBSAMPLES_PER_PIXEL).ceil() as u32).clamp(2, MOST_SUBSAMPLES)
        };
        Self::with_count(width, count)
    }

    pub(super) fn with_count(width: f64, count: u32) -> Self {
        let place = |k: u32| ((f64::from(k) + 0.5) / f64::from(count) - 0.5) * width;
        Self((0..count).map(place).collect())
    }
}

impl Viewport {
    /// Output pixels' pitch on either axis, in source pixels.
    pub(crate) fn pitch(&self) -> [f64; 2] {
        [0, 1].map(|axis| self.region[2 + axis] / f64::from(self.size[axis]))
    }

    pub(super) fn footprints(&self) -> [Footprint; 2] {
        self.pitch()
            .map(|pitch| Footprint::new(pitch, self.sampling))
    }

    /// Field evaluations that rendering this takes.
    pub(crate) fn evaluations(&self) -> u64 {
        let [x, y] = self.footprints();
        let samples = (x.0.len() * y.0.len()) as u64;
        (u64::from(self.size[0]) * u64::from(self.size[1])).saturating_mul(samples)
    }
}

/// Rows of a render in memory that the caller chose.
pub(crate) struct Rows<'a, T> {
    /// Which row of the render the first one is.
    pub(crate) first: usize,
    pub(crate) rows: Vec<&'a mut [T]>,
}

impl<'a, T> Rows<'a, T> {
    /// All rows of a render in one piece of memory, `length` samples each.
    pub(crate) fn of(samples: &'a mut [T], length: usize) -> Self {
        Self {
            first: 0,
            rows: samples.chunks_exact_mut(length).collect(),
        }
    }

    /// Each row's number in the render, and its samples.
    pub(crate) fn each(self) -> impl ExactSizeIterator<Item = (usize, &'a mut [T])> {
        let first = self.first;
        let rows = self.rows.into_iter().enumerate();
        rows.map(move |(index, row)| (first + index, row))
    }
}
