//! Enlargements that are better than bicubic: a trained estimate, fitted so that its degraded render is the picture.

mod degradation;
mod guard;
mod plan;
mod samples;

use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::field::region::{Region, region_within};
use crate::options::{setters, unknown_name};
use crate::progress::{Meter, Observer, Phase};
use inr_formats::{Depth, Limits};
use inr_image::Picture;
use inr_image::resample::Filter;
use inr_kernel::{Job, default_threads};

use crate::field::estimate::Estimate;
use degradation::Known;
pub use degradation::{Blur, Compression, Degradation, PointSpread};
use inr_image::Part;
use inr_image::noise;
use inr_image::planes::{interleaved, planes, tiles};
use plan::{Effort, Plan};
use samples::{Target, filtered};

/// How a picture is enlarged.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase", parse_err_ty = Error, parse_err_fn = unknown_method)]
#[non_exhaustive]
pub enum UpscaleMethod {
    /// [`UpscaleMethod::Inr`], unless on this very picture something simpler turns out to be better.
    #[default]
    Auto,
    /// The trained field; back-projected where the degradation is known.
    Inr,
    /// Bicubic, back-projected (Irani and Peleg 1991).
    BackProjected,
    /// Cubic convolution, as [`Filter::Benchmark`].
    Bicubic,
    /// As [`Filter::Lanczos3`].
    Lanczos3,
    /// As [`Filter::Bilinear`].
    Bilinear,
    /// As [`Filter::Nearest`].
    Nearest,
}

impl UpscaleMethod {
    /// The filter that is all of it.
    fn filter(self) -> Option<Filter> {
        match self {
            Self::Auto | Self::Inr | Self::BackProjected => None,
            Self::Bicubic => Some(Filter::Benchmark),
            Self::Lanczos3 => Some(Filter::Lanczos3),
            Self::Bilinear => Some(Filter::Bilinear),
            Self::Nearest => Some(Filter::Nearest),
        }
    }
}

fn unknown_method(name: &str) -> Error {
    unknown_name::<UpscaleMethod>("method", name)
}

/// How to enlarge.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UpscaleOptions {
    /// Output pixels per pixel on both axes, 1 to 64; fractions are fine. Default 2.
    pub scale: f64,
    /// How. Default [`UpscaleMethod::Auto`].
    pub method: UpscaleMethod,
    /// How hard to try, 1 to 9. Default 5.
    pub effort: u8,
    /// How the picture came from the large one that is looked for, to which the result is fitted. Its noise does not count. If
    /// `None`, the default, the blur is estimated from the picture with its uncertainty.
    pub degradation: Option<Degradation>,
    /// Standard deviation of the picture's white noise, in samples, 0 to 1, which is not fitted. If `None`, the default, it
    /// is estimated from the picture, and taken for 0 in those of at most 256 colours.
    pub noise: Option<f64>,
    /// How the picture was compressed: what that added is not enlarged. Default [`Compression::None`].
    pub compression: Compression,
    /// Side of the parts that are worked on at a time, in output pixels, 32 to 4096; memory grows with it, pixels stay what
    /// they are. Default 512.
    pub tile: u32,
    /// CPU threads; the result is the same for any number. All there are if `None`, the default.
    pub threads: Option<usize>,
    /// The part of the picture to enlarge, in its pixels; all of it by default. The result is that part of the whole
    /// enlargement, its edges rounded to output pixels.
    pub region: Option<Region>,
    /// Samples of the result; the picture's if `None`, the default.
    pub depth: Option<Depth>,
}

impl Default for UpscaleOptions {
    fn default() -> Self {
        Self {
            scale: 2.0,
            method: UpscaleMethod::default(),
            effort: 5,
            degradation: None,
            noise: None,
            compression: Compression::None,
            tile: 512,
            threads: None,
            region: None,
            depth: None,
        }
    }
}

setters!(UpscaleOptions {
    scale: f64,
    method: UpscaleMethod,
    effort: u8,
    degradation: impl Into<Option<Degradation>>,
    noise: impl Into<Option<f64>>,
    compression: Compression,
    tile: u32,
    threads: impl Into<Option<usize>>,
    region: impl Into<Option<Region>>,
    depth: impl Into<Option<Depth>>,
});

/// An enlarged picture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upscaled {
    /// The picture, with layout, metadata and, unless asked otherwise, depth of the small one.
    pub picture: Picture,
    /// How it was made; never [`UpscaleMethod::Auto`].
    pub method: UpscaleMethod,
    /// The blur that the result was fitted to: the one named, or the area for back-projection; else `None`.
    pub blur: Option<Blur>,
    /// Standard deviation of the noise that was taken out, in samples.
    pub noise: f64,
    /// Why this method, and where the degradation is from.
    pub why: String,
}

