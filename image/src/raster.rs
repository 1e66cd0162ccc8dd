//! Borrowed pictures of floats: the common input of metrics, resampling and edits.

use crate::error::Error;
use crate::picture::Picture;

/// Alpha below which a pixel has no colour any more and becomes black.
const MIN_ALPHA: f32 = 1e-6;

/// A borrowed picture: interleaved `f32` samples, shape `[height, width, channels]`, row by row from the top left.
///
/// Values are encoded (as the file stores them) and nominally 0.0..=1.0; values outside are used as they are. Rasters
/// of 2 and 4 channels have straight (not premultiplied) alpha last, see [`Raster::has_alpha`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raster<'a> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples in a pixel: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    pub channels: usize,
    /// `width * height * channels` values.
    pub samples: &'a [f32],
}

impl<'a> Raster<'a> {
    /// A view of `samples`, checked.
    ///
    /// # Errors
    /// [`Error::Misuse`] when a side is 0, when there are not 1 to 4 channels, or when `samples` has another length
    /// than `width * height * channels`.
    pub fn new(
        width: usize,
        height: usize,
        channels: usize,
        samples: &'a [f32],
    ) -> Result<Self, Error> {
        let raster = Self {
            width,
            height,
            channels,
            samples,
        };
        raster.check()?;
        Ok(raster)
    }

    /// `samples` in the shape of `picture`, as [`Picture::to_f32`] gives them.
    ///
    /// # Panics
    /// When there are more or fewer samples than the picture has.
    pub fn of(picture: &Picture, samples: &'a [f32]) -> Self {
        assert_eq!(samples.len(), picture.samples().len());
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            channels: picture.layout().channels(),
            samples,
        }
    }

    /// Whether the last channel is alpha: true for 2 and 4 channels.
    pub fn has_alpha(&self) -> bool {
        self.channels == 2 || self.channels == 4
    }

    /// Checks what [`Raster::new`] promises; the fields are public and may have been set by hand.
    pub fn check(&self) -> Result<(), Error> {
        let wanted = self
            .width
            .checked_mul(self.height)
            .and_then(|n| n.checked_mul(self.channels));
        let usable = self.width > 0 && self.height > 0 && (1..=4).contains(&self.channels);
        if usable && wanted == Some(self.samples.len()) {
            return Ok(());
        }
        Err(Error::Misuse {
            what: format!(
                "the raster is {} with {} samples",
                self.shape(),
                self.samples.len()
            ),
            want: "both sides are at least 1, channels 1 to 4, samples width x height x channels",
        })
    }

    /// One channel as `f64`, `width * height` values.
    pub(crate) fn plane(&self, channel: usize) -> Vec<f64> {
        self.samples
            .iter()
            .skip(channel)
            .step_by(self.channels)
            .map(|&v| f64::from(v))
            .collect()
    }

    pub(crate) fn shape(&self) -> String {
        format!(
            "{}x{} with {} channels",
            self.width, self.height, self.channels
        )
    }
}

/// Panics unless both are well-formed and of the same shape; [`crate::metrics::compare`] returns an error instead.
pub(crate) fn assert_alike(a: &Raster, b: &Raster) {
    let (left, right) = (a.shape(), b.shape());
    assert!(
        a.check().is_ok() && b.check().is_ok(),
        "malformed raster: {left} or {right}"
    );
    assert!(left == right, "rasters differ in shape: {left} and {right}");
}

/// The samples with colours multiplied by alpha; a plain copy where there is no alpha.
pub fn premultiplied(raster: &Raster) -> Vec<f32> {
    let mut samples = raster.samples.to_vec();
    if raster.has_alpha() {
        for pixel in samples.chunks_exact_mut(raster.channels) {
            if let Some((&mut alpha, colours)) = pixel.split_last_mut() {
                colours.iter_mut().for_each(|c| *c *= alpha);
            }
        }
    }
    samples
}

/// Divides the colours of one pixel by its alpha, which comes last; transparent pixels become black.
pub fn divide_by_alpha(pixel: &mut [f32]) {
    if let Some((alpha, colours)) = pixel.split_last_mut() {
        let divisor = *alpha;
        let straight = |c: f32| {
            if divisor > MIN_ALPHA {
                (c / divisor).clamp(0.0, 1.0)
            } else {
                0.0
            }
        };
        colours.iter_mut().for_each(|c| *c = straight(*c));
        *alpha = divisor.clamp(0.0, 1.0);
    }
}
