//! Reports the intact parts of a file that may be damaged.

use crate::chunk::{self, FILE_HEADER};
use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use crate::file::InrFile;
use crate::limits::{Limits, within};

/// A chunk as found in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkInfo {
    /// The type.
    pub kind: ChunkKind,
    /// Offset of the chunk from the start of the file in bytes.
    pub offset: u64,
    /// Declared length of the payload in bytes.
    pub length: u32,
    /// Whether the chunk is complete and its checksum matches.
    pub intact: bool,
}

/// Lists the chunks of a file, and whether [`InrFile::read`] accepts it.
///
/// The list includes chunks with a wrong checksum, and ends at the first chunk that extends beyond the end of the file.
/// It is empty when the first 12 bytes are not those of a version 1 file.
pub fn inspect(bytes: &[u8], limits: &Limits) -> (Vec<ChunkInfo>, Result<(), FormatError>) {
    (list(bytes, limits), InrFile::read(bytes, limits).map(drop))
}

fn list(bytes: &[u8], limits: &Limits) -> Vec<ChunkInfo> {
    let mut chunks = Vec::new();
    if within("bytes of the file", bytes.len() as u64, limits.file_bytes).is_err()
        || chunk::check_file_header(bytes).is_err()
    {
        return chunks;
    }
    let mut position = FILE_HEADER;
    loop {
        match chunk::chunk_at(bytes, position) {
            Ok(raw) => {
                position = raw.end();
                let intact = raw.verify().is_ok();
                chunks.push(ChunkInfo {
                    kind: raw.kind,
                    offset: raw.offset,
                    length: raw.length(),
                    intact,
                });
                if raw.kind == ChunkKind::END {
                    return chunks;
                }
            }
            Err(FormatError::Truncated {
                chunk, offset, end, ..
            }) => {
                // The end was computed from a `u32` length and 12 bytes of frame.
                let length = end.saturating_sub(offset).saturating_sub(12);
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                chunks.push(ChunkInfo {
                    kind: chunk,
                    offset,
                    length,
                    intact: false,
                });
                return chunks;
            }
            Err(_) => return chunks,
        }
    }
}
