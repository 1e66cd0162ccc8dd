//! Handles that accept one call at a time, store the message of a failure, and reject calls after a panic.

use std::cell::UnsafeCell;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::abi::*;
use crate::abi_codec::InrBytes;
use crate::buffer::Pixels;
use crate::status::{Failure, Status};
use crate::structs::{self, AnyHost, c_string};

/// Contents of a handle.
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
    /// Allocates a handle; [`Handle::close`] frees it.
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

    /// Frees a handle. Accepts NULL and stops a panic of the destructor.
    ///
    /// # Safety
    /// `handle` is NULL or from [`Handle::open`], no call is running, and none follows.
    pub unsafe fn close(handle: *mut Self) {
        if handle.is_null() {
            return;
        }
        // SAFETY: the caller makes this promise.
        let handle = unsafe { Box::from_raw(handle) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    }

    /// Calls `work`, stores its message and returns its code. Rejects NULL, a handle in use by another call, and a handle
    /// after a panic.
    ///
    /// # Safety
    /// `handle` is NULL or from [`Handle::open`] and not closed.
    pub unsafe fn with(
        handle: *const Self,
        work: impl FnOnce(&mut T) -> Result<(), Failure>,
    ) -> i32 {
        // SAFETY: the caller makes this promise.
        let Some(handle) = (unsafe { handle.as_ref() }) else {
            return INR_BAD_ARGUMENT;
        };
        if handle.busy.swap(true, Ordering::Acquire) {
            return INR_BAD_ARGUMENT;
        }
        // SAFETY: `busy` was false, so no other call runs this code until it is false again.
        let inside = unsafe { &mut *handle.inside.get() };
        let code = inside.call(work);
        handle.busy.store(false, Ordering::Release);
        code
    }

    /// The message of the last call, valid until the next.
    ///
    /// # Safety
    /// The requirements of [`Handle::with`].
    pub unsafe fn message(handle: *const Self) -> *const c_char {
        const NONE: &CStr = c"the handle is NULL";
        const BUSY: &CStr = c"another call uses this handle";
        // SAFETY: the caller makes this promise.
        let Some(handle) = (unsafe { handle.as_ref() }) else {
            return NONE.as_ptr();
        };
        if handle.busy.swap(true, Ordering::Acquire) {
            return BUSY.as_ptr();
        }
        // SAFETY: `busy` was false, so no other call runs this code until it is false again.
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

/// Limits and services of the host.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    host: InrHost,
}

// SAFETY: the header lets any thread call `alloc`, `free` and `log`; the other members are numbers.
unsafe impl Send for Host {}
// SAFETY: the same reason.
unsafe impl Sync for Host {}

impl Host {
    /// Copies and validates the host's struct.
    ///
    /// # Safety
    /// `host` is NULL or an `InrHost` that follows the header until sessions opened with it are closed.
    pub(super) unsafe fn new(host: *const InrHost) -> Result<Self, Failure> {
        // A struct of another major version may be smaller than this version's.
        // SAFETY: the caller makes this promise.
        let AnyHost { abi_major, .. } = unsafe { structs::read(host.cast()) }?;
        if abi_major != INR_ABI_MAJOR {
            let message = format!(
                "the host has version {abi_major} of the ABI; this plug-in has version {INR_ABI_MAJOR}"
            );
            return Err(Failure::new(Status::Version, message));
        }
        // SAFETY: the caller makes this promise.
        let host = unsafe { structs::read(host) }?;
        if host.alloc.is_some() != host.free.is_some() {
            return Err(Failure::bad("the host sets only one of alloc and free"));
        }
        Ok(Self { host })
    }

    /// Maximum number of threads of a call.
    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self.host.max_threads {
            0 => all(),
            threads => threads as usize,
        }
    }

    /// The host's limit on pixels, if any.
    pub fn max_pixels(&self) -> Option<u64> {
        Some(self.host.max_pixels).filter(|limit| *limit > 0)
    }

    /// The host's limit on the size of files in bytes, if any.
    pub fn max_bytes(&self) -> Option<u64> {
        Some(self.host.max_bytes).filter(|limit| *limit > 0)
    }

    /// Writes a line to the host's log.
    pub fn log(&self, level: u32, text: &str) {
        if let Some(log) = self.host.log {
            // SAFETY: the header lets any thread call `log`.
            unsafe { log(self.host.ctx, level, c_string(text).as_ptr()) }
        }
    }

    /// Moves `bytes` into the host's memory, or leaves them in the plug-in's when the host allocates none.
    /// [`Host::release`] frees them.
    ///
    /// # Errors
    /// [`Status::OutOfMemory`] when the host cannot allocate them.
    pub fn hand_out(&self, bytes: Vec<u8>) -> Result<InrBytes, Failure> {
        let size = bytes.len();
        let data: *mut u8 = match self.host.alloc {
            None => Box::into_raw(bytes.into_boxed_slice()).cast(),
            Some(alloc) => {
                // SAFETY: the header defines `alloc`.
                let data: *mut u8 = unsafe { alloc(self.host.ctx, size.max(1)) }.cast();
                if data.is_null() {
                    let message = format!("the host cannot allocate {size} bytes");
                    return Err(Failure::new(Status::OutOfMemory, message));
                }
                // SAFETY: the host allocated at least `size` bytes.
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

    /// Frees bytes of [`Host::hand_out`].
    ///
    /// # Safety
    /// `bytes` is from `hand_out` of a host with the same functions and was not freed.
    pub unsafe fn release(&self, bytes: InrBytes) {
        if bytes.data.is_null() {
            return;
        }
        match self.host.free {
            // SAFETY: the caller promises that the host's `alloc` allocated it.
            Some(free) => unsafe { free(self.host.ctx, bytes.data.cast()) },
            None => {
                let slice = std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.size);
                // SAFETY: the caller promises that a box allocated it.
                drop(unsafe { Box::from_raw(slice) });
            }
        }
    }
}

/// Contents of an `InrSession`.
#[derive(Debug)]
pub struct Session {
    /// The host that opened the session.
    pub host: Host,
    /// Addresses and sizes of pictures of which the host was warned.
    warned: BTreeSet<(usize, [u32; 2])>,
}

impl Session {
    pub(super) fn new(host: Host) -> Self {
        Self {
            host,
            warned: BTreeSet::new(),
        }
    }

    /// Logs a warning if `part` (left, top, width and height) of `pixels`, which `what` names, has samples that are no finite
    /// numbers. Warns once of a picture, which a host may pass for each of its tiles.
    pub(super) fn warn_of_strays(&mut self, what: &str, pixels: &Pixels, part: [u32; 4]) {
        let picture = (pixels.row(0).as_ptr().addr(), pixels.size());
        if self.warned.contains(&picture) {
            return;
        }
        let Some((count, [x, y], channel)) = pixels.strays(part) else {
            return;
        };
        self.warned.insert(picture);
        let text = format!(
            "{what} has samples that are not finite: {count}, the first in channel {channel} of pixel {x}, {y}; NaN counts as 0, infinity as 1"
        );
        self.host.log(INR_LOG_WARNING, &text);
    }
}

/// Applies [`Handle::with`] to a session, for functions of suites.
///
/// # Safety
/// `session` is NULL or was opened by this plug-in and is not closed.
pub unsafe fn in_session(
    session: *mut InrSession,
    work: impl FnOnce(&mut Session) -> Result<(), Failure>,
) -> i32 {
    // SAFETY: the caller promises an open session, which is such a handle.
    unsafe { Handle::<Session>::with(session.cast(), work) }
}
