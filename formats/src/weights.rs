//! Chunk `NETW`: the weights, as a MessagePack map with a column per property.
//!
//! [`crate::weight_coder`] codes the quantised values into one column. Measured on SIRENs of 12,093 and 18,957 weights
//! of 4.5 to 5.5 bits: 3 to 4 % smaller than coding the top bits with zstd and packing the others beside them, and as
//! small as an ideal coder given the normal distribution of each tensor.

use crate::chunk::RawChunk;
use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use crate::messagepack::{self, Bytes};
use crate::tensor::{LayerData, Tensor, check_finite, check_quantiser};
use crate::weight_coder::{self, Place, Reader};
use serde::{Deserialize, Serialize};

/// Value of `bits` for a tensor of floats.
const FLOAT: u8 = 32;

/// The columns; each is a byte string and absent when empty.
#[derive(Serialize, Deserialize)]
struct Columns<'a> {
    /// One byte per tensor: 2..=16, or 32 for floats.
    #[serde(borrow)]
    bits: Bytes<'a>,
    /// One `f32` LE per quantised tensor.
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    steps: Bytes<'a>,
    /// The values of the float tensors, `f32` LE.
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    floats: Bytes<'a>,
    /// The values of the quantised tensors, see [`crate::weight_coder`].
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    coded: Bytes<'a>,
}

/// Tensors in stored order: matrix 0, bias 0, matrix 1, ...
pub(crate) fn tensors(layers: &[LayerData]) -> impl Iterator<Item = &Tensor> {
    layers.iter().flat_map(|layer| [&layer.matrix, &layer.bias])
}

/// Rows and columns of the tensors of layers of the given shapes (outputs, inputs); a bias is one row.
fn sides(shapes: &[(usize, usize)]) -> impl Iterator<Item = (usize, usize)> {
    shapes
        .iter()
        .flat_map(|&(rows, columns)| [(rows, columns), (1, rows)])
}

/// Serialises the payload of `NETW`; `layers` must match the given shapes (outputs, inputs).
///
/// # Errors
/// Same as [`Tensor::check`].
pub(crate) fn write(
    layers: &[LayerData],
    shapes: &[(usize, usize)],
) -> Result<Vec<u8>, FormatError> {
    let (mut widths, mut steps, mut floats) = (Vec::new(), Vec::new(), Vec::new());
    let mut quantised = Vec::new();
    for (index, (tensor, (rows, columns))) in tensors(layers).zip(sides(shapes)).enumerate() {
        tensor.check(index)?;
        match tensor {
            Tensor::Float(values) => {
                widths.push(FLOAT);
                floats.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Tensor::Quantised { step, bits, values } => {
                widths.push(*bits);
                steps.extend(step.to_le_bytes());
                let place = Place {
                    tensor: index,
                    tensors: 2 * shapes.len(),
                    rows,
                    columns,
                    bits: *bits,
                };
                quantised.push((place, values.as_slice()));
            }
        }
    }
    let columns = Columns {
        bits: Bytes(&widths),
        steps: Bytes(&steps),
        floats: Bytes(&floats),
        coded: Bytes(&weight_coder::write(&quantised)),
    };
    messagepack::write(ChunkKind::WEIGHTS, &columns)
}

/// Reads the payload of `NETW` for layers of the given shapes (outputs, inputs).
///
/// # Errors
/// Same as [`messagepack::read`] and [`Tensor::check`]. Also [`FormatError::LayerCount`] and
/// [`FormatError::WeightBytes`] when the columns do not have the lengths that the shapes need, and
/// [`FormatError::CodedWeights`] when the coded values end early or are followed by other bytes.
pub(crate) fn read(
    raw: &RawChunk<'_>,
    shapes: &[(usize, usize)],
) -> Result<Vec<LayerData>, FormatError> {
    let columns: Columns<'_> = messagepack::read(raw.kind, raw.offset, raw.payload)?;
    let tensors = plan(&columns, shapes)?;
    let mut floats = columns.floats.0;
    let mut reader = Reader::new(columns.coded.0);
    let mut values = Vec::new();
    for (index, stored) in tensors.iter().enumerate() {
        values.push(match stored {
            Stored::Float(count) => {
                let (taken, rest) = floats.split_at(count * 4);
                floats = rest;
                read_floats(index, taken)?
            }
            Stored::Quantised { step, place } => Tensor::Quantised {
                step: *step,
                bits: place.bits,
                values: reader.tensor(*place)?,
            },
        });
    }
    reader.finish()?;
    let mut values = values.into_iter();
    let mut layers = Vec::with_capacity(shapes.len());
    while let (Some(matrix), Some(bias)) = (values.next(), values.next()) {
        layers.push(LayerData { matrix, bias });
    }
    Ok(layers)
}

/// Storage of one tensor.
enum Stored {
    /// Number of floats.
    Float(usize),
    Quantised {
        step: f32,
        place: Place,
    },
}

/// Reads the columns with one entry per tensor, and checks that the lengths of the others match.
fn plan(columns: &Columns<'_>, shapes: &[(usize, usize)]) -> Result<Vec<Stored>, FormatError> {
    let widths = columns.bits.0;
    if widths.len() != shapes.len() * 2 {
        let (found, wanted) = (widths.len().div_ceil(2) as u64, shapes.len() as u64);
        return Err(FormatError::LayerCount { found, wanted });
    }
    let quantised = widths.iter().filter(|&&bits| bits != FLOAT).count();
    check_length("steps", columns.steps.0.len() as u64, quantised as u64 * 4)?;
    let (steps, _) = columns.steps.0.as_chunks::<4>();
    let mut steps = steps.iter().map(|&step| f32::from_le_bytes(step));
    let mut floats = 0_u64;
    let mut tensors = Vec::with_capacity(widths.len());
    for (index, ((rows, columns), &bits)) in sides(shapes).zip(widths).enumerate() {
        tensors.push(if bits == FLOAT {
            let count = rows * columns;
            floats = floats.saturating_add((count as u64).saturating_mul(4));
            Stored::Float(count)
        } else {
            let step = steps.next().expect("counted above");
            check_quantiser(index, step, bits)?;
            let place = Place {
                tensor: index,
                tensors: widths.len(),
                rows,
                columns,
                bits,
            };
            Stored::Quantised { step, place }
        });
    }
    check_length("floats", columns.floats.0.len() as u64, floats)?;
    Ok(tensors)
}

fn check_length(part: &'static str, found: u64, wanted: u64) -> Result<(), FormatError> {
    if found != wanted {
        return Err(FormatError::WeightBytes {
            part,
            found,
            wanted,
        });
    }
    Ok(())
}

/// Reads tensor `index` from the floats in `bytes`.
fn read_floats(index: usize, bytes: &[u8]) -> Result<Tensor, FormatError> {
    let (values, _) = bytes.as_chunks::<4>();
    let values: Vec<f32> = values
        .iter()
        .map(|&value| f32::from_le_bytes(value))
        .collect();
    check_finite(index, &values)?;
    Ok(Tensor::Float(values))
}
