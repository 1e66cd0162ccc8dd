//! Entropy coding of quantised weights: binary decisions with probabilities mixed from the weights coded so far.
//!
//! The weights of one tensor resemble noise with a common scale, and each row and column has a scale of its own: an
//! important neuron has large incoming and outgoing weights. So the coder estimates a magnitude from the running means
//! of its tensor, row and column, and learns the shape of the distribution around the estimate over all tensors
//! together. The contexts' slots start as geometric distributions with the estimated mean; nothing is trained in
//! advance.

use crate::entropy::coder::{Coder, Decoder, Encoder};
use crate::entropy::mix::{INPUTS, Slot, Tables, WEIGHT_ONE, learn, mix};
use crate::entropy::{expectation, octave};
use crate::error::FormatError;

/// Bits of a value, including its sign, that are coded with contexts; the remaining low bits are close to noise.
const SHAPED_BITS: u8 = 6;
/// Maximum number of decisions of a magnitude: "above 0", ..., "above 31".
const BINS: usize = 1 << (SHAPED_BITS - 1);
/// Quantisation steps of an expected magnitude.
const EXPECTED: usize = 32;
/// Kinds of tensor: matrices of the first, hidden and last layers, and biases.
const KINDS: usize = 4;
/// Maximum number of tensors with their own distribution; later ones share the last.
const TENSORS: usize = 32;
/// Contexts of each input of the mixture.
const SIZES: [usize; INPUTS] = [
    EXPECTED,
    EXPECTED,
    EXPECTED / 2 * EXPECTED / 2,
    TENSORS,
    NEAR * NEAR,
    EXPECTED * KINDS,
    EXPECTED * KINDS,
    EXPECTED * EXPECTED / 4,
];
/// Quantisation steps of a neighbour's magnitude.
const NEAR: usize = 12;

/// Position and shape of a tensor in the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Matrix 0, bias 0, matrix 1, ...
    pub(crate) tensor: usize,
    /// Number of tensors.
    pub(crate) tensors: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Bits of each value, 2..=16.
    pub(crate) bits: u8,
}

impl Place {
    /// Number of low bits of a magnitude that are coded without context.
    fn raw_bits(self) -> u8 {
        self.bits.saturating_sub(SHAPED_BITS)
    }

    /// Index of the tensor's own distribution.
    fn own(self) -> usize {
        self.tensor.min(TENSORS - 1)
    }

    fn kind(self) -> usize {
        match self.tensor {
            index if index % 2 == 1 => 3,
            0 => 0,
            index if index + 2 == self.tensors => 2,
            _ => 1,
        }
    }
}

/// All adaptive state.
struct Model<C> {
    coder: C,
    tables: Tables,
    slots: [Vec<Slot>; INPUTS],
    weights: Vec<[i32; INPUTS]>,
    signs: [Slot; TENSORS],
}

/// Initial slot of a context: a geometric distribution with mean `mean` / 16.
fn geometric(mean: u32) -> Slot {
    Slot::with(4096 * mean / (mean + 16), 0)
}

/// Minimum mean magnitude, in 1/16, that [`expectation`] assigns to `step`.
fn mean_of(step: usize) -> u32 {
    ((4 + step as u32 % 4) << (step / 4)) - 4
}

/// Mean in 1/16 of `count` magnitudes of a row or column with this sum, and of `prior` / 16 with the weight of four.
fn line_mean(sum: u64, count: usize, prior: u32) -> u32 {
    ((16 * sum + 4 * u64::from(prior)) / (count as u64 + 4)) as u32
}

impl<C: Coder> Model<C> {
    fn new(coder: C) -> Self {
        let mut slots: [Vec<Slot>; INPUTS] = SIZES.map(|size| vec![Slot::NEW; size * BINS]);
        let mut start = |input: usize, step: &dyn Fn(usize) -> usize| {
            for (context, slots) in slots[input].chunks_exact_mut(BINS).enumerate() {
                slots.fill(geometric(mean_of(step(context)) + 2));
            }
        };
        start(0, &|context| context);
        start(1, &|context| context);
        start(2, &|context| {
            context % (EXPECTED / 2) + context / (EXPECTED / 2)
        });
        start(5, &|context| context / KINDS);
        start(6, &|context| context / KINDS);
        start(7, &|context| context / (EXPECTED / 4));
        Self {
            coder,
            tables: Tables::new(),
            slots,
            weights: vec![[WEIGHT_ONE / 6; INPUTS]; BINS * KINDS],
            signs: [Slot::NEW; TENSORS],
        }
    }

