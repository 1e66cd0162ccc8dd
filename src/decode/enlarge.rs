//! Renders of more pixels than the source by the networks of [`crate::upscale`].

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use inr_formats::Depth;

use super::picture::{InrPicture, RenderMethod, RenderOptions};
use crate::error::Error;
use crate::field::network::{Rows, Viewport};
use crate::upscale::Enlarger;
use inr_image::Part;
use inr_image::Raster;
use inr_image::planes::tiles;
use inr_image::resample;
use inr_image::resample::Filter;
use inr_image::{Metadata, Picture};
use inr_kernel::Job;
use inr_kernel::default_threads;

/// Largest scale.
const MOST: f64 = 64.0;
/// Multiply-adds per pixel of the large picture, about: four networks at half its size.
pub(super) const WORK: u64 = 60_000;
/// Longest side of the parts that a thread works on, in output pixels.
const TILE: usize = 512;
/// Shortest one, but for what is left over.
const LEAST_TILE: usize = 128;
/// Parts of a pixel by which a region may miss the large picture's grid.
const ON_GRID: f64 = 1e-6;
/// Pixels of the large picture around a region that resampling reads.
const MARGIN: f64 = 8.0;

fn threads(options: &RenderOptions) -> usize {
    options.threads.unwrap_or_else(default_threads)
}

/// A part of an enlarged picture that a viewport shows.
pub(super) struct Enlargement {
    enlarger: Enlarger,
    large: [usize; 2],
    shows: Shows,
}

enum Shows {
    /// The large picture's own pixels, from this one on.
    Pixels([usize; 2]),
    /// These many pixels of the large picture per source pixel, resampled.
    Resampled(f64),
}

impl InrPicture {
    /// Whether `viewport` only ever enlarges, by scales that the networks are made for.
    pub(super) fn enlarges(viewport: &Viewport) -> bool {
        let pitch = viewport.pitch();
        pitch.iter().all(|pitch| (1.0 / MOST..=1.0).contains(pitch)) && pitch != [1.0; 2]
    }

    /// Whether the networks render this: as asked, or as the file advises.
    pub(super) fn by_network(&self, method: RenderMethod, viewport: &Viewport) -> bool {
        let wanted = match method {
            RenderMethod::Network => true,
            RenderMethod::Auto => self.file.enlarge,
            RenderMethod::Inr | RenderMethod::Bicubic | RenderMethod::Lanczos => false,
        };
        wanted && Self::enlarges(viewport)
    }

    fn enlargement(&self, viewport: &Viewport) -> Enlargement {
        let small = [self.width(), self.height()].map(|side| side as usize);
        let scale = viewport.pitch().map(|pitch| 1.0 / pitch);
        let on_grid = |value: f64| (value - value.round()).abs() < ON_GRID;
        let sides = [0, 1].map(|axis| small[axis] as f64 * scale[axis]);
        let origin = [0, 1].map(|axis| viewport.region[axis] * scale[axis]);
        let (large, shows) = if sides.into_iter().chain(origin).all(on_grid) {
            let whole = |value: f64| value.round() as usize;
            (sides.map(whole), Shows::Pixels(origin.map(whole)))
        } else {
            let factor = scale[0].max(scale[1]).ceil();
            let large = small.map(|side| side * factor as usize);
            (large, Shows::Resampled(factor))
        };
        Enlargement {
            enlarger: Enlarger::new(small, large),
            large,
            shows,
        }
    }

    /// What a job counts in [`InrPicture::enlarge`] of all rows.
    pub(super) fn enlarging_units(&self, options: &RenderOptions, viewport: &Viewport) -> u64 {
        let enlargement = self.enlargement(viewport);
        let rows = 0..viewport.size[1] as usize;
        let tiles = enlargement.tiles(viewport.size, &rows, threads(options));
        let native = enlargement.reads(viewport, &tiles)[1].len();
        native as u64 + tiles.len() as u64 * self.tile_units(&enlargement)
    }

    fn tile_units(&self, enlargement: &Enlargement) -> u64 {
        enlargement.enlarger.units(self.layout().channels())
    }

