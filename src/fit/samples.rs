//! Training samples: a picture's pixels, visited in shuffled mini-batches without replacement.

use inr_formats::{Depth, Grid};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::engine::Batch;
use crate::coords::CoordinateMap;
use crate::metrics;
use crate::net::{Network, encode_points};
use crate::picture::Picture;
use crate::render::{Backend, Evaluator, TILE, default_threads};

/// A picture as the trainer sees it.
pub(crate) struct Samples {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: usize,
    /// Wanted outputs, interleaved: shape `[height, width, channels]`, -1.0..=1.0.
    pub(crate) targets: Vec<f32>,
    /// True when the last channel is alpha, which weighs the colours' errors.
    pub(crate) alpha: bool,
    pub(crate) grid: Grid,
    /// The colour values that -1 and +1 stand for.
    pub(crate) value_range: [f32; 2],
}

/// Pixels that PSNRs of networks are measured on while encoding.
const MEASURED: usize = 1 << 18;
/// Points at which the effect of rounding is probed.
const PROBES: usize = 4_096;

impl Samples {
    /// The samples of `picture`. Floating-point ones may leave 0.0..=1.0; the range then grows to hold them.
    pub(crate) fn new(picture: &Picture, grid: Grid) -> Self {
        let layout = picture.layout();
        let (channels, alpha) = (layout.channels(), layout.has_alpha());
        let mut targets = picture.to_f32();
        let colours = layout.colour_channels();
        let mut range = [0.0_f32, 1.0];
        if picture.depth() == Depth::F32 {
            for &value in targets
                .chunks_exact(channels)
                .flat_map(|pixel| &pixel[..colours])
            {
                range = [range[0].min(value), range[1].max(value)];
            }
        }
        for (at, value) in targets.iter_mut().enumerate() {
            let [low, high] = if at % channels < colours {
                range
            } else {
                [0.0, 1.0]
            };
            *value = (*value - low) / (high - low) * 2.0 - 1.0;
        }
        Self {
            width: picture.width(),
            height: picture.height(),
            channels,
            targets,
            alpha,
            grid,
            value_range: range,
        }
    }

    /// PSNR in dB of `network` before any rounding of samples.
    pub(crate) fn psnr(&self, network: &Network) -> f64 {
        metrics::decibels(self.mean_square_error(network, MEASURED))
    }

    /// Evenly spread sample points in field coordinates, x and y.
    pub(crate) fn probe_points(&self) -> [Vec<f32>; 2] {
        let map = CoordinateMap::new(self.width, self.height, self.grid);
        let width = self.width as usize;
        let pixels = self.spread(PROBES);
        let x = pixels
            .iter()
            .map(|pixel| map.x((pixel % width) as f64 + 0.5))
            .collect();
        let y = pixels
            .iter()
            .map(|pixel| map.y((pixel / width) as f64 + 0.5))
            .collect();
        [x, y]
    }

    /// All pixels, or about `most` evenly spread ones.
    fn spread(&self, most: usize) -> Vec<usize> {
        let stride = self.pixels().div_ceil(most.max(1));
        // An odd stride does not fall into step with even picture widths.
        let stride = if stride > 1 { stride | 1 } else { 1 };
        (0..self.pixels()).step_by(stride).collect()
    }

    pub(crate) fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Weights of a pixel's colour errors, 0.0..=1.0: its alpha, or 1.
    pub(crate) fn colour_weight(&self, pixel: usize) -> f32 {
        if self.alpha {
            ((self.targets[pixel * self.channels + self.channels - 1] + 1.0) * 0.5).clamp(0.0, 1.0)
        } else {
            1.0
        }
    }

    /// Mean weighted squared error of the best constant, over the samples' own scale: the loss of a network that has
    /// learnt nothing but the mean.
    pub(crate) fn variance(&self) -> f64 {
        let mut total = 0.0;
        for channel in 0..self.channels {
            let colour = !self.alpha || channel + 1 < self.channels;
            let weigh = |pixel| {
                if colour {
                    f64::from(self.colour_weight(pixel))
                } else {
                    1.0
                }
            };
            let value = |pixel: usize| f64::from(self.targets[pixel * self.channels + channel]);
            let (mut weight, mut sum, mut squares) = (0.0, 0.0, 0.0);
            for pixel in 0..self.pixels() {
                let (w, v) = (weigh(pixel), value(pixel));
                weight += w;
                sum += w * v;
                squares += w * v * v;
            }
            total += squares
                - if weight > 0.0 {
                    sum * sum / weight
                } else {
                    0.0
                };
        }
        total / (self.pixels() * self.channels) as f64
    }
}

impl Samples {
    /// Mean weighted squared error of `network` in sample units (0.0..=1.0 for the whole range), over every pixel or, of
    /// larger pictures, over about `most` evenly spread ones.
    pub(crate) fn mean_square_error(&self, network: &Network, most: usize) -> f64 {
        let chosen = self.spread(most);
        let per_thread = chosen
            .len()
            .div_ceil(default_threads())
            .next_multiple_of(TILE);
        let total: f64 = std::thread::scope(|scope| {
            let parts = chosen
                .chunks(per_thread)
                .map(|part| scope.spawn(|| self.square_error(network, part)));
            let parts: Vec<_> = parts.collect();
            parts
                .into_iter()
                .map(|part| part.join().unwrap_or(f64::NAN))
                .sum()
        });
        // Targets span -1.0..=1.0, twice the range of samples.
        total / 4.0 / (chosen.len() * self.channels) as f64
    }

