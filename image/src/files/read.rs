//! Picture files to pictures.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use inr_formats::Limits;

use super::found::Found;
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
    /// The page of a TIFF that has several, counted from 1; such files are refused otherwise.
    pub page: Option<u32>,
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

    /// Sets the field `page`.
    #[must_use]
    pub fn page(mut self, page: impl Into<Option<u32>>) -> Self {
        self.page = page.into();
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
    /// Of a JPEG: the mean quantisation step of luma's lower frequencies (the third of the steps that is finest), in samples.
    pub jpeg_step: Option<f32>,
}

/// Reads a picture file of any of the formats PNG, JPEG, JPEG XL, WebP, TIFF, OpenEXR, PFM, Radiance HDR, farbfeld, BMP, QOI,
/// PNM and GIF, which its content decides.
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
    let jpeg_step = match format {
        Format::Jpeg => super::jpeg::luma_step(bytes),
        _ => None,
    };
    Ok(PictureFile {
        picture,
        notes,
        jpeg_step,
    })
}

fn read(
    bytes: &[u8],
    format: Format,
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Picture, Error> {
    let limits = &options.limits;
    // Other files are one page.
    if let Some(page) = options.page.filter(|page| *page != 1)
        && format != Format::Tiff
    {
        return Err(Error::Misuse {
            what: format!("page {page} of a {} file", name(format)),
            want: "only TIFF files have pages",
        });
    }
    let found = match format {
        Format::Jpeg => super::jpeg::read(bytes, limits, options.partial)?,
        Format::Tiff => super::tiff::read(bytes, limits, options.page)?,
        Format::Jxl => jxl(bytes, limits)?,
        Format::Pfm => super::pfm::read(bytes, limits)?,
        Format::Other(format) => by_image(bytes, format, limits)?,
    };
    notes.extend(found.notes);
    if !found.lost.is_empty() {
        notes.push(format!("not kept: {}", found.lost.join(", ")));
    }
    let picture = turned(found.picture)?;
    notes.extend(profile_note(&picture));
    Ok(picture)
}

/// The picture of a format that the crate `image` decodes.
fn by_image(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<Found, Error> {
    let mut memory = image::Limits::default();
    // Up to four 32-bit samples, twice while they are converted.
    memory.max_alloc = Some(limits.pixels.saturating_mul(32).saturating_add(1 << 26));
    refuse_animations(bytes, format, &memory)?;
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
    let icc = optional(decoder.icc_profile());
    let (metadata, lost) = match format {
        ImageFormat::Png => {
            let grey = !decoder.color_type().has_color();
            super::png_chunks::metadata(bytes, icc, grey)
        }
        ImageFormat::WebP => {
            let exif = optional(decoder.exif_metadata());
            let plain = |exif: Vec<u8>| match exif.strip_prefix(b"Exif\0\0") {
                Some(exif) => exif.to_vec(),
                None => exif,
            };
            let metadata = Metadata {
                icc,
                exif: exif.map(plain),
                xmp: optional(decoder.xmp_metadata()),
                cicp: None,
            };
            (metadata, Vec::new())
        }
        _ => {
            let linear = matches!(format, ImageFormat::OpenExr | ImageFormat::Hdr);
            let metadata = Metadata {
                icc,
                cicp: linear.then_some(super::pfm::LINEAR),
                ..Metadata::default()
            };
            (metadata, Vec::new())
        }
    };
    let image = DynamicImage::from_decoder(decoder).map_err(malformed)?;
    let mut picture = super::convert::from_image(image, metadata)?;
    let mut notes = Vec::new();
    if format == ImageFormat::OpenExr && picture.layout().has_alpha() {
        picture = picture.divided_by_alpha();
        notes.push("colours were premultiplied by alpha; they are divided by it".into());
    }
    Ok(Found {
        picture,
        notes,
        lost,
    })
}

/// A note on a profile that is made for other colours than the picture has.
fn profile_note(picture: &Picture) -> Option<String> {
    let space = picture.metadata().icc.as_deref()?.get(16..20)?;
    let grey = picture.layout().colour_channels() == 1;
    let wanted: &[u8] = if grey { b"GRAY" } else { b"RGB " };
    // Viewers apply profiles for RGB to grey pictures too.
    if space == wanted || grey && space == b"RGB " {
        return None;
    }
    let space = String::from_utf8_lossy(space);
    Some(format!(
        "the colour profile is one for {} and does not fit the picture; it is kept as it is",
        space.trim_end()
    ))
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

/// Formats that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    Tiff,
    Jxl,
    Pfm,
    /// One that the crate `image` decodes.
    Other(ImageFormat),
}

/// The bytes that AVIF, HEIC and films have from their fifth on, brands after them.
const FILE_TYPE: &[u8] = b"ftyp";
/// What to do with most formats that are not read.
const MAGICK: &str = "convert it to a PNG first, for example with: magick FILE picture.png";

fn recognise(bytes: &[u8]) -> Result<Format, Error> {
    if bytes.starts_with(&inr_formats::SIGNATURE) {
        return Err(Error::AlreadyInr);
    }
    let known = [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Qoi,
        ImageFormat::Pnm,
        ImageFormat::Gif,
        ImageFormat::OpenExr,
        ImageFormat::Hdr,
        ImageFormat::Farbfeld,
    ];
    const JXL: &[u8] = &[0, 0, 0, 12, b'J', b'X', b'L', b' ', 13, 10, 0x87, 10];
    match bytes {
        [b'I', b'I', 43, 0, ..] | [b'M', b'M', 0, 43, ..] => return Ok(Format::Tiff),
        [0xff, 0x0a, ..] => return Ok(Format::Jxl),
        _ if bytes.starts_with(JXL) => return Ok(Format::Jxl),
        _ if super::pfm::is_pfm(bytes) => return Ok(Format::Pfm),
        _ => {}
    }
    match image::guess_format(bytes).ok() {
        Some(ImageFormat::Jpeg) => return Ok(Format::Jpeg),
        Some(ImageFormat::Tiff) => return Ok(Format::Tiff),
        Some(format) if known.contains(&format) => return Ok(Format::Other(format)),
        _ => {}
    }
    Err(unread(bytes).unwrap_or_else(|| Error::Unknown {
        found: bytes[..bytes.len().min(8)].to_vec(),
    }))
}

/// An error that names a known format that is not read.
fn unread(bytes: &[u8]) -> Option<Error> {
    let named = |what: &'static str, instead| {
        let what = what.into();
        Some(Error::Unsupported { what, instead })
    };
    match bytes.get(4..8) {
        Some(FILE_TYPE) => {
            let length = bytes
                .first_chunk::<4>()
                .map(|length| u32::from_be_bytes(*length));
            let end = (length? as usize).min(bytes.len()).min(256);
            let brands = bytes.get(8..end)?;
            let has =
                |wanted: &[&[u8]]| brands.chunks_exact(4).any(|brand| wanted.contains(&brand));
            return match (
                has(&[b"avif", b"avis"]),
                has(&[b"heic", b"heix", b"hevc", b"mif1"]),
            ) {
                (true, _) => named(
                    "AVIF is not read",
                    "convert it to a PNG first, for example with: avifdec FILE picture.png",
                ),
                (_, true) => named(
                    "HEIC is not read",
                    "convert it to a PNG first, for example with: heif-convert FILE picture.png",
                ),
                _ => named(
                    "the file is a film or another container of its kind",
                    "extract one frame first, for example with: ffmpeg -i FILE -frames:v 1 frame.png",
                ),
            };
        }
        Some(b"jP  ") => return named("JPEG 2000 is not read", MAGICK),
        _ => {}
    }
    match bytes {
        [b'8', b'B', b'P', b'S', ..] => named("Photoshop's files are not read", MAGICK),
        [b'%', b'P', b'D', b'F', ..] => named("PDF is no picture file", MAGICK),
        [b'<', ..]
            if bytes[..bytes.len().min(1024)]
                .windows(4)
                .any(|part| part == b"<svg") =>
        {
            named(
                "SVG is not read",
                "render it to a PNG first, for example with: rsvg-convert FILE -o picture.png",
            )
        }
        _ => None,
    }
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Jpeg => "JPEG",
        Format::Tiff => "TIFF",
        Format::Jxl => "JPEG XL",
        Format::Pfm => "PFM",
        Format::Other(format) => image_name(format),
    }
}

