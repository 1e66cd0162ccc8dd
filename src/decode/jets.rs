//! Fields of opened files at points, and their jets over viewports.

use inr_kernel::{Backend, Evaluator, JetEvaluator, Job, TILE, default_threads};

use super::picture::{Field, InrPicture, RenderOptions, within};
use super::rows::SampleMap;
use crate::error::Error;
use crate::field::jets::Jets;
use crate::field::network::{Rows, Viewport, render_jets};
use crate::field::pyramid::render::JET_PASSES;
use crate::field::region::check_positions;
use crate::progress::{Meter, Observer, Phase};

impl InrPicture {
    /// Samples of the field at `positions`, shape `[n, 2]`: x, y in source pixels from the top left corner, so that the
    /// first pixel's centre is at (0.5, 0.5). Returns shape `[n, channels]`: encoded samples, clamped to 0.0..=1.0 unless
    /// the source is floating-point. Outside the picture pyramids go on mirrored, networks as they may.
    ///
    /// # Errors
    /// [`Error::Format`] when latents turn out damaged, [`Error::Misuse`] for positions more than a million pixels outside
    /// the picture or not finite.
    pub fn sample(&self, positions: &[[f64; 2]]) -> Result<Vec<f32>, Error> {
        check_positions(positions, &self.file.header)?;
        let map = self.map();
        let decode = SampleMap::new(&self.file.header);
        let mut out = vec![0.0; positions.len() * decode.channels];
        let network = match &self.field {
            Field::Network(network) => network,
            Field::Pyramid(pyramid) => {
                let values = pyramid.at(positions, [0, 0])?;
                let pixels = values.chunks_exact(decode.channels);
                for (values, out) in pixels.zip(out.chunks_exact_mut(decode.channels)) {
                    let values: Vec<f32> = values.iter().map(|v| v * 2.0 - 1.0).collect();
                    decode.row(&values, out, |sample| sample);
                }
                return Ok(out);
            }
        };
        let mut evaluator = Evaluator::new(network, Backend::detect());
        let parts = positions
            .chunks(TILE)
            .zip(out.chunks_mut(TILE * decode.channels));
        for (positions, out) in parts {
            let x: Vec<f32> = positions.iter().map(|[x, _]| map.x(*x)).collect();
            let y: Vec<f32> = positions.iter().map(|[_, y]| map.y(*y)).collect();
            let rows = evaluator.evaluate(&x, &y).chunks_exact(TILE);
            let values: Vec<f32> = rows.flat_map(|row| &row[..x.len()]).copied().collect();
            decode.row(&values, out, |sample| sample);
        }
        Ok(out)
    }

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

    /// The field's jets over what `options` ask for; its depth and device have no say, its method only as to detail. Reduced
    /// sizes average over each pixel's footprint, as renders do, so that these are the derivatives of the reduced picture.
    ///
    /// # Errors
    /// As [`InrPicture::render`]; a pixel counts as four against the limit.
    pub fn jets(
        &self,
        options: &RenderOptions,
        observer: &mut dyn Observer,
    ) -> Result<Jets, Error> {
        let viewport = self.viewport(options)?;
        let units = self.jet_units(&viewport);
        Meter::new(observer).part(Phase::Render, 1.0, units, |job| {
            self.jets_of(options, &viewport, job)
        })
    }

    /// The units that a job counts in [`InrPicture::jets`].
    fn jet_units(&self, viewport: &Viewport) -> u64 {
        let rows = u64::from(viewport.size[1]);
        match &self.field {
            Field::Network(_) => rows,
            Field::Pyramid(_) => rows * JET_PASSES as u64,
        }
    }

    fn jets_of(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        job: &mut Job,
    ) -> Result<Jets, Error> {
        let [width, height] = viewport.size;
        let pixels = u64::from(width) * u64::from(height);
        within(
            "the render, in pixels and their derivatives,",
            pixels.saturating_mul(4),
            options.limits.render_pixels,
        )?;
        let threads = options.threads.unwrap_or_else(default_threads);
        let length = 4 * self.layout().channels() * width as usize;
        let mut out = vec![0.0; length * height as usize];
        match &self.field {
            Field::Network(network) => {
                let rows = Rows::of(&mut out, length);
                let emit = |row: &[f32], out: &mut [f32]| out.copy_from_slice(row);
                render_jets(network, &self.map(), viewport, threads, rows, job, emit)?;
            }
            Field::Pyramid(pyramid) => {
                let detail = self.has_detail(options.method, viewport);
                pyramid.render_jets((viewport, detail), threads, job, &mut out)?;
            }
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
