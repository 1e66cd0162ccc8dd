//! GEGL operations, which GIMP previews live: `inr:gradient`, `inr:laplacian` and `inr:sharpen`.
//!
//! Filters and parameters come from `libinr_plugin`, which is linked in and called through its ABI.

#![cfg(target_os = "linux")]

mod filter;
mod operation;
mod sys;

pub use operation::{gegl_module_query, gegl_module_register};
