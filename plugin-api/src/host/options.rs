//! Limits and services of the host.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::*;

/// Limits and services for a session.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Maximum number of threads of a call; 0: one per processor.
    pub threads: u32,
    /// Maximum number of pixels of an input or output; 0: the plug-in's own limit.
    pub max_pixels: u64,
    /// Maximum size of a file in bytes; 0: the plug-in's own limit.
    pub max_bytes: u64,
    /// Receives lines of the plug-in's log with their levels, `INR_LOG_*`.
    pub log: Option<fn(u32, &str)>,
}

#[derive(Debug)]
pub(super) struct Context {
    pub(super) log: Option<fn(u32, &str)>,
}

/// Builds the C struct of this host; `ctx` is a [`Context`] or NULL.
pub(super) fn raw_host(options: &Options, ctx: *mut c_void) -> InrHost {
    InrHost {
        struct_size: size_of::<InrHost>(),
        abi_major: INR_ABI_MAJOR,
        abi_minor: INR_ABI_MINOR,
        name: c"inr".as_ptr(),
        ctx,
        alloc: None,
        free: None,
        log: (options.log.is_some() && !ctx.is_null()).then_some(log),
        max_threads: options.threads,
        reserved: 0,
        max_pixels: options.max_pixels,
        max_bytes: options.max_bytes,
    }
}

unsafe extern "C" fn log(ctx: *mut c_void, level: u32, message: *const c_char) {
    if message.is_null() {
        return;
    }
    // SAFETY: `ctx` is the context of an open session, and nothing writes to it.
    let context = unsafe { &*ctx.cast::<Context>() };
    // SAFETY: the header requires a string.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    if let Some(log) = context.log {
        // A panic must not unwind into the plug-in; losing a line of the log does less harm.
        let _ = catch_unwind(AssertUnwindSafe(|| log(level, &text)));
    }
}
