//! Whether an enlargement can be trusted, told from the picture itself.

use std::fmt;

use super::UpscaleMethod;
use super::degradation::{Blur, Compression, Known, Operator};
use super::plan::{Effort, Plan};
use crate::error::Error;
use crate::field::estimate::Estimate;
use inr_image::Picture;
use inr_image::metrics::decibels;
use inr_image::planes::planes;
use inr_image::{Part, noise};
use inr_kernel::Job;

/// Side of the part of a picture that is looked at.
const LOOK: usize = 256;
/// Such parts that are chosen from, along each side, less one.
const MOST_PARTS: usize = 6;
/// Shortest side of what is enlarged for a judgement.
const LEAST: usize = 12;

/// Reductions that any picture may come from.
const PLAUSIBLE: [Blur; 3] = [Blur::Area, Blur::Bicubic, Blur::Gaussian(0.6)];
/// Loss against bicubic, in dB, that nobody sees and the choice of a part explains.
const SLACK: f64 = 0.1;
/// Below this PSNR, in dB, bicubic restores nothing: a reduced copy of a pattern of single pixels says nothing of it.
const PATTERN: f64 = 12.0;

/// What a job counts in [`choose`] at most.
pub(super) fn units(effort: Effort) -> u64 {
    (2 * PLAUSIBLE.len() * (effort.turns + 3 * effort.iterations)) as u64
}

/// PSNRs in dB of what methods restore of a reduced copy.
pub(super) struct Scores {
    factor: usize,
    reduced_by: Blur,
    pub(super) ours: f64,
    /// Where the reduction is known.
    projected: Option<f64>,
    pub(super) bicubic: f64,
}

impl Scores {
    /// The best method.
    fn method(&self) -> UpscaleMethod {
        let projected = self.projected.unwrap_or(f64::NEG_INFINITY);
        if self.bicubic < PATTERN {
            UpscaleMethod::Bicubic
        } else if self.ours + SLACK >= projected.max(self.bicubic) {
            UpscaleMethod::Inr
        } else if projected >= self.bicubic {
            UpscaleMethod::BackProjected
        } else {
            UpscaleMethod::Bicubic
        }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            factor,
            reduced_by,
            ours,
            projected,
            bicubic,
        } = self;
        write!(
            formatter,
            "from a {factor} times smaller copy ({reduced_by}) of the picture's busiest part inr restores {ours:.2} dB, "
        )?;
        if let Some(projected) = projected {
            write!(formatter, "back-projected bicubic {projected:.2}, ")?;
        }
        write!(formatter, "bicubic {bicubic:.2}")
    }
}

/// What the methods restore of the busiest part of `picture`, of this noise, reduced as `known`, or else as may be; empty
/// for pictures that are too small. That is held out: no method sees more than the reduced picture. With `soft` none takes
/// a blur out.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn scores(
    picture: &Picture,
    scale: f64,
    (known, noise): (&Known, f64),
    (effort, soft): (Effort, bool),
    job: &mut Job,
) -> Result<Vec<Scores>, Error> {
    let factor = (scale.round() as usize).clamp(2, 4);
    let sides = [picture.width() as usize, picture.height() as usize]
        .map(|side| side.min(LOOK) / factor * factor);
    if sides[0].min(sides[1]) < LEAST * factor {
        return Ok(Vec::new());
    }
    let part = busiest(picture, sides);
    let luma = &clean(picture, &part, noise);
    // Little is left of a compression in a reduced copy.
    let known = &Known {
        compression: Compression::None,
        ..known.clone()
    };
    let blurs = match &known.blur {
        Some(blur) => std::slice::from_ref(blur),
        None => &PLAUSIBLE,
    };
    let each = blurs.iter().map(|blur| {
        let small_size = sides.map(|side| side / factor);
        // Stored samples are rounded, and so is what stands for them.
        let mut small = Operator::new(blur, sides, small_size).apply(luma);
        small
            .iter_mut()
            .for_each(|v| *v = (*v * 255.0).round() / 255.0);
        let whole = [0..sides[0], 0..sides[1]];
        let mut known = known.clone();
        if known.blur.is_none() {
            let found = Estimate::of_plane(&small, small_size);
            known.estimate = Some(if soft { found.without_blur() } else { found });
        }
        let mut score = |effort| -> Result<f64, Error> {
            let plan = Plan::new(small_size, sides, known.clone(), effort);
            let found = plan.render(&whole, std::slice::from_ref(&small), job)?;
            Ok(closeness(luma, &found[0]))
        };
        let none = Effort {
            turns: 0,
            colour_turns: 0,
            iterations: 0,
        };
        let projected = match known.blur {
            Some(_) => Some(score(Effort { turns: 0, ..effort })?),
            None => None,
        };
        Ok(Scores {
            factor,
            reduced_by: blur.clone(),
            bicubic: score(none)?,
            projected,
            ours: score(effort)?,
        })
    });
    each.collect()
}

