//! The networks through the public API.
#![allow(clippy::unwrap_used)]

mod parity;
mod train_sr;
