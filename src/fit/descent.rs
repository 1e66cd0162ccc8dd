//! A network's parameters on their way down: gradients, optimiser and rounding, on the CPU or wherever an engine keeps them.

use super::optimiser::OptimizerChoice;
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

    /// The optimiser's state, shape `[3, n]`, see [`super::optimiser::State`]; none between two tellings of the loss.
    fn state(&self) -> Result<Option<Vec<f32>>, Error>;

    /// Goes on from `state`, which `steps` steps from the start led to.
    fn restore(&mut self, state: &[f32], steps: u64) -> Result<(), Error>;
}
