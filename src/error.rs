//! The one public error type of the library.

use inr_formats::FormatError;

/// Everything that can go wrong in the library, in four families: I/O, malformed input, misuse by the caller, limit
/// reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The `.inr` bytes are damaged, lie, or ask for more than [`crate::Limits`] allows.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The picture file is damaged or of a kind that is not read here.
    #[error(transparent)]
    Picture(inr_image::Error),
    /// A checkpoint cannot be resumed.
    #[cfg(feature = "fit")]
    #[error(transparent)]
    Checkpoint(#[from] crate::fit::checkpoint_error::CheckpointError),
    /// The caller asked for something that cannot be: `what` names the argument and the value found, `want` the values
    /// that are accepted.
    #[error("{what}; {want}")]
    Misuse {
        /// The argument and the value found.
        what: String,
        /// What is accepted instead.
        want: &'static str,
    },
    /// The work asked for exceeds a limit.
    #[error("{what} needs {asked}, the limit is {limit}")]
    OverLimit {
        /// What was asked for, with its unit.
        what: &'static str,
        /// The amount asked for.
        asked: u64,
        /// The amount allowed.
        limit: u64,
    },
    /// The device asked for is absent or failed.
    #[error("device {device}: {reason}")]
    Device {
        /// The device as the caller named it.
        device: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// The fit was cancelled by its observer before anything worth keeping existed.
    #[error("cancelled")]
    Cancelled,
    /// The fit diverged and lower learning rates did not help.
    #[error(
        "the fit diverged at step {step} and again after {restarts} restarts with a lower learning rate"
    )]
    Diverged {
        /// Step of the last divergence.
        step: u64,
        /// Restarts tried.
        restarts: u32,
    },
}

impl From<inr_image::Error> for Error {
    fn from(error: inr_image::Error) -> Self {
        match error {
            inr_image::Error::Io(error) => Self::Io(error),
            inr_image::Error::Misuse { what, want } => Self::Misuse { what, want },
            other => Self::Picture(other),
        }
    }
}

impl From<inr_kernel::Cancelled> for Error {
    fn from(_: inr_kernel::Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<inr_kernel::LayersMismatch> for Error {
    fn from(error: inr_kernel::LayersMismatch) -> Self {
        Self::Misuse {
            what: error.to_string(),
            want: "give the layers the model's shapes",
        }
    }
}