    /// Codes a tensor. `values` is the input of a writer, empty for a reader. Returns the coded values, or `None` when
    /// the bytes ended long before.
    fn tensor(&mut self, place: Place, values: &[i32]) -> Option<Vec<i32>> {
        let Place { rows, columns, .. } = place;
        let (kind, own) = (place.kind(), place.own());
        let mut found = Vec::new();
        let (mut above, mut column_sums) = (vec![0_u32; columns], vec![0_u64; columns]);
        // Prior of the tensor's mean: a quarter of the largest magnitude, with the weight of eight.
        let prior = 2_u64 << place.bits.min(SHAPED_BITS);
        let (mut sum, mut count) = (0_u64, 0_u64);
        for row in 0..rows {
            if self.coder.exhausted() {
                return None;
            }
            let (mut row_sum, mut left, mut corner) = (0_u64, 0_u32, 0_u32);
            for column in 0..columns {
                let mean = ((16 * sum + 8 * prior) / (count + 8)) as u32;
                let of_row = line_mean(row_sum, column, mean);
                let of_column = line_mean(column_sums[column], row, mean);
                let up = above[column];
                let near = (16 * (2 * left + 2 * up + corner) + 3 * mean) / 8;
                let contexts = [
                    expectation(mean),
                    expectation((of_row + of_column) / 2),
                    expectation(of_row) / 2 * (EXPECTED / 2) + expectation(of_column) / 2,
                    own,
                    octave(left, NEAR - 1) * NEAR + octave(up, NEAR - 1),
                    expectation(of_row) * KINDS + kind,
                    expectation(of_column) * KINDS + kind,
                    expectation(near) * (EXPECTED / 4) + expectation(mean) / 4,
                ];
                let wanted = values.get(row * columns + column).copied().unwrap_or(0);
                let (value, magnitude) = self.value(place, contexts, wanted);
                found.push(value);
                row_sum += u64::from(magnitude);
                column_sums[column] += u64::from(magnitude);
                sum += u64::from(magnitude);
                count += 1;
                corner = up;
                left = magnitude;
                above[column] = magnitude;
            }
        }
        Some(found)
    }

    /// Codes a value; returns it and its magnitude without the raw bits.
    fn value(&mut self, place: Place, contexts: [usize; INPUTS], wanted: i32) -> (i32, u32) {
        let (raw, kind) = (place.raw_bits(), place.kind());
        let target = wanted.unsigned_abs() >> raw;
        let most = 1_u32 << (place.bits - raw - 1);
        let mut magnitude = 0_u32;
        while magnitude < most {
            let bin = magnitude as usize;
            let at = contexts.map(|context| context * BINS + bin);
            let mut inputs = [0; INPUTS];
            for ((input, slots), &at) in inputs.iter_mut().zip(&self.slots).zip(&at) {
                *input = self.tables.stretch(slots[at]);
            }
            let weights = &mut self.weights[bin * KINDS + kind];
            let p = mix(&inputs, weights);
            let more = self.coder.bit(p, target > magnitude);
            learn(&inputs, weights, p, more);
            for (slots, &at) in self.slots.iter_mut().zip(&at) {
                slots[at].update(more, self.tables);
            }
            if !more {
                break;
            }
            magnitude += 1;
        }
        let mut whole = magnitude;
        for position in (0..raw).rev() {
            let bit = wanted.unsigned_abs() >> position & 1 == 1;
            whole = whole << 1 | u32::from(self.coder.bit(1 << 15, bit));
        }
        if whole == 0 {
            return (0, magnitude);
        }
        let slot = &mut self.signs[place.own()];
        let negative = self.coder.bit(slot.p16(), wanted < 0);
        slot.update(negative, self.tables);
        let value = if negative {
            -(whole as i32)
        } else {
            whole as i32
        };
        (value, magnitude)
    }
}

/// Codes quantised tensors in stored order.
pub(crate) fn write(tensors: &[(Place, &[i32])]) -> Vec<u8> {
    if tensors.is_empty() {
        return Vec::new();
    }
    let mut model = Model::new(Encoder::new());
    for (place, values) in tensors {
        model.tensor(*place, values);
    }
    model.coder.finish()
}

/// Reads tensors in sequence.
pub(crate) struct Reader<'a>(Model<Decoder<'a>>);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(Model::new(Decoder::new(bytes)))
    }

    /// Returns the values of the next tensor.
    ///
    /// # Errors
    /// [`FormatError::CodedWeights`] when the bytes have ended, [`FormatError::ValueRange`] for a value beyond its bits.
    pub(crate) fn tensor(&mut self, place: Place) -> Result<Vec<i32>, FormatError> {
        let values = self.0.tensor(place, &[]);
        let values = values.filter(|_| !self.0.coder.exhausted());
        let values = values.ok_or(FormatError::CodedWeights { what: "end early" })?;
        let half = 1_i32 << (place.bits - 1);
        match values
            .iter()
            .position(|value| !(-half..half).contains(value))
        {
            None => Ok(values),
            Some(index) => Err(FormatError::ValueRange {
                tensor: place.tensor,
                index,
                value: values[index],
                bits: place.bits,
            }),
        }
    }

    /// Checks that the tensors used all the bytes.
    ///
    /// # Errors
    /// [`FormatError::CodedWeights`] when bytes are left.
    pub(crate) fn finish(&self) -> Result<(), FormatError> {
        if self.0.coder.surplus() {
            return Err(FormatError::CodedWeights {
                what: "have bytes behind them",
            });
        }
        Ok(())
    }
}
