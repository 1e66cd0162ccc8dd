//! The field of a picture's samples: the cubic spline through them, which an `.inr` pyramid is as well.

use std::ops::Range;

use super::{Watch, editing, plane};
use crate::decode::{Derivative, shown};
use crate::error::Error;
use crate::field::jets::Jets;
use crate::field::pyramid::render::resample_columns;
use crate::field::pyramid::spline::{Order, Taps, folded};
use crate::field::pyramid::wavelet::{Grid, Window};
use crate::progress::{Control, Observer};
use inr_formats::{Depth, Layout};
use inr_image::Raster;
use inr_kernel::Job;

/// Samples on either side of a pixel that its values and derivatives depend on.
pub const REACH: u32 = 16;

/// Rows that are made at once.
const BAND: usize = 128;

/// A picture, or the part of it that is at hand.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The samples at hand.
    pub raster: Raster<'a>,
    /// Column and row of the picture that the first of them is.
    pub origin: [usize; 2],
    /// Width and height of the picture.
    pub picture: [usize; 2],
}

impl<'a> Part<'a> {
    /// All of a picture.
    pub fn whole(raster: Raster<'a>) -> Self {
        Self {
            raster,
            origin: [0, 0],
            picture: [raster.width, raster.height],
        }
    }

    /// Refuses parts that lack what `columns` and `rows` (reaching over the borders) take.
    fn check(&self, columns: &Range<isize>, rows: &Range<isize>) -> Result<(), Error> {
        self.raster.check()?;
        let size = [self.raster.width, self.raster.height];
        for (axis, reach) in [columns, rows].into_iter().enumerate() {
            let (from, to) = (self.origin[axis], self.origin[axis] + size[axis]);
            let needed = folded(reach, self.picture[axis]);
            if to > self.picture[axis] || needed.start < from || needed.end > to {
                return Err(Error::Misuse {
                    what: format!(
                        "{size:?} samples at {:?} of {:?} for what takes {columns:?} by {rows:?}",
                        self.origin, self.picture
                    ),
                    want: "give 16 more on every side, as far as the picture goes",
                });
            }
        }
        Ok(())
    }

    fn grid(&self, channel: usize) -> Grid {
        let [x, y] = self.origin;
        Grid {
            window: Window::new(x..x + self.raster.width, y..y + self.raster.height),
            values: plane(&self.raster, channel),
        }
    }
}

/// Where outputs lie on the axes.
struct Places {
    centres: [Vec<f64>; 2],
    widths: [f64; 2],
}

impl Places {
    fn taps(&self, axis: usize, range: Range<usize>, order: Order) -> Taps {
        let width = self.widths[axis];
        let count = ((width * 3.0).ceil() as usize).clamp(1, 64);
        Taps::new(&self.centres[axis][range], width, count, order)
    }

    fn check(&self, part: &Part) -> Result<(), Error> {
        let [columns, rows] = [0, 1].map(|axis| {
            let count = self.centres[axis].len();
            self.taps(axis, 0..count, 0).reach(0..count)
        });
        part.check(&columns, &rows)
    }

    /// The derivative of `grid`'s spline of the given orders in x and y in some rows: shape `[rows, columns]`.
    fn rows(
        &self,
        grid: &Grid,
        size: [usize; 2],
        range: Range<usize>,
        orders: [Order; 2],
    ) -> Vec<f32> {
        let columns = self.taps(0, 0..self.centres[0].len(), orders[0]);
        let rows = self.taps(1, range, orders[1]);
        let reach = rows.reach(0..rows.len());
        let across = resample_columns(grid, &columns, &reach, (size[0], size[1]));
        let width = columns.len();
        let mut out = vec![0.0; rows.len() * width];
        for (index, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            let (start, weights) = rows.output(index);
            for (tap, weight) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                let line = &across[((start - reach.start) as usize + tap) * width..][..width];
                out.iter_mut()
                    .zip(line)
                    .for_each(|(out, value)| *out += weight * value);
            }
        }
        out
    }
}

