//! Picture file formats that are written.

use std::fmt;
use std::path::Path;

use super::{Depth, Layout, PictureError};

/// A picture file format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// 8 and 16 bits, every layout.
    Png,
    /// 8 bits, no alpha, lossy.
    Jpeg,
    /// 8 bits, written lossless.
    WebP,
    /// 8, 16 bits and float.
    Tiff,
    /// 8 bits.
    Bmp,
    /// 8 bits, colour.
    Qoi,
    /// 8 and 16 bits.
    Pnm,
    /// Float.
    Exr,
}

impl FileFormat {
    /// Every format with its usual file name extension.
    pub const ALL: [(&'static str, Self); 8] = [
        ("png", Self::Png),
        ("jpg", Self::Jpeg),
        ("webp", Self::WebP),
        ("tiff", Self::Tiff),
        ("bmp", Self::Bmp),
        ("qoi", Self::Qoi),
        ("pnm", Self::Pnm),
        ("exr", Self::Exr),
    ];

    /// The usual extension of file names, without the dot.
    pub fn extension(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, format)| *format == self)
            .map_or("png", |(name, _)| name)
    }

    /// The format with this extension or name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let usual = match name.as_str() {
            "jpeg" | "jpe" | "jfif" => "jpg",
            "tif" => "tiff",
            "ppm" | "pgm" | "pam" => "pnm",
            other => other,
        };
        Self::ALL
            .iter()
            .find(|(known, _)| *known == usual)
            .map(|(_, format)| *format)
    }

    /// The format that the extension of `path` names.
    pub fn from_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str().and_then(Self::from_name)
    }

    /// Checks that the format can hold such samples.
    ///
    /// # Errors
    /// [`PictureError::CannotHold`] saying what to do instead.
    pub fn check(self, layout: Layout, depth: Depth) -> Result<(), PictureError> {
        let refuse = |what, instead| {
            Err(PictureError::CannotHold {
                format: self,
                what,
                instead,
            })
        };
        match (self, depth) {
            (Self::Exr, Depth::F32) => {}
            (Self::Exr, _) => {
                return refuse("integers", "ask for floats (--depth float)");
            }
            (Self::Tiff, _) | (_, Depth::U8) | (Self::Png | Self::Pnm, Depth::U16) => {}
            (Self::Png | Self::Pnm, Depth::F32) => {
                return refuse(
                    "floating-point samples",
                    "write .tiff, or ask for 16 bits (--depth 16)",
                );
            }
            (_, Depth::U16) => {
                return refuse(
                    "16-bit samples",
                    "write .png, or ask for 8 bits (--depth 8)",
                );
            }
            (_, Depth::F32) => {
                return refuse(
                    "floating-point samples",
                    "write .tiff, or ask for 8 bits (--depth 8)",
                );
            }
        }
        if self == Self::Jpeg && layout.has_alpha() {
            return refuse("transparency", "write .png or .webp");
        }
        Ok(())
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Qoi => "QOI",
            Self::Pnm => "PNM",
            Self::Exr => "OpenEXR",
        })
    }
}
