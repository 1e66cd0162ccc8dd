//! Chunk `NETW`: the weights, as a MessagePack map with a column per property.
//!
//! Quantised values are cut in two: the top bits of each go into a byte of its own, where zstd's entropy coder finds
//! the shape of their distribution, and the rest, which is close to noise, is packed without gaps. Only the bytes are
//! compressed: zstd uses one Huffman table per block, and the noise would spoil it. Measured on normally distributed
//! weights, 64 wide, 3 layers: 8.0, 10.2 and 12.4 kB at 8, 10 and 12 bits against 8.1, 10.4 and 12.7 kB when all
//! columns are compressed together, and 10.6 kB at 10 bits for low and high bytes of zigzag integers; the entropy is
//! 7.8, 9.7 and 11.4 kB.

use crate::blob::{self, Blob};
use crate::chunk::{ChunkKind, RawChunk};
use crate::error::FormatError;
use crate::messagepack::{self, Bytes};
use crate::tensor::{LayerData, Tensor, check_finite, check_quantiser};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What `bits` says for a tensor of floats.
const FLOAT: u8 = 32;
/// Bits of a value that its byte can hold.
const PLANE: u8 = 8;

/// The columns; every one is a byte string and absent when empty.
#[derive(Serialize, Deserialize)]
struct Columns<'a> {
    /// One byte per tensor: 2..=16, or 32 for floats.
    #[serde(borrow)]
    bits: Bytes<'a>,
    /// One byte per quantised tensor: how many bits of each value are in `bytes`. Absent: 0 each.
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    planes: Bytes<'a>,
    /// One `f32` LE per quantised tensor.
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    steps: Bytes<'a>,
    /// The values of the float tensors, `f32` LE.
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    floats: Bytes<'a>,
    /// The top bits of quantised values, a byte per value, tensors with plane 0 left out; stored or compressed as in
    /// [`crate::blob`].
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    bytes: Bytes<'a>,
    /// The other bits, least significant bit first, no gaps between values or tensors.
    #[serde(borrow, default, skip_serializing_if = "Bytes::is_empty")]
    packed: Bytes<'a>,
}

/// Bytes that the weights take in a file: the length of the payload of `NETW`.
///
/// # Errors
/// As for [`crate::InrFile::write`]; the shapes are not checked, for want of a header.
pub fn weight_bytes(layers: &[LayerData]) -> Result<usize, FormatError> {
    write(layers).map(|payload| payload.len())
}

/// Tensors in stored order: matrix 0, bias 0, matrix 1, ...
pub(crate) fn tensors(layers: &[LayerData]) -> impl Iterator<Item = &Tensor> {
    layers.iter().flat_map(|layer| [&layer.matrix, &layer.bias])
}

/// The payload of `NETW`: the smallest of the layouts tried.
///
/// # Errors
/// As [`Tensor::check`] and [`blob::pack`].
pub(crate) fn write(layers: &[LayerData]) -> Result<Vec<u8>, FormatError> {
    let mut widest = 0;
    for (index, tensor) in tensors(layers).enumerate() {
        tensor.check(index)?;
        if let Tensor::Quantised { bits, .. } = tensor {
            widest = widest.max(*bits);
        }
    }
    // Small nets pay for the table of 2^plane symbols; biases have a distribution of their own and are few.
    let mut smallest = write_with(layers, |_, _| 0)?;
    for plane in [5, 6, 8] {
        let of_matrix = |index: usize, bits: u8| {
            if index.is_multiple_of(2) {
                bits.min(plane)
            } else {
                0
            }
        };
        let payload = write_with(layers, of_matrix)?;
        if payload.len() < smallest.len() {
            smallest = payload;
        }
        if widest <= plane {
            break;
        }
    }
    Ok(smallest)
}

