//! The source as an encoder looks at it: channels 0.0..=1.0 of any window, made from the picture when they are needed.
//!
//! As floats a picture takes four times the memory, more than all else that an encode keeps.

use inr_formats::Depth;
use inr_image::{Picture, Samples};

use crate::field::pyramid::wavelet::Window;

/// A picture whose invisible colours have taken on those of the pixels around.
pub(crate) struct Source<'a> {
    picture: &'a Picture,
    range: [f32; 2],
    /// For each colour, if there are invisible ones: what they become, one value for each two by two pixels.
    hidden: Vec<Vec<f32>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(picture: &'a Picture) -> Self {
        let mut source = Self {
            picture,
            range: range(picture),
            hidden: Vec::new(),
        };
        source.hidden = source.hidden();
        source
    }

    /// The range of samples that 0.0..=1.0 stands for.
    pub(crate) fn value_range(&self) -> [f32; 2] {
        self.range
    }

    pub(crate) fn width(&self) -> u32 {
        self.picture.width()
    }

    pub(crate) fn height(&self) -> u32 {
        self.picture.height()
    }

    pub(crate) fn channels(&self) -> usize {
        self.picture.layout().channels()
    }

    /// The channels on `window`, each row by row.
    pub(crate) fn window(&self, window: Window) -> Vec<Vec<f32>> {
        let length = window.width * window.height;
        let mut channels = vec![Vec::with_capacity(length); self.channels()];
        for y in window.rows() {
            self.append(y, &window, &mut channels);
        }
        channels
    }

    /// Replaces the contents of `channels` by row `y`.
    pub(crate) fn row(&self, y: usize, channels: &mut Vec<Vec<f32>>) {
        channels.resize_with(self.channels(), Vec::new);
        channels.iter_mut().for_each(Vec::clear);
        let window = Window::new(0..self.width() as usize, y..y + 1);
        self.append(y, &window, channels);
    }

    /// Appends row `y` of `window` to the channels.
    fn append(&self, y: usize, window: &Window, channels: &mut [Vec<f32>]) {
        fn spread<T: Copy>(row: &[T], channels: &mut [Vec<f32>], value: impl Fn(T) -> f32) {
            let count = channels.len();
            for (at, channel) in channels.iter_mut().enumerate() {
                let samples = row[at..].iter().step_by(count);
                channel.extend(samples.map(|&sample| value(sample)));
            }
        }
        let (count, width) = (self.channels(), self.width() as usize);
        let start = (y * width + window.x) * count;
        let range = start..start + window.width * count;
        match self.picture.samples() {
            Samples::U8(samples) => {
                spread(&samples[range], channels, |v| f32::from(v) / 255.0);
            }
            Samples::U16(samples) => {
                spread(&samples[range], channels, |v| f32::from(v) / 65_535.0);
            }
            Samples::F32(samples) => {
                spread(&samples[range], channels, |v| v);
                let [low, high] = self.range;
                let colours = self.picture.layout().colour_channels();
                for channel in &mut channels[..colours] {
                    let from = channel.len() - window.width;
                    for value in &mut channel[from..] {
                        *value = (*value - low) / (high - low);
                    }
                }
            }
        }
        self.reveal(y, window, channels);
    }

    /// Fills in the invisible colours of the row that was appended last.
    fn reveal(&self, y: usize, window: &Window, channels: &mut [Vec<f32>]) {
        let Some((alpha, colours)) = channels.split_last_mut() else {
            return;
        };
        let half = (self.width() as usize).div_ceil(2);
        for (colour, hidden) in colours.iter_mut().zip(&self.hidden) {
            let from = colour.len() - window.width;
            let pixels = colour[from..].iter_mut().zip(&alpha[from..]);
            for (x, (value, alpha)) in window.columns().zip(pixels) {
                if *alpha <= 0.0 {
                    *value = hidden[y / 2 * half + x / 2];
                }
            }
        }
    }

    /// What the field of that name holds.
    fn hidden(&self) -> Vec<Vec<f32>> {
        let layout = self.picture.layout();
        if !layout.has_alpha() {
            return Vec::new();
        }
        let (width, height) = (self.width() as usize, self.height() as usize);
        let mut row = Vec::new();
        let mut opaque = true;
        let mut halves = Halves::new(layout.colour_channels(), width, height);
        for y in 0..height {
            self.row(y, &mut row);
            if let Some((alpha, colours)) = row.split_last() {
                opaque &= alpha.iter().all(|&alpha| alpha > 0.0);
                halves.add(y, colours, alpha);
            }
        }
        if opaque {
            return Vec::new();
        }
        halves.filled(width * height > 1)
    }
}

/// The range of samples that is encoded: that of integers, and what floats need besides.
fn range(picture: &Picture) -> [f32; 2] {
    let mut range = [0.0_f32, 1.0];
    if let Samples::F32(samples) = picture.samples() {
        debug_assert_eq!(picture.depth(), Depth::F32);
        let layout = picture.layout();
        for channel in 0..layout.colour_channels() {
            for &value in samples[channel..].iter().step_by(layout.channels()) {
                range = [range[0].min(value), range[1].max(value)];
            }
        }
    }
    range
}

/// Grids of half the width and height with the averages of the visible values.
struct Halves {
    /// Columns of the grids.
    width: usize,
    /// Sums of values, a grid for each colour.
    sums: Vec<Vec<f32>>,
    /// How many values there are in each sum.
    weights: Vec<f32>,
}

impl Halves {
    fn new(colours: usize, width: usize, height: usize) -> Self {
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        Self {
            width,
            sums: vec![vec![0.0; width * height]; colours],
            weights: vec![0.0; width * height],
        }
    }

    /// Adds row `y` of each colour where `alpha` is above 0.
    fn add<T: AsRef<[f32]>>(&mut self, y: usize, colours: &[T], alpha: &[f32]) {
        let start = y / 2 * self.width;
        for (sums, colour) in self.sums.iter_mut().zip(colours) {
            for (x, (value, alpha)) in colour.as_ref().iter().zip(alpha).enumerate() {
                if *alpha > 0.0 {
                    sums[start + x / 2] += value;
                }
            }
        }
        for (x, alpha) in alpha.iter().enumerate() {
            if *alpha > 0.0 {
                self.weights[start + x / 2] += 1.0;
            }
        }
    }

    /// The averages; with `further`, those without a visible value become averages of the ones around.
    fn filled(mut self, further: bool) -> Vec<Vec<f32>> {
        for sums in &mut self.sums {
            for (sum, weight) in sums.iter_mut().zip(&self.weights) {
                *sum = if *weight > 0.0 { *sum / *weight } else { 0.5 };
            }
            if further {
                fill(sums, &self.weights, self.width);
            }
        }
        self.sums
    }
}

/// Replaces the values where `alpha` is 0 by averages of those around, from coarse to fine.
fn fill(values: &mut [f32], alpha: &[f32], width: usize) {
    if alpha.iter().all(|&a| a > 0.0) {
        return;
    }
    let height = values.len() / width;
    let mut halves = Halves::new(1, width, height);
    for (y, (values, alpha)) in values.chunks(width).zip(alpha.chunks(width)).enumerate() {
        halves.add(y, &[values], alpha);
    }
    let half = halves.width;
    let averages = halves.filled(values.len() > 1).swap_remove(0);
    for (index, (value, alpha)) in values.iter_mut().zip(alpha).enumerate() {
        if *alpha <= 0.0 {
            *value = averages[index / width / 2 * half + index % width / 2];
        }
    }
}
