//! Pictures of every format, with their metadata: read or refused within the limits, and written again as PNG.
#![no_main]

use inr::{FileFormat, Limits, PictureError, read_picture, write_picture};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
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
});
