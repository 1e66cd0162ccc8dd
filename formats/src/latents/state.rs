//! Adaptive state of the coder of one tile: the slots and mixture weights of each class of planes.

use super::band::BINS;
use super::fitting::{Magnitude, Samples, Sign};
use super::network::{Network, SIGN_CLASSES, SignNetwork};
use crate::entropy::mix::{INPUTS, SLOT_INPUTS, Slot, WEIGHT_ONE};

/// Magnitudes from here continue with an Exp-Golomb code.
pub(super) const ESCAPE: u32 = 15;
/// Contexts of each input of the mixture.
pub(super) const SIZES: [usize; SLOT_INPUTS] = [64 * 6, 1568, 1014, 351, 13 * 24, 48 * 25];
/// Levels of the expected magnitude.
pub(super) const EXPECTED: usize = 48;
/// Sets of mixture weights: by decision and by expected magnitude.
pub(super) const SETS: usize = BINS * (EXPECTED / 4);
/// Second sets of mixture weights: by decision, orientation, quantiser, and which neighbourhoods are not 0.
pub(super) const SECOND_SETS: usize = BINS * 6 * 8;
/// Contexts of the flag that marks a block as not empty.
pub(super) const FLAGS: usize = 3 * 2 * 2 * 3 * 6;
/// Predictions of a sign, in steps of 1/8, that slots tell apart.
pub(super) const STRENGTHS: usize = 64;
/// Contexts of each input of a sign's mixture: 81 for the signs of four values.
const SIGN_SIZES: [usize; SLOT_INPUTS] = [
    3 * SIGN_CLASSES * STRENGTHS,
    3 * 2 * 81,
    3 * 81,
    3 * 81,
    3 * 81,
    3 * 81,
];
/// Slots of all contexts of signs.
pub(super) const SIGN_SLOTS: usize = SIGN_BASES[SLOT_INPUTS - 1] + SIGN_SIZES[SLOT_INPUTS - 1];
/// Sets of mixture weights of signs.
pub(super) const SIGN_SETS: usize = 3 * SIGN_CLASSES;
/// Expected magnitudes and prefix lengths of an escape.
pub(super) const ESCAPES: usize = 12 * 32;
/// Classes of levels times classes of planes.
pub(super) const GROUPS: usize = 6;

/// Index of the first context of each input of a mixture.
const fn bases(sizes: [usize; SLOT_INPUTS]) -> [usize; SLOT_INPUTS] {
    let mut bases = [0; SLOT_INPUTS];
    let mut index = 1;
    while index < SLOT_INPUTS {
        bases[index] = bases[index - 1] + sizes[index - 1];
        index += 1;
    }
    bases
}

/// Index of the first context of each input.
pub(super) const BASES: [usize; SLOT_INPUTS] = bases(SIZES);
/// Index of the first context of each input of a sign's mixture.
pub(super) const SIGN_BASES: [usize; SLOT_INPUTS] = bases(SIGN_SIZES);
/// Slots of all magnitude contexts.
pub(super) const SLOTS: usize = (BASES[SLOT_INPUTS - 1] + SIZES[SLOT_INPUTS - 1]) * BINS;

/// All adaptive state for one class of planes in one tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) slots: Vec<Slot>,
    pub(super) weights: Vec<[i32; INPUTS]>,
    pub(super) second_weights: Vec<[i32; INPUTS]>,
    pub(super) sign_weights: Vec<[i32; INPUTS]>,
    pub(super) flags: Vec<Slot>,
    pub(super) signs: Vec<Slot>,
    pub(super) escapes: Vec<Slot>,
    /// Networks that predict magnitudes, by orientation; fixed while coding.
    pub(super) networks: [Network; 3],
    /// Networks that predict signs, by orientation; fixed while coding.
    pub(super) sign_networks: [SignNetwork; 3],
    /// Samples collected during training, by orientation.
    pub(super) samples: Option<Box<[Samples<Magnitude>; 3]>>,
    pub(super) sign_samples: Option<Box<[Samples<Sign>; 3]>>,
}

impl State {
    /// Creates an untrained state with equal mixture weights.
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Slot::NEW; SLOTS],
            weights: vec![[WEIGHT_ONE / 8; INPUTS]; SETS],
            second_weights: vec![[WEIGHT_ONE / 8; INPUTS]; SECOND_SETS],
            flags: vec![Slot::NEW; FLAGS],
            signs: vec![Slot::NEW; SIGN_SLOTS],
            escapes: vec![Slot::NEW; ESCAPES],
            networks: Default::default(),
            samples: None,
            sign_weights: vec![[WEIGHT_ONE / 8; INPUTS]; SIGN_SETS],
            sign_networks: Default::default(),
            sign_samples: None,
        }
    }

    /// Group of a plane at a level: finest, second or coarser level, times the first plane and alpha or the other
    /// planes.
    pub(super) fn group(level: u8, chroma: bool) -> usize {
        usize::from(level.clamp(1, 3) - 1) * 2 + usize::from(chroma)
    }
}
