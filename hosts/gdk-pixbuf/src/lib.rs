//! A gdk-pixbuf loader of `.inr` files, for the thumbnails and viewers of GNOME, Xfce and MATE.
//!
//! gdk-pixbuf asks for a picture's size before it takes its pixels; a field is rendered at that size rather than scaled to
//! it. Decoding is `libinr_plugin`'s, linked in and called by its ABI; here is what gdk-pixbuf wants of loaders.

#![cfg(target_os = "linux")]

mod module;
mod sys;

use std::sync::OnceLock;

use inr_plugin_api::host::{Options, Picture, Pixmap, Plugin};
use inr_plugin_api::{Failure, Format, INR_DERIVATIVE_NONE, Layout, Sample, Status};

pub use module::{fill_info, fill_vtable};

/// Pixels of a file and of a render at most; a host has them twice for a moment, 8 bits per sample.
const MAX_PIXELS: u64 = 1 << 28;

/// Opens the file in `bytes`.
fn open(bytes: &[u8]) -> Result<Picture, Failure> {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let plugin = match PLUGIN.get() {
        Some(plugin) => plugin,
        None => {
            let linked = Plugin::from_export(inr_plugin::inr_get_api, "libinr_plugin".into());
            let linked = linked.map_err(|e| Failure::new(Status::Internal, e.to_string()))?;
            PLUGIN.get_or_init(|| linked)
        }
    };
    let mut session = plugin.open(&Options {
        max_pixels: MAX_PIXELS,
        ..Options::default()
    })?;
    let codec = session.codec();
    let mut codec = codec.ok_or_else(|| Failure::unsupported("the plug-in has no codec"))?;
    codec.open(bytes)
}

/// All of `picture` at `size`, 8 bits per sample.
fn render(picture: &mut Picture, layout: Layout, size: [u32; 2]) -> Result<Pixmap, Failure> {
    let [width, height] = size;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let message = format!("{width} x {height} pixels, the limit is {MAX_PIXELS} in all");
        return Err(Failure::new(Status::TooLarge, message));
    }
    let bytes = width as usize * height as usize * layout.channels();
    let mut data = Vec::new();
    let reserved = data.try_reserve_exact(bytes);
    reserved.map_err(|e| Failure::new(Status::OutOfMemory, e.to_string()))?;
    data.resize(bytes, 0);
    let mut pixels = Pixmap {
        size,
        format: Format::plain(Sample::U8, layout),
        data,
        icc: None,
    };
    picture.render(None, INR_DERIVATIVE_NONE, 0.0, &mut pixels, None)?;
    Ok(pixels)
}

/// Copies a row of `layout` to one that is grey in three equal channels or colour, with alpha if the layout has it.
fn copy_row(from: &[u8], layout: Layout, to: &mut [u8]) {
    match layout {
        Layout::Rgb | Layout::Rgba => to.copy_from_slice(from),
        Layout::Grey => {
            for (grey, to) in from.iter().zip(to.chunks_exact_mut(3)) {
                to.fill(*grey);
            }
        }
        Layout::GreyAlpha => {
            for (from, to) in from.chunks_exact(2).zip(to.chunks_exact_mut(4)) {
                to[..3].fill(from[0]);
                to[3] = from[1];
            }
        }
    }
}
