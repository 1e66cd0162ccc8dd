//! Raster pictures in memory.

use inr_formats::{Depth, Layout};

use crate::error::Error;

/// Samples of a picture: row-major, interleaved, encoded values (no transfer function is undone), straight alpha.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 8 bits, 0..=255.
    U8(Vec<u8>),
    /// 16 bits, 0..=65535.
    U16(Vec<u16>),
    /// Floats; 0.0..=1.0 is the range of integers, but values may leave it.
    F32(Vec<f32>),
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => samples.len(),
            Self::F32(samples) => samples.len(),
        }
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Type of the samples.
    pub fn depth(&self) -> Depth {
        match self {
            Self::U8(_) => Depth::U8,
            Self::U16(_) => Depth::U16,
            Self::F32(_) => Depth::F32,
        }
    }

    /// Divides colours by alpha, the last of `channels`; transparent pixels become black.
    pub(crate) fn divide_by_alpha(&mut self, channels: usize) {
        fn each<T: Copy>(samples: &mut [T], channels: usize, divide: impl Fn(T, T) -> T) {
            for pixel in samples.chunks_exact_mut(channels) {
                if let Some((alpha, colours)) = pixel.split_last_mut() {
                    colours.iter_mut().for_each(|c| *c = divide(*c, *alpha));
                }
            }
        }
        let whole = |colour: u32, alpha: u32, most: u32| match alpha {
            0 => 0,
            _ => ((colour * most + alpha / 2) / alpha).min(most),
        };
        match self {
            Self::U8(samples) => each(samples, channels, |c, a| {
                whole(c.into(), a.into(), 255) as u8
            }),
            Self::U16(samples) => each(samples, channels, |c, a| {
                whole(c.into(), a.into(), 65_535) as u16
            }),
            Self::F32(samples) => {
                each(samples, channels, |c, a| if a > 0.0 { c / a } else { 0.0 });
            }
        }
    }

    /// Fills `out` with the samples from index `start` on as floats; integers become 0.0..=1.0.
    ///
    /// # Panics
    /// When there are fewer samples.
    pub fn copy_to_f32(&self, start: usize, out: &mut [f32]) {
        fn copy<T: Copy>(samples: &[T], out: &mut [f32], value: impl Fn(T) -> f32) {
            for (out, &sample) in out.iter_mut().zip(samples) {
                *out = value(sample);
            }
        }
        let range = start..start + out.len();
        match self {
            Self::U8(samples) => copy(&samples[range], out, |v| f32::from(v) / 255.0),
            Self::U16(samples) => copy(&samples[range], out, |v| f32::from(v) / 65_535.0),
            Self::F32(samples) => out.copy_from_slice(&samples[range]),
        }
    }

    /// The same samples to be written to, in rows of `length`.
    ///
    /// # Panics
    /// When `length` is 0.
    pub fn rows_mut(&mut self, length: usize) -> RowsMut<'_> {
        match self {
            Self::U8(samples) => RowsMut::U8(samples.chunks_exact_mut(length).collect()),
            Self::U16(samples) => RowsMut::U16(samples.chunks_exact_mut(length).collect()),
            Self::F32(samples) => RowsMut::F32(samples.chunks_exact_mut(length).collect()),
        }
    }
}

/// Rows of a picture that are to be written, from top to bottom, with samples as [`Samples`]. They may lie anywhere: with
/// gaps, from the bottom up, or side by side with rows that other threads write.
#[derive(Debug)]
pub enum RowsMut<'a> {
    /// 8 bits, 0..=255.
    U8(Vec<&'a mut [u8]>),
    /// 16 bits, 0..=65535.
    U16(Vec<&'a mut [u16]>),
    /// Floats.
    F32(Vec<&'a mut [f32]>),
}

impl RowsMut<'_> {
    /// Samples of each row.
    pub fn lengths(&self) -> Vec<usize> {
        fn each<T>(rows: &[&mut [T]]) -> Vec<usize> {
            rows.iter().map(|row| row.len()).collect()
        }
        match self {
            Self::U8(rows) => each(rows),
            Self::U16(rows) => each(rows),
            Self::F32(rows) => each(rows),
        }
    }

    /// Type of the samples.
    pub fn depth(&self) -> Depth {
        match self {
            Self::U8(_) => Depth::U8,
            Self::U16(_) => Depth::U16,
            Self::F32(_) => Depth::F32,
        }
    }
}

/// What a picture file says about its pixels; carried, never interpreted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Exif block from its TIFF header on; its orientation is 1, the pixels are already turned.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// Coding-independent code points (ITU-T H.273): primaries, transfer, matrix, full-range flag.
    pub cicp: Option<[u8; 4]>,
}

