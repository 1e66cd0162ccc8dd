//! The decoder of the crate `image`, for builds without libjpeg. It gives wrong pixels for some files; those are refused.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder};

use super::segments::{CORRUPT, Segments};
use crate::error::Error;

/// Samples of a file with 1 or 3 components, and whether some of its data was corrupt, which this decoder does not report.
pub(super) fn decoded(bytes: &[u8], components: u8, _: bool) -> Result<(Vec<u8>, bool), Error> {
    if !is_read_right(bytes, components) {
        return Err(Error::Unsupported {
            what: "the JPEG has separate scans, subsampled luma or arithmetic coding, which take libjpeg".into(),
            instead: "build with the feature `libjpeg`, or convert it to a PNG first",
        });
    }
    let failed = |source| Error::Malformed {
        format: "JPEG",
        source,
    };
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    let found = decoder.color_type().channel_count();
    let image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    match found == components {
        true => Ok((image.into_bytes(), false)),
        false => Err(CORRUPT),
    }
}

/// Whether luma is sampled most densely, and a sequential file has all components in its first scan.
fn is_read_right(bytes: &[u8], components: u8) -> bool {
    let mut segments = Segments::of(bytes);
    let frame = segments
        .by_ref()
        .filter(|(marker, _)| {
            matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
        })
        .last();
    let Some((process @ 0xc0..=0xc2, frame)) = frame else {
        return false;
    };
    let mut sampling = frame.iter().skip(7).step_by(3).take(components.into());
    let luma = sampling.next().copied().unwrap_or_default();
    let densest = sampling.all(|other| other >> 4 <= luma >> 4 && other & 15 <= luma & 15);
    // The scan's header: marker, length, number of components.
    let in_scan = bytes.get(segments.at + 4).copied().unwrap_or_default();
    densest && (process == 0xc2 || in_scan == components)
}
