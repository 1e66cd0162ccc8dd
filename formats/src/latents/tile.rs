//! The coefficients of one tile of one level: three orientations of every plane, coded with contexts from the
//! neighbourhood, the coarser level, the other orientations and the other planes.
//!
//! The expected magnitude as a weighted sum of the neighbours' follows X. Wu, "High-order context modeling and embedded
//! conditional entropy coding of wavelet coefficients" (1997).

use super::state::{BASES, BINS, ESCAPE, NEIGHBOURS, State};
use crate::entropy::coder::Coder;
use crate::entropy::mix::{INPUTS, Slot, Tables, cost, learn, mix};
use crate::entropy::{expectation, octave};

/// Zeros around the magnitudes of a band, so that neighbours need no bounds.
const BORDER: usize = 2;
/// Side of the blocks that a flag can declare empty.
const BLOCK: usize = 8;

/// Quantised coefficients of one orientation of one plane of a tile, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Band {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width` times `height` values.
    pub values: Vec<i32>,
    /// Magnitudes up to 255 and signs, with a border of zeros, in rows of the tile's stride.
    magnitudes: Vec<u8>,
    signs: Vec<i8>,
}

/// The decoded coefficients of one tile of one level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tile {
    /// For each plane the three orientations: high in x, high in y, high in both.
    pub planes: Vec<[Band; 3]>,
    stride: usize,
}

impl Tile {
    /// Bytes that the tile takes in memory, about.
    pub fn bytes(&self) -> usize {
        let band = |band: &Band| band.values.len() * 4 + band.magnitudes.len() * 2;
        self.planes.iter().flatten().map(band).sum()
    }

    /// An empty tile for bands of these sizes, `low` columns and rows at most.
    pub(super) fn new(planes: usize, sizes: [(usize, usize); 3], low: (usize, usize)) -> Self {
        let stride = low.0 + 2 * BORDER;
        let padded = stride * (low.1 + 2 * BORDER);
        let band = |(width, height)| Band {
            width,
            height,
            values: vec![0; width * height],
            magnitudes: vec![0; padded],
            signs: vec![0; padded],
        };
        Self {
            // Fresh zeros for each plane: until they are written to, most systems give them no memory.
            planes: (0..planes).map(|_| sizes.map(band)).collect(),
            stride,
        }
    }
}

/// The magnitudes of the same orientation at the coarser level, and where this tile starts in them.
#[derive(Clone, Copy)]
pub(super) struct Parent<'a> {
    pub(super) tile: &'a Tile,
    pub(super) x: usize,
    pub(super) y: usize,
}

/// What an encoder wants: coefficients in units of 1/256 of the step, and what a bit is worth.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// The coefficients of the band, row by row.
    pub(super) exact: &'a [i32],
    /// Price of a bit in squared steps, times 2^8; 0 rounds to the nearest.
    pub(super) lambda: u32,
}

/// Quantises an expected magnitude in 1/1024 to four steps per octave, 0..=31.
#[inline]
fn expected(sum: i32) -> usize {
    expectation(sum.max(0) as u32 >> 5)
}

/// The nine magnitudes around and at `at`: centre, four neighbours' sum, four corners' sum.
#[inline]
fn around(magnitudes: &[u8], at: usize, stride: usize) -> [u32; 3] {
    let m = |index: usize| u32::from(magnitudes[index]);
    let (up, down) = (at - stride, at + stride);
    [
        m(at),
        m(at - 1) + m(at + 1) + m(up) + m(down),
        m(up - 1) + m(up + 1) + m(down - 1) + m(down + 1),
    ]
}

