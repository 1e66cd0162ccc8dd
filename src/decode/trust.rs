//! Whether an enlargement of the field can be trusted.
//!
//! A field fitted to samples at pixel centres is free between them. Two measures over evenly spread source pixels tell
//! whether it behaved: averaged back over the pixel it must agree with the native render about as well as a Lanczos
//! enlargement of that render does, and it must not leave the range of the neighbouring samples by much. Where the first
//! failed the field was the worse enlargement in all measured cases; see docs/trust.md.

use std::f64::consts::PI;
use std::fmt;

use super::picture::InrPicture;
use crate::field::coords::CoordinateMap;
use crate::field::network::Viewport;
use inr_kernel::Network;
use inr_kernel::{Backend, Evaluator, TILE};

/// Pixels that are looked at.
const PROBES: usize = 2_048;
/// Sub-samples per pixel and axis.
const FINE: usize = 4;
/// Pixels on each axis that a Lanczos enlargement of one pixel depends on.
const REACH: usize = 7;

/// How much less than Lanczos the field may agree with the native render, dB.
const LANCZOS_LEAD: f64 = 1.5;
/// Agreement that is always enough, dB: an error of 1.4 steps of 8 bits, and no worse enlargement was measured above it.
const INVISIBLE: f64 = 45.0;
/// Overshoot that counts: more than this share of the value range beyond the 3 x 3 neighbourhood.
const OVERSHOOT: f32 = 0.1;
/// Largest share of sub-samples that may overshoot.
const MOST_OVERSHOOT: f64 = 0.02;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// Of the field's pixel averages with the native render, dB.
    pub(crate) agreement: f64,
    /// The same of a Lanczos enlargement.
    pub(crate) lanczos: f64,
    /// Share of sub-samples, 0.0..=1.0.
    pub(crate) overshoot: f64,
}

impl Verdict {
    fn least_agreement(&self) -> f64 {
        (self.lanczos - LANCZOS_LEAD).min(INVISIBLE)
    }

    pub(crate) fn trusted(&self) -> bool {
        self.agreement >= self.least_agreement() && self.overshoot <= MOST_OVERSHOOT
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let verdict = if self.trusted() {
            "trustworthy"
        } else {
            "not trustworthy between pixels"
        };
        write!(
            formatter,
            "the field is {verdict}: averaged back it agrees to {:.1} dB (at least {:.1}), {:.1} % of samples overshoot \
             (at most {:.0} %)",
            self.agreement,
            self.least_agreement(),
            self.overshoot * 100.0,
            MOST_OVERSHOOT * 100.0
        )
    }
}

/// The field at points relative to a pixel's centre.
struct Probe {
    evaluator: Evaluator,
    map: CoordinateMap,
    /// Width and height of the picture.
    size: [f64; 2],
}

impl Probe {
    /// Values in -1.0..=1.0 at the pixels' `centre` plus each offset: shape `[channels, offsets]`.
    fn at(&mut self, centre: [f64; 2], offsets: &[[f64; 2]]) -> Vec<f32> {
        // The field means nothing outside the picture.
        let inside =
            |axis: usize, offset: f64| (centre[axis] + offset).clamp(0.5, self.size[axis] - 0.5);
        let x: Vec<f32> = offsets
            .iter()
            .map(|[dx, _]| self.map.x(inside(0, *dx)))
            .collect();
        let y: Vec<f32> = offsets
            .iter()
            .map(|[_, dy]| self.map.y(inside(1, *dy)))
            .collect();
        let rows = self.evaluator.evaluate(&x, &y).chunks_exact(TILE);
        rows.flat_map(|row| row[..offsets.len()].iter().map(|v| v.clamp(-1.0, 1.0)))
            .collect()
    }
}

/// `side` x `side` offsets around 0, `step` apart.
fn square(side: usize, step: f64) -> Vec<[f64; 2]> {
    let place = |k: usize| (k as f64 - (side - 1) as f64 / 2.0) * step;
    (0..side * side)
        .map(|k| [place(k % side), place(k / side)])
        .collect()
}

