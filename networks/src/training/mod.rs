//! Trains an SRResNet on a folder of pictures, first alone and then against SRGAN's discriminator.

mod adversary;
mod patches;
mod score;
mod trained;

use std::path::{Path, PathBuf};

use candle_core::{Device, Result as CandleResult, Tensor};

use self::adversary::{Adversary, cross_entropy};
use self::patches::Patches;
pub use self::score::SrScore;
use self::trained::Trained;
use super::parameters::Mode;
use super::srresnet::{Kind, SrResNet, SrShape};
use super::vgg::{Vgg19, normalised};
use crate::device::{candle_device, failed};
use crate::error::Error;
use inr::{DeviceChoice, Picture};

/// Loss between the pixels of the enlargement and of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrLoss {
    /// Mean absolute difference.
    L1,
    /// Mean squared difference.
    Mse,
}

/// Options for training an SRResNet.
#[derive(Clone, Debug)]
pub struct SrRecipe {
    /// The network.
    pub shape: SrShape,
    /// The pixel loss.
    pub loss: SrLoss,
    /// Side of the output patches in pixels: a multiple of the network's scale, and of 16 with a discriminator.
    pub patch: usize,
    /// Patches per step, 1..=1024.
    pub batch: usize,
    /// Steps with the pixel loss alone.
    pub steps: u64,
    /// Subsequent steps against the discriminator.
    pub adversarial_steps: u64,
    /// The user's file with torchvision's VGG19, whose features give the content loss of the adversarial steps. Without
    /// it the content loss is the pixels' squared difference, as in the paper's SRGAN-MSE.
    pub vgg: Option<PathBuf>,
    /// Number of VGG19's layers after which features are taken: 36, as in the paper, ends before the last pooling.
    pub vgg_after: usize,
    /// Peak learning rate, which decays with the square of the fraction of steps remaining; the adversarial steps use a
    /// tenth.
    pub rate: f32,
    /// Seed of the weights and of the choice of patches.
    pub seed: u64,
    /// Device to compute on. On the CPU candle uses as many threads as the environment variable `RAYON_NUM_THREADS`
    /// says.
    pub device: DeviceChoice,
}

impl Default for SrRecipe {
    fn default() -> Self {
        Self {
            shape: SrShape::default(),
            loss: SrLoss::L1,
            patch: 96,
            batch: 16,
            steps: 100_000,
            adversarial_steps: 0,
            vgg: None,
            vgg_after: 36,
            rate: 5e-4,
            seed: 0,
            device: DeviceChoice::Auto,
        }
    }
}

/// Weights of the losses in the adversarial steps, as in the paper: of the content, and of the discriminator.
const CONTENT: f64 = 0.006;
const ADVERSARIAL: f64 = 1e-3;
/// Learning rate of the adversarial steps relative to the others.
const ADVERSARIAL_RATE: f32 = 0.1;
/// Initial gain of the last kernel, and of those that end residual blocks when the network has no normalisations.
const QUIET: f32 = 0.1;

impl SrRecipe {
    /// # Errors
    /// [`inr::Error::Misuse`] for values out of range.
    fn check(&self) -> Result<(), Error> {
        self.shape.check()?;
        let scale = self.shape.scale() as usize;
        let multiple = match self.adversarial_steps {
            0 => scale,
            _ => 16,
        };
        if !self.patch.is_multiple_of(multiple) || !(2 * scale..=1024).contains(&self.patch) {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!("patches of {} pixels", self.patch),
                want: "give a side up to 1024 that is a multiple of the scale and at least twice as large, and a multiple of 16 with adversarial steps",
            }));
        }
        let sound = self.rate.is_finite() && self.rate > 0.0;
        if !(1..=1024).contains(&self.batch) || self.steps == 0 || !sound {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!(
                    "{} steps of {} patches at a rate of {}",
                    self.steps, self.batch, self.rate
                ),
                want: "give at least one step, 1 to 1024 patches and a rate above 0",
            }));
        }
        Ok(())
    }

    /// All settings that affect the result, except the pictures.
    fn key(&self) -> String {
        let content = self.vgg.as_ref().map(|_| self.vgg_after);
        format!(
            "1 {:?} {:?} {} {} {} {} {content:?} {} {}",
            self.shape,
            self.loss,
            self.patch,
            self.batch,
            self.steps,
            self.adversarial_steps,
            self.rate,
            self.seed
        )
    }
}

