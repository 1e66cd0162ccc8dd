//! Synthesised grain: noise in place of the coefficients that quantisation made 0, a function of their place alone, so that
//! every render of any region at any scale shows the same.

use inr_formats::Latents;

use super::wavelet::Grid;

/// Levels that may have grain, from 1 on.
pub(crate) const LEVELS: u8 = 2;
/// One in the strengths, in steps.
const ONE: f32 = 64.0;

/// What adds grain to a level of a picture; see `formats/SPEC.md`, section 13.
pub(super) struct Grain<'a> {
    latents: &'a Latents,
    level: u8,
}

impl<'a> Grain<'a> {
    /// `None` where the level has none.
    pub(super) fn of(latents: &'a Latents, level: u8) -> Option<Self> {
        let any = latents.grain.iter().any(|&strength| strength > 0);
        (any && level <= LEVELS).then_some(Self { latents, level })
    }

    /// Adds to `band`, orientation `orientation` of `plane`, where `decoded` is 0; its window covers that of `band`.
    pub(super) fn add(
        &self,
        (plane, orientation): (usize, usize),
        decoded: &Grid,
        factors: Option<&Grid>,
        band: &mut Grid,
    ) {
        let index = plane * usize::from(LEVELS) + usize::from(self.level - 1);
        let strength = f32::from(self.latents.grain[index]) / ONE;
        if strength == 0.0 {
            return;
        }
        let amplitude = strength * self.latents.step(plane, self.level);
        let place = u32::from(self.level) << 4 | (plane << 2 | orientation) as u32;
        let window = band.window;
        for (row, y) in band
            .values
            .chunks_exact_mut(window.width.max(1))
            .zip(window.rows())
        {
            let decoded = decoded.row(y, window.columns());
            let factors = factors.map(|factors| factors.row(y, window.columns()));
            for (index, (value, decoded)) in row.iter_mut().zip(decoded).enumerate() {
                if *decoded == 0.0 {
                    let factor = factors.map_or(1.0, |factors| factors[index]);
                    *value +=
                        amplitude * factor * noise((window.x + index) as u32, y as u32, place);
                }
            }
        }
    }
}

/// Deviation of the grain for the mean magnitude of what was lost: somewhat less than noise of that mean has, because the head
/// restores a part.
#[cfg(feature = "fit")]
const SHARE: f64 = 0.9;

/// Adds the magnitudes, in steps, of what `exact` has where `decoded` is 0, and their count.
#[cfg(feature = "fit")]
pub(super) fn add_lost(
    [magnitudes, count]: &mut [f64; 2],
    exact: &Grid,
    decoded: &Grid,
    factors: Option<&Grid>,
    step: f32,
) {
    let window = exact.window;
    for y in window.rows() {
        let pairs = exact.row(y, window.columns()).iter();
        let pairs = pairs.zip(decoded.row(y, window.columns()));
        let factors = factors.map(|factors| factors.row(y, window.columns()));
        for (index, (exact, decoded)) in pairs.enumerate() {
            if *decoded == 0.0 {
                let factor = factors.map_or(1.0, |factors| factors[index]);
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

/// Noise of about unit variance at a column and a row: the sum of four bytes of a hash.
fn noise(x: u32, y: u32, place: u32) -> f32 {
    let mut hash =
        x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ place.wrapping_mul(0xc2b2_ae3d);
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