/// A picture: `height` rows of `width` pixels, both at least 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: u32,
    height: u32,
    layout: Layout,
    samples: Samples,
    metadata: Metadata,
}

impl Picture {
    /// A picture of `samples`, shape `[height, width, channels]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when a side is 0 or the number of samples is not that of the shape.
    pub fn new(
        width: u32,
        height: u32,
        layout: Layout,
        samples: Samples,
        metadata: Metadata,
    ) -> Result<Self, Error> {
        let wanted = u64::from(width) * u64::from(height) * layout.channels() as u64;
        if wanted == 0 || wanted != samples.len() as u64 {
            return Err(Error::Shape {
                width,
                height,
                channels: layout.channels(),
                samples: samples.len(),
            });
        }
        Ok(Self {
            width,
            height,
            layout,
            samples,
            metadata,
        })
    }

    /// A picture of floating-point `samples`, rounded to `depth`; integer depths clamp to 0.0..=1.0.
    ///
    /// # Errors
    /// As [`Picture::new`].
    pub fn from_f32(
        width: u32,
        height: u32,
        layout: Layout,
        depth: Depth,
        samples: &[f32],
        metadata: Metadata,
    ) -> Result<Self, Error> {
        // A cast rounds towards zero and clamps, NaN gives 0.
        let samples = match depth {
            Depth::U8 => Samples::U8(samples.iter().map(|v| (v * 255.0 + 0.5) as u8).collect()),
            Depth::U16 => Samples::U16(
                samples
                    .iter()
                    .map(|v| (v * 65_535.0 + 0.5) as u16)
                    .collect(),
            ),
            Depth::F32 => Samples::F32(samples.to_vec()),
        };
        Self::new(width, height, layout, samples, metadata)
    }

    /// The picture with other `samples`, rounded to its depth; integer depths clamp to 0.0..=1.0.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are more or fewer samples than it has.
    pub fn with_samples(&self, samples: &[f32]) -> Result<Self, Error> {
        let (layout, depth, metadata) = (self.layout, self.depth(), self.metadata.clone());
        Self::from_f32(self.width, self.height, layout, depth, samples, metadata)
    }

    /// The picture with other metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The picture with other floating-point samples, as many as it has.
    pub(crate) fn with_float_samples(mut self, samples: Vec<f32>) -> Self {
        debug_assert_eq!(samples.len(), self.samples.len());
        self.samples = Samples::F32(samples);
        self
    }

    /// The picture before a background of `colour`, red, green and blue 0.0..=1.0, without alpha. A grey picture becomes one
    /// in colour where the background is.
    #[must_use]
    pub fn over(self, colour: [f32; 3]) -> Self {
        if !self.layout.has_alpha() {
            return self;
        }
        let grey = colour.iter().all(|value| *value == colour[0]);
        let picture = if grey { self } else { self.into_colour() };
        let channels = picture.layout.channels();
        let mut samples = picture.to_f32();
        for pixel in samples.chunks_exact_mut(channels) {
            if let Some((alpha, colours)) = pixel.split_last_mut() {
                for (value, behind) in colours.iter_mut().zip(colour) {
                    *value = *value * *alpha + behind * (1.0 - *alpha);
                }
                *alpha = 1.0;
            }
        }
        let depth = picture.depth();
        let floats = picture.with_float_samples(samples);
        floats.dropped_alpha().with_depth(depth)
    }

