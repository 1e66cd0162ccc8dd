//! Picture to `.inr` file and back.

mod decode;
#[cfg(feature = "fit")]
mod encode;
#[cfg(feature = "fit")]
mod latents;
#[cfg(feature = "fit")]
mod options;
#[cfg(feature = "fit")]
mod plan;
#[cfg(feature = "fit")]
mod preview;
mod rows;
mod trust;

pub use decode::{InrPicture, Method, OutputSize, Region, RenderOptions, Rendered};
#[cfg(feature = "fit")]
pub use encode::encode;
#[cfg(feature = "fit")]
pub use options::{Architecture, EncodeOptions, EncodeReport, Encoded, Metric, Target};
#[cfg(feature = "fit")]
pub(crate) use {encode::deadline, plan::Plan};
