//! Payloads behind right checksums, which plain mutation seldom gets past: the input is cut into a `HEAD`, a `NETW` or
//! `GRID`, and one ancillary chunk.
#![no_main]

use inr_formats::{InrFile, Limits, SIGNATURE, VERSION};
use libfuzzer_sys::fuzz_target;

const ANCILLARY: [&[u8; 4]; 7] = [
    b"iccp", b"exif", b"xmpk", b"prov", b"prev", b"enlg", b"test",
];

fuzz_target!(|input: (Vec<u8>, Vec<u8>, u8, Vec<u8>)| {
    let (head, model, choice, ancillary) = input;
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 2]);
    append(&mut bytes, b"HEAD", &head);
    let data = if choice < 128 { b"NETW" } else { b"GRID" };
    append(&mut bytes, data, &model);
    append(
        &mut bytes,
        ANCILLARY[usize::from(choice) % ANCILLARY.len()],
        &ancillary,
    );
    append(&mut bytes, b"IEND", &[]);
    let limits = Limits {
        decompressed_bytes: 1 << 22,
        metadata_bytes: 1 << 20,
        ..Limits::default()
    };
    if let Ok(file) = InrFile::read(&bytes, &limits) {
        let written = file.write().expect("what was read can be written");
        assert_eq!(InrFile::read(&written, &limits).as_ref(), Ok(&file));
        assert_eq!(InrFile::read_partial(&bytes, &limits), Ok(file));
    } else {
        // Cut within `IEND`, so that only what comes before it counts.
        let _ = InrFile::read_partial(&bytes[..bytes.len() - 1], &limits);
    }
});

fn append(bytes: &mut Vec<u8>, kind: &[u8; 4], payload: &[u8]) {
    let start = bytes.len();
    bytes.extend(kind);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(payload);
    let checksum = crc32fast::hash(&bytes[start..]);
    bytes.extend(checksum.to_le_bytes());
}
