//! The causal neighbourhood of a coefficient, and the contexts derived from it.

use super::band::{BINS, BLOCK, BORDER, Band, Tile};
use super::network::{self, NEIGHBOURS, OUTPUTS};
use super::state::{BASES, EXPECTED, State};
use crate::entropy::mix::{SLOT_INPUTS, Tables};
use crate::entropy::octave;

/// The magnitudes of the same orientation at the coarser level, and the offset of this tile in them.
#[derive(Clone, Copy)]
pub(super) struct Parent<'a> {
    pub(super) tile: &'a Tile,
    pub(super) x: usize,
    pub(super) y: usize,
}

/// Returns the magnitude at `at`, and the sums of its left and right and of its upper and lower neighbours.
#[inline(always)]
fn around(magnitudes: &[u8], at: usize, stride: usize) -> [usize; 3] {
    let m = |index: usize| usize::from(magnitudes[index]);
    [
        m(at),
        m(at - 1) + m(at + 1),
        m(at - stride) + m(at + stride),
    ]
}

/// The sum of the four magnitudes at the corners.
#[inline(always)]
fn corners(magnitudes: &[u8], at: usize, stride: usize) -> usize {
    let m = |index: usize| usize::from(magnitudes[index]);
    let (up, down) = (at - stride, at + stride);
    m(up - 1) + m(up + 1) + m(down - 1) + m(down + 1)
}

/// Running averages of the magnitudes in the rows above, by column.
struct Trail {
    /// Averages that decay by a quarter with each row, in 1/16.
    columns: Vec<usize>,
    /// Sums over nine columns, in 1/2.
    wide: Vec<usize>,
}

impl Trail {
    fn new(width: usize) -> Self {
        Self {
            columns: vec![0; width + 8],
            wide: vec![0; width],
        }
    }

    fn row(&mut self, magnitudes: &[u8]) {
        for (column, &m) in self.columns[4..].iter_mut().zip(magnitudes) {
            *column += 4 * usize::from(m);
            *column -= *column / 4;
        }
        for (wide, columns) in self.wide.iter_mut().zip(self.columns.windows(9)) {
            *wide = columns.iter().sum::<usize>() / 8;
        }
    }
}

