//! Weights from the user's files: tensors by name in `.safetensors`, and in both kinds of `.pth` files.

mod archive;
mod error;
mod pickle;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

pub use error::WeightsError;

/// Maximum size of a pickle in bytes: networks with thousands of tensors need a tenth of it.
const MOST_PICKLE_BYTES: usize = 4 << 20;
/// Maximum size of a `.safetensors` header in bytes.
const MOST_HEADER_BYTES: u64 = 16 << 20;

/// Storage type of values.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dtype {
    F32,
    F64,
    F16,
    Bf16,
    /// Not a float; bytes per value.
    Other(usize),
}

impl Dtype {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
            Self::F16 | Self::Bf16 => 2,
            Self::Other(bytes) => bytes,
        }
    }

    fn value(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::F64, &[a, b, c, d, e, f, g, h]) => {
                f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32
            }
            (Self::F16, &[a, b]) => half(u16::from_le_bytes([a, b])),
            (Self::Bf16, &[a, b]) => f32::from_bits(u32::from(u16::from_le_bytes([a, b])) << 16),
            _ => f32::NAN,
        }
    }
}

/// Converts a 16-bit float (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2.0_f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + mantissa) * 2.0_f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Location of a tensor in its file.
#[derive(Clone, Debug)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Strides in values.
    strides: Vec<usize>,
    /// Offset of the first value in bytes.
    start: u64,
    /// Bytes from the first value to the end of the region that the tensor may use.
    room: u64,
}

/// The tensors of a file, each read on demand.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    file: File,
    tensors: HashMap<String, Entry>,
}

impl Weights {
    /// Opens a file of weights; its contents determine the format. The prefix `module.`, which PyTorch's `DataParallel`
    /// adds to names, is removed.
    ///
    /// # Errors
    /// [`WeightsError`] for files that are absent, of another kind or damaged, and for pickles that request anything
    /// except tensors.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let unreadable = |source| WeightsError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut start = Vec::new();
        Read::by_ref(&mut file)
            .take(16)
            .read_to_end(&mut start)
            .map_err(unreadable)?;
        let found = match &start[..] {
            [b'P', b'K', 3, 4, ..] => archive::zipped(&file, length),
            [_, _, _, _, 0, 0, 0, 0, b'{', ..] => archive::safetensors(&mut file, length),
            [0x80, 2, ..] => archive::legacy(&mut file, length),
            _ => {
                return Err(WeightsError::Unknown {
                    path: path.to_owned(),
                    found: start,
                });
            }
        };
        let tensors = found.map_err(|fault| WeightsError::of(path, fault))?;
        let plain = |name: String| match name.strip_prefix("module.") {
            Some(rest) => rest.to_owned(),
            None => name,
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            tensors: tensors
                .into_iter()
                .map(|(name, entry)| (plain(name), entry))
                .collect(),
        })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Whether there is a tensor called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of the tensor called `name`.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] when there is none.
    pub fn shape(&self, name: &str) -> Result<&[usize], WeightsError> {
        Ok(&self.entry(name)?.shape)
    }

    fn entry(&self, name: &str) -> Result<&Entry, WeightsError> {
        self.tensors.get(name).ok_or_else(|| WeightsError::Missing {
            path: self.path.clone(),
            tensor: name.to_owned(),
        })
    }

    /// Reads the tensor called `name`, which must have shape `wanted`, in row-major order.
    ///
    /// # Errors
    /// [`WeightsError::Missing`], [`WeightsError::Shape`], [`WeightsError::Malformed`] for tensors that are not floats,
    /// extend beyond their file or are not finite, and [`WeightsError::Io`].
    pub fn read(&self, name: &str, wanted: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let entry = self.entry(name)?;
        if entry.shape != wanted {
            return Err(WeightsError::Shape {
                path: self.path.clone(),
                tensor: name.to_owned(),
                found: entry.shape.clone(),
                wanted: wanted.to_vec(),
            });
        }
        let malformed = |what: String| WeightsError::Malformed {
            path: self.path.clone(),
            what: format!("tensor {name} {what}"),
        };
        if matches!(entry.dtype, Dtype::Other(_)) {
            return Err(malformed("is not of floats".into()));
        }
        let (count, extent) = entry
            .extent()
            .ok_or_else(|| malformed("leaves the file".into()))?;
        let mut bytes = Vec::new();
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(entry.start));
        let read = read.and_then(|_| file.take(extent).read_to_end(&mut bytes));
        read.map_err(|source| WeightsError::Io {
            path: self.path.clone(),
            source,
        })?;
        if bytes.len() as u64 != extent {
            return Err(malformed("leaves the file".into()));
        }
        let size = entry.dtype.bytes();
        let stored = bytes
            .chunks_exact(size)
            .map(|bytes| entry.dtype.value(bytes));
        let mut values: Vec<f32> = stored.collect();
        if entry.strides != row_major(&entry.shape) {
            values = (0..count).map(|at| values[entry.place(at)]).collect();
        }
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(malformed("holds values that are no finite numbers".into())),
        }
    }
}

impl Entry {
    /// Number of values, and bytes from the start of the first to the end of the last. `None` when they extend beyond
    /// their storage, or repeat values so that they outnumber it.
    fn extent(&self) -> Option<(usize, u64)> {
        let axes = || self.shape.iter().zip(&self.strides);
        let count = axes().try_fold(1_usize, |count, (side, _)| count.checked_mul(*side))?;
        let last = axes().try_fold(0_usize, |last, (side, stride)| {
            last.checked_add(side.checked_sub(1)?.checked_mul(*stride)?)
        })?;
        let size = self.dtype.bytes() as u64;
        let extent = (last as u64).checked_add(1)?.checked_mul(size)?;
        let whole = (count as u64).checked_mul(size)?;
        (extent <= self.room && whole <= self.room).then_some((count, extent))
    }

    /// Storage index of the value with row-major index `at`.
    fn place(&self, at: usize) -> usize {
        let mut rest = at;
        let axes = self.shape.iter().zip(&self.strides).rev();
        let along = axes.map(|(side, stride)| {
            let at = rest % side;
            rest /= side;
            at * stride
        });
        along.sum()
    }
}

/// Strides of row-major order.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_over_their_whole_range() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0001, 2.0_f32.powi(-24)),
            (0x0400, 2.0_f32.powi(-14)),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
    }
}