/// Result of a training step.
#[derive(Clone, Copy, Debug)]
pub struct SrStep {
    /// Loss of the generator.
    pub loss: f64,
    /// Mean squared difference over the step's patches, samples 0.0..=1.0.
    pub error: f64,
    /// Loss of the discriminator; only in adversarial steps.
    pub discriminator: Option<f64>,
}

/// An SRResNet under training.
pub struct SrTrainer {
    recipe: SrRecipe,
    device: Device,
    patches: Patches,
    generator: Trained,
    adversary: Option<(Adversary, Trained)>,
    vgg: Option<Vgg19>,
    step: u64,
}

impl SrTrainer {
    /// Prepares a training run on the pictures in `folder`.
    ///
    /// # Errors
    /// [`inr::Error::Misuse`] for an invalid recipe or folder, [`Error::Weights`] for VGG19's file, [`inr::Error::Io`],
    /// [`inr::Error::Device`].
    pub fn new(folder: &Path, recipe: SrRecipe) -> Result<Self, Error> {
        recipe.check()?;
        let device = candle_device(recipe.device)?;
        let (shape, seed) = (recipe.shape, recipe.seed);
        let scale = shape.scale() as usize;
        let patches = Patches::new(folder, scale, recipe.patch / scale, seed)?;
        let vgg = match (&recipe.vgg, recipe.adversarial_steps) {
            (Some(path), 1..) => Some(Vgg19::open(path, recipe.vgg_after, &device)?),
            _ => None,
        };
        let adversary = (recipe.adversarial_steps > 0).then(|| {
            let adversary = Adversary {
                width: shape.width,
                side: recipe.patch,
            };
            let norms = adversary.norms();
            let network = Trained::new(adversary.parameters(), &norms, |_| 1.0, !seed);
            (adversary, network)
        });
        Ok(Self {
            generator: generator(&shape, seed, recipe.rate, recipe.steps),
            recipe,
            device,
            patches,
            adversary,
            vgg,
            step: 0,
        })
    }

    /// Number of files in the folder.
    pub fn files(&self) -> usize {
        self.patches.files().len()
    }

    /// Number of steps taken.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// Total number of steps.
    pub fn steps(&self) -> u64 {
        self.recipe.steps + self.recipe.adversarial_steps
    }

    /// Takes one step.
    ///
    /// # Errors
    /// [`inr::Error::Device`] when the device fails, [`inr::Error::Io`] when a picture cannot be read,
    /// [`inr::Error::Misuse`] when no picture is as large as a patch, [`inr::Error::Diverged`] when the loss is not a
    /// number.
    pub fn step(&mut self) -> Result<SrStep, Error> {
        let [small, large] = self
            .patches
            .batch(self.step, self.recipe.batch, &self.device)?
            .map_err(|error| failed(&self.device, error))?;
        let (rate, steps) = self.adversarial();
        if self.step == self.recipe.steps {
            for network in self.networks() {
                network.begin(rate, steps);
            }
        }
        let Self {
            recipe,
            device,
            generator,
            adversary,
            vgg,
            step,
            ..
        } = self;
        let adversarial = *step >= recipe.steps;
        let found = match adversary {
            Some((adversary, judge)) if adversarial => {
                let progress = (*step - recipe.steps) as f64 / recipe.adversarial_steps as f64;
                let mut both = Opponents {
                    recipe,
                    device,
                    generator,
                    adversary: *adversary,
                    judge,
                    vgg: vgg.as_ref(),
                };
                both.step(&small, &large, progress)
            }
            _ => {
                let progress = *step as f64 / recipe.steps as f64;
                plain_step(recipe, device, generator, &small, &large, progress)
            }
        };
        let found = found.map_err(|error| failed(&self.device, error))?;
        self.step += 1;
        match found.loss.is_finite() {
            true => Ok(found),
            false => Err(Error::Field(inr::Error::Diverged {
                step: self.step,
                restarts: 0,
            })),
        }
    }

