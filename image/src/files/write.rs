//! Pictures to picture files.

use std::io::Cursor;

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::openexr::OpenExrEncoder;
use image::codecs::pnm::PnmEncoder;
use image::codecs::qoi::QoiEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::png_rows::write_png;
use inr_formats::{Depth, Layout};

use crate::error::Error;
use crate::format::FileFormat;
use crate::picture::{Picture, Samples};

/// A written picture file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// Metadata that the format has no place for.
    pub dropped: Vec<&'static str>,
}

/// Quality of JPEGs when the caller does not say.
const JPEG_QUALITY: u8 = 95;

impl FileFormat {
    /// Checks that the format can hold such samples.
    ///
    /// # Errors
    /// [`Error::CannotHold`] saying what to do instead.
    pub fn check(self, layout: Layout, depth: Depth) -> Result<(), Error> {
        let refuse = |what, instead| {
            Err(Error::CannotHold {
                format: self,
                what,
                instead,
            })
        };
        match (self, depth) {
            (Self::Exr, Depth::F32) => {}
            (Self::Exr, _) => {
                return refuse("integers", "ask for floats (--depth float)");
            }
            (Self::Tiff, _) | (_, Depth::U8) | (Self::Png | Self::Pnm, Depth::U16) => {}
            (Self::Png | Self::Pnm, Depth::F32) => {
                return refuse(
                    "floating-point samples",
                    "write .tiff, or ask for 16 bits (--depth 16)",
                );
            }
            (_, Depth::U16) => {
                return refuse(
                    "16-bit samples",
                    "write .png, or ask for 8 bits (--depth 8)",
                );
            }
            (_, Depth::F32) => {
                return refuse(
                    "floating-point samples",
                    "write .tiff, or ask for 8 bits (--depth 8)",
                );
            }
        }
        if self == Self::Jpeg && layout.has_alpha() {
            return refuse("transparency", "write .png or .webp");
        }
        Ok(())
    }
}

/// Writes `picture` as a file of `format`, with all the metadata that the format can hold. `quality` 1..=100 is for
/// JPEG, 95 by default; WebP is lossless.
///
/// # Errors
/// [`Error::CannotHold`] when the format has no such samples, [`Error::Write`] when its encoder fails.
pub fn write_picture(
    picture: &Picture,
    format: FileFormat,
    quality: Option<u8>,
) -> Result<Written, Error> {
    format.check(picture.layout(), picture.depth())?;
    let spread;
    let picture = if wants_colour(picture, format) {
        spread = picture.clone().into_colour();
        &spread
    } else {
        picture
    };
    let mut bytes = Cursor::new(Vec::new());
    let quality = quality.unwrap_or(JPEG_QUALITY).clamp(1, 100);
    let written = match format {
        FileFormat::Png => return png(picture),
        FileFormat::Jpeg => pixels(JpegEncoder::new_with_quality(&mut bytes, quality), picture),
        FileFormat::WebP => pixels(WebPEncoder::new_lossless(&mut bytes), picture),
        FileFormat::Tiff => pixels(TiffEncoder::new(&mut bytes), picture),
        FileFormat::Bmp => pixels(BmpEncoder::new(&mut bytes), picture),
        FileFormat::Qoi => pixels(QoiEncoder::new(&mut bytes), picture),
        FileFormat::Exr => pixels(OpenExrEncoder::new(&mut bytes), picture),
        FileFormat::Pnm => pixels(PnmEncoder::new(&mut bytes), picture),
    };
    let mut dropped = written.map_err(|source| Error::Write { format, source })?;
    let mut bytes = bytes.into_inner();
    let metadata = picture.metadata();
    if let Some(xmp) = &metadata.xmp
        && !splice_xmp(&mut bytes, format, xmp)
    {
        dropped.push("XMP");
    }
    if metadata.cicp.is_some() {
        dropped.push("cICP colour description");
    }
    Ok(Written { bytes, dropped })
}

