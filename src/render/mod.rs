//! Network to pixels, at any scale and for any region, in bands of rows over several threads.

pub(crate) mod convolution;
#[cfg(feature = "candle")]
mod device;
mod jets;
pub(crate) mod kernel;
mod tile;

use std::num::NonZeroUsize;
use std::sync::Mutex;

use inr_formats::Sampling;

pub(crate) use jets::JetEvaluator;
#[cfg(feature = "fit")]
pub(crate) use kernel::{Backend, GradientLayout, Prepared, STRIP, Streams, Tile};
#[cfg(not(feature = "fit"))]
pub(crate) use kernel::{Backend, Streams};
pub(crate) use tile::{Evaluator, TILE};

use crate::Error;
use crate::coords::CoordinateMap;
use crate::net::Network;
use crate::parallel::Pulse;

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
pub(crate) struct Footprint(Vec<f64>);

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

    fn with_count(width: f64, count: u32) -> Self {
        let place = |k: u32| ((f64::from(k) + 0.5) / f64::from(count) - 0.5) * width;
        Self((0..count).map(place).collect())
    }
}

impl Viewport {
    /// Output pixels' pitch on either axis, in source pixels.
    pub(crate) fn pitch(&self) -> [f64; 2] {
        [0, 1].map(|axis| self.region[2 + axis] / f64::from(self.size[axis]))
    }

    fn footprints(&self) -> [Footprint; 2] {
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
    pub(crate) fn each(self) -> impl Iterator<Item = (usize, &'a mut [T])> {
        (self.first..).zip(self.rows)
    }
}

/// Renders rows of `viewport` of a `network` whose source lies on `map`: `emit` turns one row of field values, shape
/// `[channels, columns]`, into samples. `pulse` counts rows.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn render<T: Send>(
    network: &Network,
    map: &CoordinateMap,
    viewport: &Viewport,
    threads: usize,
    rows: Rows<T>,
    pulse: &mut Pulse,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), Error> {
    let first = Evaluator::new(network, Backend::detect());
    let evaluator = || {
        let mut evaluator = first.another();
        move |x: &[f32], y: &[f32], add: Add| add(evaluator.evaluate(x, y), TILE)
    };
    let renderer = RowRenderer::new(network.channels(), map, viewport);
    in_threads(&renderer, threads, rows, pulse, evaluator, emit)
}

/// As [`render`], with values, derivatives along x and y, and Laplacians: rows have shape
/// `[components, channels, columns]`, derivatives are per source pixel.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn render_jets<T: Send>(
    network: &Network,
    map: &CoordinateMap,
    viewport: &Viewport,
    threads: usize,
    rows: Rows<T>,
    pulse: &mut Pulse,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), Error> {
    let first = JetEvaluator::new(network, map.scale(), Backend::detect());
    let evaluator = || {
        let mut evaluator = first.another();
        move |x: &[f32], y: &[f32], add: Add| add(evaluator.evaluate(x, y), TILE)
    };
    let streams = Streams::Jet.count();
    let renderer = RowRenderer::new(streams * network.channels(), map, viewport);
    in_threads(&renderer, threads, rows, pulse, evaluator, emit)
}

/// Renders rows on several threads, each with an evaluator of its own.
fn in_threads<T: Send, V: FnMut(&[f32], &[f32], Add)>(
    renderer: &RowRenderer,
    threads: usize,
    rows: Rows<T>,
    pulse: &mut Pulse,
    evaluator: impl Fn() -> V + Sync,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), Error> {
    let row_length = renderer.channels * renderer.viewport.size[0] as usize;
    if row_length == 0 {
        return Ok(());
    }
    let queue = Mutex::new(rows.each());
    let rows_at_most = renderer.viewport.size[1] as usize;
    pulse.on_threads(threads.min(rows_at_most), |pulse| {
        let mut evaluate = evaluator();
        let mut sums = vec![0.0; row_length];
        loop {
            let next = queue.lock().map(|mut rows| rows.next()).ok().flatten();
            let Some((row, out)) = next else {
                return Ok(());
            };
            renderer.row(row, TILE, &mut sums, |x, y, add| {
                evaluate(x, y, add);
                pulse.beat(0)
            })?;
            emit(&sums, out);
            pulse.beat(1)?;
        }
    })
}

/// As [`render`], with the field evaluated by candle on `device`.
#[cfg(feature = "candle")]
pub(crate) fn render_on_device<T: Send>(
    network: &Network,
    map: &CoordinateMap,
    viewport: &Viewport,
    device: &candle_core::Device,
    rows: Rows<T>,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), crate::Error> {
    device::render(network, map, viewport, device, rows, emit).map_err(|error| {
        crate::Error::Device {
            device: crate::device::candle_name(device),
            reason: error.to_string(),
        }
    })
}

/// Threads to use when the caller does not say.
pub(crate) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Places the sample points of output rows and averages what an evaluator gives for them.
struct RowRenderer<'a> {
    channels: usize,
    map: &'a CoordinateMap,
    viewport: &'a Viewport,
    footprints: [Footprint; 2],
}

/// Takes field values, shape `[channels, stride]`, and that stride.
type Add<'a> = &'a mut dyn FnMut(&[f32], usize);

impl<'a> RowRenderer<'a> {
    fn new(channels: usize, map: &'a CoordinateMap, viewport: &'a Viewport) -> Self {
        Self {
            channels,
            map,
            viewport,
            footprints: viewport.footprints(),
        }
    }

    /// Field values of one output row, averaged over each pixel's footprint, into `sums`: shape `[channels, columns]`.
    /// `evaluate` gets up to `most` points at a time.
    fn row<E>(
        &self,
        row: usize,
        most: usize,
        sums: &mut [f32],
        mut evaluate: impl FnMut(&[f32], &[f32], Add) -> Result<(), E>,
    ) -> Result<(), E> {
        let [left, top, ..] = self.viewport.region;
        let [pitch_x, pitch_y] = self.viewport.pitch();
        let columns = self.viewport.size[0] as usize;
        let [across, down] = [&self.footprints[0].0, &self.footprints[1].0];
        let centre_y = top + (row as f64 + 0.5) * pitch_y;
        let share = 1.0 / (across.len() * down.len()) as f32;
        sums.fill(0.0);
        let per_tile = (most / across.len()).max(1);
        for start in (0..columns).step_by(per_tile) {
            let count = per_tile.min(columns - start);
            let place = |point: usize| {
                let centre = left + ((start + point / across.len()) as f64 + 0.5) * pitch_x;
                self.map.x(centre + across[point % across.len()])
            };
            let x: Vec<f32> = (0..count * across.len()).map(place).collect();
            for offset in down {
                let y = vec![self.map.y(centre_y + offset); x.len()];
                evaluate(&x, &y, &mut |values, stride| {
                    for channel in 0..self.channels {
                        let values =
                            values[channel * stride..][..x.len()].chunks_exact(across.len());
                        let sums = &mut sums[channel * columns + start..][..count];
                        for (sum, values) in sums.iter_mut().zip(values) {
                            *sum += share * values.iter().sum::<f32>();
                        }
                    }
                })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
