//! Picture to `.inr` file and back.

#[cfg(feature = "fit")]
mod common;
mod decode;
mod derivative;
#[cfg(feature = "fit")]
mod encode;
mod enlarge;
mod jets;
#[cfg(feature = "fit")]
mod latents;
#[cfg(feature = "fit")]
mod options;
#[cfg(feature = "fit")]
mod plan;
#[cfg(feature = "fit")]
mod preview;
mod region;
mod rows;
mod trust;

pub use decode::{InrPicture, Method, RenderOptions, Rendered};
pub(crate) use derivative::shown;
pub use derivative::{Derivative, DerivativePicture};
#[cfg(feature = "fit")]
pub use encode::{encode, encode_from};
pub use jets::{Component, Jets};
#[cfg(feature = "fit")]
pub use options::{Architecture, EncodeOptions, EncodeReport, Encoded, Metric, Target};
pub use region::{OutputSize, Region};
#[cfg(feature = "fit")]
pub(crate) use {encode::deadline, plan::Plan};
