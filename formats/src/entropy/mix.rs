//! Probabilities of decisions: adaptive slots, mixed in the logistic domain (M. Mahoney, "Adaptive weighing of context
//! models for lossless data compression", 2005). Integers only, so that every machine decodes the same bits.

use std::sync::LazyLock;

/// Number of slots mixed for one decision.
pub(crate) const SLOT_INPUTS: usize = 6;
/// Inputs of a mixture: the slots, the network's output, and a constant.
pub(crate) const INPUTS: usize = SLOT_INPUTS + 2;
/// The constant input.
const BIAS: i16 = 256;
/// Largest number with its own entry in the table of logarithms.
pub(crate) const LARGEST: usize = 1023;
/// Limit of the magnitude of each weight in a pair of sets.
const WEIGHT_LIMIT: i32 = (1 << 19) - 1;
/// Stretched probabilities are ln(p / (1 - p)) in units of 1/256, within +-12.
const STRETCH_LIMIT: i32 = 3071;
/// The value 1 as a weight of the mixture.
pub(crate) const WEIGHT_ONE: i32 = 1 << 16;
/// Maximum number of observations that a slot counts; it sets how fast the slot forgets.
const COUNT_LIMIT: u32 = 255;
/// Maximum count during training of the starting states.
const TRAINING_LIMIT: u32 = 1023;
/// Learning rate of the weights, as a right shift of error times input.
const LEARNING_SHIFT: u32 = 14;

/// 65,536 / (1 + exp(-d / 256)) for d = -3072, -3008, ..., 3072.
const SQUASH: [u16; 97] = [
    1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28, 36, 47, 60, 77, 98, 126, 162, 208,
    267, 342, 439, 562, 720, 922, 1179, 1506, 1921, 2446, 3108, 3938, 4971, 6249, 7812, 9702,
    11_955, 14_595, 17_625, 21_025, 24_743, 28_693, 32_768, 36_843, 40_793, 44_511, 47_911, 50_941,
    53_581, 55_834, 57_724, 59_287, 60_565, 61_598, 62_428, 63_090, 63_615, 64_030, 64_357, 64_614,
    64_816, 64_974, 65_097, 65_194, 65_269, 65_328, 65_374, 65_410, 65_438, 65_459, 65_476, 65_489,
    65_500, 65_508, 65_514, 65_519, 65_523, 65_526, 65_528, 65_530, 65_531, 65_532, 65_533, 65_534,
    65_534, 65_535, 65_535, 65_535, 65_535, 65_535, 65_535,
];

/// Converts a stretched probability to a probability out of 2^16.
#[inline]
pub(crate) fn squash(stretched: i32) -> u32 {
    let at = stretched.clamp(-STRETCH_LIMIT, STRETCH_LIMIT) + 3072;
    let (index, rest) = ((at >> 6) as usize, (at & 63) as u32);
    let (below, above) = (u32::from(SQUASH[index]), u32::from(SQUASH[index + 1]));
    below + (((above - below) * rest + 32) >> 6)
}

/// Stretched form of each 12-bit probability.
static STRETCH: LazyLock<[i16; 4096]> = LazyLock::new(|| {
    let mut table = [0; 4096];
    let mut stretched = -STRETCH_LIMIT;
    for (index, entry) in table.iter_mut().enumerate() {
        let wanted = index as u32 * 16 + 8;
        while stretched < STRETCH_LIMIT && squash(stretched) < wanted {
            stretched += 1;
        }
        *entry = stretched as i16;
    }
    table
});

/// 2^16 / (n + 1.6): learning rate of a slot after n observations.
static RATE: LazyLock<[u32; TRAINING_LIMIT as usize + 1]> =
    LazyLock::new(|| std::array::from_fn(|n| 655_360 / (10 * n as u32 + 16)));

