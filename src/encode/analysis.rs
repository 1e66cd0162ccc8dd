//! Picture to latents: colour transform, wavelet analysis, and quantisation by rate and distortion.

use std::sync::atomic::{AtomicBool, Ordering};

use inr_formats::Latents;
use inr_formats::latents::{Band, Exact, Partition, Tile};

use super::colours::Turn;
use super::source::Source;
use crate::error::Error;
use crate::field::pyramid::tiles::{Tiles, band_window};
use crate::field::pyramid::wavelet::{Grid, Window, analyse, cut, doubled};
use inr_image::Picture;
use inr_kernel::Job;

/// Longer side of the coarsest grid at most.
const COARSEST: usize = 32;
/// Side of a tile in coefficients, for pictures up to about a megapixel, and above.
const TILE_SIDES: [u16; 2] = [192, 128];
/// Unit of the integer coefficients that the coder is given.
pub(super) const UNIT: f32 = 256.0;
/// Mean place of a coefficient within its interval before any was looked at.
const FIRST_CENTROIDS: [[i8; 2]; 3] = [[0, 0]; 3];

/// A picture's channels as planes of coefficients. Those of level 1, three of four, are made from the source whenever they
/// are needed, which takes little time beside their coding and saves most of the memory.
pub(crate) struct Analysis<'a> {
    pub(crate) partition: Partition,
    source: Source<'a>,
    turn: Option<Turn>,
    /// For each level from 2 on, for each plane, the three orientations.
    bands: Vec<Vec<[Grid; 3]>>,
    /// For each plane the coarsest grid.
    low: Vec<Vec<f32>>,
}

/// How coarse to quantise, and how hard to look.
#[derive(Clone, Debug)]
pub(crate) struct Quantisation {
    /// Step in units of the value range.
    pub(crate) step: f32,
    /// See [`Latents::relative_steps`].
    pub(crate) relative_steps: Vec<i8>,
    /// Price of a bit in squared steps.
    pub(crate) lambda: f32,
}

/// Quantised latents, and what they lose.
pub(crate) struct Quantised {
    pub(crate) latents: Latents,
    /// Sum of squared errors of the samples, about, in squared units of the value range.
    pub(crate) error: f64,
}

impl Quantised {
    /// Error plus `price` for each bit.
    pub(crate) fn cost(&self, price: f64) -> f64 {
        let bytes: usize = self.latents.segments.iter().map(Vec::len).sum();
        self.error + price * 8.0 * bytes as f64
    }
}

/// Sums that give the centroids: for each plane and class of levels, of magnitudes 1 and above.
type Sums = [[[f64; 2]; 2]; 3];

/// The part of a coefficient tile that totals are made of.
struct TileResult {
    segment: Vec<u8>,
    /// What finer tiles need of it; none at level 1.
    parent: Option<Tile>,
    sums: Vec<Sums>,
    error: f64,
}

fn partition(source: &Source) -> Partition {
    let (width, height) = (source.width(), source.height());
    let longest = width.max(height) as usize;
    let levels = (0..)
        .find(|level| longest.div_ceil(1 << level) <= COARSEST)
        .unwrap_or(0);
    let large = u64::from(width) * u64::from(height) > 1_500_000;
    Partition {
        width,
        height,
        planes: source.channels() as u8,
        levels,
        tile: TILE_SIDES[usize::from(large)],
    }
}

/// The units that a job counts in [`Analysis::new`].
pub(crate) fn units(source: &Source) -> u64 {
    let partition = partition(source);
    let (columns, rows) = partition.tiles(1);
    (columns * rows) as u64 + u64::from(partition.levels) * u64::from(partition.planes)
}

