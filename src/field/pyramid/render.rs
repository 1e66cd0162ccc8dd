//! Any part of a pyramid at any size: values and derivatives, in bands of rows over several threads.

use std::collections::BTreeMap;
use std::ops::Range;

use inr_formats::Sampling;

use super::detail::Detail;
use super::spline::{Order, Taps, folded, mirrored, prefilter_line, prefilter_rows};
use super::wavelet::{Grid, Window};
use super::{Pyramid, colours};
use crate::error::Error;
use crate::field::estimate::Estimate;
use crate::field::network::{Rows, Viewport};
use inr_kernel::Job;

/// Passes over the rows in which values and derivatives are made.
pub(crate) const JET_PASSES: usize = 5;
/// Output rows of one task, at most; and at least, where there are as many, for what two of them share is made twice.
const BAND: usize = 256;
const LEAST_BAND: usize = 64;
/// Source rows of one task with detail, which reads many more around.
const DETAILED: f64 = 144.0;
/// Side of the blocks of positions that are looked at together, in source pixels.
const BLOCK: f64 = 64.0;

/// A render broken down to the axes.
struct Axes {
    level: u8,
    columns: Taps,
    rows: Taps,
    /// Column and row of the first pixel, where outputs are samples as they are.
    aligned: Option<(usize, usize)>,
    /// What a spline's sample contributes to values -1.0..=1.0 or their derivatives, and what is added to all.
    factor: f32,
    constant: f32,
    detail: Option<Detail>,
}

impl Axes {
    /// The derivative of the given orders in x and y, per source pixel, of what `viewport` shows.
    fn new(viewport: &Viewport, levels: u8, orders: [Order; 2]) -> Self {
        let pitch = viewport.pitch();
        let least = pitch[0].min(pitch[1]).max(1.0);
        let level = (least.log2().floor() as u8).min(levels);
        let aligned = aligned(viewport).filter(|_| orders == [0, 0]);
        let [columns, rows] = [0, 1].map(|axis| {
            let scale = f64::from(1_u32 << level);
            let spread = match viewport.sampling {
                Sampling::Point => (pitch[axis] * pitch[axis] - scale * scale).max(0.0).sqrt(),
                Sampling::Area => pitch[axis],
            };
            let width = spread / scale;
            let count = ((width * 3.0).ceil() as usize).clamp(1, 64);
            let centre = |index: u32| {
                (viewport.region[axis] + (f64::from(index) + 0.5) * pitch[axis] - 0.5) / scale
            };
            let centres: Vec<f64> = (0..viewport.size[axis]).map(centre).collect();
            Taps::new(&centres, width, count, orders[axis])
        });
        let order = i32::from(orders[0] + orders[1]);
        Self {
            level,
            columns,
            rows,
            aligned,
            factor: 2.0 / f64::from(1_u32 << level).powi(order) as f32,
            constant: if order == 0 { -1.0 } else { 0.0 },
            detail: None,
        }
    }
}

/// The first pixel of a viewport whose pixels are the source's.
fn aligned(viewport: &Viewport) -> Option<(usize, usize)> {
    let [left, top, width, height] = viewport.region;
    let whole = left.fract() == 0.0 && top.fract() == 0.0;
    let same = width == f64::from(viewport.size[0]) && height == f64::from(viewport.size[1]);
    (whole && same && viewport.sampling == Sampling::Point).then_some((left as usize, top as usize))
}

impl Pyramid {
    /// Renders rows of `viewport`, with the trunk's `detail` or the spline alone: `emit` turns one row of values, shape
    /// `[channels, columns]` and -1.0..=1.0, into samples. `job` counts rows.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment; [`Error::Cancelled`].
    pub(crate) fn render<T: Send>(
        &self,
        (viewport, detail): (&Viewport, bool),
        threads: usize,
        rows: Rows<T>,
        job: &mut Job,
        emit: impl Fn(&[f32], &mut [T]) + Sync,
    ) -> Result<(), Error> {
        let emit = |row: &[f32], out: &mut [T]| emit(row, out);
        self.render_orders((viewport, detail), [0, 0], threads, rows, job, emit)
    }

