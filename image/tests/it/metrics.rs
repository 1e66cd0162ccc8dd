//! Metrics against values from elsewhere, and what must hold for any picture.
//!
//! The reference values were printed by this program (scikit-image 0.26.0, NumPy, SciPy):
//!
//! ```python
//! import numpy as np
//! from skimage.metrics import structural_similarity
//! from scipy.ndimage import convolve1d
//!
//! def picture(width, height, channels, noise):
//!     """Sines plus a linear congruential generator, rounded to f32 like the test's pictures."""
//!     state, out = 1, np.empty(width * height * channels)
//!     for i in range(out.size):
//!         c, x, y = i % channels, i // channels % width, i // channels // width
//!         state = (state * 1664525 + 1013904223) % 2**32
//!         wave = 0.5 + 0.25 * np.sin(0.13 * x + c) * np.cos(0.07 * y) + 0.15 * np.sin(0.9 * x - 0.5 * y)
//!         out[i] = wave + noise * (state / 2**32 - 0.5)
//!     return out.astype(np.float32).astype(np.float64).reshape(height, width, channels)
//!
//! def ms_ssim(a, b):
//!     x = np.arange(-5, 6)
//!     k = np.exp(-x * x / 4.5)
//!     k /= k.sum()
//!     blur = lambda p: convolve1d(convolve1d(p, k, 0), k, 1)[5:-5, 5:-5]
//!     halve = lambda p: p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2].reshape(
//!         p.shape[0] // 2, 2, p.shape[1] // 2, 2).mean((1, 3))
//!     result = 1.0
//!     for i, w in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
//!         ma, mb = blur(a), blur(b)
//!         cs = (2 * (blur(a * b) - ma * mb) + 9e-4) / (
//!             blur(a * a) - ma**2 + blur(b * b) - mb**2 + 9e-4)
//!         l = (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4)
//!         result *= (cs if i < 4 else l * cs).mean() ** w
//!         a, b = halve(a), halve(b)
//!     return result
//!
//! for w, h, c in [(64, 48, 3), (37, 11, 1), (191, 178, 1), (200, 180, 3)]:
//!     a, b = picture(w, h, c, 0.0), picture(w, h, c, 0.2)
//!     kw = dict(data_range=1, channel_axis=2)
//!     print(w, h, c, structural_similarity(a, b, **kw),
//!           structural_similarity(a, b, gaussian_weights=True, use_sample_covariance=False, **kw),
//!           np.mean([ms_ssim(a[..., i], b[..., i]) for i in range(c)]) if min(w, h) >= 176 else None,
//!           10 * np.log10(1 / np.mean((a - b) ** 2)))
//! ```

use inr_image::Error;
use inr_image::Raster;
use inr_image::metrics::{
    alignment, bits_per_pixel, compare, difference, ms_ssim, mse, psnr, psnr_alpha, ssim,
    ssim_gaussian, ssimulacra2,
};

/// The pictures of the program above.
fn picture(width: usize, height: usize, channels: usize, noise: f64) -> Vec<f32> {
    let mut state = 1_u32;
    let mut samples = Vec::new();
    for i in 0..width * height * channels {
        let (c, x, y) = (i % channels, i / channels % width, i / channels / width);
        let (c, x, y) = (c as f64, x as f64, y as f64);
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wave =
            0.5 + 0.25 * (0.13 * x + c).sin() * (0.07 * y).cos() + 0.15 * (0.9 * x - 0.5 * y).sin();
        samples.push((wave + noise * (f64::from(state) / 4_294_967_296.0 - 0.5)) as f32);
    }
    samples
}

fn raster(width: usize, height: usize, channels: usize, samples: &[f32]) -> Raster<'_> {
    Raster::new(width, height, channels, samples).unwrap()
}

fn close(found: f64, wanted: f64, tolerance: f64) {
    assert!(
        (found - wanted).abs() <= tolerance,
        "found {found}, wanted {wanted} within {tolerance}"
    );
}

/// Reference values for one size, printed by the program above.
struct Reference {
    shape: (usize, usize, usize),
    ssim: f64,
    ssim_gaussian: f64,
    ms_ssim: Option<f64>,
    psnr: f64,
}

