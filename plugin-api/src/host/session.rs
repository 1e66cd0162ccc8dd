//! Calls of filters.

use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Plugin;
use crate::abi::*;
use crate::describe::Value;
use crate::guest::Region;
use crate::{Failure, Format, Layout, Status, structs};

/// What a plug-in may use.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads of a call; 0: as many as there are processors.
    pub threads: u32,
    /// Pixels of a picture or an output at most; 0: the plug-in's own limit.
    pub max_pixels: u64,
    /// Bytes of a file at most; 0: the plug-in's own limit.
    pub max_bytes: u64,
    /// Takes lines of its log, with levels `INR_LOG_*`.
    pub log: Option<fn(u32, &str)>,
}

/// Pixels that belong to the host, rows without gaps from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixmap {
    /// Width and height.
    pub size: [u32; 2],
    /// How pixels are stored.
    pub format: Format,
    /// The bytes: as many as size and format say.
    pub data: Vec<u8>,
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
}

impl Pixmap {
    /// Pixels of zero bytes.
    pub fn new(size: [u32; 2], format: Format) -> Self {
        let bytes = size[0] as usize * size[1] as usize * format.pixel_size();
        Self {
            size,
            format,
            data: vec![0; bytes],
            icc: None,
        }
    }

    fn check(&self) -> Result<(), Failure> {
        let [width, height] = self.size.map(|side| side as usize);
        let wanted = width.checked_mul(height);
        let wanted = wanted.and_then(|pixels| pixels.checked_mul(self.format.pixel_size()));
        match wanted == Some(self.data.len()) && self.data.len() <= isize::MAX as usize {
            true => Ok(()),
            false => Err(Failure::bad(format!(
                "{} bytes for {:?} pixels of {:?}",
                self.data.len(),
                self.size,
                self.format
            ))),
        }
    }

    /// The buffer to be read.
    pub(super) fn source(&self) -> Result<InrBuffer, Failure> {
        self.check()?;
        let data = self.data.as_ptr().cast_mut().cast();
        Ok(describe(data, self.size, self.format, self.icc.as_deref()))
    }

    /// The buffer to be written.
    pub(super) fn target(&mut self) -> Result<InrBuffer, Failure> {
        self.check()?;
        let data = self.data.as_mut_ptr().cast();
        Ok(describe(data, self.size, self.format, None))
    }
}

/// A buffer over memory that is described by the rest.
fn describe(data: *mut c_void, size: [u32; 2], format: Format, icc: Option<&[u8]>) -> InrBuffer {
    InrBuffer {
        struct_size: size_of::<InrBuffer>(),
        data,
        stride: (size[0] as usize * format.pixel_size()) as isize,
        width: size[0],
        height: size[1],
        sample: format.sample.code(),
        layout: format.layout.code(),
        alpha: format.alpha.code(),
        transfer: format.transfer.code(),
        icc: icc.map_or(std::ptr::null(), <[u8]>::as_ptr),
        icc_size: icc.map_or(0, <[u8]>::len),
    }
}

/// A picture for a filter, or a part of one.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Key of the input; `None` for the first.
    pub key: Option<&'a str>,
    /// The pixels.
    pub pixels: &'a Pixmap,
    /// Column and row of the picture that their first one is.
    pub origin: [u32; 2],
    /// Width and height of the picture; `None` when the pixels are all of it.
    pub picture: Option<[u32; 2]>,
}

impl<'a> Source<'a> {
    /// A whole picture as the input called `key`.
    pub fn whole(key: Option<&'a str>, pixels: &'a Pixmap) -> Self {
        Self {
            key,
            pixels,
            origin: [0, 0],
            picture: None,
        }
    }
}

/// What is asked of a filter.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// Key or id of the filter.
    pub filter: &'a str,
    /// Its pictures.
    pub sources: Vec<Source<'a>>,
    /// Values of parameters by key; the others have their defaults.
    pub values: Vec<(String, Value)>,
    /// The wanted pixels; `None`: all.
    pub region: Option<Region>,
}

/// What a request needs and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Width and height of the whole output.
    pub size: [u32; 2],
    /// Its channels.
    pub layout: Layout,
    /// Source pixels that an output pixel depends on beyond its own; `None` for global filters.
    pub halo: Option<u32>,
    /// Left, top, width and height of what the region needs of the first input.
    pub needed: [u32; 4],
}

