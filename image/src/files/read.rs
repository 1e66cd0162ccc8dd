//! Picture files to pictures.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use inr_formats::Limits;

use crate::error::Error;
use crate::picture::{Metadata, Picture};

/// How to read a picture file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What a file may cost.
    pub limits: Limits,
    /// Read the intact part of a truncated or corrupt JPEG, which is refused otherwise.
    pub partial: bool,
}

impl ReadOptions {
    /// Sets the field `limits`.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the field `partial`.
    #[must_use]
    pub fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }
}

/// A picture that was read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PictureFile {
    /// The picture.
    pub picture: Picture,
    /// What the user should know, such as that a part of the picture is missing.
    pub notes: Vec<String>,
}

/// Reads a picture file of any of the formats PNG, JPEG, WebP, TIFF, BMP, QOI, PNM and GIF, which its content decides.
/// Samples keep their depth (palettes and fewer than 8 bits become 8), the Exif orientation is applied to the pixels and
/// set to 1 in Exif and XMP, and colours are not converted.
///
/// # Errors
/// [`Error`] for unknown or damaged files, CMYK, 12-bit JPEG, animations, and more pixels than `limits` allow.
pub fn read_picture(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let options = ReadOptions::default().limits(limits.clone());
    Ok(read_picture_with(bytes, &options)?.picture)
}

/// Reads a picture file like [`read_picture`], with all options, and notes.
///
/// # Errors
/// Those of [`read_picture`]. A panic of a decoder becomes [`Error::Panicked`].
pub fn read_picture_with(bytes: &[u8], options: &ReadOptions) -> Result<PictureFile, Error> {
    let format = recognise(bytes)?;
    let mut notes = Vec::new();
    let work = AssertUnwindSafe(|| read(bytes, format, options, &mut notes));
    let picture = catch_unwind(work).unwrap_or(Err(Error::Panicked {
        format: name(format),
    }))?;
    Ok(PictureFile { picture, notes })
}

fn read(
    bytes: &[u8],
    format: ImageFormat,
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Picture, Error> {
    let limits = &options.limits;
    if format == ImageFormat::Jpeg {
        let picture = super::jpeg::read(bytes, limits, options.partial, notes)?;
        return turned(picture);
    }
    let mut memory = image::Limits::default();
    // Up to four 32-bit samples, twice while they are converted.
    memory.max_alloc = Some(limits.pixels.saturating_mul(32).saturating_add(1 << 26));
    refuse_what_would_be_guessed(bytes, format, &memory)?;
    let malformed = |source: ImageError| explain(source, format, limits);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(memory);
    let mut decoder = reader.into_decoder().map_err(malformed)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(Error::TooLarge {
            pixels,
            limit: limits.pixels,
        });
    }
    let optional = |found: Result<Option<Vec<u8>>, ImageError>| {
        found.unwrap_or(None).filter(|data| !data.is_empty())
    };
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let metadata = Metadata {
        icc: optional(decoder.icc_profile()),
        exif: optional(decoder.exif_metadata()),
        xmp: optional(decoder.xmp_metadata()),
        cicp: (format == ImageFormat::Png)
            .then(|| png_code_points(bytes))
            .flatten(),
    };
    let mut image = DynamicImage::from_decoder(decoder).map_err(malformed)?;
    image.apply_orientation(orientation);
    super::convert::from_image(image, upright(metadata))
}

/// The picture turned as its Exif block says.
fn turned(picture: Picture) -> Result<Picture, Error> {
    let exif = picture.metadata().exif.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    let metadata = upright(picture.metadata().clone());
    let Some(orientation) = orientation.filter(|turn| *turn != Orientation::NoTransforms) else {
        return Ok(picture.with_metadata(metadata));
    };
    let mut image = DynamicImage::from(picture);
    image.apply_orientation(orientation);
    super::convert::from_image(image, metadata)
}

/// The metadata of pixels that are already turned; a block without the tag stays as it is.
fn upright(mut metadata: Metadata) -> Metadata {
    let turned = metadata
        .exif
        .as_mut()
        .and_then(|exif| Orientation::remove_from_exif_chunk(exif));
    if turned.is_some()
        && let Some(xmp) = &mut metadata.xmp
    {
        reset_orientation(xmp);
    }
    metadata
}

