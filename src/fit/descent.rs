//! A network's parameters on their way down: gradients, optimiser and rounding, on the CPU or wherever an engine keeps them.

use super::engine::Engine;
use super::optimiser::{OptimizerChoice, Schedule, State};
use crate::error::Error;

/// Pixels of one step: `order[start..start + length]`, where `order` stays the same during `epoch`.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    #[cfg_attr(
        not(feature = "candle"),
        expect(dead_code, reason = "tells devices when to take a new order")
    )]
    pub(crate) epoch: u64,
    pub(crate) order: &'a [u32],
    pub(crate) start: usize,
    pub(crate) length: usize,
}

impl<'a> Batch<'a> {
    /// The pixels.
    pub(crate) fn items(&self) -> &'a [u32] {
        &self.order[self.start..self.start + self.length]
    }
}

/// How to descend.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) choice: OptimizerChoice,
    /// Peak learning rate.
    pub(crate) rate: f32,
    /// Steps until it is reached.
    pub(crate) warm_up: u64,
    /// Step size of every parameter that a forward pass sees rounded (straight-through estimator).
    pub(crate) rounding: Option<Vec<f32>>,
}

impl Method {
    /// `parameters` as forward passes see them.
    pub(crate) fn seen(&self, parameters: &[f32], into: &mut Vec<f32>) {
        into.clear();
        match &self.rounding {
            None => into.extend_from_slice(parameters),
            Some(steps) => into.extend(
                parameters
                    .iter()
                    .zip(steps)
                    .map(|(value, step)| (value / step).round() * step),
            ),
        }
    }
}

/// Parameters, an optimiser's state and what gives gradients.
pub(crate) trait Descent {
    /// One step, with `progress` 0.0..=1.0 of the whole fit done. Returns the loss of this batch, or the mean loss since
    /// it was last told; a GPU tells it seldom, for asking makes it wait.
    fn step(&mut self, batch: Batch, progress: f64) -> Result<Option<f64>, Error>;

    /// The parameters to keep, before rounding.
    fn solution(&self) -> Result<Vec<f32>, Error>;

    /// The optimiser's state, shape `[3, n]`, see [`State`]; none between two tellings of the loss.
    fn state(&self) -> Result<Option<Vec<f32>>, Error>;

    /// Goes on from `state`, which `steps` steps from the start led to.
    fn restore(&mut self, state: &[f32], steps: u64) -> Result<(), Error>;
}

/// A descent on the CPU with any engine's gradients.
pub(crate) struct HostDescent<E> {
    engine: E,
    method: Method,
    schedule: Schedule,
    state: State,
    seen: Vec<f32>,
    gradient: Vec<f32>,
}

impl<E: Engine> HostDescent<E> {
    pub(crate) fn new(engine: E, start: &[f32], method: Method) -> Self {
        Self {
            engine,
            schedule: Schedule::new(method.choice, method.rate, method.warm_up),
            state: State::new(method.choice, start),
            seen: Vec::new(),
            gradient: vec![0.0; start.len()],
            method,
        }
    }
}

impl<E> HostDescent<E> {
    /// The optimiser's state, shape `[3, n]`; see [`State`].
    pub(crate) fn optimiser(&self) -> &[f32] {
        &self.state.0
    }
}

impl<E: Engine> Descent for HostDescent<E> {
    fn step(&mut self, batch: Batch, progress: f64) -> Result<Option<f64>, Error> {
        let point = match self.method.rounding {
            None => self.state.point(),
            Some(_) => {
                self.method.seen(self.state.point(), &mut self.seen);
                &self.seen
            }
        };
        let gradient = &mut self.gradient;
        let loss = self
            .engine
            .loss_and_gradient(point, batch.items(), gradient)?;
        self.schedule
            .next(progress)
            .apply(&mut self.state.0, gradient);
        Ok(Some(loss))
    }

    fn solution(&self) -> Result<Vec<f32>, Error> {
        Ok(self.state.solution(self.method.choice))
    }
    fn state(&self) -> Result<Option<Vec<f32>>, Error> {
        Ok(Some(self.state.0.clone()))
    }

    fn restore(&mut self, state: &[f32], steps: u64) -> Result<(), Error> {
        self.schedule.skip(steps);
        self.state.0.copy_from_slice(state);
        Ok(())
    }
}