/// Turns of luma, turns of what else there is, and back-projections of each effort.
const EFFORTS: [(usize, usize, usize); 9] = [
    (1, 0, 2),
    (1, 0, 3),
    (1, 0, 3),
    (1, 0, 4),
    (1, 0, 4),
    (2, 1, 6),
    (4, 1, 8),
    (8, 2, 10),
    (8, 8, 12),
];

impl Effort {
    /// Of a number, 1 to 9.
    fn of(effort: u8) -> Self {
        let (turns, colour_turns, iterations) = EFFORTS[usize::from(effort) - 1];
        Self {
            turns,
            colour_turns,
            iterations,
        }
    }
}

/// Colours of what is drawn pixel by pixel, at most: pixel art has up to four palettes of 16.
const DRAWN: usize = 64;

/// Share of the work that is counted for looking at the picture before it is enlarged.
const LOOKING: f64 = 0.05;

/// Enlarges `picture`. `observer` hears several times a second how far it is.
///
/// # Errors
/// [`Error::Misuse`] for options out of range, [`Error::OverLimit`] for a result of more than 2^30 pixels, and
/// [`Error::Cancelled`] when `observer` ends it.
pub fn upscale(
    picture: &Picture,
    options: &UpscaleOptions,
    observer: &mut dyn Observer,
) -> Result<Upscaled, Error> {
    let size = large_size(picture, options)?;
    let window = window(options.region, picture, size)?;
    check_cost(&window, size)?;
    let full = Effort::of(options.effort);
    let mut meter = Meter::new(observer);
    let (method, known, noise, why) =
        meter.part(Phase::Enlarge, LOOKING, guard::units(full), |job| {
            chosen(picture, options, full, job)
        })?;
    let effort = match method {
        UpscaleMethod::BackProjected => Effort { turns: 0, ..full },
        _ => full,
    };
    let work = Work {
        picture,
        window,
        depth: options.depth.unwrap_or(picture.depth()),
        filter: method.filter(),
        plan: Plan::new(
            [picture.width() as usize, picture.height() as usize],
            size,
            known.clone(),
            effort,
        )
        .with_noise(noise),
    };
    let threads = options.threads.unwrap_or_else(default_threads);
    let parts = work.parts(options.tile as usize, threads);
    let units = parts.len() as u64 * work.units();
    Ok(Upscaled {
        picture: meter.part(Phase::Enlarge, 1.0, units, |job| {
            work.all(&parts, threads, job)
        })?,
        method,
        blur: known.blur,
        noise,
        why,
    })
}

/// The method, what is known, the noise, and why, as asked or as the picture shows.
fn chosen(
    picture: &Picture,
    options: &UpscaleOptions,
    effort: Effort,
    job: &mut Job,
) -> Result<(UpscaleMethod, Known, f64, String), Error> {
    let noise = options.noise.unwrap_or_else(|| noise::certain(picture));
    let stored = match options.compression {
        Compression::Latents { step, degradation } => Some(Estimate::stored(step, degradation)),
        _ => None,
    };
    let (mut known, mut why) = match &options.degradation {
        Some(given) => {
            let known = Known {
                estimate: stored,
                ..Known::from(given.blur.clone())
            };
            (known, format!("degradation {} as asked", given.blur))
        }
        // A filter reads none of it.
        None if options.method.filter().is_some() => (
            Known::default(),
            format!("method {} as asked", options.method),
        ),
        None => {
            let found = stored.unwrap_or_else(|| guard::estimate(picture, noise));
            let known = Known {
                estimate: Some(found),
                ..Known::default()
            };
            (known, found.to_string())
        }
    };
    known.noise_is_settled = options.noise.is_some() || noise > 0.0;
    known.compression = options.compression;
    let method = match options.method {
        UpscaleMethod::Auto => {
            let (method, reason) =
                guard::choose(picture, options.scale, (&mut known, noise), effort, job)?;
            why = format!("{reason}; {why}");
            if noise::few_colours(picture, DRAWN) {
                why +=
                    "; --method nearest keeps pixel art and other patterns of pixels as they are";
            }
            method
        }
        asked => asked,
    };
    if method == UpscaleMethod::BackProjected {
        // The fit is all of this method: it needs a blur, and compression does not stop it.
        known.compression = Compression::None;
        if known.blur.is_none() {
            known.blur = Some(Blur::Area);
            why = "degradation area, as none was named".into();
        }
    } else if known.blur.is_some() && known.compression != Compression::None {
        why += "; not fitted to the compressed picture";
    }
    if noise > 0.0 && method.filter().is_none() {
        why = format!("{why}; without noise of {:.1}/255", noise * 255.0);
    }
    Ok((method, known, noise, why))
}

