//! What plug-ins in Rust are made of.
//!
//! Implement [`Plugin`] and name the type in [`export_plugin!`](crate::export_plugin); nothing of it is unsafe. A panic in
//! any of the functions ends as [`crate::INR_INTERNAL`], and the handle takes no further calls. `examples/invert.rs` is a
//! whole plug-in.

mod codec;
mod exports;
mod handle;
mod tables;

use crate::abi::{INR_CAP_EDITS, INR_CAP_GLOBAL, InrProgress, InrRegion};
use crate::describe::{Capabilities, Filter, ThreadClass, Value};
use crate::{Failure, Layout, Pixels, PixelsMut};

pub use codec::{Codec, CodecInfo, CodecTables, EncodeCall, RenderCall};
#[doc(hidden)]
pub use exports::get_api;
pub use handle::Host;
pub use tables::Tables;

/// A plug-in: what it says of itself, and what its filters do.
pub trait Plugin: 'static {
    /// The description, always the same one: keep it in a `LazyLock`.
    fn tables() -> &'static Tables;

    /// Size and layout of what filter number `filter` makes of `call`; by default those of its first input.
    ///
    /// # Errors
    /// Whatever speaks against running it.
    fn plan(_filter: usize, call: &Call) -> Result<Plan, Failure> {
        let image = call.image()?;
        Ok(Plan {
            size: image.picture,
            layout: image.pixels.format().layout,
            halo: 0,
        })
    }

    /// Runs filter number `filter`: fills `output`, the pixels of `call`'s region.
    ///
    /// # Errors
    /// As the filter has them.
    fn run(filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure>;

    /// The suite `inr.codec`, of plug-ins that have it.
    fn codec() -> Option<&'static CodecTables> {
        None
    }
}

/// What a plug-in says of itself.
#[derive(Clone, Debug)]
pub struct Description {
    /// Name for programs: reversed domain.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What its parts are able to do.
    pub capabilities: Capabilities,
    /// Which threads calls may come from.
    pub thread_class: ThreadClass,
    /// Its filters.
    pub filters: Vec<Filter>,
}

/// The output of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Width and height of the whole output.
    pub size: [u32; 2],
    /// Its channels.
    pub layout: Layout,
    /// Source pixels that an output pixel depends on beyond its own, on every side. Of no meaning for global filters.
    pub halo: u32,
}

/// A picture, or what is at hand of it.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// The pixels at hand.
    pub pixels: Pixels<'a>,
    /// Column and row of the picture that the first of them is.
    pub origin: [u32; 2],
    /// Width and height of the picture.
    pub picture: [u32; 2],
}

/// A rectangle of pixels to be made, as [`InrRegion`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left and top edge in source pixels.
    pub origin: [f64; 2],
    /// Source pixels per output pixel.
    pub step: [f64; 2],
    /// Output pixels.
    pub size: [u32; 2],
}

impl Region {
    /// All of a source of `source` pixels in `size` pixels.
    pub fn whole(source: [u32; 2], size: [u32; 2]) -> Self {
        let step = [0, 1].map(|axis| f64::from(source[axis]) / f64::from(size[axis]));
        Self {
            origin: [0.0; 2],
            step,
            size,
        }
    }

    /// What a caller asks for.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] for steps and sizes that are not above 0 or not finite.
    pub fn checked(region: &InrRegion) -> Result<Self, Failure> {
        let origin = [region.x, region.y];
        let step = [region.step_x, region.step_y];
        let size = [region.width, region.height];
        let finite = origin.iter().chain(&step).all(|value| value.is_finite());
        if !finite || step.iter().any(|step| *step <= 0.0) || size.contains(&0) {
            return Err(Failure::bad(format!(
                "region {origin:?} of {size:?} pixels in steps of {step:?}"
            )));
        }
        Ok(Self { origin, step, size })
    }

    /// Left, top, width and height where the region's pixels are the source's.
    ///
    /// # Errors
    /// [`crate::Status::Unsupported`] where they are not, [`crate::Status::BadArgument`] where they lie outside.
    pub fn pixels(&self, picture: [u32; 2]) -> Result<[u32; 4], Failure> {
        if self.step != [1.0; 2] || self.origin.iter().any(|at| at.fract() != 0.0) {
            return Err(Failure::unsupported(
                "this filter's pixels are the picture's: give a region with steps of 1 at a whole pixel",
            ));
        }
        for axis in [0, 1] {
            let end = self.origin[axis] + f64::from(self.size[axis]);
            if self.origin[axis] < 0.0 || end > f64::from(picture[axis]) {
                return Err(Failure::bad(format!(
                    "the region reaches outside the picture of {picture:?} pixels"
                )));
            }
        }
        let [x, y] = self.origin.map(|at| at as u32);
        Ok([x, y, self.size[0], self.size[1]])
    }
}

