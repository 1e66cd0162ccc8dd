//! Losses and gradients by candle's tensors, on a GPU or the CPU.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use candle_core::Device;
use rayon::ThreadPoolBuilder;

use super::candle_graph::{Graph, Outcome, failed};
use super::candle_ops::has_kernels;
use super::descent::{Descent, Method};
use super::engine::{Engine, Trainee};
use super::resident::ResidentDescent;
use super::samples::Samples;
use crate::error::Error;
use inr_kernel::Backend;

/// One shard to work on, and where its result goes.
struct Job {
    parameters: Arc<[f32]>,
    items: Vec<u32>,
    shard: usize,
    result: Sender<(usize, Outcome)>,
}

/// Pixels that one CPU thread works on at a time.
const SHARD: usize = 512;

/// candle as an [`Engine`].
///
/// On the CPU each worker thread computes whole shards: candle's own threading splits single matrix products, which are
/// too small here to gain from it (20 to 40 % slower than one thread).
pub(crate) struct CandleEngine {
    graph: Graph,
    /// Pixels per shard.
    shard: usize,
    workers: Vec<Sender<Job>>,
}

impl CandleEngine {
    /// An engine for `trainee` on `samples` on `device`, with up to `threads` threads when that is the CPU.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub(crate) fn new(
        trainee: Trainee,
        samples: Arc<Samples>,
        device: Device,
        threads: usize,
    ) -> Result<Self, Error> {
        let (count, shard) = if device.is_cpu() {
            (threads.max(1), SHARD)
        } else {
            (1, usize::MAX)
        };
        let graph = Graph {
            trainee,
            samples,
            device,
            backend: Backend::detect(),
        };
        let workers: std::io::Result<Vec<_>> =
            (0..count).map(|_| Self::worker(graph.clone())).collect();
        Ok(Self {
            graph,
            shard,
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
                    let outcome = graph.batch(&job.parameters, &job.items);
                    // The engine may have given up on an earlier error.
                    let _ = job.result.send((job.shard, outcome));
                }
            })?;
        Ok(queue)
    }

    fn failed(&self, reason: impl ToString) -> Error {
        failed(&self.graph.device, reason)
    }
}

impl Engine for CandleEngine {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let parameters: Arc<[f32]> = parameters.into();
        let (result, results) = channel();
        let shards = items.chunks(self.shard.min(items.len()));
        let count = shards.len();
        for (shard, items) in shards.enumerate() {
            let job = Job {
                parameters: parameters.clone(),
                items: items.to_vec(),
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
        if outcomes.len() != count {
            return Err(self.failed("a training thread ended"));
        }
        outcomes.sort_by_key(|(shard, _)| *shard);
        let scale = 1.0 / (items.len() * self.graph.trainee.channels) as f64;
        let mut loss = 0.0;
        gradient.fill(0.0);
        for (_, outcome) in outcomes {
            let (part, flat) = outcome.map_err(|error| self.failed(error))?;
            loss += scale * part;
            for (sum, value) in gradient.iter_mut().zip(flat) {
                *sum += scale as f32 * value;
            }
        }
        Ok(loss)
    }

    fn resident(&self, start: &[f32], method: &Method) -> Result<Option<Box<dyn Descent>>, Error> {
        let graph = &self.graph;
        if graph.device.is_cpu() || !has_kernels(&graph.device) || !ResidentDescent::fits(graph) {
            return Ok(None);
        }
        let descent = ResidentDescent::new(graph.clone(), start, method.clone());
        let descent = descent.map_err(|error| self.failed(error))?;
        Ok(Some(Box::new(descent)))
    }
}
