//! Pictures.

/// Placeholder.
#[derive(Debug, thiserror::Error)]
#[error("picture")]
pub struct PictureError;