impl<'a> Analysis<'a> {
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn new(source: Source<'a>, threads: usize, job: &mut Job) -> Result<Self, Error> {
        let turn = match source.channels() {
            3.. => Some(Turn::new(&source, job)?),
            _ => None,
        };
        let mut analysis = Self {
            partition: partition(&source),
            source,
            turn,
            bands: Vec::new(),
            low: Vec::new(),
        };
        let halved = analysis.halved(threads, job)?;
        let levels = analysis.partition.levels;
        let planes = job.map_items(threads, halved.into_iter(), |_, mut grid, job| {
            let mut bands = Vec::new();
            for _ in 2..=levels {
                let [low, hl, lh, hh] = analyse(grid);
                job.advance(1)?;
                bands.push([hl, lh, hh]);
                grid = low;
            }
            Ok::<_, Error>((grid.values, bands))
        })?;
        analysis
            .bands
            .resize_with(usize::from(levels).saturating_sub(1), Vec::new);
        for (low, bands) in planes {
            analysis.low.push(low);
            for (level, bands) in analysis.bands.iter_mut().zip(bands) {
                level.push(bands);
            }
        }
        Ok(analysis)
    }

    /// The planes on `window` of the picture.
    fn planes(&self, window: Window) -> Vec<Grid> {
        let mut planes = self.source.window(window);
        for value in planes.iter_mut().flatten() {
            *value -= 0.5;
        }
        if let Some(turn) = &self.turn {
            turn.apply(&mut planes);
        }
        let grid = |values| Grid { window, values };
        planes.into_iter().map(grid).collect()
    }

    /// The planes halved once, or as they are where there are no levels.
    fn halved(&self, threads: usize, job: &mut Job) -> Result<Vec<Grid>, Error> {
        let (width, height) = self.partition.size(self.partition.levels.min(1));
        let whole = Window::new(0..width, 0..height);
        if self.partition.levels == 0 {
            return Ok(self.planes(whole));
        }
        let (columns, rows) = self.partition.tiles(1);
        let tiles = job.map(threads, columns * rows, |index, job| {
            job.advance(1)?;
            let part = self.part(1, (index % columns, index / columns));
            let planes = self.finest(part).into_iter();
            Ok::<_, Error>(planes.map(|[low, ..]| cut(&low, part)).collect())
        })?;
        let mut planes = vec![Grid::zeros(whole); usize::from(self.partition.planes)];
        for tile in tiles {
            let tile: Vec<Grid> = tile;
            for (plane, part) in planes.iter_mut().zip(tile) {
                plane.paste(&part);
            }
        }
        Ok(planes)
    }

    /// Each plane's halves, with low samples and bands of level 1 on `part` and some more.
    fn finest(&self, part: Window) -> Vec<[Grid; 4]> {
        let (width, height) = self.partition.size(0);
        let columns = doubled(&part.columns(), width);
        let window = Window::new(columns, doubled(&part.rows(), height));
        self.planes(window).into_iter().map(analyse).collect()
    }

    /// The window of a tile in the grid that `level` is halved to.
    fn part(&self, level: u8, (x, y): (usize, usize)) -> Window {
        let side = usize::from(self.partition.tile);
        let (width, height) = self.partition.size(level);
        let range = |index: usize, length: usize| index * side..((index + 1) * side).min(length);
        Window::new(range(x, width), range(y, height))
    }

