//! Threads that stay: a training step is too short to start any.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a pool does: work on task number `.0` as worker number `.1`.
type Work = dyn Fn(usize, usize) + Send + Sync;

/// How long an idle worker looks for work before it sleeps: longer than what lies between two steps, for waking takes
/// longer than that.
const LOOK: Duration = Duration::from_micros(300);
/// How long it does so without offering its processor to others.
const LOOK_HARD: Duration = Duration::from_micros(30);

/// Threads that share out numbered tasks of one kind of work.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    work: Box<Work>,
    /// Counts runs; odd while workers may join one.
    round: AtomicU64,
    next: AtomicUsize,
    tasks: AtomicUsize,
    /// Workers within a run; changed with `gate` held.
    inside: AtomicUsize,
    gate: Mutex<()>,
    opened: Condvar,
    left: Condvar,
    ended: AtomicBool,
    panicked: AtomicBool,
}

impl Shared {
    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes tasks until none is left.
    fn share(&self, worker: usize) {
        loop {
            let task = self.next.fetch_add(1, Ordering::Relaxed);
            if task >= self.tasks.load(Ordering::Relaxed) {
                return;
            }
            (self.work)(task, worker);
        }
    }

    /// Waits for a run other than `seen` and joins it; `None` when the pool ends.
    fn join(&self, seen: u64) -> Option<u64> {
        let waits = |round: u64| round.is_multiple_of(2) || round == seen;
        look_for(|| {
            !waits(self.round.load(Ordering::Acquire)) || self.ended.load(Ordering::Relaxed)
        });
        let mut gate = self.gate();
        loop {
            if self.ended.load(Ordering::Relaxed) {
                return None;
            }
            let round = self.round.load(Ordering::Relaxed);
            if !waits(round) {
                self.inside.fetch_add(1, Ordering::Relaxed);
                return Some(round);
            }
            gate = self
                .opened
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Leaves the run even when the work panics, so that nobody waits for ever.
struct Inside<'a>(&'a Shared);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
        let _gate = self.0.gate();
        if self.0.inside.fetch_sub(1, Ordering::Release) == 1 {
            self.0.left.notify_one();
        }
    }
}

/// Spins for a while until `found`.
fn look_for(found: impl Fn() -> bool) {
    let began = Instant::now();
    while !found() {
        let spent = began.elapsed();
        if spent > LOOK {
            return;
        } else if spent > LOOK_HARD {
            std::thread::yield_now();
        } else {
            (0..32).for_each(|_| std::hint::spin_loop());
        }
    }
}

impl Pool {
    /// A pool whose caller is worker 0 and that starts `threads` - 1 more.
    ///
    /// # Errors
    /// Whatever the system says when it starts no thread.
    pub(crate) fn new(
        threads: usize,
        work: impl Fn(usize, usize) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            work: Box::new(work),
            round: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            tasks: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
            gate: Mutex::new(()),
            opened: Condvar::new(),
            left: Condvar::new(),
            ended: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        let mut pool = Self {
            shared: shared.clone(),
            threads: Vec::new(),
        };
        for worker in 1..threads.max(1) {
            let shared = shared.clone();
            let body = move || {
                let mut seen = 0;
                while let Some(round) = shared.join(seen) {
                    let inside = Inside(&shared);
                    seen = round;
                    shared.share(worker);
                    drop(inside);
                }
            };
            let thread = std::thread::Builder::new()
                .name("inr-fit".into())
                .spawn(body)?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Works on tasks 0 to `tasks` - 1, in any order and at the same time; true when none panicked elsewhere.
    pub(crate) fn run(&mut self, tasks: usize) -> bool {
        let shared = &self.shared;
        if tasks > 1 && !self.threads.is_empty() {
            let gate = shared.gate();
            shared.tasks.store(tasks, Ordering::Relaxed);
            shared.next.store(0, Ordering::Relaxed);
            shared.round.fetch_add(1, Ordering::Release);
            shared.opened.notify_all();
            drop(gate);
            let closing = Closing(shared);
            shared.share(0);
            drop(closing);
        } else {
            (0..tasks).for_each(|task| (shared.work)(task, 0));
        }
        !shared.panicked.load(Ordering::Relaxed)
    }
}

/// Closes a run and waits for everyone to leave it.
struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        {
            let _gate = self.0.gate();
            self.0.round.fetch_add(1, Ordering::Release);
        }
        look_for(|| self.0.inside.load(Ordering::Acquire) == 0);
        let mut gate = self.0.gate();
        while self.0.inside.load(Ordering::Acquire) > 0 {
            gate = self
                .0
                .left
                .wait(gate)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        {
            let _gate = self.shared.gate();
            self.shared.ended.store(true, Ordering::Relaxed);
            self.shared.opened.notify_all();
        }
        for thread in self.threads.drain(..) {
            // A panic was reported by `run`.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_of_every_run_is_done_once() {
        let counts: Arc<Vec<AtomicUsize>> =
            Arc::new((0..50).map(|_| AtomicUsize::new(0)).collect());
        let counted = counts.clone();
        let mut pool = Pool::new(3, move |task, worker| {
            assert!(worker < 3);
            counted[task].fetch_add(1, Ordering::Relaxed);
        })
        .expect("threads start");
        for run in 0..2_000 {
            assert!(pool.run(1 + run % 50));
        }
        for (task, count) in counts.iter().enumerate() {
            let wanted = (0..2_000).filter(|run| run % 50 >= task).count();
            assert_eq!(count.load(Ordering::Relaxed), wanted, "task {task}");
        }
    }

    #[test]
    fn a_panic_in_a_worker_is_reported_and_ends_nothing_else() {
        let mut pool = Pool::new(2, |_, worker| {
            assert!(worker == 0, "on purpose");
            std::thread::sleep(Duration::from_millis(1));
        })
        .expect("threads start");
        let fine = (0..50).all(|_| pool.run(64));
        assert!(!fine);
    }
}
