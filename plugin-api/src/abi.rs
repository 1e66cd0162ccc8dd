//! The types that cross the boundary, as C sees them; `include/inr_plugin.h` is generated from these files.

use std::ffi::{c_char, c_void};

/// Major version of this ABI: a plug-in and a host of different major versions do not work together.
pub const INR_ABI_MAJOR: u32 = 1;
/// Minor version of this ABI: later ones only append members to structs and add constants.
pub const INR_ABI_MINOR: u32 = 1;

/// Done.
pub const INR_OK: i32 = 0;
/// The host's progress or is_cancelled asked to stop; outputs hold anything.
pub const INR_CANCELLED: i32 = 1;
/// A pointer, size or value that cannot be; the message says which.
pub const INR_BAD_ARGUMENT: i32 = 2;
/// Something legal that this plug-in does not do.
pub const INR_UNSUPPORTED: i32 = 3;
/// A file that is damaged or no file of this kind.
pub const INR_CORRUPT: i32 = 4;
/// More than the host's limits allow.
pub const INR_TOO_LARGE: i32 = 5;
/// Memory ran out.
pub const INR_OUT_OF_MEMORY: i32 = 6;
/// Reading or writing failed.
pub const INR_IO: i32 = 7;
/// The plug-in and the host have no ABI version in common.
pub const INR_VERSION: i32 = 8;
/// A bug in the plug-in. The handle takes no more calls but the one that closes it.
pub const INR_INTERNAL: i32 = 9;

/// Unsigned, 8 bits, 0 to 255.
pub const INR_SAMPLE_U8: u32 = 1;
/// Unsigned, 16 bits in the machine's byte order, 0 to 65535.
pub const INR_SAMPLE_U16: u32 = 2;
/// Floating point, 16 bits; 0 to 1 is the range of integers.
pub const INR_SAMPLE_F16: u32 = 3;
/// Floating point, 32 bits; 0 to 1 is the range of integers.
pub const INR_SAMPLE_F32: u32 = 4;

/// One channel. Layouts are numbers of interleaved channels.
pub const INR_LAYOUT_GREY: u32 = 1;
/// Grey, then alpha.
pub const INR_LAYOUT_GREY_ALPHA: u32 = 2;
/// Red, green, blue.
pub const INR_LAYOUT_RGB: u32 = 3;
/// Red, green, blue, alpha.
pub const INR_LAYOUT_RGBA: u32 = 4;

/// There is no alpha; the only choice for layouts without it.
pub const INR_ALPHA_NONE: u32 = 0;
/// Colours are not multiplied by alpha.
pub const INR_ALPHA_STRAIGHT: u32 = 1;
/// Colours are multiplied by alpha, in the transfer that the buffer states.
pub const INR_ALPHA_PREMULTIPLIED: u32 = 2;

/// Samples as files have them: encoded by the curve of the ICC profile, of sRGB without one.
pub const INR_TRANSFER_ENCODED: u32 = 1;
/// Linear light; plug-ins that work on encoded samples go through the curve of sRGB.
pub const INR_TRANSFER_LINEAR: u32 = 2;

/// A whole number; `InrValue::number`.
pub const INR_PARAM_INT: u32 = 1;
/// A number; `InrValue::number`.
pub const INR_PARAM_DOUBLE: u32 = 2;
/// 0 or 1; `InrValue::number`.
pub const INR_PARAM_BOOL: u32 = 3;
/// One of the choices by its key; `InrValue::text`.
pub const INR_PARAM_CHOICE: u32 = 4;
/// UTF-8; `InrValue::text`.
pub const INR_PARAM_STRING: u32 = 5;
/// Encoded red, green and blue, 0 to 1; `InrValue::rgb`.
pub const INR_PARAM_RGB: u32 = 6;

