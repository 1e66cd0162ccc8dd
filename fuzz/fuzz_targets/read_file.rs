//! Any bytes are read or refused; what is read can be written and read again.
#![no_main]

use inr_formats::{InrFile, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        decompressed_bytes: 1 << 22,
        metadata_bytes: 1 << 20,
        ..Limits::default()
    };
    if let Ok(file) = InrFile::read(bytes, &limits) {
        let written = file.write().expect("what was read can be written");
        let again = InrFile::read(&written, &limits).expect("what was written can be read");
        assert_eq!(again, file);
    }
});
