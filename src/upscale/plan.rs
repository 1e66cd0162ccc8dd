//! How one part of the large picture is made: a first estimate, then a fit of its degraded render to the small picture.

use std::ops::Range;

use super::degradation::{Blur, Operator};
use super::network::{self, SCALES, Small, Turn};
use crate::error::Error;
use inr_formats::Layout;
use inr_image::resample::{Axes, Kernel};
use inr_image::{Part, noise};
use inr_kernel::Job;

/// Small pixels before and after that cubic convolution reads.
const CUBIC_REACH: usize = 3;

/// Side of the blocks that are flat or not, in pixels of the large picture.
const BLOCK: usize = 32;

/// How hard the fit tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effort {
    /// Flips and rotations whose mean is the network's estimate, 0 for none: then bicubic is the estimate.
    pub(super) turns: usize,
    /// The same for the planes after the first.
    pub(super) colour_turns: usize,
    /// Back-projections.
    pub(super) iterations: usize,
}

/// All that the parts of a large picture have in common.
pub(super) struct Plan {
    small: [usize; 2],
    large: [usize; 2],
    /// Scales of the networks that follow each other; empty for bicubic.
    stages: Vec<usize>,
    /// Of the first plane, and of the others.
    turns: [Vec<Turn>; 2],
    iterations: usize,
    operator: Operator,
    /// The reduction that the networks were trained on, unless the operator is that.
    usual: Option<Axes>,
    enlarge: Axes,
    /// From what the networks give to the large picture, unless that is its size.
    fit: Option<Axes>,
    /// Small pixels around those of a part that it depends on.
    margin: usize,
    /// Standard deviation of the noise that is not fitted, in samples.
    noise: f64,
}

impl Plan {
    pub(super) fn new(small: [usize; 2], large: [usize; 2], blur: &Blur, effort: Effort) -> Self {
        let scale = (0..2).map(|axis| large[axis] as f64 / small[axis] as f64);
        let scale = scale.fold(1.0, f64::max);
        let stages = if effort.turns == 0 {
            Vec::new()
        } else {
            stages(scale)
        };
        let product: usize = stages.iter().product();
        let between = small.map(|side| side * product);
        let mut margin =
            CUBIC_REACH + effort.iterations * (CUBIC_REACH + Operator::reach(blur, scale));
        let usual = !stages.is_empty() && *blur != Blur::Bicubic;
        if usual {
            margin = 2 * margin + CUBIC_REACH;
        }
        let mut reached = 1;
        for stage in &stages {
            margin += network::REACH.div_ceil(reached) + CUBIC_REACH;
            reached *= stage;
        }
        Self {
            small,
            large,
            turns: [effort.turns, effort.colour_turns].map(Turn::first),
            iterations: effort.iterations,
            operator: Operator::new(blur, large, small),
            usual: usual.then(|| Axes::new(Kernel::Cubic, large, small)),
            enlarge: Axes::new(Kernel::Cubic, small, large),
            fit: (!stages.is_empty() && between != large)
                .then(|| Axes::new(Kernel::Cubic, between, large)),
            stages,
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
        let blocks = std::array::from_fn(|axis| {
            let end = part[axis].end.next_multiple_of(BLOCK).min(self.large[axis]);
            part[axis].start / BLOCK * BLOCK..end
        });
        self.window(&blocks, self.margin)
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
        let turns = self.stages.len() * self.turns[index.min(1)].len();
        let fits = 1 + usize::from(self.usual.is_some());
        (turns + fits * self.iterations) as u64
    }

    /// `part` of the large picture from `planes` of [`Plan::reads`], luma first. The networks have learnt luma
    /// alone, but what they do to differences of colours is better than bicubic as well.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn render(
        &self,
        part: &Part,
        planes: &[Vec<f32>],
        job: &mut Job,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let small = self.reads(part);
        let large: Part = std::array::from_fn(|axis| {
            let (from, to) = (self.small[axis], self.large[axis]);
            let start = small[axis].start * to / from;
            start..(small[axis].end * to).div_ceil(from).min(to)
        });
        let around = self.around(&small, &large);
        let planes = planes.iter().enumerate().map(|(index, plane)| {
            let flat = plane.iter().all(|value| *value == plane[0]);
            if flat {
                job.advance(self.units_of(index))?;
                return Ok(vec![plane[0]; part[0].len() * part[1].len()]);
            }
            let turns = &self.turns[index.min(1)];
            let estimate = self.estimate(plane, turns, &around, job)?;
            let mut made = cut(&around.fitted(estimate, plane, job)?, &large, part);
            self.flatten(&mut made, part, plane, &small);
            Ok(made)
        });
        planes.collect()
    }

