//! Masking: steps grow where the levels above are busy, because the eye sees less there.
//!
//! The factor of a position depends on the magnitudes that the coarser levels of the first plane have decoded to, so files hold
//! nothing about it but its strength. See `formats/SPEC.md`, section 13.

use std::ops::Range;

use inr_formats::Latents;
use inr_formats::latents::Partition;

use super::tiles::Tiles;
use super::wavelet::{Grid, Window};
use crate::error::Error;

/// Rise of the factor with the activity, in units of the value range.
const RISE: f32 = 20.0;
/// Share of the activity of each coarser level.
const CARRY: f32 = 0.25;
/// The largest factor.
const MOST: f32 = 16.0;

/// Where the magnitudes of a level of the first plane come from: the sum of the three orientations.
pub(crate) trait Magnitudes {
    /// Those of `level` on `window` of its coarser grid.
    fn magnitudes(&self, level: u8, window: Window) -> Result<Grid, Error>;
}

/// Those of decoded tiles.
pub(crate) struct Decoded<'a> {
    pub(crate) tiles: &'a Tiles,
    pub(crate) latents: &'a Latents,
}

impl Magnitudes for Decoded<'_> {
    fn magnitudes(&self, level: u8, window: Window) -> Result<Grid, Error> {
        super::tiles::magnitudes(self.tiles, self.latents, level, window)
    }
}

/// The factors of the steps of `level` on `window` of its coarser grid.
///
/// # Errors
/// Those of `source`.
pub(crate) fn factors(
    source: &dyn Magnitudes,
    partition: &Partition,
    (strength, step): (u8, f32),
    level: u8,
    window: Window,
) -> Result<Grid, Error> {
    let mut grid = activity(source, partition, level, window)?;
    // A coefficient of the level above spreads over pixels of the grid.
    let rise = RISE * step / (1_u64 << (level + 1)) as f32;
    for value in &mut grid.values {
        *value = power(1.0 + rise * *value, strength).min(MOST);
    }
    Ok(grid)
}

/// `base` to the power of `sixteenths` / 16, 16 at most, of roots alone, which are the same on every machine.
fn power(base: f32, sixteenths: u8) -> f32 {
    if sixteenths >= 16 {
        return base;
    }
    let (mut root, mut product, mut bits) = (base, 1.0, sixteenths);
    while bits & 15 != 0 {
        root = root.sqrt();
        if bits & 8 != 0 {
            product *= root;
        }
        bits <<= 1;
    }
    product
}

/// How busy the levels above `level` are.
pub(crate) fn activity(
    source: &dyn Magnitudes,
    partition: &Partition,
    level: u8,
    window: Window,
) -> Result<Grid, Error> {
    if level >= partition.levels {
        return Ok(Grid::zeros(window));
    }
    let size = partition.size(level + 1);
    let above = Window::new(
        halved(window.columns(), size.0),
        halved(window.rows(), size.1),
    );
    let around = Window::new(wider(above.columns(), size.0), wider(above.rows(), size.1));
    let mut parent = activity(source, partition, level + 1, above)?;
    let found = blurred(&source.magnitudes(level + 1, around)?, above);
    for (value, found) in parent.values.iter_mut().zip(&found.values) {
        *value = CARRY * *value + found;
    }
    Ok(doubled(&parent, window))
}

fn halved(range: Range<usize>, length: usize) -> Range<usize> {
    let end = range.end.max(range.start + 1);
    (range.start / 2).saturating_sub(1)..((end - 1) / 2 + 2).min(length)
}

fn wider(range: Range<usize>, length: usize) -> Range<usize> {
    range.start.saturating_sub(1)..(range.end + 1).min(length)
}

/// The mean of three by three samples on `window`, around which `grid` has one more where the picture has.
fn blurred(grid: &Grid, window: Window) -> Grid {
    let across = |row: &[f32], x: usize| {
        let at = x - grid.window.x;
        row[at.saturating_sub(1)] + row[at] + row[(at + 1).min(row.len() - 1)]
    };
    let columns = grid.window.columns();
    let sums: Vec<Vec<f32>> = grid
        .window
        .rows()
        .map(|y| {
            let row = grid.row(y, columns.clone());
            window.columns().map(|x| across(row, x)).collect()
        })
        .collect();
    let mut out = Grid::zeros(window);
    for (line, y) in out
        .values
        .chunks_exact_mut(window.width.max(1))
        .zip(window.rows())
    {
        let at = y - grid.window.y;
        let rows = [at.saturating_sub(1), at, (at + 1).min(sums.len() - 1)];
        for (x, out) in line.iter_mut().enumerate() {
            *out = rows.iter().map(|row| sums[*row][x]).sum::<f32>() / 9.0;
        }
    }
    out
}

/// `grid` at twice its size on `window`, linear between samples.
fn doubled(grid: &Grid, window: Window) -> Grid {
    let near = |at: usize, start: usize, length: usize| {
        let this = at / 2 - start;
        let other = if at.is_multiple_of(2) {
            this.saturating_sub(1)
        } else {
            (this + 1).min(length - 1)
        };
        [this, other]
    };
    let from = grid.window;
    let mut out = Grid::zeros(window);
    let columns: Vec<[usize; 2]> = window
        .columns()
        .map(|x| near(x, from.x, from.width))
        .collect();
    for (line, y) in out
        .values
        .chunks_exact_mut(window.width.max(1))
        .zip(window.rows())
    {
        let [this, other] =
            near(y, from.y, from.height).map(|row| &grid.values[row * from.width..][..from.width]);
        for (out, [a, b]) in line.iter_mut().zip(&columns) {
            let across = |row: &[f32]| 0.75 * row[*a] + 0.25 * row[*b];
            *out = 0.75 * across(this) + 0.25 * across(other);
        }
    }
    out
}
