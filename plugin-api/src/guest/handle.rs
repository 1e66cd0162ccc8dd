//! Handles that take one call at a time, keep the message of the last failure, and end at a panic.

use std::cell::UnsafeCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::*;
use crate::abi_codec::InrBytes;
use crate::status::{Failure, Status};
use crate::structs::{self, c_string};

/// What is behind a handle.
#[derive(Debug)]
pub struct Handle<T> {
    busy: AtomicBool,
    inside: UnsafeCell<Inside<T>>,
}

#[derive(Debug)]
struct Inside<T> {
    poisoned: bool,
    message: CString,
    body: T,
}

impl<T> Handle<T> {
    /// A handle to give away; [`Handle::close`] takes it back.
    pub fn open(body: T) -> *mut Self {
        let inside = Inside {
            poisoned: false,
            message: CString::default(),
            body,
        };
        Box::into_raw(Box::new(Self {
            busy: AtomicBool::new(false),
            inside: UnsafeCell::new(inside),
        }))
    }

    /// Frees what is behind a handle; NULL is fine. A panic of its drop goes no further.
    ///
    /// # Safety
    /// `handle` is NULL or from [`Handle::open`], is not used any more, and no call is under way.
    pub unsafe fn close(handle: *mut Self) {
        if handle.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        let handle = unsafe { Box::from_raw(handle) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    }

    /// Calls `work` and returns its code; the message is kept. NULL, a handle in use by another call and a handle that a
    /// panic went through are refused.
    ///
    /// # Safety
    /// `handle` is NULL or from [`Handle::open`] and not closed.
    pub unsafe fn with(
        handle: *const Self,
        work: impl FnOnce(&mut T) -> Result<(), Failure>,
    ) -> i32 {
        // SAFETY: the caller's promise.
        let Some(handle) = (unsafe { handle.as_ref() }) else {
            return INR_BAD_ARGUMENT;
        };
        if handle.busy.swap(true, Ordering::Acquire) {
            return INR_BAD_ARGUMENT;
        }
        // SAFETY: `busy` was false, so no other call is here until it is again.
        let inside = unsafe { &mut *handle.inside.get() };
        let code = inside.call(work);
        handle.busy.store(false, Ordering::Release);
        code
    }

    /// The message of the last call, there until the next one.
    ///
    /// # Safety
    /// As [`Handle::with`].
    pub unsafe fn message(handle: *const Self) -> *const c_char {
        const NONE: &CStr = c"the handle is NULL";
        const BUSY: &CStr = c"another call uses this handle";
        // SAFETY: the caller's promise.
        let Some(handle) = (unsafe { handle.as_ref() }) else {
            return NONE.as_ptr();
        };
        if handle.busy.swap(true, Ordering::Acquire) {
            return BUSY.as_ptr();
        }
        // SAFETY: `busy` was false, so no other call is here until it is again.
        let message = unsafe { &*handle.inside.get() }.message.as_ptr();
        handle.busy.store(false, Ordering::Release);
        message
    }
}

impl<T> Inside<T> {
    fn call(&mut self, work: impl FnOnce(&mut T) -> Result<(), Failure>) -> i32 {
        if self.poisoned {
            self.message =
                c"an earlier call failed inside the plug-in; close this handle".to_owned();
            return INR_INTERNAL;
        }
        match guarded(|| work(&mut self.body)) {
            Ok(()) => {
                self.message = CString::default();
                INR_OK
            }
            Err(failure) => {
                self.poisoned = failure.status == Status::Internal;
                self.message = c_string(&failure.message);
                failure.status.code()
            }
        }
    }
}

/// Runs `work`; a panic becomes a failure.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    Failure::catch("the plug-in", work)
}

/// What the host allows and offers.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    host: InrHost,
}

// SAFETY: the header lets any thread call `alloc`, `free` and `log`; the rest is numbers.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// # Safety
    /// `host` is NULL or an `InrHost` that keeps to the header while sessions opened with it live.
    pub(super) unsafe fn new(host: *const InrHost) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let host = unsafe { structs::read(host) }?;
        if host.alloc.is_some() != host.free.is_some() {
            return Err(Failure::bad("the host gives one of alloc and free only"));
        }
        Ok(Self { host })
    }

    /// Threads that a call may use.
    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self.host.max_threads {
            0 => all(),
            threads => threads as usize,
        }
    }

    /// Pixels at most, if the host says.
    pub fn max_pixels(&self) -> Option<u64> {
        Some(self.host.max_pixels).filter(|limit| *limit > 0)
    }

    /// Bytes of a file at most, if the host says.
    pub fn max_bytes(&self) -> Option<u64> {
        Some(self.host.max_bytes).filter(|limit| *limit > 0)
    }

    /// Hands a line to the host's log.
    pub fn log(&self, level: u32, text: &str) {
        if let Some(log) = self.host.log {
            // SAFETY: the host promised that it works on any thread.
            unsafe { log(self.host.ctx, level, c_string(text).as_ptr()) }
        }
    }

    /// `bytes` in the host's memory, or ours if it gives none; [`Host::release`] takes them back.
    ///
    /// # Errors
    /// [`Status::OutOfMemory`] when the host has none left.
    pub fn hand_out(&self, bytes: Vec<u8>) -> Result<InrBytes, Failure> {
        let size = bytes.len();
        let data: *mut u8 = match self.host.alloc {
            None => Box::into_raw(bytes.into_boxed_slice()).cast(),
            Some(alloc) => {
                // SAFETY: the host promised that it works.
                let data: *mut u8 = unsafe { alloc(self.host.ctx, size.max(1)) }.cast();
                if data.is_null() {
                    let message = format!("the host has no {size} bytes left");
                    return Err(Failure::new(Status::OutOfMemory, message));
                }
                // SAFETY: the host gave at least `size` bytes.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, size) }
                data
            }
        };
        let struct_size = size_of::<InrBytes>();
        Ok(InrBytes {
            struct_size,
            data,
            size,
        })
    }

    /// Frees what [`Host::hand_out`] gave.
    ///
    /// # Safety
    /// `bytes` is from there, of a host with the same functions, and was not freed.
    pub unsafe fn release(&self, bytes: InrBytes) {
        if bytes.data.is_null() {
            return;
        }
        match self.host.free {
            // SAFETY: the caller's promise: its own `alloc` gave it.
            Some(free) => unsafe { free(self.host.ctx, bytes.data.cast()) },
            None => {
                let slice = std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.size);
                // SAFETY: the caller's promise: a box gave it.
                drop(unsafe { Box::from_raw(slice) });
            }
        }
    }
}

/// What is behind an `InrSession`.
#[derive(Debug)]
pub struct Session {
    /// Who opened it.
    pub host: Host,
}

/// [`Handle::with`] of a session: for the functions of suites.
///
/// # Safety
/// `session` is NULL or was opened by this plug-in and is not closed.
pub unsafe fn in_session(
    session: *mut InrSession,
    work: impl FnOnce(&mut Session) -> Result<(), Failure>,
) -> i32 {
    // SAFETY: sessions are such handles, and the caller's promise.
    unsafe { Handle::<Session>::with(session.cast(), work) }
}
