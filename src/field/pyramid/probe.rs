//! What the head is worth to a picture: the weights of its corrections that bring them nearest to the source.

use inr_formats::Latents;

use crate::encode::Source;
use crate::error::Error;
use crate::field::pyramid::wavelet::{Grid, Window};
use crate::field::pyramid::{Pyramid, colours};
use inr_kernel::Job;

/// Pixels up to which the whole picture is looked at.
const WHOLE: usize = 1 << 20;
/// Side of the parts that are looked at otherwise, and how many along each axis.
const SIDE: usize = 384;
const PARTS: usize = 3;
/// Room for the decoded tiles, in bytes; those of a part are about 10 MiB.
const ROOM: usize = 32 << 20;
/// The least part of the squared error that is worth the head's time.
const WORTH: f64 = 0.002;

/// Parts of the source.
pub(crate) struct Probe(Vec<(Window, Vec<Vec<f32>>)>);

impl Probe {
    pub(crate) fn new(source: &Source) -> Self {
        let (width, height) = (source.width() as usize, source.height() as usize);
        let spread = |length: usize, index: usize| {
            let side = SIDE.min(length);
            let start = (length - side) * index / (PARTS - 1);
            start..start + side
        };
        let windows = if width * height <= WHOLE {
            vec![Window::new(0..width, 0..height)]
        } else {
            let part =
                |index| Window::new(spread(width, index % PARTS), spread(height, index / PARTS));
            (0..PARTS * PARTS).map(part).collect()
        };
        let cut = |window: Window| (window, source.window(window));
        Self(windows.into_iter().map(cut).collect())
    }

    /// Weights of the head's corrections in 1/255, one per plane; empty where the head is not worth its time.
    ///
    /// # Errors
    /// [`Error::Format`] for damaged latents.
    pub(crate) fn gains(&self, latents: &Latents) -> Result<Vec<u8>, Error> {
        let planes = usize::from(latents.partition.planes);
        let corrected = colours(planes);
        let with = |gains| {
            let gains = vec![gains; planes];
            Pyramid::new(Latents {
                gains,
                ..latents.clone()
            })
        };
        let plain = Pyramid::new(Latents {
            gains: Vec::new(),
            ..latents.clone()
        })
        .with_room(ROOM);
        let whole = with(255);
        // Sums of: error squared, error times correction, correction squared.
        let mut sums = vec![[0.0_f64; 3]; corrected];
        for (window, channels) in &self.0 {
            Job::unwatched(|job| plain.prepare(0, *window, 1, job))?;
            let before = plain.grids(0, *window)?;
            let after = whole.sharing(&plain).grids(0, *window)?;
            for (plane, sums) in sums.iter_mut().enumerate() {
                let source = plain.source(plane, channels);
                add(sums, source, &before[plane], &after[plane]);
            }
        }
        let weight = |[_, product, square]: &[f64; 3]| {
            (255.0 * product / square.max(1e-30))
                .round()
                .clamp(0.0, 255.0) as u8
        };
        let mut gains: Vec<u8> = sums.iter().map(weight).collect();
        let (mut error, mut saved) = (0.0, 0.0);
        for ([squared, product, square], gain) in sums.iter().zip(&gains) {
            let gain = f64::from(*gain) / 255.0;
            error += squared;
            saved += gain * (2.0 * product - gain * square);
        }
        if saved <= WORTH * error {
            return Ok(Vec::new());
        }
        gains.resize(planes, 0);
        Ok(gains)
    }
}

fn add(sums: &mut [f64; 3], source: impl Iterator<Item = f32>, before: &Grid, after: &Grid) {
    for ((source, before), after) in source.zip(&before.values).zip(&after.values) {
        let (error, correction) = (f64::from(source - before), f64::from(after - before));
        sums[0] += error * error;
        sums[1] += error * correction;
        sums[2] += correction * correction;
    }
}

impl Pyramid {
    /// This field with the tiles that `other`, of the same latents but for the gains, has decoded.
    fn sharing(&self, other: &Self) -> Self {
        Self {
            tiles: other.tiles.clone(),
            low: other.low.clone(),
            ..self.clone()
        }
    }

    /// What `plane` is of a source's `channels`, 0.0..=1.0.
    fn source<'a>(&self, plane: usize, channels: &'a [Vec<f32>]) -> impl Iterator<Item = f32> + 'a {
        // The planes are an orthonormal turn of the first three channels.
        let weights = match &self.colour {
            Some(matrix) if plane < 3 => {
                let inverse =
                    crate::encode::colours::inverted(matrix.map(|row| row.map(f64::from)));
                inverse[plane].map(|v| v as f32).to_vec()
            }
            _ => (0..channels.len())
                .map(|channel| if channel == plane { 1.0 } else { 0.0 })
                .collect(),
        };
        (0..channels[0].len()).map(move |index| {
            let pairs = channels.iter().zip(&weights);
            pairs
                .map(|(channel, weight)| (channel[index] - 0.5) * weight)
                .sum()
        })
    }
}
