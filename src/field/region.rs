//! Which part of a picture a render shows, and at which size.

use inr_formats::Header;

use crate::error::Error;
use crate::field::network::Viewport;
use inr_image::resample::MIN_REGION;

/// Size of a render.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OutputSize {
    /// One pixel per source pixel.
    #[default]
    Native,
    /// This many pixels per source pixel on both axes, above 0; fractions are fine.
    Scale(f64),
    /// This width, with the height that keeps the proportions.
    Width(u32),
    /// This height, with the width that keeps the proportions.
    Height(u32),
    /// Exactly this width and height.
    Exact(u32, u32),
    /// The largest size with the proportions that fits into this width and height.
    Within(u32, u32),
}

/// A rectangle in source pixels; fractions are fine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width, at least a millionth of a pixel.
    pub width: f64,
    /// Height, at least a millionth of a pixel.
    pub height: f64,
}

impl Region {
    /// A region with its left top corner at `x`, `y`.
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }
}

/// Left, top, width and height of `region`, or of a whole picture of `size`.
///
/// # Errors
/// [`Error::Misuse`] for a region that is not inside the picture.
pub(crate) fn region_within(region: Option<Region>, size: [u32; 2]) -> Result<[f64; 4], Error> {
    let [width, height] = size.map(f64::from);
    let Some(Region {
        x,
        y,
        width: w,
        height: h,
    }) = region
    else {
        return Ok([0.0, 0.0, width, height]);
    };
    // Written so that NaN fails.
    let inside = |start: f64, extent: f64, full: f64| {
        start >= 0.0 && extent >= MIN_REGION && start + extent <= full
    };
    if !(inside(x, w, width) && inside(y, h, height)) {
        return Err(Error::Misuse {
            what: format!("region {x},{y},{w},{h} is not inside the picture of {width} x {height}"),
            want: "give left, top, width and height in source pixels, within the picture; sides have at least a millionth of a pixel",
        });
    }
    Ok([x, y, w, h])
}

/// Pixels around a picture in which its field can be asked for: further out, positions are soon no longer different numbers.
const AROUND: f64 = 1e6;

pub(crate) fn check_positions(positions: &[[f64; 2]], header: &Header) -> Result<(), Error> {
    let sides = [header.width, header.height].map(f64::from);
    // NaN is not within.
    let near = |at: &[f64; 2]| (0..2).all(|i| (-AROUND..=sides[i] + AROUND).contains(&at[i]));
    match positions.iter().find(|position| !near(position)) {
        None => Ok(()),
        Some([x, y]) => Err(Error::Misuse {
            what: format!(
                "the position {x}, {y} of a picture of {} x {}",
                sides[0], sides[1]
            ),
            want: "give positions in source pixels, no further than a million from the picture",
        }),
    }
}

pub(crate) fn output_size(size: OutputSize, region: &[f64; 4]) -> Result<[u32; 2], Error> {
    let [.., width, height] = *region;
    let wrong = |what: String| Error::Misuse {
        what,
        want: "give a size of at least 1 pixel and at most 4294967295 on each side",
    };
    let rounded = |width: f64, height: f64| {
        let sides = [width, height].map(|side| side.round().max(1.0));
        if sides.iter().all(|side| *side <= f64::from(u32::MAX)) {
            Ok(sides.map(|side| side as u32))
        } else {
            Err(wrong(format!(
                "a render of {width:.0} x {height:.0} pixels"
            )))
        }
    };
    match size {
        OutputSize::Native => rounded(width, height),
        OutputSize::Scale(scale) if scale.is_finite() && scale > 0.0 => {
            rounded(width * scale, height * scale)
        }
        OutputSize::Scale(scale) => Err(Error::Misuse {
            what: format!("scale {scale}"),
            want: "give a finite scale above 0",
        }),
        OutputSize::Width(0)
        | OutputSize::Height(0)
        | OutputSize::Exact(0, _)
        | OutputSize::Exact(_, 0)
        | OutputSize::Within(0, _)
        | OutputSize::Within(_, 0) => Err(wrong("a side of 0 pixels".into())),
        OutputSize::Width(columns) => {
            rounded(f64::from(columns), height * f64::from(columns) / width)
        }
        OutputSize::Height(rows) => rounded(width * f64::from(rows) / height, f64::from(rows)),
        OutputSize::Exact(columns, rows) => Ok([columns, rows]),
        OutputSize::Within(columns, rows) => {
            let scale = (f64::from(columns) / width).min(f64::from(rows) / height);
            rounded(width * scale, height * scale)
        }
    }
}

/// The whole source pixels that a resampling filter reads for `viewport`, as a native viewport, and the region within
/// it.
pub(crate) fn surroundings(viewport: &Viewport, header: &Header) -> (Viewport, [f64; 4]) {
    let sides = [f64::from(header.width), f64::from(header.height)];
    let pitch = viewport.pitch();
    let mut crop = [0.0; 4];
    let mut inner = viewport.region;
    for axis in [0, 1] {
        // Lanczos reads three pixels on either side, more when it reduces.
        let reach = (3.0 * pitch[axis].max(1.0)).ceil() + 1.0;
        let start = (viewport.region[axis] - reach).floor().max(0.0);
        let end = (viewport.region[axis] + viewport.region[2 + axis] + reach)
            .ceil()
            .min(sides[axis]);
        crop[axis] = start;
        crop[2 + axis] = end - start;
        inner[axis] -= start;
    }
    let size = [crop[2] as u32, crop[3] as u32];
    let crop = Viewport {
        region: crop,
        size,
        sampling: viewport.sampling,
    };
    (crop, inner)
}
