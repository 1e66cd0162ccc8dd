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
    (2 * PLAUSIBLE.len() * (effort.turns + 2 * effort.iterations)) as u64
}

/// PSNRs in dB of what methods restore of a reduced copy.
struct Scores {
    factor: usize,
    reduced_by: Blur,
    ours: f64,
    /// Where the reduction is known.
    projected: Option<f64>,
    bicubic: f64,
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

/// The busiest part of a picture, and copies of it that are `factor` times smaller.
struct Trial {
    factor: usize,
    sides: [usize; 2],
    luma: Vec<f32>,
    copies: Vec<Reduced>,
}

/// A reduced copy. Methods see no more than that.
struct Reduced {
    reduced_by: Blur,
    small: Vec<f32>,
    /// What the copy shows of how it came about, where nobody named that.
    estimate: Option<Estimate>,
    bicubic: f64,
}

/// No effort at all: bicubic.
const NONE: Effort = Effort {
    turns: 0,
    colour_turns: 0,
    iterations: 0,
};

impl Trial {
    /// Of the busiest part of `picture`, of this noise, reduced as `known`, or else as may be; nothing of pictures that are
    /// too small.
    fn new(
        picture: &Picture,
        scale: f64,
        (known, noise): (&Known, f64),
        job: &mut Job,
    ) -> Result<Option<Self>, Error> {
        let factor = (scale.round() as usize).clamp(2, 4);
        let sides = [picture.width() as usize, picture.height() as usize]
            .map(|side| side.min(LOOK) / factor * factor);
        if sides[0].min(sides[1]) < LEAST * factor {
            return Ok(None);
        }
        let mut trial = Self {
            factor,
            sides,
            luma: clean(picture, &busiest(picture, sides), noise),
            copies: Vec::new(),
        };
        let blurs = match &known.blur {
            Some(blur) => std::slice::from_ref(blur),
            None => &PLAUSIBLE,
        };
        for blur in blurs {
            let size = trial.small_size();
            // Stored samples are rounded, and so is what stands for them.
            let mut small = Operator::new(blur, sides, size).apply(&trial.luma);
            small
                .iter_mut()
                .for_each(|v| *v = (*v * 255.0).round() / 255.0);
            let estimate = match known.blur {
                Some(_) => None,
                None => Some(Estimate::of_plane(&small, size)),
            };
            let mut copy = Reduced {
                reduced_by: blur.clone(),
                small,
                estimate,
                bicubic: 0.0,
            };
            copy.bicubic = trial.restored(&copy, Known::default(), NONE, job)?;
            trial.copies.push(copy);
        }
        Ok(Some(trial))
    }

    fn small_size(&self) -> [usize; 2] {
        self.sides.map(|side| side / self.factor)
    }

    /// PSNR in dB of what a method makes of a copy.
    fn restored(
        &self,
        copy: &Reduced,
        known: Known,
        effort: Effort,
        job: &mut Job,
    ) -> Result<f64, Error> {
        let plan = Plan::new(self.small_size(), self.sides, known, effort);
        let whole = [0..self.sides[0], 0..self.sides[1]];
        let found = plan.render(&whole, std::slice::from_ref(&copy.small), job)?;
        Ok(closeness(&self.luma, &found[0]))
    }

    /// The scores where the trained field gains least on bicubic. With `soft` no method takes an estimated blur out.
    fn worst(
        &self,
        known: &Known,
        (effort, soft): (Effort, bool),
        job: &mut Job,
    ) -> Result<Scores, Error> {
        let mut all = Vec::new();
        for copy in &self.copies {
            let estimate = match soft {
                true => copy.estimate.map(Estimate::without_blur),
                false => copy.estimate,
            };
            // Little is left of a compression in a reduced copy.
            let known = Known {
                compression: Compression::None,
                estimate,
                ..known.clone()
            };
            let projected = match known.blur {
                Some(_) => {
                    let effort = Effort { turns: 0, ..effort };
                    Some(self.restored(copy, known.clone(), effort, job)?)
                }
                None => None,
            };
            all.push(Scores {
                factor: self.factor,
                reduced_by: copy.reduced_by.clone(),
                bicubic: copy.bicubic,
                projected,
                ours: self.restored(copy, known, effort, job)?,
            });
        }
        let gain = |scores: &Scores| scores.ours - scores.bicubic;
        let worst = all.into_iter().min_by(|a, b| gain(a).total_cmp(&gain(b)));
        Ok(worst.expect("there is a copy for every reduction, and there are reductions"))
    }
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
    let Some(trial) = Trial::new(picture, scale, (known, noise), job)? else {
        let why = "method inr: the picture is too small to judge by".into();
        return Ok((UpscaleMethod::Inr, why));
    };
    let bold = trial.worst(known, (effort, false), job)?;
    let method = bold.method();
    if method != UpscaleMethod::Inr
        && let Some(found) = known.estimate
    {
        let soft = trial.worst(known, (effort, true), job)?;
        if soft.method() == UpscaleMethod::Inr {
            known.estimate = Some(found.without_blur());
            let why = format!("method inr: {soft}, with the blur left in");
            return Ok((UpscaleMethod::Inr, why));
        }
    }
    Ok((method, format!("method {method}: {bold}")))
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
