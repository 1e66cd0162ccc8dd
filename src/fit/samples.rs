//! Training samples: a picture's pixels, visited in shuffled mini-batches without replacement.

use inr_formats::{Depth, Grid};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::descent::Batch;
use crate::field::coords::CoordinateMap;
use inr_image::Picture;
use inr_image::metrics;
use inr_kernel::{Backend, Evaluator, STRIP, Streams, TILE, default_threads};
use inr_kernel::{Network, encode_jets, encode_points};

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
    /// Points whose mean is a pixel's sample, in source pixels from its centre.
    pub(crate) footprint: Vec<[f64; 2]>,
    /// What is compared with what at every pixel.
    pub(crate) terms: Vec<Term>,
}

/// One squared error per pixel and channel: of a sum over what the network gives at the points of a pixel's footprint.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) taps: Vec<Tap>,
    /// None for the samples themselves, weighted by alpha.
    pub(crate) goal: Option<Goal>,
}

/// Part of such a sum: `coefficient` times stream number `stream` at point number `point` of the footprint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    pub(crate) point: usize,
    pub(crate) stream: usize,
    pub(crate) coefficient: f32,
}

/// What a sum is compared with. Derivatives are per source pixel.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// Shape `[height, width, channels]`.
    pub(crate) targets: Vec<f32>,
    /// Of the squared errors.
    pub(crate) weight: f32,
    /// What each pixel's weight is multiplied by, shape `[height, width]`.
    pub(crate) mask: Option<Vec<f32>>,
}

