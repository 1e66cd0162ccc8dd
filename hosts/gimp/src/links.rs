//! Width, height and scale of a picture that is opened, each of which determines the others.

use inr_plugin_api::Value;

use crate::catalogue::{self, Values};

/// Keys of the linked parameters.
pub const KEYS: [&str; 3] = ["width", "height", "scale"];

/// The one of [`KEYS`] that the others follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// The width.
    Width,
    /// The height.
    Height,
    /// The scale.
    Scale,
}

impl Lead {
    /// The lead that is called `key`.
    pub fn named(key: &str) -> Option<Self> {
        let at = KEYS.iter().position(|name| *name == key)?;
        Some([Self::Width, Self::Height, Self::Scale][at])
    }

    /// The lead of values of which the others are 0.
    pub fn of(values: &Values) -> Self {
        let number = |key| catalogue::number(values, &[], key);
        match (number("width") > 0.0, number("height") > 0.0) {
            (true, _) => Self::Width,
            (false, true) => Self::Height,
            _ => Self::Scale,
        }
    }

    /// Width, height and scale of a picture of `native` pixels when the lead has `value`; `None` when it is 0, which leaves
    /// the choice to the others.
    pub fn linked(self, native: [u32; 2], value: f64) -> Option<[f64; 3]> {
        let native = native.map(f64::from);
        let scale = match self {
            Self::Width => value / native[0],
            Self::Height => value / native[1],
            Self::Scale => value,
        };
        let side = |side: f64| (side * scale).round().max(1.0);
        (value > 0.0).then_some([side(native[0]), side(native[1]), scale])
    }

    /// The lead after `changed` was set, which is `None` for anything else.
    pub fn after(self, changed: Option<Self>, native: [u32; 2], values: &Values) -> Self {
        let number = |lead: Self| catalogue::number(values, &[], KEYS[lead as usize]);
        match changed {
            // Leaving its field rounds the scale to the three digits that are shown.
            Some(Self::Scale) => {
                let linked = self.linked(native, number(self));
                let shown = |all: [f64; 3]| (all[2] - number(Self::Scale)).abs() < 6e-4;
                if linked.is_some_and(shown) {
                    self
                } else {
                    Self::Scale
                }
            }
            other => other.unwrap_or(self),
        }
    }

    /// Sets those that follow to 0, so that the values suit a picture of other proportions as well, unless the lead leaves the
    /// choice to them; returns whether it did.
    pub fn keep(self, native: [u32; 2], values: &mut Values) -> bool {
        let given = catalogue::number(values, &[], KEYS[self as usize]);
        if self.linked(native, given).is_none() {
            return false;
        }
        for (key, value) in values {
            let other = Self::named(key).is_some_and(|lead| lead != self);
            if other && key != "scale" {
                *value = Value::Number(0.0);
            }
        }
        true
    }
}
