//! The C functions of the table.

use std::ffi::{c_char, c_void};
use std::ptr::null;

use super::call::{Call, Image, Plan};
use super::handle::{Handle, Host, Session, guarded};
use super::plugin::Plugin;
use super::tables::settle_values;
use super::watch::Watch;
use crate::abi::*;
use crate::abi_codec::{INR_SUITE_CODEC, INR_SUITE_CODEC_VERSION};
use crate::buffer::{Pixels, PixelsMut};
use crate::describe::Filter;
use crate::region::Region;
use crate::status::{Failure, Status};
use crate::structs;

/// Implements `inr_get_api` of a plug-in.
///
/// # Safety
/// `out` is NULL or writable.
pub unsafe fn get_api<P: Plugin>(
    abi_major: u32,
    _host: *const InrHost,
    out: *mut *const InrApi,
) -> i32 {
    if out.is_null() || !out.is_aligned() {
        return INR_BAD_ARGUMENT;
    }
    let found = guarded(|| {
        if abi_major != INR_ABI_MAJOR {
            return Err(Failure::new(
                Status::Version,
                "the host uses another major version of the ABI",
            ));
        }
        Ok(table::<P>())
    });
    let (api, code) = match found {
        Ok(api) => (std::ptr::from_ref(api), INR_OK),
        Err(failure) => (null(), failure.status.code()),
    };
    // SAFETY: the function checked `out` above.
    unsafe { out.write(api) };
    code
}

fn table<P: Plugin>() -> &'static InrApi {
    let tables = P::tables();
    tables.api.get_or_init(|| {
        let [id, name, version] = tables.texts;
        let capabilities = tables.description.capabilities.0;
        let all = tables
            .description
            .filters
            .iter()
            .fold(capabilities, |all, filter| all | filter.capabilities.0);
        InrApi {
            struct_size: size_of::<InrApi>(),
            abi_major: INR_ABI_MAJOR,
            abi_minor: INR_ABI_MINOR,
            id,
            name,
            version,
            capabilities: all,
            thread_class: tables.description.thread_class.code(),
            filters: tables.filters.as_ptr(),
            filter_count: tables.filters.len() as u32,
            reserved: 0,
            session_open: Some(session_open),
            session_close: Some(session_close),
            session_message: Some(session_message),
            filter_plan: Some(filter_plan::<P>),
            filter_run: Some(filter_run::<P>),
            suite: Some(suite::<P>),
        }
    })
}

unsafe extern "C" fn session_open(host: *const InrHost, out: *mut *mut InrSession) -> i32 {
    if out.is_null() || !out.is_aligned() {
        return INR_BAD_ARGUMENT;
    }
    let opened = guarded(|| {
        // SAFETY: the header requires this of the caller.
        let host = unsafe { Host::new(host) }?;
        Ok(Handle::open(Session::new(host)))
    });
    match opened {
        Ok(session) => {
            // SAFETY: the function checked `out` above.
            unsafe { out.write(session.cast()) };
            INR_OK
        }
        Err(failure) => failure.status.code(),
    }
}

unsafe extern "C" fn session_close(session: *mut InrSession) {
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Session>::close(session.cast()) }
}

unsafe extern "C" fn session_message(session: *mut InrSession) -> *const c_char {
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Session>::message(session.cast()) }
}

unsafe extern "C" fn filter_plan<P: Plugin>(
    session: *mut InrSession,
    call: *const InrFilterCall,
    out: *mut InrPlan,
) -> i32 {
    let work = |session: &mut Session| {
        // SAFETY: the header requires this of the caller.
        let (index, filter, call, _) = unsafe { checked::<P>(session, call, false) }?;
        let plan = P::plan(index, &call)?;
        let needed = needed(filter, &call, &plan)?;
        let value = InrPlan {
            struct_size: 0,
            width: plan.size[0],
            height: plan.size[1],
            layout: plan.layout.code(),
            halo: if filter.is_global() {
                u32::MAX
            } else {
                plan.halo
            },
            need_left: needed[0],
            need_top: needed[1],
            need_width: needed[2],
            need_height: needed[3],
        };
        // SAFETY: the header requires this of the caller.
        unsafe { structs::write(out, value) }
    };
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Session>::with(session.cast(), work) }
}

