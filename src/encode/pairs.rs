//! Exact and decoded coefficients of a picture, from which heads are trained.

use inr_formats::Latents;

use super::analysis::Analysis;
use super::colours::Turn;
use super::source::Source;
use crate::error::Error;
use crate::field::pyramid::masking;
use crate::field::pyramid::tiles::{Tiles, band_window};
use crate::field::pyramid::wavelet::Window;
use inr_image::Picture;
use inr_kernel::Job;

/// Coefficients of a picture and of its latents, for training: a line of JSON, then f32, little-endian: for each plane
/// the coarsest band and then, for levels from the coarsest on, the three orientations; all exact ones, then all decoded
/// ones; then for levels from the coarsest on the factors of the steps.
#[doc(hidden)]
pub fn coefficient_pairs(picture: &Picture, latents: &Latents) -> Result<Vec<u8>, Error> {
    let turn = latents.colour.as_ref().map(Turn::of);
    let analysis = Job::unwatched(|job| Analysis::with(Source::new(picture), turn, 1, job))?;
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
    let source = masking::Decoded {
        tiles: &tiles,
        latents,
    };
    let factors = |level: u8| {
        let (width, height) = partition.size(level);
        let window = Window::new(0..width, 0..height);
        let strength = (latents.masking, latents.step);
        masking::factors(&source, &partition, strength, level, window)
    };
    let factors = (1..=levels).map(factors).collect::<Result<Vec<_>, _>>()?;
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
                let mut band = band_window(&tiles, latents, place, window)?;
                band.scale(&factors[usize::from(level) - 1]);
                put(&band.values);
            }
        }
    }
    factors.iter().rev().for_each(|grid| put(&grid.values));
    Ok(out)
}
