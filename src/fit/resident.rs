//! A descent that stays on candle's device: samples, parameters and optimiser live there, and a step waits for nothing.

use candle_core::{Result as CandleResult, Tensor};

use super::candle_graph::{Asked, Graph, failed, flat};
use super::candle_ops::Advance;
use super::descent::{Batch, Descent, Method};
use super::optimiser::{Schedule, State};
use crate::error::Error;
use inr_kernel::Streams;

/// Steps between two looks at the loss, each of which waits for the device.
const TELL_EVERY: u32 = 64;
/// Bytes of samples that are kept on a device, at most.
const MOST_BYTES: usize = 2 << 30;

pub(super) struct ResidentDescent {
    graph: Graph,
    method: Method,
    schedule: Schedule,
    /// Shape `[3 n]`, see [`State`].
    state: Tensor,
    /// Shape `[n]`.
    rounding: Option<Tensor>,
    /// Inputs `[inputs * footprint, pixels]`, targets and weights `[channels, pixels]`.
    all: Asked,
    /// The epoch's order of pixels, uploaded once.
    order: Option<(u64, Tensor)>,
    /// Sum of the losses of `untold` steps.
    losses: Option<Tensor>,
    untold: u32,
}

impl ResidentDescent {
    /// True for samples that can be kept on a device.
    pub(super) fn fits(graph: &Graph) -> bool {
        let samples = &graph.samples;
        let inputs = graph.trainee.shapes()[0].1 * samples.footprint.len();
        let bytes = 4 * samples.pixels() * (inputs + 2 * samples.channels);
        samples.streams() == Streams::Value && samples.terms.len() == 1 && bytes <= MOST_BYTES
    }

    pub(super) fn new(graph: Graph, start: &[f32], method: Method) -> CandleResult<Self> {
        let pixels = graph.samples.pixels();
        let items: Vec<u32> = (0..pixels as u32).collect();
        let asked = graph.asked(&items)?;
        let all = Asked {
            inputs: asked.inputs.reshape(((), pixels))?,
            targets: asked.targets.squeeze(0)?,
            weights: asked.weights.squeeze(0)?,
        };
        let upload = |values: &[f32]| Tensor::from_slice(values, values.len(), &graph.device);
        Ok(Self {
            schedule: Schedule::new(method.choice, method.rate, method.warm_up),
            state: upload(&State::new(method.choice, start).0)?,
            rounding: method.rounding.as_deref().map(upload).transpose()?,
            all,
            order: None,
            losses: None,
            untold: 0,
            method,
            graph,
        })
    }

    /// The batch's pixels as indices on the device.
    fn indices(&mut self, batch: Batch) -> CandleResult<Tensor> {
        if self
            .order
            .as_ref()
            .is_none_or(|(epoch, _)| *epoch != batch.epoch)
        {
            let order = Tensor::from_slice(batch.order, batch.order.len(), &self.graph.device)?;
            self.order = Some((batch.epoch, order));
        }
        let Some((_, order)) = &self.order else {
            candle_core::bail!("no order was uploaded");
        };
        order.narrow(0, batch.start, batch.length)
    }

    fn advance(&mut self, batch: Batch, progress: f64) -> CandleResult<Option<f64>> {
        let indices = self.indices(batch)?;
        let chosen = |all: &Tensor| all.index_select(&indices, 1);
        let inputs = self.graph.trainee.shapes()[0].1;
        let asked = Asked {
            inputs: chosen(&self.all.inputs)?.reshape((1, inputs, ()))?,
            targets: chosen(&self.all.targets)?.unsqueeze(0)?,
            weights: chosen(&self.all.weights)?.unsqueeze(0)?,
        };
        let parameters = self.state.narrow(0, 0, self.state.dim(0)? / 3)?;
        let seen = match &self.rounding {
            None => parameters,
            Some(steps) => ((parameters / steps)?.round()? * steps)?,
        };
        let (loss, gradients) = self.graph.value(&self.graph.layers(&seen)?, &asked)?;
        let scale = 1.0 / (batch.length * self.graph.trainee.channels) as f64;
        let gradient = (flat(&gradients)? * scale)?;
        self.state
            .inplace_op2(&gradient, &Advance(self.schedule.next(progress)))?;
        let sum = match self.losses.take() {
            None => loss,
            Some(losses) => (losses + loss)?,
        };
        self.untold += 1;
        if self.untold < TELL_EVERY {
            self.losses = Some(sum);
            return Ok(None);
        }
        let mean = f64::from(sum.to_scalar::<f32>()?) * scale / f64::from(self.untold);
        self.untold = 0;
        Ok(Some(mean))
    }
}

impl Descent for ResidentDescent {
    fn step(&mut self, batch: Batch, progress: f64) -> Result<Option<f64>, Error> {
        self.advance(batch, progress)
            .map_err(|error| failed(&self.graph.device, error))
    }

    fn solution(&self) -> Result<Vec<f32>, Error> {
        let state = self.state.to_vec1();
        let state = state.map_err(|error| failed(&self.graph.device, error))?;
        Ok(State(state).solution(self.method.choice))
    }
    fn state(&self) -> Result<Option<Vec<f32>>, Error> {
        let state = (self.untold == 0).then(|| self.state.to_vec1());
        let state = state.transpose();
        state.map_err(|error| failed(&self.graph.device, error))
    }

    fn restore(&mut self, state: &[f32], steps: u64) -> Result<(), Error> {
        self.schedule.skip(steps);
        let uploaded = Tensor::from_slice(state, state.len(), &self.graph.device);
        self.state = uploaded.map_err(|error| failed(&self.graph.device, error))?;
        Ok(())
    }
}
