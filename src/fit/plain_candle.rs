//! The step as a textbook script writes it in candle: whole batch, autograd. A rival to measure against.

use std::sync::Arc;

use candle_core::{Device, Result as CandleResult, Tensor, Var};
use inr_formats::Activation;

use super::engine::{Engine, Trainee};
use super::samples::Samples;
use crate::error::Error;
use inr_kernel::STRIP;

/// Plain candle on the CPU as an [`Engine`], for the mean squared error of values alone.
pub(crate) struct PlainCandle {
    trainee: Trainee,
    samples: Arc<Samples>,
    /// The last batch, its inputs `[pixels, inputs]` and targets `[pixels, channels]`.
    batch: Option<(Vec<u32>, Tensor, Tensor)>,
}

impl PlainCandle {
    pub(crate) fn new(trainee: Trainee, samples: Arc<Samples>) -> Self {
        Self {
            trainee,
            samples,
            batch: None,
        }
    }

    fn batch(&mut self, items: &[u32]) -> CandleResult<(Tensor, Tensor)> {
        if let Some((known, inputs, targets)) = &self.batch
            && known == items
        {
            return Ok((inputs.clone(), targets.clone()));
        }
        let (width, channels) = (self.trainee.shapes()[0].1, self.trainee.channels);
        let mut inputs = Vec::with_capacity(items.len() * width);
        let mut strip = vec![0.0; width * STRIP];
        for pixels in items.chunks(STRIP) {
            self.samples
                .inputs(self.trainee.mlp.frequencies, pixels, 0, &mut strip);
            for point in 0..pixels.len() {
                inputs.extend((0..width).map(|input| strip[input * STRIP + point]));
            }
        }
        let pixels = items.iter();
        let targets: Vec<f32> = pixels
            .flat_map(|&item| (0..channels).map(move |channel| (item, channel)))
            .map(|(item, channel)| self.samples.wanted(item, 0, channel)[0])
            .collect();
        let device = Device::Cpu;
        let inputs = Tensor::from_vec(inputs, (items.len(), width), &device)?;
        let targets = Tensor::from_vec(targets, (items.len(), channels), &device)?;
        self.batch = Some((items.to_vec(), inputs.clone(), targets.clone()));
        Ok((inputs, targets))
    }

    fn step(&mut self, parameters: &[f32], items: &[u32]) -> CandleResult<(f64, Vec<f32>)> {
        let (inputs, targets) = self.batch(items)?;
        let shapes = self.trainee.shapes();
        let mut variables = Vec::new();
        for (&(outputs, inputs), [weights, bias]) in
            shapes.iter().zip(self.trainee.split(parameters))
        {
            variables.push(Var::from_slice(weights, (outputs, inputs), &Device::Cpu)?);
            variables.push(Var::from_slice(bias, outputs, &Device::Cpu)?);
        }
        let mut values = inputs;
        for (index, layer) in variables.chunks_exact(2).enumerate() {
            values = values.matmul(&layer[0].t()?)?.broadcast_add(&layer[1])?;
            if index + 1 < shapes.len() {
                values = match self.trainee.mlp.activation {
                    Activation::Sine => (values * f64::from(self.trainee.omega(index)))?.sin()?,
                    Activation::Relu => values.relu()?,
                };
            }
        }
        let loss = (values - targets)?.sqr()?.mean_all()?;
        let gradients = loss.backward()?;
        let mut flat = Vec::with_capacity(parameters.len());
        for variable in &variables {
            let gradient = match gradients.get(variable) {
                Some(gradient) => gradient.clone(),
                None => variable.zeros_like()?,
            };
            flat.extend(gradient.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok((f64::from(loss.to_scalar::<f32>()?), flat))
    }
}

impl Engine for PlainCandle {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let (loss, flat) = self
            .step(parameters, items)
            .map_err(|error| Error::Device {
                device: "cpu".into(),
                reason: error.to_string(),
            })?;
        gradient.copy_from_slice(&flat);
        Ok(loss)
    }
}
