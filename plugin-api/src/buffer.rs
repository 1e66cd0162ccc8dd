//! Views of pixels in the other side's memory.

use std::marker::PhantomData;

use half::f16;

use crate::abi::InrBuffer;
use crate::codes::{Alpha, Layout, Sample, Transfer};
use crate::status::Failure;
use crate::structs;

/// Storage format of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Sample type.
    pub sample: Sample,
    /// Channels of a pixel.
    pub layout: Layout,
    /// How colours relate to alpha.
    pub alpha: Alpha,
    /// Transfer function of the samples.
    pub transfer: Transfer,
}

impl Format {
    /// Returns the format of encoded samples, with straight alpha when the layout has alpha.
    pub fn plain(sample: Sample, layout: Layout) -> Self {
        let alpha = match layout.has_alpha() {
            true => Alpha::Straight,
            false => Alpha::None,
        };
        Self {
            sample,
            layout,
            alpha,
            transfer: Transfer::Encoded,
        }
    }

    /// Size of a pixel in bytes.
    pub fn pixel_size(&self) -> usize {
        self.sample.size() * self.layout.channels()
    }
}

/// The validated geometry of a buffer.
#[derive(Clone, Copy, Debug)]
struct Frame {
    data: *mut u8,
    stride: isize,
    size: [u32; 2],
    format: Format,
}

impl Frame {
    fn new(buffer: &InrBuffer, needs_data: bool) -> Result<Self, Failure> {
        let format = Format {
            sample: Sample::from_code(buffer.sample)?,
            layout: Layout::from_code(buffer.layout)?,
            alpha: Alpha::from_code(buffer.alpha)?,
            transfer: Transfer::from_code(buffer.transfer)?,
        };
        if format.layout.has_alpha() == (format.alpha == Alpha::None) {
            let (layout, alpha) = (format.layout, format.alpha);
            return Err(Failure::bad(format!("layout {layout} with alpha {alpha}")));
        }
        let (width, height) = (buffer.width, buffer.height);
        if width == 0 || height == 0 {
            return Err(Failure::bad(format!(
                "a buffer of {width} x {height} pixels; both sides need at least 1"
            )));
        }
        let row = u64::from(width) * format.pixel_size() as u64;
        let stride = buffer.stride.unsigned_abs() as u64;
        let reach = stride
            .checked_mul(u64::from(height - 1))
            .and_then(|b| b.checked_add(row));
        if (height > 1 && stride < row) || reach.is_none_or(|bytes| bytes > isize::MAX as u64) {
            return Err(Failure::bad(format!(
                "rows of {row} bytes with a stride of {} bytes",
                buffer.stride
            )));
        }
        if needs_data && buffer.data.is_null() {
            return Err(Failure::bad("the buffer's data is NULL"));
        }
        Ok(Self {
            data: buffer.data.cast(),
            stride: buffer.stride,
            size: [width, height],
            format,
        })
    }

    fn row_bytes(&self) -> usize {
        self.size[0] as usize * self.format.pixel_size()
    }

    /// True when a row of both uses the same byte. Rows of one may lie between those of the other.
    fn overlaps(&self, other: &Self) -> bool {
        let last = i128::from(other.size[1]) - 1;
        let (own, length) = (self.row_bytes() as i128, other.row_bytes() as i128);
        let (mut start, mut stride) = (other.data as i128, other.stride as i128);
        if stride < 0 {
            (start, stride) = (start + last * stride, -stride);
        }
        // A single row may state any stride.
        let stride = if last == 0 { length } else { stride };
        (0..self.size[1]).any(|y| {
            let row = self.data as i128 + i128::from(y) * self.stride as i128 - start;
            // The rows of `other` that end behind the start of this row, and begin before its end.
            let first = (row - length).div_euclid(stride) + 1;
            let end = (row + own - 1).div_euclid(stride);
            first.max(0) <= end.min(last)
        })
    }

    fn row(&self, y: u32) -> *mut u8 {
        assert!(y < self.size[1] && !self.data.is_null(), "row {y}");
        // SAFETY: `new` checked that all rows lie within `isize::MAX` bytes of the data; the buffer's owner promises that
        // the memory exists.
        unsafe { self.data.offset(y as isize * self.stride) }
    }
}

/// Readable pixels.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    frame: Frame,
    icc: Option<&'a [u8]>,
}

impl<'a> Pixels<'a> {
    /// Validates `buffer`. Without `needs_data` its data may be NULL; reading rows then panics.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] for an invalid buffer.
    ///
    /// # Safety
    /// `buffer` is NULL or points to a buffer whose pixels and profile are readable for `'a`.
    pub unsafe fn new(buffer: *const InrBuffer, needs_data: bool) -> Result<Self, Failure> {
        // SAFETY: the caller makes this promise.
        let buffer = unsafe { structs::read(buffer) }?;
        let icc = (!buffer.icc.is_null() && buffer.icc_size > 0)
            // SAFETY: the caller makes this promise.
            .then(|| unsafe { std::slice::from_raw_parts(buffer.icc, buffer.icc_size) });
        let frame = Frame::new(&buffer, needs_data)?;
        Ok(Self { frame, icc })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.frame.size
    }

