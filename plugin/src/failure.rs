//! The library's errors as hosts see them, and progress on its way to them.

use inr::{Control, Error, FormatError, Observer, PictureError, Progress};
use inr_plugin_api::guest::Watch;
use inr_plugin_api::{Failure, Status};

/// The failure that stands for `error`.
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

/// What the library's edits watch: the host's progress from `begin` to `end`.
pub(crate) fn watching(watch: &Watch, begin: f64, end: f64) -> impl FnMut(f64) -> Control {
    move |share| match watch.done(begin + share * (end - begin)) {
        Ok(()) => Control::Continue,
        Err(_) => Control::Abort,
    }
}

/// What the library's renders watch: all of the host's progress.
pub(crate) fn telling(watch: &Watch) -> impl Fn(f64) -> Result<(), Error> {
    |share| watch.done(share).map_err(|_| Error::Cancelled)
}

/// What the library's encoder and enlargements watch.
pub(crate) struct Watched<'a>(pub(crate) &'a Watch);

impl Observer for Watched<'_> {
    fn progress(&mut self, progress: &Progress) -> Control {
        match self.0.done(progress.share) {
            Ok(()) => Control::Continue,
            Err(_) => Control::Abort,
        }
    }
}