/// The surroundings of a band while it is coded.
struct Surroundings<'a> {
    orientation: usize,
    stride: usize,
    parent: Option<(&'a [u8], usize, usize, usize)>,
    /// Orientations coded before this one, and then this orientation of planes coded before this one.
    others: [Option<&'a Band>; 4],
}

/// What is known of a coefficient before it is coded.
struct Context {
    at: [usize; INPUTS],
    expected: usize,
    sign: usize,
}

impl Surroundings<'_> {
    /// The neighbours' magnitudes at padded index `at`, position (x, y).
    #[inline]
    fn neighbours(&self, own: &[u8], at: usize, x: usize, y: usize) -> [i32; NEIGHBOURS] {
        let m = |index: usize| i32::from(own[index]);
        let stride = self.stride;
        let (w, n, ww, nn) = (at - 1, at - stride, at - 2, at - 2 * stride);
        // The second orientation is the first one transposed, as far as causality allows.
        let swap = self.orientation == 1;
        let (near, far) = if swap {
            ((n, w), (nn, ww))
        } else {
            ((w, n), (ww, nn))
        };
        let mut all = [0; NEIGHBOURS];
        all[..8].copy_from_slice(&[
            m(near.0),
            m(near.1),
            m(n - 1),
            m(n + 1),
            m(far.0),
            m(far.1),
            m(nn + 1),
            m(nn - 1),
        ]);
        if let Some((parent, stride, px, py)) = self.parent {
            let at = (py + y / 2 + BORDER) * stride + px + x / 2 + BORDER;
            let found = around(parent, at, stride);
            all[8..11].copy_from_slice(&found.map(|value| value as i32));
        }
        for (index, other) in self.others.iter().enumerate() {
            if let Some(other) = other {
                let [centre, cross, _] = around(&other.magnitudes, at, stride);
                all[11 + 2 * index] = centre as i32;
                all[12 + 2 * index] = cross as i32;
            }
        }
        all[19] = 1;
        all
    }

    /// The contexts of the coefficient at padded index `at`.
    #[inline]
    fn context(&self, state: &State, own: &Band, at: usize, x: usize, y: usize) -> Context {
        let m = self.neighbours(&own.magnitudes, at, x, y);
        let weights = &state.expectation[self.orientation];
        let sum: i32 = m.iter().zip(weights).map(|(m, w)| m * w).sum();
        let e = expected(sum);
        let u = |index: usize| m[index] as u32;
        let near = 2 * (u(0) + u(1)) + u(2) + u(3);
        let parent = 2 * u(8) + u(9);
        let sibling = 2 * (u(11) + u(13)) + u(12) + u(14);
        let plane = 2 * (u(15) + u(17)) + u(16) + u(18);
        let far = u(4) + u(5) + u(6) + u(7);
        let o = self.orientation;
        let cap = |index: usize, most: u32| u(index).min(most) as usize;
        let at_each = [
            e * 3 + o,
            ((cap(0, 6) * 7 + cap(1, 6)) * 4 + cap(2, 3)) * 4 + cap(3, 3),
            (octave(near, 12) * 13 + octave(parent, 12)) * 3 + o,
            (octave(near, 8) * 13 + octave(sibling, 12)) * 3 + cap(8, 2),
            octave(plane, 12) * 16 + e / 2,
            (octave(far, 10) * 11 + octave(u(0) + u(1), 10)) * 3 + o,
            (e * 5 + octave(parent, 12).div_ceil(3)) * 5 + octave(sibling + plane, 12).div_ceil(3),
            ((cap(0, 4) * 5 + cap(1, 4)) * 5 + cap(8, 4)) * 5 + cap(15, 4).max(cap(11, 4)),
        ];
        let mut slots = [0; INPUTS];
        for ((slot, base), index) in slots.iter_mut().zip(BASES).zip(at_each) {
            *slot = (base + index) * BINS;
        }
        Context {
            at: slots,
            expected: e,
            sign: self.sign(own, at),
        }
    }

    #[inline]
    fn sign(&self, own: &Band, at: usize) -> usize {
        let s = |sign: i8| (sign + 1) as usize;
        let of = |band: Option<&Band>| band.map_or(1, |band| s(band.signs[at]));
        let (w, n) = (s(own.signs[at - 1]), s(own.signs[at - self.stride]));
        let planes = of(self.others[2]) * 3 + of(self.others[3]);
        ((w * 3 + n) * 3 + self.orientation) * 9 + planes
    }

    /// The context of the flag of the block at (x, y), whose left and upper neighbours' flags are known.
    fn flag(&self, x: usize, y: usize, left: bool, above: bool) -> usize {
        let mut parents = 0_u32;
        if let Some((parent, stride, px, py)) = self.parent {
            for row in 0..BLOCK / 2 + 2 {
                // From one before to one after the block's own parents; both lie within the border.
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

/// Codes one tile; what is decoded, or chosen by an encoder, ends up in `tile`.
pub(super) struct TileCoder<'a, C> {
    pub(super) coder: &'a mut C,
    pub(super) tile: Tile,
    pub(super) parent: Option<Parent<'a>>,
    pub(super) tables: Tables,
}

impl<C: Coder> TileCoder<'_, C> {
    /// Codes orientation `o` of `plane`.
    pub(super) fn band(
        &mut self,
        state: &mut State,
        plane: usize,
        o: usize,
        wish: Option<Wish<'_>>,
    ) {
        let mut own = std::mem::take(&mut self.tile.planes[plane][o]);
        let around = surroundings(&self.tile, self.parent, plane, o);
        let stride = around.stride;
        let (width, height) = (own.width, own.height);
        let columns = width.div_ceil(BLOCK);
        let mut above = vec![false; columns];
        for block_y in 0..height.div_ceil(BLOCK) {
            // What follows the end of a segment means nothing, and may be long.
            if self.coder.exhausted() {
                break;
            }
            let top = block_y * BLOCK;
            let bottom = (top + BLOCK).min(height);
            let mut left = false;
            for (block_x, filled) in above.iter_mut().enumerate() {
                let x = block_x * BLOCK;
                let columns = x..(x + BLOCK).min(width);
                let wanted = wish.is_some_and(|wish| wish.fills(columns, top..bottom, width));
                let slot = &mut state.flags[around.flag(x, top, left, *filled)];
                *filled = self.coder.bit(slot.p16(), wanted);
                slot.update(*filled, self.tables);
                left = *filled;
            }
            for y in top..bottom {
                for (block_x, _) in above.iter().enumerate().filter(|(_, filled)| **filled) {
                    for x in block_x * BLOCK..((block_x + 1) * BLOCK).min(width) {
                        let at = (y + BORDER) * stride + x + BORDER;
                        let context = around.context(state, &own, at, x, y);
                        if let Some(sums) = &mut state.regression {
                            let exact = wish.map_or(0, |wish| wish.exact[y * width + x]);
                            let m = around.neighbours(&own.magnitudes, at, x, y);
                            sums[o].add(&m, exact.unsigned_abs().min(255 << 8) >> 8);
                        }
                        let wanted = wish.map(|wish| (wish.exact[y * width + x], wish.lambda));
                        let value = code(self.coder, self.tables, state, &context, wanted);
                        own.values[y * width + x] = value;
                        own.magnitudes[at] = value.unsigned_abs().min(255) as u8;
                        own.signs[at] = value.signum() as i8;
                    }
                }
            }
        }
        self.tile.planes[plane][o] = own;
    }
}

/// What lies around orientation `o` of `plane`.
fn surroundings<'a>(
    tile: &'a Tile,
    parent: Option<Parent<'a>>,
    plane: usize,
    o: usize,
) -> Surroundings<'a> {
    let planes = &tile.planes;
    let sibling = |index: usize| (index < o).then(|| &planes[plane][index]);
    Surroundings {
        orientation: o,
        stride: tile.stride,
        parent: parent.map(|parent| {
            let band = &parent.tile.planes[plane][o];
            (&band.magnitudes[..], parent.tile.stride, parent.x, parent.y)
        }),
        others: [
            sibling(0),
            sibling(1),
            (plane >= 1).then(|| &planes[0][o]),
            (plane >= 2).then(|| &planes[1][o]),
        ],
    }
}