/// The payload with `plane(tensor index, bits)` bits of each value in bytes.
fn write_with(
    layers: &[LayerData],
    plane: impl Fn(usize, u8) -> u8,
) -> Result<Vec<u8>, FormatError> {
    let (mut widths, mut planes, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    let (mut floats, mut bytes, mut packed) = (Vec::new(), Vec::new(), BitWriter::default());
    for (index, tensor) in tensors(layers).enumerate() {
        match tensor {
            Tensor::Float(values) => {
                widths.push(FLOAT);
                floats.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Tensor::Quantised { step, bits, values } => {
                let plane = plane(index, *bits);
                widths.push(*bits);
                planes.push(plane);
                steps.extend(step.to_le_bytes());
                let (low, half) = (bits - plane, 1_i32 << (bits - 1));
                for &value in values {
                    // In 0..2^bits, because the tensor was checked.
                    let shifted = (value + half) as u32;
                    if plane > 0 {
                        bytes.push((shifted >> low) as u8);
                    }
                    packed.push(shifted, low);
                }
            }
        }
    }
    if !bytes.is_empty() {
        bytes = blob::pack(ChunkKind::WEIGHTS, &bytes)?;
    }
    let columns = Columns {
        bits: Bytes(&widths),
        planes: Bytes(if bytes.is_empty() { &[] } else { &planes }),
        steps: Bytes(&steps),
        floats: Bytes(&floats),
        bytes: Bytes(&bytes),
        packed: Bytes(packed.finish()),
    };
    messagepack::write(ChunkKind::WEIGHTS, &columns)
}

/// Reads the payload of `NETW` for layers of the given shapes (outputs, inputs).
///
/// # Errors
/// As [`Blob::open`], [`messagepack::read`] and [`Tensor::check`]; [`FormatError::LayerCount`] and
/// [`FormatError::WeightBytes`] when the columns do not have the lengths that the shapes need.
pub(crate) fn read(
    raw: &RawChunk<'_>,
    shapes: &[(usize, usize)],
) -> Result<Vec<LayerData>, FormatError> {
    let columns: Columns<'_> = messagepack::read(raw.kind, raw.offset, raw.payload)?;
    let tensors = plan(&columns, shapes)?;
    let bytes = open_columns(raw, &columns, &tensors)?;
    let mut source = Source {
        floats: columns.floats.0,
        bytes: &bytes,
        packed: BitReader::new(columns.packed.0),
    };
    let mut values = Vec::with_capacity(tensors.len());
    for (index, tensor) in tensors.iter().enumerate() {
        values.push(source.tensor(index, tensor)?);
    }
    source.packed.check_padding()?;
    let mut values = values.into_iter();
    let mut layers = Vec::with_capacity(shapes.len());
    while let (Some(matrix), Some(bias)) = (values.next(), values.next()) {
        layers.push(LayerData { matrix, bias });
    }
    Ok(layers)
}

/// How one tensor is stored.
struct Stored {
    count: usize,
    /// Step, bits and plane; `None` for floats.
    quantiser: Option<(f32, u8, u8)>,
}

/// Reads the columns with one entry per tensor.
fn plan(columns: &Columns<'_>, shapes: &[(usize, usize)]) -> Result<Vec<Stored>, FormatError> {
    let widths = columns.bits.0;
    if widths.len() != shapes.len() * 2 {
        let (found, wanted) = (widths.len().div_ceil(2) as u64, shapes.len() as u64);
        return Err(FormatError::LayerCount { found, wanted });
    }
    let quantised = widths.iter().filter(|&&bits| bits != FLOAT).count();
    check_length("steps", columns.steps.0.len() as u64, quantised as u64 * 4)?;
    if !columns.planes.0.is_empty() {
        check_length("planes", columns.planes.0.len() as u64, quantised as u64)?;
    }
    let (steps, _) = columns.steps.0.as_chunks::<4>();
    let mut steps = steps.iter().map(|&step| f32::from_le_bytes(step));
    let mut planes = columns.planes.0.iter();
    let counts = shapes
        .iter()
        .flat_map(|&(rows, columns)| [rows * columns, rows]);
    let mut tensors = Vec::with_capacity(widths.len());
    for (index, (count, &bits)) in counts.zip(widths).enumerate() {
        let quantiser = if bits == FLOAT {
            None
        } else {
            let step = steps.next().expect("counted above");
            check_quantiser(index, step, bits)?;
            let plane = planes.next().copied().unwrap_or(0);
            if plane > bits.min(PLANE) {
                return Err(FormatError::Bits {
                    tensor: index,
                    bits,
                    plane,
                });
            }
            Some((step, bits, plane))
        };
        tensors.push(Stored { count, quantiser });
    }
    Ok(tensors)
}

/// Holds the columns of values to the lengths that the tensors need, before anything is allocated for them, and
/// returns the column `bytes` decompressed.
fn open_columns<'a>(
    raw: &RawChunk<'_>,
    columns: &Columns<'a>,
    tensors: &[Stored],
) -> Result<Cow<'a, [u8]>, FormatError> {
    let (mut floats, mut bytes, mut bits) = (0_u64, 0_u64, 0_u64);
    for tensor in tensors {
        let count = tensor.count as u64;
        match tensor.quantiser {
            None => floats = floats.saturating_add(count.saturating_mul(4)),
            Some((_, width, plane)) => {
                bytes = bytes.saturating_add(if plane > 0 { count } else { 0 });
                bits = bits.saturating_add(count.saturating_mul(u64::from(width - plane)));
            }
        }
    }
    check_length("floats", columns.floats.0.len() as u64, floats)?;
    check_length("packed", columns.packed.0.len() as u64, bits.div_ceil(8))?;
    if columns.bytes.is_empty() {
        check_length("bytes", 0, bytes)?;
        return Ok(Cow::Borrowed(&[]));
    }
    let blob = Blob::parse(raw.kind, raw.offset, columns.bytes.0)?;
    check_length("bytes", blob.declared, bytes)?;
    blob.open()
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

/// What is left of the columns of values.
struct Source<'a> {
    floats: &'a [u8],
    bytes: &'a [u8],
    packed: BitReader<'a>,
}

