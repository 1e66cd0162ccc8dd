//! Pixels to `.inr` bytes.

mod analysis;
mod budget;
mod choices;
pub(crate) mod colours;
mod common;
mod network;
mod options;
mod pairs;
mod preview;
mod pursuit;
mod pyramid;
mod quantisation;
mod source;

pub use crate::fit::settings::{Architecture, NetworkOptions};
pub use crate::fit::state::StopReason;
pub use network::{encode, encode_from};
pub use options::{
    EncodeOptions, EncodeReport, Encoded, Metric, ModelOptions, NetworkReport, PyramidOptions,
    Target,
};
#[doc(hidden)]
pub use pairs::coefficient_pairs;
pub(crate) use source::Source;
