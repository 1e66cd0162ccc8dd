//! Renders row by row: into the caller's memory, or in bands.

use std::ops::Range;

use inr_formats::{Depth, Header};

use super::picture::{Field, InrPicture, RenderMethod, RenderOptions};
use super::resample::CHUNK;
use crate::device::{DeviceChoice, OpenDevice};
use crate::error::Error;
use crate::field::network::{self, Rows, Viewport};
use crate::progress::{Meter, Observer, Phase};
use inr_image::resample::Filter;
use inr_image::{RowsMut, Samples};
use inr_kernel::{Job, default_threads};

/// Memory of a band of rows, about.
const BAND_BYTES: u64 = 8 << 20;
/// Bands of more rows than this have a multiple of it, so that few tiles are needed by two of them.
const WHOLE_ROWS: u64 = 256;
/// Source rows and bytes, either as far as the other allows, of a band with detail, which reads many rows around.
const DETAILED_ROWS: f64 = 288.0;
const DETAILED_BYTES: u64 = 48 << 20;

impl InrPicture {
    /// Renders what [`InrPicture::render`] renders into rows of the caller's: as many as the render has, of its width times
    /// the layout's channels.
    ///
    /// # Errors
    /// As [`InrPicture::render`]; [`Error::Misuse`] besides when there are more or fewer rows, or samples in one of them, or
    /// the depth is not theirs.
    pub fn render_into(
        &self,
        options: &RenderOptions,
        rows: RowsMut,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let viewport = self.viewport_into(options, &rows)?;
        let (method, _) = self.choose(options, &viewport)?;
        let units = self.units(method, &viewport);
        Meter::new(observer).part(Phase::Render, 1.0, units, |job| {
            self.fill(options, method, &viewport, 0, rows, job)
        })
    }

    /// The viewport of a render into rows of the caller's, which are checked to hold it.
    fn viewport_into(&self, options: &RenderOptions, rows: &RowsMut) -> Result<Viewport, Error> {
        let viewport = self.viewport(options)?;
        let [count, length] = [viewport.size[1], viewport.size[0]].map(|side| side as usize);
        let length = length * self.layout().channels();
        let lengths = rows.lengths();
        let other = lengths.iter().find(|given| **given != length);
        if lengths.len() != count || other.is_some() {
            return Err(Error::Misuse {
                what: format!(
                    "{} rows of {} samples for {count} of {length}",
                    lengths.len(),
                    other.unwrap_or(&length)
                ),
                want: "give a row for each of the render's, of its width times the channels",
            });
        }
        if options.depth.is_some_and(|depth| depth != rows.depth()) {
            return Err(Error::Misuse {
                what: format!(
                    "{:?} asked for into rows of {:?}",
                    options.depth,
                    rows.depth()
                ),
                want: "ask for the rows' depth, or for none",
            });
        }
        Ok(viewport)
    }

