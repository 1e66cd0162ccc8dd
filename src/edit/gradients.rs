//! Pictures whose gradients are changed and integrated again.

use super::transparent::{filled, woven};
use super::{Watch, colours, editing};
use crate::edit::poisson::{Poisson, negative_divergence};
use crate::error::Error;
use crate::progress::{Control, Observer};
use inr_image::Raster;
use inr_kernel::each_row;

/// Weights of red, green and blue in luma (ITU-R BT.709).
use inr_image::colour::LUMA_BT709 as LUMA;

/// The picture whose gradients are `gain` times those of `raster`, held to its values by a screen: the solution of
/// `(1 / radius^2 - Laplacian) u = f / radius^2 - gain Laplacian f` (P. Bhat et al. 2008), interleaved samples. Waves
/// much longer than `radius` (pixels, above 0) stay, those much shorter are multiplied by `gain`: above 1 it sharpens,
/// below 1 it smooths.
///
/// # Errors
/// [`Error::Misuse`] for a radius that is not above 0 or a gain that is not finite; [`Error::Cancelled`].
pub fn screened(
    raster: Raster,
    radius: f32,
    gain: f32,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<f32>, Error> {
    if !gain.is_finite() {
        return Err(Error::Misuse {
            what: format!("a gain of {gain}"),
            want: "give a finite number",
        });
    }
    integrate(&raster, radius, threads, &mut editing(observer), |planes| {
        Change {
            factor: vec![gain; planes[0].len()],
            target: None,
        }
    })
}

/// The picture with its edges steeper: gradients that are `threshold` (samples per pixel, above 0) and more grow by up to
/// `1 + amount`, weaker ones stay as they are. Values are held over `radius` pixels.
///
/// # Errors
/// As [`screened`].
pub fn boost_edges(
    raster: Raster,
    amount: f32,
    threshold: f32,
    radius: f32,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<f32>, Error> {
    checked("threshold", threshold)?;
    integrate(&raster, radius, threads, &mut editing(observer), |planes| {
        Change {
            factor: by_length(planes, raster.width, threads, |length| {
                let square = (length / threshold).powi(2);
                1.0 + amount * square / (1.0 + square)
            }),
            target: None,
        }
    })
}

/// How light is flattened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// How much of it goes, 0.0..=1.0.
    pub amount: f32,
    /// Light changes over more than this many pixels, above 0; detail does over fewer.
    pub radius: f32,
    /// Gradients below this (samples per pixel) are light's rather than detail's; 0 keeps all of them.
    pub threshold: f32,
    /// What all gradients are multiplied by besides: above 1 makes up for contrast that went with the light.
    pub detail: f32,
}

/// The picture under more even light: its slow changes are drawn towards the mean, gradients too faint to be those of
/// surfaces are attenuated, and the rest is integrated again (after E. Land's retinex in the form of J.-M. Morel, A. Petro,
/// C. Sbert, "A PDE formalization of retinex theory", 2010, with a screen in place of its free constant).
///
/// # Errors
/// As [`screened`].
pub fn flatten_light(
    raster: Raster,
    light: Light,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<f32>, Error> {
    let Light {
        amount,
        radius,
        threshold,
        detail,
    } = light;
    if !(0.0..=1.0).contains(&amount)
        || !(0.0..=f32::MAX).contains(&threshold)
        || !detail.is_finite()
    {
        return Err(Error::Misuse {
            what: format!("{light:?}"),
            want: "give an amount of 0 to 1, a threshold of at least 0 and a finite detail",
        });
    }
    integrate(&raster, radius, threads, &mut editing(observer), |planes| {
        let target = planes.iter().map(|plane| {
            let sum: f64 = plane.iter().map(|value| f64::from(*value)).sum();
            let mean = (sum / plane.len() as f64) as f32;
            plane
                .iter()
                .map(|value| value + amount * (mean - value))
                .collect()
        });
        let target = Some(target.collect());
        let factor = by_length(planes, raster.width, threads, |length| {
            if threshold > 0.0 {
                detail * (1.0 - amount * (-(length / threshold).powi(2)).exp())
            } else {
                detail
            }
        });
        Change { factor, target }
    })
}

/// What becomes of a picture's gradients and values.
struct Change {
    /// What the differences to the right and to the one below are multiplied by, as the mean over both pixels.
    factor: Vec<f32>,
    /// What the screen draws to, for each colour; the picture itself by default.
    target: Option<Vec<Vec<f32>>>,
}

fn checked(what: &str, value: f32) -> Result<(), Error> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(Error::Misuse {
            what: format!("a {what} of {value}"),
            want: "give a finite number above 0",
        }),
    }
}

