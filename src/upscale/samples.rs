//! Samples of pictures as planes, and back.

use inr_image::colour::LUMA_BT601;

use super::part::Part;
use crate::error::Error;
use inr_formats::{Depth, Layout};
use inr_image::divide_by_alpha;
use inr_image::resample::{Filter, resize};
use inr_image::{Metadata, Picture, Samples};
use inr_image::{Raster, premultiplied};

/// Interleaved samples of a part of the picture, 0.0..=1.0.
fn window(picture: &Picture, [columns, rows]: &Part) -> Vec<f32> {
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
pub(super) fn planes(picture: &Picture, part: &Part) -> Vec<Vec<f32>> {
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
pub(super) fn samples(planes: &[Vec<f32>], layout: Layout) -> Vec<f32> {
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

/// A part of the large picture, of `size`, by a filter; `read` is what it needs of the small one.
pub(super) fn filtered(
    picture: &Picture,
    size: [usize; 2],
    part: &Part,
    read: &Part,
    filter: Filter,
) -> Result<Vec<f32>, Error> {
    let samples = window(picture, read);
    let raster = Raster {
        width: read[0].len(),
        height: read[1].len(),
        channels: picture.layout().channels(),
        samples: &samples,
    };
    let ratios = [
        f64::from(picture.width()) / size[0] as f64,
        f64::from(picture.height()) / size[1] as f64,
    ];
    let start = |axis: usize| part[axis].start as f64 * ratios[axis] - read[axis].start as f64;
    let length = |axis: usize| part[axis].len() as f64 * ratios[axis];
    let region = [start(0), start(1), length(0), length(1)];
    Ok(resize(
        raster,
        Some(region),
        part[0].len(),
        part[1].len(),
        filter,
    )?)
}

/// Samples of a part of the large picture while they come in.
pub(super) struct Target {
    window: Part,
    layout: Layout,
    samples: Samples,
}

impl Target {
    /// For `window` of the large picture.
    pub(super) fn new(window: Part, layout: Layout, depth: Depth) -> Self {
        let length = window[0].len() * window[1].len() * layout.channels();
        Self {
            window,
            layout,
            samples: match depth {
                Depth::U8 => Samples::U8(vec![0; length]),
                Depth::U16 => Samples::U16(vec![0; length]),
                Depth::F32 => Samples::F32(vec![0.0; length]),
            },
        }
    }

    /// Takes in the interleaved samples of a part of the window.
    pub(super) fn put(&mut self, [columns, rows]: &Part, samples: &[f32]) {
        let channels = self.layout.channels();
        let [across, down] = &self.window;
        let length = columns.len() * channels;
        for (row, line) in rows.clone().zip(samples.chunks_exact(length)) {
            let pixel = (row - down.start) * across.len() + columns.start - across.start;
            let start = pixel * channels;
            let places = start..start + length;
            // A cast rounds towards zero and clamps, NaN gives 0.
            match &mut self.samples {
                Samples::U8(out) => fill(&mut out[places], line, |v| (v * 255.0 + 0.5) as u8),
                Samples::U16(out) => fill(&mut out[places], line, |v| (v * 65_535.0 + 0.5) as u16),
                Samples::F32(out) => out[places].copy_from_slice(line),
            }
        }
    }

    /// The picture.
    pub(super) fn finish(self, metadata: Metadata) -> Result<Picture, Error> {
        let [width, height] = self.window.map(|range| range.len() as u32);
        let (layout, samples) = (self.layout, self.samples);
        Ok(Picture::new(width, height, layout, samples, metadata)?)
    }
}

fn fill<T>(out: &mut [T], line: &[f32], round: impl Fn(f32) -> T) {
    out.iter_mut()
        .zip(line)
        .for_each(|(out, v)| *out = round(*v));
}
