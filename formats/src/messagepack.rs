//! MessagePack with bounds for untrusted input.

use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::marker::PhantomData;

/// Maximum nesting in a payload. Version 1 needs 3; the rest is reserved for fields of later versions.
const DEPTH: usize = 32;

/// Reads the one map in `payload`. A declared length alone never causes an allocation: strings and byte strings are
/// slices of `payload`, and serde reserves at most 1 MiB ahead for an array.
///
/// # Errors
/// [`FormatError::MessagePack`], and [`FormatError::Surplus`] when bytes follow the map.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    chunk: ChunkKind,
    offset: u64,
    payload: &'a [u8],
) -> Result<T, FormatError> {
    let mut decoder = rmp_serde::Deserializer::from_read_ref(payload);
    decoder.set_max_depth(DEPTH);
    let value = map(&mut decoder).map_err(|error| FormatError::MessagePack {
        chunk,
        offset,
        reason: error.to_string(),
    })?;
    // The decoder does not expose its position, so the end is detected by the lack of a further marker.
    match IgnoredAny::deserialize(&mut decoder) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(FormatError::Surplus { chunk, offset }),
    }
}

/// Reads a structure from a map only: serde would also accept an array of the fields without their names.
pub(crate) fn map<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct Only<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map with named fields")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(Only(PhantomData))
}

/// Serialises `value`, with structures as maps with named fields.
///
/// # Errors
/// [`FormatError::Encode`].
pub(crate) fn write<T: Serialize>(chunk: ChunkKind, value: &T) -> Result<Vec<u8>, FormatError> {
    rmp_serde::to_vec_named(value).map_err(|error| FormatError::Encode {
        chunk,
        reason: error.to_string(),
    })
}

/// A byte string; serde would write a plain slice as an array of integers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A plain slice borrows from the payload.
        <&[u8]>::deserialize(deserializer).map(Self)
    }
}
