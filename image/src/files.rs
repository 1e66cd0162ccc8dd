//! Picture files in and out.

mod convert;
mod jpeg;
mod paths;
mod png_rows;
mod read;
mod write;

pub use jpeg::quantisation_tables;
pub use png_rows::{PngRows, write_png};
pub use read::{PictureFile, ReadOptions, read_picture, read_picture_with};
pub use write::{Written, write_picture};
