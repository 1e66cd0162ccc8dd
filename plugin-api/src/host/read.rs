//! Reads and validates descriptions in C structs.

use std::ffi::c_char;

use crate::abi::{InrApi, InrFilterInfo, InrParamInfo};
use crate::abi_codec::{INR_SUITE_CODEC, INR_SUITE_CODEC_VERSION, InrCodec};
use crate::codes::{ParamType, ThreadClass};
use crate::describe::{Capabilities, FileType, Filter, Input, Kind, Param};
use crate::status::Failure;
use crate::structs;

/// Maximum number of filters, inputs, parameters or choices.
const MAX_ITEMS: u32 = 4096;

/// Reads a required string.
///
/// # Safety
/// The data behind the pointer follows the header; all functions of this file require this.
pub(super) unsafe fn named(text: *const c_char, what: &str) -> Result<String, Failure> {
    // SAFETY: the caller makes this promise.
    let text = unsafe { structs::text(text, what) }?;
    match text {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(Failure::bad(format!("{what} is missing"))),
    }
}

/// Reads an optional string.
///
/// # Safety
/// See [`named`].
unsafe fn optional(text: *const c_char, what: &str) -> Result<String, Failure> {
    // SAFETY: the caller makes this promise.
    Ok(unsafe { structs::text(text, what) }?.unwrap_or_default())
}

/// Reads the codec's table, if the plug-in has the suite in this version.
///
/// # Safety
/// See [`named`].
pub(super) unsafe fn codec(api: &InrApi) -> Result<Option<InrCodec>, Failure> {
    let Some(suite) = api.suite else {
        return Ok(None);
    };
    let name = std::ffi::CString::new(INR_SUITE_CODEC).expect("the name has no zero byte");
    // SAFETY: the caller makes this promise.
    let table = unsafe { suite(name.as_ptr(), INR_SUITE_CODEC_VERSION) };
    if table.is_null() {
        return Ok(None);
    }
    // SAFETY: a suite of this name and version is such a struct.
    let table = unsafe { structs::read(table.cast::<InrCodec>()) }?;
    let complete = table.picture_open.is_some()
        && table.picture_close.is_some()
        && table.picture_message.is_some()
        && table.picture_info.is_some()
        && table.picture_render.is_some()
        && table.encode.is_some()
        && table.bytes_free.is_some();
    match complete {
        true => Ok(Some(table)),
        false => Err(Failure::bad("a function of the codec is NULL")),
    }
}

/// Reads how to recognise the codec's files, if the codec states any of it.
///
/// # Safety
/// See [`named`].
pub(super) unsafe fn file_type(table: &InrCodec) -> Result<Option<FileType>, Failure> {
    // SAFETY: the caller makes this promise.
    let found = unsafe {
        FileType {
            extension: optional(table.extension, "the extension of files")?,
            mime_type: optional(table.mime_type, "the MIME type")?,
            magic: structs::bytes(table.magic, table.magic_size).unwrap_or_default(),
        }
    };
    let FileType {
        extension,
        mime_type,
        magic,
    } = &found;
    let stated = !extension.is_empty() || !mime_type.is_empty() || !magic.is_empty();
    Ok(stated.then_some(found))
}

/// # Safety
/// See [`named`].
pub(super) unsafe fn filters(api: &InrApi) -> Result<Vec<Filter>, Failure> {
    // SAFETY: the caller makes this promise.
    let infos = unsafe { structs::read_all(api.filters, api.filter_count, MAX_ITEMS) }?;
    // SAFETY: the caller makes this promise.
    let filters = infos.iter().map(|info| unsafe { filter(info) });
    let filters: Vec<Filter> = filters.collect::<Result<_, _>>()?;
    for (index, filter) in filters.iter().enumerate() {
        if filters[..index].iter().any(|other| other.key == filter.key) {
            return Err(Failure::bad(format!(
                "two filters have the key {}",
                filter.key
            )));
        }
    }
    Ok(filters)
}

/// # Safety
/// See [`named`].
unsafe fn filter(info: &InrFilterInfo) -> Result<Filter, Failure> {
    // SAFETY: the caller makes this promise.
    unsafe {
        let filter = Filter {
            id: named(info.id, "a filter's id")?,
            key: named(info.key, "a filter's key")?,
            label: named(info.label, "a filter's label")?,
            hint: optional(info.hint, "a filter's hint")?,
            version: optional(info.version, "a filter's version")?,
            capabilities: Capabilities(info.capabilities),
            thread_class: ThreadClass::from_code(info.thread_class)?,
            inputs: inputs(info)?,
            params: params(info.params, info.param_count)?,
        };
        match filter.inputs.is_empty() {
            true => Err(Failure::bad(format!("filter {} has no input", filter.key))),
            false => Ok(filter),
        }
    }
}

