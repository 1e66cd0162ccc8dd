//! Batches to a descent, step after step: the part that every fit has.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[cfg(feature = "candle")]
use super::candle_engine::CandleEngine;
use super::checkpoint_error::damaged;
use super::descent::{Descent, Method};
use super::engine::{Engine, Trainee};
use super::fused_engine::FusedEngine;
use super::host_descent::HostDescent;
use super::samples::{Sampler, Samples};
use crate::device::OpenDevice;
use crate::error::Error;
use inr_kernel::Backend;

/// The order of pixels and the initial weights come from one seed; their generators must differ.
const ORDER: u64 = 0x5eed_ba7c_4e5a_3b1d;

/// The engine of `device` for `trainee` on `samples`.
///
/// # Errors
/// [`Error::Io`] when no thread can be started.
pub(super) fn engine_on(
    device: &OpenDevice,
    trainee: &Trainee,
    samples: Arc<Samples>,
    threads: usize,
) -> Result<Box<dyn Engine>, Error> {
    let trainee = trainee.clone();
    Ok(match device {
        OpenDevice::Cpu => {
            let backend = Backend::detect();
            Box::new(FusedEngine::new(trainee, samples, backend, threads)?)
        }
        #[cfg(feature = "candle")]
        OpenDevice::Gpu(device) => Box::new(CandleEngine::new(
            trainee,
            samples,
            device.clone(),
            threads,
        )?),
    })
}

/// Shuffled batches of one picture's pixels, in the order of `seed`.
pub(super) fn batches(pixels: usize, batch: usize, seed: u64) -> Sampler {
    Sampler::new(pixels, batch, ChaCha8Rng::seed_from_u64(seed ^ ORDER))
}

/// A descent along a sampler's batches.
pub(super) struct Course<'a> {
    sampler: Sampler,
    descent: Box<dyn Descent + 'a>,
    pixels: usize,
    /// Steps of the whole course.
    pub(super) steps: u64,
    /// Steps taken.
    pub(super) step: u64,
}

impl<'a> Course<'a> {
    /// A course of `steps` steps from `start`, on the engine's device where it has one.
    pub(super) fn new(
        engine: impl Engine + 'a,
        start: &[f32],
        method: &Method,
        sampler: Sampler,
        steps: u64,
    ) -> Result<Self, Error> {
        Ok(Self {
            pixels: sampler.pixels(),
            sampler,
            descent: match engine.resident(start, method)? {
                Some(resident) => resident,
                None => Box::new(HostDescent::new(engine, start, method.clone())),
            },
            steps: steps.max(1),
            step: 0,
        })
    }

    /// One step, with `progress` 0.0..=1.0 of the course done; see [`Descent::step`].
    pub(super) fn advance(&mut self, progress: f64) -> Result<Option<f64>, Error> {
        let loss = self.descent.step(self.sampler.draw(), progress)?;
        self.step += 1;
        Ok(loss)
    }

    /// Resumes a course like this one at `step`, with its descent's `state` there.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a state of another size, and a step before this one or beyond the course.
    pub(super) fn restore(&mut self, state: &[f32], step: u64) -> Result<(), Error> {
        let parameters = self.descent.solution()?.len();
        if !(self.step..=self.steps).contains(&step) || state.len() != 3 * parameters {
            return Err(damaged("a fit of another size or length").into());
        }
        let taken = step - self.step;
        self.sampler.skip(taken);
        self.descent.restore(state, taken)?;
        self.step = step;
        Ok(())
    }

    /// Visits of every pixel in `steps` steps.
    pub(super) fn epochs_of(&self, steps: u64) -> f64 {
        steps as f64 * self.sampler.batch() as f64 / self.pixels as f64
    }

    /// The parameters to keep, before rounding.
    pub(super) fn solution(&self) -> Result<Vec<f32>, Error> {
        self.descent.solution()
    }

    /// The descent's state; see [`Descent::state`].
    pub(super) fn state(&self) -> Result<Option<Vec<f32>>, Error> {
        self.descent.state()
    }
}
