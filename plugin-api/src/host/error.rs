//! Errors of loading plug-ins.

use std::path::PathBuf;

use crate::abi::INR_ABI_MAJOR;
use crate::status::{Failure, Status};

/// Why the host rejects a plug-in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No searched folder has a plug-in of this name.
    #[error(
        "cannot find plug-in {name} in {searched}; give its path or add its folder to INR_PLUGIN_PATH"
    )]
    NotFound {
        /// The requested name.
        name: String,
        /// The searched folders, separated by commas.
        searched: String,
    },
    /// The system cannot load the file.
    #[error("{path} cannot be loaded: {source}")]
    Unloadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: libloading::Error,
    },
    /// The file does not export `inr_get_api`.
    #[error("{path} is not a plug-in: it does not export inr_get_api")]
    NotAPlugin {
        /// The file.
        path: PathBuf,
    },
    /// The plug-in supports another major version of the ABI.
    #[error(
        "{path} does not support version {INR_ABI_MAJOR} of the plug-in ABI{found}; install a build for version {INR_ABI_MAJOR}"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The supported version as the end of a clause; empty when unknown.
        found: String,
    },
    /// `inr_get_api` returned an error.
    #[error("{path} cannot be used: inr_get_api returned {status} (code {code})")]
    Refused {
        /// The file.
        path: PathBuf,
        /// Status of the code.
        status: Status,
        /// The returned code.
        code: i32,
    },
    /// `inr_get_api` succeeded without a table.
    #[error("{path} cannot be used: inr_get_api returned no function table")]
    NoTable {
        /// The file.
        path: PathBuf,
    },
    /// The table violates the header.
    #[error("{path} violates the plug-in ABI: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The violated rule.
        reason: String,
    },
}

impl From<&LoadError> for Failure {
    fn from(error: &LoadError) -> Self {
        Self::new(Status::Internal, error.to_string())
    }
}