    /// The latents, quantised and coded, from the coarsest level to the finest. Once `hurry` is set, all tiles become empty.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn quantise(
        &self,
        quantisation: &Quantisation,
        threads: usize,
        hurry: &AtomicBool,
        job: &mut Job,
    ) -> Result<Quantised, Error> {
        let partition = self.partition;
        let mut latents = Latents {
            partition,
            step: quantisation.step,
            relative_steps: quantisation.relative_steps.clone(),
            colour: self.turn.as_ref().map(Turn::inverse),
            centroids: vec![FIRST_CENTROIDS; self.low.len()],
            gains: Vec::new(),
            segments: vec![Vec::new()],
        };
        let mut error = 0.0;
        latents.segments[0] = self.quantise_low(&latents, &mut error);
        let mut sums = vec![Sums::default(); self.low.len()];
        let mut parents: Vec<Tile> = Vec::new();
        for level in (1..=partition.levels).rev() {
            let (columns, rows) = partition.tiles(level);
            let coarser = if level < partition.levels {
                partition.tiles(level + 1).0
            } else {
                0
            };
            let results = job.map(threads, columns * rows, |index, job| {
                let (x, y) = (index % columns, index / columns);
                let parent = parents.get(y / 2 * coarser + x / 2);
                let lambda = (!hurry.load(Ordering::Relaxed)).then_some(quantisation.lambda);
                let result = self.quantise_tile(&latents, (level, x, y), parent, lambda);
                job.advance(1)?;
                Ok::<_, Error>(result)
            })?;
            parents.clear();
            for result in results {
                add_all(&mut sums, &result.sums);
                error += result.error;
                latents.segments.push(result.segment);
                parents.extend(result.parent);
            }
        }
        let centroid = |[sum, count]: [f64; 2]| {
            let mean = if count > 0.0 { sum / count } else { 0.0 };
            (mean * 128.0).round().clamp(-64.0, 64.0) as i8
        };
        latents.centroids = sums
            .iter()
            .map(|plane| plane.map(|class| class.map(centroid)))
            .collect();
        Ok(Quantised { latents, error })
    }

    /// One tile, empty without the price of a bit.
    fn quantise_tile(
        &self,
        latents: &Latents,
        (level, x, y): (u8, usize, usize),
        parent: Option<&Tile>,
        lambda: Option<f32>,
    ) -> TileResult {
        let partition = self.partition;
        let exact = self.exact(latents, level, (x, y));
        let (segment, tile) = match lambda {
            // An empty segment stands for a tile of zeros.
            None => (Vec::new(), partition.empty_tile(level, x, y)),
            Some(lambda) => {
                let lambda = vec![lambda; exact.len()];
                partition.encode_tile(level, (x, y), parent, &exact, &lambda)
            }
        };
        let mut sums = vec![Sums::default(); self.low.len()];
        add_sums(&mut sums, level, &tile, &exact);
        TileResult {
            segment,
            sums,
            error: lost(latents, level, &tile, &exact),
            parent: (level > 1).then(|| tile.into_parent()),
        }
    }

    /// Drops the coefficients, when nothing more will be quantised.
    pub(crate) fn forget(&mut self) {
        (self.bands, self.low) = (Vec::new(), Vec::new());
    }

    /// The units that a job counts in [`Analysis::quantise`].
    pub(crate) fn units(&self) -> u64 {
        let tiles = |level| {
            let (columns, rows) = self.partition.tiles(level);
            (columns * rows) as u64
        };
        (1..=self.partition.levels).map(tiles).sum()
    }

    /// The coarsest grids, coded; adds what they lose to `error`.
    fn quantise_low(&self, latents: &Latents, error: &mut f64) -> Vec<u8> {
        let mut planes: Vec<Vec<i32>> = Vec::new();
        for (plane, values) in self.low.iter().enumerate() {
            let step = latents.step(plane, 0);
            let nearest = |value: &f32| (value / step).round();
            let lost = |value| f64::from(value - nearest(&value) * step).powi(2);
            *error += values.iter().copied().map(lost).sum::<f64>();
            planes.push(values.iter().map(|value| nearest(value) as i32).collect());
        }
        self.partition.encode_low(&mut planes)
    }

    /// The coefficients of a tile in the coder's unit.
    fn exact(&self, latents: &Latents, level: u8, place: (usize, usize)) -> Vec<[Exact; 3]> {
        let part = self.part(level, place);
        let cut = |plane: usize, orientation: usize, band: &Grid| {
            let (width, height) = self.partition.band(level, orientation);
            let factor = UNIT / latents.step(plane, level);
            let within = |range: std::ops::Range<usize>, length| range.start..range.end.min(length);
            let columns = within(part.columns(), width);
            within(part.rows(), height)
                .flat_map(|row| band.row(row, columns.clone()))
                .map(|value| (value * factor).round() as i32)
                .collect()
        };
        if level == 1 {
            let planes = self.finest(part).into_iter().enumerate();
            return planes
                .map(|(plane, [_, hl, lh, hh])| {
                    [cut(plane, 0, &hl), cut(plane, 1, &lh), cut(plane, 2, &hh)]
                })
                .collect();
        }
        let planes = self.bands[usize::from(level) - 2].iter().enumerate();
        planes
            .map(|(plane, bands)| [0, 1, 2].map(|o| cut(plane, o, &bands[o])))
            .collect()
    }
}