fn png(picture: &Picture) -> Result<Written, Error> {
    let mut bytes = Vec::new();
    let size = [picture.width(), picture.height()];
    let (layout, metadata) = (picture.layout(), picture.metadata());
    write_png(
        &mut bytes,
        size,
        layout,
        picture.depth(),
        metadata,
        |rows| rows.write(picture.samples()),
    )?;
    Ok(Written {
        bytes,
        dropped: Vec::new(),
    })
}

/// True when the format has no grey of this kind.
fn wants_colour(picture: &Picture, format: FileFormat) -> bool {
    match (format, picture.layout()) {
        (FileFormat::Qoi | FileFormat::Exr, _) => true,
        (FileFormat::Bmp, layout) => layout == Layout::GreyAlpha,
        // The encoder takes this one layout for malformed.
        (FileFormat::Pnm, layout) => layout == Layout::GreyAlpha && picture.depth() == Depth::U16,
        (FileFormat::Tiff, layout) => {
            layout == Layout::GreyAlpha || matches!(picture.samples(), Samples::F32(_))
        }
        _ => false,
    }
}

/// Writes pixels, profile and Exif; returns what the encoder refused to take.
fn pixels(
    mut encoder: impl ImageEncoder,
    picture: &Picture,
) -> Result<Vec<&'static str>, ImageError> {
    let metadata = picture.metadata();
    let mut dropped = Vec::new();
    if let Some(icc) = &metadata.icc
        && encoder.set_icc_profile(icc.clone()).is_err()
    {
        dropped.push("ICC profile");
    }
    if let Some(exif) = &metadata.exif
        && encoder.set_exif_metadata(exif.clone()).is_err()
    {
        dropped.push("Exif");
    }
    let (width, height) = (picture.width(), picture.height());
    use ExtendedColorType as Colour;
    let colour = match (picture.samples(), picture.layout()) {
        (Samples::U8(_), Layout::Grey) => Colour::L8,
        (Samples::U8(_), Layout::GreyAlpha) => Colour::La8,
        (Samples::U8(_), Layout::Rgb) => Colour::Rgb8,
        (Samples::U8(_), Layout::Rgba) => Colour::Rgba8,
        (Samples::U16(_), Layout::Grey) => Colour::L16,
        (Samples::U16(_), Layout::GreyAlpha) => Colour::La16,
        (Samples::U16(_), Layout::Rgb) => Colour::Rgb16,
        (Samples::U16(_), Layout::Rgba) => Colour::Rgba16,
        (Samples::F32(_), Layout::Rgba) => Colour::Rgba32F,
        (Samples::F32(_), _) => Colour::Rgb32F,
    };
    match picture.samples() {
        Samples::U8(samples) => encoder.write_image(samples, width, height, colour)?,
        Samples::U16(samples) => {
            let bytes: Vec<u8> = samples
                .iter()
                .flat_map(|sample| sample.to_ne_bytes())
                .collect();
            encoder.write_image(&bytes, width, height, colour)?;
        }
        Samples::F32(samples) => {
            let bytes: Vec<u8> = samples
                .iter()
                .flat_map(|sample| sample.to_ne_bytes())
                .collect();
            encoder.write_image(&bytes, width, height, colour)?;
        }
    }
    Ok(dropped)
}

/// Inserts an XMP packet where the format keeps it; false when it has no place for this one.
fn splice_xmp(bytes: &mut Vec<u8>, format: FileFormat, xmp: &[u8]) -> bool {
    match format {
        FileFormat::Jpeg => {
            const NAMESPACE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
            let Ok(length) = u16::try_from(2 + NAMESPACE.len() + xmp.len()) else {
                return false;
            };
            let mut segment = vec![0xff, 0xe1];
            segment.extend_from_slice(&length.to_be_bytes());
            segment.extend_from_slice(NAMESPACE);
            segment.extend_from_slice(xmp);
            // After the start marker and, if there is one, the JFIF segment, which has to come first.
            let at = match bytes.get(2..6) {
                Some(&[0xff, 0xe0, high, low]) => 4 + usize::from(u16::from_be_bytes([high, low])),
                _ => 2,
            };
            bytes.splice(at..at, segment);
            true
        }
        _ => false,
    }
}
