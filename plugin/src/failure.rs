//! Conversion of the library's errors and progress for hosts.

use inr::formats::FormatError;
use inr::{Control, Error, Observer, PictureError, Progress};
use inr_plugin_api::guest::Watch;
use inr_plugin_api::{Failure, Status};

/// Converts `error` into a failure of the ABI.
pub(crate) fn failure(error: &Error) -> Failure {
    let status = match error {
        Error::Io(_) => Status::Io,
        Error::Format(FormatError::OverLimit { .. })
        | Error::OverLimit { .. }
        | Error::Picture(PictureError::TooLarge { .. }) => Status::TooLarge,
        Error::Format(_) | Error::Picture(_) => Status::Corrupt,
        Error::Misuse { .. } => Status::BadArgument,
        Error::Cancelled => Status::Cancelled,
        _ => Status::Unsupported,
    };
    Failure::new(status, error.to_string())
}

/// Forwards the library's progress to the host.
pub(crate) struct Watched<'a>(pub(crate) &'a Watch);

impl Observer for Watched<'_> {
    fn progress(&mut self, progress: &Progress) -> Control {
        match self.0.done(progress.share) {
            Ok(()) => Control::Continue,
            Err(_) => Control::Abort,
        }
    }
}
