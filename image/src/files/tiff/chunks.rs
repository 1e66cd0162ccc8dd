//! Strips and tiles of a TIFF, decompressed.

use std::io::Read;

use flate2::read::ZlibDecoder;
use weezl::{BitOrder, decode::Decoder as Lzw};

use super::common::{CORRUPT, CUT_OFF, unsupported};
use super::shape::{Compression, Shape};
use crate::error::Error;
use crate::files::jpeg;

/// The bytes of one strip or tile: `rows` of `row_bytes` each, predictor undone, in the byte order of the file except
/// where the floating-point predictor has made it big-endian.
pub(super) fn chunk(
    shape: &Shape,
    data: &[u8],
    rows: usize,
    row_bytes: usize,
) -> Result<Vec<u8>, Error> {
    let wanted = rows * row_bytes;
    let reversed: Vec<u8>;
    let data = match shape.reversed_bits {
        true => {
            reversed = data.iter().map(|byte| byte.reverse_bits()).collect();
            &reversed
        }
        false => data,
    };
    let mut bytes = match shape.compression {
        Compression::None => data
            .get(..wanted.min(data.len()))
            .unwrap_or_default()
            .to_vec(),
        Compression::Lzw => {
            let mut bytes = Vec::new();
            let mut lzw = Lzw::with_tiff_size_switch(BitOrder::Msb, 8);
            let mut to = Bounded(&mut bytes, wanted);
            // Ends with an error once it has as much as is wanted.
            let _ = lzw.into_stream(&mut to).decode_all(data).status;
            bytes
        }
        Compression::Deflate => all(ZlibDecoder::new(data), wanted),
        Compression::Zstd => all(zstd::Decoder::new(data).map_err(|_| CORRUPT)?, wanted),
        Compression::PackBits => pack_bits(data, wanted),
        Compression::Group3 | Compression::Group4 => fax(shape, data, rows, row_bytes),
        Compression::Jpeg => jpeg(shape, data, rows)?,
    };
    if bytes.len() < wanted {
        return Err(CUT_OFF);
    }
    bytes.truncate(wanted);
    if shape.predictor != 1 {
        for row in bytes.chunks_exact_mut(row_bytes) {
            undo_predictor(shape, row)?;
        }
    }
    Ok(bytes)
}

/// Takes so many bytes and no more.
struct Bounded<'a>(&'a mut Vec<u8>, usize);

impl std::io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = bytes.len().min(self.1 - self.0.len());
        self.0.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `from` gives up to an error, at most `wanted` bytes.
fn all(from: impl Read, wanted: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.take(wanted as u64).read_to_end(&mut bytes);
    bytes
}

fn pack_bits(mut data: &[u8], wanted: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let (Some((head, rest)), true) = (data.split_first(), bytes.len() < wanted) {
        let count = usize::from(head.wrapping_neg()) + 1;
        match (head, rest.first()) {
            (0..=127, _) => {
                let (literal, after) = rest.split_at(rest.len().min(usize::from(*head) + 1));
                bytes.extend_from_slice(literal);
                data = after;
            }
            (129.., Some(byte)) => {
                bytes.resize(bytes.len() + count, *byte);
                data = &rest[1..];
            }
            _ => data = rest,
        }
    }
    bytes
}

/// Rows of bits, 1 for black, as the coder means it.
fn fax(shape: &Shape, data: &[u8], rows: usize, row_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let width = shape.chunk[0];
    let mut line = |edges: &[u16]| {
        if bytes.len() < rows * row_bytes {
            let start = bytes.len();
            bytes.resize(start + row_bytes, 0_u8);
            let ends = edges.iter().map(|edge| usize::from(*edge)).chain([width]);
            let edges: Vec<usize> = ends.collect();
            for run in edges.chunks(2) {
                let end = run.get(1).copied().unwrap_or(width).min(width);
                (run[0]..end).for_each(|x| bytes[start + x / 8] |= 0x80 >> (x % 8));
            }
        }
    };
    let input = data.iter().copied();
    // `check` has seen that the width fits.
    let (width, height) = (width as u16, rows.try_into().ok());
    let _ = match shape.compression {
        Compression::Group3 => {
            // The decoder wants a mark before each row, and six at the end, which libtiff leaves out.
            let marks = [0, 1].into_iter().cycle();
            let begun = data.first() == Some(&0) && data.get(1).is_some_and(|byte| *byte < 32);
            let input = marks.clone().take(if begun { 0 } else { 2 }).chain(input);
            fax::decoder::decode_g3(input.chain(marks.take(12)), &mut line)
        }
        _ => fax::decoder::decode_g4(input, width, height, &mut line),
    };
    bytes
}

/// A strip or tile that is a JPEG, with the tables of the directory; the colours come out as RGB.
fn jpeg(shape: &Shape, data: &[u8], rows: usize) -> Result<Vec<u8>, Error> {
    let components = if shape.planar { 1 } else { shape.samples as u8 };
    // Says whether the components are RGB or YCbCr, which the decoder would guess otherwise.
    let transform = u8::from(shape.photometric == 6);
    let adobe = [
        0xff, 0xee, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, transform,
    ];
    let inner = |bytes: &'_ [u8]| bytes.strip_prefix(&[0xff, 0xd8]).map(<[u8]>::to_vec);
    let mut tables = inner(shape.tables).unwrap_or_default();
    if tables.ends_with(&[0xff, 0xd9]) {
        tables.truncate(tables.len() - 2);
    }
    let scan = inner(data).ok_or(CORRUPT)?;
    let whole = [&[0xff, 0xd8], adobe.as_slice(), &tables, &scan].concat();
    let (samples, [width, height]) = jpeg::samples(&whole, components, shape.chunk)?;
    if width != shape.chunk[0] || height < rows {
        return Err(CORRUPT);
    }
    Ok(samples)
}

fn undo_predictor(shape: &Shape, row: &mut [u8]) -> Result<(), Error> {
    let pixel = if shape.planar { 1 } else { shape.samples };
    let (bits, width) = (shape.bits, usize::from(shape.bits / 8));
    match (shape.predictor, bits) {
        (2, 8) => (pixel..row.len()).for_each(|at| row[at] = row[at].wrapping_add(row[at - pixel])),
        (2, 16 | 32 | 64) => {
            let step = pixel * width;
            for at in (step..row.len()).step_by(width) {
                let before = shape.integer(&row[at - step..at - step + width]);
                let sum = shape.integer(&row[at..at + width]).wrapping_add(before);
                let bytes = sum.to_le_bytes();
                let place = &mut row[at..at + width];
                place.copy_from_slice(&bytes[..width]);
                if shape.big_endian {
                    place.reverse();
                }
            }
        }
        (3, 16 | 24 | 32 | 64) => {
            (pixel..row.len()).for_each(|at| row[at] = row[at].wrapping_add(row[at - pixel]));
            let count = row.len() / width;
            let planes = row.to_vec();
            for (at, sample) in row.chunks_exact_mut(width).enumerate() {
                for (byte, place) in sample.iter_mut().enumerate() {
                    *place = planes[byte * count + at];
                }
                if !shape.big_endian {
                    sample.reverse();
                }
            }
        }
        _ => {
            return Err(unsupported(format!(
                "the TIFF has predictor {} for {bits} bits per sample",
                shape.predictor
            )));
        }
    }
    Ok(())
}