    /// Renders all rows of `viewport` with derivatives per source pixel: shape `[rows, components, channels, columns]`, the
    /// components value, d/dx, d/dy and Laplacian; values are -1.0..=1.0. `job` counts [`JET_PASSES`] for each row.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment; [`Error::Cancelled`].
    pub(crate) fn render_jets(
        &self,
        (viewport, detail): (&Viewport, bool),
        threads: usize,
        job: &mut Job,
        out: &mut [f32],
    ) -> Result<(), Error> {
        const ORDERS: [(usize, [Order; 2]); JET_PASSES] = [
            (0, [0, 0]),
            (1, [1, 0]),
            (2, [0, 1]),
            (3, [2, 0]),
            (3, [0, 2]),
        ];
        let length = self.planes() * viewport.size[0] as usize;
        out.fill(0.0);
        for (component, orders) in ORDERS {
            let rows = out.chunks_exact_mut(4 * length);
            let rows = Rows {
                first: 0,
                rows: rows
                    .map(|row| &mut row[component * length..][..length])
                    .collect(),
            };
            self.render_orders(
                (viewport, detail),
                orders,
                threads,
                rows,
                job,
                |row, out| {
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(sum, value)| *sum += value);
                },
            )?;
        }
        Ok(())
    }

    /// The derivative of the given orders along x and y of what [`Pyramid::render`] renders, per source pixel.
    fn render_orders<T: Send>(
        &self,
        (viewport, detail): (&Viewport, bool),
        orders: [Order; 2],
        threads: usize,
        rows: Rows<T>,
        job: &mut Job,
        emit: impl Fn(&[f32], &mut [T]) + Sync,
    ) -> Result<(), Error> {
        let mut axes = Axes::new(viewport, self.latents.partition.levels, orders);
        if detail && axes.level == 0 && axes.aligned.is_none() {
            let known = Estimate::stored(self.latents.step, self.latents.degradation);
            axes.detail = Some(Detail::new(viewport, orders, known.features()));
        }
        let axes = axes;
        let mut outputs: Vec<(usize, &mut [T])> = rows.each().collect();
        let groups = outputs.len().div_ceil(self.rows_at_once(&axes, viewport));
        let together = outputs.len().div_ceil(groups.max(1)).max(1);
        let each = match &axes.detail {
            None => together
                .div_ceil(threads.max(1))
                .clamp(LEAST_BAND.min(together), BAND),
            Some(_) => {
                let most = (DETAILED / viewport.pitch()[1]).ceil() as usize;
                // As many for each thread.
                let tasks = together.div_ceil(most.max(1));
                together.div_ceil(tasks.next_multiple_of(threads.max(1)))
            }
        };
        for group in outputs.chunks_mut(together.next_multiple_of(each)) {
            let range = group[0].0..group[group.len() - 1].0 + 1;
            let window = self.window(&axes, viewport, &range);
            self.prepare(axes.level, window, threads, job)?;
            job.items(threads, group.chunks_mut(each), |_, rows, job| {
                self.band(&axes, viewport, rows, job, &emit)
            })?;
        }
        Ok(())
    }

    /// Output rows whose tiles fit the cache.
    fn rows_at_once(&self, axes: &Axes, viewport: &Viewport) -> usize {
        let (width, _) = self.latents.partition.size(axes.level);
        let source = (self.tiles.room() / 2 / (width * self.planes() * 8)).max(BAND);
        let pitch = viewport.pitch()[1] / f64::from(1_u32 << axes.level);
        // Deep inside a pixel that would be more than there are, or than a number holds.
        ((source as f64 / pitch) as usize).clamp(1, viewport.size[1].max(1) as usize)
    }

    /// The samples that output `rows` depend on.
    fn window(&self, axes: &Axes, viewport: &Viewport, rows: &Range<usize>) -> Window {
        if let Some((left, top)) = axes.aligned {
            return Window::new(
                left..left + viewport.size[0] as usize,
                top + rows.start..top + rows.end,
            );
        }
        let (width, height) = self.latents.partition.size(axes.level);
        let window = Window::new(
            folded(&axes.columns.reach(0..axes.columns.len()), width),
            folded(&axes.rows.reach(rows.clone()), height),
        );
        match &axes.detail {
            None => window,
            Some(detail) => window.union(&detail.window(rows, (width, height))),
        }
    }

    fn band<T>(
        &self,
        axes: &Axes,
        viewport: &Viewport,
        rows: &mut [(usize, &mut [T])],
        job: &mut Job,
        emit: &impl Fn(&[f32], &mut [T]),
    ) -> Result<(), Error> {
        let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else {
            return Ok(());
        };
        let range = *first..*last + 1;
        let samples = self.samples(axes.level, self.window(axes, viewport, &range))?;
        let columns = viewport.size[0] as usize;
        let mut line = vec![0.0; columns * self.planes()];
        if let Some((left, top)) = axes.aligned {
            for (row, out) in rows {
                for (grid, line) in samples.iter().zip(line.chunks_exact_mut(columns)) {
                    line.copy_from_slice(grid.row(top + *row, left..left + columns));
                }
                line.iter_mut()
                    .for_each(|value| *value = *value * 2.0 - 1.0);
                emit(&line, out);
                job.advance(1)?;
            }
            return Ok(());
        }
        let reach = axes.rows.reach(range.clone());
        let size = self.latents.partition.size(axes.level);
        let across: Vec<Vec<f32>> = samples
            .iter()
            .map(|grid| resample_columns(grid, &axes.columns, &reach, size))
            .collect();
        let colours = colours(self.planes());
        let detail = axes.detail.as_ref();
        let detail = detail.map(|detail| (detail, detail.band(&samples, colours, &range, size)));
        for (row, out) in rows {
            let (start, weights) = axes.rows.output(*row);
            for (plane, line) in across.iter().zip(line.chunks_exact_mut(columns)) {
                line.fill(axes.constant);
                for (tap, weight) in weights
                    .iter()
                    .enumerate()
                    .filter(|(_, weight)| **weight != 0.0)
                {
                    let at = (start - reach.start) as usize + tap;
                    let weight = axes.factor * weight;
                    for (value, sample) in line.iter_mut().zip(&plane[at * columns..]) {
                        *value += weight * sample;
                    }
                }
            }
            if let Some((detail, band)) = &detail {
                for line in line.chunks_exact_mut(columns).take(colours) {
                    detail.add(band, *row, line);
                }
            }
            emit(&line, out);
            job.advance(1)?;
        }
        Ok(())
    }

    /// Values or derivatives at `positions` in source pixels, shape `[positions, channels]`; values are 0.0..=1.0 for
    /// the range of samples, derivatives per source pixel.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment.
    pub(crate) fn at(&self, positions: &[[f64; 2]], orders: [Order; 2]) -> Result<Vec<f32>, Error> {
        let size = self.latents.partition.size(0);
        let planes = self.planes();
        let mut out = vec![0.0; positions.len() * planes];
        let mut blocks: BTreeMap<[i64; 2], Vec<usize>> = BTreeMap::new();
        for (index, position) in positions.iter().enumerate() {
            let block = position.map(|coordinate| (coordinate / BLOCK).floor() as i64);
            blocks.entry(block).or_default().push(index);
        }
        // Samples take more time than splines: what lies together shares them.
        for block in blocks.values() {
            let taps = block.iter().map(|&index| {
                let [x, y] = positions[index];
                [(x, orders[0]), (y, orders[1])]
                    .map(|(at, order)| Taps::new(&[at - 0.5], 0.0, 1, order))
            });
            let taps: Vec<[Taps; 2]> = taps.collect();
            let windows = taps.iter().map(|[columns, rows]| {
                let columns = folded(&columns.reach(0..1), size.0);
                Window::new(columns, folded(&rows.reach(0..1), size.1))
            });
            let Some(window) = windows.reduce(|a, b| a.union(&b)) else {
                continue;
            };
            let grids = self.samples(0, window)?;
            for (&index, [columns, rows]) in block.iter().zip(&taps) {
                let reach = rows.reach(0..1);
                let (start, weights) = rows.output(0);
                for (grid, out) in grids.iter().zip(&mut out[index * planes..]) {
                    let line = resample_columns(grid, columns, &reach, size);
                    let line = &line[(start - reach.start) as usize..];
                    let terms = line.iter().zip(weights);
                    *out = terms.map(|(value, weight)| value * weight).sum();
                }
            }
        }
        Ok(out)
    }
}

