//! Files that read well are rendered, under limits that keep each run short: no panic, no more memory than allowed.
#![no_main]

use inr::{InrPicture, Limits, OutputSize, RenderOptions};
use inr_fuzz::repaired;
use libfuzzer_sys::fuzz_target;

// The first two bytes are the size of the render, the rest is a file.
fuzz_target!(|input: &[u8]| {
    let [width, height, bytes @ ..] = input else {
        return;
    };
    let (width, height) = (*width, *height);
    let limits = Limits {
        pixels: 1 << 16,
        render_pixels: 1 << 12,
        file_bytes: 1 << 16,
        metadata_bytes: 1 << 16,
        decompressed_bytes: 1 << 16,
        multiply_adds: 1 << 26,
        ..Limits::default()
    };
    let Ok(picture) = InrPicture::open(&repaired(bytes), &limits) else {
        return;
    };
    let options = RenderOptions {
        size: OutputSize::Exact(u32::from(width), u32::from(height)),
        threads: Some(1),
        limits,
        ..RenderOptions::default()
    };
    if let Ok(rendered) = picture.render(&options) {
        assert_eq!(rendered.picture.width(), u32::from(width));
        assert_eq!(rendered.picture.height(), u32::from(height));
    }
});
