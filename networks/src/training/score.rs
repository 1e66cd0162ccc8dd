//! Quality of an enlarging network on pictures that it was not trained on.

use crate::enlarge::Planes;
use crate::error::Error;
use crate::srresnet::SrResNet;
use inr::Picture;
use inr::resample::{self, Filter};
use inr::{Raster, metrics};

/// PSNRs in dB of the luma (ITU-R BT.601) of a picture after reduction and enlargement, excluding a border as many
/// pixels wide as the scale.
#[derive(Clone, Copy, Debug)]
pub struct SrScore {
    /// PSNR of the network's enlargement.
    pub network: f64,
    /// PSNR of bicubic interpolation.
    pub bicubic: f64,
}

const TILE: usize = 192;

pub(super) fn score(network: &SrResNet, picture: &Picture) -> Result<SrScore, Error> {
    let scale = network.shape.scale() as usize;
    let whole = Planes::of(picture);
    let (width, height) = (whole.width / scale * scale, whole.height / scale * scale);
    if width.min(height) < 8 * scale {
        return Err(Error::Field(inr::Error::Misuse {
            what: format!("a picture of {}x{}", whole.width, whole.height),
            want: "give pictures of at least eight times the scale",
        }));
    }
    let crop = |plane: &[f32]| -> Vec<f32> {
        let rows = plane.chunks_exact(whole.width).take(height);
        rows.flat_map(|row| &row[..width]).copied().collect()
    };
    let planes = whole.samples.chunks_exact(whole.width * whole.height);
    let original = Planes {
        width,
        height,
        samples: planes.flat_map(crop).collect(),
    };
    let small = rounded(resized(&original, width / scale, height / scale)?);
    let made = rounded(network.pass(&small, TILE, &mut |_, _| Ok(()))?);
    let bicubic = rounded(resized(&small, width, height)?);
    let psnr = |planes: &Planes| luma_psnr(&original, planes, scale);
    Ok(SrScore {
        network: psnr(&made),
        bicubic: psnr(&bicubic),
    })
}

fn resized(planes: &Planes, width: usize, height: usize) -> Result<Planes, Error> {
    let mut samples = Vec::with_capacity(3 * width * height);
    for plane in planes.samples.chunks_exact(planes.width * planes.height) {
        let raster = Raster {
            width: planes.width,
            height: planes.height,
            channels: 1,
            samples: plane,
        };
        let filter = Filter::CatmullRom;
        samples.extend(resample::resize(raster, None, width, height, filter)?);
    }
    Ok(Planes {
        width,
        height,
        samples,
    })
}

/// Rounds to 8 bits.
fn rounded(mut planes: Planes) -> Planes {
    let samples = planes.samples.iter_mut();
    samples.for_each(|v| *v = (v.clamp(0.0, 1.0) * 255.0).round() / 255.0);
    planes
}

fn luma_psnr(original: &Planes, other: &Planes, border: usize) -> f64 {
    let luma = |planes: &Planes| {
        let (width, height) = (planes.width, planes.height);
        let samples = planes.interleaved();
        let raster = Raster {
            width,
            height,
            channels: 3,
            samples: &samples,
        };
        metrics::benchmark_luma(raster, border)
    };
    let (a, b) = (luma(original), luma(other));
    let raster = |samples| Raster {
        width: original.width - 2 * border,
        height: original.height - 2 * border,
        channels: 1,
        samples,
    };
    metrics::psnr(raster(&a), raster(&b))
}
