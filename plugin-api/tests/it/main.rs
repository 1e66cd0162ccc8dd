//! Tests of the public interface: the header, both sides of the ABI in one program, and plug-ins through the loader.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "host")]
mod calls;
#[cfg(feature = "host")]
mod common;
mod header;
#[cfg(feature = "host")]
mod linked;
#[cfg(feature = "host")]
mod loader;