    /// Renders what [`InrPicture::render`] renders in bands of whole rows from top to bottom, so that memory holds one band
    /// at a time. `take` gets each band's samples, rows without gaps, and ends the render with an error.
    ///
    /// # Errors
    /// As [`InrPicture::render`], and the error of `take`.
    pub fn render_bands<E: From<Error>>(
        &self,
        options: &RenderOptions,
        observer: &mut dyn Observer,
        mut take: impl FnMut(&Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        let viewport = self.viewport(options)?;
        let (method, _) = self.choose(options, &viewport)?;
        let [width, height] = viewport.size;
        let sample_bytes = options.depth.unwrap_or(self.depth()).bytes() as u64;
        let row_bytes = sample_bytes * u64::from(width) * self.layout().channels() as u64;
        let mut rows = (BAND_BYTES / row_bytes).max(1);
        if rows > WHOLE_ROWS {
            rows -= rows % WHOLE_ROWS;
        }
        let rows = match method {
            RenderMethod::Network => {
                let wanted = (DETAILED_ROWS / viewport.pitch()[1]).ceil() as u64;
                wanted.min(DETAILED_BYTES / row_bytes).max(rows)
            }
            // Chunks are resampled as a whole.
            RenderMethod::Bicubic | RenderMethod::Lanczos => rows.next_multiple_of(CHUNK.into()),
            RenderMethod::Inr | RenderMethod::Auto => rows,
        };
        let rows = rows.min(u64::from(height)) as u32;
        let mut meter = Meter::new(observer);
        for first in (0..height).step_by(rows as usize) {
            let rows = first..height.min(first + rows);
            let until = f64::from(rows.end) / f64::from(height);
            let units = self.units(method, &viewport) * rows.len() as u64;
            let units = units.div_ceil(height.into());
            take(&meter.part(Phase::Render, until, units, |job| {
                self.samples(options, method, &viewport, rows, job)
            })?)?;
        }
        Ok(())
    }

    /// The samples of some rows of `viewport`.
    pub(super) fn samples(
        &self,
        options: &RenderOptions,
        method: RenderMethod,
        viewport: &Viewport,
        rows: Range<u32>,
        job: &mut Job,
    ) -> Result<Samples, Error> {
        let length = viewport.size[0] as usize * self.file.header.layout.channels();
        let count = rows.len() * length;
        let first = rows.start as usize;
        let mut samples = match options.depth.unwrap_or(self.depth()) {
            Depth::U8 => Samples::U8(vec![0; count]),
            Depth::U16 => Samples::U16(vec![0; count]),
            Depth::F32 => Samples::F32(vec![0.0; count]),
        };
        self.fill(
            options,
            method,
            viewport,
            first,
            samples.rows_mut(length),
            job,
        )?;
        Ok(samples)
    }

    /// Fills rows of `viewport` from number `first` on by `method`, which is not [`RenderMethod::Auto`].
    fn fill(
        &self,
        options: &RenderOptions,
        method: RenderMethod,
        viewport: &Viewport,
        first: usize,
        rows: RowsMut,
        job: &mut Job,
    ) -> Result<(), Error> {
        match rows {
            RowsMut::U8(rows) => {
                let encode = |v| (v * 255.0 + 0.5) as u8;
                self.exact_rows(options, method, viewport, Rows { first, rows }, job, encode)
            }
            RowsMut::U16(rows) => {
                let encode = |v| (v * 65_535.0 + 0.5) as u16;
                self.exact_rows(options, method, viewport, Rows { first, rows }, job, encode)
            }
            RowsMut::F32(rows) => {
                self.exact_rows(options, method, viewport, Rows { first, rows }, job, |v| v)
            }
        }
    }

    /// Rows of `viewport`, with alpha exact where the file says so.
    fn exact_rows<T: Copy + Send>(
        &self,
        options: &RenderOptions,
        method: RenderMethod,
        viewport: &Viewport,
        mut rows: Rows<T>,
        job: &mut Job,
        encode: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        let Some(map) = &self.file.opacity else {
            return self.rows(options, method, viewport, rows, job, encode);
        };
        let ends = [0.0, 1.0].map(&encode);
        let first = rows.first;
        let again = rows.rows.iter_mut().map(|row| &mut **row).collect();
        let inner = Rows { first, rows: again };
        self.rows(options, method, viewport, inner, job, encode)?;
        let channels = self.file.header.layout.channels();
        self.opacity
            .apply(map, viewport, first, &mut rows.rows, channels, ends)
    }

    /// Rows of `viewport`; `encode` turns a sample into the stored one.
    fn rows<T: Copy + Send>(
        &self,
        options: &RenderOptions,
        method: RenderMethod,
        viewport: &Viewport,
        rows: Rows<T>,
        job: &mut Job,
        encode: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        match method {
            RenderMethod::Bicubic => {
                self.resampled(options, viewport, Filter::CatmullRom, rows, job, encode)
            }
            RenderMethod::Lanczos => {
                self.resampled(options, viewport, Filter::Lanczos3, rows, job, encode)
            }
            RenderMethod::Network | RenderMethod::Inr | RenderMethod::Auto => {
                let decode = SampleMap::new(&self.file.header);
                let emit = |row: &[f32], out: &mut [T]| decode.row(row, out, &encode);
                self.evaluate(options, method, viewport, rows, job, emit)
            }
        }
    }

    /// The units that a job counts in all rows of `viewport`.
    pub(super) fn units(&self, method: RenderMethod, viewport: &Viewport) -> u64 {
        match method {
            RenderMethod::Bicubic | RenderMethod::Lanczos => self.resampled_units(viewport),
            RenderMethod::Network | RenderMethod::Inr | RenderMethod::Auto => {
                viewport.size[1].into()
            }
        }
    }

    fn evaluate<T: Send>(
        &self,
        options: &RenderOptions,
        method: RenderMethod,
        viewport: &Viewport,
        rows: Rows<T>,
        job: &mut Job,
        emit: impl Fn(&[f32], &mut [T]) + Sync,
    ) -> Result<(), Error> {
        let threads = options.threads.unwrap_or_else(default_threads);
        let network = match &self.field {
            Field::Network(network) => network,
            Field::Pyramid(pyramid) => {
                let detail = method == RenderMethod::Network;
                return pyramid.render((viewport, detail), threads, rows, job, emit);
            }
        };
        // Small renders are over before a GPU has the weights: it has to be asked for.
        let device = match options.device {
            DeviceChoice::Auto => OpenDevice::Cpu,
            named => named.open(&mut |_| ())?,
        };
        match device {
            OpenDevice::Cpu => {
                network::render(network, &self.map(), viewport, threads, rows, job, emit)
            }
            #[cfg(feature = "candle")]
            OpenDevice::Gpu(device) => {
                network::render_on_device(network, &self.map(), viewport, &device, rows, emit)
            }
        }
    }
}

/// Field values to samples.
pub(super) struct SampleMap {
    pub(super) channels: usize,
    alpha: bool,
    low: f32,
    high: f32,
    clamp: bool,
}

impl SampleMap {
    pub(super) fn new(header: &Header) -> Self {
        Self {
            channels: header.layout.channels(),
            alpha: header.layout.has_alpha(),
            low: header.value_range[0],
            high: header.value_range[1],
            clamp: header.depth != Depth::F32,
        }
    }

    /// `row`, shape `[channels, columns]`, interleaved into `out` through `encode`.
    pub(super) fn row<T>(&self, row: &[f32], out: &mut [T], encode: impl Fn(f32) -> T) {
        let columns = out.len() / self.channels;
        for (channel, values) in row.chunks_exact(columns).enumerate() {
            let alpha = self.alpha && channel + 1 == self.channels;
            let (low, high) = if alpha {
                (0.0, 1.0)
            } else {
                (self.low, self.high)
            };
            let clamp = alpha || self.clamp;
            for (value, out) in values
                .iter()
                .zip(out[channel..].iter_mut().step_by(self.channels))
            {
                let sample = low + (value + 1.0) * 0.5 * (high - low);
                *out = encode(if clamp {
                    sample.clamp(0.0, 1.0)
                } else {
                    sample
                });
            }
        }
    }
}
