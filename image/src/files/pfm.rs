//! Portable float maps: "Pf" for grey, "PF" for colour, rows from the bottom up.
//!
//! Source: P. Debevec, "HDR Shop" (USC, 2001), PFM format.

use inr_formats::{Layout, Limits};

use super::convert::finite;
use super::found::Found;
use crate::error::Error;
use crate::picture::{Metadata, Picture, Samples};

/// Code points of linear light, which the format means.
pub(super) const LINEAR: [u8; 4] = [1, 8, 0, 1];

const fn damaged(what: &'static str) -> Error {
    let format = "PFM";
    Error::Corrupt { format, what }
}

/// Whether `bytes` start like a PFM.
pub(super) fn is_pfm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'f' | b'F', space, ..] if space.is_ascii_whitespace())
}

/// Text up to the next white space, and what follows that.
fn word(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let bytes = &bytes[start..];
    let end = bytes.iter().position(u8::is_ascii_whitespace)?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// The picture, in linear light.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Corrupt`], [`Error::Unsupported`] for samples that are no finite numbers.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    const HEAD: Error = damaged("its header is corrupt");
    let (kind, rest) = word(bytes).ok_or(HEAD)?;
    let layout = if kind == "PF" {
        Layout::Rgb
    } else {
        Layout::Grey
    };
    let (width, rest) = word(rest).ok_or(HEAD)?;
    let (height, rest) = word(rest).ok_or(HEAD)?;
    let (scale, data) = word(rest).ok_or(HEAD)?;
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|side| *side > 0)
            .ok_or(HEAD)
    };
    let (width, height) = (side(width)?, side(height)?);
    let scale: f64 = scale.parse().map_err(|_| HEAD)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        let limit = limits.pixels;
        return Err(Error::TooLarge { pixels, limit });
    }
    let row = 4 * width as usize * layout.channels();
    let data = data
        .get(..row * height as usize)
        .ok_or(damaged("the file is cut off"))?;
    let value = match scale < 0.0 {
        true => f32::from_le_bytes,
        false => f32::from_be_bytes,
    };
    let rows = data.chunks_exact(row).rev();
    let samples = rows
        .flat_map(|row| row.as_chunks::<4>().0.iter().map(|bytes| value(*bytes)))
        .collect();
    let metadata = Metadata {
        cicp: Some(LINEAR),
        ..Metadata::default()
    };
    Ok(Found {
        picture: Picture::new(width, height, layout, finite(samples)?, metadata)?,
        notes: Vec::new(),
        lost: Vec::new(),
    })
}

/// The file of a picture of floats without alpha.
pub(super) fn file(picture: &Picture) -> Vec<u8> {
    let kind = match picture.layout().colour_channels() {
        1 => "Pf",
        _ => "PF",
    };
    let (width, height) = (picture.width(), picture.height());
    let mut out = format!("{kind}\n{width} {height}\n-1.0\n").into_bytes();
    let Samples::F32(samples) = picture.samples() else {
        unreachable!("`check` refused other depths");
    };
    let row = width as usize * picture.layout().channels();
    for row in samples.chunks_exact(row).rev() {
        out.extend(row.iter().flat_map(|value| value.to_le_bytes()));
    }
    out
}
