//! Pictures as plug-ins take and give them.

use anyhow::Result;
use inr::{Depth, Metadata, Picture, Samples};
use inr_plugin_api::host::Pixmap;
use inr_plugin_api::{Format, Layout, Sample};

/// The ABI's name for a depth.
pub fn sample(depth: Depth) -> Sample {
    match depth {
        Depth::U8 => Sample::U8,
        Depth::U16 => Sample::U16,
        Depth::F32 => Sample::F32,
    }
}

/// The library's name for the samples of `pixels`, one of the ABI's that it has.
pub fn depth(pixels: &Pixmap) -> Depth {
    match pixels.format.sample {
        Sample::U8 => Depth::U8,
        Sample::U16 => Depth::U16,
        Sample::F16 | Sample::F32 => Depth::F32,
    }
}

/// The library's name for a layout.
pub fn layout(layout: Layout) -> inr::Layout {
    match layout {
        Layout::Grey => inr::Layout::Grey,
        Layout::GreyAlpha => inr::Layout::GreyAlpha,
        Layout::Rgb => inr::Layout::Rgb,
        Layout::Rgba => inr::Layout::Rgba,
    }
}

/// The pixels and the profile of `picture`.
pub fn of(picture: &Picture) -> Pixmap {
    let layout = match picture.layout() {
        inr::Layout::Grey => Layout::Grey,
        inr::Layout::GreyAlpha => Layout::GreyAlpha,
        inr::Layout::Rgb => Layout::Rgb,
        inr::Layout::Rgba => Layout::Rgba,
    };
    let data = match picture.samples() {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(samples) => samples.iter().flat_map(|v| v.to_ne_bytes()).collect(),
        Samples::F32(samples) => samples.iter().flat_map(|v| v.to_ne_bytes()).collect(),
    };
    Pixmap {
        size: [picture.width(), picture.height()],
        format: Format::plain(sample(picture.depth()), layout),
        data,
        icc: picture.metadata().icc.clone(),
    }
}

/// The picture that `pixels` are, in the format that [`of`] gives.
pub fn picture(pixels: Pixmap, metadata: Metadata) -> Result<Picture> {
    let samples = match depth(&pixels) {
        Depth::U8 => Samples::U8(pixels.data),
        Depth::U16 => {
            let pairs = pixels.data.chunks_exact(2);
            Samples::U16(pairs.map(|b| u16::from_ne_bytes([b[0], b[1]])).collect())
        }
        Depth::F32 => {
            let fours = pixels.data.chunks_exact(4);
            let float = |b: &[u8]| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]);
            Samples::F32(fours.map(float).collect())
        }
    };
    let [width, height] = pixels.size;
    let layout = layout(pixels.format.layout);
    let made = Picture::new(width, height, layout, samples, metadata);
    Ok(made?)
}
