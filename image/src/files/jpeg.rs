//! JPEG: its segments, and its pixels by one of two decoders.

#[cfg(feature = "libjpeg")]
mod libjpeg;
#[cfg(not(feature = "libjpeg"))]
mod plain;
mod segments;

use std::borrow::Cow;

use inr_formats::{Layout, Limits};
#[cfg(feature = "libjpeg")]
use libjpeg::decoded;
#[cfg(not(feature = "libjpeg"))]
use plain::decoded;
use segments::{CORRUPT, CUT_OFF, Segments};

use super::exif::keep_resolution;
use super::found::Found;
use crate::error::Error;
use crate::picture::{Metadata, Picture, Samples};

/// The start of an Exif block in APP1.
const EXIF: &[u8] = b"Exif\0\0";
/// The start of an XMP packet in APP1.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The start of a part of an XMP packet that is too long for one segment.
const XMP_EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
/// The start of a part of an ICC profile in APP2; its number and the number of parts follow.
const ICC: &[u8] = b"ICC_PROFILE\0";

/// Whether the file has an end marker after its first scan begins.
fn is_whole(bytes: &[u8]) -> bool {
    let mut segments = Segments::of(bytes);
    segments.by_ref().for_each(drop);
    let scans = bytes.get(segments.at..).unwrap_or_default();
    scans.starts_with(&[0xff, 0xda]) && scans.windows(2).any(|pair| pair == [0xff, 0xd9])
}

/// The mean of the 21 finest quantisation steps of the first table, which is luma's, in samples.
pub(super) fn luma_step(bytes: &[u8]) -> Option<f32> {
    let [table, ..] = quantisation_tables(bytes);
    let mut steps = table?;
    steps.sort_unstable();
    let finest = &steps[..steps.len() / 3];
    let sum: f32 = finest.iter().map(|&step| f32::from(step)).sum();
    Some(sum / finest.len() as f32 / 255.0)
}

/// The quantisation tables of a JPEG by their number, 0 to 3, in zigzag order; none for a table that it does not have.
pub fn quantisation_tables(bytes: &[u8]) -> [Option<[u16; 64]>; 4] {
    let mut tables = [None; 4];
    for (_, mut payload) in Segments::of(bytes).filter(|(marker, _)| *marker == 0xdb) {
        while let Some((head, rest)) = payload.split_first() {
            let (wide, place) = (head >> 4 != 0, usize::from(head & 15));
            let length = if wide { 128 } else { 64 };
            let Some((values, rest)) = rest.split_at_checked(length) else {
                break;
            };
            let value = |at: usize| match wide {
                true => u16::from_be_bytes([values[2 * at], values[2 * at + 1]]),
                false => u16::from(values[at]),
            };
            if let Some(table) = tables.get_mut(place) {
                *table = Some(std::array::from_fn(value));
            }
            payload = rest;
        }
    }
    tables
}

/// Profile, Exif, and XMP; and the names of what has no place in [`Metadata`].
fn metadata(bytes: &[u8]) -> (Metadata, Vec<String>) {
    let (mut metadata, mut lost) = (Metadata::default(), Vec::new());
    let mut profile: Vec<(u8, &[u8])> = Vec::new();
    let mut dots = None;
    for (marker, payload) in Segments::of(bytes) {
        match (marker, payload) {
            (0xe0, [b'J', b'F', b'I', b'F', 0, _, _, unit, x1, x2, y1, y2, ..]) => {
                let density = [[*x1, *x2], [*y1, *y2]]
                    .map(u16::from_be_bytes)
                    .map(f64::from);
                let in_metre = [None, Some(1.0 / 0.0254), Some(100.0)];
                let in_metre = in_metre.get(usize::from(*unit)).copied().flatten();
                dots = in_metre.map(|in_metre| density.map(|dots| dots * in_metre));
            }
            (0xe1, payload) => {
                if let Some(exif) = payload.strip_prefix(EXIF) {
                    metadata.exif.get_or_insert_with(|| exif.to_vec());
                } else if let Some(xmp) = payload.strip_prefix(XMP) {
                    metadata.xmp.get_or_insert_with(|| xmp.to_vec());
                } else if payload.starts_with(XMP_EXTENSION) {
                    lost.push("the rest of a long XMP packet");
                }
            }
            (0xe2, payload) => {
                if let Some([number, _, part @ ..]) = payload.strip_prefix(ICC) {
                    profile.push((*number, part));
                } else if payload.starts_with(b"MPF\0") {
                    lost.push("further pictures of the file (MPF)");
                }
            }
            (0xed, payload) => {
                // The number of the block of IPTC among those of Photoshop.
                let iptc = payload.windows(6).any(|bytes| bytes == b"8BIM\x04\x04");
                lost.push(if iptc { "IPTC" } else { "Photoshop's settings" });
            }
            (0xfe, _) => lost.push("a comment"),
            _ => {}
        }
    }
    lost.dedup();
    profile.sort_by_key(|(number, _)| *number);
    let profile: Vec<u8> = profile
        .into_iter()
        .flat_map(|(_, part)| part)
        .copied()
        .collect();
    metadata.icc = (!profile.is_empty()).then_some(profile);
    if let Some(dots) = dots
        && !keep_resolution(&mut metadata, dots)
    {
        lost.push("the resolution");
    }
    (metadata, lost.into_iter().map(String::from).collect())
}

