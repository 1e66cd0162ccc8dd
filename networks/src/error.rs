//! The error type of this crate.

use crate::weights::WeightsError;

/// Errors of these networks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every error except those of weights: options, pictures, devices, limits.
    #[error(transparent)]
    Field(#[from] inr::Error),
    /// A file of weights cannot be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl From<inr::PictureError> for Error {
    fn from(error: inr::PictureError) -> Self {
        Self::Field(error.into())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Field(error.into())
    }
}
