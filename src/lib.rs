//! `inr` makes a fitted coordinate network a picture format.
//!
//! The encoder fits a small network (a SIREN, or a ReLU net with positional encoding) to a picture and stores its
//! quantised weights in an `.inr` file; the decoder renders the picture from them at any size and for any region.
//!
//! - [`Picture`]: samples, layout and metadata of a raster picture; [`read_picture`] and [`write_picture`] are the files.
//! - [`InrPicture::jets`] and [`InrPicture::jets_at`]: exact values, gradients and Laplacians of fields;
//!   [`InrPicture::render_derivative`] makes pictures of them.
//! - [`metrics`]: PSNR, SSIM, MS-SSIM, SSIMULACRA2, bits per pixel and BD-rates.
//! - [`upscale()`]: enlargements of any picture, better than bicubic; [`Degradation`] is what they undo.
//! - [`edit`]: derivatives, sharpening, smoothing and pasting of pictures by their gradients; [`poisson`] integrates those.
//! - [`resample`]: bicubic and Lanczos, the yardsticks for enlargements.
//!
//! Decoding needs no feature. `fit` adds training on the CPU, `candle` a second engine (`cuda` and `metal`: on GPUs), `cli`
//! the program.

mod codec;
#[cfg(feature = "candle")]
mod convnet;
mod coords;
mod device;
pub mod edit;
mod error;
#[cfg(feature = "fit")]
mod fit;
pub mod metrics;
mod net;
mod parallel;
mod picture;
pub mod poisson;
mod progress;
mod pyramid;
#[cfg(feature = "fit")]
mod quant;
mod render;
pub mod resample;
mod upscale;

#[cfg(feature = "fit")]
pub use codec::{
    Architecture, EncodeOptions, EncodeReport, Encoded, Metric, Target, encode, encode_from,
};
pub use codec::{
    Component, Derivative, DerivativePicture, InrPicture, Jets, Method, OutputSize, Region,
    RenderOptions, Rendered,
};
#[cfg(feature = "candle")]
pub use convnet::{
    SrLoss, SrOptions, SrRecipe, SrScore, SrShape, SrStep, SrTrainer, VggLoss, VggOptions, Weights,
    WeightsError, enlarge_srgan,
};
pub use coords::CoordinateMap;
pub use device::DeviceChoice;
pub use error::Error;
#[cfg(feature = "fit")]
pub use fit::{
    Anchor, CheckpointError, EngineBench, EngineFigure, Expression, FieldFit, FitRecipe,
    Initialization, InitializationPair, Objective, ObjectiveTerm, OptimizerChoice, PictureLoss,
    PictureTerm, StopReason, engine_bench,
};
pub use inr_formats::{FormatError, Limits, Model};
pub use net::{Layer, Network};
pub use picture::*;
pub use progress::{Control, Observer, Phase, Progress};
#[cfg(feature = "fit")]
#[doc(hidden)]
pub use pyramid::encode::coefficient_pairs;
pub use upscale::{
    Blur, Degradation, PointSpread, UpscaleMethod, UpscaleOptions, Upscaled, upscale,
};
