//! What reading and writing share: faults, and the fields that describe a picture.

use crate::error::Error;
use crate::files::directory::{EXIF, GPS};

const fn damaged(what: &'static str) -> Error {
    let format = "TIFF";
    Error::Corrupt { format, what }
}

/// A part of the pixels is missing.
pub(super) const CUT_OFF: Error = damaged("the file is cut off");
/// Fields are missing or contradict each other.
pub(super) const CORRUPT: Error = damaged("its directory or its compressed data is corrupt");

pub(super) fn unsupported(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::Unsupported {
        what: what.into(),
        instead: "convert it to a plain TIFF or a PNG first, for example with: magick FILE -compress none plain.tiff",
    }
}

/// Fields of the first directory that describe the picture rather than its pixels: they belong to Exif.
pub(super) const DESCRIPTIONS: [u16; 17] = [
    270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33_432, EXIF, GPS, 40_091, 40_092, 40_093,
    40_095,
];
