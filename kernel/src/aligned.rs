//! Buffers aligned to cache lines: vectors that cross lines halve the speed of the widest kernels.

use std::ops::{Deref, DerefMut};

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A buffer aligned to a cache line.
#[derive(Clone, Default)]
pub struct Aligned(Vec<Line>);

impl Aligned {
    /// Allocates at least `length` zeros, rounded up to whole lines.
    pub fn zeros(length: usize) -> Self {
        Self(vec![Line([0.0; 16]); length.div_ceil(16)])
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a `Line` is 16 floats without padding, and lines are contiguous.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 16) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * 16) }
    }
}
