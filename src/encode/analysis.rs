//! Picture to latents: colour transform, wavelet analysis, and quantisation by rate and distortion.

use std::sync::atomic::{AtomicBool, Ordering};

use inr_formats::latents::{Band, ColourMatrix, Exact, Partition, Tile};
use inr_formats::{Depth, Latents};

use crate::error::Error;
use crate::field::pyramid::tiles::{Tiles, band_window};
use crate::field::pyramid::wavelet::{Window, analyse};
use inr_image::Picture;
use inr_kernel::Job;

/// Longer side of the coarsest grid at most.
const COARSEST: usize = 32;
/// Side of a tile in coefficients, for pictures up to about a megapixel, and above.
const TILE_SIDES: [u16; 2] = [192, 128];
/// Unit of the integer coefficients that the coder is given.
const UNIT: f32 = 256.0;
/// Mean place of a coefficient within its interval before any was looked at.
const FIRST_CENTROIDS: [[i8; 2]; 3] = [[0, 0]; 3];

/// A picture's channels as planes of coefficients.
pub(crate) struct Analysis {
    pub(crate) partition: Partition,
    pub(crate) colour: Option<ColourMatrix>,
    /// For each plane, for each level from 1 on, the three orientations.
    bands: Vec<Vec<[Vec<f32>; 3]>>,
    /// For each plane the coarsest grid.
    low: Vec<Vec<f32>>,
}

/// The channels of `picture`, 0.0..=1.0, and the range of samples that this stands for. Colours that nobody sees take
/// on those of the pixels around.
pub(crate) fn channels(picture: &Picture) -> (Vec<Vec<f32>>, [f32; 2]) {
    let layout = picture.layout();
    let (count, colours) = (layout.channels(), layout.colour_channels());
    let samples = picture.to_f32();
    let mut channels: Vec<Vec<f32>> = (0..count)
        .map(|channel| {
            samples
                .iter()
                .skip(channel)
                .step_by(count)
                .copied()
                .collect()
        })
        .collect();
    let mut range = [0.0_f32, 1.0];
    if picture.depth() == Depth::F32 {
        for &value in channels[..colours].iter().flatten() {
            range = [range[0].min(value), range[1].max(value)];
        }
        let [low, high] = range;
        for value in channels[..colours].iter_mut().flatten() {
            *value = (*value - low) / (high - low);
        }
    }
    if let Some((alpha, colours)) = channels.split_last_mut().filter(|_| layout.has_alpha()) {
        let width = picture.width() as usize;
        colours
            .iter_mut()
            .for_each(|colour| fill(colour, alpha, width));
    }
    (channels, range)
}

