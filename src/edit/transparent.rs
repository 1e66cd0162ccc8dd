//! Colours where nothing can be seen.

use super::{Watch, colours, plane};
use crate::edit::poisson::Poisson;
use crate::error::Error;
use inr_image::Raster;

/// The colour planes of `raster`, those of fully transparent pixels continued smoothly from the visible ones.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn filled(
    raster: &Raster,
    threads: usize,
    watch: Watch,
) -> Result<Vec<Vec<f32>>, Error> {
    let mut planes: Vec<Vec<f32>> = (0..colours(raster)).map(|c| plane(raster, c)).collect();
    if !raster.has_alpha() {
        return Ok(planes);
    }
    let alpha = plane(raster, raster.channels - 1);
    let hidden: Vec<bool> = alpha.iter().map(|alpha| *alpha <= 0.0).collect();
    let some = hidden.iter().any(|hidden| *hidden) && hidden.iter().any(|hidden| !hidden);
    if !some {
        return Ok(planes);
    }
    let system = Poisson::masked(raster.width, raster.height, &hidden, threads)?;
    for values in &mut planes {
        let mut b = vec![0.0; values.len()];
        Poisson::border(raster.width, &hidden, values, &mut b);
        let filled = system.solved(&b, watch)?;
        for ((value, hidden), filled) in values.iter_mut().zip(&hidden).zip(filled) {
            if *hidden {
                *value = filled;
            }
        }
    }
    Ok(planes)
}

/// Interleaved samples of the edited colour `planes`, with `raster`'s alpha, and its colours where that is 0.
pub(super) fn woven(raster: &Raster, planes: &[Vec<f32>]) -> Vec<f32> {
    let mut samples = raster.samples.to_vec();
    for (index, pixel) in samples.chunks_exact_mut(raster.channels).enumerate() {
        if raster.has_alpha() && pixel[raster.channels - 1] <= 0.0 {
            continue;
        }
        for (sample, plane) in pixel.iter_mut().zip(planes) {
            *sample = plane[index];
        }
    }
    samples
}
