//! Pictures, metrics and resampling through the public API.
#![allow(clippy::unwrap_used)]

mod metrics;
mod noise;
mod pictures;
mod resample;