impl Term {
    /// The mean of a stream over a footprint of `points`.
    pub(crate) fn mean(stream: usize, points: usize, goal: Option<Goal>) -> Self {
        let tap = |point| Tap {
            point,
            stream,
            coefficient: 1.0 / points as f32,
        };
        Self {
            taps: (0..points).map(tap).collect(),
            goal,
        }
    }
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
            alpha,
            grid,
            value_range: range,
            ..Self::of_values([picture.width(), picture.height()], channels, targets)
        }
    }

    /// The same samples as the means over their pixels' areas, of four points each.
    pub(crate) fn over_areas(self) -> Self {
        let offsets = [-0.25, 0.25];
        let footprint: Vec<_> = offsets
            .into_iter()
            .flat_map(|dy| offsets.map(|dx| [dx, dy]))
            .collect();
        Self {
            terms: vec![Term::mean(0, footprint.len(), None)],
            footprint,
            ..self
        }
    }

    /// Samples `values`, shape `[height, width, channels]`, all of them colours in -1.0..=1.0, of a picture of this width
    /// and height.
    pub(crate) fn of_values(size: [u32; 2], channels: usize, values: Vec<f32>) -> Self {
        Self {
            width: size[0],
            height: size[1],
            channels,
            targets: values,
            alpha: false,
            grid: Grid::PixelCentre,
            value_range: [0.0, 1.0],
            footprint: vec![[0.0; 2]],
            terms: vec![Term::mean(0, 1, None)],
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

    /// Offsets from a pixel's centre and shares of the points whose sum is compared with the pixel's sample: the centre alone where
    /// something else is compared.
    fn points(&self) -> Vec<([f64; 2], f32)> {
        if let [Term { taps, goal: None }] = &self.terms[..]
            && taps.iter().all(|tap| tap.stream == 0)
        {
            let point = |tap: &Tap| (self.footprint[tap.point], tap.coefficient);
            return taps.iter().map(point).collect();
        }
        vec![([0.0; 2], 1.0)]
    }

    fn square_error(&self, network: &Network, pixels: &[usize]) -> f64 {
        let map = CoordinateMap::new(self.width, self.height, self.grid);
        let mut evaluator = Evaluator::new(network, Backend::detect());
        let (mut x, mut y) = ([0.0; TILE], [0.0; TILE]);
        let mut values = vec![0.0; self.channels * TILE];
        let points = self.points();
        let mut total = 0.0;
        for pixels in pixels.chunks(TILE) {
            values.fill(0.0);
            for ([dx, dy], share) in &points {
                for (at, pixel) in pixels.iter().enumerate() {
                    x[at] = map.x((pixel % self.width as usize) as f64 + 0.5 + dx);
                    y[at] = map.y((pixel / self.width as usize) as f64 + 0.5 + dy);
                }
                let found = evaluator.evaluate(&x[..pixels.len()], &y[..pixels.len()]);
                let sums = values.iter_mut().zip(found);
                sums.for_each(|(sum, found)| *sum += share * found);
            }
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

impl Samples {
    /// What points carry through the network.
    pub(crate) fn streams(&self) -> Streams {
        let mut taps = self.terms.iter().flat_map(|term| &term.taps);
        if taps.any(|tap| tap.stream > 0) {
            Streams::Jet
        } else {
            Streams::Value
        }
    }

    /// A network's inputs at point `sub` of the footprints of up to [`STRIP`] pixels, the last one repeated to fill the
    /// strip: shape `[streams, inputs, STRIP]`.
    pub(crate) fn inputs(&self, frequencies: u8, items: &[u32], sub: usize, strip: &mut [f32]) {
        let map = CoordinateMap::new(self.width, self.height, self.grid);
        let [dx, dy] = self.footprint[sub];
        let (mut x, mut y) = ([0.0; STRIP], [0.0; STRIP]);
        for (at, (x, y)) in x.iter_mut().zip(&mut y).enumerate() {
            let pixel = items[at.min(items.len() - 1)];
            *x = map.x(f64::from(pixel % self.width) + 0.5 + dx);
            *y = map.y(f64::from(pixel / self.width) + 0.5 + dy);
        }
        match self.streams() {
            Streams::Value => encode_points(frequencies, &x, &y, STRIP, strip),
            Streams::Jet => encode_jets(frequencies, [&x, &y], map.scale(), STRIP, strip),
        }
    }

    /// Wanted value and weight of its squared error, for one pixel, term and channel.
    pub(crate) fn wanted(&self, pixel: u32, term: usize, channel: usize) -> [f32; 2] {
        let pixel = pixel as usize;
        let at = pixel * self.channels + channel;
        match &self.terms[term].goal {
            Some(goal) => {
                let mask = goal.mask.as_ref().map_or(1.0, |mask| mask[pixel]);
                [goal.targets[at], goal.weight * mask]
            }
            None => {
                let colour = self.alpha && channel + 1 < self.channels;
                let weight = if colour {
                    self.colour_weight(pixel)
                } else {
                    1.0
                };
                [self.targets[at], weight]
            }
        }
    }

    /// Sum of the weighted squared errors of up to [`STRIP`] pixels' `outputs`, shape
    /// `[footprint, streams, channels, STRIP]`, which are replaced by the gradient of that sum times `scale`.
    pub(crate) fn square_errors(&self, items: &[u32], outputs: &mut [f32], scale: f32) -> f64 {
        let rows = self.streams().count() * self.channels;
        let place = |tap: &Tap, channel: usize| {
            (tap.point * rows + tap.stream * self.channels + channel) * STRIP
        };
        let mut backs = vec![[0.0; STRIP]; self.terms.len() * self.channels];
        let mut total = 0.0;
        for (row, back) in backs.iter_mut().enumerate() {
            let (term, channel) = (row / self.channels, row % self.channels);
            for tap in &self.terms[term].taps {
                let outputs = &outputs[place(tap, channel)..][..STRIP];
                back.iter_mut()
                    .zip(outputs)
                    .for_each(|(sum, output)| *sum += tap.coefficient * output);
            }
            let mut squares = 0.0;
            for (back, &pixel) in back.iter_mut().zip(items) {
                let [target, weight] = self.wanted(pixel, term, channel);
                let error = *back - target;
                squares += weight * error * error;
                *back = 2.0 * scale * weight * error;
            }
            back[items.len()..].fill(0.0);
            total += f64::from(squares);
        }
        outputs.fill(0.0);
        for (row, back) in backs.iter().enumerate() {
            let (term, channel) = (row / self.channels, row % self.channels);
            for tap in &self.terms[term].taps {
                let outputs = &mut outputs[place(tap, channel)..][..STRIP];
                outputs
                    .iter_mut()
                    .zip(back)
                    .for_each(|(output, back)| *output += tap.coefficient * back);
            }
        }
        total
    }
}

impl Samples {
    /// Fills `outputs`, shape `[channels, STRIP]`, with what `values`, shape `[height, channels, width]`, have at up to
    /// [`STRIP`] pixels, and 0 beyond them.
    pub(crate) fn pick(&self, items: &[u32], values: &[f32], outputs: &mut [f32]) {
        for (channel, row) in outputs.chunks_exact_mut(STRIP).enumerate() {
            row.fill(0.0);
            for (to, pixel) in row.iter_mut().zip(items) {
                let (x, y) = (pixel % self.width, pixel / self.width);
                let line = y as usize * self.channels + channel;
                *to = values[line * self.width as usize + x as usize];
            }
        }
    }
}

/// Hands out mini-batches; every pixel once per epoch, in an order that the generator decides.
pub(crate) struct Sampler {
    order: Vec<u32>,
    next: usize,
    /// Counts shuffles.
    epoch: u64,
    batch: usize,
    rng: ChaCha8Rng,
}

impl Sampler {
    pub(crate) fn new(pixels: usize, batch: usize, rng: ChaCha8Rng) -> Self {
        Self {
            order: (0..pixels as u32).collect(),
            next: usize::MAX,
            epoch: 0,
            batch: batch.clamp(1, pixels),
            rng,
        }
    }

    /// Pixels to draw from.
    pub(crate) fn pixels(&self) -> usize {
        self.order.len()
    }

    /// Pixels per batch.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// Leaves out `batches` batches.
    pub(crate) fn skip(&mut self, batches: u64) {
        for _ in 0..batches {
            self.draw();
        }
    }

    /// The next batch. Pixels left over at an epoch's end are skipped, the next shuffle gives them their turn.
    pub(crate) fn draw(&mut self) -> Batch<'_> {
        if self.next.saturating_add(self.batch) > self.order.len() {
            // A full batch sees every pixel anyway.
            if self.batch < self.order.len() {
                self.order.shuffle(&mut self.rng);
                self.epoch += 1;
            }
            self.next = 0;
        }
        self.next += self.batch;
        Batch {
            epoch: self.epoch,
            order: &self.order,
            start: self.next - self.batch,
            length: self.batch,
        }
    }
}
