//! Losses and gradients on the CPU by the fused kernels: a tile of points goes forward and backward while its activations
//! are in the cache.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::engine::{Engine, Trainee};
use super::pool::Pool;
use super::samples::Samples;
use crate::error::Error;
use inr_kernel::{Backend, GradientLayout, Prepared, STRIP, Tile};

/// Parts that a batch's gradient is summed in, at most: the order of summation must not depend on the number of threads.
const MOST_SHARDS: usize = 16;
/// Points that are worth a gradient of their own.
const LEAST_SHARD: usize = 256;
/// Bytes of activations per tile, about half of a second-level cache.
const TILE_BYTES: usize = 768 << 10;
/// Strips per tile, at most: beyond it a vector of transposed inputs leaves the first-level cache.
const MOST_STRIPS: usize = 8;

/// The fused kernels as an [`Engine`].
pub(crate) struct FusedEngine {
    shared: Arc<Shared>,
    pool: Pool,
}

struct Shared {
    trainee: Trainee,
    samples: Arc<Samples>,
    backend: Backend,
    layout: GradientLayout,
    /// Groups of [`STRIP`] pixels per tile.
    groups: usize,
    step: RwLock<Step>,
    tiles: Vec<Mutex<Tile>>,
    shards: Vec<Mutex<Shard>>,
}

/// What all threads read.
struct Step {
    network: Prepared,
    items: Vec<u32>,
    per_shard: usize,
    /// The loss's gradient with respect to the pixels' values, shape `[height, channels, width]`, when it is given rather
    /// than that of the samples' terms.
    back: Option<Vec<f32>>,
}

#[derive(Default)]
struct Shard {
    gradient: Vec<f32>,
    loss: f64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FusedEngine {
    /// An engine for `trainee` on `samples` with up to `threads` threads.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub(crate) fn new(
        trainee: Trainee,
        samples: Arc<Samples>,
        backend: Backend,
        threads: usize,
    ) -> Result<Self, Error> {
        let widths = trainee.widths();
        let streams = samples.streams();
        let subs = samples.footprint.len();
        let per_strip = 8 * STRIP * streams.count() * widths.iter().sum::<usize>();
        let strips = (TILE_BYTES / per_strip).clamp(1, MOST_STRIPS);
        let groups = (strips / subs).max(1);
        let threads = threads.max(1);
        let tile = || Mutex::new(Tile::new(&widths, groups * subs, streams));
        let shared = Arc::new(Shared {
            layout: GradientLayout::new(&widths),
            groups,
            step: RwLock::new(Step {
                network: Prepared::new(trainee.mlp.activation, &widths, true),
                items: Vec::new(),
                per_shard: 0,
                back: None,
            }),
            tiles: (0..threads).map(|_| tile()).collect(),
            shards: (0..MOST_SHARDS).map(|_| Mutex::default()).collect(),
            trainee,
            samples,
            backend,
        });
        let worker = shared.clone();
        let pool = Pool::new(threads, move |shard, thread| worker.shard(shard, thread))?;
        Ok(Self { shared, pool })
    }
}

