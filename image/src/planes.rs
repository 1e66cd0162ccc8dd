//! Parts of pictures as planes of luma, colour and alpha, and back.

use std::ops::Range;

use inr_formats::Layout;

use crate::colour::LUMA_BT601;
use crate::picture::{Picture, Samples};
use crate::raster::{Raster, divide_by_alpha, premultiplied};

/// Columns and rows of a part of a picture.
pub type Part = [Range<usize>; 2];

/// Interleaved samples of a part of the picture, 0.0..=1.0.
pub fn window(picture: &Picture, [columns, rows]: &Part) -> Vec<f32> {
    fn rows_of<T: Copy>(
        samples: &[T],
        stride: usize,
        row: std::ops::Range<usize>,
        rows: std::ops::Range<usize>,
        value: impl Fn(T) -> f32,
    ) -> Vec<f32> {
        let lines = samples
            .chunks_exact(stride)
            .skip(rows.start)
            .take(rows.len());
        lines
            .flat_map(|line| &line[row.clone()])
            .map(|&v| value(v))
            .collect()
    }
    let channels = picture.layout().channels();
    let stride = picture.width() as usize * channels;
    let row = columns.start * channels..columns.end * channels;
    let rows = rows.clone();
    match picture.samples() {
        Samples::U8(samples) => rows_of(samples, stride, row, rows, |v| f32::from(v) / 255.0),
        Samples::U16(samples) => rows_of(samples, stride, row, rows, |v| f32::from(v) / 65_535.0),
        Samples::F32(samples) => rows_of(samples, stride, row, rows, |v| v),
    }
}

/// A part of the picture as planes: luma, red and blue less luma if it has colour, alpha if it has; colours are multiplied
/// by alpha.
pub fn planes(picture: &Picture, part: &Part) -> Vec<Vec<f32>> {
    let layout = picture.layout();
    let (channels, samples) = (layout.channels(), window(picture, part));
    let raster = Raster {
        width: part[0].len(),
        height: part[1].len(),
        channels,
        samples: &samples,
    };
    let samples = premultiplied(&raster);
    let plane = |value: &dyn Fn(&[f32]) -> f32| samples.chunks_exact(channels).map(value).collect();
    let mut planes: Vec<Vec<f32>> = Vec::with_capacity(channels);
    if layout.colour_channels() == 3 {
        // In this form grey pixels have exactly no colour, and flat planes cost nothing.
        let luma = |pixel: &[f32]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]];
            green + LUMA_BT601[0] * (red - green) + LUMA_BT601[2] * (blue - green)
        };
        planes.push(plane(&luma));
        planes.push(plane(&|pixel| pixel[0] - luma(pixel)));
        planes.push(plane(&|pixel| pixel[2] - luma(pixel)));
    } else {
        planes.push(plane(&|pixel| pixel[0]));
    }
    if layout.has_alpha() {
        planes.push(plane(&|pixel| pixel[channels - 1]));
    }
    planes
}

/// Interleaved samples of `planes` as [`planes`] gives them.
pub fn interleaved(planes: &[Vec<f32>], layout: Layout) -> Vec<f32> {
    let channels = layout.channels();
    let mut out = vec![0.0; planes[0].len() * channels];
    for (at, pixel) in out.chunks_exact_mut(channels).enumerate() {
        for (sample, plane) in pixel.iter_mut().zip(planes) {
            *sample = plane[at];
        }
        if layout.colour_channels() == 3 {
            let [luma, red, blue] = [pixel[0], pixel[1], pixel[2]];
            let green = luma - (LUMA_BT601[0] * red + LUMA_BT601[2] * blue) / LUMA_BT601[1];
            pixel[..3].copy_from_slice(&[luma + red, green, luma + blue]);
        }
        if layout.has_alpha() {
            divide_by_alpha(pixel);
        }
    }
    out
}

/// Tiles of at most `side` columns and rows that cover `part`, row by row.
pub fn tiles(part: &Part, side: usize) -> Vec<Part> {
    let pieces = |range: &Range<usize>| {
        let Range { start, end } = range.clone();
        (start..end)
            .step_by(side.max(1))
            .map(move |start| start..(start + side).min(end))
    };
    let rows = pieces(&part[1]);
    rows.flat_map(|rows| pieces(&part[0]).map(move |columns| [columns, rows.clone()]))
        .collect()
}