impl Wish<'_> {
    /// Whether a block is worth coding.
    fn fills(
        self,
        columns: std::ops::Range<usize>,
        rows: std::ops::Range<usize>,
        width: usize,
    ) -> bool {
        let block =
            rows.flat_map(|y| &self.exact[y * width + columns.start..y * width + columns.end]);
        if self.lambda == 0 {
            return block.into_iter().any(|x| x.unsigned_abs() >= 128);
        }
        let mut gain = 0_i64;
        for x in block {
            let x = i64::from(x.unsigned_abs());
            let q = (x + 100) >> 8;
            if q > 0 {
                // Squared steps times 2^16; about six bits for a coefficient among zeros.
                let saved = (q << 8) * (2 * x - (q << 8)) - i64::from(self.lambda) * (6 << 8);
                gain = gain.saturating_add(saved.max(0));
            }
        }
        gain > i64::from(self.lambda) * (4 << 8)
    }
}

/// Probability that magnitude decision `bin` is true, with the mixture's inputs.
#[inline]
fn predict(
    tables: Tables,
    state: &State,
    context: &Context,
    bin: usize,
) -> (u32, [i32; INPUTS], usize) {
    let at = context.at.map(|index| index + bin);
    let inputs = tables.inputs(&state.slots, &at);
    let set = bin * 8 + context.expected / 4;
    (mix(&inputs, &state.weights[set]), inputs, set)
}

