//! The states that the coder starts from, learnt from pictures and built in.

use super::low::LOW_SLOTS;
use super::mix::Slot;
use super::state::{GROUPS, State};
use std::sync::LazyLock;

/// Version of the built-in states; a file names the one that it was coded with.
pub(super) const VERSION: u8 = 1;

/// The starting states of every group.
struct Prior {
    states: Vec<State>,
    low: Vec<Slot>,
}

static PRIOR: LazyLock<Prior> = LazyLock::new(|| Prior {
    states: vec![State::new(); GROUPS],
    low: vec![Slot::NEW; LOW_SLOTS],
});

/// The starting state of a group.
pub(super) fn state(group: usize) -> State {
    PRIOR.states[group].clone()
}

/// The starting slots of the coarsest band.
pub(super) fn low_slots() -> Vec<Slot> {
    PRIOR.low.clone()
}

/// placeholder
pub fn train() {}
