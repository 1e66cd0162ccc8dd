//! Samples of strips and tiles, unpacked and put in their places.

use half::f16;

use super::chunks::chunk;
use super::common::{CORRUPT, unsupported};
use super::shape::{Kind, Shape};
use crate::error::Error;

/// Samples as the file has them, shape `[height, width, channels]`; signed ones with their sign bit turned over, so that
/// they sort like unsigned ones.
pub(super) enum Raw {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    F32(Vec<f32>),
}

impl Raw {
    /// The colours and, after them, alpha if there is any.
    pub(super) fn read(shape: &Shape) -> Result<Self, Error> {
        let flip = match shape.kind {
            Kind::Signed => 1_u64 << (shape.bits - 1),
            Kind::Unsigned | Kind::Float => 0,
        };
        Ok(match (shape.kind, shape.bits) {
            (Kind::Float, 16) => Self::F32(read(shape, |bits| f16::from_bits(bits as u16).into())?),
            (Kind::Float, 32) => Self::F32(read(shape, |bits| f32::from_bits(bits as u32))?),
            (Kind::Float, _) => Self::F32(read(shape, |bits| f64::from_bits(bits) as f32)?),
            (_, ..=8) => Self::U8(read(shape, |bits| (bits ^ flip) as u8)?),
            (_, ..=16) => Self::U16(read(shape, |bits| (bits ^ flip) as u16)?),
            _ => Self::U32(read(shape, |bits| (bits ^ flip) as u32)?),
        })
    }
}

/// The channels that are kept: the colours, and the sample that is alpha.
pub(super) fn kept(shape: &Shape) -> Vec<usize> {
    let colours = shape.colours();
    (0..colours).chain(alpha(shape)).collect()
}

/// The sample that is alpha. Of files without the tag ExtraSamples the first spare one is.
pub(super) fn alpha(shape: &Shape) -> Option<usize> {
    let colours = shape.colours();
    match &shape.extra {
        None => (shape.samples > colours).then_some(colours),
        Some(kinds) => {
            let place = kinds.iter().position(|kind| matches!(kind, 1 | 2))?;
            Some(colours + place).filter(|place| *place < shape.samples)
        }
    }
}

fn read<T: Copy + Default>(shape: &Shape, value: impl Fn(u64) -> T) -> Result<Vec<T>, Error> {
    let kept = kept(shape);
    let [columns, rows] = shape.grid();
    let count = (shape.width * shape.height)
        .checked_mul(kept.len())
        .ok_or_else(|| unsupported("the TIFF has too many samples"))?;
    let mut samples = vec![T::default(); count];
    for (index, data) in shape.chunks.iter().enumerate() {
        let (plane, place) = (index / (columns * rows), index % (columns * rows));
        let (left, top) = (
            place % columns * shape.chunk[0],
            place / columns * shape.chunk[1],
        );
        // Where a sample of the chunk goes, in order.
        let channels: Vec<(usize, usize)> = match shape.planar {
            false => kept.iter().copied().enumerate().collect(),
            true => {
                let to = kept.iter().position(|channel| *channel == plane);
                to.map(|to| (to, 0)).into_iter().collect()
            }
        };
        if channels.is_empty() {
            continue;
        }
        let height = shape.chunk[1].min(shape.height - top);
        let rows = if shape.tiled { shape.chunk[1] } else { height };
        if shape.in_blocks() {
            blocks(shape, data, (left, top), rows, &value, &mut samples)?;
            continue;
        }
        let in_pixel = if shape.planar { 1 } else { shape.samples };
        let row_bytes = (shape.chunk[0] * in_pixel * usize::from(shape.bits)).div_ceil(8);
        let bytes = chunk(shape, data, rows, row_bytes)?;
        let width = shape.chunk[0].min(shape.width - left);
        for (y, row) in bytes.chunks_exact(row_bytes).take(height).enumerate() {
            let start = ((top + y) * shape.width + left) * kept.len();
            let out = &mut samples[start..start + width * kept.len()];
            for (x, pixel) in out.chunks_exact_mut(kept.len()).enumerate() {
                for (to, from) in &channels {
                    pixel[*to] = value(sample(shape, row, x * in_pixel + from));
                }
            }
        }
    }
    Ok(samples)
}

/// Sample number `index` of a row.
fn sample(shape: &Shape, row: &[u8], index: usize) -> u64 {
    let bits = usize::from(shape.bits);
    match bits {
        8 => u64::from(row[index]),
        16 => {
            let pair = [row[2 * index], row[2 * index + 1]];
            u64::from(match shape.big_endian {
                true => u16::from_be_bytes(pair),
                false => u16::from_le_bytes(pair),
            })
        }
        24 | 32 | 64 => shape.integer(&row[index * bits / 8..(index + 1) * bits / 8]),
        _ => (index * bits..(index + 1) * bits).fold(0, |sum, at| {
            sum << 1 | u64::from(row[at / 8] >> (7 - at % 8) & 1)
        }),
    }
}

/// A chunk of YCbCr in blocks: the lumas of a block, then its two chromas.
fn blocks<T: Copy>(
    shape: &Shape,
    data: &[u8],
    (left, top): (usize, usize),
    rows: usize,
    value: &impl Fn(u64) -> T,
    samples: &mut [T],
) -> Result<(), Error> {
    let [across, down] = shape.subsampling;
    let length = across * down + 2;
    let row_bytes = shape.chunk[0].div_ceil(across) * length;
    let bytes = chunk(shape, data, rows.div_ceil(down), row_bytes)?;
    for (v, row) in bytes.chunks_exact(row_bytes).enumerate() {
        for (u, block) in row.chunks_exact(length).enumerate() {
            let (lumas, chroma) = block.split_at(length - 2);
            for (at, luma) in lumas.iter().enumerate() {
                let (x, y) = (
                    left + u * across + at % across,
                    top + v * down + at / across,
                );
                if x < shape.width && y < shape.height {
                    let pixel = samples
                        .get_mut(3 * (y * shape.width + x)..)
                        .ok_or(CORRUPT)?;
                    let colour = [*luma, chroma[0], chroma[1]];
                    for (to, from) in pixel.iter_mut().zip(colour) {
                        *to = value(u64::from(from));
                    }
                }
            }
        }
    }
    Ok(())
}