/// The method for `picture`, and why: the trained field only where it is no worse under any reduction that may be. Where it
/// is because the picture itself is soft, the estimated blur in `known` is left in.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn choose(
    picture: &Picture,
    scale: f64,
    (known, noise): (&mut Known, f64),
    effort: Effort,
    job: &mut Job,
) -> Result<(UpscaleMethod, String), Error> {
    let gain = |scores: &Scores| scores.ours - scores.bicubic;
    let mut chosen = UpscaleMethod::Inr;
    let mut why = String::from("the picture is too small to judge by");
    for soft in [false, true] {
        let scores = scores(picture, scale, (known, noise), (effort, soft), job)?;
        let Some(worst) = scores.iter().min_by(|a, b| gain(a).total_cmp(&gain(b))) else {
            break;
        };
        chosen = worst.method();
        if chosen == UpscaleMethod::Inr || !soft {
            why = worst.to_string();
        }
        match (chosen, known.estimate) {
            (UpscaleMethod::Inr, Some(found)) if soft => {
                known.estimate = Some(found.without_blur());
                why += ", with the blur left in";
                break;
            }
            (UpscaleMethod::Inr, _) | (_, None) => break,
            _ => {}
        }
    }
    Ok((chosen, format!("method {chosen}: {why}")))
}

/// What `picture` without noise of this deviation shows of how it came about.
pub(super) fn estimate(picture: &Picture, noise: f64) -> Estimate {
    Estimate::of_picture(picture, |part| clean(picture, part, noise))
}

/// Luma of a part of the picture without noise of this deviation.
fn clean(picture: &Picture, part: &Part, deviation: f64) -> Vec<f32> {
    let mut planes = planes(picture, part);
    planes.truncate(1);
    let size = [picture.width() as usize, picture.height() as usize];
    noise::remove(&mut planes, part, size, picture.layout(), deviation);
    planes.swap_remove(0)
}

/// Of some parts of `sides` pixels that lie over all of the picture, the one with the largest differences in luma.
fn busiest(picture: &Picture, sides: [usize; 2]) -> Part {
    let starts = |length: u32, side: usize| {
        let room = length as usize - side;
        let steps = (2 * room).div_ceil(side).min(MOST_PARTS);
        (0..=steps).map(move |step| room * step / steps.max(1))
    };
    let mut best: Option<(f64, Part)> = None;
    for top in starts(picture.height(), sides[1]) {
        for left in starts(picture.width(), sides[0]) {
            let part = [left..left + sides[0], top..top + sides[1]];
            let luma = &planes(picture, &part)[0];
            let steps = luma
                .windows(2)
                .map(|two| f64::from((two[1] - two[0]).abs()));
            let detail: f64 = steps.sum();
            if best.as_ref().is_none_or(|(most, _)| detail > *most) {
                best = Some((detail, part));
            }
        }
    }
    best.map_or([0..sides[0], 0..sides[1]], |(_, part)| part)
}

/// PSNR in dB.
fn closeness(a: &[f32], b: &[f32]) -> f64 {
    let errors = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    decibels(errors.sum::<f64>() / a.len() as f64)
}
