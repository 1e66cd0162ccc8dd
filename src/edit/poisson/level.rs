//! One grid of the multigrid: the system's coefficients, and what a cycle does with them.

use super::grid::neighbours;
use inr_kernel::each_row;

/// Share of the Jacobi step that is taken; damps the finest waves most.
const DAMPING: f32 = 0.8;

/// A number for every pixel, or, where all rows between the first and the last are alike, three rows of them.
#[derive(Debug)]
enum Lines {
    Alike([Vec<f32>; 3]),
    Each(Vec<f32>),
}

impl Lines {
    fn row(&self, y: usize, width: usize, height: usize) -> &[f32] {
        match self {
            Self::Alike([first, middle, last]) => match y {
                _ if y + 1 == height => last,
                0 => first,
                _ => middle,
            },
            Self::Each(values) => &values[y * width..][..width],
        }
    }
}

/// A system: pixel `i` has the equation `diagonal[i] u[i] - sum over neighbours (weight u[neighbour]) = b[i]`.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Weight of a pixel and its right neighbour; 0 in the last column.
    across: Lines,
    /// Weight of a pixel and the one below; 0 in the last row.
    down: Lines,
    /// What a pixel's weights and its own screen add up to; 0 for pixels that are fixed.
    diagonal: Lines,
    /// What holds a pixel to its own value: the screens of all pixels below, and edges to fixed ones.
    screen: Lines,
}

impl Level {
    /// Weights of 1 and the same screen everywhere.
    pub(super) fn uniform(width: usize, height: usize, screen: f32) -> Self {
        let mut across = vec![1.0; width];
        across[width - 1] = 0.0;
        let sides = |x: usize| f32::from(u8::from(x > 0) + u8::from(x + 1 < width));
        let diagonal = |vertical: f32| -> Vec<f32> {
            (0..width).map(|x| screen + sides(x) + vertical).collect()
        };
        let last = if height > 1 { 1.0 } else { 0.0 };
        let alike = |row: Vec<f32>| Lines::Alike([row.clone(), row.clone(), row]);
        Self {
            width,
            height,
            across: alike(across),
            down: Lines::Alike([vec![1.0; width], vec![1.0; width], vec![0.0; width]]),
            diagonal: Lines::Alike([diagonal(1.0), diagonal(2.0), diagonal(last)]),
            screen: alike(vec![screen; width]),
        }
    }

    /// Weights of 1 between pixels that are `inside`; those to fixed ones go into the screen.
    pub(super) fn masked(width: usize, height: usize, inside: &[bool]) -> Self {
        let mut across = vec![0.0; inside.len()];
        let mut down = vec![0.0; inside.len()];
        let mut screen = vec![0.0; inside.len()];
        neighbours(width, inside.len(), |at, other| {
            match (inside[at], inside[other]) {
                (true, true) if other == at + 1 => across[at] = 1.0,
                (true, true) => down[at] = 1.0,
                (true, false) => screen[at] += 1.0,
                (false, true) => screen[other] += 1.0,
                (false, false) => {}
            }
        });
        // With a single column the pixel below is also the next one.
        if width == 1 {
            std::mem::swap(&mut across, &mut down);
        }
        Self::new(width, height, across, down, screen)
    }

    fn new(
        width: usize,
        height: usize,
        across: Vec<f32>,
        down: Vec<f32>,
        screen: Vec<f32>,
    ) -> Self {
        let mut diagonal = screen.clone();
        neighbours(width, diagonal.len(), |at, other| {
            let weight = if other == at + 1 && width > 1 {
                across[at]
            } else {
                down[at]
            };
            diagonal[at] += weight;
            diagonal[other] += weight;
        });
        Self {
            width,
            height,
            across: Lines::Each(across),
            down: Lines::Each(down),
            diagonal: Lines::Each(diagonal),
            screen: Lines::Each(screen),
        }
    }

