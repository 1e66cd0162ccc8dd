//! What can go wrong with files of weights.

use std::path::{Path, PathBuf};

use super::pickle::Fault;

/// A file of weights that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// It cannot be read.
    #[error("cannot read the weights {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It starts like no file of weights.
    #[error(
        "{} holds no weights that are read here: it starts with {found:02x?}; give a .safetensors or a .pth file",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// It is damaged or breaks its format's rules.
    #[error("the weights {} are damaged: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Its pickle asks for a function or class that tensors do not need.
    #[error(
        "{} is refused: its pickle asks for {asked}, and weights need nothing but tensors; save the network's state_dict() \
         alone, or as .safetensors",
        path.display()
    )]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it asks for.
        asked: String,
    },
    /// It lacks a tensor.
    #[error("{} has no tensor {tensor}: these are the weights of another network", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Its name.
        tensor: String,
    },
    /// A tensor has another shape than the network's.
    #[error("tensor {tensor} of {} has the shape {found:?}, {wanted:?} is needed", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The network's.
        wanted: Vec<usize>,
    },
    /// The names of its tensors are those of no generator known here.
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
        /// The first name.
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