unsafe extern "C" fn filter_run<P: Plugin>(
    session: *mut InrSession,
    call: *const InrFilterCall,
) -> i32 {
    let work = |session: &mut Session| {
        // SAFETY: the header requires this of the caller.
        let (index, filter, call, output) = unsafe { checked::<P>(session, call, true) }?;
        let plan = P::plan(index, &call)?;
        // SAFETY: the header requires this of the caller.
        let mut output = unsafe { PixelsMut::new(output) }?;
        fits(&call, &plan, &output)?;
        apart(filter, &call, &output)?;
        let needed = covered(filter, &call, &plan)?;
        call.watch.done(0.0)?;
        for (at, (info, image)) in filter.inputs.iter().zip(&call.inputs).enumerate() {
            if let Some(Image { pixels, .. }) = image {
                let [width, height] = pixels.size();
                let whole = [0, 0, width, height];
                let part = if at == 0 { needed } else { whole };
                session.warn_of_strays(&format!("input {}", info.key), pixels, part);
            }
        }
        P::run(index, &call, &mut output)?;
        call.watch.done(1.0)
    };
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Session>::with(session.cast(), work) }
}

unsafe extern "C" fn suite<P: Plugin>(name: *const c_char, version: u32) -> *const c_void {
    let found = guarded(|| {
        // SAFETY: the header requires this of the caller.
        let name = unsafe { structs::text(name, "a suite's name") }?;
        let wanted = name.is_some_and(|name| name == INR_SUITE_CODEC);
        Ok(P::codec().filter(|_| wanted && version == INR_SUITE_CODEC_VERSION))
    });
    let found = found.ok().flatten();
    found.map_or(null(), |codec| std::ptr::from_ref(&codec.table).cast())
}

/// Validates a call, except for the filter's own rules.
///
/// # Safety
/// `call` follows the header for `'a`.
unsafe fn checked<'a, P: Plugin>(
    session: &Session,
    call: *const InrFilterCall,
    runs: bool,
) -> Result<(usize, &'static Filter, Call<'a>, *const InrBuffer), Failure> {
    // SAFETY: the caller makes this promise.
    let raw = unsafe { structs::read(call) }?;
    let filters = &P::tables().description.filters;
    let index = raw.filter as usize;
    let Some(filter) = filters.get(index) else {
        let count = filters.len();
        return Err(Failure::bad(format!(
            "filter {index} does not exist; the plug-in has {count}"
        )));
    };
    // SAFETY: the caller makes this promise.
    let inputs = unsafe { images(session, filter, &raw, runs) }?;
    // SAFETY: the caller makes this promise.
    let values = unsafe { settle_values(&filter.params, raw.values, raw.value_count) }?;
    let region = match raw.region.is_null() {
        true => None,
        // SAFETY: the caller makes this promise.
        false => Some(Region::checked(&unsafe { structs::read(raw.region) }?)?),
    };
    let call = Call {
        inputs,
        params: &filter.params,
        values,
        region,
        // SAFETY: the caller makes this promise.
        watch: unsafe { Watch::new(raw.progress) }?,
        host: session.host,
    };
    Ok((index, filter, call, raw.output))
}

/// Validates the inputs of a call and returns them in the filter's order.
///
/// # Safety
/// The data behind `raw` follows the header for `'a`.
unsafe fn images<'a>(
    session: &Session,
    filter: &Filter,
    raw: &InrFilterCall,
    runs: bool,
) -> Result<Vec<Option<Image<'a>>>, Failure> {
    // SAFETY: the caller makes this promise.
    let given =
        unsafe { structs::read_all(raw.inputs, raw.input_count, filter.inputs.len() as u32) }?;
    let mut inputs: Vec<Option<Image>> = vec![None; filter.inputs.len()];
    for input in given {
        // SAFETY: the caller makes this promise.
        let (at, image) = unsafe { image(filter, &input, runs) }?;
        if let Some(limit) = session.host.max_pixels() {
            let pixels = image.picture.map(u64::from);
            within(pixels[0].saturating_mul(pixels[1]), limit)?;
        }
        if inputs[at].replace(image).is_some() {
            let key = &filter.inputs[at].key;
            return Err(Failure::bad(format!("input {key} is given twice")));
        }
    }
    let missing = filter
        .inputs
        .iter()
        .zip(&inputs)
        .find(|(info, given)| info.required && given.is_none());
    if let Some((info, _)) = missing {
        return Err(Failure::bad(format!("input {} is missing", info.key)));
    }
    Ok(inputs)
}

