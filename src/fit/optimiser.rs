//! Optimisers over one flat parameter vector.

use crate::error::Error;
use crate::options::unknown_name;

/// Which optimiser, chosen by the caller.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", parse_err_ty = Error, parse_err_fn = unknown_optimizer)]
pub enum OptimizerChoice {
    /// Schedule-Free Adam (Defazio et al. 2024, arXiv:2405.15682): good at any time, no horizon needed.
    ScheduleFree,
    /// Adam (Kingma and Ba 2015, arXiv:1412.6980) with a rate that falls to zero as the square of what is left of the fit.
    #[default]
    Adam,
    /// Adam at a constant rate, as in the study.
    AdamConstant,
}

fn unknown_optimizer(name: &str) -> Error {
    unknown_name::<OptimizerChoice>("optimizer", name)
}

pub(super) const BETA1: f32 = 0.9;
pub(super) const BETA2: f32 = 0.999;
pub(super) const EPSILON: f32 = 1e-8;

/// One step's coefficients: everything about it that does not depend on the parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// `share` of the average is the newest iterate; `correction` makes up for the second moment's start at zero.
    ScheduleFree {
        /// Learning rate.
        rate: f32,
        /// Of the second moment.
        correction: f32,
        /// Share of the newest iterate in the average.
        share: f32,
    },
    /// The corrections make up for the moments' start at zero.
    Adam {
        /// Learning rate.
        rate: f32,
        /// Of the first moment.
        first_correction: f32,
        /// Of the second moment.
        second_correction: f32,
    },
}

/// Learning rate and averaging over the steps of a fit.
#[derive(Clone, Debug)]
pub struct Schedule {
    choice: OptimizerChoice,
    rate: f32,
    warm_up: u64,
    step: u64,
    averaged: f64,
}

impl Schedule {
    /// Peak learning rate `rate`, reached after `warm_up` steps.
    pub fn new(choice: OptimizerChoice, rate: f32, warm_up: u64) -> Self {
        Self {
            choice,
            rate,
            warm_up,
            step: 0,
            averaged: 0.0,
        }
    }

    /// Leaves out `steps` steps; what comes after them does not depend on the progress at them.
    pub fn skip(&mut self, steps: u64) {
        for _ in 0..steps {
            self.next(0.0);
        }
    }

    /// The next step, with `progress` 0.0..=1.0 of the whole fit done.
    pub fn next(&mut self, progress: f64) -> Update {
        self.step += 1;
        let warm = (self.step as f32 / self.warm_up.max(1) as f32).min(1.0);
        let correction = |beta: f32| 1.0 / (1.0 - beta.powf(self.step as f32));
        let rate = match self.choice {
            OptimizerChoice::ScheduleFree => {
                let rate = self.rate * warm;
                let weight = f64::from(rate) * f64::from(rate);
                self.averaged += weight;
                return Update::ScheduleFree {
                    rate,
                    correction: correction(BETA2),
                    share: (weight / self.averaged.max(f64::MIN_POSITIVE)) as f32,
                };
            }
            OptimizerChoice::Adam => {
                // Half a cosine stays high for longer, where hard pictures learn nothing: at 0.6 bits per pixel kodim24
                // ends at 25.2 dB with it and at 26.5 dB so.
                let left = 1.0 - progress.clamp(0.0, 1.0);
                self.rate * warm * (left * left) as f32
            }
            OptimizerChoice::AdamConstant => self.rate,
        };
        Update::Adam {
            rate,
            first_correction: correction(BETA1),
            second_correction: correction(BETA2),
        }
    }
}

/// State of an optimiser for `n` parameters, shape `[3, n]`: where the gradient is taken (`y` in the Schedule-Free paper,
/// the parameters themselves for Adam), Adam's first moment or Schedule-Free's base iterate `z`, and the second moment.
pub struct State(pub Vec<f32>);

impl State {
    /// Starts at `parameters`.
    pub fn new(choice: OptimizerChoice, parameters: &[f32]) -> Self {
        let mut state = parameters.to_vec();
        if choice == OptimizerChoice::ScheduleFree {
            state.extend_from_slice(parameters);
        }
        state.resize(3 * parameters.len(), 0.0);
        Self(state)
    }

    /// Where the next gradient is taken.
    pub fn point(&self) -> &[f32] {
        &self.0[..self.0.len() / 3]
    }

    /// The parameters to keep.
    pub fn solution(&self, choice: OptimizerChoice) -> Vec<f32> {
        match choice {
            OptimizerChoice::ScheduleFree => {
                let pairs = self.point().iter().zip(&self.0[self.0.len() / 3..]);
                pairs
                    .map(|(y, z)| (y - (1.0 - BETA1) * z) / BETA1)
                    .collect()
            }
            _ => self.point().to_vec(),
        }
    }
}

impl Update {
    /// Steps along `gradient` of `n` parameters; `state` has shape `[3, n]`, as in [`State`].
    pub fn apply(self, state: &mut [f32], gradient: &[f32]) {
        let (point, rest) = state.split_at_mut(gradient.len());
        let (first, second) = rest.split_at_mut(gradient.len());
        let state = point.iter_mut().zip(first).zip(second).zip(gradient);
        match self {
            Self::ScheduleFree {
                rate,
                correction,
                share,
            } => {
                for (((y, z), v), &g) in state {
                    *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                    let x = (*y - (1.0 - BETA1) * *z) / BETA1;
                    *z -= rate * g / ((*v * correction).sqrt() + EPSILON);
                    let x = (1.0 - share) * x + share * *z;
                    *y = (1.0 - BETA1) * *z + BETA1 * x;
                }
            }
            Self::Adam {
                rate,
                first_correction,
                second_correction,
            } => {
                for (((parameter, m), v), &g) in state {
                    *m = BETA1 * *m + (1.0 - BETA1) * g;
                    *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                    *parameter -=
                        rate * *m * first_correction / ((*v * second_correction).sqrt() + EPSILON);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_optimiser_descends_a_quadratic() {
        for choice in [
            OptimizerChoice::ScheduleFree,
            OptimizerChoice::Adam,
            OptimizerChoice::AdamConstant,
        ] {
            let target = [1.0_f32, -2.0, 0.5];
            let mut schedule = Schedule::new(choice, 0.05, 5);
            let mut state = State::new(choice, &[0.0; 3]);
            for step in 0..600 {
                let gradient: Vec<f32> = state
                    .point()
                    .iter()
                    .zip(target)
                    .map(|(p, t)| 2.0 * (p - t))
                    .collect();
                let update = schedule.next(f64::from(step) / 600.0);
                update.apply(&mut state.0, &gradient);
            }
            let error = state
                .solution(choice)
                .iter()
                .zip(target)
                .map(|(p, t)| (p - t).abs())
                .fold(0.0, f32::max);
            assert!(error < 0.05, "{choice:?}: {error}");
        }
    }
}