    /// Storage format of the pixels.
    pub fn format(&self) -> Format {
        self.frame.format
    }

    /// The ICC profile.
    pub fn icc(&self) -> Option<&'a [u8]> {
        self.icc
    }

    /// The bytes of row `y` as they are stored; floats may be NaN.
    ///
    /// # Panics
    /// When the picture has no row `y`.
    pub fn row(&self, y: u32) -> &[u8] {
        // SAFETY: the caller of `new` promised that the row's bytes are readable.
        unsafe { std::slice::from_raw_parts(self.frame.row(y), self.frame.row_bytes()) }
    }

    /// Counts samples that are no finite numbers; returns `None` for none, otherwise the number, and column, row and channel
    /// of the first.
    ///
    /// # Panics
    /// When `part` (left, top, width and height) extends beyond the picture.
    pub(crate) fn strays(&self, part: [u32; 4]) -> Option<(usize, [u32; 2], u32)> {
        let format = self.frame.format;
        // The exponent of these has all bits set.
        let stray: fn(&[u8]) -> bool = match format.sample {
            Sample::U8 | Sample::U16 => return None,
            Sample::F16 => |b| u16::from_ne_bytes([b[0], b[1]]) & 0x7c00 == 0x7c00,
            Sample::F32 => {
                |b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]) & 0x7f80_0000 == 0x7f80_0000
            }
        };
        let channels = format.layout.channels();
        let [left, top, width, height] = part;
        let columns = [left, width].map(|side| side as usize * format.pixel_size());
        let (mut count, mut first) = (0, None);
        for y in top..top + height {
            let row = &self.row(y)[columns[0]..][..columns[1]];
            let samples = row.chunks_exact(format.sample.size());
            for (at, _) in samples.enumerate().filter(|(_, bytes)| stray(bytes)) {
                count += 1;
                let x = left + (at / channels) as u32;
                first.get_or_insert(([x, y], (at % channels) as u32));
            }
        }
        first.map(|(pixel, channel)| (count, pixel, channel))
    }

    /// Reads row `y` as encoded floats with straight alpha; 0 to 1 corresponds to the full range of integers. All are finite:
    /// NaN and negative infinity become 0, positive infinity 1.
    ///
    /// # Panics
    /// When the picture has no row `y`, or the length of `out` is not that of a row.
    pub fn read_row(&self, y: u32, out: &mut [f32]) {
        let format = self.frame.format;
        let row = self.row(y);
        assert_eq!(out.len() * format.sample.size(), row.len());
        let pairs = |bytes: &[u8]| [bytes[0], bytes[1]];
        match format.sample {
            Sample::U8 => each(out, row, 1, |b| f32::from(b[0]) / 255.0),
            Sample::U16 => each(out, row, 2, |b| {
                f32::from(u16::from_ne_bytes(pairs(b))) / 65_535.0
            }),
            Sample::F16 => each(out, row, 2, |b| {
                finite(f16::from_ne_bytes(pairs(b)).to_f32())
            }),
            Sample::F32 => each(out, row, 4, |b| {
                finite(f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
            }),
        }
        let channels = format.layout.channels();
        if format.alpha == Alpha::Premultiplied {
            for pixel in out.chunks_exact_mut(channels) {
                let (alpha, colours) = split(pixel);
                if alpha > 0.0 {
                    colours
                        .iter_mut()
                        .for_each(|colour| *colour = finite(*colour / alpha));
                }
            }
        }
        if format.transfer == Transfer::Linear {
            colours(format.layout, out, srgb_from_linear);
        }
    }

    /// Reads all pixels with [`Pixels::read_row`]; the result has the shape `[height, width, channels]`.
    pub fn to_f32(&self) -> Vec<f32> {
        let [width, height] = self.frame.size;
        let row = width as usize * self.frame.format.layout.channels();
        let mut out = vec![0.0; row * height as usize];
        for (y, out) in out.chunks_exact_mut(row).enumerate() {
            self.read_row(y as u32, out);
        }
        out
    }
}

/// Replaces what is no finite number: 1 stands for positive infinity, 0 for the rest.
fn finite(value: f32) -> f32 {
    match value.is_finite() {
        true => value,
        false => f32::from(u8::from(value == f32::INFINITY)),
    }
}

fn each(out: &mut [f32], row: &[u8], size: usize, read: impl Fn(&[u8]) -> f32) {
    for (value, bytes) in out.iter_mut().zip(row.chunks_exact(size)) {
        *value = read(bytes);
    }
}

/// Writable pixels.
#[derive(Debug)]
pub struct PixelsMut<'a> {
    frame: Frame,
    scratch: Vec<f32>,
    memory: PhantomData<&'a mut [u8]>,
}

impl<'a> PixelsMut<'a> {
    /// Validates `buffer`.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] for an invalid buffer.
    ///
    /// # Safety
    /// `buffer` is NULL or points to a buffer whose pixels nothing else reads or writes for `'a`.
    pub unsafe fn new(buffer: *const InrBuffer) -> Result<Self, Failure> {
        // SAFETY: the caller makes this promise.
        let buffer = unsafe { structs::read(buffer) }?;
        Ok(Self {
            frame: Frame::new(&buffer, true)?,
            scratch: Vec::new(),
            memory: PhantomData,
        })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.frame.size
    }

