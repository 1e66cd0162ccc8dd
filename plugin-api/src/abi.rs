//! The C types of the ABI. `include/inr_plugin.h` is generated from this file and `abi_codec.rs`.

use std::ffi::{c_char, c_void};

/// Major version of this ABI. A plug-in and a host with different major versions cannot work together.
pub const INR_ABI_MAJOR: u32 = 1;
/// Minor version of this ABI. Later minor versions only append members to structs and add constants.
pub const INR_ABI_MINOR: u32 = 2;

/// The call succeeded.
pub const INR_OK: i32 = 0;
/// The host's `progress` or `is_cancelled` asked to stop. The contents of outputs are undefined.
pub const INR_CANCELLED: i32 = 1;
/// A pointer, size or value is invalid. The message names it.
pub const INR_BAD_ARGUMENT: i32 = 2;
/// The plug-in does not support a valid request.
pub const INR_UNSUPPORTED: i32 = 3;
/// The file is damaged or has another format.
pub const INR_CORRUPT: i32 = 4;
/// The request exceeds the host's limits.
pub const INR_TOO_LARGE: i32 = 5;
/// Not enough memory.
pub const INR_OUT_OF_MEMORY: i32 = 6;
/// Reading or writing failed.
pub const INR_IO: i32 = 7;
/// The plug-in and the host share no ABI version.
pub const INR_VERSION: i32 = 8;
/// A bug in the plug-in. After it the handle accepts only the call that closes it.
pub const INR_INTERNAL: i32 = 9;

/// Unsigned 8-bit samples, 0 to 255.
pub const INR_SAMPLE_U8: u32 = 1;
/// Unsigned 16-bit samples in the machine's byte order, 0 to 65535.
pub const INR_SAMPLE_U16: u32 = 2;
/// 16-bit floating point samples; 0 to 1 corresponds to the full range of integers. In inputs NaN and negative infinity
/// count as 0 and positive infinity as 1; the plug-in then logs one `INR_LOG_WARNING` in a session for each buffer, by its
/// address and size.
pub const INR_SAMPLE_F16: u32 = 3;
/// 32-bit floating point samples; like `INR_SAMPLE_F16`.
pub const INR_SAMPLE_F32: u32 = 4;

/// Grey. A layout's value is its number of interleaved channels.
pub const INR_LAYOUT_GREY: u32 = 1;
/// Grey, then alpha.
pub const INR_LAYOUT_GREY_ALPHA: u32 = 2;
/// Red, green, blue.
pub const INR_LAYOUT_RGB: u32 = 3;
/// Red, green, blue, alpha.
pub const INR_LAYOUT_RGBA: u32 = 4;

/// No alpha; required for layouts without alpha.
pub const INR_ALPHA_NONE: u32 = 0;
/// Colours are not multiplied by alpha.
pub const INR_ALPHA_STRAIGHT: u32 = 1;
/// Colours are multiplied by alpha, in the transfer that the buffer states.
pub const INR_ALPHA_PREMULTIPLIED: u32 = 2;

/// Encoded samples as in files: by the curve of the ICC profile, or of sRGB without a profile.
pub const INR_TRANSFER_ENCODED: u32 = 1;
/// Linear light. Plug-ins that work on encoded samples convert with the sRGB curve.
pub const INR_TRANSFER_LINEAR: u32 = 2;

/// Parameter type: a whole number in `InrValue::number`.
pub const INR_PARAM_INT: u32 = 1;
/// Parameter type: a number in `InrValue::number`.
pub const INR_PARAM_DOUBLE: u32 = 2;
/// Parameter type: 0 or 1 in `InrValue::number`.
pub const INR_PARAM_BOOL: u32 = 3;
/// Parameter type: the key of a choice in `InrValue::text`.
pub const INR_PARAM_CHOICE: u32 = 4;
/// Parameter type: UTF-8 text in `InrValue::text`.
pub const INR_PARAM_STRING: u32 = 5;
/// Parameter type: encoded red, green and blue, 0 to 1, in `InrValue::rgb`.
pub const INR_PARAM_RGB: u32 = 6;

