//! What the coder of one tile learns: the adaptive slots and mixture weights of each class of planes.

use super::band::BINS;
use super::fitting::Samples;
use super::network::Network;
use crate::entropy::mix::{INPUTS, SLOT_INPUTS, Slot, WEIGHT_ONE};

/// Magnitudes from here on continue with an Exp-Golomb code.
pub(super) const ESCAPE: u32 = 15;
/// Contexts of each input of the mixture.
pub(super) const SIZES: [usize; SLOT_INPUTS] = [64 * 6, 1568, 1014, 351, 13 * 24, 48 * 25];
/// Levels of the expected magnitude.
pub(super) const EXPECTED: usize = 48;
/// Sets of mixture weights: by decision and by expected magnitude.
pub(super) const SETS: usize = BINS * (EXPECTED / 4);
/// Second sets of mixture weights: by decision, orientation, quantiser, and where something is around.
pub(super) const SECOND_SETS: usize = BINS * 6 * 8;
/// Contexts of the flag that says whether a block holds anything.
pub(super) const FLAGS: usize = 3 * 2 * 2 * 3 * 6;
/// Contexts of a sign.
pub(super) const SIGNS: usize = 27 * 9;
/// Expected magnitudes and prefix lengths of an escape.
pub(super) const ESCAPES: usize = 12 * 32;
/// Classes of levels times classes of planes.
pub(super) const GROUPS: usize = 6;

/// Where each input's contexts start.
pub(super) const BASES: [usize; SLOT_INPUTS] = {
    let mut bases = [0; SLOT_INPUTS];
    let mut index = 1;
    while index < SLOT_INPUTS {
        bases[index] = bases[index - 1] + SIZES[index - 1];
        index += 1;
    }
    bases
};
/// Slots of all magnitude contexts.
pub(super) const SLOTS: usize = (BASES[SLOT_INPUTS - 1] + SIZES[SLOT_INPUTS - 1]) * BINS;

/// Everything adaptive about one class of planes in one tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) slots: Vec<Slot>,
    pub(super) weights: Vec<[i32; INPUTS]>,
    pub(super) second_weights: Vec<[i32; INPUTS]>,
    pub(super) flags: Vec<Slot>,
    pub(super) signs: Vec<Slot>,
    pub(super) escapes: Vec<Slot>,
    /// What foretells magnitudes, by orientation; fixed while coding.
    pub(super) networks: [Network; 3],
    /// Where a training collects what magnitudes depend on, by orientation.
    pub(super) samples: Option<Box<[Samples; 3]>>,
}

impl State {
    /// A state that knows nothing yet but which neighbours matter.
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Slot::NEW; SLOTS],
            weights: vec![[WEIGHT_ONE / 8; INPUTS]; SETS],
            second_weights: vec![[WEIGHT_ONE / 8; INPUTS]; SECOND_SETS],
            flags: vec![Slot::NEW; FLAGS],
            signs: vec![Slot::NEW; SIGNS],
            escapes: vec![Slot::NEW; ESCAPES],
            networks: Default::default(),
            samples: None,
        }
    }

    /// The group of a plane at a level: finest, second, coarser levels; the first plane and the alpha, other planes.
    pub(super) fn group(level: u8, chroma: bool) -> usize {
        usize::from(level.clamp(1, 3) - 1) * 2 + usize::from(chroma)
    }
}
