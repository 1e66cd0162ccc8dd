//! Pictures from gradients: screened and masked Poisson equations on the grid of pixels.
//!
//! A picture `u` whose differences between neighbours are as near as can be to given ones, and whose values stay near
//! given ones or are fixed outside a mask, solves a linear system with the five-point Laplacian (P. Pérez, M. Gangnet,
//! A. Blake, "Poisson image editing", 2003; P. Bhat et al., "Fourier analysis of the 2D screened Poisson equation for
//! gradient domain problems", 2008). Nothing flows over the picture's border. The system is solved by conjugate
//! gradients with a multigrid cycle as the preconditioner, which takes masks of any shape.

mod grid;
mod level;
#[cfg(test)]
mod tests;

use crate::error::Error;
use std::time::Instant;

use crate::progress::{Control, Observer, Phase, Progress};
pub(crate) use grid::neighbours;
use grid::{dot, scaled_sum, sum_into};
use inr_kernel::each_row;
use level::Level;

/// Root mean square of the error at which a solution is done: a hundredth of a step of 16 bits.
const TOLERANCE: f64 = 1.5e-7;
/// Steps of the conjugate gradients at most. A cycle takes a factor of 3 to 5 off the error.
const MOST_STEPS: usize = 60;

/// A system for pictures of one size, for any number of right-hand sides.
#[derive(Debug)]
pub struct Poisson {
    levels: Vec<Level>,
    threads: usize,
}

impl Poisson {
    /// `(screen - Laplacian) u = b` over `width` x `height` pixels, `screen` above 0.
    ///
    /// # Errors
    /// [`Error::Misuse`] for other screens and for sides of 0.
    pub fn screened(
        width: usize,
        height: usize,
        screen: f32,
        threads: usize,
    ) -> Result<Self, Error> {
        if !(screen.is_finite() && screen > 0.0) || width == 0 || height == 0 {
            return Err(Error::Misuse {
                what: format!("a screen of {screen} over {width} x {height} pixels"),
                want: "give a finite screen above 0, and sides of at least 1",
            });
        }
        Ok(Self::of(Level::uniform(width, height, screen), threads))
    }

    /// `-Laplacian u = b` where `inside` (shape `[height, width]`) is true; `u` is fixed elsewhere, and `b` has the values
    /// of fixed neighbours added, which [`Poisson::border`] does.
    ///
    /// # Errors
    /// [`Error::Misuse`] when nothing is fixed, or for a mask of another size.
    pub fn masked(
        width: usize,
        height: usize,
        inside: &[bool],
        threads: usize,
    ) -> Result<Self, Error> {
        if inside.len() != width * height || inside.iter().all(|inside| *inside) {
            let count = inside.len();
            return Err(Error::Misuse {
                what: format!(
                    "a mask of {count} pixels for {width} x {height}, or one that fixes nothing"
                ),
                want: "give a mask of the picture's size that leaves at least one pixel out",
            });
        }
        Ok(Self::of(Level::masked(width, height, inside), threads))
    }

    fn of(finest: Level, threads: usize) -> Self {
        let mut levels = vec![finest];
        while let Some(coarser) = levels.last().and_then(Level::coarser) {
            levels.push(coarser);
        }
        let threads = threads.max(1);
        Self { levels, threads }
    }

    /// Adds to `b` what the fixed neighbours of pixels `inside` have in `values`.
    pub fn border(width: usize, inside: &[bool], values: &[f32], b: &mut [f32]) {
        neighbours(width, inside.len(), |at, other| {
            for (to, from) in [(at, other), (other, at)] {
                if inside[to] && !inside[from] {
                    b[to] += values[from];
                }
            }
        });
    }

    /// The solution for `b`, shape `[height, width]`; 0 where pixels are fixed. The result is the same for any number of
    /// threads.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `observer` ends it; [`Error::Misuse`] for a `b` of another size.
    pub fn solve(&self, b: &[f32], observer: &mut dyn Observer) -> Result<Vec<f32>, Error> {
        let started = Instant::now();
        self.solved(b, &mut |share| {
            observer.progress(&Progress::new(Phase::Edit, share, started))
        })
    }

