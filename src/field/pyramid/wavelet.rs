//! The 9/7 wavelet of Cohen, Daubechies and Feauveau (1992) by lifting, on windows of a picture.
//!
//! Sums and products are separate and in a fixed order, so that a window gives the same bits wherever it is cut.

use std::ops::Range;

const ALPHA: f32 = -1.586_134_3;
const BETA: f32 = -0.052_980_12;
const GAMMA: f32 = 0.882_911_1;
const DELTA: f32 = 0.443_506_85;
/// Scales that give the basis functions of every band about unit norm.
const LOW_SCALE: f32 = 1.149_604_4;
const HIGH_SCALE: f32 = 0.869_864_45;
/// Samples beyond a window that its values depend on, per axis and level; even.
const REACH: usize = 4;

/// A rectangle of a grid, in whole samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Window {
    pub(crate) fn new(columns: Range<usize>, rows: Range<usize>) -> Self {
        Self {
            x: columns.start,
            y: rows.start,
            width: columns.len(),
            height: rows.len(),
        }
    }

    pub(crate) fn columns(&self) -> Range<usize> {
        self.x..self.x + self.width
    }

    pub(crate) fn rows(&self) -> Range<usize> {
        self.y..self.y + self.height
    }

    /// The least window that has both in it.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let join = |a: Range<usize>, b: Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        Self::new(
            join(self.columns(), other.columns()),
            join(self.rows(), other.rows()),
        )
    }
}

/// A window of samples, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub(crate) window: Window,
    pub(crate) values: Vec<f32>,
}

impl Grid {
    pub(crate) fn zeros(window: Window) -> Self {
        Self {
            window,
            values: vec![0.0; window.width * window.height],
        }
    }

    /// The samples of row `y` (of the whole grid) from column `x` on.
    pub(crate) fn row(&self, y: usize, columns: Range<usize>) -> &[f32] {
        let start = (y - self.window.y) * self.window.width + columns.start - self.window.x;
        &self.values[start..start + columns.len()]
    }

    /// Takes over the samples of `part`, whose window lies within this one's.
    #[cfg(feature = "fit")]
    pub(crate) fn paste(&mut self, part: &Self) {
        for y in part.window.rows() {
            let start = (y - self.window.y) * self.window.width + part.window.x - self.window.x;
            let row = part.row(y, part.window.columns());
            self.values[start..start + row.len()].copy_from_slice(row);
        }
    }
}

impl Grid {
    /// Multiplies every value by that of `factors`, whose window covers this one.
    pub(crate) fn scale(&mut self, factors: &Self) {
        let columns = self.window.columns();
        let width = self.window.width.max(1);
        for (row, y) in self.values.chunks_exact_mut(width).zip(self.window.rows()) {
            for (value, factor) in row.iter_mut().zip(factors.row(y, columns.clone())) {
                *value *= factor;
            }
        }
    }
}

/// The part of `grid` in `window`, which lies within its own.
pub(crate) fn cut(grid: &Grid, window: Window) -> Grid {
    let rows = window.rows();
    let values = rows
        .flat_map(|y| grid.row(y, window.columns()))
        .copied()
        .collect();
    Grid { window, values }
}

/// The part of a side that a synthesis of `wanted` works on: from an even sample on, within the side's `length`.
fn working(wanted: &Range<usize>, length: usize) -> Range<usize> {
    let start = wanted.start.saturating_sub(REACH) & !1;
    let end = (wanted.end + REACH).next_multiple_of(2).min(length);
    start..end
}

/// The coarser samples that a synthesis of `wanted` needs: low ones, and high ones.
pub(crate) fn halves(wanted: &Range<usize>, length: usize) -> (Range<usize>, Range<usize>) {
    let range = working(wanted, length);
    (
        range.start / 2..range.end.div_ceil(2),
        range.start / 2..range.end / 2,
    )
}

/// `target += weight * (a + b)`.
fn lift(target: &mut [f32], weight: f32, a: &[f32], b: &[f32]) {
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target += weight * (*a + *b);
    }
}