/// An adaptive probability: 22 bits of probability above 10 bits of observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl Slot {
    /// Probability one half, no observations.
    pub(crate) const NEW: Self = Self(1 << 31);

    /// Creates a slot with 12-bit probability `p`, as if observed `count` times.
    pub(crate) fn with(p: u32, count: u32) -> Self {
        Self((p.min(4095) * 1024 + 512) << 10 | count.min(TRAINING_LIMIT))
    }

    /// 12-bit probability.
    #[inline]
    pub(crate) fn p12(self) -> u32 {
        self.0 >> 20
    }

    /// 16-bit probability.
    #[inline]
    pub(crate) fn p16(self) -> u32 {
        self.0 >> 16
    }

    /// Number of observations.
    pub(crate) fn count(self) -> u32 {
        self.0 & 1023
    }

    #[inline]
    pub(crate) fn update(&mut self, bit: bool, tables: Tables) {
        let (p, count) = ((self.0 >> 10) as i64, self.0 & 1023);
        let target = if bit { (1 << 22) - 1 } else { 0 };
        let moved = p + (((target - p) * i64::from(tables.rate[count as usize])) >> 16);
        self.0 = (moved as u32) << 10 | (count + u32::from(count < tables.limit));
    }
}

/// References to the tables for one prediction, fetched once per tile.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    stretch: &'static [i16; 4096],
    rate: &'static [u32; TRAINING_LIMIT as usize + 1],
    logarithm: &'static [i16; LARGEST + 1],
    limit: u32,
}

impl Tables {
    pub(crate) fn new() -> Self {
        Self {
            stretch: &STRETCH,
            rate: &RATE,
            logarithm: &LOGARITHM,
            limit: COUNT_LIMIT,
        }
    }

    /// Tables for training: slots count more observations.
    pub(crate) fn training() -> Self {
        Self {
            limit: TRAINING_LIMIT,
            ..Self::new()
        }
    }

    #[inline]
    pub(crate) fn stretch(self, slot: Slot) -> i16 {
        self.stretch[slot.p12() as usize & 4095]
    }

    /// Returns 2048 log2(m + 1), with m limited to [`LARGEST`].
    #[inline(always)]
    pub(crate) fn logarithm(self, m: usize) -> i16 {
        self.logarithm[m.min(LARGEST)]
    }

    /// Returns the inputs of a mixture for the slots selected by the contexts.
    #[inline(always)]
    pub(crate) fn inputs(
        self,
        slots: &[Slot],
        at: &[usize; SLOT_INPUTS],
        foretold: i32,
    ) -> [i16; INPUTS] {
        let mut inputs = [BIAS; INPUTS];
        for (input, index) in inputs.iter_mut().zip(at) {
            *input = self.stretch(slots[*index]);
        }
        inputs[SLOT_INPUTS] = foretold as i16;
        inputs
    }
}

/// Mixes with one set of weights; returns a probability out of 2^16.
#[inline]
pub(crate) fn mix(inputs: &[i16; INPUTS], weights: &[i32; INPUTS]) -> u32 {
    // The magnitude is at most 8 * 3071 * 2^15, which fits.
    let mut sum = 0_i32;
    for (input, weight) in inputs.iter().zip(weights) {
        sum += i32::from(*input) * (weight >> 4);
    }
    squash(sum >> 12)
}

/// Updates one set of weights by a gradient step on the code length.
#[inline]
pub(crate) fn learn(inputs: &[i16; INPUTS], weights: &mut [i32; INPUTS], p: u32, bit: bool) {
    const SHIFT: u32 = 13;
    let target = if bit { 65_535 } else { 0 };
    let error = target - p as i32;
    for (input, weight) in inputs.iter().zip(weights) {
        let step = (i32::from(*input) * (error >> 2) + (1 << (SHIFT - 1))) >> SHIFT;
        *weight = (*weight + step).clamp(-(1 << 19), 1 << 19);
    }
}

/// Mixes with the sum of two sets of weights; returns a probability out of 2^16.
// Not inlined: the compiler does not vectorise the inlined code.
#[inline(never)]
pub(crate) fn mix_pair(inputs: &[i16; INPUTS], a: &[i32; INPUTS], b: &[i32; INPUTS]) -> u32 {
    let mut sum = 0_i32;
    for ((input, a), b) in inputs.iter().zip(a).zip(b) {
        // Both factors fit 16 bits, which processors multiply faster.
        sum += i32::from(*input) * i32::from(((a + b) >> 5) as i16);
    }
    squash(sum >> 11)
}