/// The frame header.
struct Frame {
    /// The last four bits of its marker: the coding process.
    process: u8,
    precision: u8,
    height: u16,
    width: u16,
    components: u8,
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    Segments::of(bytes).find_map(|(marker, payload)| match (marker, payload) {
        // The gaps are Huffman tables, an extension, and arithmetic conditioning.
        (0xc4 | 0xc8 | 0xcc, _) => None,
        (0xc0..=0xcf, [precision, h1, h2, w1, w2, components, ..]) => Some(Frame {
            process: marker & 15,
            precision: *precision,
            height: u16::from_be_bytes([*h1, *h2]),
            width: u16::from_be_bytes([*w1, *w2]),
            components: *components,
        }),
        _ => None,
    })
}

/// Refuses kinds of JPEG that are not read here.
fn check(frame: &Frame, limits: &Limits) -> Result<(), Error> {
    let refuse = |what: &'static str, instead| {
        let what = what.into();
        Err(Error::Unsupported { what, instead })
    };
    let convert = "convert it to a PNG or TIFF first";
    match frame {
        Frame { components: 4, .. } => {
            return refuse(
                "the JPEG is CMYK",
                "convert it to RGB with its profile first, for example with: magick FILE -profile sRGB.icc rgb.png",
            );
        }
        Frame {
            process: 3 | 7 | 11 | 15,
            ..
        } => return refuse("the JPEG is lossless", convert),
        Frame {
            process: 5 | 6 | 13 | 14,
            ..
        } => return refuse("the JPEG is hierarchical", convert),
        Frame { precision, .. } if *precision != 8 => {
            return refuse(
                "the JPEG has more than 8 bits per sample",
                "convert it to a 16-bit PNG or TIFF first",
            );
        }
        Frame { components, .. } if !matches!(components, 1 | 3) => {
            return refuse("the JPEG has neither one nor three components", convert);
        }
        _ => {}
    }
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    if pixels > limits.pixels {
        return Err(Error::TooLarge {
            pixels,
            limit: limits.pixels,
        });
    }
    Ok(())
}

/// The pixels of a JPEG, not turned. With `partial` the intact part of a truncated or corrupt file, and a note of it.
///
/// # Errors
/// [`Error::Unsupported`] for CMYK, lossless and hierarchical files and those of more than 8 bits, [`Error::TooLarge`],
/// [`Error::Corrupt`].
pub(super) fn read(bytes: &[u8], limits: &Limits, partial: bool) -> Result<Found, Error> {
    let whole = is_whole(bytes);
    let frame = frame(bytes).ok_or(if whole { CORRUPT } else { CUT_OFF })?;
    check(&frame, limits)?;
    if !whole && !partial {
        return Err(CUT_OFF);
    }
    let ended = match whole {
        true => Cow::Borrowed(bytes),
        false => Cow::Owned([bytes, &[0xff, 0xd9]].concat()),
    };
    let (samples, corrupt) = decoded(&ended, frame.components, partial)?;
    let mut notes = Vec::new();
    if !whole || corrupt {
        notes.push("the JPEG is cut off or corrupt; its intact part is read".into());
    }
    let layout = match frame.components {
        1 => Layout::Grey,
        _ => Layout::Rgb,
    };
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let (metadata, lost) = metadata(bytes);
    Ok(Found {
        picture: Picture::new(width, height, layout, Samples::U8(samples), metadata)?,
        notes,
        lost,
    })
}

/// Interleaved samples of a JPEG inside of another file, and its size, which is at most `most`.
pub(super) fn samples(
    bytes: &[u8],
    components: u8,
    most: [usize; 2],
) -> Result<(Vec<u8>, [usize; 2]), Error> {
    let frame = frame(bytes).ok_or(CORRUPT)?;
    check(&frame, &Limits::default())?;
    let size = [frame.width, frame.height].map(usize::from);
    if frame.components != components || size[0] > most[0] || size[1] > most[1] {
        return Err(CORRUPT);
    }
    Ok((decoded(bytes, components, false)?.0, size))
}
