//! Sessions and their calls of filters.

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

impl Plugin {
    /// Opens a session.
    ///
    /// # Errors
    /// What the plug-in says.
    pub fn open(&self, options: &Options) -> Result<Session, Failure> {
        Session::open(self.clone(), options)
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