    /// The picture without its alpha if that is 1 everywhere, or if it has none.
    pub(crate) fn without_alpha(self) -> Option<Self> {
        fn full<T: PartialEq>(samples: &[T], channels: usize, most: &T) -> bool {
            let mut alphas = samples.iter().skip(channels - 1).step_by(channels);
            alphas.all(|alpha| alpha == most)
        }
        let channels = self.layout.channels();
        let opaque = match &self.samples {
            _ if !self.layout.has_alpha() => return Some(self),
            Samples::U8(samples) => full(samples, channels, &255),
            Samples::U16(samples) => full(samples, channels, &65_535),
            Samples::F32(samples) => full(samples, channels, &1.0),
        };
        opaque.then(|| self.dropped_alpha())
    }

    fn dropped_alpha(self) -> Self {
        fn colours<T: Copy>(samples: Vec<T>, channels: usize) -> Vec<T> {
            let pixels = samples.chunks_exact(channels);
            pixels
                .flat_map(|pixel| &pixel[..channels - 1])
                .copied()
                .collect()
        }
        let channels = self.layout.channels();
        let layout = match self.layout {
            Layout::GreyAlpha => Layout::Grey,
            Layout::Rgba => Layout::Rgb,
            Layout::Grey | Layout::Rgb => return self,
        };
        let samples = match self.samples {
            Samples::U8(samples) => Samples::U8(colours(samples, channels)),
            Samples::U16(samples) => Samples::U16(colours(samples, channels)),
            Samples::F32(samples) => Samples::F32(colours(samples, channels)),
        };
        Self {
            layout,
            samples,
            ..self
        }
    }

    /// The picture with its colours, which are premultiplied by alpha, divided by it.
    pub(crate) fn divided_by_alpha(mut self) -> Self {
        self.samples.divide_by_alpha(self.layout.channels());
        self
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Width times height.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Which channels there are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Type of the samples.
    pub fn depth(&self) -> Depth {
        self.samples.depth()
    }

    /// The samples, shape `[height, width, channels]`.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The samples alone, shape `[height, width, channels]`.
    pub fn into_samples(self) -> Samples {
        self.samples
    }

    /// Profile, Exif, XMP and code points.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The samples as floats; integers become 0.0..=1.0.
    pub fn to_f32(&self) -> Vec<f32> {
        if let Samples::F32(samples) = &self.samples {
            return samples.clone();
        }
        let mut samples = vec![0.0; self.samples.len()];
        self.samples.copy_to_f32(0, &mut samples);
        samples
    }

    /// The same picture with samples of `depth`, rounded.
    pub fn with_depth(self, depth: Depth) -> Self {
        if self.depth() == depth {
            return self;
        }
        let samples = self.to_f32();
        let round = |most: f32| samples.iter().map(move |v| v * most + 0.5);
        let samples = match depth {
            Depth::U8 => Samples::U8(round(255.0).map(|v| v as u8).collect()),
            Depth::U16 => Samples::U16(round(65_535.0).map(|v| v as u16).collect()),
            Depth::F32 => Samples::F32(samples),
        };
        Self { samples, ..self }
    }

    /// The same picture with red, green and blue where it had grey.
    pub fn into_colour(self) -> Self {
        fn spread<T: Copy>(samples: &[T], channels: usize) -> Vec<T> {
            let pixels = samples.chunks_exact(channels);
            pixels
                .flat_map(|pixel| [pixel[0]; 3].into_iter().chain(pixel[1..].iter().copied()))
                .collect()
        }
        let layout = match self.layout {
            Layout::Grey => Layout::Rgb,
            Layout::GreyAlpha => Layout::Rgba,
            Layout::Rgb | Layout::Rgba => return self,
        };
        let channels = self.layout.channels();
        let samples = match &self.samples {
            Samples::U8(samples) => Samples::U8(spread(samples, channels)),
            Samples::U16(samples) => Samples::U16(spread(samples, channels)),
            Samples::F32(samples) => Samples::F32(spread(samples, channels)),
        };
        Self {
            layout,
            samples,
            ..self
        }
    }
}
