//! Opens and renders pictures with the linked plug-in.

use std::sync::LazyLock;

use inr_plugin_api::host::{LoadError, Options, Picture, Pixmap, Plugin};
use inr_plugin_api::{Failure, Format, INR_DERIVATIVE_NONE, Layout, Sample};

/// Maximum number of pixels of a file or render. Memory briefly holds two copies at 8 bits per sample.
const MAX_PIXELS: u64 = 1 << 28;

/// Opens the file in `bytes`.
pub(crate) fn open(bytes: &[u8]) -> Result<Picture, Failure> {
    static PLUGIN: LazyLock<Result<Plugin, LoadError>> =
        LazyLock::new(|| Plugin::from_export(inr_plugin::inr_get_api, "libinr_plugin".into()));
    let plugin = PLUGIN.as_ref()?;
    let mut session = plugin.open(&Options {
        max_pixels: MAX_PIXELS,
        ..Options::default()
    })?;
    session.codec()?.open(bytes)
}

/// Renders the whole `picture` at `size` with 8 bits per sample.
pub(crate) fn render(
    picture: &mut Picture,
    layout: Layout,
    size: [u32; 2],
) -> Result<Pixmap, Failure> {
    let format = Format::plain(Sample::U8, layout);
    let mut pixels = Pixmap::within(MAX_PIXELS, size, format)?;
    picture.render(None, INR_DERIVATIVE_NONE, 0.0, &mut pixels, None)?;
    Ok(pixels)
}

/// Copies a row of `layout` to RGB or RGBA, with grey in three equal channels.
pub(crate) fn copy_row(from: &[u8], layout: Layout, to: &mut [u8]) {
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
