//! Calls of filters: what a plug-in is given, and what it plans.

use super::handle::Host;
use super::watch::Watch;
use crate::buffer::Pixels;
use crate::codes::Layout;
use crate::describe::{Param, Value};
use crate::region::Region;
use crate::status::Failure;

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

/// A call of a filter, checked.
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
