//! The trait of plug-ins.

use super::call::{Call, Plan};
use super::codec::CodecTables;
use super::tables::Tables;
use crate::abi::{INR_CAP_DETERMINISTIC, INR_CAP_EDITS};
use crate::buffer::PixelsMut;
use crate::status::Failure;

/// Capabilities of a filter that replaces its input and gives equal output for equal input.
pub const EDITS: u32 = INR_CAP_EDITS | INR_CAP_DETERMINISTIC;

/// A plug-in: its description and its filters.
pub trait Plugin: 'static {
    /// The description. Every call must return the same tables: keep them in a `LazyLock`.
    fn tables() -> &'static Tables;

    /// Plans the output of filter number `filter`; by default it has the size and layout of the first input.
    ///
    /// # Errors
    /// Any reason not to run the call.
    fn plan(_filter: usize, call: &Call) -> Result<Plan, Failure> {
        let image = call.image()?;
        Ok(Plan {
            size: image.picture,
            layout: image.pixels.format().layout,
            halo: 0,
        })
    }

    /// Runs filter number `filter` and writes the region of `call` into `output`.
    ///
    /// # Errors
    /// Defined by the filter.
    fn run(filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure>;

    /// The suite `inr.codec`, if the plug-in has it.
    fn codec() -> Option<&'static CodecTables> {
        None
    }
}
