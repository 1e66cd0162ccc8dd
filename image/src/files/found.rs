//! What the readers of formats return.

use crate::picture::Picture;

/// A picture as the reader of a format finds it, not yet turned.
pub(super) struct Found {
    pub(super) picture: Picture,
    pub(super) notes: Vec<String>,
    /// Parts of the file that [`crate::picture::Metadata`] has no place for.
    pub(super) lost: Vec<String>,
}
