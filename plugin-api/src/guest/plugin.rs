//! What a plug-in implements.

use super::call::{Call, Plan};
use super::codec::CodecTables;
use super::tables::Tables;
use crate::abi::{INR_CAP_DETERMINISTIC, INR_CAP_EDITS};
use crate::buffer::PixelsMut;
use crate::status::Failure;

/// Capabilities of a filter that replaces its input and gives equal output for equal input.
pub const EDITS: u32 = INR_CAP_EDITS | INR_CAP_DETERMINISTIC;

/// A plug-in: what it says of itself, and what its filters do.
pub trait Plugin: 'static {
    /// The description, always the same one: keep it in a `LazyLock`.
    fn tables() -> &'static Tables;

    /// Size and layout of what filter number `filter` makes of `call`; by default those of its first input.
    ///
    /// # Errors
    /// Whatever speaks against running it.
    fn plan(_filter: usize, call: &Call) -> Result<Plan, Failure> {
        let image = call.image()?;
        Ok(Plan {
            size: image.picture,
            layout: image.pixels.format().layout,
            halo: 0,
        })
    }

    /// Runs filter number `filter`: fills `output`, the pixels of `call`'s region.
    ///
    /// # Errors
    /// As the filter has them.
    fn run(filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure>;

    /// The suite `inr.codec`, of plug-ins that have it.
    fn codec() -> Option<&'static CodecTables> {
        None
    }
}
