//! Entropy coding of integers: binary decisions, each with an adaptive probability.

pub(crate) mod coder;
pub(crate) mod mix;

/// Quantises a count or sum of magnitudes to about two steps per octave.
#[inline]
pub(crate) fn octave(value: u32, most: usize) -> usize {
    let index = if value < 4 {
        value as usize
    } else {
        let log = value.ilog2() as usize;
        2 * log + (value as usize >> (log - 1) & 1)
    };
    index.min(most)
}

/// Quantises an expectation to four steps per octave, 0..=31; step 0 holds only 0.
#[inline]
pub(crate) fn expectation(value: u32) -> usize {
    let value = value + 4;
    let log = value.ilog2() as usize;
    ((log - 2) * 4 + (value as usize >> (log - 2) & 3)).min(31)
}
