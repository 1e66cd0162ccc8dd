//! How one part of the large picture is made: a first estimate, then a fit of its degraded render to the small picture.

use std::ops::Range;

use super::degradation::{Compression, Known, Operator};
use crate::error::Error;
use crate::field::trunk::{self, FINE, KNOWN, Small, Turn};
use inr_formats::Layout;
use inr_image::resample::{Axes, Kernel};
use inr_image::{Part, noise};
use inr_kernel::Job;

/// Small pixels before and after that cubic convolution reads.
const CUBIC_REACH: usize = 3;
/// The same of a spline and its prefilter.
const SPLINE_REACH: usize = 15;

/// Side of the blocks that are flat or have edges or not, in pixels of the large picture.
const BLOCK: usize = 32;
/// Differences of colours between neighbours from which the trunk is better than a spline by what is seen.
const EDGE: f32 = 0.08;

/// How hard the fit tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effort {
    /// Flips and rotations whose mean the trunk gives, 0 for none: then bicubic is the estimate.
    pub(super) turns: usize,
    /// The same for the planes after the first; with 0 they are splines but where they have edges.
    pub(super) colour_turns: usize,
    /// Back-projections, where the blur is known.
    pub(super) iterations: usize,
}

/// All that the parts of a large picture have in common.
pub(super) struct Plan {
    small: [usize; 2],
    large: [usize; 2],
    /// How the picture came about, for the trunk.
    known: [f32; KNOWN],
    scale: f64,
    /// Of the first plane, and of the others; none of the first for bicubic.
    turns: [Vec<Turn>; 2],
    iterations: usize,
    operator: Operator,
    enlarge: Axes,
    spline: Spline,
    /// Small pixels around those of a part that it depends on.
    margin: usize,
    /// Standard deviation of the noise that is not fitted, in samples.
    noise: f64,
}

impl Plan {
    pub(super) fn new(
        small: [usize; 2],
        large: [usize; 2],
        known: impl Into<Known>,
        effort: Effort,
    ) -> Self {
        let known = known.into();
        let scale = (0..2).map(|axis| large[axis] as f64 / small[axis] as f64);
        let scale = scale.fold(1.0, f64::max);
        // What nobody knows cannot be fitted to, and what compression added should not be.
        let (operator, reach, iterations) = match &known.blur {
            Some(blur) => (
                Operator::new(blur, large, small),
                Operator::reach(blur, scale),
                match known.compression {
                    Compression::None => effort.iterations,
                    _ => 0,
                },
            ),
            None => {
                let share = known.reduction().filter(|_| effort.turns > 0);
                (
                    Operator::between(share.unwrap_or(0.5), large, small),
                    CUBIC_REACH,
                    usize::from(share.is_some()),
                )
            }
        };
        let estimate = match effort.turns {
            0 => CUBIC_REACH,
            _ => SPLINE_REACH.max(trunk::REACH + 2),
        };
        let margin = estimate + iterations * (CUBIC_REACH + reach);
        Self {
            small,
            large,
            scale,
            turns: [effort.turns, effort.colour_turns].map(Turn::first),
            iterations,
            operator,
            enlarge: Axes::new(Kernel::Cubic, small, large),
            spline: Spline::new(small, large),
            known: known.features(scale),
            margin,
            noise: 0.0,
        }
    }

    /// The same, of pictures with noise of this deviation.
    pub(super) fn with_noise(mut self, deviation: f64) -> Self {
        if deviation > 0.0 {
            self.noise = deviation;
            self.margin += noise::REACH;
        }
        self
    }

    /// Takes the noise from the planes of [`Plan::reads`]`(part)`.
    pub(super) fn denoise(&self, part: &Part, planes: &mut [Vec<f32>], layout: Layout) {
        noise::remove(planes, &self.reads(part), self.small, layout, self.noise);
    }

    /// Width and height of the large picture.
    pub(super) fn large(&self) -> [usize; 2] {
        self.large
    }

    /// The part of the small picture that `part` of the large one depends on: what all blocks that it touches do.
    pub(super) fn reads(&self, part: &Part) -> Part {
        self.window(&self.whole(part), self.margin)
    }

    /// The small pixels under `part` and `margin` pixels around them.
    pub(super) fn window(&self, part: &Part, margin: usize) -> Part {
        std::array::from_fn(|axis| {
            let (small, large) = (self.small[axis], self.large[axis]);
            let start = part[axis].start * small / large;
            let end = (part[axis].end * small).div_ceil(large);
            start.saturating_sub(margin)..(end + margin).min(small)
        })
    }

    /// What a job counts in [`Plan::render`] of so many `planes`: turns and back-projections.
    pub(super) fn units(&self, planes: usize) -> u64 {
        (0..planes).map(|index| self.units_of(index)).sum()
    }

    fn units_of(&self, index: usize) -> u64 {
        (self.turns[index.min(1)].len() + self.iterations) as u64
    }