    /// Storage format of the pixels.
    pub fn format(&self) -> Format {
        self.frame.format
    }

    /// True when the pixels share bytes with `input`.
    pub(crate) fn overlaps(&self, input: &Pixels) -> bool {
        self.frame.overlaps(&input.frame)
    }

    /// The bytes of row `y`.
    ///
    /// # Panics
    /// When the picture has no row `y`.
    pub fn row(&mut self, y: u32) -> &mut [u8] {
        // SAFETY: the caller of `new` promised that the row's bytes are writable, and the slice borrows `self`.
        unsafe { std::slice::from_raw_parts_mut(self.frame.row(y), self.frame.row_bytes()) }
    }

    /// The samples of all rows from top to bottom, in place, when the format is plain with samples of type `T`.
    pub fn rows<T: Plain>(&mut self) -> Option<Vec<&mut [T]>> {
        let frame = self.frame;
        let length = frame.row_bytes() / size_of::<T>();
        if frame.format != Format::plain(T::SAMPLE, frame.format.layout) {
            return None;
        }
        let rows = (0..frame.size[1]).map(|y| {
            let data = frame.row(y).cast::<T>();
            // SAFETY: the data is aligned, the caller of `new` promised exclusive access to the row's bytes, `Frame::new`
            // checked that rows do not overlap, and any bytes are valid samples. The slices exclude bytes between rows.
            data.is_aligned()
                .then(|| unsafe { std::slice::from_raw_parts_mut(data, length) })
        });
        rows.collect()
    }

    /// Writes row `y` from floats in the form of [`Pixels::read_row`]; rounds and clamps integers.
    ///
    /// # Panics
    /// When the picture has no row `y`, or the length of `values` is not that of a row.
    pub fn write_row(&mut self, y: u32, values: &[f32]) {
        let format = self.frame.format;
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(values);
        if format.transfer == Transfer::Linear {
            colours(format.layout, &mut scratch, linear_from_srgb);
        }
        if format.alpha == Alpha::Premultiplied {
            for pixel in scratch.chunks_exact_mut(format.layout.channels()) {
                let (alpha, colours) = split(pixel);
                colours.iter_mut().for_each(|colour| *colour *= alpha);
            }
        }
        let row = self.row(y);
        assert_eq!(values.len() * format.sample.size(), row.len());
        // A cast rounds towards zero and clamps; NaN gives 0.
        match format.sample {
            Sample::U8 => {
                for (byte, value) in row.iter_mut().zip(&scratch) {
                    *byte = (value * 255.0 + 0.5) as u8;
                }
            }
            Sample::U16 => put(row, &scratch, |v| {
                ((v * 65_535.0 + 0.5) as u16).to_ne_bytes()
            }),
            Sample::F16 => put(row, &scratch, |v| f16::from_f32(v).to_ne_bytes()),
            Sample::F32 => put(row, &scratch, f32::to_ne_bytes),
        }
        self.scratch = scratch;
    }
}

fn put<const N: usize>(row: &mut [u8], values: &[f32], bytes: impl Fn(f32) -> [u8; N]) {
    for (to, value) in row.chunks_exact_mut(N).zip(values) {
        to.copy_from_slice(&bytes(*value));
    }
}

/// Rust types of samples in memory.
pub trait Plain: Copy {
    /// The sample type.
    const SAMPLE: Sample;
}

impl Plain for u8 {
    const SAMPLE: Sample = Sample::U8;
}

impl Plain for u16 {
    const SAMPLE: Sample = Sample::U16;
}

impl Plain for f32 {
    const SAMPLE: Sample = Sample::F32;
}

/// Splits a pixel into alpha and colours.
fn split(pixel: &mut [f32]) -> (f32, &mut [f32]) {
    let (alpha, colours) = pixel.split_last_mut().expect("a pixel with alpha");
    (*alpha, colours)
}

/// Applies `curve` to all samples except alpha.
fn colours(layout: Layout, values: &mut [f32], curve: impl Fn(f32) -> f32) {
    let count = layout.channels() - usize::from(layout.has_alpha());
    for pixel in values.chunks_exact_mut(layout.channels()) {
        pixel[..count]
            .iter_mut()
            .for_each(|value| *value = curve(*value));
    }
}

/// Encodes linear light with the sRGB curve (IEC 61966-2-1), mirrored below 0.
fn srgb_from_linear(value: f32) -> f32 {
    let size = value.abs();
    let encoded = match size <= 0.003_130_8 {
        true => 12.92 * size,
        false => 1.055 * size.powf(1.0 / 2.4) - 0.055,
    };
    encoded.copysign(value)
}

/// Inverts [`srgb_from_linear`].
fn linear_from_srgb(value: f32) -> f32 {
    let size = value.abs();
    let light = match size <= 0.040_45 {
        true => size / 12.92,
        false => ((size + 0.055) / 1.055).powf(2.4),
    };
    light.copysign(value)
}
