//! `inr` makes a fitted field a picture format.
//!
//! The encoder fits a field to a picture (by default latent wavelet grids under a cubic spline, corrected by a small sine
//! network; or one coordinate network, such as a SIREN) and stores it in an `.inr` file. The decoder renders the picture
//! at any size and for any region, with exact derivatives.
//!
//! - [`Picture`]: samples, layout and metadata of a raster picture; [`read_picture`] and [`write_picture`] are the files.
//! - [`InrPicture::jets`] and [`InrPicture::jets_at`]: exact values, gradients and Laplacians of fields;
//!   [`InrPicture::render_derivative`] makes pictures of them.
//! - [`metrics`]: PSNR, SSIM, MS-SSIM, SSIMULACRA2, bits per pixel and BD-rates.
//! - [`upscale()`]: enlargements of any picture, better than bicubic; [`Degradation`] is what they undo.
//! - [`edit`]: derivatives, sharpening, smoothing and pasting of pictures by their gradients; [`edit::poisson`] integrates them.
//! - [`resample`]: bicubic and Lanczos, the yardsticks for enlargements.
//!
//! Decoding needs no feature. `fit` adds training on the CPU, `candle` a second engine (`cuda` and `metal`: on GPUs).

mod decode;
mod device;
pub mod edit;
#[cfg(feature = "fit")]
mod encode;
mod error;
mod field;
#[cfg(feature = "fit")]
mod fit;
mod progress;
mod upscale;

pub use decode::{Derivative, DerivativePicture, InrPicture, Method, RenderOptions, Rendered};
pub use device::DeviceChoice;
#[cfg(feature = "fit")]
#[doc(hidden)]
pub use encode::coefficient_pairs;
#[cfg(feature = "fit")]
pub use encode::{
    Architecture, EncodeOptions, EncodeReport, Encoded, Metric, Target, encode, encode_from,
};
pub use error::Error;
pub use field::coords::CoordinateMap;
pub use field::jets::{Component, Jets};
pub use field::region::{OutputSize, Region};
#[cfg(feature = "fit")]
pub use fit::{
    Anchor, CheckpointError, EngineBench, EngineFigure, Expression, FieldFit, FitRecipe,
    Initialization, InitializationPair, Objective, ObjectiveTerm, OptimizerChoice, PictureLoss,
    PictureTerm, StopReason, engine_bench,
};
#[cfg(feature = "fit")]
#[doc(hidden)]
pub use fit::{Schedule, State};
pub use inr_formats as formats;
pub use inr_formats::{FormatError, Limits, Model};
pub use inr_image::{
    Depth, Error as PictureError, FileFormat, Layout, Metadata, Picture, PngRows, Raster, RowsMut,
    Samples, Written, metrics, read_picture, resample, write_picture, write_png,
};
pub use inr_kernel::{Layer, Network};
pub use progress::{Control, Observer, Phase, Progress};
pub use upscale::{
    Blur, Degradation, PointSpread, UpscaleMethod, UpscaleOptions, Upscaled, upscale,
};