    /// As [`Poisson::solve`], for a part of an edit: `watch` receives the share that is done, 0.0..=1.0.
    ///
    /// # Errors
    /// As [`Poisson::solve`].
    pub(crate) fn solved(
        &self,
        b: &[f32],
        watch: &mut dyn FnMut(f64) -> Control,
    ) -> Result<Vec<f32>, Error> {
        let finest = &self.levels[0];
        let count = finest.width * finest.height;
        if b.len() != count {
            return Err(Error::Misuse {
                what: format!("{} values for {count} pixels", b.len()),
                want: "give one for each pixel",
            });
        }
        let width = finest.width;
        let mut solution = vec![0.0; count];
        let mut residual = finest.unfixed(b);
        let mut scratch: Vec<Scratch> = self.levels.iter().map(Scratch::new).collect();
        let mut direction = vec![0.0; count];
        let mut image = vec![0.0; count];
        let mut energy = 0.0;
        let mut first = None;
        for _ in 0..MOST_STEPS {
            self.cycle(0, &residual, &mut scratch);
            let guess = &scratch[0].guess;
            // What the cycle takes for the error of the solution so far.
            let error = (dot(guess, guess, width, self.threads) / count as f64).sqrt();
            let begun = *first.get_or_insert(error);
            // Samples that are no numbers have no solution, and more steps do not change that.
            if error <= TOLERANCE || error.is_nan() {
                break;
            }
            let share = (begun / error).ln() / (begun / TOLERANCE).ln();
            if watch(share.clamp(0.0, 1.0)) != Control::Continue {
                return Err(Error::Cancelled);
            }
            let previous = energy;
            energy = dot(&residual, guess, width, self.threads);
            let factor = if previous > 0.0 {
                energy / previous
            } else {
                0.0
            };
            scaled_sum(&mut direction, factor as f32, guess, self.threads);
            finest.apply(&direction, &mut image, self.threads);
            let curvature = dot(&direction, &image, width, self.threads);
            if curvature <= 0.0 {
                break;
            }
            let length = (energy / curvature) as f32;
            sum_into(&mut solution, length, &direction, self.threads);
            sum_into(&mut residual, -length, &image, self.threads);
        }
        Ok(solution)
    }

    /// One multigrid cycle: `scratch[level].guess` becomes about the solution for `b`.
    fn cycle(&self, level: usize, b: &[f32], scratch: &mut [Scratch]) {
        let here = &self.levels[level];
        let [own, below @ ..] = scratch else { return };
        here.start(b, &mut own.guess, self.threads);
        let Some((coarse, _)) = self.levels.get(level + 1).zip(below.first()) else {
            // The last one has a single pixel: that is the solution.
            return;
        };
        here.smooth(b, &mut own.guess, &mut own.other, self.threads);
        here.residual(b, &own.guess, &mut own.other, self.threads);
        let mut restricted = std::mem::take(&mut below[0].b);
        coarse.gather(&own.other, here.width, &mut restricted, self.threads);
        self.cycle(level + 1, &restricted, below);
        below[0].b = restricted;
        here.spread(&below[0].guess, coarse.width, &mut own.guess, self.threads);
        for _ in 0..2 {
            here.smooth(b, &mut own.guess, &mut own.other, self.threads);
        }
    }
}

/// What a cycle needs on a level.
#[derive(Debug)]
struct Scratch {
    guess: Vec<f32>,
    other: Vec<f32>,
    b: Vec<f32>,
}

impl Scratch {
    fn new(level: &Level) -> Self {
        let zeros = || vec![0.0; level.width * level.height];
        Self {
            guess: zeros(),
            other: zeros(),
            b: zeros(),
        }
    }
}

/// The negative divergence of differences between neighbours: `across[i]` is that of the right neighbour of pixel `i` and
/// `i` itself, `down[i]` of the one below; shape `[height, width]`, what leads out of the picture is not read. This is what
/// stands on the right of `-Laplacian u`.
pub fn negative_divergence(width: usize, across: &[f32], down: &[f32], threads: usize) -> Vec<f32> {
    let mut out = vec![0.0; across.len()];
    let height = across.len() / width.max(1);
    each_row(&mut out, width, threads, |y, out| {
        let across = &across[y * width..][..width];
        for (x, out) in out.iter_mut().enumerate() {
            *out -= if x + 1 < width { across[x] } else { 0.0 };
            *out += if x > 0 { across[x - 1] } else { 0.0 };
        }
        if y + 1 < height {
            let down = &down[y * width..][..width];
            out.iter_mut().zip(down).for_each(|(out, d)| *out -= d);
        }
        if y > 0 {
            let down = &down[(y - 1) * width..][..width];
            out.iter_mut().zip(down).for_each(|(out, d)| *out += d);
        }
    });
    out
}
