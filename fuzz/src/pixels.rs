//! Pixels: fields rendered, pictures of other formats read.

use inr::{
    FileFormat, InrPicture, Limits, OutputSize, PictureError, RenderOptions, read_picture,
    write_picture,
};

use super::repaired;

/// Files that read well are rendered, under limits that keep each run short: no panic, no more memory than allowed. The
/// first two bytes are the size of the render, the rest is a file.
pub fn render_small(input: &[u8]) {
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
}

/// Pictures of every format, with their metadata: read or refused within the limits, and written again as PNG.
pub fn pictures(bytes: &[u8]) {
    let limits = Limits {
        pixels: 1 << 16,
        file_bytes: 1 << 18,
        metadata_bytes: 1 << 16,
        decompressed_bytes: 1 << 20,
        ..Limits::default()
    };
    let Ok(picture) = read_picture(bytes, &limits) else {
        return;
    };
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    assert!(pixels <= limits.pixels);
    match write_picture(&picture, FileFormat::Png, None) {
        Ok(written) => {
            let again = read_picture(&written.bytes, &Limits::default());
            let again = again.expect("what was written can be read");
            assert_eq!(
                (again.width(), again.height()),
                (picture.width(), picture.height())
            );
        }
        Err(PictureError::CannotHold { .. }) => {}
        Err(other) => panic!("{other}"),
    }
}