/// Columns and rows of the result that `region` of `picture` becomes.
fn window(region: Option<Region>, picture: &Picture, size: [usize; 2]) -> Result<Part, Error> {
    let [x, y, width, height] = region_within(region, [picture.width(), picture.height()])?;
    let span = |start: f64, extent: f64, source: u32, large: usize| {
        let scale = large as f64 / f64::from(source);
        let edge = |at: f64| ((at * scale).round() as usize).min(large);
        let (first, end) = (edge(start).min(large - 1), edge(start + extent));
        first..end.max(first + 1)
    };
    Ok([
        span(x, width, picture.width(), size[0]),
        span(y, height, picture.height(), size[1]),
    ])
}

/// Width and height of the result.
fn large_size(picture: &Picture, options: &UpscaleOptions) -> Result<[usize; 2], Error> {
    let UpscaleOptions {
        scale,
        effort,
        tile,
        ..
    } = *options;
    let misuse = |what: String, want| Err(Error::Misuse { what, want });
    if let Some(noise) = options.noise
        && !(0.0..=1.0).contains(&noise)
    {
        return misuse(format!("the noise is {noise}"), "its deviation is 0 to 1");
    }
    if !(1.0..=64.0).contains(&scale) {
        return misuse(format!("the scale is {scale}"), "a scale is 1 to 64");
    }
    if !(1..=9).contains(&effort) {
        return misuse(format!("the effort is {effort}"), "an effort is 1 to 9");
    }
    if !(32..=4096).contains(&tile) {
        return misuse(format!("the tile is {tile}"), "a tile is 32 to 4096 pixels");
    }
    let size =
        [picture.width(), picture.height()].map(|side| (f64::from(side) * scale).round() as u64);
    Ok(size.map(|side| side as usize))
}

/// Refuses a part of a result of `size` that costs more than a render may. A part costs its own pixels, and something for
/// each row and column of the whole.
fn check_cost([columns, rows]: &Part, size: [usize; 2]) -> Result<(), Error> {
    let limit = Limits::default().render_pixels;
    let longest = size[0].max(size[1]) as u64;
    let asked = (columns.len() as u64)
        .saturating_mul(rows.len() as u64)
        .max(longest);
    if asked > limit {
        return Err(Error::OverLimit {
            what: "the enlargement in pixels",
            asked,
            limit,
        });
    }
    Ok(())
}

/// An enlargement under way.
struct Work<'a> {
    picture: &'a Picture,
    window: Part,
    depth: Depth,
    filter: Option<Filter>,
    plan: Plan,
}

impl Work<'_> {
    /// What is worked on at a time.
    fn parts(&self, tile: usize, threads: usize) -> Vec<Part> {
        let [columns, rows] = &self.window;
        // Few threads with nothing to do for small pictures.
        let share = (columns.len() * rows.len() / (2 * threads.max(1)))
            .isqrt()
            .next_multiple_of(32);
        let tile = tile.min(share.max(128));
        tiles(&self.window, tile)
    }

    /// What a job counts for a part.
    fn units(&self) -> u64 {
        match self.filter {
            Some(_) => 1,
            None => self.plan.units(self.picture.layout().channels()).max(1),
        }
    }

    /// Part by part, as many at a time as there are threads.
    fn all(&self, parts: &[Part], threads: usize, job: &mut Job) -> Result<Picture, Error> {
        let layout = self.picture.layout();
        let target = Mutex::new(Target::new(self.window.clone(), layout, self.depth));
        job.each(threads, parts.len(), |index, job| {
            let samples = self.part(&parts[index], job)?;
            let mut target = target.lock().unwrap_or_else(PoisonError::into_inner);
            target.put(&parts[index], &samples);
            Ok::<(), Error>(())
        })?;
        let target = target.into_inner().unwrap_or_else(PoisonError::into_inner);
        target.finish(self.picture.metadata().clone())
    }

    /// Samples of a part of the large picture, interleaved.
    fn part(&self, part: &Part, job: &mut Job) -> Result<Vec<f32>, Error> {
        let layout = self.picture.layout();
        if let Some(filter) = self.filter {
            job.advance(1)?;
            let read = self.plan.window(part, 4);
            return filtered(self.picture, self.plan.large(), part, &read, filter);
        }
        let mut planes = planes(self.picture, &self.plan.reads(part));
        self.plan.denoise(part, &mut planes, layout);
        Ok(interleaved(&self.plan.render(part, &planes, job)?, layout))
    }
}
