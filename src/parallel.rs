//! Tasks on several threads, watched and stopped by the one that began them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::{Control, Error};

/// Who watches a job hears of it this often.
const EVERY: Duration = Duration::from_millis(40);

/// Told how many units of a job are done; anything but [`Control::Continue`] ends it.
pub(crate) type Watcher<'a> = &'a mut dyn FnMut(u64) -> Control;

/// What the threads of a job have in common.
#[derive(Default)]
struct Shared {
    done: AtomicU64,
    stopped: AtomicBool,
}

/// A job as one of its threads sees it.
pub(crate) struct Pulse<'a> {
    shared: &'a Shared,
    /// Only the thread that began the job has it; when it last heard.
    watcher: Option<(Watcher<'a>, Option<Instant>)>,
}

impl Pulse<'_> {
    /// Counts `units` as done. Call it every few milliseconds: it is how the job is watched and ended, and costs next to
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the job shall end.
    pub(crate) fn beat(&mut self, units: u64) -> Result<(), Error> {
        let Shared { done, stopped } = self.shared;
        let done = done.fetch_add(units, Ordering::Relaxed) + units;
        if let Some((watcher, told)) = &mut self.watcher
            && told.is_none_or(|told| told.elapsed() >= EVERY)
        {
            *told = Some(Instant::now());
            if watcher(done) != Control::Continue {
                stopped.store(true, Ordering::Relaxed);
            }
        }
        match stopped.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    /// Does tasks number 0 to `count` on up to `threads` threads; the first error ends it.
    ///
    /// # Errors
    /// What a task returns.
    pub(crate) fn in_parallel(
        &mut self,
        threads: usize,
        count: usize,
        task: impl Fn(usize, &mut Pulse) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let next = AtomicUsize::new(0);
        self.on_threads(threads.min(count), |pulse| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok(());
                }
                if let Err(error) = task(index, pulse) {
                    next.store(count, Ordering::Relaxed);
                    return Err(error);
                }
            }
        })
    }

    /// Does `work` on this thread and `threads` less one others at once; the first error counts.
    ///
    /// # Errors
    /// What `work` returns.
    pub(crate) fn on_threads(
        &mut self,
        threads: usize,
        work: impl Fn(&mut Pulse) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        let work = |pulse: &mut Pulse| {
            if let Err(error) = work(pulse) {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert(error);
            }
        };
        let shared = self.shared;
        let others = threads.max(1) - 1;
        let left = AtomicUsize::new(others);
        let caller = thread::current();
        thread::scope(|scope| {
            for _ in 0..others {
                scope.spawn(|| {
                    let _leaving = Leaving(&left, &caller);
                    work(&mut Pulse {
                        shared,
                        watcher: None,
                    });
                });
            }
            work(self);
            // What the others still do is watched too; they see for themselves when it shall end.
            while self.watcher.is_some() && left.load(Ordering::Acquire) > 0 {
                thread::park_timeout(EVERY);
                let _ = self.beat(0);
            }
        });
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(Ok(()), Err)
    }
}

/// Does `work`, which `watcher` watches.
///
/// # Errors
/// What `work` returns; [`Error::Cancelled`] when the watcher ended it.
pub(crate) fn watched<T>(
    watcher: Watcher,
    work: impl FnOnce(&mut Pulse) -> Result<T, Error>,
) -> Result<T, Error> {
    work(&mut Pulse {
        shared: &Shared::default(),
        watcher: Some((watcher, None)),
    })
}

/// Does `work`, which nobody watches.
///
/// # Errors
/// What `work` returns.
pub(crate) fn unwatched<T>(work: impl FnOnce(&mut Pulse) -> Result<T, Error>) -> Result<T, Error> {
    work(&mut Pulse {
        shared: &Shared::default(),
        watcher: None,
    })
}

/// [`Pulse::in_parallel`] of a job that nobody watches.
///
/// # Errors
/// What a task returns.
#[cfg(feature = "fit")]
pub(crate) fn in_parallel(
    threads: usize,
    count: usize,
    task: impl Fn(usize) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    unwatched(|pulse| pulse.in_parallel(threads, count, |index, _| task(index)))
}

/// Counts a thread as gone when it is, panics included, and wakes the one that waits.
struct Leaving<'a>(&'a AtomicUsize, &'a Thread);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
        self.1.unpark();
    }
}
