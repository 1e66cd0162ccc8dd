//! Pictures to picture files.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::{JpegEncoder, PixelDensity, PixelDensityUnit};
use image::codecs::openexr::OpenExrEncoder;
use image::codecs::pnm::{PnmEncoder, PnmSubtype};
use image::codecs::qoi::QoiEncoder;
use image::error::EncodingError;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::exif::resolution;
use super::png_rows::write_png;
use inr_formats::{Depth, Layout};

use crate::error::Error;
use crate::format::FileFormat;
use crate::picture::{Picture, Samples};
use crate::raster::{Raster, premultiplied};

/// A written picture file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// Metadata that the format has no place for.
    pub dropped: Vec<&'static str>,
    /// What else is not as it was in the picture, such as the depth of the samples.
    pub notes: Vec<&'static str>,
}

/// Quality of JPEGs when the caller does not say.
const JPEG_QUALITY: u8 = 95;

impl FileFormat {
    /// Checks that the format can hold such samples, those of 16 bits as 8.
    ///
    /// # Errors
    /// [`Error::CannotHold`] saying what to do instead.
    pub fn check(self, layout: Layout, depth: Depth) -> Result<(), Error> {
        let (what, instead) = match (self, depth) {
            (Self::Exr | Self::Pfm, Depth::U8 | Depth::U16) => {
                ("integers", "ask for floats (--depth float)")
            }
            (Self::Pfm, _) if layout.has_alpha() => ("transparency", "write .exr or .tiff"),
            (Self::Exr | Self::Pfm | Self::Tiff, _) | (_, Depth::U8 | Depth::U16) => return Ok(()),
            (Self::Png | Self::Pnm | Self::Ppm | Self::Pgm | Self::Pam, Depth::F32) => (
                "floating-point samples",
                "write .tiff, or ask for 16 bits (--depth 16)",
            ),
            (_, Depth::F32) => (
                "floating-point samples",
                "write .tiff, or ask for 8 bits (--depth 8)",
            ),
        };
        Err(Error::CannotHold {
            format: self,
            what,
            instead,
        })
    }

    /// Checks that the format can hold a picture of so many columns and rows.
    ///
    /// # Errors
    /// [`Error::CannotHold`] saying what to do instead.
    pub fn check_size(self, [width, height]: [u32; 2]) -> Result<(), Error> {
        let (most, what) = match self {
            Self::WebP => (16_383, "sides above 16383 pixels"),
            Self::Jpeg => (65_535, "sides above 65535 pixels"),
            _ => return Ok(()),
        };
        if width.max(height) <= most {
            return Ok(());
        }
        Err(Error::CannotHold {
            format: self,
            what,
            instead: "write .png or .tiff, or a smaller size",
        })
    }

    /// Whether the format has samples of 16 bits.
    fn has_16_bits(self) -> bool {
        !matches!(self, Self::Jpeg | Self::WebP | Self::Bmp | Self::Qoi)
    }
}

/// The picture in a form that the format can hold, and notes of what changed.
fn fitted(
    picture: &Picture,
    format: FileFormat,
) -> Result<(Cow<'_, Picture>, Vec<&'static str>), Error> {
    format.check(picture.layout(), picture.depth())?;
    let (mut picture, mut notes) = (Cow::Borrowed(picture), Vec::new());
    if picture.depth() == Depth::U16 && !format.has_16_bits() {
        picture = Cow::Owned(picture.into_owned().with_depth(Depth::U8));
        notes.push("16-bit samples became 8 bits, the most that the format has");
    }
    if format == FileFormat::Jpeg && picture.layout().has_alpha() {
        let opaque = picture.into_owned().without_alpha();
        picture = Cow::Owned(opaque.ok_or(Error::CannotHold {
            format,
            what: "transparency",
            instead: "put a colour behind it (decode --background), or write .png or .webp",
        })?);
    }
    if wants_colour(&picture, format) {
        picture = Cow::Owned(picture.into_owned().into_colour());
    }
    let linear = picture.metadata().cicp.is_some_and(|points| points[1] == 8);
    if matches!(format, FileFormat::Exr | FileFormat::Pfm) && !linear {
        notes.push("samples are written as they are encoded, which readers take for linear light");
    }
    if format == FileFormat::Exr && picture.layout().has_alpha() {
        let raster = picture.to_f32();
        let samples = premultiplied(&Raster::of(&picture, &raster));
        picture = Cow::Owned(picture.into_owned().with_float_samples(samples));
    }
    Ok((picture, notes))
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
    let (picture, notes) = fitted(picture, format)?;
    let picture = &*picture;
    let metadata = picture.metadata();
    let mut bytes = Cursor::new(Vec::new());
    let quality = quality.unwrap_or(JPEG_QUALITY).clamp(1, 100);
    let written = match format {
        FileFormat::Png => return png(picture, notes),
        FileFormat::Tiff => {
            *bytes.get_mut() = super::tiff::file(picture)?;
            Ok(Vec::new())
        }
        FileFormat::WebP => webp(&mut bytes, picture),
        FileFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
            if let Some(dots) = metadata.exif.as_deref().and_then(resolution) {
                let [across, down] = dots.map(|dots| dots.round().clamp(1.0, 65_535.0) as u16);
                encoder.set_pixel_density(PixelDensity {
                    density: (across, down),
                    unit: PixelDensityUnit::Inches,
                });
            }
            pixels(encoder, picture)
        }
        FileFormat::Bmp => pixels(BmpEncoder::new(&mut bytes), picture),
        FileFormat::Qoi => pixels(QoiEncoder::new(&mut bytes), picture),
        FileFormat::Exr => pixels(OpenExrEncoder::new(&mut bytes), picture),
        FileFormat::Pfm => {
            *bytes.get_mut() = super::pfm::file(picture);
            Ok(unheld(picture))
        }
        FileFormat::Pnm | FileFormat::Ppm | FileFormat::Pgm | FileFormat::Pam => {
            anymap(&mut bytes, picture, format)
        }
    };
    let mut dropped = written.map_err(|source| Error::Write { format, source })?;
    let mut bytes = bytes.into_inner();
    if let Some(xmp) = &metadata.xmp
        && !matches!(format, FileFormat::Tiff | FileFormat::WebP)
        && !splice_xmp(&mut bytes, format, xmp)
    {
        dropped.push("XMP");
    }
    let linear = metadata.cicp == Some(super::pfm::LINEAR);
    if metadata.cicp.is_some() && !(linear && matches!(format, FileFormat::Exr | FileFormat::Pfm)) {
        dropped.push("cICP colour description");
    }
    Ok(Written {
        bytes,
        dropped,
        notes,
    })
}

