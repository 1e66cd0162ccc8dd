//! Fields of Exif blocks that other parts of a file repeat.

use super::directory::{Directories, Field, Written, block};
use crate::picture::Metadata;

/// Metres in an inch.
const INCH: f64 = 0.0254;
/// The resolution that Exif has readers assume, dots per inch.
const USUAL: f64 = 72.0;

fn field(exif: &[u8], tag: u16) -> Option<Field<'_>> {
    let directories = Directories::of(exif)?;
    let first = *directories.chain().first()?;
    directories
        .fields(first)
        .into_iter()
        .find(|field| field.tag == tag)
}

/// Resolution of an Exif block, dots per inch across and down.
pub(super) fn resolution(exif: &[u8]) -> Option<[f64; 2]> {
    let [across, down] = [282, 283].map(|tag| field(exif, tag)?.reals().first().copied());
    let unit = field(exif, 296).and_then(|unit| unit.first()).unwrap_or(2);
    let in_inch = match unit {
        2 => 1.0,
        3 => 2.54,
        _ => return None,
    };
    let resolution = [across?, down?].map(|dots| dots * in_inch);
    let usable = |dots: &f64| dots.is_finite() && (0.01..1e6).contains(dots);
    resolution.iter().all(usable).then_some(resolution)
}

/// Keeps a resolution in dots per metre, which a part of the file other than Exif gives; false when an Exif block is there
/// and has no place for it. Exif's own comes first, and the usual 72 dots per inch need no place.
pub(super) fn keep_resolution(metadata: &mut Metadata, per_metre: [f64; 2]) -> bool {
    let dots = per_metre.map(|dots| dots * INCH);
    let usable = |dots: &f64| (0.01..1e6).contains(dots);
    let usual = |dots: &f64| (dots - USUAL).abs() < 0.05;
    if !dots.iter().all(usable) || dots.iter().all(usual) {
        return true;
    }
    match metadata.exif.as_deref() {
        Some(exif) => resolution(exif).is_some(),
        None => {
            // Whole numbers of dots where the other unit has rounded them.
            let near = |dots: f64| match (dots - dots.round()).abs() < 0.02 {
                true => [dots.round() as u32, 1],
                false => [(dots * 1000.0).round() as u32, 1000],
            };
            metadata.exif = Some(block(vec![
                Written::ratio(282, near(dots[0])),
                Written::ratio(283, near(dots[1])),
                Written::shorts(296, &[2]),
            ]));
            true
        }
    }
}
