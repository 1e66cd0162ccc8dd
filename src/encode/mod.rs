//! Pixels to `.inr` bytes.

mod analysis;
mod common;
mod network;
mod options;
mod preview;
mod pyramid;

pub use analysis::coefficient_pairs;
pub use network::{encode, encode_from};
pub use options::{Architecture, EncodeOptions, EncodeReport, Encoded, Metric, Target};
