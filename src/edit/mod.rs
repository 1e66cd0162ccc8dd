//! Edits of pictures through the field of their samples and through its gradient.
//!
//! Samples are encoded ones, straight alpha, 0.0..=1.0 for the range of integers; results are not clamped. Alpha stays as
//! it is; colours under full transparency are first continued from what is visible, so that nothing bleeds into edges,
//! and left as they were in the result.

mod denoise;
mod field;
mod gradients;
mod paste;
pub mod poisson;
mod transparent;

pub use denoise::denoise;
pub use field::{Part, REACH, derivative, jets, resampled};
pub use gradients::{Light, boost_edges, flatten_light, screened};
pub use inr_image::noise::deviation as noise;
pub use paste::{Guidance, Paste, paste};

use std::time::Instant;

use inr_image::Raster;

use crate::progress::{Control, Observer, Phase, Progress};

/// Receives the share of the work that is done, 0.0..=1.0; anything but [`Control::Continue`] ends it.
type Watch<'a> = &'a mut dyn FnMut(f64) -> Control;

/// Reports an edit that begins now to `observer`.
fn editing(observer: &mut dyn Observer) -> impl FnMut(f64) -> Control {
    let started = Instant::now();
    move |share| observer.progress(&Progress::new(Phase::Edit, share, started))
}

/// One channel of interleaved samples.
fn plane(raster: &Raster, channel: usize) -> Vec<f32> {
    let samples = raster.samples.iter().skip(channel);
    samples.step_by(raster.channels).copied().collect()
}

/// Channels that are colours.
fn colours(raster: &Raster) -> usize {
    raster.channels - usize::from(raster.has_alpha())
}