/// Spline coefficients down the columns, at the outputs' positions along the rows: one line for each of `rows`.
pub(crate) fn resample_columns(
    grid: &Grid,
    columns: &Taps,
    rows: &Range<isize>,
    size: (usize, usize),
) -> Vec<f32> {
    let reach = columns.reach(0..columns.len());
    let mut line = vec![0.0; reach.len()];
    let mut coefficients = vec![0.0; reach.len()];
    let width = columns.len();
    let mut resampled = vec![0.0; rows.len() * width];
    for (row, out) in rows.clone().zip(resampled.chunks_exact_mut(width)) {
        let source = grid.row(mirrored(row, size.1), grid.window.columns());
        for (value, index) in line.iter_mut().zip(reach.clone()) {
            *value = source[mirrored(index, size.0) - grid.window.x];
        }
        prefilter_line(&line, &mut coefficients);
        for (index, out) in out.iter_mut().enumerate() {
            let (start, weights) = columns.output(index);
            let four = &coefficients[(start - reach.start) as usize..];
            *out = weights
                .iter()
                .zip(four)
                .map(|(weight, value)| weight * value)
                .sum();
        }
    }
    let mut filtered = vec![0.0; resampled.len()];
    prefilter_rows(&resampled, width, &mut filtered);
    filtered
}
