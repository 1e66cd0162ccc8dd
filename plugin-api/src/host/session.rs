//! Sessions, which run filters.

use std::ptr::{null, null_mut};

use super::options::{Context, Options, raw_host};
use super::pixmap::Pixmap;
use super::plugin::Plugin;
use super::request::{Request, with_call};
use super::watch::{Watcher, watched};
use crate::abi::*;
use crate::codes::Layout;
use crate::status::{Failure, Status};
use crate::structs;

/// Requirements and output of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Width and height of the whole output.
    pub size: [u32; 2],
    /// Channels of the output.
    pub layout: Layout,
    /// Number of source pixels around its own position that an output pixel depends on; `None` for global filters.
    pub halo: Option<u32>,
    /// Left, top, width and height of the part of the first input that the region needs.
    pub needed: [u32; 4],
}

/// An open session of a plug-in. Any thread may use it, one call at a time.
#[derive(Debug)]
pub struct Session {
    plugin: Plugin,
    raw: *mut InrSession,
    /// Data that the plug-in points to.
    _context: Box<Context>,
}

// SAFETY: the header lets handles move between threads, and `&mut self` prevents simultaneous calls.
unsafe impl Send for Session {}

impl Plugin {
    /// Opens a session.
    ///
    /// # Errors
    /// The plug-in's failure.
    pub fn open(&self, options: &Options) -> Result<Session, Failure> {
        Session::open(self.clone(), options)
    }
}

impl Session {
    pub(super) fn open(plugin: Plugin, options: &Options) -> Result<Self, Failure> {
        let mut context = Box::new(Context { log: options.log });
        let host = raw_host(options, (&raw mut *context).cast());
        let mut raw = null_mut();
        // SAFETY: both pointers refer to local values, and the context outlives the session.
        let code = plugin.call(|calls| unsafe { (calls.session_open)(&host, &mut raw) });
        if code != INR_OK || raw.is_null() {
            let message = format!("{} cannot open a session (code {code})", plugin.name());
            return Err(Failure::new(Status::from_code(code), message));
        }
        Ok(Self {
            plugin,
            raw,
            _context: context,
        })
    }

    /// The plug-in of this session.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(super) fn raw(&mut self) -> *mut InrSession {
        self.raw
    }

    /// Converts `code` and the session's message into a result.
    pub(super) fn outcome(&mut self, code: i32) -> Result<(), Failure> {
        if code == INR_OK {
            return Ok(());
        }
        let plugin = self.plugin.clone();
        let message = plugin.call(|calls| {
            // SAFETY: the session is open, and its message is valid until the next call.
            unsafe { structs::text((calls.session_message)(self.raw), "the message") }
        });
        Err(failure(code, message))
    }

    /// Computes what `request` needs and produces.
    ///
    /// # Errors
    /// The plug-in's failure.
    pub fn plan(&mut self, request: &Request) -> Result<Outcome, Failure> {
        let mut plan: InrPlan = structs::empty();
        let plugin = self.plugin.clone();
        let raw = self.raw;
        let code = with_call(&plugin, request, null(), null(), |call| {
            // SAFETY: the session is open, and `call` and all its pointers are valid during the call.
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

    /// Runs `request` and writes to `output`, which must have the size of the region and the layout of the plan.
    ///
    /// # Errors
    /// The plug-in's failure; [`Status::Cancelled`] when `watcher` cancels.
    ///
    /// # Panics
    /// When the watcher's `progress` panics.
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
                // SAFETY: the session is open, `call` and all its pointers are valid during the call, and nothing else uses
                // `output`.
                plugin.call(|calls| unsafe { (calls.filter_run)(raw, call) })
            })
        })?;
        self.outcome(code)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the session is open, and this is its last call.
        self.plugin
            .call(|calls| unsafe { (calls.session_close)(self.raw) });
    }
}

/// Converts a code and a handle's message into a failure.
pub(super) fn failure(code: i32, message: Result<Option<String>, Failure>) -> Failure {
    let message = message.unwrap_or_default().filter(|text| !text.is_empty());
    let message =
        message.unwrap_or_else(|| format!("the plug-in returned code {code} without a message"));
    Failure::new(Status::from_code(code), message)
}
