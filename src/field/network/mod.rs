//! Network to pixels, at any scale and for any region, in bands of rows over several threads.

#[cfg(feature = "candle")]
mod device;
mod viewport;

use inr_kernel::{Backend, Evaluator, JetEvaluator, Job, Network, Streams, TILE};

use crate::error::Error;
use crate::field::coords::CoordinateMap;
use viewport::Footprint;
pub(crate) use viewport::{Rows, Viewport};

/// Renders rows of `viewport` of a `network` whose source lies on `map`: `emit` turns one row of field values, shape
/// `[channels, columns]`, into samples. `job` counts rows.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn render<T: Send>(
    network: &Network,
    map: &CoordinateMap,
    viewport: &Viewport,
    threads: usize,
    rows: Rows<T>,
    job: &mut Job,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), Error> {
    let first = Evaluator::new(network, Backend::detect());
    let evaluator = || {
        let mut evaluator = first.another();
        move |x: &[f32], y: &[f32], add: Add| add(evaluator.evaluate(x, y), TILE)
    };
    let renderer = RowRenderer::new(network.channels(), map, viewport);
    in_threads(&renderer, threads, rows, job, evaluator, emit)
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
    job: &mut Job,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), Error> {
    let first = JetEvaluator::new(network, map.scale(), Backend::detect());
    let evaluator = || {
        let mut evaluator = first.another();
        move |x: &[f32], y: &[f32], add: Add| add(evaluator.evaluate(x, y), TILE)
    };
    let streams = Streams::Jet.count();
    let renderer = RowRenderer::new(streams * network.channels(), map, viewport);
    in_threads(&renderer, threads, rows, job, evaluator, emit)
}

/// Renders rows on several threads, each with an evaluator of its own.
fn in_threads<T: Send, V: FnMut(&[f32], &[f32], Add)>(
    renderer: &RowRenderer,
    threads: usize,
    rows: Rows<T>,
    job: &mut Job,
    evaluator: impl Fn() -> V + Sync,
    emit: impl Fn(&[f32], &mut [T]) + Sync,
) -> Result<(), Error> {
    let row_length = renderer.channels * renderer.viewport.size[0] as usize;
    if row_length == 0 {
        return Ok(());
    }
    let state = || (evaluator(), vec![0.0; row_length]);
    job.items_with(threads, rows.each(), state, |state, _, (row, out), job| {
        let (evaluate, sums) = state;
        renderer.row(row, TILE, sums, |x, y, add| {
            evaluate(x, y, add);
            job.advance(0)
        })?;
        emit(sums, out);
        job.advance(1)?;
        Ok(())
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
) -> Result<(), crate::error::Error> {
    device::render(network, map, viewport, device, rows, emit).map_err(|error| {
        crate::error::Error::Device {
            device: crate::device::candle_name(device),
            reason: error.to_string(),
        }
    })
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
