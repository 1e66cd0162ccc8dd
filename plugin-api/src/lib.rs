//! The boundary between image editors and plug-ins that filter, enlarge, decode or encode pictures.
//!
//! `include/inr_plugin.h` is the boundary in C, generated from the types that this crate has under the same names. The
//! rest spares Rust from the pointers:
//!
//! - [`guest`]: what plug-ins are made of: say what the filters are, write safe functions, [`export_plugin!`].
//! - `host` (feature `host`): finds, loads and calls plug-ins.
//!
//! README.md has the rules that both sides keep.

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
pub use describe::{Capabilities, Filter, Input, Kind, Param, Value};
pub use region::Region;
pub use status::{Failure, Status};
