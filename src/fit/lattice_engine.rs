//! Losses on sums over neighbouring pixels, whole pictures at a time: every pixel is evaluated once, however many of its
//! neighbours' sums it is part of.

use std::sync::Arc;

use super::engine::{Engine, Trainee};
use super::picture_engine::WholePicture;
use super::samples::{Samples, Tap};
use crate::error::Error;
use inr_kernel::Backend;

/// An [`Engine`] for full batches of samples whose terms take values at whole pixels' distances.
pub(crate) struct LatticeEngine {
    samples: Arc<Samples>,
    whole: WholePicture,
}

/// A sum's reach from the pixel, in pixels.
fn reach(samples: &Samples, tap: &Tap) -> [isize; 2] {
    samples.footprint[tap.point].map(|offset| offset as isize)
}

impl LatticeEngine {
    /// True when every term takes values alone, at whole pixels' distances, and asks nothing of pixels where that leads
    /// out of the picture.
    pub(crate) fn fits(samples: &Samples) -> bool {
        let whole = |offset: &[f64; 2]| offset.iter().all(|along| along.fract() == 0.0);
        let several = samples.footprint.len() > 1;
        let lattice = several && samples.footprint.iter().all(whole);
        lattice
            && samples.terms.iter().enumerate().all(|(number, term)| {
                let values = term.taps.iter().all(|tap| tap.stream == 0);
                values && term.goal.is_some() && Self::stays_inside(samples, number)
            })
    }

    fn stays_inside(samples: &Samples, number: usize) -> bool {
        let [width, height] = [samples.width, samples.height].map(|side| side as isize);
        let taps = &samples.terms[number].taps;
        let reaches: Vec<_> = taps.iter().map(|tap| reach(samples, tap)).collect();
        let extent = |axis: usize| {
            let along = reaches.iter().map(|reach| reach[axis]);
            let (low, high) = along.fold((0, 0), |(low, high), v| (low.min(v), high.max(v)));
            (-low, high)
        };
        let ((left, right), (up, down)) = (extent(0), extent(1));
        (0..samples.pixels()).all(|pixel| {
            let (x, y) = (pixel as isize % width, pixel as isize / width);
            let inside = x >= left && x + right < width && y >= up && y + down < height;
            inside || samples.wanted(pixel as u32, number, 0)[1] == 0.0
        })
    }

    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub(crate) fn new(
        trainee: Trainee,
        samples: Arc<Samples>,
        backend: Backend,
        threads: usize,
    ) -> Result<Self, Error> {
        let whole = WholePicture::new(trainee, &samples, backend, threads)?;
        Ok(Self { samples, whole })
    }

    /// Adds to `to` the rows of `from` moved by a tap's reach and multiplied by its coefficient; or, `back`, moved the
    /// other way.
    fn shift(&self, tap: &Tap, back: bool, from: &[f32], to: &mut [f32]) {
        let [width, height] = [self.samples.width as isize, self.samples.height as isize];
        let channels = self.samples.channels as isize;
        let sign = if back { -1 } else { 1 };
        let [dx, dy] = reach(&self.samples, tap).map(|along| sign * along);
        let (first, last) = (0.max(-dx), width.min(width - dx));
        if first >= last {
            return;
        }
        for y in 0.max(-dy)..height.min(height - dy) {
            for channel in 0..channels {
                let place = |y: isize, x: isize| ((y * channels + channel) * width + x) as usize;
                let count = (last - first) as usize;
                let from = &from[place(y + dy, first + dx)..][..count];
                let to = &mut to[place(y, first)..][..count];
                to.iter_mut()
                    .zip(from)
                    .for_each(|(to, from)| *to += tap.coefficient * from);
            }
        }
    }

    /// The sum of one term's squared errors; their gradient with respect to `values` is added to `back`.
    fn term(&self, number: usize, values: &[f32], scale: f32, back: &mut [f32]) -> f64 {
        let samples = &self.samples;
        let taps = &samples.terms[number].taps;
        let (width, channels) = (samples.width as usize, samples.channels);
        let mut errors = vec![0.0; values.len()];
        for tap in taps {
            self.shift(tap, false, values, &mut errors);
        }
        let mut total = 0.0;
        for (row, errors) in errors.chunks_exact_mut(width).enumerate() {
            let (y, channel) = (row / channels, row % channels);
            let mut squares = 0.0;
            for (x, value) in errors.iter_mut().enumerate() {
                let [target, weight] = samples.wanted((y * width + x) as u32, number, channel);
                let error = *value - target;
                squares += weight * error * error;
                *value = 2.0 * scale * weight * error;
            }
            total += f64::from(squares);
        }
        for tap in taps {
            self.shift(tap, true, &errors, back);
        }
        total
    }
}

impl Engine for LatticeEngine {
    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        _: &[u32],
        gradient: &mut [f32],
    ) -> Result<f64, Error> {
        let values = self.whole.values(parameters);
        let count = values.len() as f64;
        let scale = 1.0 / count as f32;
        let terms = 0..self.samples.terms.len();
        let parts = std::thread::scope(|scope| {
            let part = |term| {
                let (this, values) = (&*self, &values);
                scope.spawn(move || {
                    let mut back = vec![0.0; values.len()];
                    (this.term(term, values, scale, &mut back), back)
                })
            };
            let running: Vec<_> = terms.map(part).collect();
            let parts = running.into_iter().map(|part| part.join());
            parts.collect::<Result<Vec<_>, _>>()
        });
        let Ok(parts) = parts else {
            return Err(Error::Device {
                device: "cpu".into(),
                reason: "a training thread ended".into(),
            });
        };
        let mut back = vec![0.0; values.len()];
        let mut loss = 0.0;
        for (part, gradient) in parts {
            loss += part;
            back.iter_mut()
                .zip(gradient)
                .for_each(|(sum, value)| *sum += value);
        }
        self.whole.gradient_of(parameters, back, gradient)?;
        Ok(loss / count)
    }
}