impl Shared {
    /// Gradient and loss of one shard of the batch.
    fn shard(&self, index: usize, thread: usize) {
        let step = self.step.read().unwrap_or_else(PoisonError::into_inner);
        let mut tile = lock(&self.tiles[thread]);
        let mut shard = lock(&self.shards[index]);
        let Shard { gradient, loss } = &mut *shard;
        gradient.resize(self.layout.length, 0.0);
        *loss = 0.0;
        let scale = 1.0 / (step.items.len() * self.trainee.channels) as f32;
        let start = index * step.per_shard;
        let items = &step.items[start..step.items.len().min(start + step.per_shard)];
        let subs = self.samples.footprint.len();
        let columns = subs * self.samples.streams().count();
        for (at, items) in items.chunks(self.groups * STRIP).enumerate() {
            let groups = items.chunks(STRIP);
            let strips = groups.len() * subs;
            let inputs =
                step.network.layers[0].forward.inner * self.samples.streams().count() * STRIP;
            let frequencies = self.trainee.mlp.frequencies;
            for (index, strip) in tile
                .inputs()
                .chunks_exact_mut(inputs)
                .take(strips)
                .enumerate()
            {
                let items = &items[index / subs * STRIP..];
                let items = &items[..items.len().min(STRIP)];
                self.samples.inputs(frequencies, items, index % subs, strip);
            }
            self.backend.forward(&step.network, &mut tile, strips);
            let outputs = columns * self.trainee.channels * STRIP;
            for (items, outputs) in groups.zip(tile.outputs().chunks_exact_mut(outputs)) {
                match &step.back {
                    None => *loss += self.samples.square_errors(items, outputs, scale),
                    Some(back) => self.samples.pick(items, back, outputs),
                }
            }
            self.backend.backward(
                &step.network,
                &mut tile,
                strips,
                &self.layout,
                gradient,
                at > 0,
            );
        }
    }

    /// The sum of the first `shards` shards' gradients, in order, as a flat vector.
    fn reduce(&self, shards: usize, flat: &mut [f32]) -> f64 {
        let mut loss = 0.0;
        for (index, shard) in self.shards[..shards].iter().enumerate() {
            let shard = lock(shard);
            loss += shard.loss;
            let mut rest = &mut *flat;
            let shapes = self.trainee.shapes().into_iter().zip(&self.layout.layers);
            for (layer, ((outputs, inputs), place)) in shapes.enumerate() {
                let omega = self.trainee.omega(layer);
                let (weights, tail) = rest.split_at_mut(outputs * inputs);
                let (bias, tail) = tail.split_at_mut(outputs);
                rest = tail;
                let rows = shard.gradient[place.weights..].chunks_exact(place.pitch);
                let rows = weights.chunks_exact_mut(inputs).zip(rows);
                for (to, from) in rows.chain([(bias, &shard.gradient[place.bias..])]) {
                    let pairs = to.iter_mut().zip(from);
                    match index {
                        0 => pairs.for_each(|(to, from)| *to = omega * from),
                        _ => pairs.for_each(|(to, from)| *to += omega * from),
                    }
                }
            }
        }
        loss
    }
}

impl FusedEngine {
    /// The gradient of a loss whose gradient with respect to all pixels' values is `back`, shape
    /// `[height, channels, width]`.
    pub(crate) fn gradient_of(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        back: Vec<f32>,
        gradient: &mut [f32],
    ) -> Result<(), Error> {
        self.run(parameters, items, Some(back), gradient).map(drop)
    }

    /// The loss's sum over the pixels `items`, and its gradient.
    fn run(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        back: Option<Vec<f32>>,
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let shared = &self.shared;
        // Whole groups in each shard, as many shards as are worth it.
        let points = items.len() * shared.samples.footprint.len();
        let shards = (points / LEAST_SHARD).clamp(1, MOST_SHARDS);
        let per_shard = items.len().div_ceil(shards).next_multiple_of(STRIP);
        let shards = items.len().div_ceil(per_shard);
        {
            let mut step = shared.step.write().unwrap_or_else(PoisonError::into_inner);
            let step = &mut *step;
            for (layer, [weights, bias]) in shared.trainee.split(parameters).into_iter().enumerate()
            {
                let omega = shared.trainee.omega(layer);
                step.network
                    .set(shared.backend, layer, weights, bias, omega);
            }
            step.items.clear();
            step.items.extend_from_slice(items);
            step.per_shard = per_shard;
            step.back = back;
        }
        if !self.pool.run(shards) {
            return Err(Error::Device {
                device: "cpu".into(),
                reason: "a training thread ended".into(),
            });
        }
        Ok(shared.reduce(shards, gradient))
    }
}

impl Engine for FusedEngine {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        items: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let count = (items.len() * self.shared.trainee.channels) as f64;
        Ok(self.run(parameters, items, None, gradient)? / count)
    }
}