/// Coefficients of a picture and of its latents, for training: a line of JSON, then f32, little-endian: for each plane
/// the coarsest band and then, for levels from the coarsest on, the three orientations; all exact ones, then all decoded
/// ones.
#[doc(hidden)]
pub fn coefficient_pairs(picture: &Picture, latents: &Latents) -> Result<Vec<u8>, Error> {
    let analysis = Job::unwatched(|job| Analysis::new(Source::new(picture), 1, job))?;
    let partition = latents.partition;
    let levels = partition.levels;
    let steps: Vec<Vec<f32>> = (0..usize::from(partition.planes))
        .map(|plane| {
            (0..=levels)
                .map(|level| latents.step(plane, level))
                .collect()
        })
        .collect();
    let mut out = format!(
        "{{\"width\":{},\"height\":{},\"planes\":{},\"levels\":{levels},\"steps\":{steps:?}}}\n",
        partition.width, partition.height, partition.planes
    )
    .into_bytes();
    let mut put = |values: &[f32]| {
        for value in values {
            out.extend_from_slice(&value.to_le_bytes());
        }
    };
    let (width, height) = partition.size(1);
    let finest = match levels {
        0 => Vec::new(),
        _ => analysis.finest(Window::new(0..width, 0..height)),
    };
    for (plane, low) in analysis.low.iter().enumerate() {
        put(low);
        let coarser = analysis.bands.iter().rev().flat_map(|level| &level[plane]);
        let finest = finest.get(plane).into_iter().flat_map(|bands| &bands[1..]);
        coarser.chain(finest).for_each(|band| put(&band.values));
    }
    let tiles = Tiles::default();
    let low = latents.decode_low()?;
    for (plane, low) in low.iter().enumerate() {
        let step = latents.step(plane, 0);
        let low: Vec<f32> = low.iter().map(|q| *q as f32 * step).collect();
        put(&low);
        for level in (1..=levels).rev() {
            for orientation in 0..3 {
                let (width, height) = partition.band(level, orientation);
                let window = Window::new(0..width, 0..height);
                let place = (level, plane, orientation);
                put(&band_window(&tiles, latents, place, window)?.values);
            }
        }
    }
    Ok(out)
}

fn add_all(sums: &mut [Sums], others: &[Sums]) {
    let sums = sums.iter_mut().flatten().flatten().flatten();
    for (sum, other) in sums.zip(others.iter().flatten().flatten().flatten()) {
        *sum += other;
    }
}

fn add_sums(sums: &mut [Sums], level: u8, tile: &Tile, exact: &[[Exact; 3]]) {
    let class = usize::from(level.clamp(1, 3) - 1);
    for ((sums, bands), exact) in sums.iter_mut().zip(&tile.planes).zip(exact) {
        for (band, exact) in bands.iter().zip(exact) {
            for (q, x) in band.values.iter().zip(exact).filter(|(q, _)| **q != 0) {
                let rest =
                    f64::from(*x) * f64::from(q.signum()) / f64::from(UNIT) - f64::from(q.abs());
                let [sum, count] = &mut sums[class][usize::from(q.abs() > 1)];
                *sum += rest;
                *count += 1.0;
            }
        }
    }
}

/// Squared error of a tile, in squared units of the value range.
fn lost(latents: &Latents, level: u8, tile: &Tile, exact: &[[Exact; 3]]) -> f64 {
    let planes = tile.planes.iter().zip(exact).enumerate();
    let plane = |(plane, (bands, exact)): (usize, (&[Band; 3], &[Exact; 3]))| {
        let pairs = bands.iter().zip(exact);
        let values = pairs.flat_map(|(band, exact)| band.values.iter().zip(exact));
        let squares =
            values.map(|(q, x)| (f64::from(*x) - f64::from(*q) * f64::from(UNIT)).powi(2));
        squares.sum::<f64>() * f64::from(latents.step(plane, level) / UNIT).powi(2)
    };
    planes.map(plane).sum()
}
