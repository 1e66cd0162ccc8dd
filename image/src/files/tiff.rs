//! TIFF pictures.
//!
//! Source: TIFF 6.0 (Adobe, 1992) with its supplements, BigTIFF.

mod chunks;
mod colours;
mod common;
mod samples;
mod shape;
mod write;

use inr_formats::Limits;

use super::directory::{self, Directories, EXIF, GPS, Written};
use super::found::Found;
use crate::error::Error;
use crate::picture::{Metadata, Picture};
use common::{CORRUPT, DESCRIPTIONS};
use samples::Raw;
use shape::{Shape, Tags};
pub(super) use write::file;

/// The picture on `page`, counted from 1; the only one if there is no number.
///
/// # Errors
/// [`Error::Unsupported`] for kinds that are not read and, without `page`, for more than one page,
/// [`Error::TooLarge`], [`Error::Corrupt`].
pub(super) fn read(bytes: &[u8], limits: &Limits, page: Option<u32>) -> Result<Found, Error> {
    let directories = Directories::of(bytes).ok_or(CORRUPT)?;
    let at = choose(&directories, page)?;
    let tags = Tags(directories.fields(at));
    let shape = Shape::of(bytes, &directories, &tags, limits)?;
    let mut notes = Vec::new();
    let raw = Raw::read(&shape)?;
    let (layout, samples) = colours::finish(&shape, raw, &tags, &mut notes)?;
    let data = |tag| tags.get(tag).map(|field| field.bytes().to_vec());
    let metadata = Metadata {
        icc: data(34_675).filter(|_| !matches!(shape.photometric, 8 | 9)),
        exif: exif(&directories, at),
        xmp: data(700),
        cicp: None,
    };
    let lost = [(33_723, "IPTC"), (34_377, "Photoshop's settings")];
    let lost = lost.into_iter().filter(|(tag, _)| tags.get(*tag).is_some());
    Ok(Found {
        picture: Picture::new(
            shape.width as u32,
            shape.height as u32,
            layout,
            samples,
            metadata,
        )?,
        notes,
        lost: lost.map(|(_, name)| name.into()).collect(),
    })
}

/// The directory of `page`. Reduced copies and masks are no pages.
fn choose(directories: &Directories, page: Option<u32>) -> Result<u64, Error> {
    let all = directories.chain();
    let is_page = |at: &&u64| {
        let tags = Tags(directories.fields(**at));
        tags.number(254).unwrap_or(0) & 5 == 0 && tags.number(255) != Some(2)
    };
    let pages: Vec<u64> = all.iter().filter(is_page).copied().collect();
    let pages = if pages.is_empty() { all } else { pages };
    match (page, &pages[..]) {
        (_, []) => Err(CORRUPT),
        (None, [only]) => Ok(*only),
        (None, several) => Err(Error::Unsupported {
            what: format!("the TIFF has {} pages", several.len()).into(),
            instead: "choose one with --page, counted from 1",
        }),
        (Some(page), pages) => pages
            .get((page as usize).wrapping_sub(1))
            .copied()
            .ok_or_else(|| Error::Misuse {
                what: format!("page {page} of a TIFF with {} pages", pages.len()),
                want: "pages count from 1",
            }),
    }
}

/// What the directory says about the picture, as an Exif block.
fn exif(directories: &Directories, at: u64) -> Option<Vec<u8>> {
    let fields: Vec<Written> =
        directories.copy(at, &[EXIF, GPS], |tag| DESCRIPTIONS.contains(&tag));
    (!fields.is_empty()).then(|| directory::block(fields))
}