/// A call of a filter, checked.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) inputs: Vec<Option<Image<'a>>>,
    pub(crate) params: &'a [crate::Param],
    pub(crate) values: Vec<Value>,
    pub(crate) region: Option<Region>,
    pub(crate) watch: Watch,
    pub(crate) host: Host,
}

impl<'a> Call<'a> {
    /// The picture that is worked on.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] when it is missing.
    pub fn image(&self) -> Result<&Image<'a>, Failure> {
        self.input(0)
            .ok_or_else(|| Failure::bad("the picture is missing"))
    }

    /// Input number `index`.
    pub fn input(&self, index: usize) -> Option<&Image<'a>> {
        self.inputs.get(index)?.as_ref()
    }

    fn value(&self, key: &str) -> &Value {
        let found = self.params.iter().position(|param| param.key == key);
        let index = found.unwrap_or_else(|| panic!("the filter has no parameter {key}"));
        &self.values[index]
    }

    /// Value of the int, double or bool called `key`.
    ///
    /// # Panics
    /// When the filter has no such parameter, which is a bug in the plug-in.
    pub fn number(&self, key: &str) -> f64 {
        match self.value(key) {
            Value::Number(number) => *number,
            other => panic!("{key} is {other:?}"),
        }
    }

    /// Value of the choice or string called `key`.
    ///
    /// # Panics
    /// As [`Call::number`].
    pub fn text(&self, key: &str) -> &str {
        match self.value(key) {
            Value::Text(text) => text,
            other => panic!("{key} is {other:?}"),
        }
    }

    /// Value of the colour called `key`.
    ///
    /// # Panics
    /// As [`Call::number`].
    pub fn rgb(&self, key: &str) -> [f64; 3] {
        match self.value(key) {
            Value::Rgb(rgb) => *rgb,
            other => panic!("{key} is {other:?}"),
        }
    }

    /// The wanted pixels, `plan` being what this call gives.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] when the picture is missing.
    pub fn region(&self, plan: &Plan) -> Result<Region, Failure> {
        let whole = || Ok(Region::whole(self.image()?.picture, plan.size));
        self.region.map_or_else(whole, Ok)
    }

    /// Progress and cancelling.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What the host allows.
    pub fn host(&self) -> &Host {
        &self.host
    }
}

/// How work is watched and stopped.
#[derive(Clone, Copy, Debug)]
pub struct Watch(pub(crate) Option<InrProgress>);

impl Watch {
    /// The watch that `progress` points to; NULL watches nothing.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] for a struct of the wrong size.
    ///
    /// # Safety
    /// `progress` is NULL or points to an `InrProgress` whose functions keep to the header for as long as the watch is
    /// used.
    pub unsafe fn new(progress: *const InrProgress) -> Result<Self, Failure> {
        if progress.is_null() {
            return Ok(Self(None));
        }
        // SAFETY: the caller's promise.
        let progress = unsafe { crate::structs::read(progress) }?;
        Ok(Self(Some(progress)))
    }

    /// Tells the host that `share` of the work is done, 0 to 1. Call it on the thread that was called.
    ///
    /// # Errors
    /// [`crate::Status::Cancelled`] when the host wants no more of it.
    pub fn done(&self, share: f64) -> Result<(), Failure> {
        if let Some(InrProgress {
            ctx,
            progress: Some(progress),
            ..
        }) = self.0
        {
            let share = match share.is_nan() {
                true => 0.0,
                false => share.clamp(0.0, 1.0),
            };
            // SAFETY: the maker's promise; this is the calling thread.
            if unsafe { progress(ctx, share) } == 0 {
                return Err(Failure::cancelled());
            }
        }
        match self.is_cancelled() {
            true => Err(Failure::cancelled()),
            false => Ok(()),
        }
    }

    /// True when the host wants no more of it.
    pub fn is_cancelled(&self) -> bool {
        match self.0 {
            Some(InrProgress {
                ctx,
                is_cancelled: Some(is_cancelled),
                ..
            }) => {
                // SAFETY: the maker's promise; any thread may ask.
                unsafe { is_cancelled(ctx) != 0 }
            }
            _ => false,
        }
    }
}

/// What most filters are: they edit, on any thread, and equal input gives equal output.
pub(crate) fn is_global(filter: &Filter) -> bool {
    filter.capabilities.has(INR_CAP_GLOBAL)
}

/// Bits of a filter that replaces what it is given.
pub const EDITS: u32 = INR_CAP_EDITS | crate::abi::INR_CAP_DETERMINISTIC;

/// Exports `inr_get_api` for a type that is a [`guest::Plugin`](crate::guest::Plugin).
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        /// What hosts look for; see `inr_plugin.h`.
        ///
        /// # Safety
        /// `host` is NULL or an `InrHost`, `out` is NULL or can be written.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn inr_get_api(
            abi_major: u32,
            host: *const $crate::InrHost,
            out: *mut *const $crate::InrApi,
        ) -> i32 {
            // SAFETY: the caller's promise is the same.
            unsafe { $crate::guest::get_api::<$plugin>(abi_major, host, out) }
        }
    };
}
