//! The functions of the gdk-pixbuf module.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

use inr_plugin_api::{Failure, Layout, Status};

use crate::picture;
use crate::sys::*;

/// Maximum size of a file in bytes, equal to the library's limit.
const MAX_BYTES: usize = 1 << 28;

/// A file that is being read. Decoding starts when it is complete.
struct Loading {
    size: Option<SizeFunc>,
    prepared: Option<PreparedFunc>,
    updated: Option<UpdatedFunc>,
    user_data: *mut c_void,
    bytes: Vec<u8>,
}

/// NULL-terminated lists in the format's description.
struct Listed {
    signature: [Pattern; 2],
    mime_types: [*const c_char; 2],
    extensions: [*const c_char; 2],
}

// SAFETY: the pointers refer to literals.
unsafe impl Sync for Listed {}

static LISTED: Listed = Listed {
    signature: [
        Pattern {
            prefix: c"\x89INR\r\n\x1a\n".as_ptr(),
            mask: null(),
            relevance: 100,
        },
        Pattern {
            prefix: null(),
            mask: null(),
            relevance: 0,
        },
    ],
    mime_types: [c"image/x-inr".as_ptr(), null()],
    extensions: [c"inr".as_ptr(), null()],
};

/// Sets the functions that load a file.
///
/// # Safety
/// `module` is a module of gdk-pixbuf 2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fill_vtable(module: *mut GdkPixbufModule) {
    // SAFETY: the caller makes this promise.
    unsafe {
        (*module).begin_load = Some(begin_load);
        (*module).load_increment = Some(load_increment);
        (*module).stop_load = Some(stop_load);
    }
}

/// Describes the file format.
///
/// # Safety
/// `info` is a format description of gdk-pixbuf 2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fill_info(info: *mut GdkPixbufFormat) {
    let format = GdkPixbufFormat {
        name: c"inr".as_ptr(),
        signature: LISTED.signature.as_ptr(),
        domain: null(),
        description: c"INR picture".as_ptr(),
        mime_types: LISTED.mime_types.as_ptr(),
        extensions: LISTED.extensions.as_ptr(),
        flags: FORMAT_SCALABLE | FORMAT_THREADSAFE,
        disabled: 0,
        license: c"MIT OR Apache-2.0".as_ptr(),
    };
    // SAFETY: the caller makes this promise.
    unsafe { info.write(format) }
}

unsafe extern "C" fn begin_load(
    size: Option<SizeFunc>,
    prepared: Option<PreparedFunc>,
    updated: Option<UpdatedFunc>,
    user_data: *mut c_void,
    _error: *mut *mut GError,
) -> *mut c_void {
    let loading = Loading {
        size,
        prepared,
        updated,
        user_data,
        bytes: Vec::new(),
    };
    Box::into_raw(Box::new(loading)).cast()
}

unsafe extern "C" fn load_increment(
    loading: *mut c_void,
    data: *const u8,
    size: c_uint,
    error: *mut *mut GError,
) -> c_int {
    let work = || {
        // SAFETY: gdk-pixbuf passes the pointer of begin_load and `size` bytes.
        let (loading, data) = unsafe {
            let loading = &mut *loading.cast::<Loading>();
            (loading, std::slice::from_raw_parts(data, size as usize))
        };
        let length = loading.bytes.len() + data.len();
        if length > MAX_BYTES {
            let message = format!("the file is too large; the limit is {MAX_BYTES} bytes");
            return Err(Failure::new(Status::TooLarge, message));
        }
        let taken = loading.bytes.try_reserve(data.len());
        taken.map_err(|e| Failure::new(Status::OutOfMemory, e.to_string()))?;
        loading.bytes.extend_from_slice(data);
        Ok(())
    };
    // SAFETY: gdk-pixbuf passes NULL or a pointer for an error.
    unsafe { guarded(error, work) }
}

unsafe extern "C" fn stop_load(loading: *mut c_void, error: *mut *mut GError) -> c_int {
    // SAFETY: gdk-pixbuf passes the pointer of begin_load for the last time.
    let loading = unsafe { Box::from_raw(loading.cast::<Loading>()) };
    // SAFETY: the same reason as in load_increment.
    unsafe { guarded(error, || loading.finish()) }
}

