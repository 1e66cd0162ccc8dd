//! How calls end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use strum::{Display, FromRepr};

use crate::abi;

/// Why a call failed; [`crate::INR_OK`] is the lack of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, FromRepr)]
#[repr(i32)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// The host asked to stop.
    Cancelled = abi::INR_CANCELLED,
    /// A pointer, size or value that cannot be.
    BadArgument = abi::INR_BAD_ARGUMENT,
    /// Something legal that the plug-in does not do.
    Unsupported = abi::INR_UNSUPPORTED,
    /// A damaged file.
    Corrupt = abi::INR_CORRUPT,
    /// More than the limits allow.
    TooLarge = abi::INR_TOO_LARGE,
    /// Memory ran out.
    OutOfMemory = abi::INR_OUT_OF_MEMORY,
    /// Reading or writing failed.
    Io = abi::INR_IO,
    /// No ABI version in common.
    Version = abi::INR_VERSION,
    /// A bug in the plug-in.
    Internal = abi::INR_INTERNAL,
}

impl Status {
    /// The code.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The status of a code other than [`crate::INR_OK`]. Codes of later versions count as [`Status::Internal`].
    pub fn from_code(code: i32) -> Self {
        Self::from_repr(code).unwrap_or(Self::Internal)
    }
}

/// A call that failed, and what its handle says about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Which family.
    pub status: Status,
    /// What is wrong and what would do, lower case, no full stop.
    pub message: String,
}

impl Failure {
    /// A failure of this family.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// [`Status::BadArgument`].
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(Status::BadArgument, message)
    }

    /// [`Status::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Status::Unsupported, message)
    }

    /// [`Status::Cancelled`].
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
