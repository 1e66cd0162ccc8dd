//! The coefficients of a pyramid file and the weights of a network, whole and cut off: decoded, the same each time, or
//! refused. The input is a file whose checksums are put right first, so that mutations of a real one get as far as what
//! is coded.
#![no_main]

use inr_formats::latents::Tile;
use inr_formats::{FormatError, InrFile, Latents, Limits};
use inr_fuzz::repaired;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
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
});

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