    /// Learning rate and number of the adversarial steps.
    fn adversarial(&self) -> (f32, u64) {
        let rate = ADVERSARIAL_RATE * self.recipe.rate;
        (rate, self.recipe.adversarial_steps)
    }

    fn networks(&mut self) -> impl Iterator<Item = &mut Trained> {
        let judge = self.adversary.iter_mut().map(|(_, judge)| judge);
        std::iter::once(&mut self.generator).chain(judge)
    }

    /// Exports the current network as a `.safetensors` file that [`super::enlarge_srgan`] reads.
    pub fn weights(&self) -> Vec<u8> {
        self.generator.file()
    }

    /// Reduces `pictures` by the network's scale, enlarges them with the current network and by bicubic interpolation,
    /// and scores both.
    ///
    /// # Errors
    /// [`inr::Error::Misuse`] for pictures that are too small, [`inr::Error::Device`] when the device fails.
    pub fn scores(&self, pictures: &[Picture]) -> Result<Vec<SrScore>, Error> {
        let network = || -> CandleResult<SrResNet> {
            let parameters = self.generator.plain(&self.device)?;
            SrResNet::new(self.recipe.shape, parameters, &self.device).folded()
        };
        let network = network().map_err(|error| failed(&self.device, error))?;
        let scores = pictures.iter();
        scores
            .map(|picture| score::score(&network, picture))
            .collect()
    }

    /// Serialises the state for [`SrTrainer::resume`].
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut values = Vec::new();
        self.generator.checkpoint(&mut values);
        if let Some((_, judge)) = &self.adversary {
            judge.checkpoint(&mut values);
        }
        let key = self.recipe.key();
        let mut bytes = (key.len() as u64).to_le_bytes().to_vec();
        bytes.extend(key.as_bytes());
        bytes.extend(self.step.to_le_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// Resumes from a checkpoint of a training run with the same recipe and pictures; the result is the same as for an
    /// uninterrupted run.
    ///
    /// # Errors
    /// [`inr::Error::Misuse`] for a checkpoint of a different run; the state is then unchanged.
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<(), Error> {
        let other = || {
            Error::Field(inr::Error::Misuse {
                what: format!("a checkpoint of {} bytes", checkpoint.len()),
                want: "give one of a training with the same options, or begin anew",
            })
        };
        let key = self.recipe.key();
        let mut expected = (key.len() as u64).to_le_bytes().to_vec();
        expected.extend(key.as_bytes());
        let rest = checkpoint.strip_prefix(&expected[..]).ok_or_else(other)?;
        let (step, values) = rest.split_first_chunk::<8>().ok_or_else(other)?;
        let step = u64::from_le_bytes(*step);
        let mut wanted = Vec::new();
        self.generator.checkpoint(&mut wanted);
        if let Some((_, judge)) = &self.adversary {
            judge.checkpoint(&mut wanted);
        }
        if values.len() != 4 * wanted.len() || step > self.steps() {
            return Err(other());
        }
        let values = values.chunks_exact(4);
        let values: Vec<f32> = values
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let mut rest = &values[..];
        let (rate, steps) = self.adversarial();
        let (plain_rate, plain_steps) = (self.recipe.rate, self.recipe.steps);
        for network in self.networks() {
            network.restore(&mut rest);
            match step.checked_sub(plain_steps) {
                None => network.go_on(plain_rate, plain_steps, step),
                Some(done) => network.go_on(rate, steps, done),
            }
        }
        self.step = step;
        Ok(())
    }
}

/// Creates an untrained SRResNet.
fn generator(shape: &SrShape, seed: u64, rate: f32, steps: u64) -> Trained {
    let modules = shape.modules();
    let is_norm =
        |(name, kind): (String, Kind)| (kind == Kind::Norm).then_some((name, shape.width));
    let norms: Vec<_> = modules.clone().into_iter().filter_map(is_norm).collect();
    let ends = |module: &str| module.ends_with(".rcb.3") || module == "conv2.0";
    let gain = |module: &str| match module {
        "conv3" => QUIET,
        _ if ends(module) && !shape.norm => QUIET,
        _ => 1.0,
    };
    let mut network = Trained::new(shape.parameters(), &norms, gain, seed);
    network.begin(rate, steps);
    network
}

fn scalar(tensor: &Tensor) -> CandleResult<f64> {
    Ok(f64::from(tensor.to_scalar::<f32>()?))
}

/// Number of values per channel of `x`.
fn per_channel(x: &Tensor) -> CandleResult<usize> {
    let (n, _, height, width) = x.dims4()?;
    Ok(n * height * width)
}

/// Takes a step with the pixel loss.
fn plain_step(
    recipe: &SrRecipe,
    device: &Device,
    generator: &mut Trained,
    small: &Tensor,
    large: &Tensor,
    progress: f64,
) -> CandleResult<SrStep> {
    let (variables, parameters) = generator.variables(device)?;
    let network = SrResNet::new(recipe.shape, parameters, device);
    let mut seen = Vec::new();
    let mode = &mut Mode::Train(&mut seen);
    let y = network.tail(&network.body(small, mode)?)?;
    let difference = (y - large)?;
    let error = difference.detach().sqr()?.mean_all()?;
    let loss = match recipe.loss {
        SrLoss::L1 => difference.abs()?.mean_all()?,
        SrLoss::Mse => difference.sqr()?.mean_all()?,
    };
    let gradients = loss.backward()?;
    generator.step(&variables, &gradients, progress)?;
    let count = per_channel(small)?;
    generator.note(seen, |_| count)?;
    Ok(SrStep {
        loss: scalar(&loss)?,
        error: scalar(&error)?,
        discriminator: None,
    })
}

/// The network and its discriminator during an adversarial step (Goodfellow et al. 2014, arXiv:1406.2661).
struct Opponents<'t> {
    recipe: &'t SrRecipe,
    device: &'t Device,
    generator: &'t mut Trained,
    adversary: Adversary,
    judge: &'t mut Trained,
    vgg: Option<&'t Vgg19>,
}

