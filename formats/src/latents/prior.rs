//! Starting states of the coder, trained on pictures and built in.

use std::sync::LazyLock;

use super::low::LOW_SLOTS;
use super::state::{GROUPS, State};
use super::{Exact, Latents, Tile, code_low_with};
use crate::entropy::coder::{Coder, PROBABILITY_BITS};
use crate::entropy::mix::{Slot, Tables};
use crate::error::FormatError;

/// Version of the built-in states; a file records the version that it was coded with.
pub(super) const VERSION: u8 = 1;
/// The built-in states as a zstd frame: see [`store`].
static BUILT_IN: &[u8] = include_bytes!("prior.bin");
/// Maximum observation count of a starting slot; a low limit lets the picture's own statistics take over quickly.
const TRUST: u32 = 24;
/// Observation counts that a stored slot can have.
const COUNTS: [u32; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 255, 1023];

/// The starting states of all groups.
struct Prior {
    states: Vec<State>,
    low: Vec<Slot>,
}

static PRIOR: LazyLock<Prior> = LazyLock::new(|| {
    let mut prior = Prior::blank();
    // The built-in states fit; a build without them, or with others, starts from blank states.
    if let Ok(bytes) = zstd::bulk::decompress(BUILT_IN, 1 << 24) {
        let mut rest = bytes.as_slice();
        prior.each(&mut |field| {
            let Some((two, tail)) = rest.split_first_chunk::<2>() else {
                return;
            };
            rest = tail;
            field.set(u16::from_le_bytes(*two));
        });
    }
    prior
});

