//! Pictures at other sizes: the classical enlargements that the networks are measured against, and exact averages.
//!
//! Everything is aligned at pixel areas: source pixel `i` covers `i..i + 1`, and the output divides the region evenly,
//! so that output pixel `o` of `n` over `left..left + width` has its centre at `left + (o + 0.5) * width / n`. No
//! filter moves the picture.

mod axis;

pub use axis::{Axes, Axis, Kernel, mirrored};

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::Error;
use crate::raster::{Raster, divide_by_alpha, premultiplied};

/// Least side of a region, in pixels. Far below, positions within it are no longer different numbers.
pub const MIN_REGION: f64 = 1e-6;

/// How an output pixel is made from the source pixels around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Filter {
    /// Cubic convolution with a = -1/2 (Keys 1981), "bicubic": 4 x 4 pixels.
    #[default]
    CatmullRom,
    /// Cubic convolution with a = -1/2 as MATLAB's `imresize` has it, the convention of super-resolution benchmarks: at the
    /// border the picture goes on mirrored.
    Benchmark,
    /// The nearest pixel.
    Nearest,
    /// Linear between pixels: 2 x 2.
    Bilinear,
    /// Sinc windowed by the central lobe of a wider sinc (Duchon 1979): 6 x 6 pixels, sharper, rings more.
    Lanczos3,
    /// The mean over the exact area of the output pixel, parts of source pixels by their share; see [`box_average`].
    Box,
}

/// `region` of `source` at `width` x `height` pixels: interleaved samples, shape `[height, width, channels]`.
///
/// `region` is `[left, top, width, height]` in source pixels, fractions allowed, anywhere inside the source; `None` is
/// all of it. Pixels around the region still take part in the filter, so that neighbouring regions join without a seam;
/// at the border of the source the weights that fall outside are shared among those inside, but for
/// [`Filter::Benchmark`]. When an axis shrinks the
/// kernel widens with it (antialiasing).
///
/// Values are filtered as stored (encoded). Without alpha the result is not clamped: cubic and
/// Lanczos filters overshoot 0.0..=1.0 at edges. With alpha (2 or 4 channels) colours are multiplied by alpha for
/// the filter and divided after it, and the result is clamped to 0.0..=1.0, as ringing in almost transparent pixels
/// would be divided by almost nothing; pixels without alpha come out black.
///
/// # Errors
/// [`Error::Misuse`] when `source` is malformed, when an output side is 0 or the output does not fit into memory
/// addresses, or when `region` is narrower than a millionth of a pixel, not finite or reaches outside the source.
pub fn resize(
    source: Raster,
    region: Option<[f64; 4]>,
    width: usize,
    height: usize,
    filter: Filter,
) -> Result<Vec<f32>, Error> {
    source.check()?;
    let len = output_len(width, height, source.channels)?;
    let region = checked_region(&source, region)?;
    let weighed = premultiplied(&source);
    let [linear, cubic, lanczos] = [
        FilterType::Bilinear,
        FilterType::CatmullRom,
        FilterType::Lanczos3,
    ]
    .map(ResizeAlg::Convolution);
    let mut out = vec![0.0; len];
    for channel in 0..source.channels {
        let plane: Vec<f32> = weighed
            .iter()
            .skip(channel)
            .step_by(source.channels)
            .copied()
            .collect();
        let plane = Plane {
            width: source.width,
            height: source.height,
            values: &plane,
        };
        let values = match filter {
            Filter::Box => weighed_by(Kernel::Area, &plane, region, width, height),
            Filter::Benchmark => weighed_by(Kernel::Cubic, &plane, region, width, height),
            Filter::Nearest => convolved(&plane, region, width, height, ResizeAlg::Nearest)?,
            Filter::Bilinear => convolved(&plane, region, width, height, linear)?,
            Filter::CatmullRom => convolved(&plane, region, width, height, cubic)?,
            Filter::Lanczos3 => convolved(&plane, region, width, height, lanczos)?,
        };
        out.iter_mut()
            .skip(channel)
            .step_by(source.channels)
            .zip(values)
            .for_each(|(o, v)| *o = v);
    }
    if source.has_alpha() {
        out.chunks_exact_mut(source.channels)
            .for_each(divide_by_alpha);
    }
    Ok(out)
}

