//! Synthesised grain: noise in place of the coefficients that quantisation made 0, a function of their place alone, so that
//! every render of any region at any scale shows the same. Quiet and busy parts have strengths of their own.

use inr_formats::Latents;

use super::wavelet::Grid;

/// Levels that may have grain, from 1 on.
pub(crate) const LEVELS: u8 = 2;
/// One in the strengths, in steps.
const ONE: f32 = 64.0;
/// Activity from which a place is busy: a coded step here or there.
const BUSY: f32 = 0.25;

/// What adds grain to a level of a picture; see `formats/SPEC.md`, section 13.
pub(super) struct Grain<'a> {
    latents: &'a Latents,
    level: u8,
    activity: Grid,
}

/// Place of the strength of `plane` at `level` in quiet or busy parts.
pub(super) fn strength_at(plane: usize, level: u8, busy: bool) -> usize {
    (plane * usize::from(LEVELS) + usize::from(level - 1)) * 2 + usize::from(busy)
}

impl<'a> Grain<'a> {
    /// Whether a level has any.
    pub(super) fn any(latents: &Latents, level: u8) -> bool {
        level <= LEVELS && latents.grain.iter().any(|&strength| strength > 0)
    }

    pub(super) fn new(latents: &'a Latents, level: u8, activity: Grid) -> Self {
        Self {
            latents,
            level,
            activity,
        }
    }

    /// Adds to `band`, orientation `orientation` of `plane`, where `decoded` is 0. The windows of the others cover its own.
    pub(super) fn add(
        &self,
        (plane, orientation): (usize, usize),
        decoded: &Grid,
        factors: Option<&Grid>,
        band: &mut Grid,
    ) {
        let step = self.latents.step(plane, self.level);
        let amplitudes = [false, true].map(|busy| {
            let strength = self.latents.grain[strength_at(plane, self.level, busy)];
            f32::from(strength) / ONE * step
        });
        let band_number = u32::from(self.level) << 4 | (plane << 2 | orientation) as u32;
        let window = band.window;
        let lines = band.values.chunks_exact_mut(window.width.max(1));
        for (line, y) in lines.zip(window.rows()) {
            let decoded = decoded.row(y, window.columns());
            let activity = self.activity.row(y, window.columns());
            let factors = factors.map(|factors| factors.row(y, window.columns()));
            for (column, value) in line.iter_mut().enumerate() {
                let amplitude = amplitudes[usize::from(activity[column] >= BUSY)];
                if decoded[column] == 0.0 && amplitude > 0.0 {
                    let factor = factors.map_or(1.0, |factors| factors[column]);
                    let noise = noise((window.x + column) as u32, y as u32, band_number);
                    *value += amplitude * factor * noise;
                }
            }
        }
    }
}

/// Deviation of the grain for the mean magnitude of what was lost: somewhat less than noise of that mean has, because the head
/// restores a part.
#[cfg(feature = "fit")]
const SHARE: f64 = 0.9;

/// Adds the magnitudes, in steps, of what `exact` has where `decoded` is 0, and their count, in quiet and in busy parts.
#[cfg(feature = "fit")]
pub(super) fn add_lost(
    sums: &mut [[f64; 2]],
    exact: &Grid,
    decoded: &Grid,
    (activity, factors): (&Grid, Option<&Grid>),
    step: f32,
) {
    let window = exact.window;
    for y in window.rows() {
        let pairs = exact.row(y, window.columns()).iter();
        let pairs = pairs.zip(decoded.row(y, window.columns()));
        let activity = activity.row(y, window.columns());
        let factors = factors.map(|factors| factors.row(y, window.columns()));
        for (column, (exact, decoded)) in pairs.enumerate() {
            if *decoded == 0.0 {
                let factor = factors.map_or(1.0, |factors| factors[column]);
                let [magnitudes, count] = &mut sums[usize::from(activity[column] >= BUSY)];
                *magnitudes += f64::from(exact / (step * factor)).abs();
                *count += 1.0;
            }
        }
    }
}

/// The strength of grain for texture of this mean magnitude in steps.
#[cfg(feature = "fit")]
pub(super) fn strength(mean: f64) -> u8 {
    (f64::from(ONE) * SHARE * mean).round().min(255.0) as u8
}

/// Noise of about unit variance at a column and a row of a band: the sum of four bytes of a hash.
fn noise(x: u32, y: u32, band: u32) -> f32 {
    let mut hash =
        x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ band.wrapping_mul(0xc2b2_ae3d);
    hash = (hash ^ hash >> 15).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ hash >> 12).wrapping_mul(0x297a_2d39);
    hash ^= hash >> 15;
    let sum: u32 = hash.to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 510.0) / 148.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_no_mean_unit_variance_and_no_pattern() {
        let at = |x: u32, y: u32| f64::from(noise(x, y, 0x15));
        let (mut sum, mut squares, mut products) = (0.0, 0.0, [0.0; 3]);
        for y in 0..200 {
            for x in 0..200 {
                let value = at(x, y);
                sum += value;
                squares += value * value;
                let others = [at(x + 1, y), at(x, y + 1), f64::from(noise(x, y, 0x16))];
                for (product, other) in products.iter_mut().zip(others) {
                    *product += value * other;
                }
            }
        }
        let count = 40_000.0;
        assert!((sum / count).abs() < 0.02);
        assert!((squares / count - 1.0).abs() < 0.03);
        assert!(products.iter().all(|p| (p / count).abs() < 0.02));
    }
}