/// A number in the states, stored as 16 bits.
enum Field<'a> {
    Slot(&'a mut Slot),
    /// A weight, stored in units of 16.
    Weight(&'a mut i32),
    /// A number of a network, stored unchanged.
    Fixed(&'a mut i16),
}

impl Field<'_> {
    fn set(self, stored: u16) {
        match self {
            Self::Slot(slot) => {
                let count = COUNTS[usize::from(stored & 15)].min(TRUST);
                *slot = Slot::with(u32::from(stored >> 4), count);
            }
            Self::Weight(weight) => *weight = i32::from(stored as i16) * 16,
            Self::Fixed(number) => *number = stored as i16,
        }
    }

    fn stored(&self) -> u16 {
        match self {
            Self::Slot(slot) => {
                let below = COUNTS.iter().rposition(|&count| count <= slot.count());
                (slot.p12() << 4) as u16 | below.unwrap_or(0) as u16
            }
            Self::Weight(weight) => (**weight / 16).clamp(-32_768, 32_767) as i16 as u16,
            Self::Fixed(number) => **number as u16,
        }
    }
}

impl Prior {
    fn blank() -> Self {
        Self {
            states: vec![State::new(); GROUPS],
            low: vec![Slot::NEW; LOW_SLOTS],
        }
    }

    /// Visits every number in the order of storage.
    fn each(&mut self, visit: &mut impl FnMut(Field<'_>)) {
        for state in &mut self.states {
            for weights in [
                &mut state.weights,
                &mut state.second_weights,
                &mut state.sign_weights,
            ] {
                let weights = weights.as_flattened_mut().iter_mut();
                weights.for_each(|weight| visit(Field::Weight(weight)));
            }
            for network in &mut state.networks {
                let numbers = network.numbers();
                numbers.for_each(|number| visit(Field::Fixed(number)));
            }
            for network in &mut state.sign_networks {
                network
                    .numbers()
                    .for_each(|number| visit(Field::Fixed(number)));
            }
            for slots in [
                &mut state.slots,
                &mut state.flags,
                &mut state.signs,
                &mut state.escapes,
            ] {
                slots.iter_mut().for_each(|slot| visit(Field::Slot(slot)));
            }
        }
        self.low
            .iter_mut()
            .for_each(|slot| visit(Field::Slot(slot)));
    }
}

/// The starting state of a group.
pub(super) fn state(group: usize) -> State {
    PRIOR.states[group].clone()
}

/// The starting slots of the coarsest band.
pub(super) fn low_slots() -> Vec<Slot> {
    PRIOR.low.clone()
}

/// Follows every decision and sums the code lengths.
struct Meter(f64);

impl Coder for Meter {
    fn bit(&mut self, p: u32, bit: bool) -> bool {
        let p = p.clamp(24, (1 << PROBABILITY_BITS) - 24);
        let p = if bit { p } else { (1 << PROBABILITY_BITS) - p };
        self.0 -= (f64::from(p) / f64::from(1 << PROBABILITY_BITS)).log2();
        bit
    }
}

/// Trains starting states on the coefficients of `pictures`; returns them in the form of `prior.bin`, and the mean bits
/// per coefficient of each round. The latents must have been coded with the states of this build.
///
/// # Errors
/// Same as decoding, and [`FormatError::Encode`] when zstd fails.
pub fn train(pictures: &[Latents]) -> Result<(Vec<u8>, Vec<f64>), FormatError> {
    let mut prior = Prior::blank();
    for state in &mut prior.states {
        state.samples = Some(Box::default());
        state.sign_samples = Some(Box::default());
    }
    let mut report = Vec::new();
    for round in 0..3 {
        let mut meter = Meter(0.0);
        let mut count = 0.0;
        for latents in pictures {
            learn(latents, &mut prior, &mut meter)?;
            count += f64::from(latents.partition.width) * f64::from(latents.partition.height);
        }
        report.push(meter.0 / count);
        // The first round trains the networks, the later rounds the remaining states for these networks.
        if round == 0 {
            let mut fresh = Prior::blank();
            std::thread::scope(|scope| {
                for (state, known) in fresh.states.iter_mut().zip(&mut prior.states) {
                    scope.spawn(|| {
                        if let (Some(magnitudes), Some(signs)) =
                            (known.samples.take(), known.sign_samples.take())
                        {
                            state.networks = magnitudes.map(|mut samples| samples.fit());
                            state.sign_networks = signs.map(|mut samples| samples.fit());
                        }
                    });
                }
            });
            prior = fresh;
        }
    }
    Ok((store(&mut prior)?, report))
}

/// Codes a picture's coefficients with the states of `prior`, which adapt to them.
fn learn(latents: &Latents, prior: &mut Prior, meter: &mut Meter) -> Result<(), FormatError> {
    let partition = latents.partition;
    let mut low = latents.decode_low()?;
    let width = partition.size(partition.levels).0;
    code_low_with(meter, width, &mut low, &mut prior.low, Tables::training());
    let mut parents: Vec<Tile> = Vec::new();
    for level in (1..=partition.levels).rev() {
        let (columns, rows) = partition.tiles(level);
        let coarser = if level < partition.levels {
            partition.tiles(level + 1).0
        } else {
            0
        };
        let mut tiles = Vec::new();
        for index in 0..columns * rows {
            let (x, y) = (index % columns, index / columns);
            let parent = parents.get(y / 2 * coarser + x / 2);
            let tile = latents.decode_tile(level, (x, y), parent)?;
            let exact: Vec<[Exact; 3]> = tile
                .planes
                .iter()
                .map(|bands| {
                    std::array::from_fn(|o| {
                        bands[o]
                            .values
                            .iter()
                            .map(|q| q.saturating_mul(256))
                            .collect()
                    })
                })
                .collect();
            let lambda = vec![0.0; exact.len()];
            let group = State::group(level, false);
            let states = &mut prior.states[group..group + 2];
            let empty = partition.empty_tile(level, x, y);
            if let Ok(states) = states.try_into() {
                partition.code_with(
                    meter,
                    empty,
                    (x, y),
                    parent,
                    Some((&exact, &lambda)),
                    states,
                    Tables::training(),
                );
            }
            tiles.push(tile);
        }
        parents = tiles;
    }
    Ok(())
}

/// Serialises every number as 16 bits, in a zstd frame.
fn store(prior: &mut Prior) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    prior.each(&mut |field| bytes.extend_from_slice(&field.stored().to_le_bytes()));
    zstd::bulk::compress(&bytes, 19).map_err(|error| FormatError::Encode {
        chunk: crate::chunk_kind::ChunkKind::GRID,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks `prior.bin` against the document.
    #[test]
    fn the_built_in_states_are_those_of_the_document() {
        let document = include_str!("../../SPEC.md");
        let bytes = zstd::bulk::decompress(BUILT_IN, 1 << 24).expect("a zstd frame");
        let mut count = 0;
        Prior::blank().each(&mut |_| count += 1);
        assert_eq!(bytes.len(), 2 * count);
        for part in [
            format!("{:08x}", crc32fast::hash(BUILT_IN)),
            format!("{:08x}", crc32fast::hash(&bytes)),
            format!("{},{:03} u16", count / 1000, count % 1000),
            format!(
                "{},{:03} bytes",
                BUILT_IN.len() / 1000,
                BUILT_IN.len() % 1000
            ),
            format!(
                "| magnitude slots | {} × 8 |",
                super::super::state::SLOTS / 8
            ),
        ] {
            assert!(document.contains(&part), "{part}");
        }
    }

    #[test]
    fn the_built_in_states_are_stored_as_they_are() {
        let bytes = zstd::bulk::decompress(BUILT_IN, 1 << 24).expect("a zstd frame");
        let mut stored = Vec::new();
        let mut prior = Prior {
            states: (0..GROUPS).map(state).collect(),
            low: low_slots(),
        };
        prior.each(&mut |field| {
            // Counts above the limit are lost.
            let mask = if matches!(field, Field::Slot(_)) {
                !15
            } else {
                !0
            };
            stored.push(field.stored() & mask);
        });
        let mut index = 0;
        Prior::blank().each(&mut |field| {
            let mask = if matches!(field, Field::Slot(_)) {
                !15
            } else {
                !0
            };
            let wanted = u16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]);
            assert_eq!(stored[index], wanted & mask, "{index}");
            index += 1;
        });
    }
}