/// What each of the [`REACH`] pixels around one weighs in the average of a Lanczos enlargement over that pixel.
fn lanczos_average() -> [f32; REACH] {
    let sinc = |x: f64| {
        if x == 0.0 {
            1.0
        } else {
            (PI * x).sin() / (PI * x)
        }
    };
    let lanczos = |x: f64| {
        if x.abs() < 3.0 {
            sinc(x) * sinc(x / 3.0)
        } else {
            0.0
        }
    };
    let mut sums = [0.0_f32; REACH];
    for k in 0..FINE {
        let at = (k as f64 + 0.5) / FINE as f64 - 0.5;
        let taps: [f64; REACH] = std::array::from_fn(|tap| lanczos(at - (tap as f64 - 3.0)));
        let whole: f64 = taps.iter().sum();
        for (sum, tap) in sums.iter_mut().zip(taps) {
            *sum += (tap / whole / FINE as f64) as f32;
        }
    }
    sums
}

/// Sums over probes.
#[derive(Default)]
struct Tally {
    field: f64,
    lanczos: f64,
    probes: u64,
    over: u64,
    values: u64,
}

impl Tally {
    /// One channel of one probe: the native render around it and the field within it.
    fn add(&mut self, around: &[f32], within: &[f32], taps: &[f32; REACH]) {
        let native = around[around.len() / 2];
        let average = within.iter().sum::<f32>() / within.len() as f32;
        let rows = around.chunks_exact(REACH).zip(taps);
        let resampled: f32 = rows
            .map(|(row, tap)| tap * row.iter().zip(taps).map(|(v, tap)| v * tap).sum::<f32>())
            .sum();
        self.field += f64::from((average - native) * 0.5).powi(2);
        self.lanczos += f64::from((resampled - native) * 0.5).powi(2);
        self.probes += 1;
        let near = around
            .chunks_exact(REACH)
            .skip(2)
            .take(3)
            .flat_map(|row| &row[2..5]);
        let low = near.clone().copied().fold(f32::INFINITY, f32::min) - 2.0 * OVERSHOOT;
        let high = near.copied().fold(f32::NEG_INFINITY, f32::max) + 2.0 * OVERSHOOT;
        let over = |value: &&f32| **value < low || **value > high;
        self.over += within.iter().filter(over).count() as u64;
        self.values += within.len() as u64;
    }

    fn verdict(&self) -> Verdict {
        let decibels = |sum: f64| -10.0 * (sum / self.probes.max(1) as f64).max(1e-12).log10();
        Verdict {
            agreement: decibels(self.field),
            lanczos: decibels(self.lanczos),
            overshoot: self.over as f64 / self.values.max(1) as f64,
        }
    }
}

/// Judges the field within `viewport`'s region.
pub(crate) fn judge(picture: &InrPicture, network: &Network, viewport: &Viewport) -> Verdict {
    let [left, top, width, height] = viewport.region;
    let columns = width.ceil().max(1.0) as usize;
    let rows = height.ceil().max(1.0) as usize;
    let stride = (columns * rows).div_ceil(PROBES).max(1) | 1;
    let mut probe = Probe {
        evaluator: Evaluator::new(network, Backend::detect()),
        map: picture.map(),
        size: [f64::from(picture.width()), f64::from(picture.height())],
    };
    let taps = lanczos_average();
    let (pixels, fine) = (square(REACH, 1.0), square(FINE, 1.0 / FINE as f64));
    let mut tally = Tally::default();
    for index in (0..columns * rows).step_by(stride) {
        let centre = [
            (left + (index % columns) as f64).floor() + 0.5,
            (top + (index / columns) as f64).floor() + 0.5,
        ];
        let (around, within) = (probe.at(centre, &pixels), probe.at(centre, &fine));
        let channels = around
            .chunks_exact(pixels.len())
            .zip(within.chunks_exact(fine.len()));
        channels.for_each(|(around, within)| tally.add(around, within, &taps));
    }
    tally.verdict()
}
