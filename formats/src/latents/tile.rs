//! Coding of one tile of one level: three orientations of every plane, with contexts from the neighbourhood, the
//! coarser level, the other orientations and the other planes.

use super::band::{BINS, BLOCK, BORDER, Tile};
use super::network;
use super::prediction::{follow, predict};
use super::quantiser::{Quantiser, Row};
use super::signs::{self, Place};
use super::state::{ESCAPE, State};
use super::surroundings::{Context, Parent, Surroundings};
use crate::entropy::coder::Coder;
use crate::entropy::mix::{Slot, Tables};

/// Input of an encoder: coefficients in 1/256 of the step, and the price of a bit.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// The coefficients of the band, row by row.
    pub(super) exact: &'a [i32],
    /// Price of a bit in squared steps, times 2^8; 0 rounds to the nearest.
    pub(super) lambda: u32,
}

/// Codes one tile; the decoded or chosen coefficients are stored in `tile`.
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
        let mut around = Surroundings::new(&self.tile, self.parent, plane, o);
        let stride = around.stride;
        let (width, height) = (own.width, own.height);
        let columns = width.div_ceil(BLOCK);
        let mut above = vec![false; columns];
        let (mut filled, mut plan) = (Vec::new(), Vec::new());
        let mut quantiser = Quantiser::default();
        for block_y in 0..height.div_ceil(BLOCK) {
            // Data decoded past the end of a segment is meaningless and may be long.
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
            filled.clear();
            let blocks = above.iter().enumerate().filter(|(_, filled)| **filled);
            filled.extend(blocks.flat_map(|(x, _)| x * BLOCK..((x + 1) * BLOCK).min(width)));
            for y in top..bottom {
                let line = y * width..(y + 1) * width;
                if let Some(wish) = wish.filter(|wish| wish.lambda > 0) {
                    let row = Row {
                        around: &around,
                        tables: self.tables,
                        y,
                        exact: &wish.exact[line.clone()],
                        lambda: wish.lambda,
                    };
                    row.choose(state, &mut own, &filled, quantiser, &mut plan);
                }
                for (index, &x) in filled.iter().enumerate() {
                    let at = (y + BORDER) * stride + x + BORDER;
                    let second = quantiser.second();
                    let context = around.context(state, self.tables, &own, at, x, y, second);
                    let wanted = wish.map_or(0, |wish| match wish.lambda {
                        0 => quantiser.nearest(wish.exact[line.start + x]),
                        _ => plan[index],
                    });
                    if let Some(samples) = &mut state.samples {
                        let m = around.neighbours(&own.magnitudes, at, x, y);
                        let magnitude = wanted.unsigned_abs().div_ceil(2).min(255) as u8;
                        let m = network::logarithms(self.tables, &m);
                        samples[o].add((m, second, magnitude));
                    }
                    let place = Place {
                        around: &around,
                        own: &own,
                        at,
                        x,
                        y,
                    };
                    let index = code(self.coder, self.tables, state, &context, wanted, &place);
                    let value = quantiser.value(index);
                    quantiser = quantiser.next(index);
                    own.values[line.start + x] = value;
                    own.magnitudes[at] = value.unsigned_abs().min(255) as u8;
                    own.signs[at] = value.signum() as i8;
                }
                let start = (y + BORDER) * stride + BORDER;
                around.follow(&own.magnitudes[start..start + width]);
            }
        }
        self.tile.planes[plane][o] = own;
    }
}

impl Wish<'_> {
    /// Whether coding the block is cheaper than marking it empty.
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
            let v = (x + 200) >> 9 << 9;
            if v > 0 {
                // Squared steps times 2^16; assumes four bits for a coefficient among zeros.
                let saved = v * (2 * x - v) - i64::from(self.lambda) * (4 << 8);
                gain = gain.saturating_add(saved.max(0));
            }
        }
        gain > i64::from(self.lambda) * (2 << 8)
    }
}

/// Codes one coefficient.
#[inline]
fn code<C: Coder>(
    coder: &mut C,
    tables: Tables,
    state: &mut State,
    context: &Context,
    value: i32,
    place: &Place<'_>,
) -> i32 {
    let target = value.unsigned_abs().div_ceil(2);
    let mut magnitude = 0_u32;
    while magnitude < ESCAPE {
        let bin = (magnitude as usize).min(BINS - 1);
        let prediction = predict(tables, state, context, bin);
        let more = coder.bit(prediction.p, target > magnitude);
        follow(tables, state, &prediction, more);
        if !more {
            break;
        }
        magnitude += 1;
    }
    if magnitude == 0 {
        return 0;
    }
    if magnitude == ESCAPE {
        let row = context.sets[0] * 32;
        let slots = &mut state.escapes[row..row + 32];
        magnitude += golomb(coder, tables, slots, target.saturating_sub(ESCAPE));
    }
    let negative = signs::code(coder, tables, state, place, magnitude, value < 0);
    if negative {
        -(magnitude as i32)
    } else {
        magnitude as i32
    }
}

/// Codes a number below 2^24: the length of its binary form, then its bits, with adaptive probabilities for the two
/// highest.
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
