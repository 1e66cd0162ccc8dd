//! How close two pictures are: PSNR, SSIM, MS-SSIM, SSIMULACRA2, bits per pixel, and the shift between them; how close
//! two codecs are: [`bd_rate`].
//!
//! The functions that compare pictures read two [`Raster`]s of the same shape. Values are taken as they are stored
//! (encoded, not linear), with a data range of 1; SSIMULACRA2 alone converts, from sRGB. Sums are kept in `f64`.
//! [`compare`] checks the shapes and gives all the figures at once; the single functions panic on unlike shapes.

mod alignment;
mod bd_rate;
mod ssim;
#[cfg(feature = "ssimulacra2")]
mod ssimulacra;

pub use alignment::alignment;
pub use bd_rate::{BD_RATE_RANGE, RatePoint, bd_rate};
pub use ssim::{MS_SSIM_SMALLEST_SIDE, ms_ssim, ssim, ssim_gaussian};
#[cfg(feature = "ssimulacra2")]
pub use ssimulacra::ssimulacra2;

use crate::colour::studio_luma;
use crate::error::Error;
use crate::raster::{Raster, assert_alike, premultiplied};

/// Mean squared error over all samples, in squared units of the data range; alpha is a channel like the others.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn mse(a: Raster, b: Raster) -> f64 {
    assert_alike(&a, &b);
    let sum: f64 = a
        .samples
        .iter()
        .zip(b.samples)
        .map(|(&x, &y)| squared(x, y))
        .sum();
    sum / a.samples.len() as f64
}

/// Peak signal-to-noise ratio in dB over all samples of all channels, data range 1; infinite when nothing differs.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn psnr(a: Raster, b: Raster) -> f64 {
    decibels(mse(a, b))
}

/// PSNR in dB of what can be seen: the colours of transparent pixels do not count.
///
/// The squared error of each colour sample is weighted by the alpha of the reference `a` (clamped to 0.0..=1.0), that
/// of each alpha sample by 1, and their sum is divided by the sum of the weights. Without alpha (1 or 3 channels) and
/// for an opaque reference this is [`psnr`]. Not symmetric: `a` is the reference.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn psnr_alpha(a: Raster, b: Raster) -> f64 {
    assert_alike(&a, &b);
    let mut sum = PsnrSum::new(a.channels);
    sum.add(a.samples, b.samples);
    sum.decibels()
}

/// [`psnr_alpha`] of pictures that are looked at in parts, to the same bits when the parts come in order.
#[derive(Clone, Debug)]
pub struct PsnrSum {
    channels: usize,
    sum: f64,
    weights: f64,
}

impl PsnrSum {
    /// Of pictures of 1 to 4 `channels`, those that a [`Raster`] has.
    pub fn new(channels: usize) -> Self {
        Self {
            channels,
            sum: 0.0,
            weights: 0.0,
        }
    }

    /// Adds whole pixels of the reference, and what they became.
    ///
    /// # Panics
    /// When there are not as many of both.
    pub fn add(&mut self, reference: &[f32], other: &[f32]) {
        assert_eq!(reference.len(), other.len());
        if self.channels % 2 == 1 {
            let errors = reference.iter().zip(other).map(|(&x, &y)| squared(x, y));
            self.sum = errors.fold(self.sum, |sum, error| sum + error);
            self.weights += reference.len() as f64;
            return;
        }
        let colours = self.channels - 1;
        let pixels = reference
            .chunks_exact(self.channels)
            .zip(other.chunks_exact(self.channels));
        for (p, q) in pixels {
            let alpha = f64::from(p[colours].clamp(0.0, 1.0));
            let error: f64 = p[..colours]
                .iter()
                .zip(q)
                .map(|(&x, &y)| squared(x, y))
                .sum();
            self.sum += alpha * error + squared(p[colours], q[colours]);
            self.weights += alpha * colours as f64 + 1.0;
        }
    }

    /// The PSNR of what was added.
    pub fn decibels(&self) -> f64 {
        decibels(self.sum / self.weights)
    }
}

fn squared(x: f32, y: f32) -> f64 {
    let d = f64::from(x) - f64::from(y);
    d * d
}

/// The PSNR in dB of a mean squared error, data range 1; infinite at 0.
pub fn decibels(mse: f64) -> f64 {
    -10.0 * mse.log10()
}

