//! Pictures, metrics and resampling through the public API.
#![allow(clippy::unwrap_used)]

mod metrics;
mod pictures;
mod resample;
