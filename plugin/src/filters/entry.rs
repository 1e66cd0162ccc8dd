//! Definitions shared by all filters.

use inr_plugin_api::guest::{Call, EDITS, Plan};
use inr_plugin_api::{
    Capabilities, Failure, Filter, INR_CAP_GLOBAL, Input, Param, PixelsMut, ThreadClass,
};

use crate::picture::write;

/// A filter.
pub(crate) struct Entry {
    pub(crate) describe: fn() -> Filter,
    pub(crate) plan: fn(&Call) -> Result<Plan, Failure>,
    pub(crate) run: fn(&Call, &mut PixelsMut) -> Result<(), Failure>,
}

/// Describes a filter with one input picture and `capabilities`.
pub(super) fn filter(
    key: &str,
    label: &str,
    hint: &str,
    capabilities: u32,
    params: Vec<Param>,
) -> Filter {
    Filter {
        id: format!("org.inr-format.{key}"),
        key: key.into(),
        label: label.into(),
        hint: hint.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        capabilities: Capabilities(capabilities),
        thread_class: ThreadClass::PerHandle,
        inputs: vec![Input {
            key: "image".into(),
            label: "Image".into(),
            hint: "The picture that is worked on.".into(),
            required: true,
        }],
        params,
    }
}

/// Capabilities of filters that edit a picture as a whole.
pub(super) const GLOBAL: u32 = EDITS | INR_CAP_GLOBAL;

/// Plans an output of the picture's size and layout.
pub(super) fn same(call: &Call) -> Result<Plan, Failure> {
    let image = call.image()?;
    Ok(Plan {
        size: image.picture,
        layout: image.pixels.format().layout,
        halo: 0,
    })
}

/// Writes the region of `call` from the whole edited picture.
pub(super) fn write_region(
    call: &Call,
    output: &mut PixelsMut,
    samples: &[f32],
) -> Result<(), Failure> {
    let plan = same(call)?;
    let window = call.region(&plan)?.pixels(plan.size)?;
    write(output, samples, plan.size[0] as usize, window);
    Ok(())
}
