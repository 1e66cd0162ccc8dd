//! Picture files to pictures.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use inr_formats::Limits;

use crate::error::Error;
use crate::picture::{Metadata, Picture};

/// Reads a picture file: PNG, JPEG, WebP, TIFF, BMP, QOI, PNM or GIF, told by its content. Samples keep their depth
/// (palettes and fewer than 8 bits become 8), the Exif orientation is applied to the pixels and set to 1 in the Exif
/// block, and colours are not converted.
///
/// # Errors
/// [`Error`] for unknown or damaged files, CMYK, 12-bit JPEG, animations, and more pixels than `limits` allow.
pub fn read_picture(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let format = recognise(bytes)?;
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
    let mut metadata = Metadata {
        icc: optional(decoder.icc_profile()),
        exif: optional(decoder.exif_metadata()),
        xmp: optional(decoder.xmp_metadata()),
        cicp: (format == ImageFormat::Png)
            .then(|| png_code_points(bytes))
            .flatten(),
    };
    if let Some(exif) = &mut metadata.exif {
        // The pixels are turned below; a block without the tag stays as it is.
        let _ = Orientation::remove_from_exif_chunk(exif);
    }
    let mut image = DynamicImage::from_decoder(decoder).map_err(malformed)?;
    image.apply_orientation(orientation);
    super::convert::from_image(image, metadata)
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
    if format == ImageFormat::Jpeg {
        match jpeg_frame(bytes) {
            Some((_, 4)) => {
                return unsupported(
                    "the JPEG is CMYK",
                    "convert it to RGB with its profile first, for example with: magick FILE -profile sRGB.icc rgb.png",
                );
            }
            Some((precision, _)) if precision != 8 => {
                return unsupported(
                    "the JPEG has more than 8 bits per sample",
                    "convert it to a 16-bit PNG or TIFF first",
                );
            }
            _ => {}
        }
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

/// Bits per sample and number of components in a JPEG's frame header.
fn jpeg_frame(bytes: &[u8]) -> Option<(u8, u8)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match marker {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // All frame headers; the gaps are Huffman tables, an extension, and arithmetic conditioning.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((*bytes.get(at + 4)?, *bytes.get(at + 9)?));
            }
            0xd9 | 0xda => return None,
            _ => {
                let length = u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]);
                at += 2 + usize::from(length);
            }
        }
    }
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
