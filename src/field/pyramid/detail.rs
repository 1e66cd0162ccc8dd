//! What the trained trunk adds to an enlarged picture: a cubic B-spline on a finer lattice, the same for every colour.

use std::ops::Range;

use inr_formats::Sampling;

use super::spline::{Order, Taps, folded, mirrored};
use super::wavelet::{Grid, Window, cut};
use crate::field::network::Viewport;
use crate::field::trunk::{BLOCK, FINE, KNOWN, REACH, Small, estimate};
use inr_image::colour::LUMA_BT601 as LUMA;

/// Source columns that are worked on at a time: with those around as many as the trunk takes at once.
const PART: usize = BLOCK - 2 * REACH;

/// Source samples that a range of the lattice depends on.
fn around(range: &Range<isize>, length: usize) -> Range<usize> {
    let fine = folded(range, length * FINE);
    let start = (fine.start / FINE).saturating_sub(REACH);
    start..(fine.end.div_ceil(FINE) + REACH).min(length)
}

/// The detail of a viewport, broken down to the axes.
pub(super) struct Detail {
    columns: Taps,
    rows: Taps,
    /// What a coefficient contributes to values -1.0..=1.0 or their derivatives per source pixel.
    factor: f32,
    scale: f64,
    known: [f32; KNOWN],
}

/// The detail of a band of rows: its columns at the outputs' positions, for each row of the lattice in `reach`.
pub(super) struct Band {
    across: Vec<f32>,
    reach: Range<isize>,
    width: usize,
}

impl Detail {
    /// The derivative of the given orders in x and y of the detail that `viewport` shows, of whose latents so much is `known`.
    pub(super) fn new(viewport: &Viewport, orders: [Order; 2], known: [f32; KNOWN]) -> Self {
        let pitch = viewport.pitch();
        let fine = FINE as f64;
        let [columns, rows] = [0, 1].map(|axis| {
            let width = match viewport.sampling {
                Sampling::Point => 0.0,
                Sampling::Area => fine * pitch[axis],
            };
            let count = ((width * 3.0).ceil() as usize).clamp(1, 64);
            let place = |index: u32| viewport.region[axis] + (f64::from(index) + 0.5) * pitch[axis];
            let centres: Vec<f64> = (0..viewport.size[axis])
                .map(|index| place(index) * fine - 0.5)
                .collect();
            Taps::new(&centres, width, count, orders[axis])
        });
        Self {
            columns,
            rows,
            factor: 2.0 * fine.powi(i32::from(orders[0] + orders[1])) as f32,
            scale: 2.0 / (pitch[0] + pitch[1]),
            known,
        }
    }

    /// The samples of a picture of `size` that output `rows` depend on.
    pub(super) fn window(&self, rows: &Range<usize>, size: (usize, usize)) -> Window {
        let columns = self.columns.reach(0..self.columns.len());
        Window::new(
            around(&columns, size.0),
            around(&self.rows.reach(rows.clone()), size.1),
        )
    }

    /// The detail of output `rows`, from the channels' `samples` on [`Detail::window`] or more, of which `colours` are no
    /// alpha.
    pub(super) fn band(
        &self,
        samples: &[Grid],
        colours: usize,
        rows: &Range<usize>,
        size: (usize, usize),
    ) -> Band {
        let mut luma = samples[0].clone();
        if colours == 3 {
            for (at, value) in luma.values.iter_mut().enumerate() {
                let pairs = samples.iter().zip(LUMA);
                *value = pairs.map(|(grid, weight)| weight * grid.values[at]).sum();
            }
        }
        let reach = self.rows.reach(rows.clone());
        let width = self.columns.len();
        let mut band = Band {
            across: vec![0.0; reach.len() * width],
            reach,
            width,
        };
        // Coefficients take much memory: a part of the columns at a time.
        let part = ((PART as f64 * self.scale) as usize).max(1);
        for first in (0..width).step_by(part) {
            self.columns_of(&luma, first..(first + part).min(width), size, &mut band);
        }
        band
    }

    /// Fills some output `columns` of a band.
    fn columns_of(
        &self,
        luma: &Grid,
        columns: Range<usize>,
        size: (usize, usize),
        band: &mut Band,
    ) {
        let across = around(&self.columns.reach(columns.clone()), size.0);
        let down = around(&band.reach, size.1);
        let part = cut(luma, Window::new(across, down));
        let window = part.window;
        let small = Small {
            width: window.width,
            height: window.height,
            values: &part.values,
        };
        let coefficients = estimate(small, &self.known, self.scale);
        let fine = window.width * FINE;
        let lines = band.across.chunks_exact_mut(band.width);
        for (row, out) in band.reach.clone().zip(lines) {
            let row = mirrored(row, size.1 * FINE) - window.y * FINE;
            let line = &coefficients[row * fine..][..fine];
            for (index, out) in columns.clone().zip(&mut out[columns.clone()]) {
                let (start, weights) = self.columns.output(index);
                let places = (start..).map(|at| mirrored(at, size.0 * FINE) - window.x * FINE);
                let terms = weights.iter().zip(places);
                *out = terms
                    .filter(|(weight, _)| **weight != 0.0)
                    .map(|(weight, at)| weight * line[at])
                    .sum();
            }
        }
    }

    /// Adds the detail of output row `row` to `line`.
    pub(super) fn add(&self, band: &Band, row: usize, line: &mut [f32]) {
        let (start, weights) = self.rows.output(row);
        for (at, weight) in (start..).zip(weights).filter(|(_, weight)| **weight != 0.0) {
            let from = &band.across[(at - band.reach.start) as usize * band.width..];
            let weight = self.factor * weight;
            for (value, detail) in line.iter_mut().zip(from) {
                *value += weight * detail;
            }
        }
    }
}
