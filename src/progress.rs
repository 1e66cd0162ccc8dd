//! How long work reports and is stopped: one observer type for the program, plug-ins and bindings.

use std::fmt;
use std::time::Duration;

/// What a long job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Fitting the network in floating point.
    Fit,
    /// Fine-tuning it with quantised weights.
    Quantise,
    /// Decoding the written bytes to measure them.
    Verify,
    /// Training a network that enlarges pictures.
    Train,
    /// Enlarging a picture.
    Enlarge,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::Fit => "fit",
            Self::Quantise => "quantise",
            Self::Verify => "verify",
            Self::Train => "train",
            Self::Enlarge => "enlarge",
        })
    }
}

/// State of a long job.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Steps done in this phase.
    pub step: u64,
    /// Steps that this phase takes at most.
    pub steps: u64,
    /// Visits of every pixel so far, in this phase.
    pub epoch: f64,
    /// Latest PSNR in dB, once there is one.
    pub psnr: Option<f64>,
    /// Time since the job began.
    pub elapsed: Duration,
    /// Estimated time to this phase's end, once there is an estimate.
    pub remaining: Option<Duration>,
}

/// What the job should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// End now and keep what is there.
    Stop,
    /// End now and give nothing.
    Abort,
}

/// Watches a long job and decides whether it goes on.
pub trait Observer {
    /// Called several times a second; the answer takes effect at once.
    fn progress(&mut self, progress: &Progress) -> Control;

    /// Something the user should know, such as a fallback that was taken.
    fn note(&mut self, _text: &str) {}

    /// True when a checkpoint is wanted; asked before progress is told, and taken soon after. Fits of networks make them.
    fn wants_checkpoint(&mut self) -> bool {
        false
    }

    /// Takes all that [`crate::encode_from`] needs to go on from here.
    fn checkpoint(&mut self, _bytes: &[u8]) {}
}

/// Watches nothing.
impl Observer for () {
    fn progress(&mut self, _: &Progress) -> Control {
        Control::Continue
    }
}
