//! The head's output layers as fitted to a picture: differences to the built-in weights, entropy-coded.

use super::Latents;
use crate::error::FormatError;
use crate::weight_coder::{self, Place};

/// Inputs of the head's output layer, the bias among them as the last.
pub const HEAD_INPUTS: usize = 33;
/// Range of a difference.
pub const HEAD_DIFFERENCES: std::ops::RangeInclusive<i8> =
    -(1 << (BITS - 1))..=(1 << (BITS - 1)) - 1;
/// Parts that the head corrects of each colour plane, each an output.
const PARTS: usize = 4;
/// Classes of levels with weights of their own: level 1, level 2, and all above.
pub(super) const CLASSES: usize = 3;
/// Bits of a difference.
const BITS: u8 = 5;

impl Latents {
    /// Outputs of the head: four for each plane that is a colour.
    pub fn head_outputs(&self) -> usize {
        match self.partition.planes {
            3.. => 3 * PARTS,
            _ => PARTS,
        }
    }

    fn place(&self) -> Place {
        Place {
            tensor: 2,
            tensors: 9,
            rows: self.head_outputs(),
            columns: HEAD_INPUTS,
            bits: BITS,
        }
    }

    /// Codes the classes that are there: which they are, and the differences.
    pub(super) fn write_fitted(&self) -> (u8, Vec<u8>) {
        let mut mask = 0;
        let mut found: Vec<Vec<i32>> = Vec::new();
        for (class, differences) in self.fitted.iter().enumerate() {
            if !differences.is_empty() {
                mask |= 1 << class;
                found.push(differences.iter().map(|&d| d.into()).collect());
            }
        }
        let tensors: Vec<_> = found.iter().map(|all| (self.place(), &all[..])).collect();
        (mask, weight_coder::write(&tensors))
    }

    /// Reads the classes of `mask`.
    ///
    /// # Errors
    /// [`FormatError::CodedWeights`], [`FormatError::ValueRange`].
    pub(super) fn read_fitted(&mut self, mask: u8, bytes: &[u8]) -> Result<(), FormatError> {
        let place = self.place();
        let mut reader = weight_coder::Reader::new(bytes);
        for (class, differences) in self.fitted.iter_mut().enumerate() {
            if mask & 1 << class != 0 {
                let values = reader.tensor(place)?.into_iter();
                *differences = values.map(|value| value as i8).collect();
            }
        }
        reader.finish()
    }

    /// Checks that each class has all its differences or none, of 5 bits.
    pub(super) fn check_fitted(&self) -> Result<(), FormatError> {
        let wanted = self.head_outputs() * HEAD_INPUTS;
        let right = |differences: &Vec<i8>| {
            let whole = differences.is_empty() || differences.len() == wanted;
            whole && differences.iter().all(|d| HEAD_DIFFERENCES.contains(d))
        };
        let none = self.fitted.iter().all(Vec::is_empty);
        if none || !self.gains.is_empty() && self.fitted.iter().all(right) {
            return Ok(());
        }
        Err(FormatError::Field {
            field: "latents.fitted",
            found: format!("{:?}", self.fitted.each_ref().map(Vec::len)),
            wanted: "none, or with gains 33 of 5 bits per output",
        })
    }
}