#[rustfmt::skip]
const REFERENCES: [Reference; 4] = [
    Reference { shape: (64, 48, 3), ssim: 0.8843833693958113, ssim_gaussian: 0.8711875215116254, ms_ssim: None, psnr: 24.76876057493388 },
    Reference { shape: (37, 11, 1), ssim: 0.8967199781853155, ssim_gaussian: 0.8894821987635747, ms_ssim: None, psnr: 24.98403734650833 },
    Reference { shape: (191, 178, 1), ssim: 0.8844362300676579, ssim_gaussian: 0.8714810427396459, ms_ssim: Some(0.9810057967235618), psnr: 24.73468431784443 },
    Reference { shape: (200, 180, 3), ssim: 0.8850502701925095, ssim_gaussian: 0.8720010823969874, ms_ssim: Some(0.9806673582953543), psnr: 24.77139764143185 },
];

#[test]
fn reference_values_are_met() {
    for reference in REFERENCES {
        let (w, h, c) = reference.shape;
        let (clean, noisy) = (picture(w, h, c, 0.0), picture(w, h, c, 0.2));
        let (a, b) = (raster(w, h, c, &clean), raster(w, h, c, &noisy));
        close(ssim(a, b).unwrap(), reference.ssim, 1e-6);
        close(ssim_gaussian(a, b).unwrap(), reference.ssim_gaussian, 1e-6);
        close(psnr(a, b), reference.psnr, 1e-5);
        assert_eq!(ms_ssim(a, b).is_some(), reference.ms_ssim.is_some());
        if let (Some(found), Some(wanted)) = (ms_ssim(a, b), reference.ms_ssim) {
            close(found, wanted, 1e-6);
        }
    }
}

#[test]
fn psnr_by_hand() {
    let a = [0.0, 0.25, 0.5, 1.0];
    let b = [0.5, 0.25, 0.5, 0.5];
    let (a, b) = (raster(2, 2, 1, &a), raster(2, 2, 1, &b));
    assert_eq!(mse(a, b), 0.125);
    close(psnr(a, b), 9.030_899_869_919_436, 1e-12);
}

#[test]
fn equal_pictures_have_the_best_scores() {
    let samples = picture(180, 176, 3, 0.1);
    let report = compare(raster(180, 176, 3, &samples), raster(180, 176, 3, &samples)).unwrap();
    assert_eq!(report.psnr, f64::INFINITY);
    for score in [report.ssim, report.ssim_gaussian, report.ms_ssim] {
        close(score.unwrap(), 1.0, 1e-9);
    }
    close(report.ssimulacra2.unwrap(), 100.0, 1e-6);
}

#[test]
fn order_does_not_matter_where_no_picture_is_the_reference() {
    let (a, b) = (picture(177, 176, 1, 0.0), picture(177, 176, 1, 0.3));
    let (a, b) = (raster(177, 176, 1, &a), raster(177, 176, 1, &b));
    for metric in [ssim, ssim_gaussian, ms_ssim] {
        close(metric(a, b).unwrap(), metric(b, a).unwrap(), 1e-12);
    }
    assert_eq!(psnr(a, b), psnr(b, a));
}

#[test]
fn more_noise_scores_lower() {
    let clean = picture(64, 64, 3, 0.0);
    let scores = [0.02, 0.1, 0.4].map(|noise| {
        let noisy = picture(64, 64, 3, noise);
        compare(raster(64, 64, 3, &clean), raster(64, 64, 3, &noisy)).unwrap()
    });
    for pair in scores.windows(2) {
        assert!(pair[0].psnr > pair[1].psnr);
        assert!(pair[0].ssim > pair[1].ssim);
        assert!(
            pair[0].ssimulacra2 > pair[1].ssimulacra2,
            "{:?} {:?}",
            pair[0],
            pair[1]
        );
    }
}

#[test]
fn flat_pictures_give_finite_scores() {
    let (black, white) = (vec![0.0; 16 * 16], vec![1.0; 16 * 16]);
    let report = compare(raster(16, 16, 1, &black), raster(16, 16, 1, &white)).unwrap();
    close(report.psnr, 0.0, 1e-12);
    close(report.ssim.unwrap(), 1e-4 / (1.0 + 1e-4), 1e-9);
    assert!(report.ssimulacra2.unwrap().is_finite());
}

