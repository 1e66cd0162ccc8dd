//! Losses and gradients by candle's tensors, on the CPU or a GPU.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, Device, Layout, Result as CandleResult, Shape, Tensor, Var,
    bail,
};
use inr_formats::Activation;
use rayon::ThreadPoolBuilder;

use super::engine::{Batch, Engine, Trainee};
use crate::Error;
use crate::device::device_name;
use crate::render::Backend;

/// One network's loss as a graph of candle's operations.
#[derive(Clone)]
struct Graph {
    trainee: Trainee,
    device: Device,
    backend: Backend,
}

impl Graph {
    fn variables(&self, parameters: &[f32]) -> CandleResult<Vec<(Var, Var)>> {
        let mut rest = parameters;
        let mut take = |length: usize| {
            let (tensor, tail) = rest.split_at(length);
            rest = tail;
            tensor
        };
        let shapes = self.trainee.shapes().into_iter();
        shapes
            .map(|(outputs, inputs)| {
                let weights =
                    Var::from_slice(take(outputs * inputs), (outputs, inputs), &self.device)?;
                let bias = Var::from_slice(take(outputs), outputs, &self.device)?;
                Ok((weights, bias))
            })
            .collect()
    }

    fn activate(&self, index: usize, z: &Tensor, bias: &Tensor) -> CandleResult<Tensor> {
        let omega = self.trainee.omega(index);
        match self.trainee.mlp.activation {
            Activation::Sine if self.device.is_cpu() => {
                let backend = self.backend;
                z.apply_op2(bias, Sine { omega, backend })
            }
            Activation::Sine => z
                .broadcast_add(&bias.unsqueeze(1)?)?
                .affine(f64::from(omega), 0.0)?
                .sin(),
            Activation::Relu => z.broadcast_add(&bias.unsqueeze(1)?)?.relu(),
        }
    }

    fn loss(&self, variables: &[(Var, Var)], batch: &Batch) -> CandleResult<Tensor> {
        let points = batch.points;
        let channels = self.trainee.channels;
        let mut activations = Tensor::from_slice(
            &batch.inputs,
            (batch.inputs.len() / points, points),
            &self.device,
        )?;
        let last = variables.len() - 1;
        for (index, (weights, bias)) in variables.iter().enumerate() {
            let z = weights.matmul(&activations)?;
            activations = if index < last {
                self.activate(index, &z, bias)?
            } else {
                z.broadcast_add(&bias.unsqueeze(1)?)?
            };
        }
        let targets = Tensor::from_slice(&batch.targets, (channels, points), &self.device)?;
        let errors = (activations - targets)?.sqr()?;
        match &batch.weights {
            Some(weights) => {
                let weights =
                    Tensor::from_slice(weights.as_ref(), (channels, points), &self.device)?;
                (errors * weights)?.mean_all()
            }
            None => errors.mean_all(),
        }
    }

    /// Loss and flat gradient of one batch.
    fn batch(&self, parameters: &[f32], batch: &Batch) -> Outcome {
        let variables = self.variables(parameters)?;
        let loss = self.loss(&variables, batch)?;
        let gradients = loss.backward()?;
        let mut flat = Vec::with_capacity(parameters.len());
        for tensor in variables.iter().flat_map(|(weights, bias)| [weights, bias]) {
            match gradients.get(tensor) {
                Some(found) => flat.extend(found.flatten_all()?.to_vec1::<f32>()?),
                None => flat.resize(flat.len() + tensor.elem_count(), 0.0),
            }
        }
        Ok((f64::from(loss.to_scalar::<f32>()?), flat))
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

/// `sin(omega * (z + bias))` with `z` `[outputs, points]` and `bias` `[outputs]`, on the CPU's vector kernels: candle's
/// own sine is scalar and was a quarter of a step's time.
struct Sine {
    omega: f32,
    backend: Backend,
}

/// Gradient of [`Sine`] with respect to `z + bias`.
struct SineGradient {
    omega: f32,
    backend: Backend,
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> CandleResult<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("strided tensor in a sine layer"),
    }
}

/// `z + bias`, row by row.
fn biased(z: &[f32], bias: &[f32]) -> Vec<f32> {
    let points = z.len() / bias.len();
    let rows = z.chunks_exact(points).zip(bias);
    rows.flat_map(|(row, &bias)| row.iter().map(move |z| z + bias))
        .collect()
}

impl CustomOp2 for Sine {
    fn name(&self) -> &'static str {
        "sine-layer"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let mut out = biased(contiguous(z, z_at)?, contiguous(bias, bias_at)?);
        self.backend.scaled_sine(self.omega, &mut out);
        Ok((CpuStorage::F32(out), z_at.shape().clone()))
    }

    fn bwd(
        &self,
        z: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let (omega, backend) = (self.omega, self.backend);
        let gradient = gradient.contiguous()?;
        let dz = z.apply_op3_no_bwd(bias, &gradient, &SineGradient { omega, backend })?;
        let ones = Tensor::ones((dz.dim(1)?, 1), dz.dtype(), dz.device())?;
        let db = dz.matmul(&ones)?.squeeze(1)?;
        Ok((Some(dz), Some(db)))
    }
}

impl CustomOp3 for SineGradient {
    fn name(&self) -> &'static str {
        "sine-layer-gradient"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_at: &Layout,
        bias: &CpuStorage,
        bias_at: &Layout,
        gradient: &CpuStorage,
        gradient_at: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let mut out = biased(contiguous(z, z_at)?, contiguous(bias, bias_at)?);
        self.backend
            .sine_gradient(self.omega, contiguous(gradient, gradient_at)?, &mut out);
        Ok((CpuStorage::F32(out), z_at.shape().clone()))
    }
}