/// Lossless WebP with all metadata but code points.
fn webp(bytes: &mut Cursor<Vec<u8>>, picture: &Picture) -> Result<Vec<&'static str>, ImageError> {
    use image_webp::ColorType;
    let mut encoder = image_webp::WebPEncoder::new(bytes);
    let metadata = picture.metadata().clone();
    metadata
        .icc
        .into_iter()
        .for_each(|icc| encoder.set_icc_profile(icc));
    metadata
        .exif
        .into_iter()
        .for_each(|exif| encoder.set_exif_metadata(exif));
    metadata
        .xmp
        .into_iter()
        .for_each(|xmp| encoder.set_xmp_metadata(xmp));
    let colour = match picture.layout() {
        Layout::Grey => ColorType::L8,
        Layout::GreyAlpha => ColorType::La8,
        Layout::Rgb => ColorType::Rgb8,
        Layout::Rgba => ColorType::Rgba8,
    };
    let Samples::U8(samples) = picture.samples() else {
        unreachable!("`check` refused other depths");
    };
    encoder
        .encode(samples, picture.width(), picture.height(), colour)
        .map_err(|error| {
            let error = EncodingError::new(image::ImageFormat::WebP.into(), error);
            ImageError::Encoding(error)
        })?;
    Ok(Vec::new())
}

/// P5 for grey and P6 for colour, P7 where there is alpha or the name asks for it.
fn anymap(
    to: &mut Cursor<Vec<u8>>,
    picture: &Picture,
    format: FileFormat,
) -> Result<Vec<&'static str>, ImageError> {
    let magic = match picture.layout() {
        Layout::Grey if format != FileFormat::Pam => "P5",
        Layout::Rgb if format != FileFormat::Pam => "P6",
        _ => {
            let encoder = PnmEncoder::new(to).with_subtype(PnmSubtype::ArbitraryMap);
            return pixels(encoder, picture);
        }
    };
    let (width, height) = (picture.width(), picture.height());
    let most = if picture.depth() == Depth::U8 {
        255
    } else {
        65_535
    };
    let out = to.get_mut();
    out.extend(format!("{magic}\n{width} {height}\n{most}\n").bytes());
    match picture.samples() {
        Samples::U16(samples) => out.extend(samples.iter().flat_map(|v| v.to_be_bytes())),
        Samples::U8(samples) => out.extend(samples),
        Samples::F32(_) => unreachable!("`check` refused floats"),
    }
    Ok(unheld(picture))
}

/// Metadata of a picture for a format that holds none.
fn unheld(picture: &Picture) -> Vec<&'static str> {
    let metadata = picture.metadata();
    let blocks = [("ICC profile", &metadata.icc), ("Exif", &metadata.exif)];
    let there = blocks.into_iter().filter(|(_, block)| block.is_some());
    there.map(|(name, _)| name).collect()
}

fn png(picture: &Picture, notes: Vec<&'static str>) -> Result<Written, Error> {
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
        notes,
    })
}

/// True when the format has no grey of this kind.
fn wants_colour(picture: &Picture, format: FileFormat) -> bool {
    match (format, picture.layout()) {
        (FileFormat::Qoi | FileFormat::Exr, _) => true,
        (FileFormat::Bmp, layout) => layout == Layout::GreyAlpha,
        // The encoder takes this one layout for malformed.
        (FileFormat::Ppm, Layout::Grey) => true,
        (FileFormat::Pnm | FileFormat::Ppm | FileFormat::Pgm | FileFormat::Pam, layout) => {
            layout == Layout::GreyAlpha && picture.depth() == Depth::U16
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