/// Sets `tiff:Orientation` of an XMP packet, an attribute or an element, to 1.
fn reset_orientation(xmp: &mut [u8]) {
    const NAME: &[u8] = b"tiff:Orientation";
    let places: Vec<usize> = xmp
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, window)| *window == NAME)
        .map(|(at, _)| at + NAME.len())
        .collect();
    for at in places {
        let value = &mut xmp[at..];
        let opens = value
            .iter()
            .take_while(|byte| b" =\"'>\n\r\t".contains(byte))
            .count();
        if opens > 0
            && let Some(digit) = value.get_mut(opens)
            && (b'1'..=b'8').contains(digit)
        {
            *digit = b'1';
        }
    }
}

fn recognise(bytes: &[u8]) -> Result<ImageFormat, Error> {
    if bytes.starts_with(&inr_formats::SIGNATURE) {
        return Err(Error::AlreadyInr);
    }
    let known = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
        ImageFormat::Qoi,
        ImageFormat::Pnm,
        ImageFormat::Gif,
    ];
    let guessed = image::guess_format(bytes)
        .ok()
        .filter(|format| known.contains(format));
    guessed.ok_or_else(|| Error::Unknown {
        found: bytes[..bytes.len().min(8)].to_vec(),
    })
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Qoi => "QOI",
        ImageFormat::Pnm => "PNM",
        ImageFormat::Gif => "GIF",
        _ => "picture",
    }
}

fn explain(source: ImageError, format: ImageFormat, limits: &Limits) -> Error {
    match source {
        ImageError::Limits(_) => Error::TooLarge {
            pixels: limits.pixels.saturating_add(1),
            limit: limits.pixels,
        },
        source => Error::Malformed {
            format: name(format),
            source,
        },
    }
}

/// Kinds of file that decoders would read in a way nobody asked for.
fn refuse_what_would_be_guessed(
    bytes: &[u8],
    format: ImageFormat,
    memory: &image::Limits,
) -> Result<(), Error> {
    let unsupported = |what, instead| Err(Error::Unsupported { what, instead });
    let animated = match format {
        ImageFormat::Png => PngDecoder::with_limits(Cursor::new(bytes), memory.clone())
            .and_then(|png| png.is_apng())
            .unwrap_or(false),
        ImageFormat::WebP => {
            WebPDecoder::new(Cursor::new(bytes)).is_ok_and(|webp| webp.has_animation())
        }
        ImageFormat::Gif => gif_is_animated(bytes),
        _ => false,
    };
    if animated {
        return unsupported(
            "the picture is animated",
            "extract one frame first, for example with: ffmpeg -i FILE -frames:v 1 frame.png",
        );
    }
    if format == ImageFormat::Tiff && tiff_is_cmyk(bytes) {
        return unsupported(
            "the TIFF is CMYK",
            "convert it to RGB with its profile first, for example with: magick FILE -profile sRGB.icc rgb.png",
        );
    }
    Ok(())
}

/// Whether there is a second frame; none is decoded, so that the size that the file claims costs nothing.
fn gif_is_animated(bytes: &[u8]) -> bool {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    options.read_info(bytes).is_ok_and(|mut gif| {
        let mut another = || matches!(gif.next_frame_info(), Ok(Some(_)));
        another() && another()
    })
}

fn tiff_is_cmyk(bytes: &[u8]) -> bool {
    use image::ExtendedColorType::{Cmyk8, Cmyk16};
    let decoder = image::codecs::tiff::TiffDecoder::new(Cursor::new(bytes));
    decoder.is_ok_and(|tiff| matches!(tiff.original_color_type(), Cmyk8 | Cmyk16))
}

/// The chunk cICP, which must come before the pixels.
fn png_code_points(bytes: &[u8]) -> Option<[u8; 4]> {
    let mut at: usize = 8;
    loop {
        let length =
            u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize;
        let data = at.checked_add(8)?;
        match bytes.get(at + 4..data)? {
            b"cICP" if length == 4 => return bytes.get(data..data + 4)?.try_into().ok(),
            b"IDAT" | b"IEND" => return None,
            _ => at = data.checked_add(length)?.checked_add(4)?,
        }
    }
}
