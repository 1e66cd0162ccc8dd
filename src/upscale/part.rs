//! Rectangles of pixels.

use std::ops::Range;

/// Columns and rows of a part of a picture.
pub(crate) type Part = [Range<usize>; 2];
