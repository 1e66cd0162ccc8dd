//! The container through the public API.
#![allow(clippy::unwrap_used)]

mod common;
mod conformance;
mod damage;
mod hostile;
mod hostile_cases;
mod latents;
mod opacity;
mod roundtrip;
mod spec;
mod writing;
