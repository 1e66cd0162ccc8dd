//! A field's values with their derivatives, at points and over viewports.

use super::decode::{Field, InrPicture, RenderOptions, within};
use super::region::check_positions;
use crate::Error;
use crate::parallel::{Pulse, unwatched};
use crate::pyramid::render::JET_PASSES;
use crate::render::{self, Backend, JetEvaluator, Rows, TILE, Viewport};

/// What a jet holds of a field at a point: its value, first derivatives and Laplacian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// The value.
    Value,
    /// The derivative along x, to the right.
    Dx,
    /// The derivative along y, downwards.
    Dy,
    /// The sum of the second derivatives along x and y.
    Laplacian,
}

impl Component {
    /// All of them, in the order of jets.
    pub const ALL: [Self; 4] = [Self::Value, Self::Dx, Self::Dy, Self::Laplacian];
}

/// Values and derivatives of a field over a grid of pixels or a list of points.
///
/// Samples are not clamped: 0.0..=1.0 is their range unless the source is floating-point. Derivatives are samples per
/// source pixel, Laplacians samples per source pixel squared, at every scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Jets {
    width: usize,
    channels: usize,
    /// Shape `[height, components, channels, width]`.
    rows: Vec<f32>,
}

impl Jets {
    /// Jets of `width` columns; `rows` has the shape `[height, components, channels, width]`.
    pub(crate) fn new(width: usize, channels: usize, rows: Vec<f32>) -> Self {
        Self {
            width,
            channels,
            rows,
        }
    }

    /// Columns; the number of points of a list.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows; 1 for a list of points.
    pub fn height(&self) -> usize {
        self.rows.len() / (4 * self.channels * self.width).max(1)
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// One component of one channel, shape `[height, width]`.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn plane(&self, component: Component, channel: usize) -> Vec<f32> {
        assert!(channel < self.channels, "channel {channel}");
        let at = (component as usize * self.channels + channel) * self.width;
        let rows = self.rows.chunks_exact(4 * self.channels * self.width);
        rows.flat_map(|row| &row[at..at + self.width])
            .copied()
            .collect()
    }
}

impl InrPicture {
    /// The field's jets at `positions`: x, y in source pixels from the top left corner, so that the first pixel's centre
    /// is at (0.5, 0.5). The result has one row.
    ///
    /// Networks are differentiated analytically, by forward-mode jets through their layers: exact up to rounding. A ReLU
    /// has slope 0 at its kinks, and Laplacians of ReLU networks are those of their pieces.
    ///
    /// # Errors
    /// [`Error::OverLimit`] for more positions than could be held, [`Error::Format`] when latents turn out damaged,
    /// [`Error::Misuse`] as [`InrPicture::sample`].
    pub fn jets_at(&self, positions: &[[f64; 2]]) -> Result<Jets, Error> {
        check_positions(positions, &self.file.header)?;
        let (width, channels) = (positions.len(), self.layout().channels());
        let mut rows = vec![0.0; 4 * channels * width];
        match &self.field {
            Field::Network(network) => {
                let map = self.map();
                let mut evaluator = JetEvaluator::new(network, map.scale(), Backend::detect());
                for (index, positions) in positions.chunks(TILE).enumerate() {
                    let x: Vec<f32> = positions.iter().map(|[x, _]| map.x(*x)).collect();
                    let y: Vec<f32> = positions.iter().map(|[_, y]| map.y(*y)).collect();
                    let found = evaluator.evaluate(&x, &y).chunks_exact(TILE);
                    for (row, found) in found.enumerate() {
                        let start = row * width + index * TILE;
                        rows[start..][..x.len()].copy_from_slice(&found[..x.len()]);
                    }
                }
            }
            Field::Pyramid(pyramid) => {
                for (component, orders) in [
                    (0, [0, 0]),
                    (1, [1, 0]),
                    (2, [0, 1]),
                    (3, [2, 0]),
                    (3, [0, 2]),
                ] {
                    let found = pyramid.at(positions, orders)?;
                    for (point, values) in found.chunks_exact(channels).enumerate() {
                        for (channel, value) in values.iter().enumerate() {
                            // Values there are 0.0..=1.0.
                            let offset = if component == 0 { -1.0 } else { 0.0 };
                            rows[(component * channels + channel) * width + point] +=
                                2.0 * value + offset;
                        }
                    }
                }
            }
        }
        Ok(self.in_samples(width, rows))
    }

    /// The field's jets over what `options` ask for; its depth, method and device have no say. Reduced sizes average over
    /// each pixel's footprint, as renders do, so that these are the derivatives of the reduced picture.
    ///
    /// # Errors
    /// As [`InrPicture::render`]; a pixel counts as four against the limit.
    pub fn jets(&self, options: &RenderOptions) -> Result<Jets, Error> {
        unwatched(|pulse| self.watched_jets(options, pulse))
    }

    /// What `pulse` counts in [`InrPicture::watched_jets`].
    pub(super) fn jet_units(&self, viewport: &Viewport) -> u64 {
        let rows = u64::from(viewport.size[1]);
        match &self.field {
            Field::Network(_) => rows,
            Field::Pyramid(_) => rows * JET_PASSES as u64,
        }
    }

    pub(super) fn watched_jets(
        &self,
        options: &RenderOptions,
        pulse: &mut Pulse,
    ) -> Result<Jets, Error> {
        let viewport = self.viewport(options)?;
        let [width, height] = viewport.size;
        let pixels = u64::from(width) * u64::from(height);
        within(
            "the render, in pixels and their derivatives,",
            pixels.saturating_mul(4),
            options.limits.render_pixels,
        )?;
        let threads = options.threads.unwrap_or_else(render::default_threads);
        let length = 4 * self.layout().channels() * width as usize;
        let mut out = vec![0.0; length * height as usize];
        match &self.field {
            Field::Network(network) => {
                let rows = Rows::of(&mut out, length);
                let emit = |row: &[f32], out: &mut [f32]| out.copy_from_slice(row);
                render::render_jets(network, &self.map(), &viewport, threads, rows, pulse, emit)?;
            }
            Field::Pyramid(pyramid) => pyramid.render_jets(&viewport, threads, pulse, &mut out)?,
        }
        Ok(self.in_samples(width as usize, out))
    }

    /// From field values -1.0..=1.0, shape `[height, components, channels, width]`, to samples.
    fn in_samples(&self, width: usize, mut rows: Vec<f32>) -> Jets {
        let header = &self.file.header;
        let channels = header.layout.channels();
        for (index, line) in rows.chunks_exact_mut(width.max(1)).enumerate() {
            let alpha = header.layout.has_alpha() && index % channels == channels - 1;
            let [low, high] = if alpha {
                [0.0, 1.0]
            } else {
                header.value_range
            };
            let half = (high - low) * 0.5;
            let middle = if (index / channels).is_multiple_of(4) {
                low + half
            } else {
                0.0
            };
            line.iter_mut()
                .for_each(|value| *value = middle + half * *value);
        }
        Jets::new(width, channels, rows)
    }
}