/// Capability: the output has another size than the input.
pub const INR_CAP_RESIZES: u32 = 1;
/// Capability: the output has the input's size and may replace it.
pub const INR_CAP_EDITS: u32 = 2;
/// Capability: every output pixel depends on the whole picture, which must be given whole.
pub const INR_CAP_GLOBAL: u32 = 4;
/// Capability: any region may be asked for, and it does not change what a pixel is.
pub const INR_CAP_TILES: u32 = 8;
/// Capability: equal input, parameters and region give equal bytes, for any number of threads.
pub const INR_CAP_DETERMINISTIC: u32 = 16;
/// Capability, of plug-ins: pictures are decoded (suite `inr.codec`).
pub const INR_CAP_DECODES: u32 = 32;
/// Capability, of plug-ins: pictures are encoded (suite `inr.codec`).
pub const INR_CAP_ENCODES: u32 = 64;

/// Thread class: all calls of the plug-in come from one thread at a time.
pub const INR_THREADS_ONE: u32 = 1;
/// Thread class: calls with different handles may come from different threads at once, those with one handle may not.
pub const INR_THREADS_PER_HANDLE: u32 = 2;

/// Levels of `InrHost::log`.
pub const INR_LOG_INFO: u32 = 1;
/// Something that the user should know.
pub const INR_LOG_WARNING: u32 = 2;
/// Something failed.
pub const INR_LOG_ERROR: u32 = 3;

/// Who calls: what the plug-in may use and how much. Copied; pointers are used until the session ends.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrHost {
    /// Size of this struct in the host's version of it, as in all structs.
    pub struct_size: usize,
    /// `INR_ABI_MAJOR` of the host.
    pub abi_major: u32,
    /// `INR_ABI_MINOR` of the host.
    pub abi_minor: u32,
    /// Name of the host, UTF-8; may be NULL.
    pub name: *const c_char,
    /// Handed to the functions below.
    pub ctx: *mut c_void,
    /// Memory for results that the host is to own, aligned for any type; NULL: the plug-in's own. Any thread.
    pub alloc: Option<unsafe extern "C" fn(ctx: *mut c_void, size: usize) -> *mut c_void>,
    /// Takes back what `alloc` gave; both or neither are given.
    pub free: Option<unsafe extern "C" fn(ctx: *mut c_void, memory: *mut c_void)>,
    /// Takes a line of text; may be NULL. Any thread.
    pub log: Option<unsafe extern "C" fn(ctx: *mut c_void, level: u32, message: *const c_char)>,
    /// Threads that a call may use; 0: as many as there are processors.
    pub max_threads: u32,
    /// 0.
    pub reserved: u32,
    /// Pixels of a picture or an output at most; 0: the plug-in's own limit.
    pub max_pixels: u64,
    /// Bytes of a file at most; 0: the plug-in's own limit.
    pub max_bytes: u64,
}

/// Pixels in memory that belongs to whoever passes the buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrBuffer {
    /// Size of this struct.
    pub struct_size: usize,
    /// First sample of the top row.
    pub data: *mut c_void,
    /// Bytes from one row to the next one below; negative for pictures stored from the bottom up.
    pub stride: isize,
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// `INR_SAMPLE_*`.
    pub sample: u32,
    /// `INR_LAYOUT_*`.
    pub layout: u32,
    /// `INR_ALPHA_*`.
    pub alpha: u32,
    /// `INR_TRANSFER_*`.
    pub transfer: u32,
    /// ICC profile, or NULL. Of an input.
    pub icc: *const u8,
    /// Bytes of the profile.
    pub icc_size: usize,
}

/// Which pixels are wanted: output pixel (i, j) has its centre at (x + (i + 0.5) step_x, y + (j + 0.5) step_y) in source
/// pixels from the source's top left corner.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrRegion {
    /// Size of this struct.
    pub struct_size: usize,
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Source pixels per output pixel, above 0.
    pub step_x: f64,
    /// As `step_x`, downwards.
    pub step_y: f64,
    /// Output pixels in a row.
    pub width: u32,
    /// Output rows.
    pub height: u32,
}

/// How work is watched and stopped.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrProgress {
    /// Size of this struct.
    pub struct_size: usize,
    /// Handed to both.
    pub ctx: *mut c_void,
    /// Told how much is done, 0 to 1, on the calling thread; 0 asks to stop. May be NULL.
    pub progress: Option<unsafe extern "C" fn(ctx: *mut c_void, share: f64) -> u32>,
    /// Other than 0 asks to stop. Any thread, at any time of the call. May be NULL.
    pub is_cancelled: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u32>,
}

