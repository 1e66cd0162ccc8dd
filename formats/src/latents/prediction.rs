//! Prediction of a magnitude decision, and its adaptation.

use super::band::BINS;
use super::state::State;
use super::surroundings::Context;
use crate::entropy::mix::{INPUTS, SLOT_INPUTS, Tables, learn_pair, mix_pair};

/// The inputs of a magnitude decision, and the predicted probability.
pub(super) struct Prediction {
    pub(super) p: u32,
    inputs: [i16; INPUTS],
    at: [usize; SLOT_INPUTS],
    sets: [usize; 2],
}

/// Predicts the probability that magnitude decision `bin` is true.
#[inline(always)]
pub(super) fn predict(tables: Tables, state: &State, context: &Context, bin: usize) -> Prediction {
    let mut at = context.at.map(|index| index + bin);
    let foretold = context.foretold[bin];
    let fine = (foretold + 2048) as usize >> 6;
    at[0] += fine * 6 * BINS;
    let inputs = tables.inputs(&state.slots, &at, foretold);
    let sets = context.sets.map(|set| set * BINS + bin);
    Prediction {
        p: mix_pair(
            &inputs,
            &state.weights[sets[0]],
            &state.second_weights[sets[1]],
        ),
        inputs,
        at,
        sets,
    }
}

/// Adapts to the outcome of a magnitude decision.
#[inline(always)]
pub(super) fn follow(tables: Tables, state: &mut State, prediction: &Prediction, more: bool) {
    let Prediction {
        p,
        inputs,
        at,
        sets,
    } = prediction;
    learn_pair(
        inputs,
        &mut state.weights[sets[0]],
        &mut state.second_weights[sets[1]],
        *p,
        more,
    );
    for index in at {
        state.slots[*index].update(more, tables);
    }
}