/// `source` at `width` x `height` pixels, each the exact mean over its footprint; shape `[height, width, channels]`.
///
/// The sizes need not divide: a source pixel on a border between two output pixels counts in both by its share. The
/// mean of the picture stays what it was. The same as [`resize`] with [`Filter::Box`] and no region; alpha as there.
///
/// # Errors
/// [`Error::Misuse`] when `source` is malformed, or when an output side is 0 or the output does not fit into memory
/// addresses.
pub fn box_average(source: Raster, width: usize, height: usize) -> Result<Vec<f32>, Error> {
    resize(source, None, width, height, Filter::Box)
}

/// One channel of the source.
struct Plane<'a> {
    width: usize,
    height: usize,
    values: &'a [f32],
}

/// A checked part of the source, in source pixels.
#[derive(Clone, Copy)]
struct Region {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

fn output_len(width: usize, height: usize, channels: usize) -> Result<usize, Error> {
    let len = width
        .checked_mul(height)
        .and_then(|n| n.checked_mul(channels));
    let fits = u32::try_from(width).is_ok() && u32::try_from(height).is_ok();
    match len {
        Some(len) if len > 0 && fits && len <= isize::MAX as usize / size_of::<f32>() => Ok(len),
        _ => Err(Error::Misuse {
            what: format!("the output is {width}x{height}"),
            want: "both sides are at least 1 and the samples fit into memory",
        }),
    }
}

fn checked_region(source: &Raster, region: Option<[f64; 4]>) -> Result<Region, Error> {
    let (full_width, full_height) = (source.width as f64, source.height as f64);
    let [left, top, width, height] = region.unwrap_or([0.0, 0.0, full_width, full_height]);
    // Sums such as 0.1 + 0.7 miss the border by a rounding error; that is no reason to refuse.
    let slack = 1e-9 * full_width.max(full_height);
    let inside = |start: f64, extent: f64, full: f64| {
        start >= -slack && extent >= MIN_REGION && start + extent <= full + slack
    };
    if !(inside(left, width, full_width) && inside(top, height, full_height)) {
        return Err(Error::Misuse {
            what: format!(
                "the region is {width}x{height} at {left}, {top} of {}x{}",
                source.width, source.height
            ),
            want: "a region is at least a millionth of a pixel wide and high and lies inside the picture",
        });
    }
    let (width, height) = (width.min(full_width), height.min(full_height));
    Ok(Region {
        left: left.clamp(0.0, full_width - width),
        top: top.clamp(0.0, full_height - height),
        width,
        height,
    })
}

/// One channel through `fast_image_resize`, which sees pixels outside the region but inside the source.
fn convolved(
    plane: &Plane,
    region: Region,
    width: usize,
    height: usize,
    algorithm: ResizeAlg,
) -> Result<Vec<f32>, Error> {
    let refused = |reason: &dyn std::fmt::Display| Error::Misuse {
        what: format!(
            "{}x{} cannot be resized to {width}x{height}: {reason}",
            plane.width, plane.height
        ),
        want: "the sides of both pictures fit into 32 bits",
    };
    let side = |n: usize| u32::try_from(n).map_err(|e| refused(&e));
    let pixels: Vec<F32> = plane.values.iter().map(|&v| F32::new(v)).collect();
    let source = TypedImageRef::new(side(plane.width)?, side(plane.height)?, &pixels)
        .map_err(|e| refused(&e))?;
    let mut target = TypedImage::<F32>::new(side(width)?, side(height)?);
    let options = ResizeOptions::new()
        .resize_alg(algorithm)
        .crop(region.left, region.top, region.width, region.height)
        .use_alpha(false);
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .map_err(|e| refused(&e))?;
    Ok(target.pixels().iter().map(|p| p.0).collect())
}

/// One channel through weights of our own.
fn weighed_by(
    kernel: Kernel,
    plane: &Plane,
    region: Region,
    width: usize,
    height: usize,
) -> Vec<f32> {
    let axes = Axes {
        across: Axis::over(kernel, [region.left, region.width], plane.width, width),
        down: Axis::over(kernel, [region.top, region.height], plane.height, height),
    };
    axes.apply(plane.values)
}
