//! The outer layer of the container: signature, version, and the sequence of checksummed chunks.

use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;

/// The first eight bytes of every file. As in PNG, a high byte, a CR-LF pair, an end-of-file character and a lone LF
/// make the usual transfer accidents visible.
pub const SIGNATURE: [u8; 8] = [0x89, b'I', b'N', b'R', 0x0d, 0x0a, 0x1a, 0x0a];
/// The container version that this crate reads and writes.
pub const VERSION: u16 = 1;

/// Bytes before the first chunk: signature, version, flags.
pub(crate) const FILE_HEADER: usize = 12;
/// Bytes of type and length before each payload.
const CHUNK_HEADER: usize = 8;
/// Bytes of the checksum after each payload.
const CHECKSUM: usize = 4;

/// A chunk of a type unknown to this version, preserved unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The type: four ASCII letters, the first lower case.
    pub kind: [u8; 4],
    /// The payload, without type, length and checksum.
    pub payload: Vec<u8>,
}

/// A chunk as a slice of the file, before its checksum is verified.
pub(crate) struct RawChunk<'a> {
    pub kind: ChunkKind,
    pub offset: u64,
    pub payload: &'a [u8],
    pub stored: u32,
    pub computed: u32,
}

impl RawChunk<'_> {
    /// Offset of the next chunk.
    pub fn end(&self) -> usize {
        // The chunk was cut from a slice that reaches at least this far, so the sum does not overflow.
        self.offset as usize + CHUNK_HEADER + self.payload.len() + CHECKSUM
    }

    /// Length of the payload in bytes; fits because it was read as a `u32`.
    pub fn length(&self) -> u32 {
        self.payload.len() as u32
    }

    /// Verifies the checksum.
    ///
    /// # Errors
    /// [`FormatError::Checksum`].
    pub fn verify(&self) -> Result<(), FormatError> {
        if self.stored != self.computed {
            return Err(FormatError::Checksum {
                chunk: self.kind,
                offset: self.offset,
                stored: self.stored,
                computed: self.computed,
            });
        }
        Ok(())
    }
}

/// Checks signature, version and flags.
///
/// # Errors
/// Separate variants for too few bytes, a foreign signature, a damaged signature, another version, and set flags.
pub(crate) fn check_file_header(bytes: &[u8]) -> Result<(), FormatError> {
    let Some((signature, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(FormatError::TooShort {
            len: bytes.len() as u64,
        });
    };
    if *signature != SIGNATURE {
        return Err(signature_error(*signature));
    }
    let Some(&[version_low, version_high, flags_low, flags_high]) = rest.first_chunk::<4>() else {
        return Err(FormatError::TooShort {
            len: bytes.len() as u64,
        });
    };
    let version = u16::from_le_bytes([version_low, version_high]);
    if version != VERSION {
        return Err(FormatError::UnsupportedVersion { found: version });
    }
    let flags = u16::from_le_bytes([flags_low, flags_high]);
    if flags != 0 {
        return Err(FormatError::UnsupportedFlags { found: flags });
    }
    Ok(())
}

/// Distinguishes a damaged signature from a foreign one.
fn signature_error(found: [u8; 8]) -> FormatError {
    // Text mode keeps the letters and changes line ends; a conversion to UTF-8 encodes the first byte as two or three.
    let as_text = [
        b"\x89INR".as_slice(),
        b"\xc2\x89INR",
        b"\xef\xbf\xbdINR",
        b"\xe2\x80\xb0INR",
        b"?INR\r",
        b"?INR\n",
    ];
    if as_text.iter().any(|start| found.starts_with(start)) {
        return FormatError::TextMode { found };
    }
    if found.starts_with(b"\x09INR") {
        return FormatError::SevenBit { found };
    }
    FormatError::Signature { found }
}

/// Returns the chunk that starts at `offset`.
///
/// # Errors
/// [`FormatError::MissingEnd`], [`FormatError::ChunkType`] and [`FormatError::Truncated`].
pub(crate) fn chunk_at(bytes: &[u8], offset: usize) -> Result<RawChunk<'_>, FormatError> {
    let file = bytes.len() as u64;
    let position = offset as u64;
    let missing = FormatError::MissingEnd {
        offset: position,
        file,
    };
    let Some(body) = bytes.get(offset..) else {
        return Err(missing);
    };
    let Some((head, rest)) = body.split_first_chunk::<CHUNK_HEADER>() else {
        return Err(missing);
    };
    let [t0, t1, t2, t3, l0, l1, l2, l3] = *head;
    let kind = ChunkKind([t0, t1, t2, t3]);
    if !kind.0.iter().all(u8::is_ascii_alphabetic) {
        return Err(FormatError::ChunkType {
            offset: position,
            found: kind.0,
        });
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    let end = position + (CHUNK_HEADER + CHECKSUM) as u64 + u64::from(length);
    let truncated = FormatError::Truncated {
        chunk: kind,
        offset: position,
        end,
        file,
    };
    let Ok(length) = usize::try_from(length) else {
        return Err(truncated);
    };
    let Some((payload, rest)) = rest.split_at_checked(length) else {
        return Err(truncated);
    };
    let Some(&stored) = rest.first_chunk::<CHECKSUM>() else {
        return Err(truncated);
    };
    Ok(RawChunk {
        kind,
        offset: position,
        payload,
        stored: u32::from_le_bytes(stored),
        computed: checksum(head, payload),
    })
}

/// Returns the remainder of a chunk at `offset` that extends beyond the end of the file; its checksum is lost.
pub(crate) fn cut_chunk_at(bytes: &[u8], offset: usize) -> Option<RawChunk<'_>> {
    let (head, rest) = bytes.get(offset..)?.split_first_chunk::<CHUNK_HEADER>()?;
    let [t0, t1, t2, t3, l0, l1, l2, l3] = *head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    Some(RawChunk {
        kind: ChunkKind([t0, t1, t2, t3]),
        offset: offset as u64,
        payload: &rest[..rest.len().min(length)],
        stored: 0,
        computed: 0,
    })
}

/// Appends a chunk to `out`.
///
/// # Errors
/// [`FormatError::OverLimit`] when the payload does not fit the length field.
pub(crate) fn append(
    out: &mut Vec<u8>,
    kind: ChunkKind,
    payload: &[u8],
) -> Result<(), FormatError> {
    let length = u32::try_from(payload.len()).map_err(|_| FormatError::OverLimit {
        what: "bytes of a chunk",
        asked: payload.len() as u64,
        limit: u64::from(u32::MAX),
    })?;
    let mut head = [0; CHUNK_HEADER];
    head[..4].copy_from_slice(&kind.0);
    head[4..].copy_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&checksum(&head, payload).to_le_bytes());
    Ok(())
}

fn checksum(head: &[u8; CHUNK_HEADER], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}
