//! Whether an enlargement of the field can be trusted.
//!
//! A field fitted to samples at pixel centres is free between them. Two measures over evenly spread source pixels tell
//! whether it behaved: averaged back over the pixel it must agree with the native render, and it must not leave the
//! range of the neighbouring samples by much.

use std::fmt;

use super::decode::InrPicture;
use crate::render::{Backend, Evaluator, TILE, Viewport};

/// Pixels that are looked at.
const PROBES: usize = 2_048;
/// Sub-samples per pixel and axis.
const FINE: usize = 4;

/// Least agreement, in dB over the probes, of the pixel averages with the native render. Bicubic enlargements of the
/// Kodak pictures agree with their source to 31 dB or more (docs/trust.md).
const LEAST_AGREEMENT: f64 = 28.0;
/// Overshoot that counts: more than this share of the value range beyond the 3 x 3 neighbourhood.
const OVERSHOOT: f32 = 0.1;
/// Largest share of sub-samples that may overshoot.
const MOST_OVERSHOOT: f64 = 0.02;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// dB.
    pub(crate) agreement: f64,
    /// Share of sub-samples, 0.0..=1.0.
    pub(crate) overshoot: f64,
}

impl Verdict {
    pub(crate) fn trusted(&self) -> bool {
        self.agreement >= LEAST_AGREEMENT && self.overshoot <= MOST_OVERSHOOT
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
            "the field is {verdict}: averaged back it agrees to {:.1} dB (at least {LEAST_AGREEMENT}), {:.1} % of samples \
             overshoot (at most {:.0} %)",
            self.agreement,
            self.overshoot * 100.0,
            MOST_OVERSHOOT * 100.0
        )
    }
}

/// Judges the field within `viewport`'s region.
pub(crate) fn judge(picture: &InrPicture, viewport: &Viewport) -> Verdict {
    let [left, top, width, height] = viewport.region;
    let columns = width.ceil().max(1.0) as usize;
    let rows = height.ceil().max(1.0) as usize;
    let stride = (columns * rows).div_ceil(PROBES).max(1) | 1;
    let map = picture.map();
    let mut evaluator = Evaluator::new(picture.network(), Backend::detect());
    let (mut squares, mut over, mut probes, mut values) = (0.0, 0_u64, 0_u64, 0_u64);
    for index in (0..columns * rows).step_by(stride) {
        let centre_x = (left + (index % columns) as f64).floor() + 0.5;
        let centre_y = (top + (index / columns) as f64).floor() + 0.5;
        let mut at = |points: &[(f64, f64)]| -> Vec<f32> {
            let (mut x, mut y) = ([0.0; TILE], [0.0; TILE]);
            for (point, (dx, dy)) in points.iter().enumerate() {
                // The field means nothing outside the picture.
                let u = (centre_x + dx).clamp(0.5, f64::from(picture.width()) - 0.5);
                let v = (centre_y + dy).clamp(0.5, f64::from(picture.height()) - 0.5);
                (x[point], y[point]) = (map.x(u), map.y(v));
            }
            let rows = evaluator
                .evaluate(&x[..points.len()], &y[..points.len()])
                .chunks_exact(TILE);
            rows.flat_map(|row| row[..points.len()].iter().map(|v| v.clamp(-1.0, 1.0)))
                .collect()
        };
        let around: Vec<(f64, f64)> = (0..9)
            .map(|k| (f64::from(k % 3) - 1.0, f64::from(k / 3) - 1.0))
            .collect();
        let place = |k: usize| (k as f64 + 0.5) / FINE as f64 - 0.5;
        let within: Vec<(f64, f64)> = (0..FINE * FINE)
            .map(|k| (place(k % FINE), place(k / FINE)))
            .collect();
        let (around, within) = (at(&around), at(&within));
        for (around, within) in around.chunks_exact(9).zip(within.chunks_exact(FINE * FINE)) {
            let average = within.iter().sum::<f32>() / within.len() as f32;
            squares += f64::from((average - around[4]) * 0.5).powi(2);
            let low = around.iter().copied().fold(f32::INFINITY, f32::min) - 2.0 * OVERSHOOT;
            let high = around.iter().copied().fold(f32::NEG_INFINITY, f32::max) + 2.0 * OVERSHOOT;
            over += within
                .iter()
                .filter(|&&value| value < low || value > high)
                .count() as u64;
            values += within.len() as u64;
            probes += 1;
        }
    }
    Verdict {
        agreement: -10.0 * (squares / probes.max(1) as f64).max(1e-12).log10(),
        overshoot: over as f64 / values.max(1) as f64,
    }
}
