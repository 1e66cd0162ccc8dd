//! Why a checkpoint is refused.

/// Why a checkpoint cannot be resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Other bytes.
    #[error("not a checkpoint of an encode")]
    Signature,
    /// Bytes are missing, or others than were written.
    #[error("damaged checkpoint: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// Another picture was fitted.
    #[error("the checkpoint is of another picture")]
    OtherPicture,
    /// Other options, another version or another kind of processor.
    #[error("the checkpoint is of another encode: {found} there, {wanted} here")]
    OtherFit {
        /// What the checkpoint was made with, where it differs.
        found: String,
        /// What it would have to be made with.
        wanted: String,
    },
}

impl CheckpointError {
    /// What two keys do not have in common.
    pub(super) fn other_fit(found: &str, wanted: &str) -> Self {
        let differ = |this: &str, other: &str| {
            let parts: Vec<&str> = other.split(", ").collect();
            let own = this.split(", ").filter(|part| !parts.contains(part));
            own.collect::<Vec<_>>().join(", ")
        };
        Self::OtherFit {
            found: differ(found, wanted),
            wanted: differ(wanted, found),
        }
    }
}

pub(super) const fn damaged(what: &'static str) -> CheckpointError {
    CheckpointError::Damaged { what }
}