/// Capability: the output differs from the input in size.
pub const INR_CAP_RESIZES: u32 = 1;
/// Capability: the output has the input's size and may replace the input.
pub const INR_CAP_EDITS: u32 = 2;
/// Capability: every output pixel depends on the whole picture; the host must pass all of it.
pub const INR_CAP_GLOBAL: u32 = 4;
/// Capability: the host may request any region; a pixel's value does not depend on the region.
pub const INR_CAP_TILES: u32 = 8;
/// Capability: equal input, parameters and region give equal bytes with any number of threads.
pub const INR_CAP_DETERMINISTIC: u32 = 16;
/// Capability of plug-ins: decodes pictures (suite `inr.codec`).
pub const INR_CAP_DECODES: u32 = 32;
/// Capability of plug-ins: encodes pictures (suite `inr.codec`).
pub const INR_CAP_ENCODES: u32 = 64;

/// Thread class: only one thread at a time may call the plug-in.
pub const INR_THREADS_ONE: u32 = 1;
/// Thread class: several threads may call at once with different handles, but not with the same handle.
pub const INR_THREADS_PER_HANDLE: u32 = 2;

/// Level of `InrHost::log`: information.
pub const INR_LOG_INFO: u32 = 1;
/// Level of `InrHost::log`: the user should know this.
pub const INR_LOG_WARNING: u32 = 2;
/// Level of `InrHost::log`: something failed.
pub const INR_LOG_ERROR: u32 = 3;

/// The calling host and its limits. The plug-in copies the struct and uses its pointers until the session ends.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrHost {
    /// Size of this struct in its maker's version of the ABI; every struct begins with it.
    pub struct_size: usize,
    /// `INR_ABI_MAJOR` of the host; here in every major version.
    pub abi_major: u32,
    /// `INR_ABI_MINOR` of the host.
    pub abi_minor: u32,
    /// Name of the host in UTF-8; may be NULL.
    pub name: *const c_char,
    /// First argument of the functions below.
    pub ctx: *mut c_void,
    /// Allocates memory, aligned for any type, for results that the host will own. Any thread may call it. NULL: the plug-in
    /// uses its own memory.
    pub alloc: Option<unsafe extern "C" fn(ctx: *mut c_void, size: usize) -> *mut c_void>,
    /// Frees memory of `alloc`. The host sets both functions or neither.
    pub free: Option<unsafe extern "C" fn(ctx: *mut c_void, memory: *mut c_void)>,
    /// Logs a line of text. Any thread may call it. May be NULL.
    pub log: Option<unsafe extern "C" fn(ctx: *mut c_void, level: u32, message: *const c_char)>,
    /// Maximum number of threads of a call; 0: one per processor.
    pub max_threads: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Maximum number of pixels of an input or output; 0: the plug-in's own limit.
    pub max_pixels: u64,
    /// Maximum size of a file in bytes; 0: the plug-in's own limit.
    pub max_bytes: u64,
}

/// Pixels in memory that the caller owns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrBuffer {
    /// Size of this struct.
    pub struct_size: usize,
    /// The first sample of the top row.
    pub data: *mut c_void,
    /// Bytes from one row to the next one below; negative for pictures that are stored bottom up.
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
    /// ICC profile of an input, or NULL.
    pub icc: *const u8,
    /// Size of the profile in bytes.
    pub icc_size: usize,
}

/// A requested region. Output pixel (i, j) has its centre at (x + (i + 0.5) step_x, y + (j + 0.5) step_y), in source pixels
/// from the source's top left corner.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrRegion {
    /// Size of this struct.
    pub struct_size: usize,
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Source pixels per output pixel along x, above 0.
    pub step_x: f64,
    /// Source pixels per output pixel along y, above 0.
    pub step_y: f64,
    /// Width of the output in pixels.
    pub width: u32,
    /// Height of the output in pixels.
    pub height: u32,
}

/// Callbacks that receive progress and cancel a call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrProgress {
    /// Size of this struct.
    pub struct_size: usize,
    /// First argument of both callbacks.
    pub ctx: *mut c_void,
    /// Receives the completed share, 0 to 1, on the calling thread. Returns 0 to cancel. May be NULL.
    pub progress: Option<unsafe extern "C" fn(ctx: *mut c_void, share: f64) -> u32>,
    /// Returns nonzero to cancel. Any thread may call it at any time during the call. May be NULL.
    pub is_cancelled: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u32>,
}

