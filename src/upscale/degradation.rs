//! How a small picture comes from a large one: y = (x * k) reduced by s, + n.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::error::Error;
use crate::field::estimate::Estimate;
use crate::field::trunk::KNOWN;
use inr_image::Picture;
use inr_image::resample::{Axes, Filter, Kernel, mirrored, resize};
use inr_image::{Raster, premultiplied};

/// What is averaged into a pixel of the small picture. All are centred on it, and go on mirrored beyond the border.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Blur {
    /// The mean over the pixel's area, as of a sensor.
    Area,
    /// Cubic convolution widened by the scale, as MATLAB's `imresize`: the convention of super-resolution benchmarks.
    Bicubic,
    /// A Gaussian; its standard deviation in pixels of the small picture, above 0, at most 8.
    Gaussian(f64),
    /// A measured point spread function, in pixels of the large picture.
    Psf(PointSpread),
}

/// A point spread function: what a point becomes, on a grid of pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSpread {
    width: usize,
    height: usize,
    /// They sum to 1.
    weights: Vec<f32>,
}

/// Longest side of a point spread function.
const LONGEST_PSF: usize = 128;

impl PointSpread {
    /// From `weights`, shape `[height, width]`, scaled to sum to 1; its centre is the middle of the grid.
    ///
    /// # Errors
    /// [`Error::Misuse`] when a side is 0 or above 128, when there are not `width * height` weights, or when they are not
    /// finite or sum to nothing.
    pub fn new(width: usize, height: usize, weights: &[f32]) -> Result<Self, Error> {
        let sum: f32 = weights.iter().sum();
        let sides = 1..=LONGEST_PSF;
        let shaped = sides.contains(&width) && sides.contains(&height);
        if !shaped || weights.len() != width * height || !sum.is_finite() || sum <= 1e-6 {
            return Err(Error::Misuse {
                what: format!("the point spread function is {width}x{height} and sums to {sum}"),
                want: "its sides are 1 to 128 pixels and its weights sum to more than 0",
            });
        }
        Ok(Self {
            width,
            height,
            weights: weights.iter().map(|weight| weight / sum).collect(),
        })
    }

    /// From the samples of a picture, the mean of its colours; alpha does not count.
    ///
    /// # Errors
    /// As [`PointSpread::new`].
    pub fn of(picture: &Picture) -> Result<Self, Error> {
        let (channels, colours) = (
            picture.layout().channels(),
            picture.layout().colour_channels(),
        );
        let samples = picture.to_f32();
        let grey = |pixel: &[f32]| pixel[..colours].iter().sum::<f32>() / colours as f32;
        let weights: Vec<f32> = samples.chunks_exact(channels).map(grey).collect();
        Self::new(
            picture.width() as usize,
            picture.height() as usize,
            &weights,
        )
    }
}

impl fmt::Display for Blur {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Area => formatter.write_str("area"),
            Self::Bicubic => formatter.write_str("bicubic"),
            Self::Gaussian(sigma) => write!(formatter, "gaussian:{sigma}"),
            Self::Psf(PointSpread { width, height, .. }) => {
                write!(formatter, "psf {width}x{height}")
            }
        }
    }
}

impl FromStr for Blur {
    type Err = Error;

    /// `area`, `bicubic` or `gaussian:SIGMA`.
    fn from_str(name: &str) -> Result<Self, Error> {
        let sigma = |text: &str| text.parse().ok().filter(|s| *s > 0.0 && *s <= 8.0);
        match (name, name.strip_prefix("gaussian:").map(sigma)) {
            ("area", _) => Ok(Self::Area),
            ("bicubic", _) => Ok(Self::Bicubic),
            (_, Some(Some(sigma))) => Ok(Self::Gaussian(sigma)),
            _ => Err(Error::Misuse {
                what: format!("there is no degradation {name}"),
                want: "use area, bicubic or gaussian:S with S above 0, at most 8",
            }),
        }
    }
}

/// A blur, a reduction and noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Degradation {
    /// The blur.
    pub blur: Blur,
    /// Standard deviation of white noise that is added, in samples (0.0..=1.0).
    pub noise: f64,
}

