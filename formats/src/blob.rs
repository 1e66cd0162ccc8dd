//! Payloads that are stored as they are or as one zstd frame, whichever is smaller.
//!
//! One byte says which (0 or 1), a `u32` LE gives the uncompressed length, the data follows.

use crate::chunk::{ChunkKind, RawChunk};
use crate::error::FormatError;
use crate::limits::within;
use std::borrow::Cow;

/// Bytes before the data.
pub(crate) const PREFIX: usize = 5;
const STORED: u8 = 0;
const ZSTD: u8 = 1;
/// Measured on weights of 5 to 50 kB: levels above 19 give the same size.
const LEVEL: i32 = 19;

/// The payload for `data`.
///
/// # Errors
/// [`FormatError::OverLimit`] when `data` does not fit a `u32` length, [`FormatError::Encode`] when zstd fails.
pub(crate) fn pack(chunk: ChunkKind, data: &[u8]) -> Result<Vec<u8>, FormatError> {
    let length = u32::try_from(data.len()).map_err(|_| FormatError::OverLimit {
        what: "bytes of a chunk",
        asked: data.len() as u64,
        limit: u64::from(u32::MAX),
    })?;
    let frame = zstd::bulk::compress(data, LEVEL).map_err(|error| FormatError::Encode {
        chunk,
        reason: error.to_string(),
    })?;
    let (coding, body) = if frame.len() < data.len() {
        (ZSTD, frame.as_slice())
    } else {
        (STORED, data)
    };
    let mut payload = Vec::with_capacity(PREFIX + body.len());
    payload.push(coding);
    payload.extend_from_slice(&length.to_le_bytes());
    payload.extend_from_slice(body);
    Ok(payload)
}

/// The data in the payload of `raw`, at most `limit` bytes; `what` names them in errors.
///
/// # Errors
/// [`FormatError::OverLimit`] before anything is decompressed, [`FormatError::BlobTooShort`],
/// [`FormatError::BlobSize`], [`FormatError::UnsupportedValue`] for an unknown coding, and [`FormatError::Zstd`].
pub(crate) fn unpack<'a>(
    raw: &RawChunk<'a>,
    what: &'static str,
    limit: u64,
) -> Result<Cow<'a, [u8]>, FormatError> {
    let (chunk, offset) = (raw.kind, raw.offset);
    let Some((&[coding, l0, l1, l2, l3], body)) = raw.payload.split_first_chunk::<PREFIX>() else {
        let length = raw.payload.len() as u64;
        return Err(FormatError::BlobTooShort {
            chunk,
            offset,
            length,
        });
    };
    let declared = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
    within(what, declared, limit)?;
    let data = match coding {
        STORED => Cow::Borrowed(body),
        ZSTD => Cow::Owned(decompress(raw, body, declared)?),
        _ => {
            return Err(FormatError::UnsupportedValue {
                field: "coding of a chunk",
                found: coding.to_string(),
                known: "0 (stored), 1 (zstd)",
            });
        }
    };
    if data.len() as u64 != declared {
        return Err(FormatError::BlobSize {
            chunk,
            offset,
            declared,
            found: data.len() as u64,
        });
    }
    Ok(data)
}

/// Decompresses exactly one frame of at most `declared` bytes; no window is allocated beside the output.
fn decompress(raw: &RawChunk<'_>, frame: &[u8], declared: u64) -> Result<Vec<u8>, FormatError> {
    let failed = |reason: &str| FormatError::Zstd {
        chunk: raw.kind,
        offset: raw.offset,
        reason: reason.to_owned(),
    };
    // A skippable frame would decompress to nothing, so the check on one frame also needs the magic number.
    if !frame.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(failed("no zstd frame"));
    }
    match zstd::zstd_safe::find_frame_compressed_size(frame) {
        Ok(length) if length == frame.len() => {}
        Ok(_) => return Err(failed("bytes follow the frame")),
        Err(code) => return Err(failed(zstd::zstd_safe::get_error_name(code))),
    }
    let capacity = usize::try_from(declared).map_err(|_| failed("too long for this machine"))?;
    zstd::bulk::decompress(frame, capacity).map_err(|error| failed(&error.to_string()))
}
