//! Estimates of noise, and tiles.

use inr_image::planes::tiles;
use inr_image::{Depth, Layout, Metadata, Picture, noise};
use proptest::prelude::*;

/// Smooth colours with normal noise of `deviation` in every channel.
fn noisy(layout: Layout, deviation: f32) -> Picture {
    let mut state = 7_u64;
    let mut normal = || {
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        (0..12).map(|_| uniform()).sum::<f32>() - 6.0
    };
    let channels = layout.channels();
    let samples: Vec<f32> = (0..160 * 120 * channels)
        .map(|at| {
            let (x, y) = ((at / channels) % 160, at / channels / 160);
            0.5 + 0.2 * (x as f32 / 40.0).sin() * (y as f32 / 30.0).cos() + deviation * normal()
        })
        .collect();
    let metadata = Metadata::default();
    Picture::from_f32(160, 120, layout, Depth::F32, &samples, metadata).unwrap()
}

#[test]
fn white_noise_is_estimated_within_a_tenth() {
    for layout in [Layout::Grey, Layout::Rgb] {
        for deviation in [0.01, 0.04, 0.1] {
            let found = noise::deviation(&noisy(layout, deviation as f32));
            assert!(
                (found / deviation - 1.0).abs() < 0.1,
                "{layout:?} {deviation}: {found}"
            );
        }
    }
}

#[test]
fn only_colours_have_noise_for_certain() {
    assert_eq!(noise::certain(&noisy(Layout::Grey, 0.04)), 0.0);
    assert!(noise::certain(&noisy(Layout::Rgb, 0.04)) > 0.03);
    assert_eq!(noise::certain(&noisy(Layout::Rgb, 0.001)), 0.0);
}

proptest! {
    #[test]
    fn tiles_cover_a_part_once(left in 0..50_usize, top in 0..50_usize, width in 1..90_usize, height in 1..90_usize, side in 1..40_usize) {
        let part = [left..left + width, top..top + height];
        let found = tiles(&part, side);
        let area: usize = found.iter().map(|[columns, rows]| columns.len() * rows.len()).sum();
        prop_assert_eq!(area, width * height);
        for [columns, rows] in found {
            prop_assert!(columns.len() <= side && rows.len() <= side);
            prop_assert!(left <= columns.start && columns.end <= left + width);
            prop_assert!(top <= rows.start && rows.end <= top + height);
        }
    }
}
