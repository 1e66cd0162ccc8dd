//! Picture files in and out.

mod convert;
mod directory;
mod exif;
mod found;
mod jpeg;
#[cfg(feature = "jxl")]
mod jxl;
mod paths;
mod pfm;
mod png_chunks;
mod png_rows;
mod read;
mod tiff;
mod write;

pub use jpeg::quantisation_tables;
pub use png_rows::{PngRows, write_png};
pub use read::{PictureFile, ReadOptions, read_picture, read_picture_with};
pub use write::{Written, write_picture};
