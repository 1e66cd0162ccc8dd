//! Losses and gradients by candle's tensors, on the CPU or a GPU.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, DType, Device, Layout, Result as CandleResult, Shape, Tensor,
    bail,
};
use inr_formats::Activation;
use rayon::ThreadPoolBuilder;

use super::engine::{Batch, Engine, Trainee};
use crate::Error;
use crate::device::device_name;
use crate::render::Backend;

/// One network's loss and gradient in candle's operations.
///
/// The backward pass is written out: candle's own adds every gradient to zeros first, through a pool with one lock and
/// spinning waits, which took half of the time of a step. Written out it needs no additions, and runs on every device.
#[derive(Clone)]
struct Graph {
    trainee: Trainee,
    device: Device,
    backend: Backend,
}

/// A layer's weights `[outputs, inputs]` and bias `[outputs, 1]`.
type LayerTensors = (Tensor, Tensor);

impl Graph {
    fn layers(&self, parameters: &[f32]) -> CandleResult<Vec<LayerTensors>> {
        let mut rest = parameters;
        let mut take = |rows: usize, columns: usize| {
            let (tensor, tail) = rest.split_at(rows * columns);
            rest = tail;
            Tensor::from_slice(tensor, (rows, columns), &self.device)
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

    /// Loss and flat gradient of one batch.
    fn batch(&self, parameters: &[f32], batch: &Batch) -> Outcome {
        let layers = self.layers(parameters)?;
        let points = batch.points;
        let last = layers.len() - 1;
        let mut inputs = vec![Tensor::from_slice(
            &batch.inputs,
            (batch.inputs.len() / points, points),
            &self.device,
        )?];
        let mut sums = Vec::new();
        for (index, (weights, bias)) in layers[..last].iter().enumerate() {
            let z = weights.matmul(&inputs[index])?;
            inputs.push(self.activation(index).forward(&z, bias)?);
            sums.push(z);
        }
        let (weights, bias) = &layers[last];
        let outputs = weights.matmul(&inputs[last])?.broadcast_add(bias)?;
        let (loss, mut back) = self.loss(&outputs, batch)?;

        let ones = Tensor::ones((points, 1), DType::F32, &self.device)?;
        let mut gradients = Vec::with_capacity(layers.len());
        for index in (0..=last).rev() {
            gradients.push((back.matmul(&inputs[index].t()?)?, back.matmul(&ones)?));
            if index > 0 {
                let arriving = layers[index].0.t()?.matmul(&back)?;
                back = self.activation(index - 1).backward(
                    &sums[index - 1],
                    &layers[index - 1].1,
                    &arriving,
                )?;
            }
        }
        let mut flat = Vec::with_capacity(parameters.len());
        for (weights, bias) in gradients.iter().rev() {
            flat.extend(weights.flatten_all()?.to_vec1::<f32>()?);
            flat.extend(bias.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok((f64::from(loss), flat))
    }

    /// Mean weighted squared error of `outputs`, shape `[channels, points]`, and its gradient with respect to them.
    fn loss(&self, outputs: &Tensor, batch: &Batch) -> CandleResult<(f32, Tensor)> {
        let shape = (self.trainee.channels, batch.points);
        let errors = (outputs - Tensor::from_slice(&batch.targets, shape, &self.device)?)?;
        let weighted = match &batch.weights {
            Some(weights) => {
                (&errors * Tensor::from_slice(weights.as_ref(), shape, &self.device)?)?
            }
            None => errors.clone(),
        };
        let loss = (&weighted * &errors)?.mean_all()?.to_scalar()?;
        let scale = 2.0 / (shape.0 * shape.1) as f64;
        Ok((loss, weighted.affine(scale, 0.0)?))
    }
}

type Outcome = CandleResult<(f64, Vec<f32>)>;

/// One shard to work on, and where its result goes.
struct Job {
    parameters: Arc<[f32]>,
    batch: Batch<'static>,
    shard: usize,
    result: Sender<(usize, Outcome)>,
}

/// candle as an [`Engine`].
///
/// On the CPU each worker thread computes whole shards: candle's own threading splits single matrix products, which are
/// too small here to gain from it (20 to 40 % slower than one thread).
pub(crate) struct CandleEngine {
    device: String,
    workers: Vec<Sender<Job>>,
}

impl CandleEngine {
    /// An engine on `device` that uses up to `threads` threads when that is the CPU.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub(crate) fn new(trainee: Trainee, device: Device, threads: usize) -> Result<Self, Error> {
        let count = if device.is_cpu() { threads.max(1) } else { 1 };
        let backend = Backend::detect();
        let name = device_name(&device);
        let graph = Graph {
            trainee,
            device,
            backend,
        };
        let workers: std::io::Result<Vec<_>> =
            (0..count).map(|_| Self::worker(graph.clone())).collect();
        Ok(Self {
            device: name,
            workers: workers?,
        })
    }

    /// Starts a thread that ends when its queue is dropped.
    fn worker(graph: Graph) -> std::io::Result<Sender<Job>> {
        let (queue, jobs) = channel::<Job>();
        std::thread::Builder::new()
            .name("inr-fit".into())
            .spawn(move || {
                if graph.device.is_cpu() {
                    // Makes this thread a pool of its own, which keeps candle's products on it. A failure costs speed alone.
                    let _pool = ThreadPoolBuilder::new()
                        .num_threads(1)
                        .use_current_thread()
                        .build();
                }
                for job in jobs {
                    let outcome = graph.batch(&job.parameters, &job.batch);
                    // The engine may have given up on an earlier error.
                    let _ = job.result.send((job.shard, outcome));
                }
            })?;
        Ok(queue)
    }

    fn failed(&self, reason: impl ToString) -> Error {
        Error::Device {
            device: self.device.clone(),
            reason: reason.to_string(),
        }
    }
}

impl Engine for CandleEngine {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        shards: &[Batch],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let parameters: Arc<[f32]> = parameters.into();
        let (result, results) = channel();
        for (shard, batch) in shards.iter().enumerate() {
            let job = Job {
                parameters: parameters.clone(),
                batch: batch.to_owned(),
                shard,
                result: result.clone(),
            };
            let worker = &self.workers[shard % self.workers.len()];
            worker
                .send(job)
                .map_err(|_| self.failed("a training thread ended"))?;
        }
        drop(result);
        let mut outcomes: Vec<_> = results.into_iter().collect();
        if outcomes.len() != shards.len() {
            return Err(self.failed("a training thread ended"));
        }
        outcomes.sort_by_key(|(shard, _)| *shard);
        let total: usize = shards.iter().map(|shard| shard.points).sum();
        let mut loss = 0.0;
        gradient.fill(0.0);
        for (shard, outcome) in outcomes {
            let (part, flat) = outcome.map_err(|error| self.failed(error))?;
            let share = shards[shard].points as f64 / total as f64;
            loss += share * part;
            for (sum, value) in gradient.iter_mut().zip(flat) {
                *sum += share as f32 * value;
            }
        }
        Ok(loss)
    }
}

/// A hidden layer's activation of `z + bias`, with `z` `[outputs, points]` and `bias` `[outputs, 1]`; a sine layer
/// multiplies by omega first. On the CPU these are our vector kernels: candle's sine is scalar.
#[derive(Clone, Copy)]
struct Activate {
    activation: Activation,
    omega: f32,
    backend: Backend,
}

/// Turns the gradient with respect to an activation into the one with respect to `z + bias`.
struct ActivateGradient(Activate);

impl Activate {
    fn forward(self, z: &Tensor, bias: &Tensor) -> CandleResult<Tensor> {
        if z.device().is_cpu() {
            return z.apply_op2_no_bwd(bias, &self);
        }
        let z = z.broadcast_add(bias)?;
        match self.activation {
            Activation::Sine => z.affine(f64::from(self.omega), 0.0)?.sin(),
            Activation::Relu => z.relu(),
        }
    }

    fn backward(self, z: &Tensor, bias: &Tensor, arriving: &Tensor) -> CandleResult<Tensor> {
        if z.device().is_cpu() {
            return z.apply_op3_no_bwd(bias, arriving, &ActivateGradient(self));
        }
        let z = z.broadcast_add(bias)?;
        let omega = f64::from(self.omega);
        match self.activation {
            Activation::Sine => (z.affine(omega, 0.0)?.cos()? * arriving)?.affine(omega, 0.0),
            Activation::Relu => z.gt(0.0)?.to_dtype(DType::F32)? * arriving,
        }
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> CandleResult<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("strided tensor in an activation"),
    }
}

/// `z + bias`, row by row.
fn biased(z: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut sums = z.to_vec();
    for (row, bias) in sums.chunks_exact_mut(z.len() / bias.len()).zip(bias) {
        row.iter_mut().for_each(|z| *z += bias);
    }
    sums
}

impl CustomOp2 for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let mut values = biased(contiguous(z, z_at)?, contiguous(bias, bias_at)?);
        match self.activation {
            Activation::Sine => self.backend.scaled_sine(self.omega, &mut values),
            Activation::Relu => values.iter_mut().for_each(|z| *z = z.max(0.0)),
        }
        Ok((CpuStorage::F32(values), z_at.shape().clone()))
    }
}

impl CustomOp3 for ActivateGradient {
    fn name(&self) -> &'static str {
        "activation-gradient"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
        arriving: &CpuStorage,
        arriving_at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let mut values = biased(contiguous(z, z_at)?, contiguous(bias, bias_at)?);
        let arriving = contiguous(arriving, arriving_at)?;
        match self.0.activation {
            Activation::Sine => self
                .0
                .backend
                .sine_gradient(self.0.omega, arriving, &mut values),
            Activation::Relu => {
                let pairs = values.iter_mut().zip(arriving);
                pairs.for_each(|(z, arriving)| *z = if *z > 0.0 { *arriving } else { 0.0 });
            }
        }
        Ok((CpuStorage::F32(values), z_at.shape().clone()))
    }
}