/// How a picture was compressed, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all, or unknown.
    #[default]
    None,
    /// As JPEG: the mean quantisation step of luma's lower frequencies in samples, see
    /// [`inr_image::PictureFile::jpeg_step`].
    Jpeg(f32),
    /// As an `.inr` file.
    Latents {
        /// The step of its latents, see [`inr_formats::Latents::step`].
        step: f32,
        /// How the source came about, see [`inr_formats::Latents::degradation`].
        degradation: Option<[u8; 4]>,
    },
}

/// What is known of how a picture came from the large one that is looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// `None` where nobody named it.
    pub(crate) blur: Option<Blur>,
    /// What the picture itself or its file shows; counts where nothing else is known.
    pub(crate) estimate: Option<Estimate>,
    /// Whether the noise was named or is taken out before, so that the trunk should take out no more.
    pub(crate) noise_is_settled: bool,
    pub(crate) compression: Compression,
}

/// The variance along an axis of the mean over a pixel, in squared pixels.
const AREA: f64 = 1.0 / 12.0;
/// Estimates of the variance below this, less uncertain than the other, are of pictures that were only reduced.
const SHARP: f64 = 0.12;
const SURE: f32 = 0.1;
/// The largest variance that the trunk has seen.
const MOST_VARIANCE: f64 = 0.81;

impl Known {
    /// What a picture was reduced by that shows for sure that nothing was lost but pixels: between bicubic, 0, and area, 1.
    pub(super) fn reduction(&self) -> Option<f64> {
        let found = self.estimate?;
        let sharp = f64::from(found.variance) < SHARP && found.uncertainty < SURE;
        let untouched = self.compression == Compression::None
            && [found.noise, found.jpeg, found.latents] == [0.0; 3];
        (sharp && untouched).then(|| (f64::from(found.variance) / AREA).min(1.0))
    }

    /// What the trunk reads of it.
    pub(super) fn features(&self, scale: f64) -> [f32; KNOWN] {
        let mut found = self.estimate.unwrap_or(Estimate::NOTHING);
        if let Compression::Jpeg(step) = self.compression {
            (found.jpeg, found.latents) = (step, 0.0);
        }
        if self.noise_is_settled {
            found.noise = 0.0;
        }
        if let Some(blur) = &self.blur {
            found.variance = blur.variance(scale).min(MOST_VARIANCE) as f32;
            found.uncertainty = 0.0;
        }
        found.features()
    }
}

impl From<Blur> for Known {
    fn from(blur: Blur) -> Self {
        Self {
            blur: Some(blur),
            ..Self::default()
        }
    }
}

impl Blur {
    /// The variance along an axis, in squared pixels of a small picture that is `scale` times smaller.
    fn variance(&self, scale: f64) -> f64 {
        match self {
            Self::Area => AREA,
            Self::Bicubic => 0.0,
            Self::Gaussian(sigma) => sigma * sigma,
            Self::Psf(psf) => psf.variance() / (scale * scale),
        }
    }
}

impl PointSpread {
    /// The mean of the variances along both axes, in squared pixels.
    fn variance(&self) -> f64 {
        let centre = [self.width, self.height].map(|side| (side as f64 - 1.0) / 2.0);
        let squares = self.weights.iter().enumerate().map(|(at, &weight)| {
            let x = (at % self.width) as f64 - centre[0];
            let y = (at / self.width) as f64 - centre[1];
            f64::from(weight) * (x * x + y * y)
        });
        (squares.sum::<f64>() / 2.0).max(0.0)
    }
}

impl From<Blur> for Degradation {
    /// Without noise.
    fn from(blur: Blur) -> Self {
        Self { blur, noise: 0.0 }
    }
}

