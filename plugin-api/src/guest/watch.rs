//! Progress and cancelling.

use crate::abi::InrProgress;
use crate::status::Failure;
use crate::structs;

/// How work is watched and stopped.
#[derive(Clone, Copy, Debug)]
pub struct Watch(pub(crate) Option<InrProgress>);

impl Watch {
    /// The watch that `progress` points to; NULL watches nothing.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] for a struct of the wrong size.
    ///
    /// # Safety
    /// `progress` is NULL or points to an `InrProgress` whose functions keep to the header for as long as the watch is
    /// used.
    pub unsafe fn new(progress: *const InrProgress) -> Result<Self, Failure> {
        if progress.is_null() {
            return Ok(Self(None));
        }
        // SAFETY: the caller's promise.
        let progress = unsafe { structs::read(progress) }?;
        Ok(Self(Some(progress)))
    }

    /// Tells the host that `share` of the work is done, 0 to 1. Call it on the thread that was called.
    ///
    /// # Errors
    /// [`crate::Status::Cancelled`] when the host wants no more of it.
    pub fn done(&self, share: f64) -> Result<(), Failure> {
        if let Some(InrProgress {
            ctx,
            progress: Some(progress),
            ..
        }) = self.0
        {
            let share = match share.is_nan() {
                true => 0.0,
                false => share.clamp(0.0, 1.0),
            };
            // SAFETY: the maker's promise; this is the calling thread.
            if unsafe { progress(ctx, share) } == 0 {
                return Err(Failure::cancelled());
            }
        }
        match self.is_cancelled() {
            true => Err(Failure::cancelled()),
            false => Ok(()),
        }
    }

    /// True when the host wants no more of it.
    pub fn is_cancelled(&self) -> bool {
        match self.0 {
            Some(InrProgress {
                ctx,
                is_cancelled: Some(is_cancelled),
                ..
            }) => {
                // SAFETY: the maker's promise; any thread may ask.
                unsafe { is_cancelled(ctx) != 0 }
            }
            _ => false,
        }
    }
}
