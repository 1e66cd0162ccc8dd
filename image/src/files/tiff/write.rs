//! TIFF files, with all metadata.

use inr_formats::Depth;

use super::common::DESCRIPTIONS;
use crate::error::Error;
use crate::files::directory::{Directories, EXIF, GPS, Written, append};
use crate::format::FileFormat;
use crate::picture::{Picture, Samples};

/// Bytes of a strip, about.
const STRIP: usize = 1 << 16;

/// The file of `picture`: strips of plain samples, then one directory.
///
/// # Errors
/// [`Error::CannotHold`] for files of 4 GiB and more.
pub(in crate::files) fn file(picture: &Picture) -> Result<Vec<u8>, Error> {
    let bytes = picture.samples().len() as u64 * picture.depth().bytes() as u64;
    if bytes > u64::from(u32::MAX) - (1 << 26) {
        return Err(Error::CannotHold {
            format: FileFormat::Tiff,
            what: "4 GiB and more",
            instead: "write a .png",
        });
    }
    let mut out = b"II*\0\0\0\0\0".to_vec();
    out.reserve(bytes as usize + (1 << 12));
    match picture.samples() {
        Samples::U8(samples) => out.extend_from_slice(samples),
        Samples::U16(samples) => out.extend(samples.iter().flat_map(|v| v.to_le_bytes())),
        Samples::F32(samples) => out.extend(samples.iter().flat_map(|v| v.to_le_bytes())),
    }
    let fields = fields(picture);
    let at = append(&mut out, fields);
    out[4..8].copy_from_slice(&at.to_le_bytes());
    Ok(out)
}

fn fields(picture: &Picture) -> Vec<Written> {
    let (layout, channels) = (picture.layout(), picture.layout().channels());
    let width = picture.depth().bytes();
    let row = picture.width() as usize * channels * width;
    let rows = (STRIP / row).clamp(1, picture.height() as usize);
    let ends = (0..picture.height() as usize).step_by(rows);
    let [offsets, lengths]: [Vec<u32>; 2] = [true, false].map(|offsets| {
        let value = |top: usize| match offsets {
            true => 8 + top * row,
            false => rows.min(picture.height() as usize - top) * row,
        };
        ends.clone().map(|top| value(top) as u32).collect()
    });
    let colours = layout.colour_channels();
    let mut fields = vec![
        Written::longs(256, &[picture.width()]),
        Written::longs(257, &[picture.height()]),
        Written::shorts(258, &vec![8 * width as u16; channels]),
        Written::shorts(259, &[1]),
        Written::shorts(262, &[if colours == 1 { 1 } else { 2 }]),
        Written::longs(273, &offsets),
        Written::shorts(277, &[channels as u16]),
        Written::longs(278, &[rows as u32]),
        Written::longs(279, &lengths),
        Written::shorts(284, &[1]),
    ];
    if layout.has_alpha() {
        fields.push(Written::shorts(338, &[2]));
    }
    let format = if picture.depth() == Depth::F32 { 3 } else { 1 };
    fields.push(Written::shorts(339, &vec![format; channels]));
    let metadata = picture.metadata();
    if let Some(xmp) = &metadata.xmp {
        fields.push(Written::bytes(700, xmp));
    }
    if let Some(icc) = &metadata.icc {
        fields.push(Written::opaque(34_675, icc));
    }
    let exif = metadata.exif.as_deref().and_then(Directories::of);
    if let Some(exif) = exif
        && let Some(first) = exif.chain().first()
    {
        fields.extend(exif.copy(*first, &[EXIF, GPS], |tag| DESCRIPTIONS.contains(&tag)));
    }
    fields
}