    /// Makes blocks of a `part` exactly flat that depend on nothing but flat pixels, as where whole parts are flat: so
    /// pixels do not depend on what else is made at the same time. `plane` is the `small` part of the picture.
    fn flatten(&self, made: &mut [f32], part: &Part, plane: &[f32], small: &Part) {
        let blocks = |range: &Range<usize>| range.start / BLOCK..range.end.div_ceil(BLOCK);
        let width = small[0].len();
        for [row, column] in
            blocks(&part[1]).flat_map(|row| blocks(&part[0]).map(move |column| [row, column]))
        {
            let block = [(column, 0), (row, 1)]
                .map(|(at, axis)| at * BLOCK..((at + 1) * BLOCK).min(self.large[axis]));
            let [columns, rows] = self.window(&block, self.margin);
            let columns = columns.start - small[0].start..columns.end - small[0].start;
            let first = (rows.start - small[1].start) * width;
            let lines = plane[first..].chunks(width).take(rows.len());
            let value = plane[first + columns.start];
            let mut values = lines.flat_map(|line| &line[columns.clone()]);
            if !values.all(|other| *other == value) {
                continue;
            }
            let inside = |axis: usize| {
                let (start, end) = (part[axis].start, part[axis].end);
                block[axis].start.max(start) - start..block[axis].end.min(end) - start
            };
            for row in inside(1) {
                made[row * part[0].len()..][inside(0)].fill(value);
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
        let plain = || around.enlarge.apply(plane);
        if self.stages.is_empty() {
            return Ok(plain());
        }
        let Some(usual) = &self.usual else {
            return self.networks(plane, turns, [small, large], job);
        };
        // What a reduction as in training would have left of the same large picture.
        let likely = around.fitted(plain(), plane, job)?;
        let reduced = usual.part(small, large).apply(&likely);
        self.networks(&reduced, turns, [small, large], job)
    }

    /// The networks' estimate of the `large` part from the `small` one.
    fn networks(
        &self,
        plane: &[f32],
        turns: &[Turn],
        [small, large]: [&Part; 2],
        job: &mut Job,
    ) -> Result<Vec<f32>, Error> {
        let mut values = plane.to_vec();
        let mut size = [small[0].len(), small[1].len()];
        for stage in &self.stages {
            let from = Small {
                width: size[0],
                height: size[1],
                values: &values,
            };
            let missing = network::missing(from, *stage, turns, job)?;
            let next = size.map(|side| side * stage);
            let mut sum = Axes::new(Kernel::Cubic, size, next).apply(&values);
            sum.iter_mut()
                .zip(missing)
                .for_each(|(sum, missing)| *sum += missing);
            (values, size) = (sum, next);
        }
        let Some(fit) = &self.fit else {
            return Ok(values);
        };
        let product: usize = self.stages.iter().product();
        let between = small
            .clone()
            .map(|range| range.start * product..range.end * product);
        Ok(fit.part(large, &between).apply(&values))
    }
}

/// The networks that enlarge by `scale` or more.
fn stages(scale: f64) -> Vec<usize> {
    let mut stages = Vec::new();
    let mut left = scale;
    while left > 1.0 + 1e-9 {
        let largest = SCALES[SCALES.len() - 1];
        let enough = SCALES.into_iter().find(|&s| s as f64 >= left - 1e-9);
        let stage = enough.unwrap_or(largest);
        stages.push(stage);
        left /= stage as f64;
    }
    stages
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
