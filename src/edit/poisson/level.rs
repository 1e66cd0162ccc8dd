//! One grid of the multigrid: the system's coefficients, and what a cycle does with them.

use super::grid::{each_row, neighbours};

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

    /// Fills `out` with what `work` makes of each pixel's number, the left side of its equation, its `u` and its diagonal.
    ///
    /// Differences between neighbours are taken before they are weighed: the diagonal times `u` less what neighbours have
    /// would lose the last bits of slow waves, which matter under a faint screen.
    fn each(
        &self,
        u: &[f32],
        out: &mut [f32],
        threads: usize,
        work: impl Fn(usize, f32, f32, f32) -> f32 + Sync,
    ) {
        let (width, height) = (self.width, self.height);
        let none = vec![0.0; width];
        each_row(out, width, threads, |y, out| {
            let row = |y: usize| &u[y * width..][..width];
            let here = row(y);
            let above = if y > 0 { row(y - 1) } else { &none };
            let below = if y + 1 < height { row(y + 1) } else { &none };
            let upper = match y {
                0 => &none,
                _ => self.down.row(y - 1, width, height),
            };
            let lower = self.down.row(y, width, height);
            let across = self.across.row(y, width, height);
            let diagonal = self.diagonal.row(y, width, height);
            let screen = self.screen.row(y, width, height);
            let one = |x: usize, left: f32, right: f32| {
                let own = here[x];
                let vertical = upper[x] * (own - above[x]) + lower[x] * (own - below[x]);
                let side = left + right + vertical + screen[x] * own;
                work(y * width + x, side, own, diagonal[x])
            };
            let last = width - 1;
            if last == 0 {
                out[0] = one(0, 0.0, 0.0);
                return;
            }
            let flow = |x: usize| across[x] * (here[x] - here[x + 1]);
            out[0] = one(0, 0.0, flow(0));
            for (x, out) in out.iter_mut().enumerate().take(last).skip(1) {
                *out = one(x, -flow(x - 1), flow(x));
            }
            out[last] = one(last, -flow(last - 1), 0.0);
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
        self.each(u, out, threads, |_, side, _, _| side);
    }

    /// What the equations lack.
    pub(super) fn residual(&self, b: &[f32], u: &[f32], out: &mut [f32], threads: usize) {
        self.each(u, out, threads, |at, side, _, _| b[at] - side);
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
        self.each(u, other, threads, |at, side, u, diagonal| {
            if diagonal > 0.0 {
                u + DAMPING * (b[at] - side) / diagonal
            } else {
                0.0
            }
        });
        std::mem::swap(u, other);
    }

    /// Adds up the pixels of each of this level's blocks.
    pub(super) fn gather(&self, fine: &[f32], fine_width: usize, out: &mut [f32]) {
        out.fill(0.0);
        for (y, row) in fine.chunks_exact(fine_width).enumerate() {
            let out = &mut out[y / 2 * self.width..][..self.width];
            for (out, pair) in out.iter_mut().zip(row.chunks(2)) {
                *out += pair.iter().sum::<f32>();
            }
        }
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
