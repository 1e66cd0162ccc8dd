//! Networks fitted to any objective, for study; [`mod@crate::encode`] fits them to pictures.
//!
//! Of this crate only this module and `device.rs` name candle.

mod bench;
#[cfg(feature = "candle")]
mod candle_engine;
#[cfg(feature = "candle")]
mod candle_graph;
#[cfg(feature = "candle")]
mod candle_ops;
mod checkpoint;
pub(crate) mod checkpoint_error;
mod course;
mod descent;
mod engine;
mod field_fit;
mod fused_engine;
mod host_descent;
mod init;
mod lattice_engine;
mod objective;
mod optimiser;
mod picture_engine;
#[cfg(feature = "candle")]
mod plain_candle;
pub(crate) mod plan;
mod pool;
#[cfg(feature = "candle")]
mod resident;
mod samples;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod steps;
mod trainer;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use bench::{EngineBench, EngineFigure, engine_bench};
pub(crate) use checkpoint::{Journal, picture_digest};
pub use checkpoint_error::CheckpointError;
pub use field_fit::{FieldFit, FitRecipe};
pub use init::{Initialization, InitializationPair};
pub use objective::{Anchor, Expression, Objective, ObjectiveTerm, PictureLoss, PictureTerm};
pub use optimiser::OptimizerChoice;
#[doc(hidden)]
pub use optimiser::{Schedule, State};
pub(crate) use samples::Samples as TrainingSamples;
pub(crate) use settings::NetworkOptions;
pub(crate) use state::StopReason;

use crate::device::OpenDevice;
use crate::error::Error;
use crate::fit::OptimizerChoice as Choice;
use crate::fit::steps::Steps;
use crate::progress::{Observer, Phase};
use course::engine_on;
use engine::Trainee;
use inr_kernel::Network;
use plan::Plan;
pub(crate) use state::FitOutcome;
use trainer::Recipe;

/// Fits networks to one picture's samples.
pub(crate) struct Fit<'a> {
    pub(crate) samples: Arc<TrainingSamples>,
    pub(crate) device: OpenDevice,
    pub(crate) device_name: String,
    pub(crate) threads: usize,
    pub(crate) options: &'a NetworkOptions,
    pub(crate) time_budget: Option<Duration>,
    pub(crate) started: Instant,
    pub(crate) journal: Journal,
}

/// The moment at which `share` of `budget` is spent.
pub(crate) fn deadline(started: Instant, budget: Option<Duration>, share: f64) -> Option<Instant> {
    budget.map(|budget| started + budget.mul_f64(share))
}

/// Share of the steps over which the learning rate rises.
const WARM_UP: f64 = 0.05;
/// Share of the epochs, and of a time budget, that goes to fine-tuning with rounded weights. At 4.4 bits a weight rounding
/// costs 2 dB, of which this brings back all but 0.1 (kodim07, kodim18, 6 x 50, 12 epochs in all).
const TUNING_SHARE: f64 = 0.4;
/// Fine-tuning's peak learning rate over the fit's.
const TUNING_RATE: f32 = 0.3;

impl Fit<'_> {
    /// Fits `plan`'s network from its initialisation, until `target` dB if there is one.
    pub(crate) fn run(
        &mut self,
        plan: &Plan,
        target: Option<f64>,
        observer: &mut dyn Observer,
    ) -> Result<FitOutcome, Error> {
        let trainee = self.trainee(plan);
        let pair = self.options.initialization;
        let pair = pair.unwrap_or_else(|| InitializationPair::standard(plan.mlp.activation));
        let share = 1.0
            - if self.options.float {
                0.0
            } else {
                TUNING_SHARE
            };
        let start = init::initial_parameters(&trainee, pair, self.options.seed);
        let recipe = Recipe {
            phase: Phase::Fit,
            optimizer: self.options.optimizer,
            rate: plan.rate,
            epochs: plan.epochs * share,
            batch: plan.batch,
            warm_up: WARM_UP,
            rounding: None,
            seed: self.options.seed,
            target_psnr: target,
            deadline: deadline(self.started, self.time_budget, share),
            started: self.started,
        };
        self.train(&trainee, &start, &recipe, observer)
    }

    /// Fine-tunes what was `fitted` with weights rounded to `steps` in every forward pass (straight-through estimator,
    /// Bengio et al. 2013, arXiv:1308.3432); the latent weights that come back still want rounding.
    pub(crate) fn tune(
        &mut self,
        plan: &Plan,
        fitted: &FitOutcome,
        steps: &Steps,
        observer: &mut dyn Observer,
    ) -> Result<FitOutcome, Error> {
        let trainee = self.trainee(plan);
        let tensors = trainee.tensor_lengths().into_iter().zip(&steps.0);
        let rounding = tensors.enumerate().flat_map(|(index, (length, step))| {
            // Steps are of the folded weights.
            std::iter::repeat_n(step / trainee.omega(index / 2), length)
        });
        let recipe = Recipe {
            phase: Phase::Quantise,
            optimizer: Choice::Adam,
            rate: fitted.rate * TUNING_RATE,
            epochs: plan.epochs * TUNING_SHARE,
            batch: plan.batch,
            warm_up: WARM_UP,
            rounding: Some(rounding.collect()),
            seed: self.options.seed.wrapping_add(1),
            target_psnr: None,
            deadline: deadline(self.started, self.time_budget, 1.0),
            started: self.started,
        };
        self.train(&trainee, &fitted.parameters, &recipe, observer)
    }

    /// The network that `parameters` describe.
    pub(crate) fn network(&self, plan: &Plan, parameters: &[f32]) -> Network {
        self.trainee(plan).fold(parameters)
    }

    fn trainee(&self, plan: &Plan) -> Trainee {
        Trainee {
            mlp: plan.mlp.clone(),
            channels: self.samples.channels,
        }
    }

    /// Trains `start`, unless an earlier run did.
    fn train(
        &mut self,
        trainee: &Trainee,
        start: &[f32],
        recipe: &Recipe,
        observer: &mut dyn Observer,
    ) -> Result<FitOutcome, Error> {
        if let Some(outcome) = self.journal.earlier(start.len())? {
            return Ok(outcome);
        }
        let samples = self.samples.clone();
        let mut engine = engine_on(&self.device, trainee, samples, self.threads)?;
        let outcome = trainer::train(
            trainee,
            &self.samples,
            engine.as_mut(),
            start,
            recipe,
            &mut self.journal,
            observer,
        )?;
        self.journal.note(&outcome);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
