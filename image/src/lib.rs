//! Pictures for `inr`: raster files and their metadata, colour, resampling, and metrics.
//!
//! Samples are encoded values (no transfer function is undone), with straight alpha. This crate follows the version of
//! `inr`, which re-exports what users need of it.

pub mod colour;
mod error;
mod files;
mod format;
pub mod metrics;
pub mod noise;
mod picture;
pub mod planes;
mod raster;
pub mod resample;

pub use error::Error;
pub use files::{
    PictureFile, PngRows, ReadOptions, Written, quantisation_tables, read_picture,
    read_picture_with, write_picture, write_png,
};
pub use format::FileFormat;
pub use inr_formats::{Depth, Layout, Limits};
pub use picture::{Metadata, Picture, RowsMut, Samples};
pub use planes::Part;
pub use raster::{Raster, divide_by_alpha, premultiplied};
