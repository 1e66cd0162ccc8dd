//! Optimisers over one flat parameter vector.

/// Which optimiser, chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerChoice {
    /// Schedule-Free Adam (Defazio et al. 2024, arXiv:2405.15682): good at any time, no horizon needed.
    ScheduleFree,
    /// Adam (Kingma and Ba 2015, arXiv:1412.6980) with cosine decay to zero.
    Adam,
    /// Adam at a constant rate, as in the study.
    AdamConstant,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// State of an optimiser. The gradient is wanted at [`Optimiser::point`]; the result is [`Optimiser::solution`].
pub(crate) struct Optimiser {
    choice: OptimizerChoice,
    rate: f32,
    warm_up: u64,
    step: u64,
    /// Where the gradient is taken (`y` in the Schedule-Free paper; the parameters themselves for Adam).
    point: Vec<f32>,
    /// Adam's first moment, or Schedule-Free's base iterate `z`.
    first: Vec<f32>,
    second: Vec<f32>,
    averaged: f64,
}

impl Optimiser {
    /// Starts at `parameters` with peak learning rate `rate`, reached after `warm_up` steps.
    pub(crate) fn new(
        choice: OptimizerChoice,
        parameters: Vec<f32>,
        rate: f32,
        warm_up: u64,
    ) -> Self {
        let first = match choice {
            OptimizerChoice::ScheduleFree => parameters.clone(),
            _ => vec![0.0; parameters.len()],
        };
        Self {
            choice,
            rate,
            warm_up,
            step: 0,
            second: vec![0.0; parameters.len()],
            point: parameters,
            first,
            averaged: 0.0,
        }
    }

    pub(crate) fn point(&self) -> &[f32] {
        &self.point
    }

    /// The parameters to keep.
    pub(crate) fn solution(&self) -> Vec<f32> {
        match self.choice {
            OptimizerChoice::ScheduleFree => {
                let pairs = self.point.iter().zip(&self.first);
                pairs
                    .map(|(y, z)| (y - (1.0 - BETA1) * z) / BETA1)
                    .collect()
            }
            _ => self.point.clone(),
        }
    }

    /// One step along `gradient`, with `progress` 0.0..=1.0 of the whole fit done.
    pub(crate) fn advance(&mut self, gradient: &[f32], progress: f64) {
        self.step += 1;
        let warm = (self.step as f32 / self.warm_up.max(1) as f32).min(1.0);
        match self.choice {
            OptimizerChoice::ScheduleFree => self.advance_schedule_free(gradient, self.rate * warm),
            OptimizerChoice::Adam => {
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress.clamp(0.0, 1.0)).cos());
                self.advance_adam(gradient, self.rate * warm * cosine as f32);
            }
            OptimizerChoice::AdamConstant => self.advance_adam(gradient, self.rate),
        }
    }

    fn advance_schedule_free(&mut self, gradient: &[f32], rate: f32) {
        let correction = 1.0 / (1.0 - BETA2.powf(self.step as f32));
        let weight = f64::from(rate) * f64::from(rate);
        self.averaged += weight;
        let share = (weight / self.averaged.max(f64::MIN_POSITIVE)) as f32;
        let state = self
            .point
            .iter_mut()
            .zip(&mut self.first)
            .zip(&mut self.second);
        for (((y, z), v), &g) in state.zip(gradient) {
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            let x = (*y - (1.0 - BETA1) * *z) / BETA1;
            *z -= rate * g / ((*v * correction).sqrt() + EPSILON);
            let x = (1.0 - share) * x + share * *z;
            *y = (1.0 - BETA1) * *z + BETA1 * x;
        }
    }

    fn advance_adam(&mut self, gradient: &[f32], rate: f32) {
        let first_correction = 1.0 / (1.0 - BETA1.powf(self.step as f32));
        let second_correction = 1.0 / (1.0 - BETA2.powf(self.step as f32));
        let state = self
            .point
            .iter_mut()
            .zip(&mut self.first)
            .zip(&mut self.second);
        for (((parameter, m), v), &g) in state.zip(gradient) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            *parameter -=
                rate * *m * first_correction / ((*v * second_correction).sqrt() + EPSILON);
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
            let mut optimiser = Optimiser::new(choice, vec![0.0; 3], 0.05, 5);
            for step in 0..600 {
                let gradient: Vec<f32> = optimiser
                    .point()
                    .iter()
                    .zip(target)
                    .map(|(p, t)| 2.0 * (p - t))
                    .collect();
                optimiser.advance(&gradient, f64::from(step) / 600.0);
            }
            let error = optimiser
                .solution()
                .iter()
                .zip(target)
                .map(|(p, t)| (p - t).abs())
                .fold(0.0, f32::max);
            assert!(error < 0.05, "{choice:?}: {error}");
        }
    }
}
