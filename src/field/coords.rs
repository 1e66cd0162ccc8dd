//! Where a position in the source picture lies in the field's square.
//!
//! Positions are in source pixels: sample `i` covers `i..i + 1` and has its centre at `i + 0.5`.

use inr_formats::Grid;

/// Maps positions in a `width` x `height` source picture to field coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoordinateMap {
    scale: [f64; 2],
    offset: [f64; 2],
}

impl CoordinateMap {
    /// The map of a picture of `width` x `height` pixels, both at least 1.
    ///
    /// [`Grid::PixelCentre`]: sample `i` of `n` sits at `(2 i + 1 - n) / max(width, height)`, so units are the same on
    /// both axes and the longer side's pixels tile -1.0..=1.0. [`Grid::CornerAligned`]: sample `i` of `n` sits at
    /// `2 i / (n - 1) - 1` on either axis (0 when `n` is 1), as in the study this project grew from.
    pub fn new(width: u32, height: u32, grid: Grid) -> Self {
        let sides = [f64::from(width), f64::from(height)];
        match grid {
            Grid::PixelCentre => {
                let longer = sides[0].max(sides[1]);
                Self {
                    scale: [2.0 / longer; 2],
                    offset: sides.map(|n| -n / longer),
                }
            }
            Grid::CornerAligned => {
                let scale = sides.map(|n| if n > 1.0 { 2.0 / (n - 1.0) } else { 0.0 });
                let offset = [0, 1].map(|axis| {
                    if sides[axis] > 1.0 {
                        -0.5 * scale[axis] - 1.0
                    } else {
                        0.0
                    }
                });
                Self { scale, offset }
            }
        }
    }

    /// Field coordinates per source pixel, x and y.
    pub(crate) fn scale(&self) -> [f64; 2] {
        self.scale
    }

    /// Field x coordinate of the position `u` source pixels from the left edge.
    pub fn x(&self, u: f64) -> f32 {
        (u * self.scale[0] + self.offset[0]) as f32
    }

    /// Field y coordinate of the position `v` source pixels from the top edge.
    pub fn y(&self, v: f64) -> f32 {
        (v * self.scale[1] + self.offset[1]) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixel_centres_are_isotropic_and_symmetric() {
        let map = CoordinateMap::new(4, 2, Grid::PixelCentre);
        assert_eq!(map.x(0.5), -0.75);
        assert_eq!(map.x(3.5), 0.75);
        assert_eq!(map.y(0.5), -0.25);
        assert_eq!(map.y(1.5), 0.25);
        assert_eq!((map.x(0.0), map.x(4.0)), (-1.0, 1.0));
    }

    #[test]
    fn corner_aligned_samples_touch_the_corners() {
        let map = CoordinateMap::new(5, 3, Grid::CornerAligned);
        assert_eq!((map.x(0.5), map.x(2.5), map.x(4.5)), (-1.0, 0.0, 1.0));
        assert_eq!((map.y(0.5), map.y(2.5)), (-1.0, 1.0));
        let single = CoordinateMap::new(1, 1, Grid::CornerAligned);
        assert_eq!((single.x(0.5), single.y(0.5)), (0.0, 0.0));
    }
}
