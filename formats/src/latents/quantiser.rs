//! Quantisation with two quantisers, selected by the parity of the coded values so far, and the encoder's choice.
//!
//! Trellis-coded quantisation (M. Marcellin and T. Fischer, 1990) in the form of H. Schwarz et al., "Hybrid video
//! coding with trellis-coded quantization" (2019): the union of both quantisers is twice as dense as each of them.

use super::band::{BINS, BORDER, Band};
use super::prediction::predict;
use super::state::{ESCAPE, State};
use super::surroundings::{Context, Surroundings};
use crate::entropy::mix::{Tables, cost};

/// States of the trellis.
const STATES: usize = 8;
/// Minimum magnitude at which values other than 0 are considered, in 1/256 of a step.
const LEAST: u32 = 80;
/// The next state after an even and after an odd magnitude.
const NEXT: [[u8; 2]; STATES] = [
    [0, 2],
    [5, 7],
    [1, 3],
    [6, 4],
    [2, 0],
    [4, 6],
    [3, 1],
    [7, 5],
];

/// State that selects the quantiser: the first has the even multiples of the step, the second 0 and the odd ones.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quantiser(u8);

impl Quantiser {
    pub(super) fn second(self) -> bool {
        self.0 & 1 == 1
    }

    /// Returns the multiple of the step for a coded number.
    #[inline]
    pub(super) fn value(self, index: i32) -> i32 {
        2 * index - i32::from(self.second()) * index.signum()
    }

    #[inline]
    pub(super) fn next(self, index: i32) -> Self {
        Self(NEXT[usize::from(self.0)][(index & 1) as usize])
    }

    /// Returns the largest coded magnitude not above `x`, in 1/256 of a step.
    fn below(self, x: u32) -> u32 {
        (x + u32::from(self.second()) * 256) / 512
    }

    /// Returns the coded value nearest to `exact`, in 1/256 of a step.
    pub(super) fn nearest(self, exact: i32) -> i32 {
        let x = exact.unsigned_abs();
        let error = |index: u32| x.abs_diff(self.value(index as i32) as u32 * 256);
        let below = self.below(x);
        let best = if error(below + 1) < error(below) {
            below + 1
        } else {
            below
        };
        exact.signum() * self.value(best as i32)
    }
}

/// A row of coefficients to be quantised.
pub(super) struct Row<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) tables: Tables,
    pub(super) y: usize,
    /// In 1/256 of a step.
    pub(super) exact: &'a [i32],
    /// Price of a bit in squared steps, times 2^8.
    pub(super) lambda: u32,
}

/// The cheapest path to a state: its cost, the last value, and the state before it.
#[derive(Clone, Copy)]
struct Way {
    total: u64,
    value: i32,
    from: u8,
}

/// An unreachable state.
const NONE: Way = Way {
    total: u64::MAX,
    value: 0,
    from: 0,
};

impl Row<'_> {
    /// Chooses the values at `columns` that minimise squared error plus price of bits, by Viterbi's algorithm over the
    /// states, with adaptive state frozen.
    pub(super) fn choose(
        &self,
        state: &State,
        own: &mut Band,
        columns: &[usize],
        start: Quantiser,
        plan: &mut Vec<i32>,
    ) {
        let mut before = [NONE; STATES];
        before[usize::from(start.0)].total = 0;
        let mut known: Vec<Rates> = Vec::with_capacity(STATES);
        let mut ways: Vec<[Way; STATES]> = Vec::with_capacity(columns.len());
        for (index, &x) in columns.iter().enumerate() {
            let at = (self.y + BORDER) * self.around.stride + x + BORDER;
            let mut next = [NONE; STATES];
            known.clear();
            for (from, way) in before.iter().enumerate() {
                if way.total == u64::MAX {
                    continue;
                }
                let quantiser = Quantiser(from as u8);
                let key = (quantiser.second(), last(&ways, columns, index, from));
                let same = known.iter().position(|rates| rates.key == key);
                let same = same.unwrap_or_else(|| {
                    [own.magnitudes[at - 1], own.magnitudes[at - 2]] = key.1;
                    let (tables, y) = (self.tables, self.y);
                    let context = self.around.context(state, tables, own, at, x, y, key.0);
                    known.push(Rates::new(key, context));
                    known.len() - 1
                });
                self.extend(
                    state,
                    &mut known[same],
                    self.exact[x],
                    (quantiser, way.total),
                    &mut next,
                );
            }
            before = next;
            ways.push(next);
        }
        let best = (0..STATES).min_by_key(|state| before[*state].total);
        let mut place = best.unwrap_or(0);
        plan.clear();
        plan.extend(ways.iter().rev().map(|ways| {
            let way = ways[place];
            place = usize::from(way.from);
            way.value
        }));
        plan.reverse();
    }

    /// Extends the path from one state with 0 and with the values nearest to `exact`.
    fn extend(
        &self,
        state: &State,
        rates: &mut Rates,
        exact: i32,
        (quantiser, total): (Quantiser, u64),
        next: &mut [Way; STATES],
    ) {
        let size = exact.unsigned_abs();
        let below = quantiser.below(size);
        let above = (below > 0 || size >= LEAST).then_some(below + 1);
        let zero = (below <= 2).then_some(0);
        let below = (below > 0).then_some(below);
        for magnitude in [zero, below, above].into_iter().flatten() {
            let value = quantiser.value(magnitude as i32);
            let error = u64::from(size.abs_diff(value as u32 * 256));
            let bits = rates.of(self.tables, state, magnitude);
            let way = Way {
                total: total + error * error + u64::from(self.lambda) * u64::from(bits),
                value: exact.signum() * value,
                from: quantiser.0,
            };
            let to = &mut next[usize::from(quantiser.next(magnitude as i32).0)];
            if way.total < to.total {
                *to = way;
            }
        }
    }
}

