//! Pictures by the names of their files.

use std::path::Path;

use inr_formats::Limits;

use super::read::read_picture;
use super::write::{Written, write_picture};
use crate::error::Error;
use crate::format::FileFormat;
use crate::picture::Picture;

impl Picture {
    /// Reads the picture file at `path` as [`read_picture`] does, with the default limits.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; besides, those of [`read_picture`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        read_picture(&std::fs::read(path)?, &Limits::default())
    }

    /// Writes the picture to `path` in the format that the extension names, replacing the file that is there, and returns
    /// the metadata that the format has no place for.
    ///
    /// # Errors
    /// [`Error::Misuse`] for another extension, [`Error::Io`] when the file cannot be written; besides, those of
    /// [`write_picture`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<Vec<&'static str>, Error> {
        let path = path.as_ref();
        let format = FileFormat::from_path(path).ok_or_else(|| Error::Misuse {
            what: format!("the file name {}", path.display()),
            want: "end it in .png, .jpg, .webp, .tiff, .bmp, .qoi, .pnm, .ppm, .pgm, .pam, .exr or .pfm",
        })?;
        let Written { bytes, dropped, .. } = write_picture(self, format, None)?;
        std::fs::write(path, bytes)?;
        Ok(dropped)
    }
}
