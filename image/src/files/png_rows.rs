//! PNG files written row by row, so that a picture need not be in memory at once.

use std::io::Write;

use image::{ImageError, error::EncodingError};
use png::chunk::{ChunkType, eXIf, iTXt};
use png::{BitDepth, ColorType, Encoder, Info, PixelDimensions, StreamWriter, Unit, Writer};

use inr_formats::{Depth, Layout};

use super::exif::resolution;
use crate::error::Error;
use crate::format::FileFormat;
use crate::picture::{Metadata, Samples};

/// The rows of a PNG file that is being written.
pub struct PngRows<'w, W: Write> {
    stream: StreamWriter<'w, W>,
    depth: Depth,
    bytes: Vec<u8>,
}

/// Writes a PNG file of `size`, width and height, with 8 or 16 bits per sample and all of `metadata`; `fill` gives the
/// samples, from top to bottom.
///
/// # Errors
/// [`Error::CannotHold`] for floats, [`Error::Write`] when `to` takes no more or rows are missing, and what
/// `fill` returns.
pub fn write_png<W: Write, E: From<Error>>(
    to: W,
    size: [u32; 2],
    layout: Layout,
    depth: Depth,
    metadata: &Metadata,
    fill: impl FnOnce(&mut PngRows<'_, W>) -> Result<(), E>,
) -> Result<(), E> {
    FileFormat::Png.check(layout, depth)?;
    let mut writer = head(to, size, layout, depth, metadata).map_err(failed)?;
    {
        let mut rows = PngRows {
            stream: writer.stream_writer().map_err(failed)?,
            depth,
            bytes: Vec::new(),
        };
        fill(&mut rows)?;
        rows.stream.finish().map_err(failed)?;
    }
    Ok(writer.finish().map_err(failed)?)
}

/// Writes everything before the samples.
fn head<W: Write>(
    to: W,
    size: [u32; 2],
    layout: Layout,
    depth: Depth,
    metadata: &Metadata,
) -> Result<Writer<W>, png::EncodingError> {
    let mut info = Info::with_size(size[0], size[1]);
    info.color_type = match layout {
        Layout::Grey => ColorType::Grayscale,
        Layout::GreyAlpha => ColorType::GrayscaleAlpha,
        Layout::Rgb => ColorType::Rgb,
        Layout::Rgba => ColorType::Rgba,
    };
    info.bit_depth = match depth {
        Depth::U8 => BitDepth::Eight,
        Depth::U16 | Depth::F32 => BitDepth::Sixteen,
    };
    info.icc_profile = metadata.icc.as_deref().map(|icc| icc.to_vec().into());
    info.pixel_dims = metadata.exif.as_deref().and_then(resolution).map(|dots| {
        let [xppu, yppu] = dots.map(|dots| (dots / 0.0254).round() as u32);
        let unit = Unit::Meter;
        PixelDimensions { xppu, yppu, unit }
    });
    let mut writer = Encoder::with_info(to, info)?.write_header()?;
    if let Some(cicp) = &metadata.cicp {
        writer.write_chunk(CICP, cicp)?;
    }
    if let Some(exif) = &metadata.exif {
        writer.write_chunk(eXIf, exif)?;
    }
    if let Some(xmp) = &metadata.xmp {
        // Keyword, no compression, no language, no translated keyword.
        let head = b"XML:com.adobe.xmp\0\0\0\0\0".as_slice();
        writer.write_chunk(iTXt, &[head, xmp].concat())?;
    }
    Ok(writer)
}

fn failed(error: png::EncodingError) -> Error {
    let error = EncodingError::new(image::ImageFormat::Png.into(), error);
    Error::Write {
        format: FileFormat::Png,
        source: ImageError::Encoding(error),
    }
}

const CICP: ChunkType = ChunkType(*b"cICP");

impl<W: Write> PngRows<'_, W> {
    /// Adds the next samples, of the depth that the file was started with.
    ///
    /// # Errors
    /// [`Error::Write`] when the writer takes no more, or samples are more than the size says or of another depth.
    pub fn write(&mut self, samples: &Samples) -> Result<(), Error> {
        let bytes = match samples {
            _ if samples.depth() != self.depth => {
                let what = format!(
                    "{:?} samples for a file of {:?}",
                    samples.depth(),
                    self.depth
                );
                return Err(failed(std::io::Error::other(what).into()));
            }
            Samples::U8(samples) => samples,
            Samples::U16(samples) => {
                self.bytes.clear();
                self.bytes
                    .extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
                &self.bytes
            }
            // `write_png` refused them.
            Samples::F32(_) => return Ok(()),
        };
        self.stream
            .write_all(bytes)
            .map_err(|error| failed(error.into()))
    }
}
