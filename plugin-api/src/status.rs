//! Statuses and failures of calls.

use std::panic::{AssertUnwindSafe, catch_unwind};

use strum::{Display, FromRepr};

use crate::abi;

/// Why a call failed. `Display` writes the name in snake case; [`crate::INR_OK`] has no variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, FromRepr)]
#[repr(i32)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// The host cancelled the call.
    Cancelled = abi::INR_CANCELLED,
    /// A pointer, size or value is invalid.
    BadArgument = abi::INR_BAD_ARGUMENT,
    /// The plug-in does not support a valid request.
    Unsupported = abi::INR_UNSUPPORTED,
    /// The file is damaged or has another format.
    Corrupt = abi::INR_CORRUPT,
    /// The request exceeds the limits.
    TooLarge = abi::INR_TOO_LARGE,
    /// Not enough memory.
    OutOfMemory = abi::INR_OUT_OF_MEMORY,
    /// Reading or writing failed.
    Io = abi::INR_IO,
    /// The plug-in and the host share no ABI version.
    Version = abi::INR_VERSION,
    /// A bug in the plug-in.
    Internal = abi::INR_INTERNAL,
}

impl Status {
    /// The C constant.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The status of a code other than [`crate::INR_OK`]. Codes of later versions count as [`Status::Internal`].
    pub fn from_code(code: i32) -> Self {
        Self::from_repr(code).unwrap_or(Self::Internal)
    }
}

/// A failed call, with the message of its handle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Family of the failure.
    pub status: Status,
    /// The problem and its remedy, in lower case without a full stop.
    pub message: String,
}

impl Failure {
    /// Returns a failure with this status.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// Returns a failure with [`Status::BadArgument`].
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(Status::BadArgument, message)
    }

    /// Returns a failure with [`Status::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Status::Unsupported, message)
    }

    /// Returns a failure with [`Status::Cancelled`].
    pub fn cancelled() -> Self {
        Self::new(Status::Cancelled, "cancelled")
    }

    /// Runs `work`; a panic becomes [`Status::Internal`], with a message that says that `who` panicked.
    ///
    /// # Errors
    /// The error of `work`, or its panic.
    pub fn catch<T>(who: &str, work: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        let done = catch_unwind(AssertUnwindSafe(work));
        done.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let text = text.unwrap_or("no message");
            let message = format!("a bug: {who} panicked: {text}");
            Err(Self::new(Status::Internal, message))
        })
    }
}