    fn square_error(&self, network: &Network, pixels: &[usize]) -> f64 {
        let map = CoordinateMap::new(self.width, self.height, self.grid);
        let mut evaluator = Evaluator::new(network, Backend::detect());
        let (mut x, mut y) = ([0.0; TILE], [0.0; TILE]);
        let mut total = 0.0;
        for pixels in pixels.chunks(TILE) {
            for (at, pixel) in pixels.iter().enumerate() {
                x[at] = map.x((pixel % self.width as usize) as f64 + 0.5);
                y[at] = map.y((pixel / self.width as usize) as f64 + 0.5);
            }
            let values = evaluator.evaluate(&x[..pixels.len()], &y[..pixels.len()]);
            for channel in 0..self.channels {
                let colour = !self.alpha || channel + 1 < self.channels;
                for (at, &pixel) in pixels.iter().enumerate() {
                    let error = f64::from(
                        values[channel * TILE + at] - self.targets[pixel * self.channels + channel],
                    );
                    let weight = if colour {
                        self.colour_weight(pixel)
                    } else {
                        1.0
                    };
                    total += f64::from(weight) * error * error;
                }
            }
        }
        total
    }
}

/// Hands out mini-batches; every pixel once per epoch, in an order that the generator decides.
pub(crate) struct Sampler<'a> {
    samples: &'a Samples,
    map: CoordinateMap,
    frequencies: u8,
    order: Vec<u32>,
    next: usize,
    batch: usize,
    rng: ChaCha8Rng,
    shards: Vec<Shard>,
}

/// Points that one thread works on at a time.
const SHARD: usize = 512;

impl<'a> Sampler<'a> {
    pub(crate) fn new(
        samples: &'a Samples,
        frequencies: u8,
        batch: usize,
        rng: ChaCha8Rng,
    ) -> Self {
        let batch = batch.clamp(1, samples.pixels());
        let inputs = 2 + 4 * usize::from(frequencies);
        let shard = |start: usize| Shard::new(SHARD.min(batch - start), inputs, samples);
        Self {
            samples,
            map: CoordinateMap::new(samples.width, samples.height, samples.grid),
            frequencies,
            order: (0..samples.pixels() as u32).collect(),
            next: usize::MAX,
            batch,
            rng,
            shards: (0..batch).step_by(SHARD).map(shard).collect(),
        }
    }

    /// Points per batch.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// The next batch, in shards of at most [`SHARD`] points. Pixels left over at an epoch's end are skipped, the next
    /// shuffle gives them their turn.
    pub(crate) fn draw(&mut self) -> Vec<Batch<'_>> {
        if self.next.saturating_add(self.batch) > self.order.len() {
            // A full batch sees every pixel anyway.
            if self.batch < self.order.len() {
                self.order.shuffle(&mut self.rng);
            }
            self.next = 0;
        }
        let chosen = &self.order[self.next..self.next + self.batch];
        self.next += self.batch;
        for (shard, pixels) in self.shards.iter_mut().zip(chosen.chunks(SHARD)) {
            shard.fill(pixels, self.samples, &self.map, self.frequencies);
        }
        self.shards.iter().map(Shard::batch).collect()
    }
}

/// Buffers of one shard of a batch, feature-major.
struct Shard {
    x: Vec<f32>,
    y: Vec<f32>,
    inputs: Vec<f32>,
    targets: Vec<f32>,
    weights: Vec<f32>,
}

impl Shard {
    fn new(points: usize, inputs: usize, samples: &Samples) -> Self {
        let outputs = points * samples.channels;
        Self {
            x: vec![0.0; points],
            y: vec![0.0; points],
            inputs: vec![0.0; points * inputs],
            targets: vec![0.0; outputs],
            weights: vec![1.0; if samples.alpha { outputs } else { 0 }],
        }
    }

    fn fill(&mut self, pixels: &[u32], samples: &Samples, map: &CoordinateMap, frequencies: u8) {
        let (points, channels, width) = (pixels.len(), samples.channels, samples.width as usize);
        for (at, &pixel) in pixels.iter().enumerate() {
            let pixel = pixel as usize;
            self.x[at] = map.x((pixel % width) as f64 + 0.5);
            self.y[at] = map.y((pixel / width) as f64 + 0.5);
            for channel in 0..channels {
                self.targets[channel * points + at] = samples.targets[pixel * channels + channel];
            }
            if samples.alpha {
                let weight = samples.colour_weight(pixel);
                for channel in 0..channels - 1 {
                    self.weights[channel * points + at] = weight;
                }
            }
        }
        encode_points(frequencies, &self.x, &self.y, points, &mut self.inputs);
    }

    fn batch(&self) -> Batch<'_> {
        Batch {
            inputs: (&self.inputs).into(),
            targets: (&self.targets).into(),
            weights: (!self.weights.is_empty()).then(|| (&self.weights).into()),
            points: self.x.len(),
        }
    }
}