/// Replaces the values where `alpha` is 0 by averages of those around, from coarse to fine.
fn fill(values: &mut [f32], alpha: &[f32], width: usize) {
    if alpha.iter().all(|&a| a > 0.0) {
        return;
    }
    let height = values.len() / width;
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let mut sums = vec![0.0; half_width * half_height];
    let mut weights = vec![0.0; sums.len()];
    for (index, (value, alpha)) in values.iter().zip(alpha).enumerate() {
        let at = index / width / 2 * half_width + index % width / 2;
        if *alpha > 0.0 {
            sums[at] += value;
            weights[at] += 1.0;
        }
    }
    for (sum, weight) in sums.iter_mut().zip(&weights) {
        *sum = if *weight > 0.0 { *sum / *weight } else { 0.5 };
    }
    if values.len() > 1 {
        fill(&mut sums, &weights, half_width);
    }
    for (index, (value, alpha)) in values.iter_mut().zip(alpha).enumerate() {
        if *alpha <= 0.0 {
            *value = sums[index / width / 2 * half_width + index % width / 2];
        }
    }
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

impl Analysis {
    /// Of `channels` channels, each `width * height` samples 0.0..=1.0 row by row.
    pub(crate) fn new(
        mut channels: Vec<Vec<f32>>,
        width: u32,
        height: u32,
        threads: usize,
        job: &mut Job,
    ) -> Result<Self, Error> {
        channels
            .iter_mut()
            .flatten()
            .for_each(|value| *value -= 0.5);
        let colour = (channels.len() >= 3).then(|| decorrelate(&mut channels));
        let longest = width.max(height) as usize;
        let levels = (0..)
            .find(|level| longest.div_ceil(1 << level) <= COARSEST)
            .unwrap_or(0);
        let large = u64::from(width) * u64::from(height) > 1_500_000;
        let partition = Partition {
            width,
            height,
            planes: channels.len() as u8,
            levels,
            tile: TILE_SIDES[usize::from(large)],
        };
        let planes = job.map_items(threads, channels.into_iter(), |_, mut values, job| {
            let mut bands = Vec::new();
            for level in 0..levels {
                let [low, hl, lh, hh] = analyse(&mut values, partition.size(level));
                job.advance(1)?;
                bands.push([hl, lh, hh]);
                values = low;
            }
            Ok::<_, Error>((values, bands))
        })?;
        let (low, bands) = planes.into_iter().unzip();
        Ok(Self {
            partition,
            colour,
            bands,
            low,
        })
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
            colour: self.colour,
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
                let exact = self.exact(&latents, level, (x, y));
                let (segment, tile) = match hurry.load(Ordering::Relaxed) {
                    // An empty segment stands for a tile of zeros.
                    true => (Vec::new(), partition.empty_tile(level, x, y)),
                    false => {
                        let parent = parents.get(y / 2 * coarser + x / 2);
                        let lambda = vec![quantisation.lambda; exact.len()];
                        partition.encode_tile(level, (x, y), parent, &exact, &lambda)
                    }
                };
                let mut sums = vec![Sums::default(); self.low.len()];
                add_sums(&mut sums, level, &tile, &exact);
                let error = lost(&latents, level, &tile, &exact);
                job.advance(1)?;
                Ok::<_, Error>((segment, tile, sums, error))
            })?;
            parents.clear();
            for (segment, tile, of_tile, lost) in results {
                for (sums, of_tile) in sums
                    .iter_mut()
                    .flatten()
                    .flatten()
                    .flatten()
                    .zip(of_tile.iter().flatten().flatten().flatten())
                {
                    *sums += of_tile;
                }
                error += lost;
                latents.segments.push(segment);
                parents.push(tile);
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
    fn exact(&self, latents: &Latents, level: u8, (x, y): (usize, usize)) -> Vec<[Exact; 3]> {
        let side = usize::from(self.partition.tile);
        let (left, top) = (x * side, y * side);
        let cut = |plane: usize, orientation: usize| {
            let (width, height) = self.partition.band(level, orientation);
            let values = &self.bands[plane][usize::from(level) - 1][orientation];
            let factor = UNIT / latents.step(plane, level);
            let (right, bottom) = ((left + side).min(width), (top + side).min(height));
            let rows = top..bottom;
            rows.flat_map(|row| values[row * width..].get(left..right).unwrap_or_default())
                .map(|value| (value * factor).round() as i32)
                .collect()
        };
        (0..self.low.len())
            .map(|plane| [0, 1, 2].map(|orientation| cut(plane, orientation)))
            .collect()
    }
}

/// Coefficients of a picture and of its latents, for training: a line of JSON, then f32, little-endian: for each plane
/// the coarsest band and then, for levels from the coarsest on, the three orientations; all exact ones, then all decoded
/// ones.
#[doc(hidden)]
pub fn coefficient_pairs(picture: &Picture, latents: &Latents) -> Result<Vec<u8>, Error> {
    let (channels, _) = channels(picture);
    let analysis =
        Job::unwatched(|job| Analysis::new(channels, picture.width(), picture.height(), 1, job))?;
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
    for (low, bands) in analysis.low.iter().zip(&analysis.bands) {
        put(low);
        bands.iter().rev().flatten().for_each(|band| put(band));
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

/// Turns the first three channels into uncorrelated planes of falling variance (Karhunen-Loeve); returns the inverse.
fn decorrelate(channels: &mut [Vec<f32>]) -> ColourMatrix {
    let mut basis = eigenvectors(covariance(channels));
    // The plane that all colours share, whatever its sign, counts up with them.
    for vector in &mut basis {
        if vector.iter().sum::<f64>() < 0.0 {
            *vector = vector.map(|entry| -entry);
        }
    }
    let mut matrix = [[0_i16; 3]; 3];
    for (channel, row) in matrix.iter_mut().enumerate() {
        for (plane, entry) in row.iter_mut().enumerate() {
            *entry = (basis[plane][channel] * 16_384.0).round() as i16;
        }
    }
    let [first, second, third, ..] = channels else {
        return matrix;
    };
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let colour = [*a, *b, *c].map(f64::from);
        let plane =
            |vector: [f64; 3]| vector.iter().zip(colour).map(|(v, c)| v * c).sum::<f64>() as f32;
        [*a, *b, *c] = basis.map(plane);
    }
    matrix
}

fn covariance(channels: &[Vec<f32>]) -> [[f64; 3]; 3] {
    let count = channels[0].len() as f64;
    let mean: Vec<f64> = channels
        .iter()
        .map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / count)
        .collect();
    let mut covariance = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..=i {
            let pairs = channels[i].iter().zip(&channels[j]);
            let sum: f64 = pairs
                .map(|(a, b)| (f64::from(*a) - mean[i]) * (f64::from(*b) - mean[j]))
                .sum();
            covariance[i][j] = sum / count;
            covariance[j][i] = sum / count;
        }
        // Grey pictures in colour: keep the diagonal apart.
        covariance[i][i] += 1e-9;
    }
    covariance
}

/// Eigenvectors of a symmetric matrix by Jacobi rotations, largest eigenvalue first.
fn eigenvectors(mut a: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut v = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..16 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q].abs() < 1e-18 {
                continue;
            }
            let theta = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
            let (s, c) = theta.sin_cos();
            for row in &mut a {
                (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
            }
            for rows in [&mut a, &mut v] {
                let (x, y) = (rows[p], rows[q]);
                rows[p] = std::array::from_fn(|k| c * x[k] - s * y[k]);
                rows[q] = std::array::from_fn(|k| s * x[k] + c * y[k]);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    order.map(|index| v[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_diagonalise() {
        let matrix = [[2.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 0.7]];
        let vectors = eigenvectors(matrix);
        for (i, v) in vectors.iter().enumerate() {
            for (j, w) in vectors.iter().enumerate() {
                let image: [f64; 3] =
                    std::array::from_fn(|k| (0..3).map(|l| matrix[k][l] * v[l]).sum());
                let product: f64 = image.iter().zip(w).map(|(a, b)| a * b).sum();
                assert!(i == j || product.abs() < 1e-12, "{product}");
                assert!(i != j || product > 0.0);
            }
        }
    }
}