/// Codes one coefficient.
#[inline]
fn code<C: Coder>(
    coder: &mut C,
    tables: Tables,
    state: &mut State,
    context: &Context,
    wanted: Option<(i32, u32)>,
) -> i32 {
    let value = wanted.map_or(0, |(exact, lambda)| {
        choose(tables, state, context, exact, lambda)
    });
    let target = value.unsigned_abs();
    let mut magnitude = 0_u32;
    while magnitude < ESCAPE {
        let bin = (magnitude as usize).min(BINS - 1);
        let (p, inputs, set) = predict(tables, state, context, bin);
        let more = coder.bit(p, target > magnitude);
        learn(&inputs, &mut state.weights[set], p, more);
        for index in context.at {
            state.slots[index + bin].update(more, tables);
        }
        if !more {
            break;
        }
        magnitude += 1;
    }
    if magnitude == 0 {
        return 0;
    }
    if magnitude == ESCAPE {
        let row = context.expected / 4 * 32;
        let slots = &mut state.escapes[row..row + 32];
        magnitude += golomb(coder, tables, slots, target.saturating_sub(ESCAPE));
    }
    let slot = &mut state.signs[context.sign];
    let negative = coder.bit(slot.p16(), value < 0);
    slot.update(negative, tables);
    if negative {
        -(magnitude as i32)
    } else {
        magnitude as i32
    }
}

/// Codes a number below 2^24 by the length of its binary form and its bits, the two highest adaptive.
pub(super) fn golomb<C: Coder>(
    coder: &mut C,
    tables: Tables,
    slots: &mut [Slot],
    value: u32,
) -> u32 {
    const LONGEST: u32 = 24;
    let value = value.min((1 << LONGEST) - 2) + 1;
    let wanted = value.ilog2();
    let mut length = 0;
    while length < LONGEST - 1 {
        let slot = &mut slots[length as usize];
        let more = coder.bit(slot.p16(), wanted > length);
        slot.update(more, tables);
        if !more {
            break;
        }
        length += 1;
    }
    let mut found = 1_u32;
    for position in (0..length).rev() {
        let wanted = value >> position & 1 == 1;
        let bit = if position + 1 == length {
            let slot = &mut slots[24 + (length as usize).min(7)];
            let bit = coder.bit(slot.p16(), wanted);
            slot.update(bit, tables);
            bit
        } else {
            coder.bit(1 << 15, wanted)
        };
        found = found << 1 | u32::from(bit);
    }
    found - 1
}

/// The value near `exact` (in 1/256 steps) with the least squared error plus `lambda` times bits.
#[inline]
fn choose(tables: Tables, state: &State, context: &Context, exact: i32, lambda: u32) -> i32 {
    let x = exact.unsigned_abs();
    let nearest = (x + 128) >> 8;
    if nearest == 0 {
        return 0;
    }
    let sign = exact.signum();
    if lambda == 0 || nearest > 12 {
        return nearest as i32 * sign;
    }
    // Bits of the magnitudes 0..=nearest, the sign counted as one bit; in 1/256.
    let mut best = (u64::MAX, 0_u32);
    let mut prefix = 0_u32;
    for magnitude in 0..=nearest {
        let (p, _, _) = predict(tables, state, context, (magnitude as usize).min(BINS - 1));
        if magnitude == 0 || magnitude + 2 > nearest {
            let bits = prefix + cost(p, false) + if magnitude > 0 { 256 } else { 0 };
            let error = u64::from(x.abs_diff(magnitude << 8));
            let total = error * error + u64::from(lambda) * u64::from(bits);
            if total < best.0 {
                best = (total, magnitude);
            }
        }
        prefix += cost(p, true);
    }
    best.1 as i32 * sign
}
