//! Resource limits for reading and rendering untrusted files.

use crate::error::FormatError;

/// Upper bounds that are checked before anything is allocated for a file.
///
/// [`crate::InrFile::read`] uses all except `render_pixels` and `multiply_adds`, which are for renderers.
///
/// ```
/// let limits = inr_formats::Limits { pixels: 1 << 20, ..Default::default() };
/// assert_eq!(limits.layers, 64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the source picture, width times height. Default 2^28.
    pub pixels: u64,
    /// Pixels of one render. Default 2^30.
    pub render_pixels: u64,
    /// Length of the file in bytes. Default 2^28 (256 MiB).
    pub file_bytes: u64,
    /// Bytes of each of the metadata chunks `iccp`, `exif`, `xmpk` after decompression. Default 2^26 (64 MiB).
    pub metadata_bytes: u64,
    /// Layers of the network, including the last linear one. Default 64.
    pub layers: u32,
    /// Width of each hidden layer. Default 4096.
    pub width: u32,
    /// Bytes of the weights in memory, four per weight of the model. `HEAD` is checked against it, and before
    /// decompression `NETW` must declare the size that `HEAD` implies. Default 2^28 (256 MiB).
    pub decompressed_bytes: u64,
    /// Multiply-adds of one render. Default 2^50, enough for 2^30 samples of a network of 2^20 weights.
    pub multiply_adds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pixels: 1 << 28,
            render_pixels: 1 << 30,
            file_bytes: 1 << 28,
            metadata_bytes: 1 << 26,
            layers: 64,
            width: 4096,
            decompressed_bytes: 1 << 28,
            multiply_adds: 1 << 50,
        }
    }
}

impl Limits {
    /// Every limit at its maximum: used for writing, so that a program with raised limits can write.
    pub(crate) const NONE: Self = Self {
        pixels: u64::MAX,
        render_pixels: u64::MAX,
        file_bytes: u64::MAX,
        metadata_bytes: u64::MAX,
        layers: u32::MAX,
        width: u32::MAX,
        decompressed_bytes: u64::MAX,
        multiply_adds: u64::MAX,
    };
}

/// Checks that `asked` is not above `limit`.
///
/// # Errors
/// [`FormatError::OverLimit`].
pub(crate) fn within(what: &'static str, asked: u64, limit: u64) -> Result<(), FormatError> {
    if asked > limit {
        return Err(FormatError::OverLimit { what, asked, limit });
    }
    Ok(())
}