fn image_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Qoi => "QOI",
        ImageFormat::Pnm => "PNM",
        ImageFormat::Gif => "GIF",
        ImageFormat::OpenExr => "OpenEXR",
        ImageFormat::Hdr => "Radiance HDR",
        ImageFormat::Farbfeld => "farbfeld",
        _ => "picture",
    }
}

/// JPEG XL, where the build has it.
#[cfg(feature = "jxl")]
fn jxl(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    super::jxl::read(bytes, limits)
}

#[cfg(not(feature = "jxl"))]
fn jxl(_: &[u8], _: &Limits) -> Result<Found, Error> {
    Err(Error::Unsupported {
        what: "this build does not read JPEG XL".into(),
        instead: "build with the feature `jxl`, or convert it first: djxl FILE picture.png",
    })
}

fn explain(source: ImageError, format: ImageFormat, limits: &Limits) -> Error {
    match source {
        ImageError::Limits(_) => Error::TooLarge {
            pixels: limits.pixels.saturating_add(1),
            limit: limits.pixels,
        },
        ImageError::Unsupported(_) => Error::Unsupported {
            what: format!("{}: {source}", image_name(format)).into(),
            instead: MAGICK,
        },
        // `image` calls damaged what its BMP decoder only does not know.
        ImageError::Decoding(_)
            if format == ImageFormat::Bmp
                && ["Unknown image compression", "Image too large"]
                    .iter()
                    .any(|words| source.to_string().contains(words)) =>
        {
            Error::Unsupported {
                what: format!("this kind of BMP is not read ({source})").into(),
                instead: MAGICK,
            }
        }
        source => Error::Malformed {
            format: image_name(format),
            source,
        },
    }
}

/// Refuses animations, whose first frame decoders would take in silence.
fn refuse_animations(
    bytes: &[u8],
    format: ImageFormat,
    memory: &image::Limits,
) -> Result<(), Error> {
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
        return Err(Error::Unsupported {
            what: "the picture is animated".into(),
            instead: "extract one frame first, for example with: ffmpeg -i FILE -frames:v 1 frame.png",
        });
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
