//! Samples of large pictures: by filters, and while they come in.

use crate::error::Error;
use inr_formats::{Depth, Layout};
use inr_image::Part;
use inr_image::Raster;
use inr_image::planes::window;
use inr_image::resample::{Filter, resize};
use inr_image::{Metadata, Picture, Samples};

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