impl Opponents<'_> {
    fn step(&mut self, small: &Tensor, large: &Tensor, progress: f64) -> CandleResult<SrStep> {
        let (variables, parameters) = self.generator.variables(self.device)?;
        let network = SrResNet::new(self.recipe.shape, parameters, self.device);
        let mut seen = Vec::new();
        let y = network.tail(&network.body(small, &mut Mode::Train(&mut seen))?)?;
        let discriminator = self.judge_step(&y.detach(), large, progress)?;

        let error = (y.detach() - large)?.sqr()?.mean_all()?;
        let content = match self.vgg {
            Some(vgg) => {
                let after = [self.recipe.vgg_after];
                let wanted = vgg.features(&normalised(large)?, &after)?;
                (vgg.difference(&normalised(&y)?, &wanted, &after)? * CONTENT)?
            }
            None => (&y - large)?.sqr()?.mean_all()?,
        };
        let (_, judge) = self.judge.variables(self.device)?;
        let verdict = self
            .adversary
            .judge(&judge, &y, &mut Mode::Train(&mut Vec::new()))?;
        let loss = (content + (cross_entropy(&verdict, true)? * ADVERSARIAL)?)?;
        let gradients = loss.backward()?;
        self.generator.step(&variables, &gradients, progress)?;
        let count = per_channel(small)?;
        self.generator.note(seen, |_| count)?;
        Ok(SrStep {
            loss: scalar(&loss)?,
            error: scalar(&error)?,
            discriminator: Some(discriminator),
        })
    }

    fn judge_step(&mut self, made: &Tensor, real: &Tensor, progress: f64) -> CandleResult<f64> {
        let (variables, parameters) = self.judge.variables(self.device)?;
        let mut seen = Vec::new();
        let mut verdict = |x: &Tensor, real: bool| {
            let mode = &mut Mode::Train(&mut seen);
            cross_entropy(&self.adversary.judge(&parameters, x, mode)?, real)
        };
        let loss = (verdict(real, true)? + verdict(made, false)?)?;
        let gradients = loss.backward()?;
        self.judge.step(&variables, &gradients, progress)?;
        let (adversary, batch) = (self.adversary, self.recipe.batch);
        self.judge.note(seen, |name| adversary.count(name, batch))?;
        scalar(&loss)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