/// Watches a call and stops it.
pub struct Watcher<'a> {
    /// Told how much is done, 0 to 1, on the calling thread; false asks to stop.
    pub progress: &'a mut dyn FnMut(f64) -> bool,
    /// Asks to stop once it is true; any thread may set it.
    pub cancelled: &'a AtomicBool,
}

impl std::fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// A plug-in at work for this host. One call at a time; any thread.
#[derive(Debug)]
pub struct Session {
    plugin: Plugin,
    raw: *mut InrSession,
    /// What the plug-in has pointers to.
    _context: Box<Context>,
}

// SAFETY: the header lets handles move between threads; `&mut self` keeps calls apart.
unsafe impl Send for Session {}

#[derive(Debug)]
struct Context {
    log: Option<fn(u32, &str)>,
}

/// The struct that tells plug-ins of this host; `ctx` is a [`Context`] or NULL.
pub(super) fn raw_host(options: &Options, ctx: *mut c_void) -> InrHost {
    InrHost {
        struct_size: size_of::<InrHost>(),
        abi_major: INR_ABI_MAJOR,
        abi_minor: INR_ABI_MINOR,
        name: c"inr".as_ptr(),
        ctx,
        alloc: None,
        free: None,
        log: (options.log.is_some() && !ctx.is_null()).then_some(log),
        max_threads: options.threads,
        reserved: 0,
        max_pixels: options.max_pixels,
        max_bytes: options.max_bytes,
    }
}

unsafe extern "C" fn log(ctx: *mut c_void, level: u32, message: *const c_char) {
    if message.is_null() {
        return;
    }
    // SAFETY: `ctx` is the context of a session that is not closed; it is only read.
    let context = unsafe { &*ctx.cast::<Context>() };
    // SAFETY: the header says that it is a string.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    if let Some(log) = context.log {
        // A panic must not go through the plug-in; a lost line of log is the lesser harm.
        let _ = catch_unwind(AssertUnwindSafe(|| log(level, &text)));
    }
}

impl Session {
    pub(super) fn open(plugin: Plugin, options: &Options) -> Result<Self, Failure> {
        let mut context = Box::new(Context { log: options.log });
        let host = raw_host(options, (&raw mut *context).cast());
        let mut raw = null_mut();
        // SAFETY: both pointers are to values of ours; the context outlives the session.
        let code = plugin.call(|calls| unsafe { (calls.session_open)(&host, &mut raw) });
        if code != INR_OK || raw.is_null() {
            let message = format!("{} does not open a session (code {code})", plugin.name());
            return Err(Failure::new(Status::from_code(code), message));
        }
        Ok(Self {
            plugin,
            raw,
            _context: context,
        })
    }

    /// The plug-in at work.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(super) fn raw(&mut self) -> *mut InrSession {
        self.raw
    }

    /// What `code` means, with the session's message.
    pub(super) fn outcome(&mut self, code: i32) -> Result<(), Failure> {
        if code == INR_OK {
            return Ok(());
        }
        let plugin = self.plugin.clone();
        let message = plugin.call(|calls| {
            // SAFETY: the session is open; its message is a string until the next call.
            unsafe { structs::text((calls.session_message)(self.raw), "the message") }
        });
        Err(failure(code, message))
    }

    /// What `request` would need and give.
    ///
    /// # Errors
    /// What the plug-in says.
    pub fn plan(&mut self, request: &Request) -> Result<Outcome, Failure> {
        let mut plan = InrPlan {
            struct_size: size_of::<InrPlan>(),
            width: 0,
            height: 0,
            layout: 0,
            halo: 0,
            need_left: 0,
            need_top: 0,
            need_width: 0,
            need_height: 0,
        };
        let plugin = self.plugin.clone();
        let raw = self.raw;
        let code = with_call(&plugin, request, null(), null(), |call| {
            // SAFETY: the session is open, and `call` and all that it points to is there.
            plugin.call(|calls| unsafe { (calls.filter_plan)(raw, call, &mut plan) })
        })?;
        self.outcome(code)?;
        Ok(Outcome {
            size: [plan.width, plan.height],
            layout: Layout::from_code(plan.layout)?,
            halo: (plan.halo != u32::MAX).then_some(plan.halo),
            needed: [
                plan.need_left,
                plan.need_top,
                plan.need_width,
                plan.need_height,
            ],
        })
    }

    /// Runs `request` into `output`, which has the size of its region and the layout of its plan.
    ///
    /// # Errors
    /// What the plug-in says; [`Status::Cancelled`] when `watcher` asks to stop.
    ///
    /// # Panics
    /// When the watcher's progress does.
    pub fn run(
        &mut self,
        request: &Request,
        output: &mut Pixmap,
        watcher: Option<Watcher>,
    ) -> Result<(), Failure> {
        let plugin = self.plugin.clone();
        let raw = self.raw;
        let target = output.target()?;
        let code = watched(watcher, |progress| {
            with_call(&plugin, request, &raw const target, progress, |call| {
                // SAFETY: the session is open, `call` and all that it points to is there, and `output` is ours alone.
                plugin.call(|calls| unsafe { (calls.filter_run)(raw, call) })
            })
        })?;
        self.outcome(code)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the session is open, and this is its end.
        self.plugin
            .call(|calls| unsafe { (calls.session_close)(self.raw) });
    }
}

