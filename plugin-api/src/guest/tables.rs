//! Descriptions as C structs.

use std::ffi::{CString, c_char};
use std::ptr::null;

use crate::abi::*;
use crate::codes::ThreadClass;
use crate::describe::{Capabilities, Filter, Input, Kind, Param, Value, settle};
use crate::status::Failure;
use crate::structs::{self, c_string};

/// Description of a plug-in.
#[derive(Clone, Debug)]
pub struct Description {
    /// Unique name: a reversed domain.
    pub id: String,
    /// Name that users see.
    pub name: String,
    /// Version of the plug-in.
    pub version: String,
    /// Capabilities beyond those of the filters.
    pub capabilities: Capabilities,
    /// Which threads may call.
    pub thread_class: ThreadClass,
    /// Filters.
    pub filters: Vec<Filter>,
}

/// A description and its C structs. Never freed, because hosts keep pointers into it.
#[derive(Debug)]
pub struct Tables {
    pub(super) description: Description,
    pub(super) filters: &'static [*const InrFilterInfo],
    pub(super) api: std::sync::OnceLock<InrApi>,
    pub(super) texts: [*const c_char; 3],
}

// SAFETY: nothing writes to the memory behind the pointers.
unsafe impl Send for Tables {}
// SAFETY: the same reason.
unsafe impl Sync for Tables {}

impl Tables {
    /// Builds the C structs of `description`.
    pub fn new(description: Description) -> Self {
        let filters = description.filters.iter().map(filter_info);
        let texts = [
            text(&description.id),
            text(&description.name),
            text(&description.version),
        ];
        Self {
            filters: pointers(filters.collect()),
            api: std::sync::OnceLock::new(),
            texts,
            description,
        }
    }

    /// Builds the C structs of `params` for a suite and returns one pointer for each.
    pub fn params(params: &[Param]) -> *const *const InrParamInfo {
        pointers(params.iter().map(param_info).collect()).as_ptr()
    }
}

/// Leaks `text` as a string for C.
pub(super) fn text(text: &str) -> *const c_char {
    CString::into_raw(c_string(text))
}

/// Leaks `values` and returns pointers to them.
fn pointers<T>(values: Vec<T>) -> &'static [*const T] {
    let values: &'static [T] = values.leak();
    values
        .iter()
        .map(std::ptr::from_ref)
        .collect::<Vec<_>>()
        .leak()
}

fn filter_info(filter: &Filter) -> InrFilterInfo {
    let inputs = pointers(filter.inputs.iter().map(input_info).collect());
    InrFilterInfo {
        struct_size: size_of::<InrFilterInfo>(),
        id: text(&filter.id),
        key: text(&filter.key),
        label: text(&filter.label),
        hint: text(&filter.hint),
        version: text(&filter.version),
        capabilities: filter.capabilities.0,
        thread_class: filter.thread_class.code(),
        inputs: inputs.as_ptr(),
        params: Tables::params(&filter.params),
        input_count: inputs.len() as u32,
        param_count: filter.params.len() as u32,
    }
}

fn input_info(input: &Input) -> InrInputInfo {
    InrInputInfo {
        struct_size: size_of::<InrInputInfo>(),
        key: text(&input.key),
        label: text(&input.label),
        hint: text(&input.hint),
        required: input.required.into(),
        reserved: 0,
    }
}

fn param_info(param: &Param) -> InrParamInfo {
    let mut info: InrParamInfo = structs::empty();
    info.key = text(&param.key);
    info.label = text(&param.label);
    info.hint = text(&param.hint);
    info.group = text(&param.group);
    info.kind = param.kind.param_type().code();
    (info.hard_max, info.display_max, info.step) = (1.0, 1.0, 1.0);
    if let Some((key, value)) = &param.enabled_by {
        info.enabled_by = text(key);
        info.enabled_if = value.as_deref().map_or(null(), text);
    }
    match &param.kind {
        Kind::Number {
            range,
            display,
            default,
            step,
            digits,
            ..
        } => {
            [info.hard_min, info.hard_max] = *range;
            [info.display_min, info.display_max] = *display;
            (info.default_number, info.step, info.digits) = (*default, *step, *digits);
        }
        Kind::Bool(default) => {
            info.default_number = f64::from(u8::from(*default));
        }
        Kind::Choice { choices, default } => {
            let choice = |(key, label): &(String, String)| InrChoice {
                struct_size: size_of::<InrChoice>(),
                key: text(key),
                label: text(label),
            };
            let choices = pointers(choices.iter().map(choice).collect());
            (info.choices, info.choice_count) = (choices.as_ptr(), choices.len() as u32);
            info.default_text = text(default);
        }
        Kind::Text(default) => {
            info.default_text = text(default);
        }
        Kind::Rgb(default) => {
            info.default_rgb = *default;
        }
    }
    info
}

/// Validates the values of a call and returns one for each of `params`.
///
/// # Errors
/// [`crate::Status::BadArgument`] for unknown keys and invalid values.
///
/// # Safety
/// `values` is NULL or points to `count` pointers to values that follow the header.
pub unsafe fn settle_values(
    params: &[Param],
    values: *const *const InrValue,
    count: u32,
) -> Result<Vec<Value>, Failure> {
    // SAFETY: the caller makes this promise.
    let values = unsafe { structs::read_all(values, count, params.len() as u32) }?;
    let mut given = Vec::with_capacity(values.len());
    for value in values {
        // SAFETY: the caller makes this promise.
        let key = unsafe { structs::text(value.key, "a parameter's key") }?;
        let key = key.ok_or_else(|| Failure::bad("a parameter's key is NULL"))?;
        let kind = params
            .iter()
            .find(|param| param.key == key)
            .map(|param| &param.kind);
        let found = match kind {
            Some(Kind::Choice { .. } | Kind::Text(_)) => {
                // SAFETY: the caller makes this promise.
                let text = unsafe { structs::text(value.text, "a parameter's text") }?;
                Value::Text(text.ok_or_else(|| Failure::bad(format!("the text of {key} is NULL")))?)
            }
            Some(Kind::Rgb(_)) => Value::Rgb(value.rgb),
            _ => Value::Number(value.number),
        };
        given.push((key, found));
    }
    settle(params, &given)
}
