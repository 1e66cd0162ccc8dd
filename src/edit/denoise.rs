//! Noise, and pictures without it.

use inr_formats::Depth;
use inr_image::{Picture, noise};

use crate::error::Error;
use crate::progress::{Meter, Observer, Phase};

/// Noise below this is not removed.
const LEAST: f64 = 1e-4;

/// `picture` without white noise of standard `deviation`, in samples, 0 to 1: coefficients of overlapping 8 x 8 cosine
/// transforms that noise alone could give are dropped, and means over the windows taken (G. Yu and G. Sapiro, "DCT image
/// denoising", 2011). The result has floating-point samples; alpha, and colours under full transparency, are those of the
/// source. It is the same for any number of `threads`. [`crate::edit::noise`] estimates a picture's noise.
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
    let parts = noise::parts([picture.width(), picture.height()]);
    let cleaned = Meter::new(observer).part(Phase::Edit, 1.0, parts, |job| {
        noise::removed(picture, deviation, threads, job).map_err(Error::from)
    })?;
    if !picture.layout().has_alpha() {
        return Ok(cleaned);
    }
    let channels = picture.layout().channels();
    let (source, mut samples) = (picture.to_f32(), cleaned.to_f32());
    for (pixel, own) in samples
        .chunks_exact_mut(channels)
        .zip(source.chunks_exact(channels))
    {
        let alpha = own[channels - 1];
        match alpha > 0.0 {
            true => pixel[channels - 1] = alpha,
            false => pixel.copy_from_slice(own),
        }
    }
    Ok(cleaned.with_samples(&samples)?)
}