/// Returns 1 when `work` succeeds; after a failure or panic sets `error` and returns 0.
///
/// # Safety
/// `error` is NULL or points to NULL.
unsafe fn guarded(error: *mut *mut GError, work: impl FnOnce() -> Result<(), Failure>) -> c_int {
    let Err(failure) = Failure::catch("the loader of INR pictures", work) else {
        return 1;
    };
    let code = match failure.status {
        Status::Corrupt => ERROR_CORRUPT_IMAGE,
        Status::TooLarge | Status::OutOfMemory => ERROR_INSUFFICIENT_MEMORY,
        Status::Unsupported | Status::Version => ERROR_UNSUPPORTED_OPERATION,
        _ => ERROR_FAILED,
    };
    let message = CString::new(failure.message.replace('\0', " ")).unwrap_or_default();
    // SAFETY: the caller makes this promise, and GLib copies the message.
    unsafe { g_set_error_literal(error, gdk_pixbuf_error_quark(), code, message.as_ptr()) };
    0
}

impl Loading {
    /// Renders the file at the size that the host chooses and passes the pixels to it.
    fn finish(&self) -> Result<(), Failure> {
        let mut opened = picture::open(&self.bytes)?;
        let info = opened.info()?;
        let layout = info.format.layout;
        let size = self.wanted(info.size)?;
        let pixels = picture::render(&mut opened, layout, size)?;
        let pixbuf = Pixbuf::new(&pixels.data, layout, size)?;
        if let Some(icc) = &info.icc {
            pixbuf.set_profile(icc);
        }
        let [width, height] = size.map(|side| side as c_int);
        // SAFETY: the functions belong to gdk-pixbuf and take references of their own.
        unsafe {
            if let Some(prepared) = self.prepared {
                prepared(pixbuf.0, null_mut(), self.user_data);
            }
            if let Some(updated) = self.updated {
                updated(pixbuf.0, 0, 0, width, height, self.user_data);
            }
        }
        Ok(())
    }

    /// Asks the host for the size of a picture with this native size.
    fn wanted(&self, native: [u32; 2]) -> Result<[u32; 2], Failure> {
        let too_large = || {
            let message = format!("{} x {} pixels are above the limit", native[0], native[1]);
            Failure::new(Status::TooLarge, message)
        };
        let side = |side: u32| c_int::try_from(side).map_err(|_| too_large());
        let (mut width, mut height) = (side(native[0])?, side(native[1])?);
        if let Some(ask) = self.size {
            // SAFETY: the function belongs to gdk-pixbuf and writes two numbers.
            unsafe { ask(&mut width, &mut height, self.user_data) };
        }
        if width < 1 || height < 1 {
            // Hosts that only need the native size set the size to 0.
            return Err(Failure::bad("the host requested no pixels"));
        }
        Ok([width as u32, height as u32])
    }
}

/// An owned pixbuf.
struct Pixbuf(*mut GdkPixbuf);

impl Pixbuf {
    fn new(data: &[u8], layout: Layout, size: [u32; 2]) -> Result<Self, Failure> {
        let [width, height] = size.map(|side| side as c_int);
        let alpha = c_int::from(layout.has_alpha());
        // SAFETY: gdk-pixbuf returns NULL when it has no memory.
        let raw = unsafe { gdk_pixbuf_new(COLORSPACE_RGB, alpha, 8, width, height) };
        if raw.is_null() {
            let message = format!("not enough memory for {width} x {height} pixels");
            return Err(Failure::new(Status::OutOfMemory, message));
        }
        let pixbuf = Self(raw);
        let row = size[0] as usize * (3 + alpha as usize);
        // SAFETY: the pixbuf exists; its rows are a stride apart.
        let (pixels, stride) = unsafe {
            let stride = gdk_pixbuf_get_rowstride(raw);
            (gdk_pixbuf_get_pixels(raw), stride as usize)
        };
        for (y, from) in data
            .chunks_exact(size[0] as usize * layout.channels())
            .enumerate()
        {
            // SAFETY: the row lies inside the pixbuf, which nothing else uses yet.
            let to = unsafe { std::slice::from_raw_parts_mut(pixels.add(y * stride), row) };
            picture::copy_row(from, layout, to);
        }
        Ok(pixbuf)
    }

    fn set_profile(&self, icc: &[u8]) {
        // SAFETY: gdk-pixbuf copies the text before it is freed.
        unsafe {
            let text = g_base64_encode(icc.as_ptr(), icc.len());
            gdk_pixbuf_set_option(self.0, c"icc-profile".as_ptr(), text);
            g_free(text.cast());
        }
    }
}

impl Drop for Pixbuf {
    fn drop(&mut self) {
        // SAFETY: this releases the only reference of this struct.
        unsafe { g_object_unref(self.0.cast()) }
    }
}
