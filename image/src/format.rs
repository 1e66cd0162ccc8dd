//! Picture file formats that are written.

use std::fmt;
use std::path::Path;

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
    /// 8 and 16 bits: P5 for grey, P6 for colour, P7 with alpha.
    Pnm,
    /// As [`FileFormat::Pnm`], with grey as colour.
    Ppm,
    /// As [`FileFormat::Pnm`].
    Pgm,
    /// 8 and 16 bits, always P7.
    Pam,
    /// Float.
    Exr,
    /// Float, no alpha.
    Pfm,
}

impl FileFormat {
    /// Every format with its usual file name extension.
    pub const ALL: [(&'static str, Self); 12] = [
        ("png", Self::Png),
        ("jpg", Self::Jpeg),
        ("webp", Self::WebP),
        ("tiff", Self::Tiff),
        ("bmp", Self::Bmp),
        ("qoi", Self::Qoi),
        ("pnm", Self::Pnm),
        ("ppm", Self::Ppm),
        ("pgm", Self::Pgm),
        ("pam", Self::Pam),
        ("exr", Self::Exr),
        ("pfm", Self::Pfm),
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
            Self::Ppm => "PPM",
            Self::Pgm => "PGM",
            Self::Pam => "PAM",
            Self::Exr => "OpenEXR",
            Self::Pfm => "PFM",
        })
    }
}
