//! The one error type of this crate.

use std::borrow::Cow;

use crate::format::FileFormat;

/// A picture that cannot be read, written, resized or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes start like no format that is read here.
    #[error(
        "not a picture this program reads: it starts with {found:02x?}; give PNG, JPEG, JPEG XL, WebP, TIFF, OpenEXR, PFM, BMP, QOI, PNM or GIF"
    )]
    Unknown {
        /// The first bytes.
        found: Vec<u8>,
    },
    /// An `.inr` file where a picture was wanted.
    #[error("this is an .inr file already; decode it first to encode it again")]
    AlreadyInr,
    /// A kind of picture that this version does not handle.
    #[error("{what}; {instead}")]
    Unsupported {
        /// What was found.
        what: Cow<'static, str>,
        /// What to do.
        instead: &'static str,
    },
    /// The file is damaged or breaks its format's rules.
    #[error("damaged or malformed {format} file: {source}")]
    Malformed {
        /// The format that the file claims.
        format: &'static str,
        /// What its decoder found.
        source: image::ImageError,
    },
    /// The file is truncated or corrupt.
    #[error("damaged {format} file: {what}")]
    Corrupt {
        /// The format that the file claims.
        format: &'static str,
        /// The damage.
        what: &'static str,
    },
    /// The decoder of the format panicked, on a file that breaks its rules.
    #[error("damaged {format} file: its decoder failed")]
    Panicked {
        /// The format that the file claims.
        format: &'static str,
    },
    /// The picture has more pixels than allowed.
    #[error("the picture has {pixels} pixels, the limit is {limit}")]
    TooLarge {
        /// Width times height.
        pixels: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The number of samples does not fit the shape.
    #[error("{samples} samples for {width} x {height} pixels of {channels} channels")]
    Shape {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples of a pixel.
        channels: usize,
        /// Samples found.
        samples: usize,
    },
    /// The file format cannot hold this picture.
    #[error("{format} cannot hold {what}; {instead}")]
    CannotHold {
        /// The format asked for.
        format: FileFormat,
        /// What it has no place for.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// The encoder of the file format failed.
    #[error("writing {format}: {source}")]
    Write {
        /// The format asked for.
        format: FileFormat,
        /// What its encoder said.
        source: image::ImageError,
    },
    /// The caller asked for something that cannot be: `what` names the argument and the value found, `want` the values
    /// that are accepted.
    #[error("{what}; {want}")]
    Misuse {
        /// The argument and the value found.
        what: String,
        /// The values that are accepted.
        want: &'static str,
    },
    /// Reading or writing the file failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