/// One lifting step of the even samples from the odd ones around, along a line.
fn lift_even(even: &mut [f32], odd: &[f32], weight: f32) {
    let (n, m) = (even.len(), odd.len());
    if m == 0 {
        return;
    }
    even[0] += weight * (odd[0] + odd[0]);
    lift(&mut even[1..m], weight, &odd[..m - 1], &odd[1..]);
    if n > m {
        even[m] += weight * (odd[m - 1] + odd[m - 1]);
    }
}

/// One lifting step of the odd samples from the even ones around, along a line.
fn lift_odd(odd: &mut [f32], even: &[f32], weight: f32) {
    let (n, m) = (even.len(), odd.len());
    let inner = m.min(n - 1);
    lift(&mut odd[..inner], weight, &even[..inner], &even[1..]);
    if inner < m {
        odd[inner] += weight * (even[inner] + even[inner]);
    }
}

fn scale(values: &mut [f32], factor: f32) {
    values.iter_mut().for_each(|value| *value *= factor);
}

#[cfg(feature = "fit")]
/// Interleaved line to low and high halves; a line of one sample stays as it is.
fn analyse_line(line: &[f32], low: &mut [f32], high: &mut [f32]) {
    for (value, pair) in low.iter_mut().zip(line.chunks(2)) {
        *value = pair[0];
    }
    for (value, pair) in high.iter_mut().zip(line.chunks_exact(2)) {
        *value = pair[1];
    }
    if high.is_empty() {
        return;
    }
    lift_odd(high, low, ALPHA);
    lift_even(low, high, BETA);
    lift_odd(high, low, GAMMA);
    lift_even(low, high, DELTA);
    scale(low, LOW_SCALE);
    scale(high, HIGH_SCALE);
}

/// The inverse of [`analyse_line`]; destroys its inputs.
fn synthesise_line(low: &mut [f32], high: &mut [f32], line: &mut [f32]) {
    if !high.is_empty() {
        scale(low, 1.0 / LOW_SCALE);
        scale(high, 1.0 / HIGH_SCALE);
        lift_even(low, high, -DELTA);
        lift_odd(high, low, -GAMMA);
        lift_even(low, high, -BETA);
        lift_odd(high, low, -ALPHA);
    }
    for (pair, value) in line.chunks_mut(2).zip(low.iter()) {
        pair[0] = *value;
    }
    for (pair, value) in line.chunks_exact_mut(2).zip(high.iter()) {
        pair[1] = *value;
    }
}

/// One step of a column transform, on all columns at once: `target` rows from the rows before and after.
fn lift_rows(values: &mut [f32], width: usize, rows: usize, odd: bool, weight: f32) {
    for y in (usize::from(odd)..rows).step_by(2) {
        let before = if y > 0 { y - 1 } else { y + 1 };
        let after = if y + 1 < rows { y + 1 } else { y - 1 };
        let (head, rest) = values.split_at_mut(y * width);
        let (target, tail) = rest.split_at_mut(width);
        let row = |index: usize| {
            if index < y {
                &head[index * width..][..width]
            } else {
                &tail[(index - y - 1) * width..][..width]
            }
        };
        lift(target, weight, row(before), row(after));
    }
}

/// Scales the rows of a column transform: even ones by `low`, odd ones by `high`.
fn scale_rows(values: &mut [f32], width: usize, low: f32, high: f32) {
    for (y, row) in values.chunks_exact_mut(width).enumerate() {
        scale(row, if y % 2 == 0 { low } else { high });
    }
}

/// The samples of a side of `length` that an analysis needs for `part` of the halved side.
#[cfg(feature = "fit")]
pub(crate) fn doubled(part: &Range<usize>, length: usize) -> Range<usize> {
    (2 * part.start).saturating_sub(REACH)..(2 * part.end + REACH).min(length)
}

