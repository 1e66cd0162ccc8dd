//! The small preview that a file may carry.

use crate::error::Error;
use inr_formats::{Depth, Layout};
use inr_image::resample;
use inr_image::resample::Filter;
use inr_image::{FileFormat, Picture, write_picture};

/// Longer side of a preview in pixels.
const SIDE: f64 = 96.0;
/// Most bytes of a preview.
const MOST_BYTES: usize = 65_536;

/// A JPEG of at most 96 px, without alpha and metadata; `None` when the picture is no larger itself.
pub(crate) fn jpeg(picture: &Picture) -> Result<Option<Vec<u8>>, Error> {
    let longer = f64::from(picture.width().max(picture.height()));
    if longer <= SIDE {
        return Ok(None);
    }
    let side = |length: u32| (f64::from(length) * SIDE / longer).round().max(1.0) as u32;
    let (width, height) = (side(picture.width()), side(picture.height()));
    let channels = picture.layout().channels();
    let samples = picture.to_f32();
    let raster = inr_image::Raster {
        width: picture.width() as usize,
        height: picture.height() as usize,
        channels,
        samples: &samples,
    };
    let small = resample::resize(
        raster,
        None,
        width as usize,
        height as usize,
        Filter::CatmullRom,
    )?;
    let colours = picture.layout().colour_channels();
    let opaque: Vec<f32> = small
        .chunks_exact(channels)
        .flat_map(|pixel| &pixel[..colours])
        .copied()
        .collect();
    let layout = if colours == 1 {
        Layout::Grey
    } else {
        Layout::Rgb
    };
    let small = Picture::from_f32(
        width,
        height,
        layout,
        Depth::U8,
        &opaque,
        Default::default(),
    )?;
    let bytes = write_picture(&small, FileFormat::Jpeg, Some(70))?.bytes;
    Ok((bytes.len() <= MOST_BYTES).then_some(bytes))
}
