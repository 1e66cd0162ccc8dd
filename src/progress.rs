//! Progress of long jobs, and how they are stopped: one observer type for the library, the program, plug-ins and bindings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use inr_kernel::Job;

use crate::error::Error;

/// The present part of a long job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// Fitting a field to the picture.
    Fit,
    /// Rounding it, or fine-tuning a network with rounded weights.
    Quantise,
    /// Decoding the written bytes to measure them.
    Verify,
    /// Rendering a field.
    Render,
    /// Editing a picture.
    Edit,
    /// Training a network that enlarges pictures.
    Train,
    /// Enlarging a picture.
    Enlarge,
}

/// State of a long job.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// The present part of the job.
    pub phase: Phase,
    /// Share of the whole job that is done, 0.0..=1.0; it never falls.
    pub share: f64,
    /// Latest PSNR in dB, once there is one.
    pub psnr: Option<f64>,
    /// Time since the job began.
    pub elapsed: Duration,
    /// Estimated time to the job's end, once there is an estimate.
    pub remaining: Option<Duration>,
}

/// Share of a job below which its end is not estimated.
const TOO_EARLY: f64 = 0.02;

impl Progress {
    /// A job that began at `started`, with `share` of it done; the time that remains is extrapolated.
    pub fn new(phase: Phase, share: f64, started: Instant) -> Self {
        let elapsed = started.elapsed();
        let share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        let estimate = || elapsed.mul_f64((1.0 - share) / share);
        Self {
            phase,
            share,
            psnr: None,
            elapsed,
            remaining: (share > TOO_EARLY).then(estimate),
        }
    }
}

/// The observer's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Continue.
    Continue,
    /// End now and return the best result so far. Jobs without a partial result treat it as [`Control::Abort`].
    Stop,
    /// End now with [`Error::Cancelled`].
    Abort,
}

/// Observes a long job and decides whether it continues.
pub trait Observer {
    /// Called about 25 times a second on the thread that began the job; the answer takes effect at once.
    fn progress(&mut self, progress: &Progress) -> Control;

    /// Receives a remark for the user, such as a fallback that was taken.
    fn note(&mut self, _text: &str) {}

    /// True when a checkpoint is wanted; called before progress is reported. Fits of networks make checkpoints.
    fn wants_checkpoint(&mut self) -> bool {
        false
    }

    /// Receives a checkpoint, from which the job can be resumed.
    fn checkpoint(&mut self, _bytes: &[u8]) {}
}

/// Observes nothing.
impl Observer for () {
    fn progress(&mut self, _: &Progress) -> Control {
        Control::Continue
    }
}

/// Reports the parts of one job to its observer, one after the other.
pub(crate) struct Meter<'a> {
    observer: &'a mut dyn Observer,
    started: Instant,
    share: f64,
    /// For jobs that can return a partial result: the moment from which they hurry.
    deadline: Option<Instant>,
    /// Whether [`Control::Stop`] makes the job hurry; it ends at once otherwise.
    graceful: bool,
    hurry: Arc<AtomicBool>,
    stop: Option<Stop>,
}

/// Why a job hurries to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The observer answered [`Control::Stop`].
    Observer,
    /// The deadline passed.
    Deadline,
}

impl<'a> Meter<'a> {
    /// Of a job that ends without a result when it is stopped.
    pub(crate) fn new(observer: &'a mut dyn Observer) -> Self {
        Self {
            observer,
            started: Instant::now(),
            share: 0.0,
            deadline: None,
            graceful: false,
            hurry: Arc::default(),
            stop: None,
        }
    }

    /// Of a job that hurries to a partial result when it is stopped, or when its time is spent.
    #[cfg(feature = "fit")]
    pub(crate) fn graceful(observer: &'a mut dyn Observer, time: Option<Duration>) -> Self {
        let meter = Self::new(observer);
        Self {
            deadline: time.and_then(|time| meter.started.checked_add(time)),
            graceful: true,
            ..meter
        }
    }

    /// Set once a graceful job is to hurry; work may look at it from any thread.
    #[cfg(feature = "fit")]
    pub(crate) fn hurry(&self) -> Arc<AtomicBool> {
        self.hurry.clone()
    }

    /// Why the job hurries, if it does.
    #[cfg(feature = "fit")]
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// The time since the job began.
    #[cfg(feature = "fit")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The share that is done.
    #[cfg(feature = "fit")]
    pub(crate) fn share(&self) -> f64 {
        self.share
    }

    /// Passes a remark on.
    #[cfg(feature = "fit")]
    pub(crate) fn note(&mut self, text: &str) {
        self.observer.note(text);
    }

    /// Reports `share` of the whole; `false` when the job must end.
    fn report(&mut self, phase: Phase, share: f64) -> bool {
        self.share = share.max(self.share);
        let progress = Progress::new(phase, self.share, self.started);
        let control = self.observer.progress(&progress);
        let late = self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline);
        let stop = match control {
            Control::Stop => Some(Stop::Observer),
            _ => late.then_some(Stop::Deadline),
        };
        if self.graceful && stop.is_some() {
            self.stop = self.stop.or(stop);
            self.hurry.store(true, Ordering::Relaxed);
        }
        match control {
            Control::Continue => true,
            Control::Stop => self.graceful,
            Control::Abort => false,
        }
    }

    /// Does a part of the job, of `units`, that ends at `until` of the whole, 0.0..=1.0.
    ///
    /// # Errors
    /// The error of `work`; [`Error::Cancelled`] when the observer ended it.
    pub(crate) fn part<T>(
        &mut self,
        phase: Phase,
        until: f64,
        units: u64,
        work: impl FnOnce(&mut Job) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (from, until) = (self.share, until.max(self.share));
        if !self.report(phase, from) {
            return Err(Error::Cancelled);
        }
        let mut watcher = |done: u64| {
            let part = (done as f64 / units.max(1) as f64).min(1.0);
            self.report(phase, from + (until - from) * part)
        };
        let made = Job::watched(&mut watcher, work)?;
        self.share = until;
        Ok(made)
    }

    /// Does a part of the job that takes an observer of its own, and that a graceful job can do without: it ends as soon as
    /// the job hurries.
    ///
    /// # Errors
    /// The error of `work`; [`Error::Cancelled`] when it was ended.
    #[cfg(feature = "fit")]
    pub(crate) fn observed<T>(
        &mut self,
        phase: Phase,
        until: f64,
        work: impl FnOnce(&mut dyn Observer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (from, until) = (self.share, until.max(self.share));
        let made = work(&mut Nested {
            meter: self,
            phase,
            from,
            until,
        })?;
        self.share = until;
        Ok(made)
    }
}

/// A part of a job as the observer of the work in it.
#[cfg(feature = "fit")]
struct Nested<'a, 'b> {
    meter: &'a mut Meter<'b>,
    phase: Phase,
    from: f64,
    until: f64,
}

#[cfg(feature = "fit")]
impl Observer for Nested<'_, '_> {
    fn progress(&mut self, progress: &Progress) -> Control {
        let share = self.from + (self.until - self.from) * progress.share;
        let goes_on = self.meter.report(self.phase, share);
        match goes_on && self.meter.stop.is_none() {
            true => Control::Continue,
            false => Control::Abort,
        }
    }
}
