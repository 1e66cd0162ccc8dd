//! Structural similarity over one scale and over five.

use crate::raster::{Raster, assert_alike};

/// `(K1 * range)^2` and `(K2 * range)^2` of Wang et al. 2004 with data range 1.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Exponents of the five scales, finest first (Wang, Simoncelli and Bovik 2003).
const SCALE_WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// Smallest side in pixels for which [`ms_ssim`] is defined: 11 px are left after four halvings.
pub const MS_SSIM_SMALLEST_SIDE: usize = 176;

/// Structural similarity with a uniform 7x7 window, at most 1; `None` when a side is below 7 px.
///
/// The same number as scikit-image's `structural_similarity(a, b, data_range=1, channel_axis=2)`: sample covariance
/// (49/48), K1 0.01, K2 0.03, the mean over windows that lie inside the picture, then over channels. Alpha is a
/// channel like the others; [`crate::metrics::compare`] premultiplies first.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn ssim(a: Raster, b: Raster) -> Option<f64> {
    mean_over_channels(a, b, |a, b| {
        similarity(a, b, &[1.0 / 7.0; 7], 49.0 / 48.0).map(|s| s.full)
    })
}

/// Structural similarity with a Gaussian window, at most 1; `None` when a side is below 11 px.
///
/// As in Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality assessment: from error visibility to structural
/// similarity": sigma 1.5 px, 11x11, population covariance; the mean over windows that lie inside the picture, then
/// over channels. The paper works on luma, here each channel counts. scikit-image gives the same with
/// `gaussian_weights=True, use_sample_covariance=False`.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn ssim_gaussian(a: Raster, b: Raster) -> Option<f64> {
    let kernel = gaussian_kernel();
    mean_over_channels(a, b, |a, b| similarity(a, b, &kernel, 1.0).map(|s| s.full))
}

/// Multi-scale structural similarity, 0.0..=1.0; `None` when a side is below [`MS_SSIM_SMALLEST_SIDE`].
///
/// Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality assessment": five scales, each
/// half the one before (mean of 2x2 pixels, an odd last row or column is dropped), the Gaussian window of
/// [`ssim_gaussian`], contrast and structure at every scale, luminance at the coarsest. As in the authors' program the
/// coarsest factor is the mean of the full SSIM map. A negative mean counts as 0. The result is the mean over channels.
///
/// # Panics
/// When the rasters differ in shape or are malformed (see [`Raster::new`]).
pub fn ms_ssim(a: Raster, b: Raster) -> Option<f64> {
    assert_alike(&a, &b);
    if a.width.min(a.height) < MS_SSIM_SMALLEST_SIDE {
        return None;
    }
    let kernel = gaussian_kernel();
    mean_over_channels(a, b, |a, b| multi_scale(a, b, &kernel))
}

/// One channel on its own.
struct Plane {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

impl Plane {
    fn row(&self, y: usize) -> &[f64] {
        &self.values[y * self.width..][..self.width]
    }

    /// The mean of each 2x2 block; an odd last row or column is dropped.
    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let (top, bottom) = (self.row(2 * y), self.row(2 * y + 1));
            let pairs = top.chunks_exact(2).zip(bottom.chunks_exact(2));
            values.extend(pairs.map(|(t, b)| 0.25 * (t[0] + t[1] + b[0] + b[1])));
        }
        Self {
            width,
            height,
            values,
        }
    }
}

/// Means over all windows inside the picture.
#[derive(Default)]
struct Similarity {
    /// Luminance, contrast and structure.
    full: f64,
    /// Contrast and structure only.
    contrast: f64,
}

fn mean_over_channels(
    a: Raster,
    b: Raster,
    metric: impl Fn(Plane, Plane) -> Option<f64>,
) -> Option<f64> {
    assert_alike(&a, &b);
    let plane = |raster: &Raster, channel| Plane {
        width: raster.width,
        height: raster.height,
        values: raster.plane(channel),
    };
    let sum: Option<f64> = (0..a.channels)
        .map(|c| metric(plane(&a, c), plane(&b, c)))
        .sum();
    sum.map(|s| s / a.channels as f64)
}