/// Values, gradients and Laplacians of the spline through `part`'s samples at the pixels of `window` (left, top, width,
/// height): what [`crate::InrPicture::jets`] gives of a pyramid with these samples. The same for any part that
/// reaches [`REACH`] samples further on every side as far as the picture goes, and for any number of threads.
///
/// # Errors
/// [`Error::Misuse`] for windows and parts that do not fit together; [`Error::Cancelled`].
pub fn jets(
    part: &Part,
    window: [usize; 4],
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Jets, Error> {
    let mut watch = editing(observer);
    const ORDERS: [(usize, [Order; 2]); 5] = [
        (0, [0, 0]),
        (1, [1, 0]),
        (2, [0, 1]),
        (3, [2, 0]),
        (3, [0, 2]),
    ];
    let [left, top, width, height] = window;
    if width == 0 || height == 0 || left + width > part.picture[0] || top + height > part.picture[1]
    {
        return Err(Error::Misuse {
            what: format!("a window {window:?} of a picture of {:?}", part.picture),
            want: "give left, top, width and height within the picture",
        });
    }
    let centres = |from: usize, count: usize| (from..from + count).map(|i| i as f64).collect();
    let places = Places {
        centres: [centres(left, width), centres(top, height)],
        widths: [0.0; 2],
    };
    places.check(part)?;
    let channels = part.raster.channels;
    let stride = 4 * channels * width;
    let mut out = vec![0.0; stride * height];
    for channel in 0..channels {
        let grid = part.grid(channel);
        let share = channel as f64 / channels as f64;
        in_bands(
            &mut out,
            stride,
            threads,
            share,
            1.0 / channels as f64,
            &mut watch,
            |first, band| {
                let range = first..first + band.len() / stride;
                for (component, orders) in ORDERS {
                    let found = places.rows(&grid, part.picture, range.clone(), orders);
                    let at = (component * channels + channel) * width;
                    for (out, found) in band.chunks_exact_mut(stride).zip(found.chunks_exact(width))
                    {
                        let out = out[at..at + width].iter_mut().zip(found);
                        out.for_each(|(out, found)| *out += found);
                    }
                }
            },
        )?;
    }
    Ok(Jets::new(width, channels, out))
}

/// A picture of a derivative at the pixels of `window`: interleaved samples as
/// [`crate::InrPicture::render_derivative`] has them in integers, `range` (above 0) being the derivative that ends the
/// range. The layout is [`Derivative`]'s own, without alpha.
///
/// # Errors
/// As [`jets`].
pub fn derivative(
    part: &Part,
    window: [usize; 4],
    derivative: Derivative,
    range: f32,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<(Layout, Vec<f32>), Error> {
    if !(range.is_finite() && range > 0.0) {
        return Err(Error::Misuse {
            what: format!("range {range}"),
            want: "give the largest derivative to be shown, above 0",
        });
    }
    let layout = match part.raster.channels {
        1 => Layout::Grey,
        2 => Layout::GreyAlpha,
        3 => Layout::Rgb,
        _ => Layout::Rgba,
    };
    let jets = jets(part, window, threads, observer)?;
    let (layout, samples, _) = shown(&jets, layout, derivative, Depth::U16, Some(range));
    Ok((layout, samples))
}

/// `region` (left, top, width, height in pixels, inside the picture) of the field of `part`'s samples at `size` pixels;
/// reduced sizes average over each pixel's footprint. Colours are weighed by alpha.
///
/// # Errors
/// As [`jets`].
pub fn resampled(
    part: &Part,
    region: [f64; 4],
    size: [usize; 2],
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<f32>, Error> {
    let pitch = [0, 1].map(|axis| region[2 + axis] / size[axis] as f64);
    let places = Places {
        centres: [0, 1].map(|axis| {
            let centre = |index: usize| region[axis] + (index as f64 + 0.5) * pitch[axis] - 0.5;
            (0..size[axis]).map(centre).collect()
        }),
        widths: pitch.map(|pitch| (pitch * pitch - 1.0).max(0.0).sqrt()),
    };
    part.raster.check()?;
    let inside = |axis: usize| {
        // Steps times their number miss the border by a rounding error; that is no reason to refuse.
        let side = part.picture[axis] as f64;
        let (start, end) = (region[axis], region[axis] + region[2 + axis]);
        let slack = 1e-9 * side;
        start >= -slack && region[2 + axis] > 0.0 && end <= side + slack && size[axis] > 0
    };
    if !(inside(0) && inside(1)) {
        return Err(Error::Misuse {
            what: format!(
                "region {region:?} at {size:?} pixels of a picture of {:?}",
                part.picture
            ),
            want: "give left, top, width and height within the picture, and a size of at least 1",
        });
    }
    places.check(part)?;
    let channels = part.raster.channels;
    let weighed = inr_image::premultiplied(&part.raster);
    let weighed = Part {
        raster: Raster {
            samples: &weighed,
            ..part.raster
        },
        ..*part
    };
    let grids: Vec<Grid> = (0..channels).map(|channel| weighed.grid(channel)).collect();
    let stride = channels * size[0];
    let mut out = vec![0.0; stride * size[1]];
    let mut watch = editing(observer);
    in_bands(
        &mut out,
        stride,
        threads,
        0.0,
        1.0,
        &mut watch,
        |first, band| {
            let range = first..first + band.len() / stride;
            for (channel, grid) in grids.iter().enumerate() {
                let found = places.rows(grid, part.picture, range.clone(), [0, 0]);
                let out = band[channel..].iter_mut().step_by(channels);
                out.zip(found).for_each(|(out, found)| *out = found);
            }
            if part.raster.has_alpha() {
                band.chunks_exact_mut(channels)
                    .for_each(inr_image::divide_by_alpha);
            }
        },
    )?;
    Ok(out)
}

/// Calls `work` with the number of the first row of each band of `out`, and the band; `watch` receives shares of the job
/// from `begin` to `begin + share`.
fn in_bands(
    out: &mut [f32],
    stride: usize,
    threads: usize,
    begin: f64,
    share: f64,
    watch: Watch,
    work: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<(), Error> {
    if watch(begin) != Control::Continue {
        return Err(Error::Cancelled);
    }
    let bands = out.chunks_mut(stride * BAND);
    let total = bands.len().max(1) as f64;
    let mut tell = |done: u64| watch(begin + share * done as f64 / total) == Control::Continue;
    Job::watched(&mut tell, |job| {
        job.items(threads, bands, |index, band, job| {
            work(index * BAND, band);
            Ok(job.advance(1)?)
        })
    })
}