fn within(pixels: u64, limit: u64) -> Result<(), Failure> {
    match pixels > limit {
        true => Err(Failure::new(
            Status::TooLarge,
            format!("{pixels} pixels; the host's limit is {limit}"),
        )),
        false => Ok(()),
    }
}

/// Validates one input and returns its index and pixels.
///
/// # Safety
/// The input follows the header for `'a`.
unsafe fn image<'a>(
    filter: &Filter,
    input: &InrInput,
    runs: bool,
) -> Result<(usize, Image<'a>), Failure> {
    // SAFETY: the caller makes this promise.
    let key = unsafe { structs::text(input.key, "an input's key") }?;
    let at = match &key {
        None => 0,
        Some(key) => {
            let found = filter.inputs.iter().position(|info| info.key == *key);
            found.ok_or_else(|| Failure::bad(format!("unknown input {key}")))?
        }
    };
    // SAFETY: the caller makes this promise.
    let pixels = unsafe { Pixels::new(input.buffer, runs) }?;
    let given = pixels.size();
    let origin = [input.left, input.top];
    let picture = match [input.picture_width, input.picture_height] {
        [0, 0] if origin == [0, 0] => given,
        size => size,
    };
    for axis in [0, 1] {
        let end = u64::from(origin[axis]) + u64::from(given[axis]);
        if end > u64::from(picture[axis]) {
            return Err(Failure::bad(format!(
                "a buffer of {given:?} pixels at {origin:?} extends beyond its picture of {picture:?}"
            )));
        }
    }
    let image = Image {
        pixels,
        origin,
        picture,
    };
    Ok((at, image))
}

fn fits(call: &Call, plan: &Plan, output: &PixelsMut) -> Result<(), Failure> {
    let region = call.region(plan)?;
    if output.size() != region.size {
        let (found, wanted) = (output.size(), region.size);
        return Err(Failure::bad(format!(
            "the output has {found:?} pixels; the region has {wanted:?}"
        )));
    }
    let (found, wanted) = (output.format().layout, plan.layout);
    if found != wanted {
        return Err(Failure::bad(format!(
            "the output has the layout {found}; the plan has {wanted}"
        )));
    }
    if let Some(limit) = call.host.max_pixels() {
        let pixels = region.size.map(u64::from);
        within(pixels[0].saturating_mul(pixels[1]), limit)?;
    }
    Ok(())
}

/// Checks that the output shares no memory with an input.
fn apart(filter: &Filter, call: &Call, output: &PixelsMut) -> Result<(), Failure> {
    let mut inputs = filter.inputs.iter().zip(&call.inputs);
    let shared = inputs.find(|(_, image)| {
        image
            .as_ref()
            .is_some_and(|image| output.overlaps(&image.pixels))
    });
    match shared {
        Some((info, _)) => Err(Failure::bad(format!(
            "the output overlaps input {} in memory; give the output a buffer of its own",
            info.key
        ))),
        None => Ok(()),
    }
}

/// Left, top, width and height of the part of the first input that the region needs.
fn needed(filter: &Filter, call: &Call, plan: &Plan) -> Result<[u32; 4], Failure> {
    let picture = call.image()?.picture;
    if filter.is_global() {
        return Ok([0, 0, picture[0], picture[1]]);
    }
    let region = call.region(plan)?;
    let mut needed = [0; 4];
    for axis in [0, 1] {
        let side = f64::from(picture[axis]);
        let halo = f64::from(plan.halo);
        let start = (region.origin[axis] - halo).floor().clamp(0.0, side);
        let extent = region.step[axis] * f64::from(region.size[axis]);
        let end = (region.origin[axis] + extent + halo)
            .ceil()
            .clamp(0.0, side);
        needed[axis] = start as u32;
        needed[2 + axis] = (end - start) as u32;
    }
    Ok(needed)
}

/// Checks that the first input has what the region needs, and returns left, top, width and height of that part in its buffer.
fn covered(filter: &Filter, call: &Call, plan: &Plan) -> Result<[u32; 4], Failure> {
    let image = call.image()?;
    let [left, top, width, height] = needed(filter, call, plan)?;
    let (origin, size) = (image.origin, image.pixels.size());
    let covered = origin[0] <= left
        && origin[1] <= top
        && left + width <= origin[0] + size[0]
        && top + height <= origin[1] + size[1];
    match covered {
        true => Ok([left - origin[0], top - origin[1], width, height]),
        false => Err(Failure::bad(format!(
            "the region needs {width} x {height} pixels at {left}, {top}; the input has {size:?} at {origin:?}"
        ))),
    }
}
