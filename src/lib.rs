//! `inr` makes a fitted field a picture format.
//!
//! The encoder fits a field to a picture (by default latent wavelet grids under a cubic spline, corrected by a small sine
//! network; or one coordinate network, such as a SIREN) and stores it in an `.inr` file. The decoder renders the picture
//! at any size and for any region, with exact derivatives.
//!
//! ```
//! use inr::{EncodeOptions, InrPicture, Limits, OutputSize, Picture, RenderOptions};
//!
//! # fn main() -> Result<(), inr::Error> {
//! let photo = Picture::open("fixtures/camera-64.png")?;
//! let encoded = inr::encode(&photo, &EncodeOptions::default(), &mut ())?;
//! let field = InrPicture::open(&encoded.bytes, &Limits::default())?;
//! let options = RenderOptions::default().size(OutputSize::Scale(4.0));
//! let large = field.render(&options, &mut ())?.picture;
//! assert_eq!([large.width(), large.height()], [256, 256]);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Picture`] holds samples, layout and metadata; [`Picture::open`] and [`Picture::save`] read and write files.
//! - [`mod@encode`] turns pictures into `.inr` bytes, and [`fit`] trains networks on any objective.
//! - [`decode`] opens `.inr` bytes: renders, derivatives, exact values, gradients and Laplacians ([`InrPicture::jets`]).
//! - [`mod@upscale`] enlarges any picture; [`upscale::Degradation`] describes how it came from a larger one.
//! - [`edit`] differentiates, sharpens, smooths and pastes pictures by their gradients.
//! - [`metrics`] measures PSNR, SSIM, MS-SSIM, SSIMULACRA2 and BD-rates; [`resample`] has bicubic and Lanczos.
//! - [`formats`] reads and writes the chunks of the container.
//!
//! A long job reports to an [`Observer`], which can stop it; `&mut ()` watches nothing.
//!
//! Decoding needs no feature. `fit` adds training on the CPU, `candle` a second engine (`cuda` and `metal`: on GPUs).

pub mod decode;
mod device;
pub mod edit;
#[cfg(feature = "fit")]
pub mod encode;
mod error;
mod field;
#[cfg(feature = "fit")]
pub mod fit;
mod options;
mod progress;
pub mod upscale;

pub use decode::{InrPicture, OutputSize, RenderOptions};
pub use device::DeviceChoice;
#[cfg(feature = "fit")]
pub use encode::{EncodeOptions, Target, encode};
pub use error::Error;
pub use field::region::Region;
pub use inr_formats as formats;
pub use inr_formats::Limits;
pub use inr_image::{
    Depth, Error as PictureError, FileFormat, Layout, Metadata, Picture, PictureFile, PngRows,
    Raster, ReadOptions, RowsMut, Samples, Written, colour, metrics, quantisation_tables,
    read_picture, read_picture_with, resample, write_picture, write_png,
};
pub use inr_kernel::default_threads;
pub use progress::{Control, Observer, Phase, Progress};
pub use upscale::{UpscaleOptions, upscale};