/// A failure as a handle tells of it.
pub(super) fn failure(code: i32, message: Result<Option<String>, Failure>) -> Failure {
    let message = message.unwrap_or_default().filter(|text| !text.is_empty());
    let message = message.unwrap_or_else(|| format!("code {code}, no message"));
    Failure::new(Status::from_code(code), message)
}

/// A string for C.
fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::bad(format!("{text:?} has a zero byte")))
}

/// Values as C sees them: the structs, and what they point to.
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

/// A region as C sees it.
pub(super) fn raw_region(region: &Region) -> InrRegion {
    InrRegion {
        struct_size: size_of::<InrRegion>(),
        x: region.origin[0],
        y: region.origin[1],
        step_x: region.step[0],
        step_y: region.step[1],
        width: region.size[0],
        height: region.size[1],
    }
}

/// Hands `request` as C sees it to `work`.
fn with_call<T>(
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
    let region = request.region.as_ref().map(raw_region);
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

/// A watcher, and the panic of its progress that has to wait until the plug-in returned.
struct Watching<'a> {
    watcher: Watcher<'a>,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

/// Hands `watcher` as C sees it to `work`.
pub(super) fn watched<T>(
    watcher: Option<Watcher>,
    work: impl FnOnce(*const InrProgress) -> T,
) -> T {
    let Some(watcher) = watcher else {
        return work(null());
    };
    let cancelled = watcher.cancelled;
    let mut watching = Watching {
        watcher,
        panic: None,
    };
    // Other threads ask for `cancelled` while this one reports progress: they must not share the exclusive part.
    let mut both = (cancelled, &raw mut watching);
    let progress = InrProgress {
        struct_size: size_of::<InrProgress>(),
        ctx: (&raw mut both).cast(),
        progress: Some(told),
        is_cancelled: Some(asked),
    };
    let result = work(&progress);
    if let Some(panic) = watching.panic {
        std::panic::resume_unwind(panic);
    }
    result
}

type Both<'a> = (&'a AtomicBool, *mut Watching<'a>);

unsafe extern "C" fn told(ctx: *mut c_void, share: f64) -> u32 {
    // SAFETY: `ctx` is from `watched`, whose call is not over; only the thread that runs it comes here.
    let watching = unsafe { &mut *(*ctx.cast_const().cast::<Both>()).1 };
    if watching.panic.is_some() {
        return 0;
    }
    let progress = &mut watching.watcher.progress;
    match catch_unwind(AssertUnwindSafe(|| progress(share))) {
        Ok(goes_on) => goes_on.into(),
        Err(panic) => {
            watching.panic = Some(panic);
            0
        }
    }
}

unsafe extern "C" fn asked(ctx: *mut c_void) -> u32 {
    // SAFETY: `ctx` is from `watched`, whose call is not over; the flag may be read from any thread.
    let cancelled = unsafe { (*ctx.cast_const().cast::<Both>()).0 };
    cancelled.load(Ordering::Relaxed).into()
}