/// One choice of a parameter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrChoice {
    /// Size of this struct.
    pub struct_size: usize,
    /// What values say.
    pub key: *const c_char,
    /// What people read.
    pub label: *const c_char,
}

/// A parameter, in as much detail as a dialog takes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrParamInfo {
    /// Size of this struct.
    pub struct_size: usize,
    /// What values are called; a-z, 0-9, -.
    pub key: *const c_char,
    /// What people read beside the control.
    pub label: *const c_char,
    /// A sentence about it.
    pub hint: *const c_char,
    /// Parameters of one group stand together; "" for none.
    pub group: *const c_char,
    /// `INR_PARAM_*`.
    pub kind: u32,
    /// Digits to show after the point.
    pub digits: u32,
    /// Values outside are refused: least.
    pub hard_min: f64,
    /// Values outside are refused: greatest.
    pub hard_max: f64,
    /// What a slider covers: least.
    pub display_min: f64,
    /// What a slider covers: greatest.
    pub display_max: f64,
    /// Of an int, double or bool.
    pub default_number: f64,
    /// What a press of a button changes it by.
    pub step: f64,
    /// Of a choice (its key) or a string; else NULL.
    pub default_text: *const c_char,
    /// Of a colour.
    pub default_rgb: [f64; 3],
    /// `choice_count` of them.
    pub choices: *const *const InrChoice,
    /// Of a choice; else 0.
    pub choice_count: u32,
    /// 0.
    pub reserved: u32,
    /// Key of a bool or choice that this parameter depends on, or NULL: a dialog greys it out unless that one is 1, or
    /// has the value `enabled_if`.
    pub enabled_by: *const c_char,
    /// Key of the choice that `enabled_by` needs; NULL for a bool.
    pub enabled_if: *const c_char,
}

/// A picture that a filter takes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrInputInfo {
    /// Size of this struct.
    pub struct_size: usize,
    /// What `InrInput::key` says; the first one is the picture that is worked on.
    pub key: *const c_char,
    /// What people read.
    pub label: *const c_char,
    /// A sentence about it.
    pub hint: *const c_char,
    /// 1: without it there is no result.
    pub required: u32,
    /// 0.
    pub reserved: u32,
}

/// A filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrFilterInfo {
    /// Size of this struct.
    pub struct_size: usize,
    /// Name for programs, the same for ever: reversed domain, such as "org.example.blur".
    pub id: *const c_char,
    /// Short name for command lines: a-z, 0-9, -.
    pub key: *const c_char,
    /// What people read in a menu.
    pub label: *const c_char,
    /// A sentence about it.
    pub hint: *const c_char,
    /// Version of the filter, such as "1.2.0".
    pub version: *const c_char,
    /// `INR_CAP_*`, added.
    pub capabilities: u32,
    /// `INR_THREADS_*`.
    pub thread_class: u32,
    /// `input_count` of them, at least 1.
    pub inputs: *const *const InrInputInfo,
    /// `param_count` of them.
    pub params: *const *const InrParamInfo,
    /// Inputs.
    pub input_count: u32,
    /// Parameters.
    pub param_count: u32,
}

/// A parameter's value; parameters without one have their default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrValue {
    /// Size of this struct.
    pub struct_size: usize,
    /// Key of the parameter.
    pub key: *const c_char,
    /// Of an int, double or bool.
    pub number: f64,
    /// Of a choice or string; else NULL.
    pub text: *const c_char,
    /// Of a colour.
    pub rgb: [f64; 3],
}

/// A picture, or the part of it that is at hand, as a filter's input.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrInput {
    /// Size of this struct.
    pub struct_size: usize,
    /// Key of the input; NULL for the first one.
    pub key: *const c_char,
    /// Its pixels; its data may be NULL when only a plan is asked for.
    pub buffer: *const InrBuffer,
    /// Column of the picture that the buffer's first pixel is.
    pub left: u32,
    /// Row of the picture that the buffer's first pixel is.
    pub top: u32,
    /// Width of the whole picture; 0: the buffer is all of it.
    pub picture_width: u32,
    /// Height of the whole picture; 0: the buffer is all of it.
    pub picture_height: u32,
}

