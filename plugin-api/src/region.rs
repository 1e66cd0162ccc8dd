//! Requested regions.

use crate::abi::InrRegion;
use crate::status::Failure;

/// A requested region of pixels, the safe form of [`InrRegion`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left and top edge in source pixels.
    pub origin: [f64; 2],
    /// Source pixels per output pixel.
    pub step: [f64; 2],
    /// Width and height in output pixels.
    pub size: [u32; 2],
}

impl Region {
    /// Returns the whole of a source of `source` pixels, sampled in `size` pixels.
    pub fn whole(source: [u32; 2], size: [u32; 2]) -> Self {
        let step = [0, 1].map(|axis| f64::from(source[axis]) / f64::from(size[axis]));
        Self {
            origin: [0.0; 2],
            step,
            size,
        }
    }

    /// Validates a region from C.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`] unless steps and sizes are positive and numbers finite.
    pub fn checked(region: &InrRegion) -> Result<Self, Failure> {
        let origin = [region.x, region.y];
        let step = [region.step_x, region.step_y];
        let size = [region.width, region.height];
        let finite = origin.iter().chain(&step).all(|value| value.is_finite());
        if !finite || step.iter().any(|step| *step <= 0.0) || size.contains(&0) {
            return Err(Failure::bad(format!(
                "an invalid region: {size:?} pixels at {origin:?} with steps of {step:?}"
            )));
        }
        Ok(Self { origin, step, size })
    }

    /// Left, top, width and height of a region whose pixels coincide with pixels of the source.
    ///
    /// # Errors
    /// [`crate::Status::Unsupported`] when they do not coincide, [`crate::Status::BadArgument`] when they lie outside.
    pub fn pixels(&self, picture: [u32; 2]) -> Result<[u32; 4], Failure> {
        if self.step != [1.0; 2] || self.origin.iter().any(|at| at.fract() != 0.0) {
            return Err(Failure::unsupported(
                "this filter cannot resample; give a region with steps of 1 at a whole pixel",
            ));
        }
        for axis in [0, 1] {
            let end = self.origin[axis] + f64::from(self.size[axis]);
            if self.origin[axis] < 0.0 || end > f64::from(picture[axis]) {
                return Err(Failure::bad(format!(
                    "the region extends beyond the picture of {picture:?} pixels"
                )));
            }
        }
        let [x, y] = self.origin.map(|at| at as u32);
        Ok([x, y, self.size[0], self.size[1]])
    }

    /// The region in C.
    #[cfg(feature = "host")]
    pub(crate) fn raw(&self) -> InrRegion {
        InrRegion {
            struct_size: size_of::<InrRegion>(),
            x: self.origin[0],
            y: self.origin[1],
            step_x: self.step[0],
            step_y: self.step[1],
            width: self.size[0],
            height: self.size[1],
        }
    }
}
