//! Names, constants and outcomes of procedures, shared by both versions of GIMP.

use std::ffi::c_int;
use std::path::Path;

use inr_plugin_api::{Failure, Status};

/// The procedure that opens files.
pub const LOAD: &str = "file-inr-load";
/// The procedure that renders thumbnails.
pub const THUMBNAIL: &str = "file-inr-load-thumb";

/// `GIMP_RUN_INTERACTIVE`.
pub const INTERACTIVE: c_int = 0;
/// `GIMP_RUN_NONINTERACTIVE`.
pub const NONINTERACTIVE: c_int = 1;

/// `GIMP_PDB_EXECUTION_ERROR`.
const EXECUTION_ERROR: c_int = 0;
/// `GIMP_PDB_CALLING_ERROR`.
const CALLING_ERROR: c_int = 1;
/// `GIMP_PDB_SUCCESS`.
pub const SUCCESS: c_int = 3;
/// `GIMP_PDB_CANCEL`.
const CANCEL: c_int = 4;

/// `GIMP_PDB_PROC_TYPE_PLUGIN`, in 2.10 `GIMP_PLUGIN`.
pub const PLUGIN: c_int = 1;
/// `GIMP_EXPORT_CAN_HANDLE_RGB`, `_GRAY` and `_ALPHA`.
pub const EXPORTS: c_int = 1 | 2 | 16;

/// Runs `work`; a panic becomes a failure, because nothing may unwind into GIMP.
///
/// # Errors
/// The error of `work`; [`Status::Internal`] when it panics.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    Failure::catch("the plug-in for GIMP", work)
}

/// `GimpPDBStatusType` of a failed procedure, and the message that GIMP shows; none for a cancelled one.
pub fn outcome(failure: &Failure) -> (c_int, Option<&str>) {
    match failure.status {
        Status::Cancelled => (CANCEL, None),
        Status::BadArgument => (CALLING_ERROR, Some(&failure.message)),
        _ => (EXECUTION_ERROR, Some(&failure.message)),
    }
}

/// The last part of `path`, for messages.
pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
