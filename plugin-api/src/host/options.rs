//! What a host lets plug-ins use.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::*;

/// What a plug-in may use.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads of a call; 0: as many as there are processors.
    pub threads: u32,
    /// Pixels of a picture or an output at most; 0: the plug-in's own limit.
    pub max_pixels: u64,
    /// Bytes of a file at most; 0: the plug-in's own limit.
    pub max_bytes: u64,
    /// Takes lines of its log, with levels `INR_LOG_*`.
    pub log: Option<fn(u32, &str)>,
}

#[derive(Debug)]
pub(super) struct Context {
    pub(super) log: Option<fn(u32, &str)>,
}

/// The struct that tells plug-ins of this host; `ctx` is a [`Context`] or NULL.
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
    // SAFETY: `ctx` is the context of a session that is not closed; it is only read.
    let context = unsafe { &*ctx.cast::<Context>() };
    // SAFETY: the header says that it is a string.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    if let Some(log) = context.log {
        // A panic must not go through the plug-in; a lost line of log is the lesser harm.
        let _ = catch_unwind(AssertUnwindSafe(|| log(level, &text)));
    }
}