/// The neighbourhood of a band during coding.
pub(super) struct Surroundings<'a> {
    pub(super) orientation: usize,
    pub(super) stride: usize,
    trail: Trail,
    /// The parent's orientations, their stride, and the column and row of this tile in them.
    pub(super) parent: Option<(&'a [Band; 3], usize, usize, usize)>,
    /// The orientations coded before this one, then this orientation of the planes coded before this one.
    pub(super) others: [Option<&'a Band>; 4],
}

/// Contexts of a coefficient before it is coded.
pub(super) struct Context {
    /// Slots of the first decision; those of the other decisions follow.
    pub(super) at: [usize; SLOT_INPUTS],
    /// Output of the network for each decision.
    pub(super) foretold: [i32; OUTPUTS],
    /// Indices of the sets of mixture weights.
    pub(super) sets: [usize; 2],
}

impl<'a> Surroundings<'a> {
    /// Creates the neighbourhood of orientation `o` of `plane`.
    pub(super) fn new(tile: &'a Tile, parent: Option<Parent<'a>>, plane: usize, o: usize) -> Self {
        let planes = &tile.planes;
        let sibling = |index: usize| (index < o).then(|| &planes[plane][index]);
        Self {
            orientation: o,
            stride: tile.stride,
            trail: Trail::new(tile.stride - 2 * BORDER),
            parent: parent.map(|Parent { tile, x, y }| (&tile.planes[plane], tile.stride, x, y)),
            others: [
                sibling(0),
                sibling(1),
                (plane >= 1).then(|| &planes[0][o]),
                (plane >= 2).then(|| &planes[1][o]),
            ],
        }
    }

    /// Updates the averages with a coded row.
    pub(super) fn follow(&mut self, magnitudes: &[u8]) {
        self.trail.row(magnitudes);
    }

    /// Returns the neighbours' magnitudes at padded index `at`, position (x, y).
    #[inline(always)]
    pub(super) fn neighbours(
        &self,
        own: &[u8],
        at: usize,
        x: usize,
        y: usize,
    ) -> [usize; NEIGHBOURS] {
        let m = |index: usize| usize::from(own[index]);
        let stride = self.stride;
        let (w, n, ww, nn) = (at - 1, at - stride, at - 2, at - 2 * stride);
        // The second orientation is the transpose of the first, as far as causality allows.
        let swap = self.orientation == 1;
        let (near, far) = if swap {
            ((n, w), (nn, ww))
        } else {
            ((w, n), (ww, nn))
        };
        let mut all = [0; NEIGHBOURS];
        all[..12].copy_from_slice(&[
            m(near.0),
            m(near.1),
            m(n - 1),
            m(n + 1),
            m(far.0),
            m(far.1),
            m(nn + 1),
            m(nn - 1),
            m(n + 2),
            m(n - 2),
            self.trail.wide[x],
            m(nn - 2),
        ]);
        if let Some((bands, stride, px, py)) = self.parent {
            let parent = &bands[self.orientation].magnitudes[..];
            let at = (py + y / 2 + BORDER) * stride + px + x / 2 + BORDER;
            let m = |index: usize| usize::from(parent[index]);
            let (h, fh) = if x & 1 == 1 {
                (at + 1, at - 1)
            } else {
                (at - 1, at + 1)
            };
            let (down, v, fv) = if y & 1 == 1 {
                (true, at + stride, at - stride)
            } else {
                (false, at - stride, at + stride)
            };
            let d = if down { h + stride } else { h - stride };
            let corners = corners(parent, at, stride);
            all[16..23].copy_from_slice(&[m(at), m(h), m(v), m(d), m(fh), m(fv), corners - m(d)]);
            let aunt =
                |turn: usize| usize::from(bands[(self.orientation + turn) % 3].magnitudes[at]);
            all[12] = aunt(1) + aunt(2);
        }
        let places = [[24, 25, 26], [27, 28, 29], [23, 30, 31]];
        for (places, other) in places.iter().zip(&self.others) {
            if let Some(other) = other {
                let found = around(&other.magnitudes, at, stride);
                for (place, found) in places.iter().zip(found) {
                    all[*place] = found;
                }
            }
        }
        if let Some(other) = self.others[2] {
            all[15] = corners(&other.magnitudes, at, stride);
        }
        if let Some(other) = self.others[3] {
            let [centre, row, column] = around(&other.magnitudes, at, stride);
            (all[13], all[14]) = (centre, row + column);
        }
        all
    }

    /// Returns the contexts of the coefficient at padded index `at`.
    #[inline]
    #[expect(
        clippy::too_many_arguments,
        reason = "a position, and what it is looked at with"
    )]
    pub(super) fn context(
        &self,
        state: &State,
        tables: Tables,
        own: &Band,
        at: usize,
        x: usize,
        y: usize,
        second: bool,
    ) -> Context {
        let m = self.neighbours(&own.magnitudes, at, x, y);
        let foretold =
            state.networks[self.orientation].outputs(&network::logarithms(tables, &m), second);
        let total: i32 = foretold[..4].iter().sum();
        let e = ((total + 3584) >> 7).clamp(0, EXPECTED as i32 - 1) as usize;
        // Converts multiples of the step to coded numbers: two steps make one.
        let h = |sum: usize| (sum as u32).div_ceil(2);
        let u = |index: usize| h(m[index]);
        let near = h(2 * (m[0] + m[1]) + m[2] + m[3]);
        let parent = h(2 * m[16] + m[17] + m[18] + m[20] + m[21]);
        let sibling = h(2 * (m[24] + m[27]) + m[25] + m[26] + m[28] + m[29]);
        let plane = h(2 * (m[23] + m[13]) + m[30] + m[31] + m[14]);
        let o = self.orientation;
        let oq = o * 2 + usize::from(second);
        let cap = |index: usize, most: u32| u(index).min(most) as usize;
        let at_each = [
            oq,
            (((cap(0, 6) * 7 + cap(1, 6)) * 4 + cap(2, 3)) * 4 + cap(3, 3)) * 2
                + usize::from(second),
            (octave(near, 12) * 13 + octave(parent, 12)) * 6 + oq,
            (octave(near, 8) * 13 + octave(sibling, 12)) * 3 + cap(16, 2),
            octave(plane, 12) * 24 + e / 2,
            (e * 5 + octave(parent, 12).div_ceil(3)) * 5 + octave(sibling + plane, 12).div_ceil(3),
        ];
        let mut slots = [0; SLOT_INPUTS];
        for ((slot, base), index) in slots.iter_mut().zip(BASES).zip(at_each) {
            *slot = (base + index) * BINS;
        }
        let some = |sum: u32| usize::from(sum > 0);
        Context {
            at: slots,
            foretold,
            sets: [
                e / 4,
                (oq * 2 + some(near)) * 4 + some(parent) * 2 + some(sibling + plane),
            ],
        }
    }

    /// Returns the context of the flag of the block at (x, y), given the flags of its left and upper neighbours.
    pub(super) fn flag(&self, x: usize, y: usize, left: bool, above: bool) -> usize {
        let mut parents = 0_u32;
        if let Some((bands, stride, px, py)) = self.parent {
            let parent = &bands[self.orientation].magnitudes;
            for row in 0..BLOCK / 2 + 2 {
                // From one before to one after the block's own parents; both are within the border.
                let start = (py + y / 2 + row + 1) * stride + px + x / 2 + 1;
                if let Some(line) = parent.get(start..(start + BLOCK / 2 + 2).min(parent.len())) {
                    parents += line.iter().map(|&m| u32::from(m.min(4))).sum::<u32>();
                }
            }
        }
        let mut others = 0;
        for band in self.others.iter().flatten() {
            let found = (0..BLOCK).any(|row| {
                let start = (y + row + BORDER) * self.stride + x + BORDER;
                let line = band
                    .magnitudes
                    .get(start..(start + BLOCK).min(band.magnitudes.len()));
                line.is_some_and(|line| line.iter().any(|&m| m > 0))
            });
            others = (others + usize::from(found)).min(2);
        }
        let place = (usize::from(left) * 2 + usize::from(above)) * 3 + others;
        (place * 3 + self.orientation) * 6 + octave(parents, 10) / 2
    }
}
