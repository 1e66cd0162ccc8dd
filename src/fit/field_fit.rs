//! Networks fitted to objectives step by step, for study: any loss, any recipe, resumed where it was.

use std::sync::Arc;

use inr_formats::Mlp;

use super::checkpoint::{Journal, samples_digest};
use super::course::{Course, batches, engine_on};
use super::descent::Method;
use super::engine::{Engine, Trainee};
use super::init::{InitializationPair, initial_parameters};
use super::lattice_engine::LatticeEngine;
use super::objective::Objective;
use super::optimiser::OptimizerChoice;
use super::picture_engine::{PictureEngine, WholePicture};
use super::state::{FitState, RunState, Tries};
use crate::device::{DeviceChoice, OpenDevice};
use crate::error::Error;
use crate::options::setters;
use inr_kernel::Network;
use inr_kernel::{Backend, default_threads};

/// How a network is made and trained.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FitRecipe {
    /// The network; its grid is that of the objective.
    pub mlp: Mlp,
    /// How weights start; the standard scheme of the activation by default.
    pub initialization: Option<InitializationPair>,
    /// The optimiser; Adam by default.
    pub optimizer: OptimizerChoice,
    /// Peak learning rate; 1e-3 by default.
    pub rate: f32,
    /// Share of the steps over which the rate rises, 0.05 by default; a constant rate has no rise.
    pub warm_up: f64,
    /// Pixels per step, drawn without replacement, 1,024 by default; all of them when it is larger.
    pub batch: usize,
    /// Steps; 1,000 by default.
    pub steps: u64,
    /// Of weights and of the order of pixels.
    pub seed: u64,
    /// The device that trains; losses of whole pictures are for the CPU alone.
    pub device: DeviceChoice,
    /// CPU threads; all by default. The result is the same for any number.
    pub threads: Option<usize>,
}

setters!(FitRecipe {
    initialization: impl Into<Option<InitializationPair>>,
    optimizer: OptimizerChoice,
    rate: f32,
    warm_up: f64,
    batch: usize,
    steps: u64,
    seed: u64,
    device: DeviceChoice,
    threads: impl Into<Option<usize>>,
});

impl FitRecipe {
    /// A recipe for the network `mlp`.
    pub fn new(mlp: Mlp) -> Self {
        Self {
            mlp,
            initialization: None,
            optimizer: OptimizerChoice::default(),
            rate: 1e-3,
            warm_up: 0.05,
            batch: 1_024,
            steps: 1_000,
            seed: 0,
            device: DeviceChoice::Auto,
            threads: None,
        }
    }

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
    course: Course<'static>,
    /// All but the samples that the outcome depends on, in words.
    key: String,
    digest: u64,
}

impl FieldFit {
    /// A fit of `recipe`'s network to `objective` that has not begun.
    ///
    /// # Errors
    /// [`Error::Misuse`] for an objective that makes no sense, or one that the device cannot fit, [`Error::Device`] for an
    /// absent device, [`Error::Io`] when no thread can be started.
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
        let device = recipe.device.open(&mut |_| ())?;
        let on_cpu = matches!(device, OpenDevice::Cpu);
        if picture.is_some() && !on_cpu {
            return Err(Error::Misuse {
                what: format!("a loss of the whole picture on {}", device.name()),
                want: "fit it on the CPU (device cpu)",
            });
        }
        let key = Self::key(recipe, &device.name());
        let digest = samples_digest(&samples);
        let threads = recipe.threads.unwrap_or_else(default_threads);
        let backend = Backend::detect();
        let whole = picture.map(|term| {
            let whole = WholePicture::new(trainee.clone(), &samples, backend, threads)?;
            Ok::<_, Error>((whole, term))
        });
        let whole = whole.transpose()?;
        let (start, pixels) = (recipe.start(&trainee), samples.pixels());
        let lattice = on_cpu && recipe.batch >= pixels && LatticeEngine::fits(&samples);
        let mut engine: Box<dyn Engine> = if lattice {
            let trainee = trainee.clone();
            Box::new(LatticeEngine::new(trainee, samples, backend, threads)?)
        } else {
            engine_on(&device, &trainee, samples, threads)?
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
        let sampler = batches(pixels, recipe.batch, recipe.seed);
        Ok(Self {
            trainee,
            course: Course::new(engine, &start, &method, sampler, recipe.steps)?,
            key,
            digest,
        })
    }

    fn key(recipe: &FitRecipe, device: &str) -> String {
        let recipe = FitRecipe {
            // The result is the same for any number.
            threads: None,
            ..recipe.clone()
        };
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "inr {version}, {device}, {:?}, {recipe:?}",
            Backend::detect()
        )
    }

    /// Resumes from a checkpoint of a fit with the same objective and recipe.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for one that is damaged, or of another objective, recipe, version or kind of processor.
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<(), Error> {
        let mut journal = Journal::resumed(self.key.clone(), self.digest, checkpoint)?;
        match journal.under_way() {
            Some(FitState { run, .. }) => self.course.restore(&run.descent, run.step),
            None => Ok(()),
        }
    }

    /// The state that [`FieldFit::resume`] takes, in the format of [`crate::Observer::checkpoint`]. None while a GPU has not
    /// reported its losses: ask again after the next step.
    ///
    /// # Errors
    /// [`Error::Device`] when the device does not give its state.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, Error> {
        let Some(descent) = self.course.state()? else {
            return Ok(None);
        };
        let run = RunState {
            descent,
            ..RunState::at(self.course.step)
        };
        let tries = Tries::new(&[], 0.0);
        let journal = Journal::new(self.key.clone(), self.digest);
        Ok(Some(journal.bytes(FitState { tries, run })))
    }

    /// Takes one step and returns the mean loss over its pixels and channels, which is infinite or no number once the fit
    /// has diverged. A GPU reports losses seldom; between reports there is none.
    ///
    /// # Errors
    /// [`Error::Device`] when a thread has ended.
    pub fn step(&mut self) -> Result<Option<f64>, Error> {
        let progress = self.course.step as f64 / self.course.steps as f64;
        self.course.advance(progress)
    }

    /// Steps taken.
    pub fn steps_done(&self) -> u64 {
        self.course.step
    }

    /// True when all of the recipe's steps are taken.
    pub fn is_finished(&self) -> bool {
        self.course.step >= self.course.steps
    }

    /// Visits of every pixel so far.
    pub fn epochs(&self) -> f64 {
        self.course.epochs_of(self.course.step)
    }

    /// The network as it is.
    ///
    /// # Errors
    /// [`Error::Device`] when its weights cannot be had.
    pub fn network(&self) -> Result<Network, Error> {
        Ok(self.trainee.fold(&self.course.solution()?))
    }

    /// The network's shape.
    pub fn mlp(&self) -> &Mlp {
        &self.trainee.mlp
    }
}