#[test]
fn metrics_are_none_below_their_smallest_side() {
    let defined = |side: usize| {
        let samples = vec![0.5; side * 200];
        let report = compare(
            raster(200, side, 1, &samples),
            raster(200, side, 1, &samples),
        )
        .unwrap();
        [
            report.ssim,
            report.ssimulacra2,
            report.ssim_gaussian,
            report.ms_ssim,
        ]
        .map(|score| score.is_some())
    };
    assert_eq!(defined(1), [false; 4]);
    assert_eq!(defined(6), [false; 4]);
    assert_eq!(defined(7), [true, false, false, false]);
    assert_eq!(defined(8), [true, true, false, false]);
    assert_eq!(defined(11), [true, true, true, false]);
    assert_eq!(defined(175), [true, true, true, false]);
    assert_eq!(defined(176), [true; 4]);
}

#[test]
fn colours_of_transparent_pixels_do_not_count() {
    let opaque_left = |hidden: f32| -> Vec<f32> {
        let pixel = |i: usize| {
            if i % 16 < 8 {
                [0.2, 0.4, 0.6, 1.0]
            } else {
                [hidden, hidden, hidden, 0.0]
            }
        };
        (0..256).flat_map(pixel).collect()
    };
    let (a, b) = (opaque_left(0.0), opaque_left(1.0));
    let (a, b) = (raster(16, 16, 4, &a), raster(16, 16, 4, &b));
    let report = compare(a, b).unwrap();
    assert_eq!(report.psnr, f64::INFINITY);
    close(report.ssim.unwrap(), 1.0, 1e-9);
    close(report.ssimulacra2.unwrap(), 100.0, 1e-6);
    assert!(psnr(a, b) < 10.0);
}

#[test]
fn psnr_alpha_by_hand() {
    // Weights: colour 0.5 with error 0.4, then colour 1 with error 0; alpha errors 0 and 0.1, each with weight 1.
    let (a, b) = ([0.1, 0.5, 0.7, 1.0], [0.5, 0.5, 0.7, 0.9]);
    let (a, b) = (raster(2, 1, 2, &a), raster(2, 1, 2, &b));
    let weighted: f64 = (0.5 * 0.16 + 0.01) / (0.5 + 1.0 + 1.0 + 1.0);
    close(psnr_alpha(a, b), -10.0 * weighted.log10(), 1e-6);
}

#[test]
fn psnr_alpha_of_an_opaque_reference_is_psnr() {
    let opaque = |noise| {
        let mut samples = picture(20, 20, 4, noise);
        samples
            .iter_mut()
            .skip(3)
            .step_by(4)
            .for_each(|alpha| *alpha = 1.0);
        samples
    };
    let (a, b) = (opaque(0.0), opaque(0.1));
    let (a, b) = (raster(20, 20, 4, &a), raster(20, 20, 4, &b));
    close(psnr_alpha(a, b), psnr(a, b), 1e-9);
}

#[test]
fn grey_scores_like_the_same_grey_as_rgb() {
    let replicated = |grey: &[f32]| -> Vec<f32> { grey.iter().flat_map(|&v| [v; 3]).collect() };
    let (a, b) = (picture(40, 30, 1, 0.0), picture(40, 30, 1, 0.2));
    let (a3, b3) = (replicated(&a), replicated(&b));
    let grey = ssimulacra2(raster(40, 30, 1, &a), raster(40, 30, 1, &b));
    assert_eq!(
        grey,
        ssimulacra2(raster(40, 30, 3, &a3), raster(40, 30, 3, &b3))
    );
}

#[test]
fn unlike_shapes_are_refused_naming_both() {
    let samples = vec![0.5; 48];
    let error = compare(raster(8, 6, 1, &samples), raster(4, 4, 3, &samples)).unwrap_err();
    assert!(matches!(error, Error::Misuse { .. }));
    let message = error.to_string();
    assert!(
        message.contains("8x6 with 1") && message.contains("4x4 with 3"),
        "{message}"
    );
}

