//! Picture files in and out.

mod convert;
mod paths;
mod png_rows;
mod read;
mod write;

pub use png_rows::{PngRows, write_png};
pub use read::read_picture;
pub use write::{Written, write_picture};
