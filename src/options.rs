//! Setters of options, and names of their values.

use strum::VariantNames;

use crate::error::Error;

/// For each field a method of its name, which sets it and returns the options.
macro_rules! setters {
    ($options:ident { $($field:ident: $value:ty),* $(,)? }) => {
        impl $options {
            $(
                #[doc = concat!("Sets the field `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field.into();
                    self
                }
            )*
        }
    };
}
pub(crate) use setters;

/// The error for a `kind` whose name is none of `T`'s.
pub(crate) fn unknown_name<T: VariantNames>(kind: &str, name: &str) -> Error {
    Error::Misuse {
        what: format!("unknown {kind} {name:?}; known: {}", T::VARIANTS.join(", ")),
        want: "give a known name",
    }
}
