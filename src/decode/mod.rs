//! `.inr` bytes to pixels and derivatives.

mod derivative;
mod enlarge;
mod jets;
mod picture;
mod render;
mod resample;
mod rows;
mod trust;

pub(crate) use derivative::shown;
pub use derivative::{Derivative, DerivativePicture};
pub use picture::{InrPicture, Method, RenderOptions, Rendered};
