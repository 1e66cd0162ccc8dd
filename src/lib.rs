//! `inr` makes a fitted coordinate network a picture format.
//!
//! The encoder fits a small network (a SIREN, or a ReLU net with positional encoding) to a picture and stores its
//! quantised weights in an `.inr` file; the decoder renders the picture from them at any size and for any region.
//!
//! - [`Picture`]: samples, layout and metadata of a raster picture; [`read_picture`] and [`write_picture`] are the files.
//! - [`metrics`]: PSNR, SSIM, MS-SSIM, SSIMULACRA2 and bits per pixel.
//! - [`resample`]: bicubic and Lanczos, the yardsticks for enlargements.
//!
//! Decoding needs no feature. `fit` adds training, `candle` the training engine and GPUs, `cli` the program.

mod error;
pub mod metrics;
mod picture;
pub mod resample;

pub use error::Error;
pub use inr_formats::{FormatError, Limits};
pub use picture::*;
