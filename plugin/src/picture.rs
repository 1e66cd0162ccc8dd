//! Conversion between hosts' pixels and the library's pictures.

use inr::Raster;
use inr::edit::Part;
use inr::{Depth, Metadata, Picture, Samples};
use inr_plugin_api::guest::Image;
use inr_plugin_api::{Failure, Format, Layout, Pixels, PixelsMut, Sample};

use crate::failure::failure;

/// Converts a layout of the ABI to the library's.
pub(crate) fn layout(layout: Layout) -> inr::Layout {
    match layout {
        Layout::Grey => inr::Layout::Grey,
        Layout::GreyAlpha => inr::Layout::GreyAlpha,
        Layout::Rgb => inr::Layout::Rgb,
        Layout::Rgba => inr::Layout::Rgba,
    }
}

/// Converts a layout of the library to the ABI's.
pub(crate) fn host_layout(layout: inr::Layout) -> Layout {
    match layout {
        inr::Layout::Grey => Layout::Grey,
        inr::Layout::GreyAlpha => Layout::GreyAlpha,
        inr::Layout::Rgb => Layout::Rgb,
        inr::Layout::Rgba => Layout::Rgba,
    }
}

/// Float samples of a picture or of an available part.
pub(crate) struct Floats {
    samples: Vec<f32>,
    size: [usize; 2],
    channels: usize,
    origin: [usize; 2],
    picture: [usize; 2],
}

impl Floats {
    pub(crate) fn new(image: &Image) -> Self {
        let side = |sides: [u32; 2]| sides.map(|side| side as usize);
        Self {
            samples: image.pixels.to_f32(),
            size: side(image.pixels.size()),
            channels: image.pixels.format().layout.channels(),
            origin: side(image.origin),
            picture: side(image.picture),
        }
    }

    pub(crate) fn raster(&self) -> Raster<'_> {
        Raster {
            width: self.size[0],
            height: self.size[1],
            channels: self.channels,
            samples: &self.samples,
        }
    }

    pub(crate) fn part(&self) -> Part<'_> {
        Part {
            raster: self.raster(),
            origin: self.origin,
            picture: self.picture,
        }
    }
}

/// Writes the rows of `window` (left, top, width, height) of interleaved `samples`, `width` pixels wide.
pub(crate) fn write(output: &mut PixelsMut, samples: &[f32], width: usize, window: [u32; 4]) {
    let channels = output.format().layout.channels();
    let [left, top, columns, rows] = window.map(|side| side as usize);
    for y in 0..rows {
        let start = ((top + y) * width + left) * channels;
        output.write_row(y as u32, &samples[start..start + columns * channels]);
    }
}

/// Converts `pixels` to a picture in the library's samples: integers stay integers, floats stay floats.
///
/// # Errors
/// The library's errors.
pub(crate) fn picture(pixels: &Pixels, metadata: Metadata) -> Result<Picture, Failure> {
    let format = pixels.format();
    let [width, height] = pixels.size();
    let rows = || (0..height).flat_map(|y| pixels.row(y));
    let samples = match format.sample {
        Sample::U8 if format == Format::plain(Sample::U8, format.layout) => {
            Samples::U8(rows().copied().collect())
        }
        Sample::U16 if format == Format::plain(Sample::U16, format.layout) => {
            let row = |y| pixels.row(y).chunks_exact(2);
            let pairs = (0..height).flat_map(row);
            Samples::U16(
                pairs
                    .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]))
                    .collect(),
            )
        }
        _ => {
            let floats = pixels.to_f32();
            // Linear or premultiplied integers need more than 8 bits after encoding.
            let depth = match format.sample {
                Sample::U8 | Sample::U16 => Depth::U16,
                Sample::F16 | Sample::F32 => Depth::F32,
            };
            let made = Picture::from_f32(
                width,
                height,
                layout(format.layout),
                depth,
                &floats,
                metadata,
            );
            return made.map_err(|error| failure(&error.into()));
        }
    };
    let made = Picture::new(width, height, layout(format.layout), samples, metadata);
    made.map_err(|error| failure(&error.into()))
}

/// Chooses the depth to render for an output: its own when the library supports the format, else floats to convert.
pub(crate) fn depth(format: Format) -> Depth {
    let plain = format == Format::plain(format.sample, format.layout);
    match format.sample {
        Sample::U8 if plain => Depth::U8,
        Sample::U16 if plain => Depth::U16,
        _ => Depth::F32,
    }
}

/// Writes rows starting at row `first`; returns the index of the next row.
pub(crate) fn write_rows(output: &mut PixelsMut, samples: &Samples, first: u32) -> u32 {
    let row = output.size()[0] as usize * output.format().layout.channels();
    let rows = (samples.len() / row) as u32;
    let format = output.format();
    let plain = format == Format::plain(format.sample, format.layout);
    for y in 0..rows {
        let range = y as usize * row..(y as usize + 1) * row;
        match samples {
            Samples::U8(samples) if plain && format.sample == Sample::U8 => {
                output.row(first + y).copy_from_slice(&samples[range]);
            }
            Samples::U16(samples) if plain && format.sample == Sample::U16 => {
                let to = output.row(first + y).chunks_exact_mut(2);
                for (to, sample) in to.zip(&samples[range]) {
                    to.copy_from_slice(&sample.to_ne_bytes());
                }
            }
            Samples::F32(samples) => output.write_row(first + y, &samples[range]),
            other => {
                let floats: Vec<f32> = match other {
                    Samples::U8(samples) => samples[range]
                        .iter()
                        .map(|v| f32::from(*v) / 255.0)
                        .collect(),
                    Samples::U16(samples) => samples[range]
                        .iter()
                        .map(|v| f32::from(*v) / 65_535.0)
                        .collect(),
                    Samples::F32(samples) => samples[range].to_vec(),
                };
                output.write_row(first + y, &floats);
            }
        }
    }
    first + rows
}
