//! Renders row by row: into the caller's memory, or in bands.

use std::ops::Range;

use inr_formats::{Depth, Header};

use super::picture::{Field, InrPicture, RenderOptions};
use crate::device::{DeviceChoice, OpenDevice};
use crate::error::Error;
use crate::field::network::{self, Rows, Viewport};
use inr_image::{RowsMut, Samples};
use inr_kernel::{Job, default_threads};

/// Memory of a band of rows, about.
const BAND_BYTES: u64 = 32 << 20;
/// Rows at least of a band that a network enlarges.
const NETWORK_ROWS: u64 = 512;

impl InrPicture {
    /// Renders the field or the network's enlargement of it, bicubic and Lanczos taken for the field, into
    /// rows of the caller's: as many as the render has, of its width times the layout's channels.
    ///
    /// # Errors
    /// As [`InrPicture::render`]; [`Error::Misuse`] besides when there are more or fewer rows, or samples in one of them, or
    /// the depth is not theirs.
    pub fn render_into(&self, options: &RenderOptions, rows: RowsMut) -> Result<(), Error> {
        let viewport = self.viewport_into(options, &rows)?;
        Job::unwatched(|job| self.fill(options, &viewport, 0, rows, job))
    }

    /// As [`InrPicture::render_into`]: `watch` hears several times a second, on this thread, which share of the work is done,
    /// 0 to 1, and ends the render with an error.
    ///
    /// # Errors
    /// As [`InrPicture::render_into`], and what `watch` returns.
    pub fn render_into_watched<E: From<Error>>(
        &self,
        options: &RenderOptions,
        rows: RowsMut,
        watch: impl FnMut(f64) -> Result<(), E>,
    ) -> Result<(), E> {
        let viewport = self.viewport_into(options, &rows)?;
        heard(self.units(options, &viewport), watch, |job| {
            self.fill(options, &viewport, 0, rows, job)
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

    /// Renders the field or the network's enlargement of it, bicubic and Lanczos taken for the field, in bands of whole rows
    /// from top to bottom, so that memory holds one band at a time. `take` gets each band's samples, rows without gaps, and ends the render with an error.
    ///
    /// # Errors
    /// As [`InrPicture::render`], and what `take` returns.
    pub fn render_bands<E: From<Error>>(
        &self,
        options: &RenderOptions,
        mut take: impl FnMut(&Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        let viewport = self.viewport(options)?;
        let [width, height] = viewport.size;
        let row_bytes = 4 * u64::from(width) * self.layout().channels() as u64;
        let mut rows = (BAND_BYTES / row_bytes).max(1);
        if self.by_network(options.method, &viewport) {
            // Networks see far beyond thin bands.
            rows = rows.max(NETWORK_ROWS);
        }
        let rows = rows.min(u64::from(height)) as u32;
        for first in (0..height).step_by(rows as usize) {
            let rows = first..height.min(first + rows);
            take(&Job::unwatched(|job| {
                self.field_rows(options, &viewport, rows, job)
            })?)?;
        }
        Ok(())
    }

    /// The field's samples in some rows of `viewport`.
    pub(super) fn field_rows(
        &self,
        options: &RenderOptions,
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
        self.fill(options, viewport, first, samples.rows_mut(length), job)?;
        Ok(samples)
    }

    /// Fills rows of `viewport` from number `first` on.
    fn fill(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        first: usize,
        rows: RowsMut,
        job: &mut Job,
    ) -> Result<(), Error> {
        match rows {
            RowsMut::U8(rows) => {
                let rows = Rows { first, rows };
                self.rows(options, viewport, rows, job, |v| (v * 255.0 + 0.5) as u8)
            }
            RowsMut::U16(rows) => {
                let rows = Rows { first, rows };
                self.rows(options, viewport, rows, job, |v| {
                    (v * 65_535.0 + 0.5) as u16
                })
            }
            RowsMut::F32(rows) => {
                let rows = Rows { first, rows };
                self.rows(options, viewport, rows, job, |v| v)
            }
        }
    }

    /// Rows of `viewport`; `encode` turns a sample into what is stored.
    fn rows<T: Copy + Send>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        rows: Rows<T>,
        job: &mut Job,
        encode: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        if self.by_network(options.method, viewport) {
            return self.enlarge(options, viewport, rows, job, encode);
        }
        let decode = SampleMap::new(&self.file.header);
        let emit = |row: &[f32], out: &mut [T]| decode.row(row, out, &encode);
        self.evaluate(options, viewport, rows, job, emit)
    }

    /// What a job counts in all rows of `viewport`.
    pub(super) fn units(&self, options: &RenderOptions, viewport: &Viewport) -> u64 {
        if self.by_network(options.method, viewport) {
            return self.enlarging_units(options, viewport);
        }
        viewport.size[1].into()
    }

    fn evaluate<T: Send>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        rows: Rows<T>,
        job: &mut Job,
        emit: impl Fn(&[f32], &mut [T]) + Sync,
    ) -> Result<(), Error> {
        let threads = options.threads.unwrap_or_else(default_threads);
        let network = match &self.field {
            Field::Network(network) => network,
            Field::Pyramid(pyramid) => return pyramid.render(viewport, threads, rows, job, emit),
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

/// Does `work` of so many `units` while `watch` hears which share of them is done, 0 to 1.
pub(super) fn heard<T, E: From<Error>>(
    units: u64,
    mut watch: impl FnMut(f64) -> Result<(), E>,
    work: impl FnOnce(&mut Job) -> Result<T, Error>,
) -> Result<T, E> {
    let mut ended = None;
    let mut tell = |done: u64| match watch((done as f64 / units.max(1) as f64).min(1.0)) {
        Ok(()) => true,
        Err(error) => {
            ended = Some(error);
            false
        }
    };
    let made = Job::watched(&mut tell, work);
    match ended {
        Some(error) => Err(error),
        None => Ok(made?),
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
