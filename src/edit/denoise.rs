//! Noise, and pictures without it.

use super::{colours, plane};
use crate::decode::{InrPicture, RenderOptions};
use crate::encode::{EncodeOptions, Target};
use crate::error::Error;
use crate::field::region::OutputSize;
use crate::progress::Observer;
use inr_formats::Depth;
use inr_image::Picture;
use inr_image::Raster;

/// Noise below this is left alone.
const LEAST: f64 = 1e-4;

/// Standard deviation of the noise in `raster`, in samples, the mean over its colours: the median magnitude of a mask
/// that flat and tilted surfaces do not show in (J. Immerkær, "Fast noise variance estimation", 1996), as white noise has
/// it. Fine texture counts as noise; 0 for pictures below 3 x 3 pixels.
///
/// # Errors
/// [`Error::Misuse`] for a malformed raster.
pub fn noise(raster: Raster) -> Result<f64, Error> {
    raster.check()?;
    let (width, height) = (raster.width, raster.height);
    if width < 3 || height < 3 {
        return Ok(0.0);
    }
    let mut sum = 0.0;
    for channel in 0..colours(&raster) {
        let values = plane(&raster, channel);
        let second = |at: usize| values[at - 1] - 2.0 * values[at] + values[at + 1];
        let mask = |at: usize| second(at - width) - 2.0 * second(at) + second(at + width);
        let rows = 1..height - 1;
        let mut found: Vec<f32> = rows
            .flat_map(|y| (1..width - 1).map(move |x| y * width + x))
            .map(|at| mask(at).abs())
            .collect();
        let middle = found.len() / 2;
        let (_, median, _) = found.select_nth_unstable_by(middle, f32::total_cmp);
        // The mask's squares sum to 36; the median magnitude of white noise is 0.6745 of its deviation.
        sum += f64::from(*median) / (6.0 * 0.6745);
    }
    Ok(sum / colours(&raster) as f64)
}

/// `picture` without its noise: a field is fitted to it, and the fit ends where what it leaves unexplained is as large as
/// the noise (V. A. Morozov's discrepancy principle; B. K. Natarajan, "Filtering random noise from deterministic signals via
/// data compression", 1995). `deviation` is the noise's, in samples. The picture has floating-point samples and
/// its alpha is that of the source.
///
/// # Errors
/// [`Error::Misuse`] for a deviation that is not a number from 0 to 1, [`Error::Cancelled`].
pub fn denoise(
    picture: &Picture,
    deviation: f64,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Picture, Error> {
    if !(0.0..=1.0).contains(&deviation) {
        return Err(Error::Misuse {
            what: format!("noise of {deviation}"),
            want: "give its standard deviation, 0 to 1",
        });
    }
    if deviation < LEAST {
        return Ok(picture.clone().with_depth(Depth::F32));
    }
    let options = EncodeOptions {
        target: Target::Psnr((-20.0 * deviation.log10()).clamp(1.0, 200.0)),
        threads: Some(threads),
        ..EncodeOptions::default()
    };
    let encoded = crate::encode(picture, &options, observer)?;
    let opened = InrPicture::open(&encoded.bytes, &options.limits)?;
    let options = RenderOptions {
        size: OutputSize::Native,
        depth: Some(Depth::F32),
        threads: Some(threads),
        ..RenderOptions::default()
    };
    let rendered = opened.render(&options, &mut ())?;
    let mut samples = rendered.picture.to_f32();
    let channels = picture.layout().channels();
    if picture.layout().has_alpha() {
        let source = picture.to_f32();
        let alpha = samples[channels - 1..].iter_mut().step_by(channels);
        let own = source[channels - 1..].iter().step_by(channels);
        alpha.zip(own).for_each(|(to, from)| *to = *from);
    }
    Ok(Picture::from_f32(
        picture.width(),
        picture.height(),
        picture.layout(),
        Depth::F32,
        &samples,
        picture.metadata().clone(),
    )?)
}
