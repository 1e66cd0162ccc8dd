//! Progress of long jobs, and how they are stopped: one observer type for the library, the program, plug-ins and bindings.

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
    /// Set once the observer wants the job to end.
    ended: Option<Control>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(observer: &'a mut dyn Observer) -> Self {
        Self {
            observer,
            started: Instant::now(),
            share: 0.0,
            ended: None,
        }
    }

    /// When the job began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// True once the observer asked to keep the best result so far.
    pub(crate) fn stopped(&self) -> bool {
        self.ended == Some(Control::Stop)
    }

    /// Passes a remark on.
    pub(crate) fn note(&mut self, text: &str) {
        self.observer.note(text);
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
        let (from, started) = (self.share, self.started);
        let until = until.max(from);
        let (observer, share, ended) = (&mut *self.observer, &mut self.share, &mut self.ended);
        let mut watcher = |done: u64| {
            let part = (done as f64 / units.max(1) as f64).min(1.0);
            *share = from + (until - from) * part;
            let control = observer.progress(&Progress::new(phase, *share, started));
            if control != Control::Continue {
                *ended = Some(control);
            }
            control == Control::Continue
        };
        let made = Job::watched(&mut watcher, work)?;
        self.share = until;
        Ok(made)
    }
}
