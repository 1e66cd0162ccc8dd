//! Cut and flipped files: no panic, no silent change.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use inr_formats::*;

fn read(bytes: &[u8]) -> Result<InrFile, FormatError> {
    InrFile::read(bytes, &Limits::default())
}

#[test]
fn every_truncation_is_refused() {
    let bytes = small_file().write().unwrap();
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        let wanted = matches!(
            error,
            FormatError::TooShort { .. }
                | FormatError::MissingEnd { .. }
                | FormatError::Truncated { .. }
        );
        assert!(wanted, "cut to {length} bytes: {error}");
        inspect(&bytes[..length], &Limits::default()).1.unwrap_err();
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = small_file().write().unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit} of byte {}", bit / 8);
        inspect(&flipped, &Limits::default()).1.unwrap_err();
    }
}

#[test]
fn every_flipped_bit_behind_a_right_checksum_is_read_or_refused() {
    // Past the checksums, so that the readers of the payloads see the damage.
    for (kind, payload) in [(b"HEAD", pack(&head())), (b"NETW", pack(&weights()))] {
        for bit in 0..payload.len() * 8 {
            let mut flipped = payload.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut chunks = vec![chunk(kind, &flipped), chunk(b"IEND", &[])];
            match kind {
                b"HEAD" => chunks.insert(1, chunk(b"NETW", &pack(&weights()))),
                _ => chunks.insert(0, chunk(b"HEAD", &pack(&head()))),
            }
            if let Ok(file) = read(&container(&chunks)) {
                assert_eq!(read(&file.write().unwrap()).unwrap(), file);
            }
        }
    }
}

#[test]
fn a_truncated_file_names_the_chunk_and_both_lengths() {
    let bytes = file_with(&head(), &weights(), &[]);
    let chunks = inspect(&bytes, &Limits::default()).0;
    let weights = chunks
        .iter()
        .find(|chunk| chunk.kind == ChunkKind(*b"NETW"))
        .unwrap();
    let cut = weights.offset as usize + 30;
    let wanted = format!(
        "chunk NETW at byte {} ends at byte {}, the file has {cut}",
        weights.offset,
        weights.offset + 12 + u64::from(weights.length)
    );
    assert_eq!(read(&bytes[..cut]).unwrap_err().to_string(), wanted);
}

#[test]
fn inspecting_a_damaged_file_tells_intact_chunks_from_others() {
    let mut bytes = small_file().write().unwrap();
    let whole = inspect(&bytes, &Limits::default()).0;
    let weights = whole
        .iter()
        .position(|chunk| chunk.kind == ChunkKind(*b"NETW"))
        .unwrap();
    bytes[whole[weights].offset as usize + 9] ^= 1;
    let (damaged, result) = inspect(&bytes, &Limits::default());
    assert!(
        matches!(result, Err(FormatError::Checksum { .. })),
        "{result:?}"
    );
    assert_eq!(damaged.len(), whole.len());
    for (index, chunk) in damaged.iter().enumerate() {
        assert_eq!(chunk.intact, index != weights, "{chunk:?}");
    }

    let cut = whole[weights].offset as usize + 20;
    let (left, _) = inspect(&bytes[..cut], &Limits::default());
    assert_eq!(left.len(), weights + 1);
    assert_eq!(
        (left[weights].intact, left[weights].length),
        (false, whole[weights].length)
    );
}