impl Source<'_> {
    /// The next tensor; the lengths were checked.
    fn tensor(&mut self, index: usize, stored: &Stored) -> Result<Tensor, FormatError> {
        let Some((step, bits, plane)) = stored.quantiser else {
            let (taken, rest) = self.floats.split_at(stored.count * 4);
            self.floats = rest;
            let (values, _) = taken.as_chunks::<4>();
            let values: Vec<f32> = values
                .iter()
                .map(|&value| f32::from_le_bytes(value))
                .collect();
            check_finite(index, &values)?;
            return Ok(Tensor::Float(values));
        };
        let (low, half) = (bits - plane, 1_i32 << (bits - 1));
        let (tops, rest) = self
            .bytes
            .split_at(if plane > 0 { stored.count } else { 0 });
        self.bytes = rest;
        let mut values = Vec::with_capacity(stored.count);
        for at in 0..stored.count {
            let top = tops.get(at).copied().map_or(0, u32::from);
            let value = ((top << low) | self.packed.take(low)) as i32 - half;
            // Only a top byte with bits above its plane can leave the range.
            if value >= half {
                return Err(FormatError::ValueRange {
                    tensor: index,
                    index: at,
                    value,
                    bits,
                });
            }
            values.push(value);
        }
        Ok(Tensor::Quantised { step, bits, values })
    }
}

/// Packs bits, the least significant first.
#[derive(Default)]
struct BitWriter {
    out: Vec<u8>,
    pending: u32,
    held: u8,
}

impl BitWriter {
    /// Appends the low `count` bits of `value`, 0..=16 of them.
    fn push(&mut self, value: u32, count: u8) {
        self.pending |= (value & ((1 << count) - 1)) << self.held;
        self.held += count;
        while self.held >= 8 {
            self.out.push(self.pending as u8);
            self.pending >>= 8;
            self.held -= 8;
        }
    }

    /// Fills the last byte with zeros.
    fn finish(&mut self) -> &[u8] {
        if self.held > 0 {
            self.out.push(self.pending as u8);
            self.held = 0;
        }
        &self.out
    }
}

/// Unpacks what [`BitWriter`] packs.
struct BitReader<'a> {
    rest: std::slice::Iter<'a, u8>,
    pending: u32,
    held: u8,
}

impl<'a> BitReader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes.iter(),
            pending: 0,
            held: 0,
        }
    }

    /// The next `count` bits, 0..=16 of them; zeros when the bytes run out, which the length check rules out.
    fn take(&mut self, count: u8) -> u32 {
        while self.held < count {
            self.pending |= self.rest.next().copied().map_or(0, u32::from) << self.held;
            self.held += 8;
        }
        let value = self.pending & ((1 << count) - 1);
        self.pending >>= count;
        self.held -= count;
        value
    }

    /// Refuses set bits after the last value, so that equal weights in equal layout are equal bytes.
    fn check_padding(&self) -> Result<(), FormatError> {
        if self.pending != 0 {
            return Err(FormatError::Field {
                field: "padding of packed weights",
                found: self.pending.to_string(),
                wanted: "0",
            });
        }
        Ok(())
    }
}
