//! A gdk-pixbuf loader of `.inr` files for the thumbnails and viewers of GNOME, Xfce and MATE.
//!
//! gdk-pixbuf chooses a size before it takes pixels, and the loader renders the picture at that size instead of scaling it.
//! `libinr_plugin`, linked in and called through its ABI, decodes the files.

#![cfg(target_os = "linux")]

mod module;
mod picture;
mod sys;

pub use module::{fill_info, fill_vtable};
