//! Loss and gradient of one network in candle's tensors.

use std::sync::Arc;

use candle_core::{DType, Device, Result as CandleResult, Tensor, Var};
use inr_formats::Activation;

use super::candle_ops::Activate;
use super::engine::Trainee;
use super::samples::Samples;
use crate::device::candle_name;
use crate::error::Error;
use inr_kernel::{Backend, STRIP, Streams};

/// One network's loss and gradient in candle's operations.
///
/// For values the backward pass is written out: candle's own adds every gradient to zeros first, through a pool with one
/// lock and spinning waits, which took half of the time of a step. Losses on derivatives take candle's.
#[derive(Clone)]
pub(super) struct Graph {
    pub(super) trainee: Trainee,
    pub(super) samples: Arc<Samples>,
    pub(super) device: Device,
    pub(super) backend: Backend,
}

/// A layer's weights `[outputs, inputs]` and bias `[outputs, 1]`.
pub(super) type LayerTensors = (Tensor, Tensor);

/// Sum of squared errors and its flat gradient.
pub(super) type Outcome = CandleResult<(f64, Vec<f32>)>;

/// What a batch of pixels asks of the network, points of all footprints one after the other.
pub(super) struct Asked {
    /// Shape `[streams, inputs, points]`.
    pub(super) inputs: Tensor,
    /// Wanted values and the weights of their squared errors, shape `[terms, channels, pixels]`.
    pub(super) targets: Tensor,
    pub(super) weights: Tensor,
}

impl Graph {
    /// The layers in the flat vector `parameters`, which they share.
    pub(super) fn layers(&self, parameters: &Tensor) -> CandleResult<Vec<LayerTensors>> {
        let mut start = 0;
        let mut take = |rows: usize, columns: usize| {
            let part = parameters.narrow(0, start, rows * columns);
            start += rows * columns;
            part?.reshape((rows, columns))
        };
        let shapes = self.trainee.shapes().into_iter();
        shapes
            .map(|(outputs, inputs)| Ok((take(outputs, inputs)?, take(outputs, 1)?)))
            .collect()
    }

    fn activation(&self, index: usize) -> Activate {
        Activate {
            activation: self.trainee.mlp.activation,
            omega: self.trainee.omega(index),
            backend: self.backend,
        }
    }

    pub(super) fn asked(&self, items: &[u32]) -> CandleResult<Asked> {
        let (samples, channels) = (&self.samples, self.trainee.channels);
        let (streams, subs) = (samples.streams().count(), samples.footprint.len());
        let rows = self.trainee.shapes()[0].1 * streams;
        let points = subs * items.len();
        let mut inputs = vec![0.0; rows * points];
        let mut strip = vec![0.0; rows * STRIP];
        for sub in 0..subs {
            for (index, pixels) in items.chunks(STRIP).enumerate() {
                samples.inputs(self.trainee.mlp.frequencies, pixels, sub, &mut strip);
                for (row, values) in strip.chunks_exact(STRIP).enumerate() {
                    let start = row * points + sub * items.len() + index * STRIP;
                    inputs[start..][..pixels.len()].copy_from_slice(&values[..pixels.len()]);
                }
            }
        }
        let wanted = |part: usize| {
            let terms = samples.terms.len();
            let rows = (0..terms * channels).flat_map(|row| {
                let wanted =
                    move |item: &u32| samples.wanted(*item, row / channels, row % channels)[part];
                items.iter().map(wanted)
            });
            let shape = (terms, channels, items.len());
            Tensor::from_vec(rows.collect::<Vec<f32>>(), shape, &self.device)
        };
        Ok(Asked {
            inputs: Tensor::from_vec(inputs, (streams, rows / streams, points), &self.device)?,
            targets: wanted(0)?,
            weights: wanted(1)?,
        })
    }

    /// Sum of squared errors of `items` and its gradient.
    pub(super) fn batch(&self, parameters: &[f32], items: &[u32]) -> Outcome {
        let asked = self.asked(items)?;
        let parameters = Tensor::from_slice(parameters, parameters.len(), &self.device)?;
        let layers = self.layers(&parameters)?;
        let (loss, gradients) = match self.samples.streams() {
            Streams::Value => self.value(&layers, &asked)?,
            Streams::Jet => self.jets(&layers, &asked)?,
        };
        let loss = loss.to_scalar::<f32>()?;
        Ok((f64::from(loss), flat(&gradients)?.to_vec1()?))
    }

    /// What each term takes of each stream and point of the footprint, shape `[terms, streams * footprint]`.
    fn mixture(&self) -> CandleResult<Tensor> {
        let subs = self.samples.footprint.len();
        let columns = self.samples.streams().count() * subs;
        let mut mixture = vec![0.0; self.samples.terms.len() * columns];
        for (term, row) in self
            .samples
            .terms
            .iter()
            .zip(mixture.chunks_exact_mut(columns))
        {
            for tap in &term.taps {
                row[tap.stream * subs + tap.point] += tap.coefficient;
            }
        }
        Tensor::from_vec(mixture, (self.samples.terms.len(), columns), &self.device)
    }

    /// Errors of the terms' sums over the outputs `[streams, channels, points]`, times their weights; and both.
    fn errors(&self, outputs: &Tensor, asked: &Asked) -> CandleResult<(Tensor, Tensor)> {
        let (terms, channels, pixels) = asked.targets.dims3()?;
        let subs = self.samples.footprint.len();
        let streams = outputs.dim(0)?;
        let parts = outputs
            .reshape((streams, channels, subs, pixels))?
            .transpose(1, 2)?
            .reshape((streams * subs, channels * pixels))?;
        let sums = self.mixture()?.matmul(&parts)?;
        let errors = (sums.reshape((terms, channels, pixels))? - &asked.targets)?;
        let weighted = (&errors * &asked.weights)?;
        Ok((errors, weighted))
    }