/// One choice of a parameter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrChoice {
    /// Size of this struct.
    pub struct_size: usize,
    /// Text that stands for the choice in `InrValue::text`.
    pub key: *const c_char,
    /// Label in dialogs.
    pub label: *const c_char,
}

/// A parameter, with the details that a dialog needs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrParamInfo {
    /// Size of this struct.
    pub struct_size: usize,
    /// Name in `InrValue::key`: a-z, 0-9 and hyphens.
    pub key: *const c_char,
    /// Label beside the control in a dialog.
    pub label: *const c_char,
    /// One sentence of description.
    pub hint: *const c_char,
    /// Heading under which a dialog lists the parameter; "" for none.
    pub group: *const c_char,
    /// `INR_PARAM_*`.
    pub kind: u32,
    /// Decimal places to show.
    pub digits: u32,
    /// Minimum; the plug-in rejects smaller values.
    pub hard_min: f64,
    /// Maximum; the plug-in rejects larger values.
    pub hard_max: f64,
    /// Lower end of a slider.
    pub display_min: f64,
    /// Upper end of a slider.
    pub display_max: f64,
    /// Default of an int, double or bool.
    pub default_number: f64,
    /// Increment of a spin button.
    pub step: f64,
    /// Default of a choice (its key) or a string; otherwise NULL.
    pub default_text: *const c_char,
    /// Default of a colour.
    pub default_rgb: [f64; 3],
    /// Array of `choice_count` choices.
    pub choices: *const *const InrChoice,
    /// Number of choices; 0 for other types.
    pub choice_count: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Key of a bool or choice that enables this parameter, or NULL. A dialog disables the parameter unless that bool is 1
    /// or that choice has the value `enabled_if`.
    pub enabled_by: *const c_char,
    /// Value of the choice `enabled_by` that enables this parameter; NULL for a bool.
    pub enabled_if: *const c_char,
}

/// An input picture of a filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrInputInfo {
    /// Size of this struct.
    pub struct_size: usize,
    /// Name in `InrInput::key`. The first input is the picture that the filter edits.
    pub key: *const c_char,
    /// Label in dialogs.
    pub label: *const c_char,
    /// One sentence of description.
    pub hint: *const c_char,
    /// 1 when the filter needs this input, otherwise 0.
    pub required: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// A filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrFilterInfo {
    /// Size of this struct.
    pub struct_size: usize,
    /// Unique name that never changes: a reversed domain, such as "org.example.blur".
    pub id: *const c_char,
    /// Short name for command lines: a-z, 0-9 and hyphens.
    pub key: *const c_char,
    /// Label in menus.
    pub label: *const c_char,
    /// One sentence of description.
    pub hint: *const c_char,
    /// Version of the filter, for example "1.2.0".
    pub version: *const c_char,
    /// Sum of `INR_CAP_*`.
    pub capabilities: u32,
    /// `INR_THREADS_*`.
    pub thread_class: u32,
    /// Array of `input_count` inputs, at least one.
    pub inputs: *const *const InrInputInfo,
    /// Array of `param_count` parameters.
    pub params: *const *const InrParamInfo,
    /// Number of inputs.
    pub input_count: u32,
    /// Number of parameters.
    pub param_count: u32,
}

/// The value of a parameter. Parameters without a value take their defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrValue {
    /// Size of this struct.
    pub struct_size: usize,
    /// Key of the parameter.
    pub key: *const c_char,
    /// Value of an int, double or bool.
    pub number: f64,
    /// Value of a choice or string; otherwise NULL.
    pub text: *const c_char,
    /// Value of a colour.
    pub rgb: [f64; 3],
}

/// An input of a filter: a picture or a part of one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrInput {
    /// Size of this struct.
    pub struct_size: usize,
    /// Key of the input; NULL for the first.
    pub key: *const c_char,
    /// The pixels. `data` may be NULL in calls of `filter_plan`.
    pub buffer: *const InrBuffer,
    /// Column of the buffer's first pixel in the picture.
    pub left: u32,
    /// Row of the buffer's first pixel in the picture.
    pub top: u32,
    /// Width of the whole picture; 0: the buffer holds the whole picture.
    pub picture_width: u32,
    /// Height of the whole picture; 0: the buffer holds the whole picture.
    pub picture_height: u32,
}

