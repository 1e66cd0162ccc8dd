//! A gdk-pixbuf loader of `.inr` files, for the thumbnails and viewers of GNOME, Xfce and MATE.
//!
//! gdk-pixbuf asks for a picture's size before it takes its pixels; a field is rendered at that size rather than scaled to
//! it. Decoding is `libinr_plugin`'s, linked in and called by its ABI; here is what gdk-pixbuf wants of loaders.

#![cfg(target_os = "linux")]

mod module;
mod picture;
mod sys;

pub use module::{fill_info, fill_vtable};
