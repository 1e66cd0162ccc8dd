//! Weights in memory: as floats, or as integers with a step.

use crate::error::FormatError;

/// Range of bits of a quantised value.
const BITS: std::ops::RangeInclusive<u8> = 2..=16;

/// The values of a matrix (row-major, one row per output) or of a bias.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// Finite values, stored exactly.
    Float(Vec<f32>),
    /// Integers; the weights are `value as f32 * step`, rounded once to `f32`.
    Quantised {
        /// Quantisation step: above 0, and finite when multiplied by 2^(bits - 1).
        step: f32,
        /// Bits per value, 2..=16.
        bits: u8,
        /// The integers, each in -2^(bits - 1)..=2^(bits - 1) - 1.
        values: Vec<i32>,
    },
}

impl Tensor {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Quantised { values, .. } => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the dequantised weights in stored order.
    pub fn values(&self) -> Vec<f32> {
        match self {
            Self::Float(values) => values.clone(),
            Self::Quantised { step, values, .. } => {
                values.iter().map(|&value| value as f32 * step).collect()
            }
        }
    }

    /// Checks the values; `index` is the tensor's position in the file (matrix 0, bias 0, matrix 1, ...).
    ///
    /// # Errors
    /// [`FormatError::NotFinite`], [`FormatError::Step`], [`FormatError::Bits`] and [`FormatError::ValueRange`].
    pub(crate) fn check(&self, index: usize) -> Result<(), FormatError> {
        match self {
            Self::Float(values) => check_finite(index, values),
            Self::Quantised { step, bits, values } => {
                check_quantiser(index, *step, *bits)?;
                let half = 1_i32 << (bits - 1);
                match values
                    .iter()
                    .position(|value| !(-half..half).contains(value))
                {
                    None => Ok(()),
                    Some(at) => Err(FormatError::ValueRange {
                        tensor: index,
                        index: at,
                        value: values[at],
                        bits: *bits,
                    }),
                }
            }
        }
    }
}

/// Checks that no value is infinite or NaN.
///
/// # Errors
/// [`FormatError::NotFinite`].
pub(crate) fn check_finite(tensor: usize, values: &[f32]) -> Result<(), FormatError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(FormatError::NotFinite {
            tensor,
            index,
            value: values[index],
        }),
    }
}

/// Checks step and bits of a quantised tensor.
///
/// # Errors
/// [`FormatError::Bits`] and [`FormatError::Step`].
pub(crate) fn check_quantiser(tensor: usize, step: f32, bits: u8) -> Result<(), FormatError> {
    if !BITS.contains(&bits) {
        return Err(FormatError::Bits { tensor, bits });
    }
    let largest = step * (1_i32 << (bits - 1)) as f32;
    if !(step > 0.0 && largest.is_finite()) {
        return Err(FormatError::Step { tensor, step });
    }
    Ok(())
}

/// The weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerData {
    /// Shape `[outputs, inputs]`, row-major.
    pub matrix: Tensor,
    /// Shape `[outputs]`.
    pub bias: Tensor,
}