/// Solves for the picture with changed gradients. The unknown is what is added to the picture, so that no change gives
/// the picture itself to the last bit.
fn integrate(
    raster: &Raster,
    radius: f32,
    threads: usize,
    watch: Watch,
    change: impl FnOnce(&[Vec<f32>]) -> Change,
) -> Result<Vec<f32>, Error> {
    raster.check()?;
    checked("radius", radius)?;
    let (width, count) = (raster.width, colours(raster));
    let steps = count as f64 + 1.0;
    let mut planes = filled(raster, threads, &mut |share| watch(share / steps))?;
    let Change { factor, target } = change(&planes);
    let screen = 1.0 / (radius * radius);
    let system = Poisson::screened(width, raster.height, screen, threads)?;
    for (index, plane) in planes.iter_mut().enumerate() {
        let begun = (index as f64 + 1.0) / steps;
        if watch(begun) != Control::Continue {
            return Err(Error::Cancelled);
        }
        let [across, down] = differences(plane, &factor, width, threads);
        let mut b = negative_divergence(width, &across, &down, threads);
        if let Some(target) = &target {
            let values = b.iter_mut().zip(&target[index]).zip(plane.iter());
            values.for_each(|((b, target), value)| *b += screen * (target - value));
        }
        let added = system.solved(&b, &mut |share| watch(begun + share / steps))?;
        plane
            .iter_mut()
            .zip(added)
            .for_each(|(value, added)| *value += added);
    }
    Ok(woven(raster, &planes))
}

/// What the factors add to the differences of a plane to the right and downwards.
fn differences(plane: &[f32], factor: &[f32], width: usize, threads: usize) -> [Vec<f32>; 2] {
    [1, width].map(|step| {
        let mut out = vec![0.0; plane.len()];
        each_row(&mut out, width, threads, |y, out| {
            let start = y * width;
            for (x, out) in out.iter_mut().enumerate() {
                let (at, next) = (start + x, start + x + step);
                if let (Some(value), Some(other)) = (plane.get(next), factor.get(next)) {
                    *out = (0.5 * (factor[at] + other) - 1.0) * (value - plane[at]);
                }
            }
        });
        out
    })
}

/// `curve` of the length of luma's gradient at each pixel, by central differences.
fn by_length(
    planes: &[Vec<f32>],
    width: usize,
    threads: usize,
    curve: impl Fn(f32) -> f32 + Sync,
) -> Vec<f32> {
    let mut luma = vec![0.0; planes[0].len()];
    let weights: &[f32] = if planes.len() == 3 { &LUMA } else { &[1.0] };
    for (plane, weight) in planes.iter().zip(weights) {
        luma.iter_mut()
            .zip(plane)
            .for_each(|(luma, value)| *luma += weight * value);
    }
    let height = luma.len() / width;
    let mut out = vec![0.0; luma.len()];
    each_row(&mut out, width, threads, |y, out| {
        let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
        for (x, out) in out.iter_mut().enumerate() {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
            let across = luma[y * width + right] - luma[y * width + left];
            let down = luma[below * width + x] - luma[above * width + x];
            *out = curve(0.5 * across.hypot(down));
        }
    });
    out
}
