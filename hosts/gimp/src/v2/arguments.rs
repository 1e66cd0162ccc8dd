//! Arguments and results of GIMP's calls.

use std::ffi::{CStr, c_int};
use std::path::PathBuf;

use inr_plugin_api::{Failure, Kind, Param, Value};

use super::query::tag_of;
use super::tables::{GimpParam, ParamData, tag};
use crate::catalogue::Values;
use crate::editor::c_string;

/// The remaining arguments of a call.
pub(crate) struct Arguments<'a>(pub(crate) &'a [GimpParam]);

impl Arguments<'_> {
    fn next(&mut self, tag: c_int) -> Result<ParamData, Failure> {
        let (first, rest) = self
            .0
            .split_first()
            .ok_or_else(|| Failure::bad("arguments are missing"))?;
        if first.tag != tag {
            let found = first.tag;
            return Err(Failure::bad(format!(
                "an argument has the type {found} instead of {tag}"
            )));
        }
        self.0 = rest;
        Ok(first.data)
    }

    /// Reads the next argument: a number or item of type `tag`.
    ///
    /// # Errors
    /// When the argument is missing or has another type; likewise for the methods below.
    pub(crate) fn int(&mut self, tag: c_int) -> Result<c_int, Failure> {
        // SAFETY: arguments of these types are integers.
        Ok(unsafe { self.next(tag)?.int })
    }

    fn bytes(&mut self) -> Result<Vec<u8>, Failure> {
        // SAFETY: arguments of this type are texts.
        let text = unsafe { self.next(tag::STRING)?.text };
        if text.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: GIMP's texts end with a zero byte and are valid during the call.
        Ok(unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
    }

    /// Reads the next argument: the path of a file.
    pub(crate) fn path(&mut self) -> Result<PathBuf, Failure> {
        use std::os::unix::ffi::OsStringExt;
        Ok(std::ffi::OsString::from_vec(self.bytes()?).into())
    }

    /// Reads the next arguments: values of `params`. An invalid 0 or "" stands for the default.
    pub(crate) fn values(&mut self, params: &[Param]) -> Result<Values, Failure> {
        let each = params
            .iter()
            .map(|param| Ok((param.key.clone(), self.value(param)?)));
        each.collect()
    }

    /// Reads the next arguments: values of `params`. Every 0 or "", which GIMP passes for unspecified arguments, stands for
    /// the default.
    pub(crate) fn values_given(&mut self, params: &[Param]) -> Result<Values, Failure> {
        let each = params.iter().map(|param| {
            let value = self.next_value(param)?;
            let value = match is_blank(&value) {
                true => param.default(),
                false => value,
            };
            param.check(&value)?;
            Ok((param.key.clone(), value))
        });
        each.collect()
    }

    fn value(&mut self, param: &Param) -> Result<Value, Failure> {
        let value = self.next_value(param)?;
        match param.check(&value) {
            Ok(()) => Ok(value),
            Err(_) if is_blank(&value) => Ok(param.default()),
            Err(failure) => Err(failure),
        }
    }

    fn next_value(&mut self, param: &Param) -> Result<Value, Failure> {
        Ok(match &param.kind {
            Kind::Number { whole: true, .. } | Kind::Bool(_) => {
                Value::Number(f64::from(self.int(tag_of(&param.kind))?))
            }
            Kind::Number { whole: false, .. } => {
                // SAFETY: the tag of the argument selects this member.
                Value::Number(unsafe { self.next(tag::FLOAT)?.float })
            }
            Kind::Choice { .. } | Kind::Text(_) => {
                Value::Text(String::from_utf8_lossy(&self.bytes()?).into_owned())
            }
            Kind::Rgb(_) => {
                // SAFETY: the tag of the argument selects this member.
                let [r, g, b, _] = unsafe { self.next(tag::COLOR)?.rgb };
                Value::Rgb([r, g, b])
            }
        })
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Number(number) => *number == 0.0,
        Value::Text(text) => text.is_empty(),
        Value::Rgb(_) => false,
    }
}

/// Returns a number or item as a result.
pub(crate) fn int(tag: c_int, int: c_int) -> GimpParam {
    // Initialises the whole union, because GIMP sends all of its bytes.
    let mut data = ParamData { rgb: [0.0; 4] };
    data.int = int;
    GimpParam { tag, data }
}

/// Returns a text as a result. Leaks it, because GIMP reads it after the call.
pub(crate) fn text(text: &str) -> GimpParam {
    let mut data = ParamData { rgb: [0.0; 4] };
    data.text = c_string(text).into_raw();
    GimpParam {
        tag: tag::STRING,
        data,
    }
}
