//! Payloads, and one column of the weights, stored either raw or as one zstd frame, whichever is smaller.
//!
//! A coding byte (0 raw, 1 zstd) is followed by the uncompressed length as a `u32` LE, then the data.

use crate::chunk::RawChunk;
use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use crate::limits::within;
use std::borrow::Cow;

/// Bytes before the data.
const PREFIX: usize = 5;
const STORED: u8 = 0;
const ZSTD: u8 = 1;
/// First four bytes of a zstd frame.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Compression level. Measured on weights of 1 to 75 kB: level 22 gives the same sizes.
const LEVEL: i32 = 19;

/// Packs `data` into a payload.
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

/// A parsed payload whose data is not yet decompressed.
pub(crate) struct Blob<'a> {
    chunk: ChunkKind,
    offset: u64,
    coding: u8,
    /// Declared length of the uncompressed data in bytes. Check it before [`Blob::open`].
    pub declared: u64,
    body: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Reads the prefix of `payload`; `offset` is the start of its chunk in the file.
    ///
    /// # Errors
    /// [`FormatError::BlobTooShort`], and [`FormatError::UnsupportedValue`] for an unknown coding.
    pub fn parse(chunk: ChunkKind, offset: u64, payload: &'a [u8]) -> Result<Self, FormatError> {
        let Some((&[coding, l0, l1, l2, l3], body)) = payload.split_first_chunk::<PREFIX>() else {
            let length = payload.len() as u64;
            return Err(FormatError::BlobTooShort {
                chunk,
                offset,
                length,
            });
        };
        if coding > ZSTD {
            return Err(FormatError::UnsupportedValue {
                field: "coding of a chunk",
                found: coding.to_string(),
                known: "0 (stored), 1 (zstd)".into(),
            });
        }
        let declared = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        Ok(Self {
            chunk,
            offset,
            coding,
            declared,
            body,
        })
    }

    /// Returns the data, which has the declared length.
    ///
    /// # Errors
    /// [`FormatError::BlobSize`] and [`FormatError::Zstd`].
    pub fn open(self) -> Result<Cow<'a, [u8]>, FormatError> {
        let data = match self.coding {
            STORED => Cow::Borrowed(self.body),
            _ => Cow::Owned(self.decompress()?),
        };
        let found = data.len() as u64;
        if found != self.declared {
            let Self {
                chunk,
                offset,
                declared,
                ..
            } = self;
            return Err(FormatError::BlobSize {
                chunk,
                offset,
                declared,
                found,
            });
        }
        Ok(data)
    }

    /// Decompresses exactly one frame of at most the declared length; no window is allocated beside the output.
    fn decompress(&self) -> Result<Vec<u8>, FormatError> {
        let failed = |reason: &str| FormatError::Zstd {
            chunk: self.chunk,
            offset: self.offset,
            reason: reason.to_owned(),
        };
        // A skippable frame also has a length, so checking that there is one frame also needs the magic number.
        if !self.body.starts_with(&MAGIC) {
            return Err(failed("no zstd frame"));
        }
        match zstd::zstd_safe::find_frame_compressed_size(self.body) {
            Ok(length) if length == self.body.len() => {}
            Ok(_) => return Err(failed("bytes follow the frame")),
            Err(code) => return Err(failed(zstd::zstd_safe::get_error_name(code))),
        }
        let capacity =
            usize::try_from(self.declared).map_err(|_| failed("too long for this machine"))?;
        zstd::bulk::decompress(self.body, capacity).map_err(|error| failed(&error.to_string()))
    }
}

/// Unpacks the payload of `raw`, at most `limit` bytes; errors name the data as `what`.
///
/// # Errors
/// Same as [`Blob::parse`] and [`Blob::open`], and [`FormatError::OverLimit`] before anything is decompressed.
pub(crate) fn unpack<'a>(
    raw: &RawChunk<'a>,
    what: &'static str,
    limit: u64,
) -> Result<Cow<'a, [u8]>, FormatError> {
    let blob = Blob::parse(raw.kind, raw.offset, raw.payload)?;
    within(what, blob.declared, limit)?;
    blob.open()
}
