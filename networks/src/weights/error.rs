//! Errors of files of weights.

use std::path::{Path, PathBuf};

use super::pickle::Fault;

/// The reason why a file of weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read the weights {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file has the signature of no known format.
    #[error(
        "{} holds no weights that are read here: it starts with {found:02x?}; give a .safetensors or a .pth file",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The first bytes.
        found: Vec<u8>,
    },
    /// The file is damaged or violates its format.
    #[error("the weights {} are damaged: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Description of the fault.
        what: String,
    },
    /// The pickle requests a function or class that tensors do not need.
    #[error(
        "{} is refused: its pickle asks for {asked}, and weights need nothing but tensors; save the network's state_dict() \
         alone, or as .safetensors",
        path.display()
    )]
    Refused {
        /// The file.
        path: PathBuf,
        /// The requested function or class.
        asked: String,
    },
    /// A tensor is missing.
    #[error("{} has no tensor {tensor}: these are the weights of another network", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// The shape of a tensor differs from the network's.
    #[error("tensor {tensor} of {} has the shape {found:?}, {wanted:?} is needed", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Shape of the tensor.
        found: Vec<usize>,
        /// Shape that the network needs.
        wanted: Vec<usize>,
    },
    /// The tensor names match no known generator.
    #[error(
        "{} is no SRResNet that is known here: of its {count} tensors the first is {first:?}; known are twhui's, \
         leftthomas' and Lornatang's names",
        path.display()
    )]
    UnknownGenerator {
        /// The file.
        path: PathBuf,
        /// Number of tensors.
        count: usize,
        /// Name of the first tensor.
        first: String,
    },
}

impl WeightsError {
    pub(super) fn of(path: &Path, fault: Fault) -> Self {
        let path = path.to_owned();
        match fault {
            Fault::Refused(asked) => Self::Refused { path, asked },
            Fault::Malformed(what) => Self::Malformed { path, what },
        }
    }
}