/// Returns the magnitudes one and two columns before on the path to `state` at `index`.
fn last(ways: &[[Way; STATES]], columns: &[usize], index: usize, state: usize) -> [u8; 2] {
    let mut place = state;
    let mut last = [0; 2];
    for (back, last) in (1..=index).zip(&mut last) {
        // Blocks are wider than two columns: where one column is missing, so is the one before.
        if columns[index - back] + back == columns[index] {
            let way = ways[index - back][place];
            *last = way.value.unsigned_abs().min(255) as u8;
            place = usize::from(way.from);
        }
    }
    last
}

/// Bits of the magnitudes in one context, in 1/256, computed on demand.
struct Rates {
    /// Dependencies of the context besides the position: whether the second quantiser is next, and the last magnitudes.
    key: (bool, [u8; 2]),
    context: Context,
    /// Bits of each decision: false, true.
    decisions: [[u32; 2]; BINS],
    known: usize,
}

impl Rates {
    fn new(key: (bool, [u8; 2]), context: Context) -> Self {
        Self {
            key,
            context,
            decisions: [[0; 2]; BINS],
            known: 0,
        }
    }

    fn of(&mut self, tables: Tables, state: &State, magnitude: u32) -> u32 {
        let needed = (magnitude as usize).min(BINS - 1) + 1;
        for bin in self.known..needed {
            let p = predict(tables, state, &self.context, bin).p;
            self.decisions[bin] = [cost(p, false), cost(p, true)];
        }
        self.known = self.known.max(needed);
        let yes = |bin: u32| self.decisions[(bin as usize).min(BINS - 1)][1];
        let short = magnitude.min(ESCAPE);
        let mut bits: u32 = (0..short.min(BINS as u32 - 1)).map(yes).sum();
        bits += short.saturating_sub(BINS as u32 - 1) * self.decisions[BINS - 1][1];
        if magnitude < ESCAPE {
            bits += self.decisions[(magnitude as usize).min(BINS - 1)][0];
        } else {
            bits += 256 + 512 * (magnitude - ESCAPE + 1).ilog2();
        }
        if magnitude > 0 { bits + 256 } else { bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_value_is_within_a_step_and_one_that_the_quantiser_has() {
        for state in 0..STATES as u8 {
            let quantiser = Quantiser(state);
            for exact in (-3000..3000).chain([i32::MIN, i32::MAX]) {
                let value = quantiser.nearest(exact);
                assert!((i64::from(value) * 256 - i64::from(exact)).abs() <= 256);
                let even = value % 2 == 0;
                assert!(value == 0 || even != quantiser.second(), "{value}");
                assert_eq!(quantiser.value((value + value.signum()) / 2), value);
            }
        }
    }

    #[test]
    fn the_document_has_the_states() {
        let document = include_str!("../../SPEC.md");
        for (parity, name) in ["even", "odd"].into_iter().enumerate() {
            let cells: String = NEXT.iter().map(|to| format!(" {} |", to[parity])).collect();
            assert!(
                document.contains(&format!("| M {name} |{cells}")),
                "{cells}"
            );
        }
    }
}