impl Degradation {
    /// `large` at `width` x `height` pixels: shape `[height, width, channels]`, not clamped but with alpha. The noise is
    /// the same for the same `seed`.
    ///
    /// # Errors
    /// [`Error::Misuse`] when `large` is malformed, or when a side would be 0 or grow.
    pub fn reduce(
        &self,
        large: Raster,
        width: usize,
        height: usize,
        seed: u64,
    ) -> Result<Vec<f32>, Error> {
        check_reduction(&large, [width, height])?;
        let mut small = match &self.blur {
            Blur::Area => resize(large, None, width, height, Filter::Box)?,
            Blur::Bicubic => resize(large, None, width, height, Filter::Benchmark)?,
            Blur::Gaussian(_) | Blur::Psf(_) => {
                let operator =
                    Operator::new(&self.blur, [large.width, large.height], [width, height]);
                let weighed = premultiplied(&large);
                let mut small = each_plane(&weighed, large.channels, |plane| operator.apply(plane));
                if large.has_alpha() {
                    small
                        .chunks_exact_mut(large.channels)
                        .for_each(inr_image::divide_by_alpha);
                }
                small
            }
        };
        if self.noise > 0.0 {
            let mut normal = Normal(seed);
            small
                .iter_mut()
                .for_each(|sample| *sample += (self.noise * normal.next()) as f32);
        }
        Ok(small)
    }

    /// The transposed operator: `small` spread to `width` x `height` pixels so that the inner product of any picture's
    /// reduction with `small` is that picture's with the result. Every channel counts alike, noise does not.
    ///
    /// # Errors
    /// As [`Degradation::reduce`], for a result that is smaller than `small`.
    pub fn spread(&self, small: Raster, width: usize, height: usize) -> Result<Vec<f32>, Error> {
        small.check()?;
        let (from, to) = ([small.width, small.height], [width, height]);
        let large = Raster {
            width,
            height,
            channels: 1,
            samples: &[],
        };
        check_sides(&large, from)?;
        let operator = Operator::new(&self.blur, to, from);
        Ok(each_plane(small.samples, small.channels, |plane| {
            operator.transposed(plane)
        }))
    }
}

fn check_reduction(large: &Raster, small: [usize; 2]) -> Result<(), Error> {
    large.check()?;
    check_sides(large, small)
}

fn check_sides(large: &Raster, [width, height]: [usize; 2]) -> Result<(), Error> {
    if (1..=large.width).contains(&width) && (1..=large.height).contains(&height) {
        return Ok(());
    }
    Err(Error::Misuse {
        what: format!(
            "{}x{} pixels cannot be reduced to {width}x{height}",
            large.width, large.height
        ),
        want: "the small picture's sides are at least 1 and at most the large one's",
    })
}

fn each_plane(samples: &[f32], channels: usize, work: impl Fn(&[f32]) -> Vec<f32>) -> Vec<f32> {
    let mut out = Vec::new();
    for channel in 0..channels {
        let plane: Vec<f32> = samples
            .iter()
            .skip(channel)
            .step_by(channels)
            .copied()
            .collect();
        let plane = work(&plane);
        out.resize(plane.len() * channels, 0.0);
        let places = out.iter_mut().skip(channel).step_by(channels);
        places.zip(plane).for_each(|(place, value)| *place = value);
    }
    out
}

/// Normal random numbers: Box and Muller 1958, from SplitMix64 (Steele et al. 2014).
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// Blur and reduction of planes, and the way back.
#[derive(Clone, Debug)]
pub(super) enum Operator {
    Separable(Axes),
    Psf(PsfOperator),
}

impl Operator {
    /// Of a reduction between bicubic, 0, and area, 1.
    pub(super) fn between(share: f64, large: [usize; 2], small: [usize; 2]) -> Self {
        Self::Separable(Axes::new(Kernel::Between(share), large, small))
    }

    pub(super) fn new(blur: &Blur, large: [usize; 2], small: [usize; 2]) -> Self {
        let axes = |kernel| Self::Separable(Axes::new(kernel, large, small));
        match blur {
            Blur::Area => axes(Kernel::Area),
            Blur::Bicubic => axes(Kernel::Cubic),
            Blur::Gaussian(sigma) => axes(Kernel::Gaussian(*sigma)),
            Blur::Psf(psf) => Self::Psf(PsfOperator::new(psf, large, small)),
        }
    }

    /// Small pixels before and after a small pixel's own that its value depends on.
    pub(super) fn reach(blur: &Blur, scale: f64) -> usize {
        match blur {
            Blur::Area => 1,
            Blur::Bicubic => 3,
            Blur::Gaussian(sigma) => (4.0 * sigma).ceil() as usize + 1,
            Blur::Psf(psf) => (psf.width.max(psf.height) as f64 / 2.0 / scale).ceil() as usize + 1,
        }
    }

