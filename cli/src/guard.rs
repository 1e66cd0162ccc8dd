//! Panics become errors: one bad file does not stop the others, nor the program.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::failure::refused;

/// Message and place of the latest panic.
static LATEST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the messages of panics instead of printing them. [`guarded`] reports those that nobody handles.
pub fn keep_panics_quiet() {
    set_hook(Box::new(|panic| {
        let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some(panic.to_string().replace('\n', " "));
    }));
}

/// Does `work`; a panic in it becomes an error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
        let message = latest.take().unwrap_or_else(|| "a panic".into());
        let help = "this is a fault of the program: please report it, with the file";
        Err(refused(format!("internal error: {message}"), help))
    })
}
