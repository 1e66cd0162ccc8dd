//! What a resampled picture must be, whatever the filter.

use inr_image::Error;
use inr_image::Raster;
use inr_image::metrics::alignment;
use inr_image::resample::{Filter, box_average, resize};

const FILTERS: [Filter; 3] = [Filter::CatmullRom, Filter::Lanczos3, Filter::Box];
const SIZES: [(usize, usize); 6] = [(40, 24), (33, 61), (7, 5), (1, 1), (20, 12), (20, 30)];

fn raster(width: usize, height: usize, channels: usize, samples: &[f32]) -> Raster<'_> {
    Raster::new(width, height, channels, samples).unwrap()
}

fn all_close(found: &[f32], wanted: &[f32], tolerance: f32) {
    assert_eq!(found.len(), wanted.len());
    for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
        assert!(
            (f - w).abs() <= tolerance,
            "sample {i}: found {f}, wanted {w} within {tolerance}"
        );
    }
}

fn scene(width: usize, height: usize, channels: usize) -> Vec<f32> {
    let at = |i: usize| {
        let (c, x, y) = (
            (i % channels) as f32,
            (i / channels % width) as f32,
            (i / channels / width) as f32,
        );
        0.5 + 0.25 * (0.37 * x + 0.21 * y + c).sin() + 0.2 * (0.29 * y - 0.11 * x).cos()
    };
    (0..width * height * channels).map(at).collect()
}

#[test]
fn constants_stay_constant() {
    for channels in 1..=4 {
        let samples = vec![0.625; 20 * 12 * channels];
        for (filter, (width, height)) in FILTERS
            .into_iter()
            .flat_map(|f| SIZES.map(|size| (f, size)))
        {
            let source = raster(20, 12, channels, &samples);
            let whole = resize(source, None, width, height, filter).unwrap();
            all_close(&whole, &vec![0.625; width * height * channels], 1e-5);
            let part = resize(source, Some([3.3, 0.0, 16.7, 1.9]), width, height, filter).unwrap();
            all_close(&part, &vec![0.625; width * height * channels], 1e-5);
        }
    }
}

#[test]
fn ramps_stay_linear_inside() {
    let (width, height) = (48, 36);
    let ramp = |x: f64, y: f64| (0.1 + 0.01 * x + 0.005 * y) as f32;
    let samples: Vec<f32> = (0..width * height)
        .map(|i| ramp((i % width) as f64 + 0.5, (i / width) as f64 + 0.5))
        .collect();
    let source = raster(width, height, 1, &samples);
    // Lanczos weights reproduce lines only nearly, a box only when source pixels are not cut.
    for (filter, w, h, tolerance) in [
        (Filter::CatmullRom, 96, 72, 1e-5),
        (Filter::CatmullRom, 131, 50, 1e-5),
        (Filter::Lanczos3, 96, 72, 3e-4),
        (Filter::CatmullRom, 24, 18, 1e-5),
        (Filter::Box, 16, 12, 1e-5),
    ] {
        let out = resize(source, None, w, h, filter).unwrap();
        let (scale_x, scale_y) = (width as f64 / w as f64, height as f64 / h as f64);
        for (i, &found) in out.iter().enumerate() {
            let (x, y) = (
                ((i % w) as f64 + 0.5) * scale_x,
                ((i / w) as f64 + 0.5) * scale_y,
            );
            let inside = (6.0..42.0).contains(&x) && (6.0..30.0).contains(&y);
            let wanted = ramp(x, y);
            assert!(
                !inside || (found - wanted).abs() < tolerance,
                "{filter:?} at {x}, {y}: {found}, {wanted}"
            );
        }
    }
}

#[test]
fn catmull_rom_weights_are_those_of_keys() {
    let mut samples = [0.0; 9];
    samples[4] = 1.0;
    let out = resize(raster(9, 1, 1, &samples), None, 18, 1, Filter::CatmullRom).unwrap();
    let half = [0.0, -0.0234375, -0.0703125, 0.2265625, 0.8671875];
    let wanted: Vec<f32> = half.iter().chain(half.iter().rev()).copied().collect();
    all_close(&out[4..14], &wanted, 1e-6);
}

#[test]
fn nothing_moves() {
    let (width, height) = (64, 56);
    let samples = scene(width, height, 3);
    let source = raster(width, height, 3, &samples);
    for filter in FILTERS {
        for (w, h) in [(128, 112), (192, 168), (150, 99)] {
            let large = resize(source, None, w, h, filter).unwrap();
            let back = box_average(raster(w, h, 3, &large), width, height).unwrap();
            let (dx, dy) = alignment(source, raster(width, height, 3, &back)).unwrap();
            assert!(
                dx.abs() < 0.01 && dy.abs() < 0.01,
                "{filter:?} to {w}x{h} moves by {dx}, {dy}"
            );
        }
    }
}

#[test]
fn the_same_size_is_the_same_picture() {
    let samples = scene(20, 12, 3);
    for filter in FILTERS {
        all_close(
            &resize(raster(20, 12, 3, &samples), None, 20, 12, filter).unwrap(),
            &samples,
            1e-6,
        );
    }
}

