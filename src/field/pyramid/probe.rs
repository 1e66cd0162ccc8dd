//! What the head is worth to a picture: the weights of its corrections that bring them nearest to the source.

use std::ops::Range;

use inr_formats::Latents;

use crate::encode::Source;
use crate::error::Error;
use crate::field::pyramid::fitted::Sums;
use crate::field::pyramid::wavelet::{Grid, Window, analyse, cut};
use crate::field::pyramid::{Pyramid, Uncorrected, colours, grain};
use inr_kernel::Job;

/// Pixels up to which the whole picture is looked at.
const WHOLE: usize = 1 << 20;
/// Side of the parts that are looked at otherwise, and how many along each axis.
const SIDE: usize = 384;
const PARTS: usize = 3;
/// Halved samples beside a part's ends that its analysis may get wrong.
const MARGIN: usize = 8;
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
            let start = (length - side) * index / (PARTS - 1) / 4 * 4;
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

    /// Differences of the head's output layers, see [`Latents::fitted`], for `price` squared steps a bit.
    ///
    /// # Errors
    /// [`Error::Format`] for damaged latents.
    pub(crate) fn fitted(&self, latents: &Latents, price: f64) -> Result<[Vec<i8>; 3], Error> {
        let mut latents = latents.clone();
        if latents.gains.is_empty() {
            return Ok(Default::default());
        }
        let (width, height) = latents.partition.size(0);
        let points: usize = self
            .0
            .iter()
            .map(|(window, _)| window.width * window.height)
            .sum();
        let share = points as f64 / (width * height) as f64;
        let tiles = Pyramid::new(latents.clone()).with_room(ROOM);
        // The finest level last: it is joined to the corrected grid of those above.
        for level in (1..=latents.partition.levels.min(2)).rev() {
            let field = Pyramid::new(latents.clone()).sharing(&tiles);
            let mut sums = Sums::new(level, latents.head_outputs());
            self.each(&field, level, |shown, exact| sums.add(&field, shown, exact))?;
            latents.fitted[usize::from(level) - 1] = sums.differences(&latents.gains, price, share);
        }
        Ok(latents.fitted)
    }

    /// Strengths of the grain, see [`Latents::grain`].
    ///
    /// # Errors
    /// [`Error::Format`] for damaged latents.
    pub(crate) fn grain(&self, latents: &Latents) -> Result<Vec<u8>, Error> {
        let planes = usize::from(latents.partition.planes);
        let field = Pyramid::new(latents.clone()).with_room(ROOM);
        let mut lost = vec![[0.0_f64; 2]; 2 * usize::from(grain::LEVELS) * planes];
        for level in 1..=latents.partition.levels.min(grain::LEVELS) {
            self.each(&field, level, |shown, exact| {
                let Ok(activity) = field.activity(level, exact[0][0].window) else {
                    return;
                };
                for (plane, (exact, decoded)) in exact.iter().zip(shown.planes).enumerate() {
                    let step = latents.step(plane, level);
                    let sums = &mut lost[grain::strength_at(plane, level, false)..][..2];
                    for (exact, decoded) in exact.iter().zip(decoded).skip(1) {
                        let around = (&activity, shown.factors);
                        grain::add_lost(sums, exact, decoded, around, step);
                    }
                }
            })?;
        }
        let strength = |[sum, count]: &[f64; 2]| grain::strength(sum / count.max(1.0));
        Ok(lost.iter().map(strength).collect())
    }

    /// Calls `each` with every part's `level` as decoded and as the source has it.
    fn each(
        &self,
        field: &Pyramid,
        level: u8,
        mut each: impl FnMut(&Uncorrected<'_>, &[[Grid; 4]]),
    ) -> Result<(), Error> {
        let partition = &field.latents.partition;
        for (window, channels) in &self.0 {
            Job::unwatched(|job| field.prepare(0, *window, 1, job))?;
            let exact = (0..colours(field.planes())).map(|plane| {
                let values = field.source(plane, channels).collect();
                let window = *window;
                halved(Grid { window, values }, level, partition.size(level))
            });
            let exact: Vec<[Grid; 4]> = exact.collect();
            let wanted = doubled_window(exact[0][0].window, partition.size(level - 1));
            field.grids_shown(level - 1, wanted, &mut |shown| {
                let there = shown.level == level;
                if there {
                    each(shown, &exact);
                }
                !there
            })?;
        }
        Ok(())
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

/// The grid and bands of `level` of a part of a picture, whose grid of that level has `size`, without what the part's ends
/// inside the picture would change.
fn halved(part: Grid, level: u8, size: (usize, usize)) -> [Grid; 4] {
    let mut parts = analyse(part);
    for _ in 1..level {
        let [low, ..] = parts;
        parts = analyse(low);
    }
    let inner = |range: Range<usize>, length: usize| {
        let start = if range.start > 0 {
            range.start + MARGIN
        } else {
            0
        };
        let end = if range.end < length {
            range.end - MARGIN
        } else {
            range.end
        };
        start..end.max(start)
    };
    let (columns, rows) = (
        inner(parts[0].window.columns(), size.0),
        inner(parts[0].window.rows(), size.1),
    );
    parts.map(|part| {
        let within = |range: &Range<usize>, end: usize| range.start.min(end)..range.end.min(end);
        let columns = within(&columns, part.window.columns().end);
        let rows = within(&rows, part.window.rows().end);
        cut(&part, Window::new(columns, rows))
    })
}

/// The samples of the grid of `size` that those of its half on `window` stand for.
fn doubled_window(window: Window, size: (usize, usize)) -> Window {
    let double = |range: Range<usize>, length: usize| 2 * range.start..(2 * range.end).min(length);
    Window::new(
        double(window.columns(), size.0),
        double(window.rows(), size.1),
    )
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
    /// This field with the tiles that `other`, of the same latents but for gains and differences, has decoded.
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