    /// `part` of the large picture from `planes` of [`Plan::reads`], luma first. The trunk has learnt luma
    /// alone, but what it does to differences of colours is better than a spline as well. It takes long, so where nobody
    /// asked for its turns only blocks with edges in colour have one.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn render(
        &self,
        part: &Part,
        planes: &[Vec<f32>],
        job: &mut Job,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let planes = planes.iter().enumerate().map(|(index, plane)| {
            let turns = &self.turns[index.min(1)];
            let flat = plane.iter().all(|value| *value == plane[0]);
            if flat {
                job.advance(self.units_of(index))?;
                return Ok(vec![plane[0]; part[0].len() * part[1].len()]);
            }
            let mut made = self.plane(part, plane, turns, job)?;
            if turns.is_empty() && !self.turns[0].is_empty() {
                job.advance(0)?;
                self.sharpen(&mut made, part, plane)?;
            }
            Ok(made)
        });
        planes.collect()
    }

    /// `part` of a plane of the large picture from that of [`Plan::reads`].
    fn plane(
        &self,
        part: &Part,
        plane: &[f32],
        turns: &[Turn],
        job: &mut Job,
    ) -> Result<Vec<f32>, Error> {
        let small = self.reads(part);
        let large: Part = std::array::from_fn(|axis| {
            let (from, to) = (self.small[axis], self.large[axis]);
            let start = small[axis].start * to / from;
            start..(small[axis].end * to).div_ceil(from).min(to)
        });
        let around = self.around(&small, &large);
        let estimate = self.estimate(plane, turns, &around, job)?;
        let mut made = cut(&around.fitted(estimate, plane, job)?, &large, part);
        self.flatten(&mut made, part, plane, &small);
        Ok(made)
    }

    /// Has the trunk work on the blocks of a `part` with edges near them, all within one box. Which blocks those are does
    /// not depend on what else is made at the same time.
    fn sharpen(&self, made: &mut [f32], part: &Part, plane: &[f32]) -> Result<(), Error> {
        let small = self.reads(part);
        let edged: Vec<Part> = blocks(part)
            .into_iter()
            .filter(|block| {
                let [columns, rows] = self.window(&self.whole(block), trunk::REACH);
                let near = cut(plane, &small, &[columns.clone(), rows]);
                has_edges(&near, columns.len())
            })
            .collect();
        let Some(first) = edged.first() else {
            return Ok(());
        };
        let bounds = edged.iter().fold(first.clone(), |bounds, block| {
            std::array::from_fn(|axis| {
                let (a, b) = (&bounds[axis], &block[axis]);
                a.start.min(b.start)..a.end.max(b.end)
            })
        });
        let near = cut(plane, &small, &self.reads(&bounds));
        let sharp = Job::unwatched(|job| self.plane(&bounds, &near, &Turn::first(1), job))?;
        for block in edged {
            let found = cut(&sharp, &bounds, &block);
            let left = block[0].start - part[0].start;
            for (row, found) in block[1].clone().zip(found.chunks_exact(block[0].len())) {
                let start = (row - part[1].start) * part[0].len() + left;
                made[start..start + found.len()].copy_from_slice(found);
            }
        }
        Ok(())
    }

    /// The whole blocks that `part` touches.
    fn whole(&self, part: &Part) -> Part {
        std::array::from_fn(|axis| {
            let end = part[axis].end.next_multiple_of(BLOCK).min(self.large[axis]);
            part[axis].start / BLOCK * BLOCK..end
        })
    }

    /// Makes blocks of a `part` exactly flat that depend on nothing but flat pixels, as where whole parts are flat: so
    /// pixels do not depend on what else is made at the same time. `plane` is the `small` part of the picture.
    fn flatten(&self, made: &mut [f32], part: &Part, plane: &[f32], small: &Part) {
        let width = small[0].len();
        for block in blocks(part) {
            let [columns, rows] = self.window(&self.whole(&block), self.margin);
            let columns = columns.start - small[0].start..columns.end - small[0].start;
            let first = (rows.start - small[1].start) * width;
            let lines = plane[first..].chunks(width).take(rows.len());
            let value = plane[first + columns.start];
            let mut values = lines.flat_map(|line| &line[columns.clone()]);
            if !values.all(|other| *other == value) {
                continue;
            }
            let [columns, rows] = [0, 1].map(|axis| {
                let start = part[axis].start;
                block[axis].start - start..block[axis].end - start
            });
            for row in rows {
                made[row * part[0].len()..][columns.clone()].fill(value);
            }
        }
    }

    /// What the fit of a part needs.
    fn around(&self, small: &Part, large: &Part) -> Around {
        Around {
            operator: self.operator.part(small, large),
            enlarge: self.enlarge.part(large, small),
            iterations: self.iterations,
            small: small.clone(),
            large: large.clone(),
        }
    }

    /// What the fit begins with.
    fn estimate(
        &self,
        plane: &[f32],
        turns: &[Turn],
        around: &Around,
        job: &mut Job,
    ) -> Result<Vec<f32>, Error> {
        let Around { small, large, .. } = around;
        if self.turns[0].is_empty() {
            return Ok(around.enlarge.apply(plane));
        }
        let mut estimate = self.spline.plain(plane, small, large);
        if !turns.is_empty() {
            let from = Small {
                width: small[0].len(),
                height: small[1].len(),
                values: plane,
            };
            let coefficients = trunk::coefficients(from, &self.known, self.scale, turns, job)?;
            let detail = self.spline.detail(&coefficients, small, large);
            let pairs = estimate.iter_mut().zip(detail);
            pairs.for_each(|(sum, detail)| *sum += detail);
        }
        Ok(estimate)
    }
}

