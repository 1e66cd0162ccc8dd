//! Progress and cancelling.

use crate::abi::InrProgress;
use crate::status::Failure;
use crate::structs;

/// Reports progress to the host and receives its request to cancel.
#[derive(Clone, Copy, Debug)]
pub struct Watch(pub(crate) Option<InrProgress>);

impl Watch {
    /// Wraps the callbacks of `progress`; NULL stands for none.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] for an unaligned struct or one below the minimum size.
    ///
    /// # Safety
    /// `progress` is NULL or points to an `InrProgress` whose functions follow the header until the last use of the watch.
    pub unsafe fn new(progress: *const InrProgress) -> Result<Self, Failure> {
        if progress.is_null() {
            return Ok(Self(None));
        }
        // SAFETY: the caller makes this promise.
        let progress = unsafe { structs::read(progress) }?;
        Ok(Self(Some(progress)))
    }

    /// Reports the completed share, 0 to 1, to the host. Call it only on the thread of the call.
    ///
    /// # Errors
    /// [`crate::Status::Cancelled`] when the host cancels.
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
            // SAFETY: the caller of `new` promised it, and this is the calling thread.
            if unsafe { progress(ctx, share) } == 0 {
                return Err(Failure::cancelled());
            }
        }
        match self.is_cancelled() {
            true => Err(Failure::cancelled()),
            false => Ok(()),
        }
    }

    /// True when the host cancels the call.
    pub fn is_cancelled(&self) -> bool {
        match self.0 {
            Some(InrProgress {
                ctx,
                is_cancelled: Some(is_cancelled),
                ..
            }) => {
                // SAFETY: the caller of `new` promised it; any thread may call it.
                unsafe { is_cancelled(ctx) != 0 }
            }
            _ => false,
        }
    }
}
