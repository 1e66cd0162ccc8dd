//! Renders row by row: into the caller's memory, or in bands.

use std::ops::Range;

use inr_formats::{Depth, Header};

use super::decode::{Field, InrPicture, RenderOptions};
use crate::device::{DeviceChoice, OpenDevice};
use crate::parallel::{Pulse, unwatched, watched};
use crate::picture::{Samples, SamplesMut};
use crate::render::{self, Rows, Viewport};
use crate::{Control, Error};

/// Memory of a band of rows, about.
const BAND_BYTES: u64 = 32 << 20;
/// Rows at least of a band that a network enlarges.
const NETWORK_ROWS: u64 = 512;

impl InrPicture {
    /// Renders the field or the network's enlargement of it, bicubic and Lanczos taken for the field, into the caller's memory: row `j` starts at `j * stride`, in
    /// samples, and has the width's times the layout's channels; what lies between rows stays as it is.
    ///
    /// # Errors
    /// As [`InrPicture::render`]; [`Error::Misuse`] besides when `samples` is too short, `stride` is shorter than a row, or
    /// the depth is not that of `samples`.
    pub fn render_into(
        &self,
        options: &RenderOptions,
        samples: SamplesMut,
        stride: usize,
    ) -> Result<(), Error> {
        let viewport = self.viewport_into(options, &samples, stride)?;
        unwatched(|pulse| self.fill(options, &viewport, 0, stride, samples, pulse))
    }

    /// As [`InrPicture::render_into`]: `watch` hears several times a second, on this thread, which share of the work is done,
    /// 0 to 1, and ends the render with an error.
    ///
    /// # Errors
    /// As [`InrPicture::render_into`], and what `watch` returns.
    pub fn render_into_watched<E: From<Error>>(
        &self,
        options: &RenderOptions,
        samples: SamplesMut,
        stride: usize,
        watch: impl FnMut(f64) -> Result<(), E>,
    ) -> Result<(), E> {
        let viewport = self.viewport_into(options, &samples, stride)?;
        heard(self.units(options, &viewport), watch, |pulse| {
            self.fill(options, &viewport, 0, stride, samples, pulse)
        })
    }

    /// The viewport of a render into memory of the caller's, which is checked to hold it.
    fn viewport_into(
        &self,
        options: &RenderOptions,
        samples: &SamplesMut,
        stride: usize,
    ) -> Result<Viewport, Error> {
        let viewport = self.viewport(options)?;
        let row = viewport.size[0] as usize * self.layout().channels();
        let last = (viewport.size[1] as usize - 1).checked_mul(stride);
        let wanted = last.and_then(|last| last.checked_add(row));
        if stride < row || wanted.is_none_or(|wanted| samples.len() < wanted) {
            return Err(Error::Misuse {
                what: format!(
                    "a buffer of {} samples with rows {stride} apart for {} rows of {row}",
                    samples.len(),
                    viewport.size[1]
                ),
                want: "give (rows - 1) * stride + row samples, and a stride of at least a row",
            });
        }
        if options.depth.is_some_and(|depth| depth != samples.depth()) {
            return Err(Error::Misuse {
                what: format!(
                    "{:?} asked for into a buffer of {:?}",
                    options.depth,
                    samples.depth()
                ),
                want: "ask for the buffer's depth, or for none",
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
            take(&unwatched(|pulse| {
                self.field_rows(options, &viewport, rows, pulse)
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
        pulse: &mut Pulse,
    ) -> Result<Samples, Error> {
        let stride = viewport.size[0] as usize * self.file.header.layout.channels();
        let count = rows.len() * stride;
        let first = rows.start as usize;
        let mut samples = match options.depth.unwrap_or(self.depth()) {
            Depth::U8 => Samples::U8(vec![0; count]),
            Depth::U16 => Samples::U16(vec![0; count]),
            Depth::F32 => Samples::F32(vec![0.0; count]),
        };
        self.fill(options, viewport, first, stride, samples.as_mut(), pulse)?;
        Ok(samples)
    }

    /// Fills rows of `viewport` from number `first` on, `stride` samples apart.
    fn fill(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        first: usize,
        stride: usize,
        samples: SamplesMut,
        pulse: &mut Pulse,
    ) -> Result<(), Error> {
        match samples {
            SamplesMut::U8(samples) => {
                let rows = Rows {
                    first,
                    stride,
                    samples,
                };
                self.rows(options, viewport, rows, pulse, |v| (v * 255.0 + 0.5) as u8)
            }
            SamplesMut::U16(samples) => {
                let rows = Rows {
                    first,
                    stride,
                    samples,
                };
                self.rows(options, viewport, rows, pulse, |v| {
                    (v * 65_535.0 + 0.5) as u16
                })
            }
            SamplesMut::F32(samples) => {
                let rows = Rows {
                    first,
                    stride,
                    samples,
                };
                self.rows(options, viewport, rows, pulse, |v| v)
            }
        }
    }

    /// Rows of `viewport`; `encode` turns a sample into what is stored.
    fn rows<T: Copy + Send>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        rows: Rows<T>,
        pulse: &mut Pulse,
        encode: impl Fn(f32) -> T + Sync,
    ) -> Result<(), Error> {
        if self.by_network(options.method, viewport) {
            return self.enlarge(options, viewport, rows, pulse, encode);
        }
        let decode = SampleMap::new(&self.file.header);
        let emit = |row: &[f32], out: &mut [T]| decode.row(row, out, &encode);
        self.evaluate(options, viewport, rows, pulse, emit)
    }

    /// What a pulse counts in all rows of `viewport`.
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
        pulse: &mut Pulse,
        emit: impl Fn(&[f32], &mut [T]) + Sync,
    ) -> Result<(), Error> {
        let threads = options.threads.unwrap_or_else(render::default_threads);
        let network = match &self.field {
            Field::Network(network) => network,
            Field::Pyramid(pyramid) => return pyramid.render(viewport, threads, rows, pulse, emit),
        };
        // Small renders are over before a GPU has the weights: it has to be asked for.
        let device = match options.device {
            DeviceChoice::Auto => OpenDevice::Cpu,
            named => named.open(&mut |_| ())?,
        };
        match device {
            OpenDevice::Cpu => {
                render::render(network, &self.map(), viewport, threads, rows, pulse, emit)
            }
            #[cfg(feature = "candle")]
            OpenDevice::Gpu(device) => {
                render::render_on_device(network, &self.map(), viewport, &device, rows, emit)
            }
        }
    }
}

/// Does `work` of so many `units` while `watch` hears which share of them is done, 0 to 1.
pub(super) fn heard<T, E: From<Error>>(
    units: u64,
    mut watch: impl FnMut(f64) -> Result<(), E>,
    work: impl FnOnce(&mut Pulse) -> Result<T, Error>,
) -> Result<T, E> {
    let mut ended = None;
    let mut tell = |done: u64| match watch((done as f64 / units.max(1) as f64).min(1.0)) {
        Ok(()) => Control::Continue,
        Err(error) => {
            ended = Some(error);
            Control::Abort
        }
    };
    let made = watched(&mut tell, work);
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
