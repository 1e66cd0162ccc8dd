//! Small networks that predict a coefficient's magnitude and its sign from its neighbours: one hidden layer, integers
//! only. Their weights are trained offline and fixed while coding.

use crate::entropy::mix::Tables;

/// Inputs that a layer adds at once.
pub(super) const LANES: usize = 8;
/// Groups of neighbours that are likely to be 0 together.
const PARTS: usize = 4;
/// Number of inputs: magnitudes and sums of magnitudes around a coefficient.
pub(super) const NEIGHBOURS: usize = LANES * PARTS;
/// Logarithms of the neighbours' magnitudes.
pub(super) type Neighbours = [[i16; LANES]; PARTS];
/// Number of units of the hidden layer.
pub(super) const HIDDEN: usize = 32;
/// Number of outputs: one for each magnitude decision with contexts of its own.
pub(super) const OUTPUTS: usize = super::band::BINS;
/// Upper limit of the hidden units, 16 times [`UNIT`].
const HIDDEN_LIMIT: i16 = 4095;
/// The value 1 in thresholds and outputs.
pub(super) const UNIT: i32 = 256;
/// The value 1 in weights.
pub(super) const WEIGHT: i32 = 8192;
/// The value 1 in logarithms to base 2.
pub(super) const LOG: i32 = 2048;

/// Groups of signed values that are likely to be 0 together.
const SIGNED_PARTS: usize = 6;
/// Number of inputs of a network that predicts signs.
pub(super) const SIGNED: usize = LANES * SIGNED_PARTS;
/// Logarithms of the magnitudes around a coefficient, with the signs of the values.
pub(super) type Signed = [[i16; LANES]; SIGNED_PARTS];
/// Units of its hidden layer.
pub(super) const SIGN_UNITS: usize = 32;
/// Classes of the coefficient's own magnitude: 1, 2, 3 and 4, larger.
pub(super) const SIGN_CLASSES: usize = 4;
/// Limit of these units, twice [`UNIT`].
pub(super) const SIGN_LIMIT: i16 = 512;

/// Computes the inputs of the networks: logarithms of magnitudes and of their sums.
#[inline(always)]
pub(super) fn logarithms(tables: Tables, magnitudes: &[usize; NEIGHBOURS]) -> Neighbours {
    let mut all = Neighbours::default();
    for (log, m) in all.as_flattened_mut().iter_mut().zip(magnitudes) {
        *log = tables.logarithm(*m);
    }
    all
}

/// A network for one orientation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Network {
    /// Indexed by group of neighbours, neighbour, and unit.
    pub(super) hidden: [[[i16; HIDDEN]; LANES]; PARTS],
    /// Indexed by quantiser, the first and the second.
    pub(super) thresholds: [[i16; HIDDEN]; 2],
    /// Indexed by group of eight units, unit, and output.
    pub(super) outputs: [[[i16; OUTPUTS]; 8]; HIDDEN / 8],
    pub(super) offsets: [i16; OUTPUTS],
}

/// Adds the contribution of eight inputs to the sums of a layer's units; sums wrap.
#[inline(always)]
fn add<const N: usize>(sums: &mut [i16; N], inputs: &[i16; LANES], weights: &[[i16; N]; LANES]) {
    // With a known length the compiler would vectorise over inputs instead of units, which takes twice as long.
    let inputs = std::hint::black_box(inputs.as_slice());
    for (input, weights) in inputs.iter().zip(weights) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            let product = (i32::from(*input) * i32::from(*weight)) >> 16;
            *sum = sum.wrapping_add(product as i16);
        }
    }
}

impl Network {
    /// Every number in the order of storage.
    pub(super) fn numbers(&mut self) -> impl Iterator<Item = &mut i16> {
        let hidden = self.hidden.as_flattened_mut().as_flattened_mut();
        let outputs = self.outputs.as_flattened_mut().as_flattened_mut();
        let thresholds = self.thresholds.as_flattened_mut();
        (hidden.iter_mut().chain(thresholds)).chain(outputs.iter_mut().chain(&mut self.offsets))
    }

    /// Returns the stretched probability of each decision, in 1/256, within +-2047. `second` selects the second
    /// quantiser.
    #[inline(always)]
    pub(super) fn outputs(&self, neighbours: &Neighbours, second: bool) -> [i32; OUTPUTS] {
        let mut sums = self.thresholds[usize::from(second)];
        for (part, weights) in neighbours.iter().zip(&self.hidden) {
            // Usually all inputs of a group are 0.
            if part.iter().fold(0, |all, x| all | x) != 0 {
                add(&mut sums, part, weights);
            }
        }
        let mut hidden = [[0_i16; 8]; HIDDEN / 8];
        for (unit, sum) in hidden.as_flattened_mut().iter_mut().zip(sums) {
            *unit = sum.clamp(0, HIDDEN_LIMIT) << 3;
        }
        let mut outputs = self.offsets;
        for (hidden, weights) in hidden.iter().zip(&self.outputs) {
            add(&mut outputs, hidden, weights);
        }
        outputs.map(|output| i32::from(output.clamp(-2047, 2047)))
    }
}

/// A network for one orientation that predicts signs. It is odd: the negative of a picture has the opposite signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignNetwork {
    /// Indexed by group of inputs, input, and unit.
    pub(super) hidden: [[[i16; SIGN_UNITS]; LANES]; SIGNED_PARTS],
    /// Indexed by class of the magnitude, and unit.
    pub(super) outputs: [[i16; SIGN_UNITS]; SIGN_CLASSES],
}

impl Default for SignNetwork {
    fn default() -> Self {
        Self {
            hidden: [[[0; SIGN_UNITS]; LANES]; SIGNED_PARTS],
            outputs: [[0; SIGN_UNITS]; SIGN_CLASSES],
        }
    }
}

impl SignNetwork {
    /// Every number in the order of storage.
    pub(super) fn numbers(&mut self) -> impl Iterator<Item = &mut i16> {
        let hidden = self.hidden.as_flattened_mut().as_flattened_mut();
        hidden.iter_mut().chain(self.outputs.as_flattened_mut())
    }

    /// Returns the stretched probability that the coefficient is negative, in 1/256, within +-2047.
    pub(super) fn output(&self, inputs: &Signed, class: usize) -> i32 {
        let mut sums = [0; SIGN_UNITS];
        for (part, weights) in inputs.iter().zip(&self.hidden) {
            // Often all inputs of a group are 0.
            if part.iter().fold(0, |all, x| all | x) != 0 {
                add(&mut sums, part, weights);
            }
        }
        let mut total = 0;
        for (sum, weight) in sums.iter().zip(&self.outputs[class]) {
            total += i32::from((*sum).clamp(-SIGN_LIMIT, SIGN_LIMIT)) * i32::from(*weight);
        }
        (total / WEIGHT).clamp(-2047, 2047)
    }
}
