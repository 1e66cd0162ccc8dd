//! What a picture went through, told from the picture.

use super::degradation::Blur;
use super::guard::{busiest, clean};
use super::plan::{Effort, Plan};
use crate::error::Error;
use inr_image::Picture;
use inr_kernel::Job;

/// Side of the part of a picture that is looked at.
const LOOK: usize = 160;
/// Shortest side of a picture that tells anything.
const LEAST: usize = 32;
/// Logarithm of the ratio of second to first differences below which a picture is soft.
const SOFT: f64 = 0.11;
/// Logarithm of how much less averages explain than bicubic reduction, below which they are likelier.
const AVERAGED: f64 = 0.57;

/// First estimates for the comparison.
const EFFORT: Effort = Effort {
    turns: 1,
    colour_turns: 1,
    iterations: 4,
};
/// What a job counts in [`estimated`] at most.
pub(super) const UNITS: u64 = 2 * (EFFORT.turns + EFFORT.iterations) as u64;

/// The blur that `picture`, with noise of this deviation, shows signs of, and a sentence that says so.
///
/// Two signs count. Soft pictures have small second differences beside the first ones. And the networks know what bicubic
/// reduction leaves: the more of the picture their estimate explains once it is reduced by averaging, compared with
/// bicubic, the likelier is averaging. Both thresholds lie in the middle of what training pictures gave (docs/upscale has
/// how often they are right).
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn estimated(
    picture: &Picture,
    noise: f64,
    job: &mut Job,
) -> Result<(Blur, String), Error> {
    let sides = [picture.width() as usize, picture.height() as usize].map(|side| side.min(LOOK));
    if sides[0].min(sides[1]) < LEAST {
        let why = "degradation bicubic: the picture is too small to tell".into();
        return Ok((Blur::Bicubic, why));
    }
    let luma = &clean(picture, &busiest(picture, sides), noise);
    let sharpness = sharpness(luma, sides);
    if sharpness < SOFT {
        let why = format!("degradation gaussian:0.6, as edges are soft ({sharpness:.2})");
        return Ok((Blur::Gaussian(0.6), why));
    }
    let mut unexplained = |blur| {
        let large = sides.map(|side| 2 * side);
        Plan::new(sides, large, &blur, EFFORT).unexplained(luma, job)
    };
    let signs = (unexplained(Blur::Area)? / unexplained(Blur::Bicubic)?).ln();
    let blur = if signs < AVERAGED {
        Blur::Area
    } else {
        Blur::Bicubic
    };
    let why = format!("degradation {blur}, by its traces ({signs:.2})");
    Ok((blur, why))
}

/// Logarithm of the mean second difference over the mean first one.
fn sharpness(plane: &[f32], [width, height]: [usize; 2]) -> f64 {
    let mean = |lines: usize, across: usize, along: usize, count: usize, second: bool| {
        let mut sum = 0.0;
        for line in 0..lines {
            for at in 0..count - 1 - usize::from(second) {
                let value = |offset: usize| plane[line * across + (at + offset) * along];
                let difference = if second {
                    value(2) - 2.0 * value(1) + value(0)
                } else {
                    value(1) - value(0)
                };
                sum += f64::from(difference.abs());
            }
        }
        sum / (lines * (count - 1 - usize::from(second))) as f64
    };
    let both = |second| {
        mean(height, width, 1, width, second) + mean(width, 1, width, height, second) + 1e-9
    };
    (both(true) / both(false)).ln()
}
