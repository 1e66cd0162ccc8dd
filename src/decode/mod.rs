//! `.inr` bytes to pixels and derivatives.

mod derivative;
mod jets;
mod opacity;
mod picture;
mod render;
mod resample;
mod rows;
mod trust;

pub use crate::field::coords::CoordinateMap;
pub use crate::field::jets::{Component, Jets};
pub use crate::field::region::OutputSize;
pub(crate) use derivative::shown;
pub use derivative::{Derivative, DerivativePicture};
pub use inr_kernel::{Layer, Network};
pub use picture::{InrPicture, RenderMethod, RenderOptions, Rendered};
