//! Networks fitted to objectives step by step, for study: any loss, any recipe, resumed where it was.

use std::sync::Arc;

use inr_formats::Mlp;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::descent::{Descent, Method};
use super::engine::{Engine, Trainee};
use super::fused_engine::FusedEngine;

use super::host_descent::HostDescent;
use super::init::{InitializationPair, initial_parameters};
use super::lattice_engine::LatticeEngine;
use super::objective::Objective;
use super::optimiser::OptimizerChoice;
use super::picture_engine::{PictureEngine, WholePicture};
use super::samples::Sampler;
use crate::error::Error;
use inr_kernel::Network;
use inr_kernel::{Backend, default_threads};

/// How a network is made and trained.
#[derive(Clone, Debug)]
pub struct FitRecipe {
    /// The network; its grid is that of the objective.
    pub mlp: Mlp,
    /// How weights start; the usual scheme of the activation by default.
    pub initialization: Option<InitializationPair>,
    /// The optimiser.
    pub optimizer: OptimizerChoice,
    /// Peak learning rate.
    pub rate: f32,
    /// Share of the steps over which the rate rises; a constant rate has no rise.
    pub warm_up: f64,
    /// Pixels per step, drawn without replacement; all of them when it is larger.
    pub batch: usize,
    /// Steps.
    pub steps: u64,
    /// Of weights and of the order of pixels.
    pub seed: u64,
    /// CPU threads; all by default. The result is the same for any number.
    pub threads: Option<usize>,
}

impl FitRecipe {
    /// The network before any training.
    pub fn initial_network(&self, channels: usize) -> Network {
        let trainee = Trainee {
            mlp: self.mlp.clone(),
            channels,
        };
        trainee.fold(&self.start(&trainee))
    }

    fn start(&self, trainee: &Trainee) -> Vec<f32> {
        let usual = InitializationPair::standard(trainee.mlp.activation);
        initial_parameters(trainee, self.initialization.unwrap_or(usual), self.seed)
    }
}

/// A fit under way.
pub struct FieldFit {
    trainee: Trainee,
    steps: u64,
    step: u64,
    sampler: Sampler,
    descent: HostDescent<Box<dyn Engine>>,
    pixels: usize,
}

impl FieldFit {
    /// A fit of `recipe`'s network to `objective` that has not begun.
    ///
    /// # Errors
    /// [`Error::Misuse`] for an objective that makes no sense, [`Error::Io`] when no thread can be started.
    pub fn new(objective: Objective, recipe: &FitRecipe) -> Result<Self, Error> {
        let picture = objective.picture.clone();
        let samples = Arc::new(objective.samples()?);
        let trainee = Trainee {
            mlp: Mlp {
                grid: samples.grid,
                ..recipe.mlp.clone()
            },
            channels: samples.channels,
        };
        let start = recipe.start(&trainee);
        let rng = ChaCha8Rng::seed_from_u64(recipe.seed ^ 0x5eed_ba7c_4e5a_3b1d);
        let pixels = samples.pixels();
        let sampler = Sampler::new(pixels, recipe.batch, rng);
        let threads = recipe.threads.unwrap_or_else(default_threads);
        let (of, backend) = (trainee.clone(), Backend::detect());
        let whole = picture.map(|term| {
            let whole = WholePicture::new(of.clone(), &samples, backend, threads)?;
            Ok::<_, Error>((whole, term))
        });
        let whole = whole.transpose()?;
        let mut engine: Box<dyn Engine> = if recipe.batch >= pixels && LatticeEngine::fits(&samples)
        {
            Box::new(LatticeEngine::new(of, samples, backend, threads)?)
        } else {
            Box::new(FusedEngine::new(of, samples, backend, threads)?)
        };
        if let Some((whole, term)) = whole {
            engine = Box::new(PictureEngine::new(engine, whole, term));
        }
        let method = Method {
            choice: recipe.optimizer,
            rate: recipe.rate,
            warm_up: (recipe.warm_up * recipe.steps as f64) as u64,
            rounding: None,
        };
        Ok(Self {
            trainee,
            steps: recipe.steps.max(1),
            step: 0,
            sampler,
            descent: HostDescent::new(engine, &start, method),
            pixels,
        })
    }

    /// Goes on from a checkpoint of a fit with the same objective and recipe.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a checkpoint of another network, or with more steps.
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<(), Error> {
        let other = || Error::Misuse {
            what: format!("a checkpoint of {} bytes", checkpoint.len()),
            want: "give one of a fit with the same network and at least as many steps",
        };
        let length = 8 + 4 * self.descent.optimiser().len();
        let (step, state) = checkpoint.split_first_chunk::<8>().ok_or_else(other)?;
        let step = u64::from_le_bytes(*step);
        if checkpoint.len() != length || !(self.step..=self.steps).contains(&step) {
            return Err(other());
        }
        let values = state.chunks_exact(4);
        let state = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let taken = step - self.step;
        self.sampler.skip(taken);
        self.descent.restore(&state.collect::<Vec<_>>(), taken)?;
        self.step = step;
        Ok(())
    }

    /// Everything that [`FieldFit::resume`] needs.
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut bytes = self.step.to_le_bytes().to_vec();
        let state = self.descent.optimiser().iter();
        bytes.extend(state.flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// Takes one step and returns the mean loss over its pixels and channels, which is infinite or no number once the fit
    /// has diverged.
    ///
    /// # Errors
    /// [`Error::Device`] when a thread has ended.
    pub fn step(&mut self) -> Result<f64, Error> {
        let progress = self.step as f64 / self.steps as f64;
        let loss = self.descent.step(self.sampler.draw(), progress)?;
        self.step += 1;
        Ok(loss.unwrap_or(f64::NAN))
    }

    /// Steps taken.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// True when all of the recipe's steps are taken.
    pub fn is_finished(&self) -> bool {
        self.step >= self.steps
    }

    /// Visits of every pixel so far.
    pub fn epochs(&self) -> f64 {
        self.step as f64 * self.sampler.batch() as f64 / self.pixels as f64
    }

    /// The network as it is.
    ///
    /// # Errors
    /// [`Error::Device`] when its weights cannot be had.
    pub fn network(&self) -> Result<Network, Error> {
        Ok(self.trainee.fold(&self.descent.solution()?))
    }

    /// The network's shape.
    pub fn mlp(&self) -> &Mlp {
        &self.trainee.mlp
    }
}
