//! Enums in place of the C constants, with their names.

use strum::{Display, EnumIter, FromRepr, IntoStaticStr};

use crate::abi::*;
use crate::status::Failure;

/// Declares enums of C constants. `Display` writes a variant's name in snake case.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $code:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Display, FromRepr)]
        #[repr(u32)]
        #[strum(serialize_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $code,)*
        }

        impl $name {
            /// The C constant.
            pub fn code(self) -> u32 {
                self as u32
            }

            /// The variant of a C constant.
            ///
            /// # Errors
            /// [`crate::Status::BadArgument`] for other numbers.
            pub fn from_code(code: u32) -> Result<Self, Failure> {
                let unknown = || Failure::bad(format!(concat!("unknown ", $what, " {}"), code));
                Self::from_repr(code).ok_or_else(unknown)
            }
        }
    )*};
}

codes! {
    /// Sample types.
    Sample, "sample type" {
        /// Unsigned, 8 bits.
        U8 = INR_SAMPLE_U8,
        /// Unsigned, 16 bits.
        U16 = INR_SAMPLE_U16,
        /// Floating point, 16 bits.
        F16 = INR_SAMPLE_F16,
        /// Floating point, 32 bits.
        F32 = INR_SAMPLE_F32,
    }

    /// Channels of a pixel.
    Layout, "layout" {
        /// Grey.
        Grey = INR_LAYOUT_GREY,
        /// Grey and alpha.
        GreyAlpha = INR_LAYOUT_GREY_ALPHA,
        /// Red, green and blue.
        Rgb = INR_LAYOUT_RGB,
        /// Red, green, blue and alpha.
        Rgba = INR_LAYOUT_RGBA,
    }

    /// How colours relate to alpha.
    Alpha, "alpha" {
        /// The layout has no alpha.
        None = INR_ALPHA_NONE,
        /// Colours are independent of alpha.
        Straight = INR_ALPHA_STRAIGHT,
        /// Colours are multiplied by alpha.
        Premultiplied = INR_ALPHA_PREMULTIPLIED,
    }

    /// Transfer function of the samples.
    Transfer, "transfer" {
        /// Encoded by the curve of the ICC profile, or of sRGB without one.
        Encoded = INR_TRANSFER_ENCODED,
        /// Linear light.
        Linear = INR_TRANSFER_LINEAR,
    }

    /// Which threads may call.
    ThreadClass, "thread class" {
        /// One thread at a time for the whole plug-in.
        One = INR_THREADS_ONE,
        /// One thread at a time for each handle.
        PerHandle = INR_THREADS_PER_HANDLE,
    }

    /// Types of parameters.
    ParamType, "parameter type" {
        /// A whole number.
        Int = INR_PARAM_INT,
        /// A number.
        Double = INR_PARAM_DOUBLE,
        /// 0 or 1.
        Bool = INR_PARAM_BOOL,
        /// One of several keys.
        Choice = INR_PARAM_CHOICE,
        /// UTF-8 text.
        String = INR_PARAM_STRING,
        /// Encoded red, green and blue.
        Rgb = INR_PARAM_RGB,
    }
}

/// One capability of a filter or plug-in; [`crate::Capabilities`] is a set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[repr(u32)]
#[strum(serialize_all = "snake_case")]
pub enum Capability {
    /// The output differs from the input in size.
    Resizes = INR_CAP_RESIZES,
    /// The output may replace the input.
    Edits = INR_CAP_EDITS,
    /// Every output pixel depends on the whole picture.
    Global = INR_CAP_GLOBAL,
    /// Regions can be computed separately, with the same result.
    Tiles = INR_CAP_TILES,
    /// Equal input gives equal output.
    Deterministic = INR_CAP_DETERMINISTIC,
    /// The plug-in decodes pictures.
    Decodes = INR_CAP_DECODES,
    /// The plug-in encodes pictures.
    Encodes = INR_CAP_ENCODES,
}

impl Sample {
    /// Size in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}

impl Layout {
    /// The layout of grey or colour pixels, with alpha or without.
    pub fn new(grey: bool, alpha: bool) -> Self {
        match (grey, alpha) {
            (true, false) => Self::Grey,
            (true, true) => Self::GreyAlpha,
            (false, false) => Self::Rgb,
            (false, true) => Self::Rgba,
        }
    }

    /// Number of channels.
    pub fn channels(self) -> usize {
        self as usize
    }

    /// True when the last channel is alpha.
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }

    /// True for a single colour channel.
    pub fn is_grey(self) -> bool {
        matches!(self, Self::Grey | Self::GreyAlpha)
    }
}
