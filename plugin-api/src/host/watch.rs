//! Progress and cancelling.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::InrProgress;

/// Watches a call and stops it.
pub struct Watcher<'a> {
    /// Told how much is done, 0 to 1, on the calling thread; false asks to stop.
    pub progress: &'a mut dyn FnMut(f64) -> bool,
    /// Asks to stop once it is true; any thread may set it.
    pub cancelled: &'a AtomicBool,
}

impl std::fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// A watcher, and the panic of its progress that has to wait until the plug-in returned.
struct Watching<'a> {
    watcher: Watcher<'a>,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

/// Hands `watcher` as C sees it to `work`.
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
    // Other threads ask for `cancelled` while this one reports progress: they must not share the exclusive part.
    let mut both = (cancelled, &raw mut watching);
    let progress = InrProgress {
        struct_size: size_of::<InrProgress>(),
        ctx: (&raw mut both).cast(),
        progress: Some(told),
        is_cancelled: Some(asked),
    };
    let result = work(&progress);
    if let Some(panic) = watching.panic {
        std::panic::resume_unwind(panic);
    }
    result
}

type Both<'a> = (&'a AtomicBool, *mut Watching<'a>);

unsafe extern "C" fn told(ctx: *mut c_void, share: f64) -> u32 {
    // SAFETY: `ctx` is from `watched`, whose call is not over; only the thread that runs it comes here.
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

unsafe extern "C" fn asked(ctx: *mut c_void) -> u32 {
    // SAFETY: `ctx` is from `watched`, whose call is not over; the flag may be read from any thread.
    let cancelled = unsafe { (*ctx.cast_const().cast::<Both>()).0 };
    cancelled.load(Ordering::Relaxed).into()
}
