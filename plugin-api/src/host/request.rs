//! Requests to filters and their C structs.

use std::ffi::CString;
use std::ptr::null;

use super::pixmap::Pixmap;
use super::plugin::Plugin;
use crate::abi::*;
use crate::describe::Value;
use crate::region::Region;
use crate::status::Failure;

/// An input for a filter: a picture or a part of one.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Key of the input; `None` for the first.
    pub key: Option<&'a str>,
    /// The pixels.
    pub pixels: &'a Pixmap,
    /// Column and row of the first pixel in the picture.
    pub origin: [u32; 2],
    /// Width and height of the whole picture; `None` when `pixels` holds the whole picture.
    pub picture: Option<[u32; 2]>,
}

impl<'a> Source<'a> {
    /// Returns a whole picture for the input `key`.
    pub fn whole(key: Option<&'a str>, pixels: &'a Pixmap) -> Self {
        Self {
            key,
            pixels,
            origin: [0, 0],
            picture: None,
        }
    }
}

/// A request to a filter.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// Key or id of the filter.
    pub filter: &'a str,
    /// Inputs.
    pub sources: Vec<Source<'a>>,
    /// Values of parameters by key. Other parameters take their defaults.
    pub values: Vec<(String, Value)>,
    /// Requested region; `None` for the whole output.
    pub region: Option<Region>,
}

/// Copies a string for C.
fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::bad(format!("{text:?} contains a zero byte")))
}

/// Values as C structs, with the strings behind their pointers.
pub(super) struct Values {
    raw: Vec<InrValue>,
    _texts: Vec<CString>,
}

impl Values {
    pub(super) fn new(values: &[(String, Value)]) -> Result<Self, Failure> {
        let mut texts = Vec::new();
        let mut raw = Vec::with_capacity(values.len());
        for (key, value) in values {
            texts.push(c_string(key)?);
            let mut found = InrValue {
                struct_size: size_of::<InrValue>(),
                key: texts[texts.len() - 1].as_ptr(),
                number: 0.0,
                text: null(),
                rgb: [0.0; 3],
            };
            match value {
                Value::Number(number) => found.number = *number,
                Value::Rgb(rgb) => found.rgb = *rgb,
                Value::Text(text) => {
                    texts.push(c_string(text)?);
                    found.text = texts[texts.len() - 1].as_ptr();
                }
            }
            raw.push(found);
        }
        Ok(Self { raw, _texts: texts })
    }

    pub(super) fn pointers(&self) -> Vec<*const InrValue> {
        self.raw.iter().map(std::ptr::from_ref).collect()
    }
}

/// Passes `request` as a C struct to `work`.
pub(super) fn with_call<T>(
    plugin: &Plugin,
    request: &Request,
    output: *const InrBuffer,
    progress: *const InrProgress,
    work: impl FnOnce(&InrFilterCall) -> T,
) -> Result<T, Failure> {
    let (filter, _) = plugin.filter(request.filter)?;
    let keys = request.sources.iter().map(|source| source.key);
    let keys: Vec<Option<CString>> = keys
        .map(|key| key.map(c_string).transpose())
        .collect::<Result<_, _>>()?;
    let buffers = request.sources.iter().map(|source| source.pixels.source());
    let buffers: Vec<InrBuffer> = buffers.collect::<Result<_, _>>()?;
    let inputs = request.sources.iter().zip(&keys).zip(&buffers);
    let inputs: Vec<InrInput> = inputs
        .map(|((source, key), buffer)| {
            let [picture_width, picture_height] = source.picture.unwrap_or([0, 0]);
            InrInput {
                struct_size: size_of::<InrInput>(),
                key: key.as_ref().map_or(null(), |key| key.as_ptr()),
                buffer,
                left: source.origin[0],
                top: source.origin[1],
                picture_width,
                picture_height,
            }
        })
        .collect();
    let inputs: Vec<*const InrInput> = inputs.iter().map(std::ptr::from_ref).collect();
    let values = Values::new(&request.values)?;
    let values = values.pointers();
    let region = request.region.as_ref().map(Region::raw);
    Ok(work(&InrFilterCall {
        struct_size: size_of::<InrFilterCall>(),
        filter: filter as u32,
        input_count: inputs.len() as u32,
        inputs: inputs.as_ptr(),
        values: values.as_ptr(),
        value_count: values.len() as u32,
        reserved: 0,
        region: region.as_ref().map_or(null(), std::ptr::from_ref),
        output,
        progress,
    }))
}
