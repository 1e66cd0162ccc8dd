//! Bytes to the reader, and what it gives back.

use arbitrary::{Arbitrary, Unstructured};
use inr_formats::latents::Tile;
use inr_formats::{FormatError, InrFile, Latents, Limits, SIGNATURE, VERSION, inspect as listed};

use super::repaired;

fn wide() -> Limits {
    Limits {
        decompressed_bytes: 1 << 22,
        metadata_bytes: 1 << 20,
        ..Limits::default()
    }
}

/// Any bytes are read or refused; what is read can be written and read again.
pub fn read_file(bytes: &[u8]) {
    let limits = wide();
    if let Ok(file) = InrFile::read(bytes, &limits) {
        let written = file.write().expect("what was read can be written");
        let again = InrFile::read(&written, &limits).expect("what was written can be read");
        assert_eq!(again, file);
    }
}

/// The listing of any bytes stays inside the file, and calls every chunk of an accepted file intact.
pub fn inspect(bytes: &[u8]) {
    let limits = wide();
    let (chunks, result) = listed(bytes, &limits);
    assert_eq!(result.is_ok(), InrFile::read(bytes, &limits).is_ok());
    for chunk in &chunks {
        assert!(chunk.offset + 8 <= bytes.len() as u64);
        assert!(chunk.intact || result.is_err());
    }
}

/// `HEAD`, model, choice of chunks, ancillary chunk.
type Parts = (Vec<u8>, Vec<u8>, u8, Vec<u8>);

const ANCILLARY: [&[u8; 4]; 7] = [
    b"iccp", b"exif", b"xmpk", b"prov", b"prev", b"opac", b"test",
];

/// Payloads behind right checksums, which plain mutation seldom gets past: the input is cut into a `HEAD`, a `NETW` or
/// `GRID`, and one ancillary chunk.
pub fn write_read(input: &[u8]) {
    let parts = Parts::arbitrary_take_rest(Unstructured::new(input));
    let Ok((head, model, choice, ancillary)) = parts else {
        return;
    };
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
    let limits = wide();
    if let Ok(file) = InrFile::read(&bytes, &limits) {
        let written = file.write().expect("what was read can be written");
        assert_eq!(InrFile::read(&written, &limits).as_ref(), Ok(&file));
        assert_eq!(InrFile::read_partial(&bytes, &limits), Ok(file));
    } else {
        // Cut within `IEND`, so that only what comes before it counts.
        let _ = InrFile::read_partial(&bytes[..bytes.len() - 1], &limits);
    }
}

fn append(bytes: &mut Vec<u8>, kind: &[u8; 4], payload: &[u8]) {
    let start = bytes.len();
    bytes.extend(kind);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(payload);
    let checksum = crc32fast::hash(&bytes[start..]);
    bytes.extend(checksum.to_le_bytes());
}

/// The coefficients of a pyramid file and the weights of a network, whole and cut off: decoded, the same each time, or
/// refused. The input is a file whose checksums are put right first, so that mutations of a real one get as far as what
/// is coded.
pub fn latents(bytes: &[u8]) {
    let bytes = repaired(bytes);
    let limits = Limits {
        pixels: 1 << 16,
        file_bytes: 1 << 16,
        metadata_bytes: 1 << 16,
        decompressed_bytes: 1 << 16,
        ..Limits::default()
    };
    let whole = InrFile::read(&bytes, &limits);
    if let Ok(file) = &whole {
        assert_eq!(InrFile::read_partial(&bytes, &limits).as_ref(), Ok(file));
        check(file, &limits);
    }
    // What is left without the last chunk's end, and without the last third.
    for length in [bytes.len().saturating_sub(1), bytes.len() / 3 * 2] {
        if let Ok(file) = InrFile::read_partial(&bytes[..length], &limits) {
            check(&file, &limits);
        }
    }
}

fn check(file: &InrFile, limits: &Limits) {
    let written = file.write().expect("what was read can be written");
    let again = InrFile::read(&written, limits);
    // A file that was cut may be longer than the limit when it is whole again; other limits it has passed.
    assert!(matches!(&again, Err(FormatError::OverLimit { .. })) || again.as_ref() == Ok(file));
    if let Some(latents) = &file.latents {
        let found = decode(latents);
        assert!(matches!(found, Ok(()) | Err(FormatError::Segment { .. })));
    }
}

/// Decodes the coarsest band and every tile.
fn decode(latents: &Latents) -> Result<(), FormatError> {
    let partition = &latents.partition;
    latents.decode_low()?;
    let mut parents: Vec<Tile> = Vec::new();
    for level in (1..=partition.levels).rev() {
        let (columns, rows) = partition.tiles(level);
        let coarser = match level {
            level if level < partition.levels => partition.tiles(level + 1).0,
            _ => 0,
        };
        parents = (0..columns * rows)
            .map(|index| {
                let (x, y) = (index % columns, index / columns);
                latents.decode_tile(level, (x, y), parents.get(y / 2 * coarser + x / 2))
            })
            .collect::<Result<_, _>>()?;
    }
    Ok(())
}