/// Updates both sets of weights by a gradient step on the code length.
#[inline(never)]
pub(crate) fn learn_pair(
    inputs: &[i16; INPUTS],
    a: &mut [i32; INPUTS],
    b: &mut [i32; INPUTS],
    p: u32,
    bit: bool,
) {
    let target = if bit { 65_535 } else { 0 };
    let error = ((target - p as i32) >> 2) as i16;
    for ((input, a), b) in inputs.iter().zip(a).zip(b) {
        let step =
            (i32::from(*input) * i32::from(error) + (1 << (LEARNING_SHIFT - 1))) >> LEARNING_SHIFT;
        *a = (*a + step).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT);
        *b = (*b + step).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT);
    }
}

/// -log2(p / 2^16) in units of 1/256 bit, for `p` of 8 bits.
static COST: LazyLock<[u32; 257]> = LazyLock::new(|| {
    // Integer logarithm bit by bit through repeated squaring, so that it is the same on every machine.
    std::array::from_fn(|index| {
        let mut x = (index.max(1) as u64) << 24;
        let mut log = 0_u32;
        let whole = 63 - x.leading_zeros();
        x = x << 31 >> whole;
        for _ in 0..8 {
            x = (x * x) >> 31;
            log <<= 1;
            if x >= 1 << 32 {
                x >>= 1;
                log |= 1;
            }
        }
        (32 - whole) * 256 - log
    })
});

/// 2048 log2(m + 1), rounded down.
static LOGARITHM: LazyLock<[i16; LARGEST + 1]> = LazyLock::new(|| {
    std::array::from_fn(|m| {
        let whole = (m as u64 + 1).ilog2();
        let mut x = ((m as u64 + 1) << 31) >> whole;
        let mut log = i16::try_from(whole).unwrap_or(0);
        for _ in 0..11 {
            x = (x * x) >> 31;
            log <<= 1;
            if x >= 1 << 32 {
                x >>= 1;
                log |= 1;
            }
        }
        log
    })
});

/// Code length of a decision in units of 1/256 bit.
#[inline]
pub(crate) fn cost(p: u32, bit: bool) -> u32 {
    let p = if bit { p } else { 65_536 - p };
    if p < 2048 {
        COST[(p as usize >> 3).max(1)] + 5 * 256
    } else {
        COST[(p as usize + 128) >> 8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretching_undoes_squashing() {
        let tables = Tables::new();
        for d in (-1700..1700).step_by(7) {
            let p = squash(d);
            let slot = Slot::with(p >> 4, 0);
            assert!(
                (i32::from(tables.stretch(slot)) - d).abs() < 40,
                "{d}: {}",
                tables.stretch(slot)
            );
        }
    }

    #[test]
    fn a_slot_learns_its_frequency() {
        let tables = Tables::new();
        let mut slot = Slot::NEW;
        for i in 0..4000 {
            slot.update(i % 10 == 0, tables);
        }
        assert!((slot.p16() as i32 - 6554).abs() < 700, "{}", slot.p16());
    }

    #[test]
    fn the_document_has_the_table() {
        let document = include_str!("../../SPEC.md");
        let table = document.split("```table\n").nth(1);
        let table = table
            .and_then(|rest| rest.split("```").next())
            .expect("a table");
        let numbers: Vec<u16> = table
            .split(',')
            .filter_map(|number| number.trim().parse().ok())
            .collect();
        assert_eq!(numbers, SQUASH[..49]);
        for (index, number) in SQUASH.iter().enumerate() {
            let mirrored = u32::from(*number) + u32::from(SQUASH[96 - index]);
            assert_eq!(mirrored, 65_536, "{index}");
        }
    }

    #[test]
    fn costs_are_code_lengths() {
        assert_eq!(cost(32_768, true), 256);
        assert_eq!(cost(16_384, true), 512);
        assert!((cost(512, true) as i32 - 7 * 256).abs() < 3);
        assert!(cost(64_000, true) < 12);
    }
}
