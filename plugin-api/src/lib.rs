//! The C ABI between image editors and plug-ins that filter, enlarge, decode or encode pictures.
//!
//! `include/inr_plugin.h` declares the ABI in C. It is generated from the `Inr*` types and `INR_*` constants of this crate.
//! Two modules wrap the pointers in safe Rust:
//!
//! - [`guest`] builds plug-ins: describe the filters, write safe functions, call [`export_plugin!`].
//! - `host` (feature `host`) finds, loads and calls plug-ins.
//!
//! README.md lists the rules for both sides.

mod abi;
mod abi_codec;
mod buffer;
mod codes;
mod describe;
pub mod guest;
#[cfg(feature = "host")]
pub mod host;
mod region;
mod status;
mod structs;

pub use abi::*;
pub use abi_codec::*;
pub use buffer::{Format, Pixels, PixelsMut};
pub use codes::{Alpha, Capability, Layout, ParamType, Sample, ThreadClass, Transfer};
pub use describe::{Capabilities, FileType, Filter, Input, Kind, Param, Value};
pub use region::Region;
pub use status::{Failure, Status};
