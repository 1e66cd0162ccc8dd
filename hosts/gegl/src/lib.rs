//! GEGL operations, which GIMP previews live: `inr:gradient`, `inr:laplacian` and `inr:sharpen`.
//!
//! Filters and parameters are those of `libinr_plugin`, linked in and called by its ABI; here is what GEGL wants of operations.

#![cfg(target_os = "linux")]

mod filter;
mod operation;
mod sys;

pub use operation::{gegl_module_query, gegl_module_register};