    /// The system of 2 x 2 pixels each; none for a single pixel.
    ///
    /// Two edges join neighbouring blocks, twice as far apart: their weights are averaged, so that waves that both grids
    /// show have the same energy on both.
    pub(super) fn coarser(&self) -> Option<Self> {
        if self.width * self.height == 1 {
            return None;
        }
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let [mut across, mut down, mut screen] = [(); 3].map(|()| vec![0.0; width * height]);
        for y in 0..self.height {
            let at = y / 2 * width;
            let rows = [&self.across, &self.down, &self.screen]
                .map(|lines| lines.row(y, self.width, self.height));
            let columns = rows[0].iter().zip(rows[1]).zip(rows[2]).enumerate();
            for (x, ((right, below), own)) in columns {
                let block = at + x / 2;
                screen[block] += own;
                if x % 2 == 1 {
                    across[block] += 0.5 * right;
                }
                if y % 2 == 1 {
                    down[block] += 0.5 * below;
                }
            }
        }
        Some(Self::new(width, height, across, down, screen))
    }

    /// Fills `out` with `work` of each pixel's `b`, the left side of its equation, its `u` and its diagonal.
    ///
    /// Differences between neighbours are taken before they are weighed: the diagonal times `u` less what neighbours have
    /// would lose the last bits of slow waves, which matter under a faint screen.
    fn each(
        &self,
        b: &[f32],
        u: &[f32],
        out: &mut [f32],
        threads: usize,
        work: impl Fn(f32, f32, f32, f32) -> f32 + Sync,
    ) {
        let (width, height) = (self.width, self.height);
        let none = vec![0.0; width];
        each_row(out, width, threads, |y, out| {
            let row = |y: usize| &u[y * width..][..width];
            let row = Row {
                b: &b[y * width..][..width],
                here: row(y),
                above: if y > 0 { row(y - 1) } else { &none },
                below: if y + 1 < height { row(y + 1) } else { &none },
                upper: match y {
                    0 => &none,
                    _ => self.down.row(y - 1, width, height),
                },
                lower: self.down.row(y, width, height),
                across: self.across.row(y, width, height),
                diagonal: self.diagonal.row(y, width, height),
                screen: self.screen.row(y, width, height),
            };
            row.each(out, &work);
        });
    }

    /// `b` with 0 for pixels that are fixed.
    pub(super) fn unfixed(&self, b: &[f32]) -> Vec<f32> {
        let rows = (0..self.height).flat_map(|y| self.diagonal.row(y, self.width, self.height));
        let values = b.iter().zip(rows);
        values
            .map(|(b, diagonal)| if *diagonal > 0.0 { *b } else { 0.0 })
            .collect()
    }

    /// The left side of the equations.
    pub(super) fn apply(&self, u: &[f32], out: &mut [f32], threads: usize) {
        self.each(u, u, out, threads, |_, side, _, _| side);
    }

    /// What the equations lack.
    pub(super) fn residual(&self, b: &[f32], u: &[f32], out: &mut [f32], threads: usize) {
        self.each(b, u, out, threads, |b, side, _, _| b - side);
    }

    /// The first damped Jacobi step, from zero.
    pub(super) fn start(&self, b: &[f32], u: &mut [f32], threads: usize) {
        let (width, height) = (self.width, self.height);
        let damping = if width * height == 1 { 1.0 } else { DAMPING };
        each_row(u, width, threads, |y, u| {
            let diagonal = self.diagonal.row(y, width, height);
            let b = &b[y * width..][..width];
            for ((u, b), diagonal) in u.iter_mut().zip(b).zip(diagonal) {
                *u = if *diagonal > 0.0 {
                    damping * b / diagonal
                } else {
                    0.0
                };
            }
        });
    }

    /// A damped Jacobi step; `other` is overwritten.
    pub(super) fn smooth(&self, b: &[f32], u: &mut Vec<f32>, other: &mut Vec<f32>, threads: usize) {
        self.each(b, u, other, threads, |b, side, u, diagonal| {
            if diagonal > 0.0 {
                u + DAMPING * (b - side) / diagonal
            } else {
                0.0
            }
        });
        std::mem::swap(u, other);
    }

