//! Building blocks for plug-ins in Rust.
//!
//! Implement [`Plugin`] and pass the type to [`export_plugin!`](crate::export_plugin); neither needs unsafe code. A panic in
//! any of the functions ends as [`crate::INR_INTERNAL`], and the handle then takes no further calls. `examples/invert.rs` is
//! a complete plug-in.

mod call;
mod codec;
mod exports;
mod handle;
mod plugin;
mod tables;
mod watch;

pub use call::{Call, Image, Plan};
pub use codec::{Codec, CodecInfo, CodecTables, EncodeCall, RenderCall};
#[doc(hidden)]
pub use exports::get_api;
pub use handle::Host;
pub use plugin::{EDITS, Plugin};
pub use tables::{Description, Tables};
pub use watch::Watch;

/// Exports `inr_get_api` for a type that implements [`guest::Plugin`](crate::guest::Plugin).
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        /// The function that hosts load; see `inr_plugin.h`.
        ///
        /// # Safety
        /// `host` is NULL or an `InrHost`; `out` is NULL or writable.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn inr_get_api(
            abi_major: u32,
            host: *const $crate::InrHost,
            out: *mut *const $crate::InrApi,
        ) -> i32 {
            // SAFETY: the caller makes the same promise.
            unsafe { $crate::guest::get_api::<$plugin>(abi_major, host, out) }
        }
    };
}
