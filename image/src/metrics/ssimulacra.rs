//! SSIMULACRA2 through the crate of that name.

use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};

use crate::raster::{Raster, assert_alike};

/// Backgrounds for pictures with alpha, encoded; those of libjxl's `ssimulacra2` tool.
const BACKGROUNDS: [f32; 2] = [0.1, 0.9];

/// The SSIMULACRA2 score of `b` against the reference `a`: 100 for equal pictures, above 90 hard to tell apart, below 0
/// for very bad ones; `None` when a side is below 8 px.
///
/// Samples are read as sRGB. Grey is replicated to RGB. With alpha both pictures are laid (in encoded values) over a
/// dark and over a light grey, 0.1 and 0.9, and the lower score counts, as in libjxl's tool. Not symmetric.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn ssimulacra2(a: Raster, b: Raster) -> Option<f64> {
    assert_alike(&a, &b);
    if a.width.min(a.height) < 8 {
        return None;
    }
    let backgrounds = if a.has_alpha() {
        &BACKGROUNDS[..]
    } else {
        &BACKGROUNDS[..1]
    };
    backgrounds
        .iter()
        .map(|&ground| {
            compute_frame_ssimulacra2(laid_over(&a, ground)?, laid_over(&b, ground)?).ok()
        })
        .try_fold(f64::INFINITY, |lowest, score| Some(lowest.min(score?)))
}

/// The picture as RGB over a grey background; `None` when the conversion refuses it.
fn laid_over(raster: &Raster, ground: f32) -> Option<Rgb> {
    let pixels = raster
        .samples
        .chunks_exact(raster.channels)
        .map(|pixel| match *pixel {
            [grey] => [grey; 3],
            [grey, alpha] => [ground + alpha * (grey - ground); 3],
            [r, g, b, alpha] => [r, g, b].map(|v| ground + alpha * (v - ground)),
            _ => [pixel[0], pixel[1], pixel[2]],
        });
    Rgb::new(
        pixels.collect(),
        raster.width,
        raster.height,
        TransferCharacteristic::SRGB,
        ColorPrimaries::BT709,
    )
    .ok()
}