    /// The small picture of `large`.
    pub(super) fn apply(&self, large: &[f32]) -> Vec<f32> {
        match self {
            Self::Separable(axes) => axes.apply(large),
            Self::Psf(psf) => psf.apply(large),
        }
    }

    /// The transposed operator.
    pub(super) fn transposed(&self, small: &[f32]) -> Vec<f32> {
        match self {
            Self::Separable(axes) => axes.transposed(false).apply(small),
            Self::Psf(psf) => psf.transposed(small),
        }
    }

    /// The operator between parts of both pictures.
    pub(super) fn part(&self, small: &[Range<usize>; 2], large: &[Range<usize>; 2]) -> Self {
        match self {
            Self::Separable(axes) => Self::Separable(axes.part(small, large)),
            Self::Psf(psf) => Self::Psf(psf.part(small, large)),
        }
    }
}

/// A point spread function at the pixels of a small picture. Where a small pixel's centre lies between large pixels the
/// function is interpolated linearly.
#[derive(Clone, Debug)]
pub(super) struct PsfOperator {
    psf: PointSpread,
    large: [usize; 2],
    /// For each column, then each row, of the small picture and each of the function: two large pixels and the second
    /// one's share.
    places: [Vec<(usize, usize, f32)>; 2],
}

impl PsfOperator {
    fn new(psf: &PointSpread, large: [usize; 2], small: [usize; 2]) -> Self {
        let axis = |large: usize, small: usize, length: usize| {
            let mut places = Vec::with_capacity(small * length);
            for output in 0..small {
                let centre = (output as f64 + 0.5) * large as f64 / small as f64 - 0.5;
                for tap in 0..length {
                    let at = centre + tap as f64 - (length as f64 - 1.0) / 2.0;
                    let first = at.floor();
                    let place = |at: f64| mirrored(at as i64, large);
                    places.push((place(first), place(first + 1.0), (at - first) as f32));
                }
            }
            places
        };
        Self {
            places: [
                axis(large[0], small[0], psf.width),
                axis(large[1], small[1], psf.height),
            ],
            psf: psf.clone(),
            large,
        }
    }

    fn part(&self, small: &[Range<usize>; 2], large: &[Range<usize>; 2]) -> Self {
        let axis = |index: usize, length: usize| {
            let (small, large) = (&small[index], &large[index]);
            let inside = |at: usize| at.clamp(large.start, large.end - 1) - large.start;
            let places = &self.places[index][small.start * length..small.end * length];
            places
                .iter()
                .map(|&(a, b, share)| (inside(a), inside(b), share))
                .collect()
        };
        Self {
            places: [axis(0, self.psf.width), axis(1, self.psf.height)],
            psf: self.psf.clone(),
            large: [large[0].len(), large[1].len()],
        }
    }

    /// Calls `each` with small pixel, large pixel and weight.
    fn visit(&self, mut each: impl FnMut(usize, usize, f32)) {
        let PointSpread {
            width,
            height,
            weights,
        } = &self.psf;
        let mut small = 0;
        for rows in self.places[1].chunks_exact(*height) {
            for columns in self.places[0].chunks_exact(*width) {
                for (row, line) in rows.iter().zip(weights.chunks_exact(*width)) {
                    for (column, weight) in columns.iter().zip(line) {
                        for (y, fy) in [(row.0, 1.0 - row.2), (row.1, row.2)] {
                            for (x, fx) in [(column.0, 1.0 - column.2), (column.1, column.2)] {
                                each(small, y * self.large[0] + x, weight * fx * fy);
                            }
                        }
                    }
                }
                small += 1;
            }
        }
    }

    fn apply(&self, large: &[f32]) -> Vec<f32> {
        let [width, height] = [&self.places[0], &self.places[1]].map(Vec::len);
        let small = width / self.psf.width * (height / self.psf.height);
        let mut out = vec![0.0; small];
        self.visit(|small, at, weight| out[small] += weight * large[at]);
        out
    }

    fn transposed(&self, small: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; self.large[0] * self.large[1]];
        self.visit(|from, at, weight| out[at] += weight * small[from]);
        out
    }
}