/// The cubic splines through a picture and of the trunk's coefficients, at the pixels of a large picture.
struct Spline {
    prefilter: Axes,
    plain: Axes,
    fine: Axes,
}

impl Spline {
    fn new(small: [usize; 2], large: [usize; 2]) -> Self {
        Self {
            prefilter: Axes::new(Kernel::Prefilter, small, small),
            plain: Axes::new(Kernel::Spline, small, large),
            fine: Axes::new(Kernel::Spline, small.map(|side| side * FINE), large),
        }
    }

    /// The spline through the `small` part's samples.
    fn plain(&self, plane: &[f32], small: &Part, large: &Part) -> Vec<f32> {
        let coefficients = self.prefilter.part(small, small).apply(plane);
        self.plain.part(large, small).apply(&coefficients)
    }

    /// The spline with the trunk's coefficients.
    fn detail(&self, coefficients: &[f32], small: &Part, large: &Part) -> Vec<f32> {
        let fine = small
            .clone()
            .map(|range| range.start * FINE..range.end * FINE);
        self.fine.part(large, &fine).apply(coefficients)
    }
}

/// What a part's fit needs.
struct Around {
    operator: Operator,
    enlarge: Axes,
    iterations: usize,
    small: Part,
    large: Part,
}

impl Around {
    /// Iterated back-projection (Irani and Peleg 1991): what the degraded `estimate` lacks of the small picture is
    /// enlarged and added.
    fn fitted(
        &self,
        mut estimate: Vec<f32>,
        small: &[f32],
        job: &mut Job,
    ) -> Result<Vec<f32>, Error> {
        for _ in 0..self.iterations {
            let mut error = self.operator.apply(&estimate);
            error
                .iter_mut()
                .zip(small)
                .for_each(|(sum, small)| *sum = small - *sum);
            let more = self.back(&error);
            estimate
                .iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
            job.advance(1)?;
        }
        Ok(estimate)
    }

    /// Cubic convolution takes errors back without the blocks that the transposition of averages leaves; only what a
    /// measured function does needs its own.
    fn back(&self, error: &[f32]) -> Vec<f32> {
        match &self.operator {
            Operator::Separable(_) => self.enlarge.apply(error),
            Operator::Psf(_) => {
                let mut back = self.operator.transposed(error);
                let even = self.operator.transposed(&vec![1.0; error.len()]);
                back.iter_mut()
                    .zip(even)
                    .for_each(|(back, even)| *back /= even.max(1e-3));
                back
            }
        }
    }
}

/// The pieces that the blocks of the large picture cut `part` into.
fn blocks(part: &Part) -> Vec<Part> {
    let along = |range: &Range<usize>| {
        let Range { start, end } = *range;
        (start / BLOCK..end.div_ceil(BLOCK))
            .map(move |at| (at * BLOCK).max(start)..((at + 1) * BLOCK).min(end))
            .collect::<Vec<_>>()
    };
    let columns = along(&part[0]);
    let rows = along(&part[1]);
    rows.iter()
        .flat_map(|rows| {
            columns
                .iter()
                .map(|columns| [columns.clone(), rows.clone()])
        })
        .collect()
}

/// Whether neighbours in a plane of `width` columns differ by [`EDGE`] or more.
fn has_edges(plane: &[f32], width: usize) -> bool {
    let apart = |a: f32, b: f32| (a - b).abs() >= EDGE;
    let mut across = plane.chunks_exact(width).flat_map(|line| line.windows(2));
    let mut down = plane.iter().zip(&plane[width..]);
    across.any(|two| apart(two[0], two[1])) || down.any(|(a, b)| apart(*a, *b))
}

/// `part` of a plane that covers `whole`.
fn cut(plane: &[f32], whole: &Part, part: &Part) -> Vec<f32> {
    let [columns, rows] = part;
    let width = whole[0].len();
    let rows = rows.start - whole[1].start..rows.end - whole[1].start;
    let left = columns.start - whole[0].start;
    rows.flat_map(|row| &plane[row * width + left..][..columns.len()])
        .copied()
        .collect()
}
