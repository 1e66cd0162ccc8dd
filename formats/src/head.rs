//! Chunk `HEAD`: [`Header`] as a MessagePack map.

use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use crate::header::Header;
use crate::limits::within;
use crate::messagepack;
use crate::model::{Mlp, Model};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use strum::VariantNames;

/// Maximum size of `HEAD` in bytes.
const MAX_BYTES: u64 = 1 << 16;
/// Names of the model kinds in this version.
const MLP: &str = "mlp";
const PYRAMID: &str = "pyramid";

/// Parses `name` as a value of `field`.
fn named<T: FromStr + VariantNames>(field: &'static str, name: &str) -> Result<T, FormatError> {
    name.parse().map_err(|_| FormatError::UnsupportedValue {
        field,
        found: name.to_owned(),
        known: T::VARIANTS.join(", "),
    })
}

/// The fields of `HEAD` common to all versions; they suffice to name an unsupported model kind in an error.
#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow, deserialize_with = "messagepack::map")]
    model: OutlineModel<'a>,
}

#[derive(Deserialize)]
struct OutlineModel<'a> {
    kind: &'a str,
}

/// `HEAD` as stored. Fields at their default are omitted, which saves about 100 bytes in a typical file.
#[derive(Serialize, Deserialize)]
struct Map<'a> {
    width: u32,
    height: u32,
    layout: &'a str,
    depth: &'a str,
    #[serde(default = "unit_range", skip_serializing_if = "is_unit_range")]
    value_range: [f32; 2],
    #[serde(default = "point", skip_serializing_if = "is_point")]
    sampling: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cicp: Option<[u8; 4]>,
    #[serde(borrow, deserialize_with = "messagepack::map")]
    model: ModelMap<'a>,
}

#[derive(Serialize, Deserialize)]
struct ModelMap<'a> {
    kind: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<&'a str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    frequencies: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden: Option<Vec<u32>>,
    #[serde(default = "usual_omega", skip_serializing_if = "is_usual_omega")]
    omega_first: f32,
    #[serde(default = "usual_omega", skip_serializing_if = "is_usual_omega")]
    omega_hidden: f32,
    #[serde(default = "pixel_centre", skip_serializing_if = "is_pixel_centre")]
    grid: &'a str,
}

// Defaults of absent fields, and predicates that omit them; serde calls the predicates with references.
const UNIT_RANGE: [f32; 2] = [0.0, 1.0];
const USUAL_OMEGA: f32 = 30.0;

fn unit_range() -> [f32; 2] {
    UNIT_RANGE
}

fn is_unit_range(range: &[f32; 2]) -> bool {
    range.map(f32::to_bits) == UNIT_RANGE.map(f32::to_bits)
}

fn point<'a>() -> &'a str {
    "point"
}

fn is_point(name: &&str) -> bool {
    *name == point()
}

fn is_zero(frequencies: &u8) -> bool {
    *frequencies == 0
}

fn usual_omega() -> f32 {
    USUAL_OMEGA
}

fn is_usual_omega(omega: &f32) -> bool {
    *omega == USUAL_OMEGA
}

fn pixel_centre<'a>() -> &'a str {
    "pixel_centre"
}

fn is_pixel_centre(name: &&str) -> bool {
    *name == pixel_centre()
}

/// Parses the payload of `HEAD` without checking the values.
///
/// # Errors
/// [`FormatError::OverLimit`], [`FormatError::MessagePack`], [`FormatError::Surplus`],
/// [`FormatError::UnsupportedModel`] and [`FormatError::UnsupportedValue`].
pub(crate) fn read(offset: u64, payload: &[u8]) -> Result<Header, FormatError> {
    within("bytes of chunk HEAD", payload.len() as u64, MAX_BYTES)?;
    let outline: Outline<'_> = messagepack::read(ChunkKind::HEAD, offset, payload)?;
    if ![MLP, PYRAMID].contains(&outline.model.kind) {
        return Err(FormatError::UnsupportedModel {
            name: outline.model.kind.to_owned(),
        });
    }
    let map: Map<'_> = messagepack::read(ChunkKind::HEAD, offset, payload)?;
    Ok(Header {
        width: map.width,
        height: map.height,
        layout: named("layout", map.layout)?,
        depth: named("depth", map.depth)?,
        value_range: map.value_range,
        sampling: named("sampling", map.sampling)?,
        cicp: map.cicp,
        model: map.model.read(offset)?,
    })
}

impl<'a> ModelMap<'a> {
    fn read(self, offset: u64) -> Result<Model, FormatError> {
        if self.kind == PYRAMID {
            return Ok(Model::Pyramid);
        }
        let missing = |field: &str| FormatError::MessagePack {
            chunk: ChunkKind::HEAD,
            offset,
            reason: format!("missing field `{field}`"),
        };
        let activation = self.activation.ok_or_else(|| missing("activation"))?;
        Ok(Model::Mlp(Mlp {
            activation: named("model.activation", activation)?,
            frequencies: self.frequencies,
            hidden: self.hidden.ok_or_else(|| missing("hidden"))?,
            omega_first: self.omega_first,
            omega_hidden: self.omega_hidden,
            grid: named("model.grid", self.grid)?,
        }))
    }

    fn of(model: &Model) -> Self {
        let base = Self {
            kind: PYRAMID,
            activation: None,
            frequencies: 0,
            hidden: None,
            omega_first: USUAL_OMEGA,
            omega_hidden: USUAL_OMEGA,
            grid: pixel_centre(),
        };
        match model {
            Model::Pyramid => base,
            Model::Mlp(mlp) => Self {
                kind: MLP,
                activation: Some(mlp.activation.into()),
                frequencies: mlp.frequencies,
                hidden: Some(mlp.hidden.clone()),
                omega_first: mlp.omega_first,
                omega_hidden: mlp.omega_hidden,
                grid: mlp.grid.into(),
            },
        }
    }
}

/// Serialises the payload of `HEAD`.
///
/// # Errors
/// [`FormatError::Encode`], and [`FormatError::OverLimit`] when the description of the layers is too long.
pub(crate) fn write(header: &Header) -> Result<Vec<u8>, FormatError> {
    let map = Map {
        width: header.width,
        height: header.height,
        layout: header.layout.into(),
        depth: header.depth.into(),
        value_range: header.value_range,
        sampling: header.sampling.into(),
        cicp: header.cicp,
        model: ModelMap::of(&header.model),
    };
    let payload = messagepack::write(ChunkKind::HEAD, &map)?;
    within("bytes of chunk HEAD", payload.len() as u64, MAX_BYTES)?;
    Ok(payload)
}