/// What is asked of a filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrFilterCall {
    /// Size of this struct.
    pub struct_size: usize,
    /// Index in `InrApi::filters`.
    pub filter: u32,
    /// Inputs.
    pub input_count: u32,
    /// `input_count` of them.
    pub inputs: *const *const InrInput,
    /// `value_count` of them.
    pub values: *const *const InrValue,
    /// Values.
    pub value_count: u32,
    /// 0.
    pub reserved: u32,
    /// The wanted pixels; NULL: all.
    pub region: *const InrRegion,
    /// Where they go, with the region's size and the plan's layout; any sample, alpha and transfer. No input may overlap it.
    /// NULL when only a plan is asked for.
    pub output: *const InrBuffer,
    /// May be NULL.
    pub progress: *const InrProgress,
}

/// What a call needs and gives.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrPlan {
    /// Size of this struct; set by the host before the call.
    pub struct_size: usize,
    /// Width of the whole output.
    pub width: u32,
    /// Height of the whole output.
    pub height: u32,
    /// Layout of the output.
    pub layout: u32,
    /// Source pixels that an output pixel depends on beyond its own, on every side; the picture's border ends them.
    /// `UINT32_MAX` for global filters.
    pub halo: u32,
    /// What the call's region needs of the first input: left.
    pub need_left: u32,
    /// Top.
    pub need_top: u32,
    /// Width.
    pub need_width: u32,
    /// Height.
    pub need_height: u32,
}

/// A plug-in at work for one host; not to be looked into. Its calls keep a message for the one that fails.
#[derive(Debug)]
pub struct InrSession {
    _private: [u8; 0],
}

/// What a plug-in gives.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrApi {
    /// Size of this struct.
    pub struct_size: usize,
    /// `INR_ABI_MAJOR` of the plug-in.
    pub abi_major: u32,
    /// `INR_ABI_MINOR` of the plug-in.
    pub abi_minor: u32,
    /// Name for programs: reversed domain.
    pub id: *const c_char,
    /// What people read.
    pub name: *const c_char,
    /// Version of the plug-in, such as "1.2.0".
    pub version: *const c_char,
    /// `INR_CAP_*` of any of its parts, added.
    pub capabilities: u32,
    /// `INR_THREADS_*`.
    pub thread_class: u32,
    /// `filter_count` of them, there until the plug-in is unloaded.
    pub filters: *const *const InrFilterInfo,
    /// Filters.
    pub filter_count: u32,
    /// 0.
    pub reserved: u32,
    /// Begins work for a host, which is copied. `out` is untouched on failure.
    pub session_open:
        Option<unsafe extern "C" fn(host: *const InrHost, out: *mut *mut InrSession) -> i32>,
    /// Ends it and frees all that it holds; no call may be under way. NULL is fine.
    pub session_close: Option<unsafe extern "C" fn(session: *mut InrSession)>,
    /// Why the session's last call failed, UTF-8, "" if it did not; there until the next call with this session.
    pub session_message: Option<unsafe extern "C" fn(session: *mut InrSession) -> *const c_char>,
    /// What a call would need and give; quick.
    pub filter_plan: Option<
        unsafe extern "C" fn(
            session: *mut InrSession,
            call: *const InrFilterCall,
            out: *mut InrPlan,
        ) -> i32,
    >,
    /// Runs a filter. No thread that it starts outlives the call.
    pub filter_run:
        Option<unsafe extern "C" fn(session: *mut InrSession, call: *const InrFilterCall) -> i32>,
    /// A suite by name, such as `INR_SUITE_CODEC`, and version: a struct as the suite defines it, there until the plug-in
    /// is unloaded; NULL if there is none. May itself be NULL.
    pub suite: Option<unsafe extern "C" fn(name: *const c_char, version: u32) -> *const c_void>,
}

/// Type of the one function that a plug-in exports, `inr_get_api`: the table for hosts of `abi_major` in `out`, which
/// is set to NULL on failure. `host` says who asks; it may be NULL, and is not kept.
pub type InrGetApi =
    unsafe extern "C" fn(abi_major: u32, host: *const InrHost, out: *mut *const InrApi) -> i32;
