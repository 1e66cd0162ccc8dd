//! Calls of filters and their plans.

use super::handle::Host;
use super::watch::Watch;
use crate::buffer::Pixels;
use crate::codes::Layout;
use crate::describe::{Param, Value};
use crate::region::Region;
use crate::status::Failure;

/// Size, layout and dependencies of a filter's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Width and height of the whole output.
    pub size: [u32; 2],
    /// Channels of the output.
    pub layout: Layout,
    /// Number of source pixels around its own position, on every side, that an output pixel depends on. Ignored for global
    /// filters.
    pub halo: u32,
}

/// An input: a picture or a part of one.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// The available pixels.
    pub pixels: Pixels<'a>,
    /// Column and row of the first available pixel in the picture.
    pub origin: [u32; 2],
    /// Width and height of the whole picture.
    pub picture: [u32; 2],
}

/// A validated call of a filter.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) inputs: Vec<Option<Image<'a>>>,
    pub(crate) params: &'a [Param],
    pub(crate) values: Vec<Value>,
    pub(crate) region: Option<Region>,
    pub(crate) watch: Watch,
    pub(crate) host: Host,
}

impl<'a> Call<'a> {
    /// The first input, which the filter edits.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] when it is missing.
    pub fn image(&self) -> Result<&Image<'a>, Failure> {
        self.input(0)
            .ok_or_else(|| Failure::bad("the first input is missing"))
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
    /// In the same cases as [`Call::number`].
    pub fn text(&self, key: &str) -> &str {
        match self.value(key) {
            Value::Text(text) => text,
            other => panic!("{key} is {other:?}"),
        }
    }

    /// Value of the colour called `key`.
    ///
    /// # Panics
    /// In the same cases as [`Call::number`].
    pub fn rgb(&self, key: &str) -> [f64; 3] {
        match self.value(key) {
            Value::Rgb(rgb) => *rgb,
            other => panic!("{key} is {other:?}"),
        }
    }

    /// The requested region; without one, the whole output of `plan`.
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

    /// Limits and services of the host.
    pub fn host(&self) -> &Host {
        &self.host
    }
}
