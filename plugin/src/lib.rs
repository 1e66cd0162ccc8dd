//! `libinr_plugin`: the filters and the codec of [`inr`] for image editors, behind the C ABI of `inr-plugin-api`.
//!
//! The library implements them; this crate describes them to hosts and converts pixels and values.

mod codec;
mod failure;
mod filters;
mod picture;

use std::sync::LazyLock;

use inr_plugin_api::guest::{Call, Codec, CodecTables, Description, Plan, Plugin, Tables};
use inr_plugin_api::{
    Capabilities, Failure, INR_CAP_DECODES, INR_CAP_ENCODES, PixelsMut, ThreadClass,
};

/// The plug-in.
#[derive(Debug)]
pub struct InrPlugin;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    Tables::new(Description {
        id: "org.inr-format.plugin".into(),
        name: "INR".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        capabilities: Capabilities(INR_CAP_DECODES | INR_CAP_ENCODES),
        thread_class: ThreadClass::PerHandle,
        filters: filters::ALL
            .iter()
            .map(|filter| (filter.describe)())
            .collect(),
    })
});

impl Plugin for InrPlugin {
    fn tables() -> &'static Tables {
        &TABLES
    }

    fn plan(filter: usize, call: &Call) -> Result<Plan, Failure> {
        (filters::ALL[filter].plan)(call)
    }

    fn run(filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
        (filters::ALL[filter].run)(call, output)
    }

    fn codec() -> Option<&'static CodecTables> {
        Some(<codec::Opened as Codec>::tables())
    }
}

inr_plugin_api::export_plugin!(InrPlugin);
