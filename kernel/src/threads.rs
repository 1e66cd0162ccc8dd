//! Rows and items on several threads, with progress and cancellation by the caller.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Progress interval.
const EVERY: Duration = Duration::from_millis(40);

/// The watcher cancelled the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Receives the number of units done; returning `false` cancels the job. Called only on the thread that started the
/// job.
pub type Watcher<'a> = &'a mut dyn FnMut(u64) -> bool;

/// Default number of threads.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Minimum number of values per thread: with fewer, waking a second thread takes longer than it saves.
const WORTH_A_THREAD: usize = 1 << 15;

/// Number of threads to use for `values` cheap values, at most `threads`.
pub fn threads_for(values: usize, threads: usize) -> usize {
    threads.min(values / WORTH_A_THREAD).max(1)
}

/// Calls `work` with the index of each row of `out` and the row, which is `width` long, on up to `threads` threads.
pub fn each_row<T: Send>(
    out: &mut [T],
    width: usize,
    threads: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let width = width.max(1);
    let threads = threads_for(out.len(), threads);
    let rows = (out.len() / width).div_ceil(4 * threads).max(1);
    let bands = out.chunks_mut(rows * width);
    let done = Job::unwatched(|job| {
        job.items(threads, bands, |band, rows_of_it, _| {
            for (y, row) in rows_of_it.chunks_exact_mut(width).enumerate() {
                work(band * rows + y, row);
            }
            Ok::<(), Cancelled>(())
        })
    });
    done.expect("nobody watches, and no row fails");
}

/// State shared by the threads of a job.
#[derive(Default)]
struct Shared {
    done: AtomicU64,
    stopped: AtomicBool,
}

/// One thread's view of a job. Results never depend on the number of threads: every item has an index, which determines
/// the place of its result.
pub struct Job<'a> {
    shared: &'a Shared,
    /// The watcher and the time of its last call; only on the thread that started the job.
    watcher: Option<(Watcher<'a>, Option<Instant>)>,
}

