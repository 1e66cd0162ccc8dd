//! Luma, in one place for every crate.

/// Weights of red, green and blue in the luma of standard definition (ITU-R BT.601).
pub const LUMA_BT601: [f32; 3] = [0.299, 0.587, 0.114];

/// Weights of red, green and blue in the luma of sRGB's primaries (ITU-R BT.709).
pub const LUMA_BT709: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// Luma of encoded red, green and blue 0.0..=1.0 as benchmarks of super-resolution have it (MATLAB's `rgb2ycbcr`):
/// BT.601 in studio swing, 16.0..=235.0, not rounded.
pub fn studio_luma([red, green, blue]: [f32; 3]) -> f32 {
    16.0 + 65.481 * red + 128.553 * green + 24.966 * blue
}
