//! Values of a procedure's arguments.

use std::ffi::{CStr, c_char, c_double, c_int};
use std::ptr::{null, null_mut};

use inr_plugin_api::{Kind, Param, Value};

use super::tables::{Text, tables};
use crate::catalogue::Values;
use crate::editor::{Object, c_string as text};

/// Reads the values of `params` from `config`.
///
/// # Safety
/// `config` belongs to a procedure with these arguments.
pub(super) unsafe fn values(config: Object, params: &[Param]) -> Values {
    let get = tables().own.g_object_get;
    let end: Text = null();
    let value = |param: &Param| {
        let key = text(&param.key);
        // SAFETY: the caller makes this promise, so the properties have these types.
        unsafe {
            match &param.kind {
                Kind::Number { whole: false, .. } => {
                    let mut number: c_double = 0.0;
                    get(config, key.as_ptr(), &raw mut number, end);
                    Value::Number(number)
                }
                Kind::Number { whole: true, .. } | Kind::Bool(_) => {
                    let mut number: c_int = 0;
                    get(config, key.as_ptr(), &raw mut number, end);
                    Value::Number(f64::from(number))
                }
                Kind::Choice { .. } | Kind::Text(_) => {
                    let mut found: *mut c_char = null_mut();
                    get(config, key.as_ptr(), &raw mut found, end);
                    if found.is_null() {
                        return param.default();
                    }
                    let value = CStr::from_ptr(found).to_string_lossy().into_owned();
                    (tables().gimp.g_free)(found.cast());
                    Value::Text(value)
                }
                Kind::Rgb(_) => param.default(),
            }
        }
    };
    params
        .iter()
        .map(|param| (param.key.clone(), value(param)))
        .collect()
}
