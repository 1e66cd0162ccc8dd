//! A descent on the CPU with any engine's gradients.

use super::descent::{Batch, Descent, Method};
use super::engine::Engine;
use super::optimiser::{Schedule, State};
use crate::error::Error;

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
