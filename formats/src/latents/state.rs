//! What the coder of one tile learns: the adaptive slots and mixture weights of each class of planes.

use super::regression::Regression;
use crate::entropy::mix::{INPUTS, Slot, WEIGHT_ONE};

/// Decisions of a magnitude that have contexts of their own: "not 0", "above 1", ..., the last shared by all above.
pub(super) const BINS: usize = 8;
/// Magnitudes from here on continue with an Exp-Golomb code.
pub(super) const ESCAPE: u32 = 15;
/// Contexts of each input of the mixture.
pub(super) const SIZES: [usize; INPUTS] = [96, 784, 507, 351, 208, 363, 800, 625];
/// Sets of mixture weights: by decision and by expected magnitude.
pub(super) const SETS: usize = BINS * 8;
/// Contexts of the flag that says whether a block holds anything.
pub(super) const FLAGS: usize = 3 * 2 * 2 * 3 * 6;
/// Contexts of a sign.
pub(super) const SIGNS: usize = 27 * 9;
/// Expected magnitudes and prefix lengths of an escape.
pub(super) const ESCAPES: usize = 8 * 32;
/// Magnitudes around a coefficient from which its own is expected.
pub(super) const NEIGHBOURS: usize = 20;
/// Classes of levels times classes of planes.
pub(super) const GROUPS: usize = 6;

/// Where each input's contexts start.
pub(super) const BASES: [usize; INPUTS] = {
    let mut bases = [0; INPUTS];
    let mut index = 1;
    while index < INPUTS {
        bases[index] = bases[index - 1] + SIZES[index - 1];
        index += 1;
    }
    bases
};
/// Slots of all magnitude contexts.
pub(super) const SLOTS: usize = (BASES[INPUTS - 1] + SIZES[INPUTS - 1]) * BINS;

/// Everything adaptive about one class of planes in one tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) slots: Vec<Slot>,
    pub(super) weights: Vec<[i32; INPUTS]>,
    pub(super) flags: Vec<Slot>,
    pub(super) signs: Vec<Slot>,
    pub(super) escapes: Vec<Slot>,
    /// Weights of the neighbours' magnitudes in the expected one, in 1/1024, by orientation; fixed while coding.
    pub(super) expectation: [[i32; NEIGHBOURS]; 3],
    /// Where a training collects what magnitudes depend on, by orientation.
    pub(super) regression: Option<Box<[Regression; 3]>>,
}

impl State {
    /// A state that knows nothing yet but which neighbours matter.
    pub(super) fn new() -> Self {
        let mut expectation = [[0; NEIGHBOURS]; 3];
        for weights in &mut expectation {
            weights[..8].copy_from_slice(&[180, 180, 80, 80, 60, 60, 30, 30]);
            weights[8..11].copy_from_slice(&[120, 25, 12]);
            weights[11] = 60;
            weights[15] = 60;
        }
        Self {
            slots: vec![Slot::NEW; SLOTS],
            weights: vec![[WEIGHT_ONE / 4; INPUTS]; SETS],
            flags: vec![Slot::NEW; FLAGS],
            signs: vec![Slot::NEW; SIGNS],
            escapes: vec![Slot::NEW; ESCAPES],
            expectation,
            regression: None,
        }
    }

    /// The group of a plane at a level: finest, second, coarser levels; the first plane and the alpha, other planes.
    pub(super) fn group(level: u8, chroma: bool) -> usize {
        usize::from(level.clamp(1, 3) - 1) * 2 + usize::from(chroma)
    }
}
