//! The one public error type of the crate.

use crate::chunk_kind::ChunkKind;

/// Why bytes are not a usable `.inr` file, or why a value cannot be written as one.
///
/// [`FormatError::family`] groups the variants by what a caller can do about them. Offsets count bytes from the start
/// of the file; the offset of a chunk is that of its type field.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    // Malformed: the signature and the file header.
    /// The file is shorter than the 12 bytes of the file header.
    #[error("the file has {len} bytes, at least 12 are needed")]
    TooShort {
        /// Length of the file in bytes.
        len: u64,
    },
    /// The first eight bytes are not the signature.
    #[error("not an .inr file: it starts with {found:02x?}")]
    Signature {
        /// The first eight bytes.
        found: [u8; 8],
    },
    /// The signature shows that the file was copied in text mode: line ends or high bytes were rewritten.
    #[error("the file was copied in text mode, which changes bytes: it starts with {found:02x?}")]
    TextMode {
        /// The first eight bytes.
        found: [u8; 8],
    },
    /// The signature shows that the high bit of every byte was cleared on the way.
    #[error("the file went through a channel of seven bits: it starts with {found:02x?}")]
    SevenBit {
        /// The first eight bytes.
        found: [u8; 8],
    },

    // Malformed: the sequence of chunks.
    /// A chunk extends beyond the end of the file.
    #[error("chunk {chunk} at byte {offset} ends at byte {end}, the file has {file}")]
    Truncated {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
        /// Offset of its end, including the checksum.
        end: u64,
        /// Length of the file in bytes.
        file: u64,
    },
    /// The file ends where a chunk should start, before `IEND`.
    #[error(
        "the file ends at byte {file}, before chunk IEND; a chunk should start at byte {offset}"
    )]
    MissingEnd {
        /// Where the next chunk should start.
        offset: u64,
        /// Length of the file in bytes.
        file: u64,
    },
    /// A chunk type is not four ASCII letters.
    #[error("the chunk at byte {offset} has type {found:02x?}, four ASCII letters are wanted")]
    ChunkType {
        /// Where the chunk starts.
        offset: u64,
        /// The type found.
        found: [u8; 4],
    },
    /// The checksum of a chunk does not match its bytes.
    #[error(
        "chunk {chunk} at byte {offset} is damaged: CRC-32 {stored:08x} stored, {computed:08x} computed"
    )]
    Checksum {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
        /// The checksum in the file.
        stored: u32,
        /// The checksum of the bytes found.
        computed: u32,
    },
    /// The first chunk is not `HEAD`.
    #[error("chunk {chunk} at byte {offset} stands before HEAD")]
    HeadNotFirst {
        /// Type of the first chunk.
        chunk: ChunkKind,
        /// Where it starts.
        offset: u64,
    },
    /// A chunk that may occur only once occurs twice.
    #[error("chunk {chunk} at byte {offset} occurs a second time")]
    Duplicate {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the second one starts.
        offset: u64,
    },
    /// A chunk that every file needs is absent.
    #[error("chunk {chunk} is missing")]
    MissingChunk {
        /// Type of the absent chunk.
        chunk: ChunkKind,
    },
    /// `IEND` carries a payload.
    #[error("chunk IEND at byte {offset} has {length} bytes, it must be empty")]
    EndNotEmpty {
        /// Where the chunk starts.
        offset: u64,
        /// Length of its payload in bytes.
        length: u32,
    },
    /// Bytes follow `IEND`.
    #[error("{count} bytes follow chunk IEND, from byte {offset}")]
    TrailingBytes {
        /// Offset of the first surplus byte.
        offset: u64,
        /// Number of surplus bytes.
        count: u64,
    },

    // Malformed: inside a chunk.
    /// The MessagePack in a chunk cannot be read.
    #[error("chunk {chunk} at byte {offset}: {reason}")]
    MessagePack {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
        /// The decoder's message.
        reason: String,
    },
    /// Bytes follow the MessagePack value in a chunk.
    #[error("chunk {chunk} at byte {offset}: bytes follow its MessagePack value")]
    Surplus {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
    },
    /// A compressed payload is shorter than its own five-byte prefix.
    #[error("chunk {chunk} at byte {offset}: {length} bytes, at least 5 are needed")]
    BlobTooShort {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
        /// Length of the payload in bytes.
        length: u64,
    },
    /// The length of a compressed payload differs from the declared length.
    #[error("chunk {chunk} at byte {offset}: {declared} bytes declared, {found} found")]
    BlobSize {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
        /// Length that the payload declares, in bytes.
        declared: u64,
        /// Length found, in bytes.
        found: u64,
    },
    /// A zstd frame cannot be decompressed, holds more than declared, or is followed by other bytes.
    #[error("chunk {chunk} at byte {offset}: zstd: {reason}")]
    Zstd {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
        /// The decoder's message.
        reason: String,
    },
    /// A field of `HEAD` or `prov` has a value that is never allowed.
    #[error("{field} is {found}, wanted: {wanted}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// The value found.
        found: String,
        /// The values allowed.
        wanted: &'static str,
    },
    /// The number of stored tensors, or of [`crate::LayerData`], does not fit the model.
    #[error("{found} layers of weights, the model has {wanted}")]
    LayerCount {
        /// Layers stored.
        found: u64,
        /// Layers of the model.
        wanted: u64,
    },
    /// The length of a part of `NETW` differs from what the tensors need.
    #[error("weights: {part} has {found} bytes, {wanted} needed")]
    WeightBytes {
        /// Name of the part.
        part: &'static str,
        /// Bytes stored.
        found: u64,
        /// Bytes needed.
        wanted: u64,
    },
    /// The number of values in a matrix or bias differs from what its layer needs.
    #[error("{tensor} has {found} values, {wanted} needed", tensor = TensorName(*tensor))]
    WeightCount {
        /// Index of the tensor: matrix 0, bias 0, matrix 1, ...
        tensor: usize,
        /// Values found.
        found: u64,
        /// Values needed.
        wanted: u64,
    },
    /// The step of a quantised tensor is not a finite number above 0, or makes the largest value infinite.
    #[error("{tensor} has step {step}, wanted: above 0, and finite times 2^(bits - 1)", tensor = TensorName(*tensor))]
    Step {
        /// Index of the tensor: matrix 0, bias 0, matrix 1, ...
        tensor: usize,
        /// The step found.
        step: f32,
    },
    /// The width of quantised values is outside 2..=16.
    #[error("{tensor} has {bits} bits, wanted: 2..=16", tensor = TensorName(*tensor))]
    Bits {
        /// Index of the tensor: matrix 0, bias 0, matrix 1, ...
        tensor: usize,
        /// Bits per value.
        bits: u8,
    },
    /// A quantised value does not fit its bits.
    #[error("{tensor} has value {value} at {index}, which does not fit {bits} bits", tensor = TensorName(*tensor))]
    ValueRange {
        /// Index of the tensor: matrix 0, bias 0, matrix 1, ...
        tensor: usize,
        /// Index of the value in the tensor.
        index: usize,
        /// The value.
        value: i32,
        /// Bits per value.
        bits: u8,
    },
    /// The coded weights of `NETW` end before their last value, or extend beyond it.
    #[error("the coded weights {what}")]
    CodedWeights {
        /// What is wrong with them.
        what: &'static str,
    },
    /// A float weight is infinite or not a number.
    #[error("{tensor} has {value} at {index}, wanted: a finite number", tensor = TensorName(*tensor))]
    NotFinite {
        /// Index of the tensor: matrix 0, bias 0, matrix 1, ...
        tensor: usize,
        /// Index of the value in the tensor.
        index: usize,
        /// The value.
        value: f32,
    },

    /// `GRID` ends within its parameters, lengths or segments.
    #[error("chunk GRID at byte {offset}: {needed} more bytes are needed, {found} are left")]
    GridTooShort {
        /// Where the chunk starts.
        offset: u64,
        /// Bytes that the next part needs.
        needed: u64,
        /// Bytes left.
        found: u64,
    },
    /// Bytes follow the last segment of `GRID`.
    #[error("chunk GRID at byte {offset}: {count} bytes follow its last segment")]
    GridSurplus {
        /// Where the chunk starts.
        offset: u64,
        /// Bytes after the last segment.
        count: u64,
    },
    /// A segment of the latents is missing, or ends before its last coefficient.
    #[error("segment {index} of the latents is cut short")]
    Segment {
        /// Index of the segment, the coarsest band first.
        index: u64,
    },

    // Limit.
    /// The file exceeds a limit of [`crate::Limits`] or of the format itself.
    #[error("{what}: {asked} asked, the limit is {limit}")]
    OverLimit {
        /// What is limited, with its unit.
        what: &'static str,
        /// The amount asked for.
        asked: u64,
        /// The amount allowed.
        limit: u64,
    },

    // Unsupported: perhaps a file of a later version.
    /// The container version is not [`crate::VERSION`].
    #[error("container version {found}, only version 1 can be read")]
    UnsupportedVersion {
        /// The version found.
        found: u16,
    },
    /// Reserved flags of the file header are set.
    #[error("file flags {found:#06x}, only 0 can be read")]
    UnsupportedFlags {
        /// The flags found.
        found: u16,
    },
    /// A critical chunk is unknown to this version.
    #[error("chunk {chunk} at byte {offset} is needed for decoding and unknown to this version")]
    UnsupportedChunk {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// Where the chunk starts.
        offset: u64,
    },
    /// The model is of a kind unknown to this version.
    #[error("model kind {name:?}, only \"mlp\" and \"pyramid\" can be read")]
    UnsupportedModel {
        /// The kind found.
        name: String,
    },
    /// A field has a value unknown to this version.
    #[error("{field} is {found:?}, this version knows: {known}")]
    UnsupportedValue {
        /// Name of the field.
        field: &'static str,
        /// The value found.
        found: String,
        /// The values known.
        known: String,
    },

    // Misuse by the caller, when writing.
    /// An unknown chunk to be written has a type that is not ancillary or that this version knows.
    #[error(
        "chunk type {found:02x?} cannot be written as an unknown chunk; wanted: four ASCII letters, the first lower case, none of this version's"
    )]
    NotAncillary {
        /// The type given.
        found: [u8; 4],
    },
    /// A value could not be turned into MessagePack.
    #[error("chunk {chunk} cannot be written: {reason}")]
    Encode {
        /// Type of the chunk.
        chunk: ChunkKind,
        /// The encoder's message.
        reason: String,
    },
}

/// The four kinds of [`FormatError`], by the caller's possible reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// The bytes, or the values to be written, break the rules of the format.
    Malformed,
    /// Raising a [`crate::Limits`] field might help.
    Limit,
    /// A later version of the program might read the file.
    Unsupported,
    /// The caller asked for something that cannot be written.
    Misuse,
}

impl FormatError {
    /// The family of the error.
    pub fn family(&self) -> Family {
        match self {
            Self::OverLimit { .. } => Family::Limit,
            Self::UnsupportedVersion { .. }
            | Self::UnsupportedFlags { .. }
            | Self::UnsupportedChunk { .. }
            | Self::UnsupportedModel { .. }
            | Self::UnsupportedValue { .. } => Family::Unsupported,
            Self::NotAncillary { .. } | Self::Encode { .. } => Family::Misuse,
            _ => Family::Malformed,
        }
    }
}

/// A tensor index that displays as its layer and part.
struct TensorName(usize);

impl std::fmt::Display for TensorName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = if self.0.is_multiple_of(2) {
            "matrix"
        } else {
            "bias"
        };
        write!(f, "{part} of layer {}", self.0 / 2)
    }
}
