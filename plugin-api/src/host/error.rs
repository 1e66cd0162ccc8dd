//! Why loading fails.

use std::path::PathBuf;

use crate::abi::INR_ABI_MAJOR;
use crate::status::{Failure, Status};

/// Why a plug-in is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is none of this name where plug-ins are looked for.
    #[error(
        "no plug-in {name} in {searched}; give its path, or name its folder in INR_PLUGIN_PATH"
    )]
    NotFound {
        /// What was looked for.
        name: String,
        /// Where, in words.
        searched: String,
    },
    /// The system cannot load the file.
    #[error("{path} cannot be loaded: {source}")]
    Unloadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: libloading::Error,
    },
    /// It lacks the one function that makes it a plug-in.
    #[error("{path} is no plug-in: it does not export inr_get_api")]
    NotAPlugin {
        /// The file.
        path: PathBuf,
    },
    /// It is made for another major version of the ABI.
    #[error(
        "{path} does not serve version {INR_ABI_MAJOR} of the plug-in ABI{found}; get a plug-in made for it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// What it serves, in words, if it says.
        found: String,
    },
    /// It refuses to work.
    #[error("{path} refuses to work: it answers {status:?} (code {code})")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What its code stands for.
        status: Status,
        /// Its code.
        code: i32,
    },
    /// It says that all is well and gives no table.
    #[error("{path} gives no function table")]
    NoTable {
        /// The file.
        path: PathBuf,
    },
    /// Its table breaks the rules of the header.
    #[error("{path} breaks the rules of plug-ins: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which rule.
        reason: String,
    },
}

impl From<&LoadError> for Failure {
    fn from(error: &LoadError) -> Self {
        Self::new(Status::Internal, error.to_string())
    }
}