    /// Sum of squared errors, and its gradients in the parameters' order.
    pub(super) fn value(
        &self,
        layers: &[LayerTensors],
        asked: &Asked,
    ) -> CandleResult<(Tensor, Vec<Tensor>)> {
        let last = layers.len() - 1;
        let mut inputs = vec![asked.inputs.squeeze(0)?];
        let mut sums = Vec::new();
        for (index, (weights, bias)) in layers[..last].iter().enumerate() {
            let z = weights.matmul(&inputs[index])?;
            inputs.push(self.activation(index).forward(&z, bias)?);
            sums.push(z);
        }
        let (weights, bias) = &layers[last];
        let outputs = weights.matmul(&inputs[last])?.broadcast_add(bias)?;
        let (errors, weighted) = self.errors(&outputs.unsqueeze(0)?, asked)?;
        let loss = (&errors * &weighted)?.sum_all()?;
        let subs = self.samples.footprint.len();
        let (terms, channels, pixels) = weighted.dims3()?;
        let weighted = weighted.reshape((terms, channels * pixels))?;
        let mut back = self
            .mixture()?
            .t()?
            .matmul(&weighted)?
            .affine(2.0, 0.0)?
            .reshape((subs, channels, pixels))?
            .transpose(0, 1)?
            .reshape((channels, subs * pixels))?;

        let ones = Tensor::ones((back.dim(1)?, 1), DType::F32, &self.device)?;
        let mut gradients = Vec::with_capacity(2 * layers.len());
        for index in (0..=last).rev() {
            gradients.push(back.matmul(&ones)?);
            gradients.push(back.matmul(&inputs[index].t()?)?);
            if index > 0 {
                let arriving = layers[index].0.t()?.matmul(&back)?;
                back = self.activation(index - 1).backward(
                    &sums[index - 1],
                    &layers[index - 1].1,
                    &arriving,
                )?;
            }
        }
        gradients.reverse();
        Ok((loss, gradients))
    }

    /// Second-order forward-mode jets, differentiated once by candle.
    fn jets(&self, layers: &[LayerTensors], asked: &Asked) -> CandleResult<(Tensor, Vec<Tensor>)> {
        let variables: CandleResult<Vec<[Var; 2]>> = layers
            .iter()
            .map(|(weights, bias)| {
                Ok([
                    Var::from_tensor(&weights.copy()?)?,
                    Var::from_tensor(&bias.copy()?)?,
                ])
            })
            .collect();
        let variables = variables?;
        let last = layers.len() - 1;
        let mut jet: Vec<Tensor> = (0..4)
            .map(|k| asked.inputs.get(k))
            .collect::<CandleResult<_>>()?;
        for (index, [weights, bias]) in variables.iter().enumerate() {
            let mut sums: Vec<Tensor> = jet
                .iter()
                .map(|stream| weights.matmul(stream))
                .collect::<CandleResult<_>>()?;
            sums[0] = sums[0].broadcast_add(bias)?;
            jet = if index == last {
                sums
            } else {
                self.activate_jet(index, &sums)?
            };
        }
        let (errors, weighted) = self.errors(&Tensor::stack(&jet, 0)?, asked)?;
        let loss = (errors * weighted)?.sum_all()?;
        let found = loss.backward()?;
        let gradient = |variable: &Var| match found.get(variable) {
            Some(gradient) => Ok(gradient.clone()),
            // Nothing depends on it: the last bias when values weigh nothing.
            None => variable.zeros_like(),
        };
        let gradients: CandleResult<_> = variables.iter().flatten().map(gradient).collect();
        Ok((loss, gradients?))
    }

    fn activate_jet(&self, index: usize, sums: &[Tensor]) -> CandleResult<Vec<Tensor>> {
        let omega = f64::from(self.trainee.omega(index));
        let sums: Vec<Tensor> = sums
            .iter()
            .map(|z| z.affine(omega, 0.0))
            .collect::<CandleResult<_>>()?;
        let along = |slope: &Tensor| -> CandleResult<Vec<Tensor>> {
            sums[1..].iter().map(|z| slope * z).collect()
        };
        match self.trainee.mlp.activation {
            Activation::Sine => {
                let value = sums[0].sin()?;
                let mut rest = along(&sums[0].cos()?)?;
                let squares = (sums[1].sqr()? + sums[2].sqr()?)?;
                rest[2] = (&rest[2] - (&value * squares)?)?;
                rest.insert(0, value);
                Ok(rest)
            }
            Activation::Relu => {
                let mut rest = along(&sums[0].gt(0.0)?.to_dtype(DType::F32)?)?;
                rest.insert(0, sums[0].relu()?);
                Ok(rest)
            }
        }
    }
}

/// All values of `tensors`, one after the other.
pub(super) fn flat(tensors: &[Tensor]) -> CandleResult<Tensor> {
    let parts: CandleResult<Vec<Tensor>> = tensors.iter().map(Tensor::flatten_all).collect();
    Tensor::cat(&parts?, 0)
}

pub(super) fn failed(device: &Device, reason: impl ToString) -> Error {
    Error::Device {
        device: candle_name(device),
        reason: reason.to_string(),
    }
}