/// # Safety
/// See [`named`].
unsafe fn inputs(info: &InrFilterInfo) -> Result<Vec<Input>, Failure> {
    // SAFETY: the caller makes this promise.
    let infos = unsafe { structs::read_all(info.inputs, info.input_count, MAX_ITEMS) }?;
    let each = infos.iter().map(|info| {
        Ok(Input {
            // SAFETY: the caller makes this promise.
            key: unsafe { named(info.key, "an input's key") }?,
            // SAFETY: the caller makes this promise.
            label: unsafe { named(info.label, "an input's label") }?,
            // SAFETY: the caller makes this promise.
            hint: unsafe { optional(info.hint, "an input's hint") }?,
            required: info.required != 0,
        })
    });
    each.collect()
}

/// # Safety
/// See [`named`].
pub(super) unsafe fn params(
    pointers: *const *const InrParamInfo,
    count: u32,
) -> Result<Vec<Param>, Failure> {
    // SAFETY: the caller makes this promise.
    let infos = unsafe { structs::read_all(pointers, count, MAX_ITEMS) }?;
    // SAFETY: the caller makes this promise.
    infos.iter().map(|info| unsafe { param(info) }).collect()
}

/// # Safety
/// See [`named`].
unsafe fn param(info: &InrParamInfo) -> Result<Param, Failure> {
    // SAFETY: the caller makes this promise.
    unsafe {
        let enabled_by = optional(info.enabled_by, "a parameter's condition")?;
        let enabled_if = structs::text(info.enabled_if, "a parameter's condition")?;
        let param = Param {
            key: named(info.key, "a parameter's key")?,
            label: named(info.label, "a parameter's label")?,
            hint: optional(info.hint, "a parameter's hint")?,
            group: optional(info.group, "a parameter's group")?,
            kind: kind(info)?,
            enabled_by: (!enabled_by.is_empty()).then_some((enabled_by, enabled_if)),
        };
        match param.check(&param.default()) {
            Ok(()) => Ok(param),
            Err(failure) => Err(Failure::bad(format!("the default of {}", failure.message))),
        }
    }
}

/// True when a slider can show the number.
fn drawable(info: &InrParamInfo) -> bool {
    let finite = [info.display_min, info.display_max, info.step].map(f64::is_finite);
    finite == [true; 3] && info.display_min <= info.display_max && info.step >= 0.0
}

/// # Safety
/// See [`named`].
unsafe fn kind(info: &InrParamInfo) -> Result<Kind, Failure> {
    let kind = ParamType::from_code(info.kind)?;
    Ok(match kind {
        ParamType::Int | ParamType::Double if !drawable(info) => {
            return Err(Failure::bad(format!(
                "an invalid slider from {} to {} with steps of {}",
                info.display_min, info.display_max, info.step
            )));
        }
        ParamType::Int | ParamType::Double => Kind::Number {
            whole: kind == ParamType::Int,
            range: [info.hard_min, info.hard_max],
            display: [info.display_min, info.display_max],
            default: info.default_number,
            step: info.step,
            digits: info.digits,
        },
        ParamType::Bool => Kind::Bool(info.default_number != 0.0),
        ParamType::Choice => {
            // SAFETY: the caller makes this promise.
            let infos = unsafe { structs::read_all(info.choices, info.choice_count, MAX_ITEMS) }?;
            let choices = infos.iter().map(|choice| {
                // SAFETY: the caller makes this promise.
                let key = unsafe { named(choice.key, "a choice's key") }?;
                // SAFETY: the caller makes this promise.
                Ok((key, unsafe { named(choice.label, "a choice's label") }?))
            });
            Kind::Choice {
                choices: choices.collect::<Result<_, Failure>>()?,
                // SAFETY: the caller makes this promise.
                default: unsafe { named(info.default_text, "a choice's default") }?,
            }
        }
        // SAFETY: the caller makes this promise.
        ParamType::String => Kind::Text(unsafe { optional(info.default_text, "a default") }?),
        ParamType::Rgb => Kind::Rgb(info.default_rgb),
    })
}
