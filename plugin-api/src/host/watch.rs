//! Progress and cancelling.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::InrProgress;

/// Receives the progress of a call and can cancel it.
pub struct Watcher<'a> {
    /// Receives the completed share, 0 to 1, on the calling thread; returns false to cancel.
    pub progress: &'a mut dyn FnMut(f64) -> bool,
    /// Cancels the call when true; any thread may set it.
    pub cancelled: &'a AtomicBool,
}

impl std::fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// A watcher, and a panic of its `progress` that resumes after the plug-in returns.
struct Watching<'a> {
    watcher: Watcher<'a>,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

/// Passes `watcher` as a C struct to `work`.
pub(super) fn watched<T>(
    watcher: Option<Watcher>,
    work: impl FnOnce(*const InrProgress) -> T,
) -> T {
    let Some(watcher) = watcher else {
        return work(null());
    };
    let cancelled = watcher.cancelled;
    let mut watching = Watching {
        watcher,
        panic: None,
    };
    // Other threads read `cancelled` while this one reports progress, so the exclusive reference must not cover it.
    let mut both = (cancelled, &raw mut watching);
    let progress = InrProgress {
        struct_size: size_of::<InrProgress>(),
        ctx: (&raw mut both).cast(),
        progress: Some(report),
        is_cancelled: Some(is_cancelled),
    };
    let result = work(&progress);
    if let Some(panic) = watching.panic {
        std::panic::resume_unwind(panic);
    }
    result
}

type Both<'a> = (&'a AtomicBool, *mut Watching<'a>);

unsafe extern "C" fn report(ctx: *mut c_void, share: f64) -> u32 {
    // SAFETY: `ctx` is from `watched`, whose call is still running; only its thread reports progress.
    let watching = unsafe { &mut *(*ctx.cast_const().cast::<Both>()).1 };
    if watching.panic.is_some() {
        return 0;
    }
    let progress = &mut watching.watcher.progress;
    match catch_unwind(AssertUnwindSafe(|| progress(share))) {
        Ok(goes_on) => goes_on.into(),
        Err(panic) => {
            watching.panic = Some(panic);
            0
        }
    }
}

unsafe extern "C" fn is_cancelled(ctx: *mut c_void) -> u32 {
    // SAFETY: `ctx` is from `watched`, whose call is still running; any thread may read the flag.
    let cancelled = unsafe { (*ctx.cast_const().cast::<Both>()).0 };
    cancelled.load(Ordering::Relaxed).into()
}
