//! How coarse to quantise, and what that loses, as it is and as it is seen.

use inr_formats::Latents;
use inr_formats::latents::{Band, Exact, Partition, Tile};

use crate::field::pyramid::colours;
use crate::field::pyramid::wavelet::Grid;

/// Unit of the integer coefficients that the coder is given.
pub(super) const UNIT: f32 = 256.0;

/// How coarse to quantise, and how hard to look.
#[derive(Clone, Debug)]
pub(crate) struct Quantisation {
    /// Step in units of the value range.
    pub(crate) step: f32,
    /// See [`Latents::relative_steps`].
    pub(crate) relative_steps: Vec<i8>,
    /// Price of a bit in squared steps.
    pub(crate) lambda: f32,
    /// See [`Latents::masking`].
    pub(crate) masking: u8,
    /// The relative steps at which errors of each plane and level are seen alike.
    pub(crate) seen: Vec<i8>,
}

/// Squared errors, in squared units of the value range: as they are, and in units of the steps at which they are seen.
#[derive(Clone, Copy, Default)]
pub(super) struct Lost {
    pub(super) plain: f64,
    pub(super) seen: f64,
}

impl std::iter::Sum for Lost {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let mut sum = Self::default();
        all.for_each(|one| sum += one);
        sum
    }
}

impl Quantisation {
    /// Brings what each plane loses at `level` from units of the steps to units of those at which it is seen.
    pub(super) fn weigh(&self, errors: &mut [Lost], level: u8, partition: &Partition) {
        let count = usize::from(partition.levels) + 1;
        for (plane, error) in errors.iter_mut().enumerate() {
            let at = plane * count + usize::from(level);
            let of = |steps: &[i8]| f64::from(steps.get(at).copied().unwrap_or(0));
            let octaves = (of(&self.relative_steps) - of(&self.seen)) / 16.0;
            error.seen *= (2.0 * octaves).exp2() * f64::from(self.step).powi(2);
        }
    }
}

impl std::ops::AddAssign for Lost {
    fn add_assign(&mut self, other: Self) {
        self.plain += other.plain;
        self.seen += other.seen;
    }
}

/// What each plane of a tile loses; as it is seen in squared steps.
pub(super) fn lost(
    latents: &Latents,
    level: u8,
    tile: &Tile,
    exact: &[[Exact; 3]],
    factors: Option<&Grid>,
) -> Vec<Lost> {
    let colours = colours(tile.planes.len());
    let square = |x: &i32, q: &i32| (f64::from(*x) - f64::from(*q) * f64::from(UNIT)).powi(2);
    let planes = tile.planes.iter().zip(exact).enumerate();
    let plane = |(plane, (bands, exact)): (usize, (&[Band; 3], &[Exact; 3]))| {
        let factors = factors.filter(|_| plane < colours);
        let mut sum = Lost::default();
        for (band, exact) in bands.iter().zip(exact) {
            let width = band.width.max(1);
            let rows = band.values.chunks(width).zip(exact.chunks(width));
            for (row, (values, exact)) in rows.enumerate() {
                let pairs = exact.iter().zip(values);
                match factors {
                    None => {
                        let seen = pairs.map(|(x, q)| square(x, q)).sum::<f64>();
                        let plain = seen;
                        sum += Lost { plain, seen };
                    }
                    Some(factors) => {
                        let factors = &factors.values[row * factors.window.width..];
                        for ((x, q), by) in pairs.zip(factors) {
                            let seen = square(x, q);
                            let plain = seen * f64::from(by * by);
                            sum += Lost { plain, seen };
                        }
                    }
                }
            }
        }
        let unit = f64::from(UNIT).powi(2);
        Lost {
            plain: sum.plain * f64::from(latents.step(plane, level)).powi(2) / unit,
            seen: sum.seen / unit,
        }
    };
    planes.map(plane).collect()
}
