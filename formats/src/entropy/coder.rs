//! Binary arithmetic coding: one decision at a time, with integers only.
//!
//! A carry-less range coder after G. N. N. Martin, "Range encoding" (1979), and M. Mahoney's `lpaq`: the interval has
//! two 32-bit ends, and the coder emits the leading bytes on which both agree.

/// Bits of a probability: probabilities are out of 2^16.
pub(crate) const PROBABILITY_BITS: u32 = 16;
/// Minimum probability of either outcome.
const LEAST: u32 = 24;
/// Bytes that a decoder may read beyond the end of its segment: four for the interval, the rest for trimmed zeros.
const SLACK: usize = 8;

/// Codes binary decisions. Implementations write them, read them, or compute their cost.
pub(crate) trait Coder {
    /// Codes a decision that is true with probability `p` / 2^16. A writer codes `bit` and returns it; a reader ignores
    /// `bit` and returns the decoded value.
    fn bit(&mut self, p: u32, bit: bool) -> bool;

    /// Whether the reader has read beyond any complete segment; always false for a writer.
    fn exhausted(&self) -> bool {
        false
    }
}

/// Clamps `p` away from 0 and 1.
fn bounded(p: u32) -> u32 {
    p.clamp(LEAST, (1 << PROBABILITY_BITS) - LEAST)
}

/// Returns the split point of the interval: values up to and including it mean "true".
fn middle(low: u32, high: u32, p: u32) -> u32 {
    let range = u64::from(high - low);
    low + ((range * u64::from(bounded(p))) >> PROBABILITY_BITS) as u32
}

/// Writes decisions to bytes.
pub(crate) struct Encoder {
    low: u32,
    high: u32,
    out: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: 0,
            high: u32::MAX,
            out: Vec::new(),
        }
    }

    /// Returns the shortest byte string that decodes to the same decisions; a reader assumes zeros after the end.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.low > 0 {
            // The shortest number in low..=high when zeros follow it.
            for bytes in 1..=4_u32 {
                let rest = 32 - 8 * bytes;
                let rounded = (u64::from(self.low) + ((1_u64 << rest) - 1)) >> rest << rest;
                if rounded <= u64::from(self.high) {
                    let number = (rounded as u32).to_be_bytes();
                    self.out.extend_from_slice(&number[..bytes as usize]);
                    break;
                }
            }
        }
        let mut trimmed = 0;
        while trimmed + 4 < SLACK && self.out.last() == Some(&0) {
            self.out.pop();
            trimmed += 1;
        }
        self.out
    }
}

impl Coder for Encoder {
    #[inline]
    fn bit(&mut self, p: u32, bit: bool) -> bool {
        let middle = middle(self.low, self.high, p);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.out.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 255;
        }
        bit
    }
}

/// Reads decisions from bytes.
pub(crate) struct Decoder<'a> {
    low: u32,
    high: u32,
    value: u32,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            low: 0,
            high: u32::MAX,
            value: 0,
            bytes,
            position: 0,
        };
        for _ in 0..4 {
            decoder.value = decoder.value << 8 | decoder.next();
        }
        decoder
    }

    /// Whether unread bytes remain that no decision has needed.
    pub(crate) fn surplus(&self) -> bool {
        self.position < self.bytes.len()
    }

    fn next(&mut self) -> u32 {
        let byte = self.bytes.get(self.position).copied().unwrap_or(0);
        self.position += 1;
        u32::from(byte)
    }
}

impl Coder for Decoder<'_> {
    #[inline]
    fn bit(&mut self, p: u32, _bit: bool) -> bool {
        let middle = middle(self.low, self.high, p);
        let bit = self.value <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 255;
            self.value = self.value << 8 | self.next();
        }
        bit
    }

    fn exhausted(&self) -> bool {
        self.position > self.bytes.len() + SLACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_come_back_at_any_probability() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        let decisions: Vec<(u32, bool)> = (0..20_000)
            .map(|_| {
                let p = next() % 65_537;
                (p, next() % 65_536 < p)
            })
            .collect();
        let mut encoder = Encoder::new();
        for &(p, bit) in &decisions {
            encoder.bit(p, bit);
        }
        let bytes = encoder.finish();
        let mut decoder = Decoder::new(&bytes);
        for &(p, bit) in &decisions {
            assert_eq!(decoder.bit(p, false), bit);
        }
        assert!(!decoder.exhausted());
    }

    #[test]
    fn a_likely_run_costs_almost_nothing() {
        let mut encoder = Encoder::new();
        for _ in 0..10_000 {
            encoder.bit(65_500, true);
        }
        assert!(encoder.finish().len() <= 2);
    }
}
