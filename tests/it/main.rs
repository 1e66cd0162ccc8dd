//! The library through its public API.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "fit")]

mod common;
mod contracts;
mod derivatives;
mod edit;
mod encode;
mod enlargement;
mod for_upscale;
mod golden;
mod objectives;
mod opacity;
mod pyramid;
mod robust;
mod upscale;
mod vectors;
