//! Description of the picture: size, samples, colour, and model.

use crate::error::FormatError;
use crate::limits::{Limits, within};
use crate::model::Model;

/// The channels of a sample, in this order.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Layout {
    /// Luma.
    Grey,
    /// Luma, alpha.
    GreyAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
}

impl Layout {
    /// Channels with alpha: 1, 2, 3 or 4.
    pub fn channels(self) -> usize {
        self.colour_channels() + usize::from(self.has_alpha())
    }

    /// Channels without alpha: 1 or 3.
    pub fn colour_channels(self) -> usize {
        match self {
            Self::Grey | Self::GreyAlpha => 1,
            Self::Rgb | Self::Rgba => 3,
        }
    }

    /// Whether the last channel is alpha (straight, not premultiplied).
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }
}

/// The sample type of the source picture.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum Depth {
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Float, 32 bits.
    F32,
}

impl Depth {
    /// Bytes of a sample in memory.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::F32 => 4,
        }
    }
}

/// Meaning of a sample of the source.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Sampling {
    /// The field at the pixel centre.
    Point,
    /// The average of the field over the pixel square.
    Area,
}

/// The payload of chunk `HEAD`.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Width of the source in pixels, at least 1.
    pub width: u32,
    /// Height of the source in pixels, at least 1.
    pub height: u32,
    /// Channels; their number is the output width of the model.
    pub layout: Layout,
    /// Sample type of the source.
    pub depth: Depth,
    /// Colour values of the outputs -1 and +1: finite, low below high, `[0, 1]` unless the depth is [`Depth::F32`].
    /// Alpha always maps -1..1 to 0..1.
    pub value_range: [f32; 2],
    /// Meaning of a sample of the source.
    pub sampling: Sampling,
    /// Coding-independent code points (ITU-T H.273): primaries, transfer, matrix, full-range flag. `None` is sRGB
    /// unless the file carries an ICC profile.
    pub cicp: Option<[u8; 4]>,
    /// The network.
    pub model: Model,
}

impl Header {
    /// Number of pixels of the source.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Shape of each layer's matrix as (outputs, inputs), first to last; empty for a pyramid.
    pub fn layer_shapes(&self) -> Vec<(usize, usize)> {
        self.model.layer_shapes(self.layout.channels())
    }

    /// Checks every field; both reading and writing call this.
    ///
    /// # Errors
    /// [`FormatError::Field`] and [`FormatError::OverLimit`].
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), FormatError> {
        for (field, side) in [("width", self.width), ("height", self.height)] {
            if side == 0 {
                return Err(FormatError::Field {
                    field,
                    found: side.to_string(),
                    wanted: "at least 1",
                });
            }
        }
        within("pixels of the source", self.pixels(), limits.pixels)?;
        let [low, high] = self.value_range;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(self.range_error("two finite numbers, the first below the second"));
        }
        if self.depth != Depth::F32 && self.value_range != [0.0, 1.0] {
            return Err(self.range_error("[0, 1] for integer samples"));
        }
        self.model.check(self.layout.channels(), limits)
    }

    fn range_error(&self, wanted: &'static str) -> FormatError {
        FormatError::Field {
            field: "value_range",
            found: format!("{:?}", self.value_range),
            wanted,
        }
    }
}
