//! Declarations of gdk-pixbuf 2 and GLib 2 from their headers.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// `GdkPixbuf`, an opaque type.
#[repr(C)]
pub(crate) struct GdkPixbuf {
    _private: [u8; 0],
}

/// `GError`, an opaque type.
#[repr(C)]
pub(crate) struct GError {
    _private: [u8; 0],
}

pub(crate) type SizeFunc = unsafe extern "C" fn(*mut c_int, *mut c_int, *mut c_void);
pub(crate) type PreparedFunc = unsafe extern "C" fn(*mut GdkPixbuf, *mut c_void, *mut c_void);
pub(crate) type UpdatedFunc =
    unsafe extern "C" fn(*mut GdkPixbuf, c_int, c_int, c_int, c_int, *mut c_void);

/// `GdkPixbufModulePattern`.
#[repr(C)]
pub(crate) struct Pattern {
    pub(crate) prefix: *const c_char,
    pub(crate) mask: *const c_char,
    pub(crate) relevance: c_int,
}

/// `GdkPixbufFormat`.
#[repr(C)]
pub struct GdkPixbufFormat {
    pub(crate) name: *const c_char,
    pub(crate) signature: *const Pattern,
    pub(crate) domain: *const c_char,
    pub(crate) description: *const c_char,
    pub(crate) mime_types: *const *const c_char,
    pub(crate) extensions: *const *const c_char,
    pub(crate) flags: u32,
    pub(crate) disabled: c_int,
    pub(crate) license: *const c_char,
}

pub(crate) const FORMAT_SCALABLE: u32 = 2;
pub(crate) const FORMAT_THREADSAFE: u32 = 4;

/// `GdkPixbufModule` up to the last member that is set here.
#[repr(C)]
pub struct GdkPixbufModule {
    pub(crate) name: *mut c_char,
    pub(crate) path: *mut c_char,
    pub(crate) module: *mut c_void,
    pub(crate) info: *mut GdkPixbufFormat,
    pub(crate) load: *mut c_void,
    pub(crate) load_xpm_data: *mut c_void,
    pub(crate) begin_load: Option<
        unsafe extern "C" fn(
            Option<SizeFunc>,
            Option<PreparedFunc>,
            Option<UpdatedFunc>,
            *mut c_void,
            *mut *mut GError,
        ) -> *mut c_void,
    >,
    pub(crate) stop_load: Option<unsafe extern "C" fn(*mut c_void, *mut *mut GError) -> c_int>,
    pub(crate) load_increment:
        Option<unsafe extern "C" fn(*mut c_void, *const u8, c_uint, *mut *mut GError) -> c_int>,
}

/// `GdkPixbufError`.
pub(crate) const ERROR_CORRUPT_IMAGE: c_int = 0;
pub(crate) const ERROR_INSUFFICIENT_MEMORY: c_int = 1;
pub(crate) const ERROR_UNSUPPORTED_OPERATION: c_int = 4;
pub(crate) const ERROR_FAILED: c_int = 5;

/// `GDK_COLORSPACE_RGB`, the only one.
pub(crate) const COLORSPACE_RGB: c_int = 0;

unsafe extern "C" {
    pub(crate) fn gdk_pixbuf_error_quark() -> u32;
    pub(crate) fn gdk_pixbuf_new(
        colorspace: c_int,
        has_alpha: c_int,
        bits_per_sample: c_int,
        width: c_int,
        height: c_int,
    ) -> *mut GdkPixbuf;
    pub(crate) fn gdk_pixbuf_get_pixels(pixbuf: *const GdkPixbuf) -> *mut u8;
    pub(crate) fn gdk_pixbuf_get_rowstride(pixbuf: *const GdkPixbuf) -> c_int;
    pub(crate) fn gdk_pixbuf_set_option(
        pixbuf: *mut GdkPixbuf,
        key: *const c_char,
        value: *const c_char,
    ) -> c_int;
    pub(crate) fn g_object_unref(object: *mut c_void);
    pub(crate) fn g_base64_encode(data: *const u8, len: usize) -> *mut c_char;
    pub(crate) fn g_free(memory: *mut c_void);
    pub(crate) fn g_set_error_literal(
        error: *mut *mut GError,
        domain: u32,
        code: c_int,
        message: *const c_char,
    );
}
