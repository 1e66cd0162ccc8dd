//! Results of codecs.

use std::time::Duration;

use inr::Picture;

/// A coded picture, and its cost.
pub struct Coded {
    /// Length of the file.
    pub bytes: u64,
    /// Time of the encoder, picture file to coded file for programs, samples to bytes for ours.
    pub encode: Duration,
    /// Time of the decoder, likewise.
    pub decode: Duration,
    /// The picture that came back.
    pub decoded: Picture,
}