#[test]
fn a_region_is_a_crop_of_the_whole() {
    for channels in 1..=4 {
        let samples = scene(24, 20, channels);
        let source = raster(24, 20, channels, &samples);
        for filter in FILTERS {
            let whole = resize(source, None, 96, 80, filter).unwrap();
            let part = resize(source, Some([2.25, 5.5, 11.75, 14.5]), 47, 58, filter).unwrap();
            let crop: Vec<f32> = (22..80)
                .flat_map(|y| whole[(y * 96 + 9) * channels..][..47 * channels].to_vec())
                .collect();
            all_close(&part, &crop, 1e-5);
        }
    }
}

#[test]
fn a_region_of_whole_pixels_at_their_size_is_cut_out() {
    let samples = scene(24, 20, 1);
    let part = resize(
        raster(24, 20, 1, &samples),
        Some([3.0, 4.0, 5.0, 2.0]),
        5,
        2,
        Filter::Lanczos3,
    )
    .unwrap();
    all_close(
        &part,
        &[&samples[4 * 24 + 3..][..5], &samples[5 * 24 + 3..][..5]].concat(),
        1e-6,
    );
}

#[test]
fn transparent_colours_do_not_bleed() {
    let pixel = |i: usize| {
        if i % 12 < 6 {
            [1.0, 0.0, 0.0, 0.0]
        } else {
            [0.0, 1.0, 0.0, 1.0]
        }
    };
    let samples: Vec<f32> = (0..12 * 12).flat_map(pixel).collect();
    for (filter, (width, height)) in FILTERS
        .into_iter()
        .flat_map(|f| SIZES.map(|size| (f, size)))
    {
        let out = resize(raster(12, 12, 4, &samples), None, width, height, filter).unwrap();
        for pixel in out.chunks_exact(4) {
            assert!(pixel[0] == 0.0 && pixel[2] == 0.0, "{filter:?}: {pixel:?}");
            assert!(
                pixel[3] < 1e-3 || (pixel[1] - 1.0).abs() < 1e-4,
                "{filter:?}: {pixel:?}"
            );
            assert!(
                pixel.iter().all(|v| (0.0..=1.0).contains(v)),
                "{filter:?}: {pixel:?}"
            );
        }
    }
}

#[test]
fn box_average_weighs_cut_pixels_by_their_share() {
    let samples = [0.0, 0.3, 0.9];
    let out = box_average(raster(3, 1, 1, &samples), 2, 1).unwrap();
    all_close(&out, &[0.1, 0.7], 1e-6);
    let out = box_average(raster(1, 3, 1, &samples), 1, 2).unwrap();
    all_close(&out, &[0.1, 0.7], 1e-6);
}

#[test]
fn box_average_keeps_the_mean() {
    let samples = scene(37, 23, 1);
    let mean =
        |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
    for (width, height) in [(11, 7), (36, 22), (1, 1), (50, 24), (37, 5)] {
        let out = box_average(raster(37, 23, 1, &samples), width, height).unwrap();
        assert!((mean(&out) - mean(&samples)).abs() < 1e-6);
    }
}

#[test]
fn a_region_of_a_pixel_averages_to_that_pixel() {
    let samples = scene(9, 8, 1);
    let out = resize(
        raster(9, 8, 1, &samples),
        Some([4.2, 6.1, 0.5, 0.4]),
        3,
        2,
        Filter::Box,
    )
    .unwrap();
    all_close(&out, &[samples[6 * 9 + 4]; 6], 1e-6);
}

#[test]
fn reducing_removes_what_is_too_fine() {
    let samples: Vec<f32> = (0..64 * 64)
        .map(|i| ((i % 64 + i / 64) % 2) as f32)
        .collect();
    for filter in FILTERS {
        let out = resize(raster(64, 64, 1, &samples), None, 16, 16, filter).unwrap();
        let inside: Vec<f32> = (2..14)
            .flat_map(|y| out[y * 16 + 2..][..12].to_vec())
            .collect();
        all_close(&inside, &[0.5; 144], 0.01);
    }
}

#[test]
fn impossible_sizes_and_regions_are_misuse() {
    let samples = [0.5; 12];
    let source = raster(4, 3, 1, &samples);
    for (width, height) in [(0, 3), (3, 0), (usize::MAX, 2), (1 << 33, 1)] {
        assert!(matches!(
            resize(source, None, width, height, Filter::Box),
            Err(Error::Misuse { .. })
        ));
    }
    let regions = [
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 4.1, 1.0],
        [-0.5, 0.0, 2.0, 1.0],
        [0.0, 2.5, 1.0, 1.0],
        [f64::NAN, 0.0, 1.0, 1.0],
        [0.0, 0.0, f64::INFINITY, 1.0],
        [1.0, 1.0, -1.0, 1.0],
        [4.0, 0.0, 1.0, 1.0],
    ];
    for (region, filter) in regions.into_iter().flat_map(|r| FILTERS.map(|f| (r, f))) {
        let found = resize(source, Some(region), 2, 2, filter);
        assert!(
            matches!(found, Err(Error::Misuse { .. })),
            "{region:?} with {filter:?}"
        );
    }
    let short = Raster {
        width: 4,
        height: 3,
        channels: 3,
        samples: &samples,
    };
    assert!(matches!(
        resize(short, None, 2, 2, Filter::Box),
        Err(Error::Misuse { .. })
    ));
}

#[test]
fn a_region_that_misses_the_border_by_rounding_is_accepted() {
    let samples = scene(10, 10, 1);
    for filter in FILTERS {
        let region = Some([0.1 + 0.2, 0.0, 9.7, 10.0]);
        assert!(resize(raster(10, 10, 1, &samples), region, 7, 7, filter).is_ok());
    }
}
