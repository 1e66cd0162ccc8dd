//! Fields rendered and compared with pictures.

use std::collections::BTreeMap;

use anyhow::Result;
use inr::decode::RenderMethod;
use inr::metrics;
use inr::{Depth, InrPicture, OutputSize, Region, RenderOptions};

use super::settings::{GridName, Model, Settings};
use super::source::Grey;

/// The field at its own size, not clipped.
pub fn native(field: &InrPicture) -> Result<Grey> {
    let options = RenderOptions::default()
        .method(RenderMethod::Inr)
        .depth(Depth::F32);
    Ok(Grey {
        side: field.width() as usize,
        samples: field.render(&options, &mut ())?.picture.to_f32(),
    })
}

/// The field at `side` pixels. Networks on the study's grid are enlarged as the study does: the first and last pixels'
/// centres stay where they are.
pub fn enlarged(field: &InrPicture, settings: &Settings, side: usize) -> Result<Grey> {
    let small = f64::from(field.width());
    let corners = settings.grid == GridName::Corner && settings.model != Model::Pyramid;
    let region = (corners && side > field.width() as usize).then(|| {
        let pitch = (small - 1.0) / (side as f64 - 1.0);
        Region {
            x: 0.5 - pitch / 2.0,
            y: 0.5 - pitch / 2.0,
            width: pitch * side as f64,
            height: pitch * side as f64,
        }
    });
    let options = RenderOptions::default()
        .size(OutputSize::Exact(side as u32, side as u32))
        .region(region)
        .method(RenderMethod::Inr)
        .depth(Depth::F32);
    let samples = field.render(&options, &mut ())?.picture.to_f32();
    Ok(Grey { side, samples }.clipped())
}

/// PSNR and SSIM of `result` against `picture`.
pub fn compared(result: &Grey, picture: &Grey) -> Result<BTreeMap<String, f64>> {
    let mut figures = BTreeMap::new();
    figures.insert(
        "psnr".into(),
        metrics::psnr(result.raster(), picture.raster()),
    );
    if let Some(ssim) = metrics::ssim(result.raster(), picture.raster()) {
        figures.insert("ssim".into(), ssim);
    }
    Ok(figures)
}

/// The mean.
pub fn mean(samples: &[f32]) -> f64 {
    samples.iter().copied().map(f64::from).sum::<f64>() / samples.len() as f64
}

/// PSNR in dB after samples were multiplied and moved, and limited to 0.0..=1.0.
pub fn decibels(found: &Grey, picture: &Grey, [factor, offset]: [f64; 2]) -> f64 {
    let moved = found.samples.iter();
    let samples = moved
        .map(|v| (f64::from(*v) * factor + offset) as f32)
        .collect();
    let moved = Grey {
        side: found.side,
        samples,
    };
    metrics::psnr(moved.clipped().raster(), picture.raster())
}

/// Factor and offset that bring `from` closest to `to`.
pub fn affine(from: &[f32], to: &[f32]) -> [f64; 2] {
    let (a, b) = (mean(from), mean(to));
    let pairs = || {
        from.iter()
            .zip(to)
            .map(|(x, y)| (f64::from(*x) - a, f64::from(*y) - b))
    };
    let squares: f64 = pairs().map(|(x, _)| x * x).sum();
    let products: f64 = pairs().map(|(x, y)| x * y).sum();
    let factor = if squares > 0.0 {
        products / squares
    } else {
        1.0
    };
    [factor, b - factor * a]
}
