//! Picture to latents: colour transform, wavelet analysis, and quantisation by rate and distortion.

use std::sync::atomic::{AtomicBool, Ordering};

use inr_formats::Latents;
use inr_formats::latents::{Exact, Partition, Tile};

use super::colours::Turn;
use super::options::Metric;
use super::quantisation::{Lost, Quantisation, UNIT, lost};
use super::source::Source;
use crate::error::Error;
use crate::field::pyramid::colours;
use crate::field::pyramid::masking::{self, Magnitudes};
use crate::field::pyramid::tiles::add_magnitudes;
use crate::field::pyramid::wavelet::{Grid, Window, analyse, cut, doubled};
use inr_kernel::Job;

/// Longer side of the coarsest grid at most.
const COARSEST: usize = 32;
/// Side of a tile in coefficients, for pictures up to about a megapixel, and above.
const TILE_SIDES: [u16; 2] = [192, 128];
/// Mean place of a coefficient within its interval before any was looked at.
const FIRST_CENTROIDS: [[i8; 2]; 3] = [[0, 0]; 3];

/// A picture's channels as planes of coefficients. Those of level 1, three of four, are made from the source whenever they
/// are needed, which takes little time beside their coding and saves most of the memory.
pub(crate) struct Analysis<'a> {
    pub(crate) partition: Partition,
    source: Source<'a>,
    turn: Option<Turn>,
    /// For each level from 2 on, for each plane, the three orientations.
    pub(super) bands: Vec<Vec<[Grid; 3]>>,
    /// For each plane the coarsest grid.
    pub(super) low: Vec<Vec<f32>>,
}

/// Quantised latents, and what they lose.
pub(crate) struct Quantised {
    pub(crate) latents: Latents,
    /// Sum of squared errors of the samples, about, in squared units of the value range.
    pub(crate) error: f64,
    /// The same, each error in units of the step at which it is seen.
    seen: f64,
}

impl Quantised {
    /// Error as it is seen plus `price` for each bit.
    pub(crate) fn cost(&self, price: f64) -> f64 {
        let bytes: usize = self.latents.segments.iter().map(Vec::len).sum();
        self.seen + price * 8.0 * bytes as f64
    }
}

/// Sums that give the centroids: for each plane and class of levels, of magnitudes 1 and above.
type Sums = [[[f64; 2]; 2]; 3];

/// The part of a coefficient tile that totals are made of.
struct TileResult {
    segment: Vec<u8>,
    /// What finer tiles need of it; none at level 1.
    parent: Option<Tile>,
    /// What the factors of finer levels depend on.
    magnitudes: Option<Grid>,
    sums: Vec<Sums>,
    /// What each plane loses.
    errors: Vec<Lost>,
}

/// The magnitudes of the levels that are quantised already.
struct Levels(Vec<Option<Grid>>);

impl Magnitudes for Levels {
    fn magnitudes(&self, level: u8, window: Window) -> Result<Grid, Error> {
        let known = self.0[usize::from(level)].as_ref();
        Ok(known.map_or_else(|| Grid::zeros(window), |grid| cut(grid, window)))
    }
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
    pub(crate) fn new(
        source: Source<'a>,
        metric: Metric,
        threads: usize,
        job: &mut Job,
    ) -> Result<Self, Error> {
        let turn = match (source.channels(), metric) {
            (3.., Metric::Perceptual) => Some(Turn::seen()),
            (3.., _) => Some(Turn::new(&source, job)?),
            _ => None,
        };
        Self::with(source, turn, threads, job)
    }

    pub(super) fn with(
        source: Source<'a>,
        turn: Option<Turn>,
        threads: usize,
        job: &mut Job,
    ) -> Result<Self, Error> {
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
    pub(super) fn finest(&self, part: Window) -> Vec<[Grid; 4]> {
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
            masking: quantisation.masking,
            fitted: Default::default(),
            grain: Vec::new(),
            degradation: None,
            segments: vec![Vec::new()],
        };
        let mut error = Lost::default();
        let (low, mut errors) = self.quantise_low(&latents);
        quantisation.weigh(&mut errors, 0, &partition);
        error += errors.into_iter().sum();
        latents.segments[0] = low;
        let mut sums = vec![Sums::default(); self.low.len()];
        let mut parents: Vec<Tile> = Vec::new();
        let mut levels = Levels(vec![None; usize::from(partition.levels) + 1]);
        for level in (1..=partition.levels).rev() {
            let (columns, rows) = partition.tiles(level);
            let coarser = if level < partition.levels {
                partition.tiles(level + 1).0
            } else {
                0
            };
            self.balance(&mut latents, &levels, level, threads, job)?;
            let results = job.map(threads, columns * rows, |index, job| {
                let (x, y) = (index % columns, index / columns);
                let parent = parents.get(y / 2 * coarser + x / 2);
                let wanted = (!hurry.load(Ordering::Relaxed)).then_some(quantisation.lambda);
                let mut result =
                    self.quantise_tile(&latents, &levels, (level, x, y), parent, wanted)?;
                quantisation.weigh(&mut result.errors, level, &partition);
                job.advance(1)?;
                Ok::<_, Error>(result)
            })?;
            parents.clear();
            let (width, height) = partition.size(level);
            let mut magnitudes = Grid::zeros(Window::new(0..width, 0..height));
            for result in results {
                if let Some(part) = &result.magnitudes {
                    magnitudes.paste(part);
                }
                add_all(&mut sums, &result.sums);
                error += result.errors.iter().copied().sum();
                latents.segments.push(result.segment);
                parents.extend(result.parent);
            }
            levels.0[usize::from(level)] = Some(magnitudes);
        }
        let centroid = |[sum, count]: [f64; 2]| {
            let mean = if count > 0.0 { sum / count } else { 0.0 };
            (mean * 128.0).round().clamp(-64.0, 64.0) as i8
        };
        latents.centroids = sums
            .iter()
            .map(|plane| plane.map(|class| class.map(centroid)))
            .collect();
        Ok(Quantised {
            latents,
            error: error.plain,
            seen: error.seen,
        })
    }

