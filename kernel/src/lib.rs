//! The inner loops of `inr`: dense layers and activations over tiles of points, forward, backward and with derivatives,
//! small convolutions, and multithreading.
//!
//! One source, generic over the vectors of an instruction set, is compiled for each of them; [`Backend::detect`] alone
//! chooses, once per tile. Points are spread over the lanes in strips of [`STRIP`]: a strip holds one row of points per
//! feature, so that no width needs padding and a strip of 256 features fits a 48 KiB first-level cache.
//!
//! This crate is internal to `inr` and has the same version; use `inr` itself for pictures.

mod aligned;
mod backend;
mod backward;
mod convolution;
#[cfg(feature = "cuda")]
pub mod cuda;
mod evaluate;
mod evaluator;
mod forward;
mod jet_evaluator;
mod network;
mod outer;
mod peak;
mod prepared;
mod product;
mod scalar;
mod simd;
mod threads;
mod tile;
mod trig;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod tests;

pub use aligned::Aligned;
pub use backend::Backend;
pub use convolution::{Convolution, ConvolutionShape, Lines, Units};
pub use evaluator::{Evaluator, TILE};
pub use jet_evaluator::JetEvaluator;
pub use network::{Layer, LayersMismatch, Network, encode_jets, encode_points};
pub use prepared::{Prepared, PreparedLayer};
pub use product::Packed;
pub use simd::STRIP;
pub use threads::{Cancelled, Job, Watcher, default_threads, each_row, threads_for};
pub use tile::{GradientLayout, LayerGradient, Streams, Tile};
