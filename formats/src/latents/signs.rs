//! Coding of signs: a small network predicts each sign from the signed values around it, and slots learn how far to trust
//! the network. Everything is odd: the negative of a picture has the opposite predictions.

use super::band::{BORDER, Band};
use super::network::{LANES, SIGN_CLASSES, Signed};
use super::state::{SIGN_BASES, STRENGTHS, State};
use super::surroundings::Surroundings;
use crate::entropy::coder::Coder;
use crate::entropy::mix::{Tables, learn, mix};

/// The class of a magnitude above 0.
fn class(magnitude: u32) -> usize {
    match magnitude {
        0 | 1 => 0,
        2 => 1,
        3 | 4 => 2,
        _ => 3,
    }
}

/// The value at `at` as a signed logarithm.
#[inline(always)]
fn signed(tables: Tables, band: &Band, at: usize) -> i16 {
    tables.logarithm(usize::from(band.magnitudes[at])) * i16::from(band.signs[at])
}

/// Writes the nine values around `at` row by row, from the far to the near side when an end of `turned` is true.
#[inline(always)]
fn window(
    out: &mut [i16],
    tables: Tables,
    band: &Band,
    (at, stride): (usize, usize),
    turned: [bool; 2],
    negative: bool,
) {
    let (across, down) = (
        if turned[0] { -1 } else { 1 },
        if turned[1] { -1 } else { 1 },
    );
    let mut places = out.iter_mut();
    for dy in [-down, 0, down] {
        for dx in [-across, 0, across] {
            let at = at.wrapping_add_signed(dy * stride as isize + dx);
            if let Some(place) = places.next() {
                let value = signed(tables, band, at);
                *place = if negative { -value } else { value };
            }
        }
    }
}

impl Surroundings<'_> {
    /// Returns the inputs of the network for the coefficient at padded index `at`, position (x, y).
    fn signed(&self, tables: Tables, own: &Band, at: usize, x: usize, y: usize) -> Signed {
        let mut all = Signed::default();
        let flat = all.as_flattened_mut();
        let stride = self.stride;
        let near = [
            1,
            stride,
            stride + 1,
            stride - 1,
            2,
            2 * stride,
            stride + 2,
            stride - 2,
        ];
        let far = [2 * stride + 1, 2 * stride - 1, 2 * stride + 2];
        for (place, back) in flat.iter_mut().zip(near.into_iter().chain(far)) {
            *place = signed(tables, own, at - back);
        }
        if let Some(band) = self.others[2] {
            window(
                &mut flat[11..20],
                tables,
                band,
                (at, stride),
                [false; 2],
                false,
            );
        }
        if let Some(band) = self.others[3] {
            flat[20] = signed(tables, band, at);
        }
        let diagonal = self.orientation == 2;
        if diagonal {
            for (start, other) in [21, 30].into_iter().zip(self.others) {
                if let Some(band) = other {
                    window(
                        &mut flat[start..start + 9],
                        tables,
                        band,
                        (at, stride),
                        [false; 2],
                        false,
                    );
                }
            }
        }
        if let Some((bands, stride, px, py)) = self.parent {
            let at = (py + y / 2 + BORDER) * stride + px + x / 2 + BORDER;
            // The near side comes last, and a band that is odd where this one is even changes its sign with the side.
            let turned = [x & 1 == 0, y & 1 == 0];
            let odd = |o: usize| [o != 1, o != 0];
            let own = odd(self.orientation);
            let start = if diagonal { 39 } else { 21 };
            for turn in 0..if diagonal { 1 } else { 3 } {
                let o = (self.orientation + turn) % 3;
                let other = odd(o);
                let change = |axis: usize| own[axis] != other[axis] && turned[axis];
                let place = start + 9 * turn;
                let negative = change(0) != change(1);
                window(
                    &mut flat[place..place + 9],
                    tables,
                    &bands[o],
                    (at, stride),
                    turned,
                    negative,
                );
            }
        }
        all
    }
}

/// Where a coefficient is.
pub(super) struct Place<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) own: &'a Band,
    /// Padded index, column and row.
    pub(super) at: usize,
    pub(super) x: usize,
    pub(super) y: usize,
}

/// Codes whether a coefficient of a `magnitude` above 0 is negative.
pub(super) fn code<C: Coder>(
    coder: &mut C,
    tables: Tables,
    state: &mut State,
    place: &Place<'_>,
    magnitude: u32,
    negative: bool,
) -> bool {
    let Place {
        around,
        own,
        at,
        x,
        y,
    } = *place;
    let (o, class) = (around.orientation, class(magnitude));
    let signed = around.signed(tables, own, at, x, y);
    if let Some(samples) = &mut state.sign_samples {
        samples[o].add((signed, class as u8, negative));
    }
    let output = state.sign_networks[o].output(&signed, class);
    // Coded is whether the network is right, so that both signs share the slots.
    let wrong = output < 0;
    let signs = |places: [usize; 4]| {
        let digits = places.map(|place| signed[place / LANES][place % LANES].signum() + 1);
        let number = digits
            .iter()
            .fold(0, |all, &digit| all * 3 + digit as usize);
        if wrong { 80 - number } else { number }
    };
    let size = output.unsigned_abs() as usize;
    let each = [
        (o * SIGN_CLASSES + class) * STRENGTHS + (size >> 5).min(STRENGTHS - 1),
        (signs([0, 1, 15, 20]) * 3 + o) * 2 + usize::from(class > 0),
        signs([2, 3, 4, 5]) * 3 + o,
        signs([12, 14, 16, 18]) * 3 + o,
        signs([25, 26, 28, 34]) * 3 + o,
        signs([22, 24, 33, 43]) * 3 + o,
    ];
    let slots = std::array::from_fn(|input| SIGN_BASES[input] + each[input]);
    let inputs = tables.inputs(&state.signs, &slots, size as i32);
    let weights = &mut state.sign_weights[o * SIGN_CLASSES + class];
    let p = mix(&inputs, weights);
    let right = coder.bit(p, negative != wrong);
    learn(&inputs, weights, p, right);
    for slot in slots {
        state.signs[slot].update(right, tables);
    }
    right != wrong
}
