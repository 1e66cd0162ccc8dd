//! Pictures, metrics and resampling through the public API.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "libjpeg")]
mod faults;
mod metrics;
#[cfg(feature = "libjpeg")]
mod mutations;
mod noise;
mod pictures;
#[cfg(not(feature = "libjpeg"))]
mod plain_jpeg;
mod resample;