/// A call of a filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrFilterCall {
    /// Size of this struct.
    pub struct_size: usize,
    /// Index of the filter in `InrApi::filters`.
    pub filter: u32,
    /// Number of inputs.
    pub input_count: u32,
    /// Array of `input_count` inputs.
    pub inputs: *const *const InrInput,
    /// Array of `value_count` values.
    pub values: *const *const InrValue,
    /// Number of values.
    pub value_count: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Requested region; NULL: the whole output.
    pub region: *const InrRegion,
    /// Output buffer with the region's size and the plan's layout, and any sample, alpha and transfer. Its pixels must not
    /// overlap those of an input in memory. NULL in calls of `filter_plan`.
    pub output: *const InrBuffer,
    /// May be NULL.
    pub progress: *const InrProgress,
}

/// Requirements and output of a call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrPlan {
    /// Size of this struct; the host sets it before the call.
    pub struct_size: usize,
    /// Width of the whole output.
    pub width: u32,
    /// Height of the whole output.
    pub height: u32,
    /// Layout of the output.
    pub layout: u32,
    /// Number of source pixels around its own position, on every side, that an output pixel depends on, within the picture.
    /// `UINT32_MAX` for global filters.
    pub halo: u32,
    /// Part of the first input that the region needs: left edge.
    pub need_left: u32,
    /// Top edge of that part.
    pub need_top: u32,
    /// Width of that part.
    pub need_width: u32,
    /// Height of that part.
    pub need_height: u32,
}

/// An opaque handle: a plug-in in use by one host. It stores the message of a failed call.
#[derive(Debug)]
pub struct InrSession {
    _private: [u8; 0],
}

/// The function table of a plug-in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrApi {
    /// Size of this struct.
    pub struct_size: usize,
    /// `INR_ABI_MAJOR` of the plug-in.
    pub abi_major: u32,
    /// `INR_ABI_MINOR` of the plug-in.
    pub abi_minor: u32,
    /// Unique name: a reversed domain.
    pub id: *const c_char,
    /// Name that users see.
    pub name: *const c_char,
    /// Version of the plug-in, for example "1.2.0".
    pub version: *const c_char,
    /// Sum of the `INR_CAP_*` of all filters and suites.
    pub capabilities: u32,
    /// `INR_THREADS_*`.
    pub thread_class: u32,
    /// Array of `filter_count` filters, valid until the plug-in is unloaded.
    pub filters: *const *const InrFilterInfo,
    /// Number of filters.
    pub filter_count: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Opens a session and copies `host`. Leaves `out` unchanged on failure; `INR_VERSION` for a host of another major version.
    pub session_open:
        Option<unsafe extern "C" fn(host: *const InrHost, out: *mut *mut InrSession) -> i32>,
    /// Closes the session and frees its memory. No call may be running. Accepts NULL.
    pub session_close: Option<unsafe extern "C" fn(session: *mut InrSession)>,
    /// Returns the message of the session's last call in UTF-8, "" after success; valid until the next call with this
    /// session.
    pub session_message: Option<unsafe extern "C" fn(session: *mut InrSession) -> *const c_char>,
    /// Computes quickly what a call would need and produce.
    pub filter_plan: Option<
        unsafe extern "C" fn(
            session: *mut InrSession,
            call: *const InrFilterCall,
            out: *mut InrPlan,
        ) -> i32,
    >,
    /// Runs a filter. Threads that it starts end before it returns.
    pub filter_run:
        Option<unsafe extern "C" fn(session: *mut InrSession, call: *const InrFilterCall) -> i32>,
    /// Returns the suite of this name, such as `INR_SUITE_CODEC`, and version: a struct that the suite defines, valid until
    /// the plug-in is unloaded; NULL when the plug-in lacks it. The function pointer may be NULL.
    pub suite: Option<unsafe extern "C" fn(name: *const c_char, version: u32) -> *const c_void>,
}

/// Type of `inr_get_api`, the only function that a plug-in exports. It stores the table for hosts of `abi_major` in `out`, or
/// NULL on failure. `host` identifies the caller, may be NULL, and is not used after the call.
pub type InrGetApi =
    unsafe extern "C" fn(abi_major: u32, host: *const InrHost, out: *mut *const InrApi) -> i32;