    /// Makes the steps of `level` finer by the mean of its factors, so that masking moves bits within a level alone.
    fn balance(
        &self,
        latents: &mut Latents,
        levels: &Levels,
        level: u8,
        threads: usize,
        job: &mut Job,
    ) -> Result<(), Error> {
        if latents.masking == 0 {
            return Ok(());
        }
        let partition = self.partition;
        let (columns, rows) = partition.tiles(level);
        let strength = (latents.masking, latents.step);
        let logarithms = job.map(threads, columns * rows, |index, _| {
            let part = self.part(level, (index % columns, index / columns));
            let found = masking::factors(levels, &partition, strength, level, part)?;
            let logarithm = |value: &f32| f64::from(value.log2());
            Ok::<_, Error>(found.values.iter().map(logarithm).sum::<f64>())
        })?;
        let (width, height) = partition.size(level);
        let mean = logarithms.iter().sum::<f64>() / (width * height) as f64;
        let count = usize::from(partition.levels) + 1;
        let planes = usize::from(partition.planes);
        latents.relative_steps.resize(count * planes, 0);
        for plane in 0..colours(planes) {
            let step = &mut latents.relative_steps[plane * count + usize::from(level)];
            *step = step.saturating_sub((16.0 * mean).round() as i8);
        }
        Ok(())
    }

    /// One tile, empty without the price of a bit.
    fn quantise_tile(
        &self,
        latents: &Latents,
        levels: &Levels,
        (level, x, y): (u8, usize, usize),
        parent: Option<&Tile>,
        lambda: Option<f32>,
    ) -> Result<TileResult, Error> {
        let partition = self.partition;
        let part = self.part(level, (x, y));
        let factors = match latents.masking {
            0 => None,
            strength => {
                let strength = (strength, latents.step);
                Some(masking::factors(levels, &partition, strength, level, part)?)
            }
        };
        let exact = self.exact(latents, level, (x, y), factors.as_ref());
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
        let magnitudes = (level > 1 && latents.masking > 0).then(|| {
            let mut grid = Grid::zeros(part);
            add_magnitudes(&tile.planes[0], (part.x, part.y), &mut grid);
            grid
        });
        Ok(TileResult {
            segment,
            sums,
            magnitudes,
            errors: lost(latents, level, &tile, &exact, factors.as_ref()),
            parent: (level > 1).then(|| tile.into_parent()),
        })
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

    /// The coarsest grids, coded, and what each plane loses; as it is seen in squared steps.
    fn quantise_low(&self, latents: &Latents) -> (Vec<u8>, Vec<Lost>) {
        let mut planes: Vec<Vec<i32>> = Vec::new();
        let mut errors = Vec::new();
        for (plane, values) in self.low.iter().enumerate() {
            let step = latents.step(plane, 0);
            let nearest = |value: &f32| (value / step).round();
            let lost = |value| f64::from(value - nearest(&value) * step).powi(2);
            let plain = values.iter().copied().map(lost).sum::<f64>();
            let seen = plain / f64::from(step).powi(2);
            errors.push(Lost { plain, seen });
            planes.push(values.iter().map(|value| nearest(value) as i32).collect());
        }
        (self.partition.encode_low(&mut planes), errors)
    }

    /// The coefficients of a tile in the coder's unit.
    fn exact(
        &self,
        latents: &Latents,
        level: u8,
        place: (usize, usize),
        factors: Option<&Grid>,
    ) -> Vec<[Exact; 3]> {
        let colours = colours(self.low.len());
        let part = self.part(level, place);
        let cut = |plane: usize, orientation: usize, band: &Grid| {
            let (width, height) = self.partition.band(level, orientation);
            let factor = UNIT / latents.step(plane, level);
            let within = |range: std::ops::Range<usize>, length| range.start..range.end.min(length);
            let columns = within(part.columns(), width);
            let factors = factors.filter(|_| plane < colours);
            let mut out = Vec::with_capacity(part.width * part.height);
            for row in within(part.rows(), height) {
                let values = band.row(row, columns.clone());
                match factors {
                    None => out.extend(values.iter().map(|value| (value * factor).round() as i32)),
                    Some(factors) => {
                        let pairs = values.iter().zip(factors.row(row, columns.clone()));
                        out.extend(pairs.map(|(value, by)| (value * factor / by).round() as i32));
                    }
                }
            }
            out
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
