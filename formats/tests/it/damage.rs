//! Cut and flipped files: no panic, no silent change.

use crate::common::grids::*;
use crate::common::*;
use inr_formats::*;

fn read(bytes: &[u8]) -> Result<InrFile, FormatError> {
    InrFile::read(bytes, &Limits::default())
}

#[test]
fn every_truncation_is_refused() {
    each_truncation_is_refused(&small_file().write().unwrap());
    each_truncation_is_refused(&small_pyramid().write().unwrap());
}

fn each_truncation_is_refused(bytes: &[u8]) {
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
    each_flipped_bit_is_refused(&small_file().write().unwrap());
    each_flipped_bit_is_refused(&pyramid(small_grey()).write().unwrap());
}

fn each_flipped_bit_is_refused(bytes: &[u8]) {
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
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
fn every_flipped_bit_of_latents_is_decoded_or_refused() {
    let whole = small_grey();
    let payload = payload_of(b"GRID", &pyramid(whole.clone()).write().unwrap());
    let wanted = decode(&whole);
    let mut different = 0;
    for bit in 0..payload.len() * 8 {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let head = Head {
            width: whole.partition.width,
            height: whole.partition.height,
            ..pyramid_head()
        };
        let Ok(file) = read(&pyramid_with(&head, &flipped)) else {
            continue;
        };
        assert_eq!(read(&file.write().unwrap()).unwrap(), file);
        let found = decode(file.latents.as_ref().unwrap());
        assert!(matches!(found, Ok(_) | Err(FormatError::Segment { .. })));
        different += u32::from(found != wanted);
    }
    assert!(different > 500, "{different}");
}

#[test]
fn a_cut_pyramid_gives_every_whole_segment_or_a_clear_error() {
    let bytes = small_pyramid().write().unwrap();
    let whole = read(&bytes).unwrap();
    let latents = whole.latents.as_ref().unwrap();
    let lengths: Vec<_> = latents.segments.iter().map(Vec::len).collect();
    let grid = inspect(&bytes, &Limits::default()).0;
    let grid = grid.iter().find(|chunk| chunk.kind == ChunkKind(*b"GRID"));
    let (start, end) = grid
        .map(|grid| {
            (
                grid.offset as usize,
                grid.offset as usize + 8 + grid.length as usize,
            )
        })
        .unwrap();
    let first_segment = end - lengths.iter().sum::<usize>();
    for length in 0..bytes.len() {
        let found = InrFile::read_partial(&bytes[..length], &Limits::default());
        if length < first_segment {
            let error = found.unwrap_err();
            let wanted = match error {
                FormatError::TooShort { .. } | FormatError::MissingEnd { .. } => length < 24,
                FormatError::Truncated { chunk, .. } => chunk == ChunkKind(*b"HEAD"),
                FormatError::MissingChunk { .. } => length < start + 8,
                FormatError::GridTooShort { .. } => length >= start + 8,
                _ => false,
            };
            assert!(wanted, "cut to {length} bytes: {error}");
            continue;
        }
        let file = found.unwrap_or_else(|error| panic!("cut to {length} bytes: {error}"));
        assert_eq!(file.preview, whole.preview);
        let found = file.latents.as_ref().unwrap();
        let mut position = first_segment;
        let mut cut = false;
        for (found, whole) in found.segments.iter().zip(&latents.segments) {
            position += whole.len();
            cut |= position > length;
            assert!(
                found == if cut { &[][..] } else { whole },
                "cut to {length} bytes"
            );
        }
        assert_eq!(found.segments.len(), lengths.len());
        decode(found).unwrap();
        // What is left is a file of its own.
        assert_eq!(read(&file.write().unwrap()).unwrap(), file);
    }
    assert_eq!(
        InrFile::read_partial(&bytes, &Limits::default()).unwrap(),
        whole
    );
}

#[test]
fn a_cut_network_is_whole_or_refused() {
    let bytes = small_file().write().unwrap();
    let whole = read(&bytes).unwrap();
    for length in 0..bytes.len() {
        match InrFile::read_partial(&bytes[..length], &Limits::default()) {
            Ok(file) => assert_eq!(file.layers, whole.layers),
            Err(error) => assert_eq!(error.family(), Family::Malformed, "{error}"),
        }
    }
    assert_eq!(
        InrFile::read_partial(&bytes, &Limits::default()).unwrap(),
        whole
    );
}

#[test]
fn a_cut_file_is_read_in_part_despite_any_flipped_bit_of_its_latents_or_refused() {
    let bytes = pyramid(small_grey()).write().unwrap();
    let cut = bytes.len() - 16 - 100;
    for bit in (0..cut * 8).step_by(3) {
        let mut flipped = bytes[..cut].to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(file) = InrFile::read_partial(&flipped, &Limits::default()) {
            let _ = decode(file.latents.as_ref().unwrap());
        }
    }
}

/// Grey latents of three tiles in two levels.
fn small_grey() -> Latents {
    let mut sequence = Sequence(3);
    code(partition((47, 19), 1, 2, 16), |_| sequence.coefficient()).latents
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
