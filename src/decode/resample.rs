//! Bicubic and Lanczos renders: the native render, resampled.

use std::ops::Range;

use inr_formats::Depth;
use inr_image::resample::{self, Filter};
use inr_image::{Raster, Samples};
use inr_kernel::{Job, default_threads};

use super::picture::{InrPicture, RenderMethod, RenderOptions};
use crate::error::Error;
use crate::field::network::{Rows, Viewport};
use crate::field::region::surroundings;

/// Output rows that are resampled together. They begin at multiples of it, whichever rows are asked for: so pixels do
/// not depend on how a render is cut into bands.
pub(super) const CHUNK: u32 = 256;

/// The part of `viewport` that has these rows.
fn part(viewport: &Viewport, rows: &Range<u32>) -> Viewport {
    let [left, top, width, _] = viewport.region;
    let pitch = viewport.pitch()[1];
    Viewport {
        region: [
            left,
            top + f64::from(rows.start) * pitch,
            width,
            rows.len() as f64 * pitch,
        ],
        size: [viewport.size[0], rows.len() as u32],
        ..*viewport
    }
}

/// The rows of the chunk with this number.
fn chunk(viewport: &Viewport, index: u32) -> Range<u32> {
    index * CHUNK..viewport.size[1].min((index + 1) * CHUNK)
}

impl InrPicture {
    /// The units that a job counts in [`InrPicture::resampled`] of all rows.
    pub(super) fn resampled_units(&self, viewport: &Viewport) -> u64 {
        let chunks = 0..viewport.size[1].div_ceil(CHUNK);
        let native = |index| {
            let part = part(viewport, &chunk(viewport, index));
            u64::from(surroundings(&part, &self.file.header).0.size[1])
        };
        chunks.map(native).sum()
    }

    /// Rows of `viewport`, resampled from the native render around them; `encode` turns a sample into the stored one.
    pub(super) fn resampled<T: Copy + Send>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        filter: Filter,
        rows: Rows<T>,
        job: &mut Job,
        encode: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        let mut chunks: Vec<Rows<T>> = Vec::new();
        for (row, out) in rows.each() {
            match chunks.last_mut() {
                Some(chunk) if !(row as u32).is_multiple_of(CHUNK) => chunk.rows.push(out),
                _ => chunks.push(Rows {
                    first: row,
                    rows: vec![out],
                }),
            }
        }
        let threads = options.threads.unwrap_or_else(default_threads);
        let inner = RenderOptions {
            depth: Some(Depth::F32),
            threads: Some((threads / chunks.len().max(1)).max(1)),
            ..options.clone()
        };
        job.items(threads, chunks.into_iter(), |_, rows, job| {
            let whole = chunk(viewport, rows.first as u32 / CHUNK);
            let samples = self.resampled_chunk(&inner, &part(viewport, &whole), filter, job)?;
            let length = viewport.size[0] as usize * self.layout().channels();
            for (row, out) in rows.each() {
                let start = (row - whole.start as usize) * length;
                for (out, sample) in out.iter_mut().zip(&samples[start..][..length]) {
                    *out = encode(*sample);
                }
            }
            Ok(())
        })
    }

    fn resampled_chunk(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        filter: Filter,
        job: &mut Job,
    ) -> Result<Vec<f32>, Error> {
        let (crop, region) = surroundings(viewport, &self.file.header);
        let native = self.samples(options, RenderMethod::Inr, &crop, 0..crop.size[1], job)?;
        let Samples::F32(native) = native else {
            unreachable!("floats were asked for")
        };
        let raster = Raster {
            width: crop.size[0] as usize,
            height: crop.size[1] as usize,
            channels: self.layout().channels(),
            samples: &native,
        };
        let [width, height] = viewport.size.map(|side| side as usize);
        Ok(resample::resize(
            raster,
            Some(region),
            width,
            height,
            filter,
        )?)
    }
}
