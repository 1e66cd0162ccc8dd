//! Pixels to `.inr` bytes.

mod analysis;
mod budget;
mod colours;
mod common;
mod network;
mod options;
mod preview;
mod pursuit;
mod pyramid;
mod source;

pub use crate::fit::settings::{Architecture, NetworkOptions};
pub use crate::fit::state::StopReason;
#[doc(hidden)]
pub use analysis::coefficient_pairs;
pub use network::{encode, encode_from};
pub use options::{
    EncodeOptions, EncodeReport, Encoded, Metric, ModelOptions, NetworkReport, PyramidOptions,
    Target,
};
pub(crate) use source::Source;
