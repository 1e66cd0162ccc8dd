//! The listing of any bytes stays inside the file, and calls every chunk of an accepted file intact.
#![no_main]

use inr_formats::{InrFile, Limits, inspect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        decompressed_bytes: 1 << 22,
        metadata_bytes: 1 << 20,
        ..Limits::default()
    };
    let (chunks, result) = inspect(bytes, &limits);
    assert_eq!(result.is_ok(), InrFile::read(bytes, &limits).is_ok());
    for chunk in &chunks {
        assert!(chunk.offset + 8 <= bytes.len() as u64);
        assert!(chunk.intact || result.is_err());
    }
});