/// Bits of file per pixel of picture: `8 * bytes / (width * height)`; infinite or NaN for an empty picture.
pub fn bits_per_pixel(bytes: u64, width: usize, height: usize) -> f64 {
    8.0 * bytes as f64 / (width as f64 * height as f64)
}

/// The figures of one comparison, see [`compare`]. `None` means the picture is too small for that metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// [`psnr_alpha`], dB; equal to [`psnr`] where there is no alpha. Infinite when nothing visible differs.
    pub psnr: f64,
    /// [`ssim()`], at most 1.
    pub ssim: Option<f64>,
    /// [`ssim_gaussian`], at most 1.
    pub ssim_gaussian: Option<f64>,
    /// [`ms_ssim`], 0.0..=1.0.
    pub ms_ssim: Option<f64>,
    /// SSIMULACRA2, at most 100; none without the feature `ssimulacra2`.
    pub ssimulacra2: Option<f64>,
    /// [`alignment`], pixels along x and y.
    pub shift: Option<(f64, f64)>,
}

/// All metrics of `b` against the reference `a`.
///
/// With alpha, the three SSIM figures are taken on colours multiplied by their own alpha (as seen over black), with
/// alpha as a further channel, so that colours nobody sees do not count.
///
/// # Errors
/// [`Error::Misuse`] when a raster is malformed or when the two differ in size or channels; the message has both shapes.
pub fn compare(a: Raster, b: Raster) -> Result<Report, Error> {
    a.check()?;
    b.check()?;
    if a.shape() != b.shape() {
        return Err(Error::Misuse {
            what: format!(
                "the first picture is {}, the second {}",
                a.shape(),
                b.shape()
            ),
            want: "pictures that are compared have the same size and channels",
        });
    }
    let (seen_a, seen_b) = (premultiplied(&a), premultiplied(&b));
    let (seen_a, seen_b) = (
        Raster {
            samples: &seen_a,
            ..a
        },
        Raster {
            samples: &seen_b,
            ..b
        },
    );
    Ok(Report {
        psnr: psnr_alpha(a, b),
        ssim: ssim(seen_a, seen_b),
        ssim_gaussian: ssim_gaussian(seen_a, seen_b),
        ms_ssim: ms_ssim(seen_a, seen_b),
        #[cfg(feature = "ssimulacra2")]
        ssimulacra2: ssimulacra2(a, b),
        #[cfg(not(feature = "ssimulacra2"))]
        ssimulacra2: None,
        shift: alignment(seen_a, seen_b),
    })
}

/// A picture of `b - a` to look at: `0.5 + gain * (b - a)` for each colour sample, clamped to 0.0..=1.0, same shape.
///
/// The alpha channel is 1 everywhere, so that the picture can be seen; a difference in alpha alone does not show.
/// A `gain` of 0.5 shows every difference without clamping, 8 makes two 8-bit steps about 16 steps.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn difference(a: Raster, b: Raster, gain: f32) -> Vec<f32> {
    assert_alike(&a, &b);
    let shown = |(&x, &y): (&f32, &f32)| (0.5 + gain * (y - x)).clamp(0.0, 1.0);
    let mut out: Vec<f32> = a.samples.iter().zip(b.samples).map(shown).collect();
    if a.has_alpha() {
        out.iter_mut()
            .skip(a.channels - 1)
            .step_by(a.channels)
            .for_each(|alpha| *alpha = 1.0);
    }
    out
}

/// Luma of an RGB `raster` without `border` pixels at every side, as benchmarks of super-resolution measure it: BT.601 in
/// studio swing ([`crate::colour::studio_luma`]), rounded to 8 bits, as fractions of 255. Shape
/// `[height - 2 border, width - 2 border]`.
pub fn benchmark_luma(raster: Raster, border: usize) -> Vec<f32> {
    let rows = raster.samples.chunks_exact(raster.width * 3);
    let inner = rows
        .skip(border)
        .take(raster.height.saturating_sub(2 * border));
    let pixels = inner.flat_map(|row| {
        row[3 * border..]
            .chunks_exact(3)
            .take(raster.width.saturating_sub(2 * border))
    });
    let luma = pixels.map(|p| studio_luma([p[0], p[1], p[2]]).round() / 255.0);
    luma.collect()
}