fn multi_scale(mut a: Plane, mut b: Plane, kernel: &[f64]) -> Option<f64> {
    let (&coarsest, finer) = SCALE_WEIGHTS.split_last()?;
    let mut product = 1.0;
    for weight in finer {
        product *= similarity_of(&a, &b, kernel, 1.0)?
            .contrast
            .max(0.0)
            .powf(*weight);
        (a, b) = (a.halved(), b.halved());
    }
    Some(
        product
            * similarity_of(&a, &b, kernel, 1.0)?
                .full
                .max(0.0)
                .powf(coarsest),
    )
}

fn similarity(a: Plane, b: Plane, kernel: &[f64], covariance_scale: f64) -> Option<Similarity> {
    similarity_of(&a, &b, kernel, covariance_scale)
}

/// Local moments of a pair of pictures: means of a, b, a^2, b^2 and ab.
type Moments = [f64; 5];

/// Means of the similarity maps under the separable window `kernel`, `None` when it does not fit into the picture.
fn similarity_of(
    a: &Plane,
    b: &Plane,
    kernel: &[f64],
    covariance_scale: f64,
) -> Option<Similarity> {
    let columns = (a.width + 1).checked_sub(kernel.len()).filter(|&n| n > 0)?;
    let rows = (a.height + 1)
        .checked_sub(kernel.len())
        .filter(|&n| n > 0)?;
    let mut total = Similarity::default();
    let mut below: Vec<Moments> = vec![[0.0; 5]; a.width];
    for y in 0..rows {
        weigh_rows(a, b, y, kernel, &mut below);
        for window in below.windows(kernel.len()) {
            let mut moments = [0.0; 5];
            for (column, weight) in window.iter().zip(kernel) {
                (0..5).for_each(|i| moments[i] += weight * column[i]);
            }
            let (luminance, contrast) = factors(moments, covariance_scale);
            total.full += luminance * contrast;
            total.contrast += contrast;
        }
    }
    let windows = rows as f64 * columns as f64;
    Some(Similarity {
        full: total.full / windows,
        contrast: total.contrast / windows,
    })
}

/// Weighs the rows from `y` on with `kernel`, into the moments of each column.
fn weigh_rows(a: &Plane, b: &Plane, y: usize, kernel: &[f64], below: &mut [Moments]) {
    below.fill([0.0; 5]);
    for (k, weight) in kernel.iter().enumerate() {
        for ((sums, &p), &q) in below.iter_mut().zip(a.row(y + k)).zip(b.row(y + k)) {
            let (wp, wq) = (weight * p, weight * q);
            let products = [wp, wq, wp * p, wq * q, wp * q];
            (0..5).for_each(|i| sums[i] += products[i]);
        }
    }
}

/// The luminance factor and the contrast-structure factor of one window.
fn factors([a, b, aa, bb, ab]: Moments, covariance_scale: f64) -> (f64, f64) {
    let variance_a = covariance_scale * (aa - a * a);
    let variance_b = covariance_scale * (bb - b * b);
    let covariance = covariance_scale * (ab - a * b);
    let luminance = (2.0 * a * b + C1) / (a * a + b * b + C1);
    let contrast = (2.0 * covariance + C2) / (variance_a + variance_b + C2);
    (luminance, contrast)
}

/// Eleven weights with sigma 1.5 px, sum 1.
fn gaussian_kernel() -> [f64; 11] {
    let mut kernel: [f64; 11] = std::array::from_fn(|i| {
        let x = i as f64 - 5.0;
        (-x * x / (2.0 * 1.5 * 1.5)).exp()
    });
    let sum: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|w| *w /= sum);
    kernel
}
