//! Whole pictures at a time: a network's values at all pixels, and losses of those.

use std::sync::Arc;

use super::engine::{Engine, Trainee};
use super::fused_engine::FusedEngine;
use super::objective::PictureTerm;
use super::samples::Samples;
use crate::error::Error;
use crate::field::coords::CoordinateMap;
use crate::field::network;
use crate::field::network::{Rows, Viewport};
use inr_kernel::Backend;
use inr_kernel::Job;

/// A network's values at all pixels' centres, and the way back from them.
pub(crate) struct WholePicture {
    trainee: Trainee,
    samples: Arc<Samples>,
    inner: FusedEngine,
    threads: usize,
}

impl WholePicture {
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub(crate) fn new(
        trainee: Trainee,
        samples: &Samples,
        backend: Backend,
        threads: usize,
    ) -> Result<Self, Error> {
        let size = [samples.width, samples.height];
        let pixels = Samples {
            grid: samples.grid,
            ..Samples::of_values(size, samples.channels, Vec::new())
        };
        let samples = Arc::new(pixels);
        let inner = FusedEngine::new(trainee.clone(), samples.clone(), backend, threads)?;
        Ok(Self {
            trainee,
            samples,
            inner,
            threads,
        })
    }

    /// Values of all pixels, shape `[height, channels, width]`.
    pub(crate) fn values(&self, parameters: &[f32]) -> Vec<f32> {
        let samples = &self.samples;
        let mut values = vec![0.0; samples.pixels() * samples.channels];
        let sides = [samples.width, samples.height];
        let viewport = Viewport {
            region: [0.0, 0.0, f64::from(sides[0]), f64::from(sides[1])],
            size: sides,
            sampling: inr_formats::Sampling::Point,
        };
        let map = CoordinateMap::new(sides[0], sides[1], samples.grid);
        let rows = Rows::of(&mut values, samples.channels * samples.width as usize);
        let network = self.trainee.fold(parameters);
        let copy = |row: &[f32], out: &mut [f32]| out.copy_from_slice(row);
        let threads = self.threads;
        Job::unwatched(|job| network::render(&network, &map, &viewport, threads, rows, job, copy))
            .expect("only who watches cancels");
        values
    }

    /// The gradient of a loss whose gradient with respect to those values is `back`.
    pub(crate) fn gradient_of(
        &mut self,
        parameters: &[f32],
        back: Vec<f32>,
        gradient: &mut [f32],
    ) -> Result<(), Error> {
        let items: Vec<u32> = (0..self.samples.pixels() as u32).collect();
        self.inner.gradient_of(parameters, &items, back, gradient)
    }

    /// `[height, channels, width]` to `[height, width, channels]`, or, `back`, the other way.
    fn interleaved(&self, values: &[f32], back: bool) -> Vec<f32> {
        let (width, channels) = (self.samples.width as usize, self.samples.channels);
        let mut turned = vec![0.0; values.len()];
        let rows = turned.chunks_exact_mut(width * channels);
        for (to, from) in rows.zip(values.chunks_exact(width * channels)) {
            for x in 0..width {
                for channel in 0..channels {
                    let (planar, interleaved) = (channel * width + x, x * channels + channel);
                    match back {
                        false => to[interleaved] = from[planar],
                        true => to[planar] = from[interleaved],
                    }
                }
            }
        }
        turned
    }
}

/// An engine's loss with one of the whole picture added to it, which every step computes for all pixels.
pub(crate) struct PictureEngine<E> {
    rest: E,
    whole: WholePicture,
    term: PictureTerm,
}

impl<E: Engine> PictureEngine<E> {
    pub(crate) fn new(rest: E, whole: WholePicture, term: PictureTerm) -> Self {
        Self { rest, whole, term }
    }
}

impl<E: Engine> Engine for PictureEngine<E> {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let rest = self.rest.loss_and_gradient(parameters, items, gradient)?;
        let values = self
            .whole
            .interleaved(&self.whole.values(parameters), false);
        let mut back = vec![0.0; values.len()];
        let loss = self.term.loss.loss_and_gradient(&values, &mut back)?;
        let back = self.whole.interleaved(&back, true);
        let mut own = vec![0.0; gradient.len()];
        self.whole.gradient_of(parameters, back, &mut own)?;
        gradient
            .iter_mut()
            .zip(own)
            .for_each(|(sum, value)| *sum += self.term.weight * value);
        Ok(rest + f64::from(self.term.weight) * loss)
    }
}
