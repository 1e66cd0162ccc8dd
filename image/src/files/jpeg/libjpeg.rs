//! libjpeg-turbo's decoder. It reads every Huffman and arithmetic process of 8 bits, whatever the sampling and the scans.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg::{ColorSpace, Decompress};
use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr};

use super::segments::CORRUPT;
use crate::error::Error;

thread_local! {
    /// Whether a warning of the decoder ends it, and how many it gave.
    static WARNINGS: Cell<(bool, u32)> = const { Cell::new((true, 0)) };
}

/// What unwinds out of the decoder.
struct Ended;

extern "C-unwind" fn fatal(_: &mut jpeg_common_struct) {
    resume_unwind(Box::new(Ended))
}

/// Levels below 0 are corrupt data that the decoder has papered over.
extern "C-unwind" fn message(_: &mut jpeg_common_struct, level: i32) {
    let (strict, count) = WARNINGS.get();
    if level < 0 {
        WARNINGS.set((strict, count + 1));
        if strict {
            resume_unwind(Box::new(Ended));
        }
    }
}

extern "C-unwind" fn nothing(_: &mut jpeg_common_struct) {}

fn error_manager() -> jpeg_error_mgr {
    jpeg_error_mgr {
        error_exit: Some(fatal),
        emit_message: Some(message),
        output_message: Some(nothing),
        format_message: None,
        reset_error_mgr: Some(nothing),
        msg_code: 0,
        msg_parm: Default::default(),
        trace_level: 0,
        num_warnings: 0,
        jpeg_message_table: std::ptr::null(),
        last_jpeg_message: 0,
        addon_message_table: std::ptr::null(),
        first_addon_message: 0,
        last_addon_message: 0,
    }
}

/// Samples of a file with 1 or 3 components, and whether some of its data was corrupt; with `partial` that is no error.
pub(super) fn decoded(
    bytes: &[u8],
    components: u8,
    partial: bool,
) -> Result<(Vec<u8>, bool), Error> {
    let colours = match components {
        1 => ColorSpace::JCS_GRAYSCALE,
        _ => ColorSpace::JCS_RGB,
    };
    WARNINGS.set((!partial, 0));
    let work = || {
        let decoder = Decompress::with_err(error_manager()).from_mem(bytes).ok()?;
        let mut started = decoder.to_colorspace(colours).ok()?;
        let samples = started.read_scanlines::<u8>().ok()?;
        // Reads the rest of the file, up to its end marker.
        let _ = started.finish();
        Some(samples)
    };
    let samples = catch_unwind(AssertUnwindSafe(work)).ok().flatten();
    let samples = samples.ok_or(CORRUPT)?;
    Ok((samples, WARNINGS.get().1 > 0))
}
