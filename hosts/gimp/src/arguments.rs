//! The program's arguments as C has them.

use std::ffi::{CString, OsString, c_char, c_int};
use std::process::ExitCode;

/// Calls `work` with the number of arguments and a list that NULL ends, and returns its exit code.
pub fn with_arguments(work: impl FnOnce(c_int, *mut *mut c_char) -> c_int) -> ExitCode {
    let text = |text: OsString| {
        CString::new(text.into_encoded_bytes()).expect("the system ends arguments at zero bytes")
    };
    let arguments: Vec<CString> = std::env::args_os().map(text).collect();
    let pointers = arguments.iter().map(|text| text.as_ptr().cast_mut());
    let mut pointers: Vec<_> = pointers.chain([std::ptr::null_mut()]).collect();
    let code = work(arguments.len() as c_int, pointers.as_mut_ptr());
    u8::try_from(code).unwrap_or(1).into()
}