impl Job<'_> {
    /// Runs `work`; calls `watcher` about 25 times a second.
    ///
    /// # Errors
    /// The error of `work`; [`Cancelled`] when the watcher cancelled it.
    pub fn watched<T, E: From<Cancelled>>(
        watcher: Watcher,
        work: impl FnOnce(&mut Job) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut Job {
            shared: &Shared::default(),
            watcher: Some((watcher, None)),
        })
    }

    /// Runs `work` without a watcher.
    ///
    /// # Errors
    /// The error of `work`.
    pub fn unwatched<T, E: From<Cancelled>>(
        work: impl FnOnce(&mut Job) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut Job {
            shared: &Shared::default(),
            watcher: None,
        })
    }

    /// Counts `units` as done. Call it every few milliseconds: it calls the watcher and reports cancellation.
    ///
    /// # Errors
    /// [`Cancelled`] when the job must stop.
    pub fn advance(&mut self, units: u64) -> Result<(), Cancelled> {
        let Shared { done, stopped } = self.shared;
        let done = done.fetch_add(units, Ordering::Relaxed) + units;
        if let Some((watcher, called)) = &mut self.watcher
            && called.is_none_or(|called| called.elapsed() >= EVERY)
        {
            *called = Some(Instant::now());
            if !watcher(done) {
                stopped.store(true, Ordering::Relaxed);
            }
        }
        match stopped.load(Ordering::Relaxed) {
            true => Err(Cancelled),
            false => Ok(()),
        }
    }

    /// Runs tasks 0 to `count` on up to `threads` threads; the first error stops the job.
    ///
    /// # Errors
    /// The first error of a task.
    pub fn each<E: From<Cancelled> + Send>(
        &mut self,
        threads: usize,
        count: usize,
        task: impl Fn(usize, &mut Job) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        let next = AtomicUsize::new(0);
        self.on_threads(threads.min(count), |job| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok(());
                }
                if let Err(error) = task(index, job) {
                    next.store(count, Ordering::Relaxed);
                    return Err(error);
                }
            }
        })
    }

    /// Returns the results of tasks 0 to `count` in order, computed on up to `threads` threads.
    ///
    /// # Errors
    /// The first error of a task.
    pub fn map<T: Send, E: From<Cancelled> + Send>(
        &mut self,
        threads: usize,
        count: usize,
        task: impl Fn(usize, &mut Job) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        self.map_items(threads, 0..count, |index, _, job| task(index, job))
    }

    /// Returns the results of `task` for every item and its index in order, computed on up to `threads` threads.
    ///
    /// # Errors
    /// The first error of a task.
    pub fn map_items<I: Send, T: Send, E: From<Cancelled> + Send>(
        &mut self,
        threads: usize,
        items: impl ExactSizeIterator<Item = I> + Send,
        task: impl Fn(usize, I, &mut Job) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        let mut results: Vec<Option<T>> = (0..items.len()).map(|_| None).collect();
        self.items(
            threads,
            items.zip(&mut results),
            |index, (item, slot), job| {
                *slot = Some(task(index, item, job)?);
                Ok::<(), E>(())
            },
        )?;
        Ok(results.into_iter().flatten().collect())
    }

    /// Runs `task` on every item and its index, on up to `threads` threads. Items are mutable slices or slots that do
    /// not overlap: rows, bands, results.
    ///
    /// # Errors
    /// The first error of a task.
    pub fn items<I: Send, E: From<Cancelled> + Send>(
        &mut self,
        threads: usize,
        items: impl ExactSizeIterator<Item = I> + Send,
        task: impl Fn(usize, I, &mut Job) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        self.items_with(
            threads,
            items,
            || (),
            |(), index, item, job| task(index, item, job),
        )
    }

    /// Same as [`Job::items`], with a `state` that each thread creates for itself, such as buffers.
    ///
    /// # Errors
    /// The first error of a task.
    pub fn items_with<S, I: Send, E: From<Cancelled> + Send>(
        &mut self,
        threads: usize,
        items: impl ExactSizeIterator<Item = I> + Send,
        state: impl Fn() -> S + Sync,
        task: impl Fn(&mut S, usize, I, &mut Job) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        let count = items.len();
        let queue = Mutex::new(items.enumerate());
        self.on_threads(threads.min(count), |job| {
            let mut state = state();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((index, item)) = next else {
                    return Ok(());
                };
                if let Err(error) = task(&mut state, index, item, job) {
                    // Empty the queue, so that no thread takes another item.
                    queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .by_ref()
                        .for_each(drop);
                    return Err(error);
                }
            }
        })
    }

    /// Runs `work` on this thread and concurrently on up to `threads - 1` others.
    ///
    /// # Errors
    /// The first error of `work`.
    pub fn on_threads<E: From<Cancelled> + Send>(
        &mut self,
        threads: usize,
        work: impl Fn(&mut Job) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        let failed: Mutex<Option<E>> = Mutex::new(None);
        let work = |job: &mut Job| {
            if let Err(error) = work(job) {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert(error);
            }
        };
        let shared = self.shared;
        let others = threads.max(1) - 1;
        if others == 0 {
            work(self);
        } else {
            let left = AtomicUsize::new(others);
            let caller = thread::current();
            let (work, left, caller) = (&work, &left, &caller);
            rayon::in_place_scope(|scope| {
                for _ in 0..others {
                    scope.spawn(move |_| {
                        let _leaving = Leaving(left, caller);
                        work(&mut Job {
                            shared,
                            watcher: None,
                        });
                    });
                }
                work(self);
                self.wait(left);
            });
        }
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(Ok(()), Err)
    }

    /// Calls the watcher until the other threads are done; they check for cancellation themselves.
    fn wait(&mut self, left: &AtomicUsize) {
        while self.watcher.is_some() && left.load(Ordering::Acquire) > 0 {
            // Inside a thread pool of the caller, this thread may be the only one that can run the spawned work.
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                thread::park_timeout(EVERY);
            }
            let _ = self.advance(0);
        }
    }
}

/// Decrements the count of running threads on drop, also after panics, and wakes the waiting thread.
struct Leaving<'a>(&'a AtomicUsize, &'a Thread);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
        self.1.unpark();
    }
}
