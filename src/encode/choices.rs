//! What the pyramid's encoder chooses: steps of planes and levels, masking and the price of bits, by metric and quality.

use std::ops::Range;

use inr_formats::latents::Partition;

use super::common::between;
use super::options::Metric;
use super::quantisation::{Quantisation, UNIT};
use crate::field::pyramid::colours;

/// Step of the two quantisers together where one alone would have 1, at about the same error.
const DENSITY: f32 = 0.615;
/// Price of a bit in squared steps, found on photographs at 0.2 to 2 bits per pixel.
const LAMBDA: f32 = 0.26;
/// Steps that a search looks between, in units of the value range; see [`finest_step`] too.
pub(super) const STEPS: [f32; 2] = [2e-7, 64.0];
/// Strength of masking, in sixteenths.
const MASKING: u8 = 8;
/// Steps, in units of the value range, from which on all of the eye's weights count, and up to which none does: near exact
/// samples every error is one step of the samples.
const FADE: [f32; 2] = [0.4 / 255.0, 4.0 / 255.0];

/// The step of a quality in units of the value range: the one that gives photographs the mean SSIMULACRA2 that cjxl 0.11 gives
/// them at that quality (effort 7, over Kodak).
pub(super) fn quality_step(quality: f64, metric: Metric) -> f32 {
    // Quality, the step for the eye, and the step for the squared error.
    const STEPS: [(f64, f64, f64); 17] = [
        (0.0, 186.06, 138.93),
        (5.0, 144.53, 108.98),
        (10.0, 119.95, 92.92),
        (15.0, 94.67, 76.15),
        (20.0, 75.59, 62.55),
        (30.0, 53.23, 46.91),
        (40.0, 46.21, 41.57),
        (50.0, 38.92, 35.8),
        (60.0, 31.58, 29.84),
        (70.0, 23.86, 23.04),
        (75.0, 20.36, 19.84),
        (80.0, 16.42, 16.28),
        (87.0, 11.1, 11.09),
        (90.0, 8.99, 9.05),
        (95.0, 5.04, 3.91),
        (98.0, 2.94, 2.22),
        (100.0, 1.5, 1.5),
    ];
    let steps = STEPS.map(|(quality, seen, plain)| match metric {
        Metric::Perceptual => (quality, seen),
        _ => (quality, plain),
    });
    (between(&steps, quality) / 255.0) as f32
}

/// The finest step with which the coefficients of `levels` still fit the coder's integers: each level may double them.
pub(super) fn finest_step(levels: u8) -> f32 {
    let most = i32::MAX as f32 / UNIT;
    STEPS[0].max(f32::from(levels).exp2() / most / DENSITY)
}

/// What an encoder chooses besides the step.
#[derive(Clone)]
pub(super) struct Choices {
    /// Price of a bit relative to [`LAMBDA`]; the step shrinks as it grows, so that error and rate weigh the same.
    pub(super) price: f32,
    pub(super) relative_steps: Vec<i8>,
    /// See [`inr_formats::Latents::masking`].
    pub(super) masking: u8,
    /// The relative steps that the metric asks for.
    pub(super) seen: Vec<i8>,
}

impl Choices {
    /// The same with every step of `planes` at `levels` finer or coarser by sixteenths of an octave.
    pub(super) fn shifted(
        &self,
        by: i8,
        planes: &Range<usize>,
        levels: &Range<u8>,
        partition: &Partition,
    ) -> Self {
        let mut choices = self.clone();
        let count = usize::from(partition.levels) + 1;
        choices
            .relative_steps
            .resize(count * usize::from(partition.planes), 0);
        for (index, step) in choices.relative_steps.iter_mut().enumerate() {
            if planes.contains(&(index / count)) && levels.contains(&((index % count) as u8)) {
                *step = step.saturating_add(by).clamp(-64, 64);
            }
        }
        choices
    }

    pub(super) fn quantisation(&self, step: f32) -> Quantisation {
        let [none, full] = FADE;
        let share = ((step / none).ln() / (full / none).ln()).clamp(0.0, 1.0);
        let faded = |value: f32| (share * value).round();
        let all = |steps: &[i8]| {
            let steps = steps.iter().map(|by| faded(f32::from(*by)) as i8);
            steps.collect()
        };
        Quantisation {
            step: DENSITY * step / self.price.sqrt(),
            relative_steps: all(&self.relative_steps),
            lambda: LAMBDA * self.price,
            masking: faded(f32::from(self.masking)) as u8,
            seen: all(&self.seen),
        }
    }
}

/// A change of steps: sixteenths of an octave, of which planes, at which levels.
type Shift = (i8, Range<usize>, Range<u8>);

/// Steps and the price that the metric asks for. SSIM gains from faint texture that the squared error gives up, and hears
/// little of colour. The eye's are those with the least bits for the same SSIMULACRA2 on crops of training photographs at
/// 0.2 to 2 bits per pixel: it sees coarse structure first, and the finest colour last.
pub(super) fn choices(metric: Metric, partition: &Partition) -> Choices {
    let colours = colours(usize::from(partition.planes));
    let (all, tints) = (0..colours, 1..colours);
    // A step of the coarsest band spreads over fewer pixels in small pictures, where contours would show.
    let coarse = 6 * (5 - partition.levels.clamp(3, 5) as i8);
    let (red, blue) = (1..colours.min(2), 2.min(colours)..colours);
    let (price, masking, shifts): (f32, u8, &[Shift]) = match metric {
        Metric::Mse => (1.0, 0, &[]),
        Metric::Ssim => (
            0.6,
            0,
            &[
                (2, all.clone(), 1..2),
                (-2, all.clone(), 2..3),
                (-1, all.clone(), 3..32),
                (-1, all, 0..1),
                (7, tints, 0..32),
            ],
        ),
        Metric::Perceptual => (
            0.65,
            MASKING,
            &[
                (-13 - coarse, all, 0..1),
                (8, 0..1, 1..2),
                (-2, 0..1, 2..3),
                (-12, 0..1, 3..4),
                (-17, 0..1, 4..32),
                (18, red.clone(), 1..2),
                (6, red.clone(), 2..3),
                (1, red, 4..32),
                (36, blue.clone(), 1..2),
                (10, blue.clone(), 2..3),
                (4, blue.clone(), 3..4),
                (-2, blue, 4..32),
            ],
        ),
    };
    let mut choices = Choices {
        price,
        relative_steps: Vec::new(),
        masking,
        seen: Vec::new(),
    };
    for (by, planes, levels) in shifts {
        choices = choices.shifted(*by, planes, levels, partition);
    }
    choices.seen = choices.relative_steps.clone();
    choices
}
