//! JPEG XL, by the crate `jxl-oxide`.

use std::io::Cursor;

use inr_formats::{Layout, Limits};
use jxl_oxide::image::{BitDepth, ExtraChannelType};
use jxl_oxide::{AllocTracker, FrameBufferSample, JxlImage, PixelFormat};

use super::convert::finite;
use super::found::Found;
use crate::error::Error;
use crate::picture::{Metadata, Picture, Samples};

/// The code points of sRGB, which need no description.
const SRGB: [u8; 2] = [1, 13];

fn damaged(_: impl std::error::Error) -> Error {
    Error::Corrupt {
        format: "JPEG XL",
        what: "its headers or compressed data are corrupt, or the file is cut off",
    }
}

fn unsupported(what: &'static str, instead: &'static str) -> Error {
    let what = what.into();
    Error::Unsupported { what, instead }
}

/// The picture of a still; its colours stay in the space of the file, and the decoder turns it.
///
/// # Errors
/// [`Error::Unsupported`] for animations and CMYK, [`Error::TooLarge`], [`Error::Corrupt`].
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    let memory = limits.pixels.saturating_mul(64).saturating_add(1 << 26);
    let tracker = AllocTracker::with_limit(usize::try_from(memory).unwrap_or(usize::MAX));
    let image = JxlImage::builder()
        .alloc_tracker(tracker)
        .read(Cursor::new(bytes));
    let image = image.map_err(|error| {
        // The crate's error is no `Error` itself.
        damaged(std::io::Error::other(error.to_string()))
    })?;
    let (width, height) = (image.width(), image.height());
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        let limit = limits.pixels;
        return Err(Error::TooLarge { pixels, limit });
    }
    let header = &image.image_header().metadata;
    if header.animation.is_some() {
        let instead = "extract one frame first, for example with: djxl FILE frame.png";
        return Err(unsupported("the JPEG XL is animated", instead));
    }
    let layout = match image.pixel_format() {
        PixelFormat::Gray => Layout::Grey,
        PixelFormat::Graya => Layout::GreyAlpha,
        PixelFormat::Rgb => Layout::Rgb,
        PixelFormat::Rgba => Layout::Rgba,
        _ => {
            let instead = "convert it to RGB first, for example with: djxl FILE rgb.png";
            return Err(unsupported("the JPEG XL is CMYK", instead));
        }
    };
    let count = pixels as usize * layout.channels();
    let mut samples = match header.bit_depth {
        BitDepth::FloatSample { .. } => Samples::F32(rendered(&image, count)?),
        BitDepth::IntegerSample { bits_per_sample } if bits_per_sample > 8 => {
            Samples::U16(rendered(&image, count)?)
        }
        BitDepth::IntegerSample { .. } => Samples::U8(rendered(&image, count)?),
    };
    let associated = header.ec_info.iter().any(|channel| {
        matches!(channel.ty, ExtraChannelType::Alpha { alpha_associated } if alpha_associated)
    });
    let mut notes = Vec::new();
    if associated && layout.has_alpha() {
        samples.divide_by_alpha(layout.channels());
        notes.push("colours were premultiplied by alpha; they are divided by it".into());
    }
    if let Samples::F32(floats) = samples {
        samples = finite(floats)?;
    }
    Ok(Found {
        picture: Picture::new(width, height, layout, samples, metadata(&image))?,
        notes,
        lost: Vec::new(),
    })
}

fn rendered<T: FrameBufferSample + Default + Clone>(
    image: &JxlImage,
    count: usize,
) -> Result<Vec<T>, Error> {
    let render = image
        .render_frame(0)
        .map_err(|error| damaged(std::io::Error::other(error.to_string())))?;
    let mut samples = vec![T::default(); count];
    let written = render.stream().write_to_buffer(&mut samples);
    match written == count {
        true => Ok(samples),
        false => Err(damaged(std::io::Error::other("samples are missing"))),
    }
}

/// Profile, code points of high dynamic range, Exif and XMP.
fn metadata(image: &JxlImage) -> Metadata {
    let points = image.rendered_cicp();
    let usual = points.is_some_and(|points| points[..2] == SRGB);
    let boxes = image.aux_boxes();
    let exif = boxes.first_exif().ok().and_then(|exif| match exif {
        jxl_oxide::AuxBoxData::Data(exif) => Some(exif.payload().to_vec()),
        _ => None,
    });
    let exif = exif.map(|mut exif: Vec<u8>| {
        // The codestream has turned the picture.
        let _ = ::image::metadata::Orientation::remove_from_exif_chunk(&mut exif);
        exif
    });
    let xmp = match boxes.first_xml() {
        jxl_oxide::AuxBoxData::Data(xmp) => Some(xmp.to_vec()),
        _ => None,
    };
    Metadata {
        icc: (!usual).then(|| image.rendered_icc()),
        exif: exif.filter(|exif| !exif.is_empty()),
        xmp,
        cicp: points.filter(|points| matches!(points[1], 16 | 18)),
    }
}