    /// Adds up the pixels of each of this level's blocks.
    pub(super) fn gather(&self, fine: &[f32], fine_width: usize, out: &mut [f32], threads: usize) {
        each_row(out, self.width, threads, |y, out| {
            out.fill(0.0);
            let rows = fine.chunks_exact(fine_width).skip(2 * y).take(2);
            for row in rows {
                for (out, pair) in out.iter_mut().zip(row.chunks(2)) {
                    *out += pair.iter().sum::<f32>();
                }
            }
        });
    }

    /// Adds to each pixel that is not fixed what its block has.
    pub(super) fn spread(
        &self,
        coarse: &[f32],
        coarse_width: usize,
        out: &mut [f32],
        threads: usize,
    ) {
        let (width, height) = (self.width, self.height);
        each_row(out, width, threads, |y, out| {
            let diagonal = self.diagonal.row(y, width, height);
            let coarse = &coarse[y / 2 * coarse_width..][..coarse_width];
            for ((pair, diagonal), value) in out.chunks_mut(2).zip(diagonal.chunks(2)).zip(coarse) {
                for (out, diagonal) in pair.iter_mut().zip(diagonal) {
                    *out += if *diagonal > 0.0 { *value } else { 0.0 };
                }
            }
        });
    }
}

/// One row of the equations, and of the vectors that they are applied to.
struct Row<'a> {
    b: &'a [f32],
    here: &'a [f32],
    above: &'a [f32],
    below: &'a [f32],
    /// Weights of the edges to the row above, to the one below, and to the right.
    upper: &'a [f32],
    lower: &'a [f32],
    across: &'a [f32],
    diagonal: &'a [f32],
    screen: &'a [f32],
}

impl Row<'_> {
    /// Fills `out` as [`Level::each`] does.
    fn each(&self, out: &mut [f32], work: &impl Fn(f32, f32, f32, f32) -> f32) {
        let last = out.len() - 1;
        if last == 0 {
            out[0] = self.one(0, 0.0, 0.0, work);
            return;
        }
        let flow = |x: usize| self.across[x] * (self.here[x] - self.here[x + 1]);
        out[0] = self.one(0, 0.0, flow(0), work);
        self.inner(&mut out[1..last], work);
        out[last] = self.one(last, -flow(last - 1), 0.0, work);
    }

    #[inline(always)]
    fn one(
        &self,
        x: usize,
        left: f32,
        right: f32,
        work: &impl Fn(f32, f32, f32, f32) -> f32,
    ) -> f32 {
        let own = self.here[x];
        let vertical =
            self.upper[x] * (own - self.above[x]) + self.lower[x] * (own - self.below[x]);
        let side = left + right + vertical + self.screen[x] * own;
        work(self.b[x], side, own, self.diagonal[x])
    }

    /// The pixels that have neighbours on both sides, from slices of one length, so that the compiler can use SIMD.
    fn inner(&self, out: &mut [f32], work: &impl Fn(f32, f32, f32, f32) -> f32) {
        let count = out.len();
        let [left, own, right] = [0, 1, 2].map(|from| &self.here[from..][..count]);
        let [before, after] = [0, 1].map(|from| &self.across[from..][..count]);
        let [b, above, below, upper, lower, diagonal, screen] = [
            self.b,
            self.above,
            self.below,
            self.upper,
            self.lower,
            self.diagonal,
            self.screen,
        ]
        .map(|values| &values[1..][..count]);
        for x in 0..count {
            let vertical = upper[x] * (own[x] - above[x]) + lower[x] * (own[x] - below[x]);
            let sides = -(before[x] * (left[x] - own[x])) + after[x] * (own[x] - right[x]);
            let side = sides + vertical + screen[x] * own[x];
            out[x] = work(b[x], side, own[x], diagonal[x]);
        }
    }
}
