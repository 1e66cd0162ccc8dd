//! The search for a network that reaches a PSNR: a larger one, then one with another omega0 or learning rate, then a longer
//! fit.

use crate::fit::NetworkOptions;
use crate::fit::plan::Plan;

/// How a fit differs from the plan that the encoder makes by itself; a factor of 1 changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Weights that the network has, about.
    pub(super) parameters: f64,
    omega_first: f32,
    rate: f32,
    epochs: f64,
}

impl Effort {
    fn new(parameters: f64) -> Self {
        Self {
            parameters,
            omega_first: 1.0,
            rate: 1.0,
            epochs: 1.0,
        }
    }

    pub(super) fn apply(&self, plan: &mut Plan) {
        plan.mlp.omega_first *= self.omega_first;
        plan.rate *= self.rate;
        plan.epochs *= self.epochs;
    }
}

/// One way to go on from the best fit so far.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Grow,
    Omega,
    Rate,
    Longer,
}

/// Factor of a growing network at least, and the dB that four times as many weights bring.
const GROWTH: f64 = 1.8;
/// Factors of the other steps. Twice omega0 oversteps the best one at 256 px.
const OMEGA_STEP: f32 = 1.4;
const RATE_STEP: f32 = 1.5;
const LONGER: f64 = 2.0;
/// A step that brings less is not repeated, in dB; when none brings more, the search ends.
const GAIN: f64 = 0.1;
/// Fits at most.
const FITS: u32 = 24;

/// Where the search stands.
pub(super) struct Pursuit {
    target: f64,
    best: Option<(f64, Effort)>,
    step: Step,
    steps: Vec<Step>,
    gained: bool,
    fits: u32,
}

impl Pursuit {
    /// A search that starts with `parameters` weights and leaves alone what `options` fix.
    pub(super) fn new(parameters: f64, target: f64, options: &NetworkOptions) -> (Self, Effort) {
        let sine = options.architecture.activation() == inr_formats::Activation::Sine;
        let steps = [
            (Step::Grow, options.hidden.is_none()),
            (Step::Omega, sine && options.omega_first.is_none()),
            (Step::Rate, options.learning_rate.is_none()),
            (Step::Longer, options.epochs.is_none()),
        ];
        let steps: Vec<Step> = steps
            .iter()
            .filter(|(_, free)| *free)
            .map(|(step, _)| *step)
            .collect();
        let pursuit = Self {
            target,
            best: None,
            step: steps.first().copied().unwrap_or(Step::Longer),
            steps,
            gained: true,
            fits: 0,
        };
        (pursuit, Effort::new(parameters))
    }

    /// Whether a fit with `psnr` dB is the best one so far.
    pub(super) fn best(&self, psnr: f64) -> bool {
        self.best.is_none_or(|(best, _)| best < psnr)
    }

    /// The effort of the next fit after one that brought `psnr` dB, or none when the target is reached or nothing helps any
    /// more. `largest`: the network cannot grow.
    pub(super) fn next(&mut self, tried: Effort, psnr: f64, largest: bool) -> Option<Effort> {
        self.fits += 1;
        let first = self.best.is_none();
        let before = self.best.map_or(f64::NEG_INFINITY, |(psnr, _)| psnr);
        if self.best(psnr) {
            self.best = Some((psnr, tried));
        }
        if psnr >= self.target || self.fits == FITS {
            return None;
        }
        if largest {
            self.steps.retain(|step| *step != Step::Grow);
        }
        let helped = psnr >= before + GAIN;
        self.gained |= helped;
        if !first && !helped || !self.steps.contains(&self.step) {
            self.step = self.after()?;
        }
        let (reached, best) = self.best?;
        Some(self.stepped(best, reached))
    }

    /// The step after one that helped no more.
    fn after(&mut self) -> Option<Step> {
        let later = self
            .steps
            .iter()
            .find(|step| **step as u8 > self.step as u8);
        if let Some(step) = later {
            return Some(*step);
        }
        // Another round, if this one brought anything.
        std::mem::take(&mut self.gained)
            .then(|| self.steps.first().copied())
            .flatten()
    }

    fn stepped(&self, mut effort: Effort, reached: f64) -> Effort {
        match self.step {
            Step::Grow => {
                let more = ((self.target - reached - 3.0) / 6.0).exp2().clamp(1.0, 4.0);
                effort.parameters *= GROWTH * more;
            }
            Step::Omega => effort.omega_first *= OMEGA_STEP,
            Step::Rate => effort.rate *= RATE_STEP,
            Step::Longer => effort.epochs *= LONGER,
        }
        effort
    }
}