    /// Renders rows of `viewport` by the networks; `encode` rounds a sample.
    pub(super) fn enlarge<T: Copy + Send>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        rows: Rows<T>,
        job: &mut Job,
        encode: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        let channels = self.layout().channels();
        let first = rows.first;
        let wanted = first..first + rows.rows.len();
        let enlargement = self.enlargement(viewport);
        let tiles = enlargement.tiles(viewport.size, &wanted, threads(options));
        // What all parts read, rendered once.
        let around = enlargement.reads(viewport, &tiles);
        let native = self.native(options, viewport, &around, job)?;
        let corner = around.map(|range| range.start);
        let clamp = self.depth() != Depth::F32;
        let out = Mutex::new(rows.rows);
        job.each(threads(options), tiles.len(), |index, job| {
            let samples = enlargement.tile(viewport, &tiles[index], &native, corner, job)?;
            let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
            let [across, down] = &tiles[index];
            let lines = samples.chunks_exact(across.len() * channels);
            for (row, line) in down
                .clone()
                .zip(lines)
                .filter(|(row, _)| wanted.contains(row))
            {
                let places = &mut out[row - first][across.start * channels..];
                for (place, &sample) in places.iter_mut().zip(line) {
                    *place = encode(if clamp {
                        sample.clamp(0.0, 1.0)
                    } else {
                        sample
                    });
                }
            }
            Ok(())
        })
    }

    /// The field at the source's size, in floats.
    fn native(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        [across, down]: &Part,
        job: &mut Job,
    ) -> Result<Picture, Error> {
        let place = |value: usize| value as f64;
        let crop = Viewport {
            region: [
                place(across.start),
                place(down.start),
                place(across.len()),
                place(down.len()),
            ],
            size: [across.len() as u32, down.len() as u32],
            ..*viewport
        };
        let options = RenderOptions {
            depth: Some(Depth::F32),
            ..options.clone()
        };
        let samples = self.samples(&options, RenderMethod::Inr, &crop, 0..crop.size[1], job)?;
        let [width, height] = crop.size;
        Ok(Picture::new(
            width,
            height,
            self.layout(),
            samples,
            Metadata::default(),
        )?)
    }
}

impl Enlargement {
    /// Parts of the output that hold these rows of it. Those that are resampled are the same wherever a band of rows
    /// starts and ends, and so are their samples.
    fn tiles(&self, size: [u32; 2], rows: &Range<usize>, threads: usize) -> Vec<Part> {
        let [columns, height] = size.map(|side| side as usize);
        let (side, rows) = match self.shows {
            Shows::Pixels(_) => {
                let share = (columns * rows.len() / (2 * threads.max(1))).isqrt();
                (share.clamp(LEAST_TILE, TILE), rows.clone())
            }
            Shows::Resampled(_) => {
                let start = rows.start / LEAST_TILE * LEAST_TILE;
                let end = rows.end.next_multiple_of(LEAST_TILE).min(height);
                (LEAST_TILE, start..end)
            }
        };
        tiles(&[0..columns, rows], side)
    }

    /// The part of the large picture under a part of the output.
    fn part(&self, viewport: &Viewport, tile: &Part) -> Part {
        let pitch = viewport.pitch();
        std::array::from_fn(|axis| {
            let Range { start, end } = tile[axis];
            match self.shows {
                Shows::Pixels(origin) => start + origin[axis]..end + origin[axis],
                Shows::Resampled(factor) => {
                    let place =
                        |at: usize| (viewport.region[axis] + at as f64 * pitch[axis]) * factor;
                    let first = (place(start) - MARGIN).floor().max(0.0) as usize;
                    let last = (place(end) + MARGIN).ceil() as usize;
                    first..last.min(self.large[axis])
                }
            }
        })
    }

    /// The part of the source under these parts of the output, which follow each other.
    fn reads(&self, viewport: &Viewport, tiles: &[Part]) -> Part {
        let mut all = tiles[0].clone();
        if let Some(last) = tiles.last() {
            all.iter_mut()
                .zip(last)
                .for_each(|(all, last)| all.end = last.end);
        }
        self.enlarger.reads(&self.part(viewport, &all))
    }

    /// Interleaved samples of a part of the output.
    fn tile(
        &self,
        viewport: &Viewport,
        tile: &Part,
        native: &Picture,
        corner: [usize; 2],
        job: &mut Job,
    ) -> Result<Vec<f32>, Error> {
        let part = self.part(viewport, tile);
        let samples = self.enlarger.samples(&part, native, corner, job)?;
        let Shows::Resampled(factor) = self.shows else {
            return Ok(samples);
        };
        let pitch = viewport.pitch();
        let start = |axis: usize| {
            let place = viewport.region[axis] + tile[axis].start as f64 * pitch[axis];
            place * factor - part[axis].start as f64
        };
        let length = |axis: usize| tile[axis].len() as f64 * pitch[axis] * factor;
        let raster = Raster {
            width: part[0].len(),
            height: part[1].len(),
            channels: native.layout().channels(),
            samples: &samples,
        };
        Ok(resample::resize(
            raster,
            Some([start(0), start(1), length(0), length(1)]),
            tile[0].len(),
            tile[1].len(),
            Filter::CatmullRom,
        )?)
    }
}