#[test]
fn malformed_rasters_are_refused() {
    let samples = [0.0; 12];
    for (width, height, channels) in [
        (2, 2, 4),
        (0, 2, 3),
        (2, 1, 6),
        (2, 6, 0),
        (usize::MAX, 2, 3),
    ] {
        assert!(Raster::new(width, height, channels, &samples).is_err());
        let by_hand = Raster {
            width,
            height,
            channels,
            samples: &samples,
        };
        assert!(compare(by_hand, by_hand).is_err());
    }
}

#[test]
fn difference_is_centred_scaled_and_clamped() {
    let (a, b) = ([0.5, 0.5, 0.5, 0.2], [0.75, 0.25, 1.0, 0.9]);
    assert_eq!(
        difference(raster(4, 1, 1, &a), raster(4, 1, 1, &b), 1.0)[..3],
        [0.75, 0.25, 1.0]
    );
    assert_eq!(
        difference(raster(4, 1, 1, &a), raster(4, 1, 1, &b), 4.0)[..3],
        [1.0, 0.0, 1.0]
    );
    assert_eq!(
        difference(raster(1, 1, 4, &a), raster(1, 1, 4, &b), 1.0),
        [0.75, 0.25, 1.0, 1.0]
    );
}

#[test]
fn bits_per_pixel_by_hand() {
    assert_eq!(bits_per_pixel(1500, 100, 60), 2.0);
}

/// A smooth pattern whose content lies `dx`, `dy` further right and down.
fn pattern(width: usize, height: usize, dx: f64, dy: f64) -> Vec<f32> {
    let at = |x: f64, y: f64| {
        let (x, y) = (x - dx, y - dy);
        0.5 + 0.2 * (0.31 * x + 0.17 * y).sin()
            + 0.15 * (0.83 * y - 0.2 * x).cos()
            + 0.1 * (1.3 * x).sin() * (0.4 * y).cos()
    };
    (0..width * height)
        .map(|i| at((i % width) as f64, (i / width) as f64) as f32)
        .collect()
}

const SHIFTS: [(f64, f64); 8] = [
    (0.0, 0.0),
    (0.5, 0.5),
    (-0.5, 0.25),
    (0.02, -0.01),
    (1.0, -2.0),
    (1.37, -0.81),
    (-1.9, 1.9),
    (0.0, 0.125),
];

#[test]
fn alignment_finds_shifts_to_a_fiftieth_of_a_pixel() {
    let still = pattern(72, 50, 0.0, 0.0);
    for (dx, dy) in SHIFTS {
        let moved = pattern(72, 50, dx, dy);
        let (x, y) = alignment(raster(72, 50, 1, &still), raster(72, 50, 1, &moved)).unwrap();
        close(x, dx, 0.003);
        close(y, dy, 0.003);
    }
}

#[test]
fn alignment_is_not_misled_by_noise_brightness_or_contrast() {
    let still = pattern(128, 128, 0.0, 0.0);
    let noise = picture(128, 128, 1, 0.1)
        .into_iter()
        .zip(picture(128, 128, 1, 0.0))
        .map(|(n, c)| n - c);
    let noise: Vec<f32> = noise.collect();
    for (dx, dy) in SHIFTS {
        let moved: Vec<f32> = pattern(128, 128, dx, dy)
            .iter()
            .zip(&noise)
            .map(|(v, n)| 0.1 + 0.8 * v + n)
            .collect();
        let (x, y) = alignment(raster(128, 128, 1, &still), raster(128, 128, 1, &moved)).unwrap();
        close(x, dx, 0.02);
        close(y, dy, 0.02);
    }
}

#[test]
fn alignment_needs_detail_and_room() {
    let flat = vec![0.5; 64 * 64];
    assert_eq!(
        alignment(raster(64, 64, 1, &flat), raster(64, 64, 1, &flat)),
        None
    );
    let stripes: Vec<f32> = (0..64 * 64)
        .map(|i| ((i % 64) as f32 * 0.3).sin())
        .collect();
    assert_eq!(
        alignment(raster(64, 64, 1, &stripes), raster(64, 64, 1, &stripes)),
        None
    );
    let small = pattern(23, 64, 0.0, 0.0);
    assert_eq!(
        alignment(raster(23, 64, 1, &small), raster(23, 64, 1, &small)),
        None
    );
}