/// Halves a window that starts at even places: the low samples, and the bands high in x, y, and both. What lies nearer to
/// the window's border than [`doubled`] says is right only where the whole grid ends there too.
#[cfg(feature = "fit")]
pub(crate) fn analyse(grid: Grid) -> [Grid; 4] {
    let Grid { window, mut values } = grid;
    let (width, height) = (window.width, window.height);
    if height > 1 {
        for (odd, weight) in [(true, ALPHA), (false, BETA), (true, GAMMA), (false, DELTA)] {
            lift_rows(&mut values, width, height, odd, weight);
        }
        scale_rows(&mut values, width, LOW_SCALE, HIGH_SCALE);
    }
    let split = |range: Range<usize>| {
        let start = range.start / 2;
        [start..range.end.div_ceil(2), start..range.end / 2]
    };
    let (columns, rows) = (split(window.columns()), split(window.rows()));
    let band = |x: usize, y: usize| {
        let window = Window::new(columns[x].clone(), rows[y].clone());
        let values = Vec::with_capacity(window.width * window.height);
        Grid { window, values }
    };
    let mut bands = [band(0, 0), band(1, 0), band(0, 1), band(1, 1)];
    let [mut lows, mut highs] = columns.clone().map(|columns| vec![0.0; columns.len()]);
    for (y, row) in values.chunks_exact(width).enumerate() {
        analyse_line(row, &mut lows, &mut highs);
        let pair = y % 2 * 2;
        bands[pair].values.extend_from_slice(&lows);
        bands[pair + 1].values.extend_from_slice(&highs);
    }
    bands
}

/// The `wanted` window of a grid of `size` from its halves: low, high in x, high in y, high in both, each on the window
/// that [`halves`] gives.
pub(crate) fn synthesise(wanted: Window, size: (usize, usize), bands: [Grid; 4]) -> Grid {
    let columns = working(&wanted.columns(), size.0);
    let rows = working(&wanted.rows(), size.1);
    let (width, height) = (columns.len(), rows.len());
    let mut values = vec![0.0; width * height];
    let [mut ll, mut hl, mut lh, mut hh] = bands;
    for (y, line) in values.chunks_exact_mut(width).enumerate() {
        let (low, high) = if y % 2 == 0 {
            (&mut ll, &mut hl)
        } else {
            (&mut lh, &mut hh)
        };
        let (n, m) = (width.div_ceil(2), width / 2);
        let (low, high) = (
            &mut low.values[y / 2 * n..][..n],
            &mut high.values[y / 2 * m..][..m],
        );
        synthesise_line(low, high, line);
    }
    if height > 1 {
        scale_rows(&mut values, width, 1.0 / LOW_SCALE, 1.0 / HIGH_SCALE);
        for (odd, weight) in [
            (false, -DELTA),
            (true, -GAMMA),
            (false, -BETA),
            (true, -ALPHA),
        ] {
            lift_rows(&mut values, width, height, odd, weight);
        }
    }
    if (width, height) == (wanted.width, wanted.height) {
        return Grid {
            window: wanted,
            values,
        };
    }
    let (left, top) = (wanted.x - columns.start, wanted.y - rows.start);
    let cut = values.chunks_exact(width).skip(top).take(wanted.height);
    let values = cut
        .flat_map(|row| &row[left..left + wanted.width])
        .copied()
        .collect();
    Grid {
        window: wanted,
        values,
    }
}

#[cfg(feature = "fit")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_analysed_as_in_the_whole() {
        for (width, height) in [(67, 50), (1, 41), (40, 1), (33, 2), (2, 33)] {
            let mut grid = Grid::zeros(Window::new(0..width, 0..height));
            for (index, value) in grid.values.iter_mut().enumerate() {
                *value = (index * index % 97) as f32 / 97.0 - 0.5;
            }
            let whole = analyse(grid.clone());
            let low = (width.div_ceil(2), height.div_ceil(2));
            for (x, y) in [(0, 0), (8, 0), (0, 16), (16, 16), (24, 8), (32, 24)] {
                let columns = x.min(low.0)..(x + 8).min(low.0);
                let rows = y.min(low.1)..(y + 8).min(low.1);
                if columns.is_empty() || rows.is_empty() {
                    continue;
                }
                let window = Window::new(doubled(&columns, width), doubled(&rows, height));
                let part = cut(&grid, window);
                for (whole, part) in whole.iter().zip(analyse(part)) {
                    let (right, bottom) = (whole.window.width, whole.window.height);
                    for y in rows.start..rows.end.min(bottom) {
                        let columns = columns.start..columns.end.min(right);
                        assert_eq!(whole.row(y, columns.clone()), part.row(y, columns));
                    }
                }
            }
        }
    }
}
