use inr_formats::{Activation, Grid, Sampling};
use proptest::prelude::*;

use super::*;
use inr_kernel::Job;
use inr_kernel::Layer;

/// A network with weights from a fixed sequence; `omega` is how quickly the first layer swings.
fn network(activation: Activation, widths: &[usize], omega: f32, seed: u64) -> Network {
    let mut state = seed | 1;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let layers = widths.windows(2).enumerate().map(|(index, pair)| {
        let scale = if index == 0 {
            omega
        } else {
            (3.0 / pair[0] as f32).sqrt()
        };
        Layer {
            inputs: pair[0],
            outputs: pair[1],
            weights: (0..pair[0] * pair[1]).map(|_| random() * scale).collect(),
            bias: (0..pair[1]).map(|_| random()).collect(),
        }
    });
    Network {
        activation,
        frequencies: 0,
        layers: layers.collect(),
    }
}

fn viewport(region: [f64; 4], size: [u32; 2]) -> Viewport {
    Viewport {
        region,
        size,
        sampling: Sampling::Point,
    }
}

/// Field values, planar, row by row.
fn values(network: &Network, viewport: &Viewport, threads: usize) -> Vec<f32> {
    let map = CoordinateMap::new(61, 47, Grid::PixelCentre);
    let mut out =
        vec![0.0; viewport.size[0] as usize * viewport.size[1] as usize * network.channels()];
    let rows = Rows::of(&mut out, viewport.size[0] as usize * network.channels());
    let copy = |row: &[f32], out: &mut [f32]| out.copy_from_slice(row);
    Job::unwatched(|job| render(network, &map, viewport, threads, rows, job, copy))
        .expect("nobody ends it");
    out
}

/// Largest difference between our render of the whole picture and one with 16 x 16 sub-samples, in steps of 1/255.
fn footprint_error(
    network: &Network,
    map: &CoordinateMap,
    source: [u32; 2],
    size: [u32; 2],
) -> f32 {
    let view = viewport([0.0, 0.0, f64::from(source[0]), f64::from(source[1])], size);
    let samples = size[0] as usize * network.channels();
    let mut ours = vec![0.0; samples * size[1] as usize];
    let rows = Rows::of(&mut ours, samples);
    let copy = |row: &[f32], out: &mut [f32]| out.copy_from_slice(row);
    Job::unwatched(|job| render(network, map, &view, 2, rows, job, copy)).expect("nobody ends it");
    let mut exact = RowRenderer::new(network.channels(), map, &view);
    exact.footprints = view
        .pitch()
        .map(|pitch| Footprint::with_count((pitch * pitch - 1.0).sqrt(), 16));
    let mut evaluator = Evaluator::new(network, Backend::detect());
    let mut row = vec![0.0; samples];
    let mut worst = 0.0_f32;
    // The reference is slow: every seventh row of a photo, all rows of a small picture.
    let every = if size[1] > 60 { 7 } else { 1 };
    for (index, ours) in ours.chunks_exact(samples).enumerate().step_by(every) {
        let done: Result<(), std::convert::Infallible> =
            exact.row(index, TILE, &mut row, |x, y, add| {
                add(evaluator.evaluate(x, y), TILE);
                Ok(())
            });
        match done {
            Ok(()) => {}
        }
        // Field values span twice the range of samples.
        worst = ours
            .iter()
            .zip(&row)
            .map(|(a, b)| (a - b).abs() / 2.0)
            .fold(worst, f32::max);
    }
    worst * 255.0
}

#[test]
fn reduced_renders_are_within_1_of_255_of_a_16_by_16_reference() {
    // omega 20 over 61 px: details of about three pixels, as a fitted photo has.
    let network = network(Activation::Sine, &[2, 24, 24, 3], 20.0, 3);
    let map = CoordinateMap::new(61, 47, Grid::PixelCentre);
    for size in [[58, 45], [41, 31], [30, 23], [17, 13], [9, 7]] {
        let worst = footprint_error(&network, &map, [61, 47], size);
        assert!(worst <= 1.0, "{size:?}: {worst} of 255");
    }
}

#[test]
fn a_reduced_photo_is_within_1_of_255_of_a_16_by_16_reference() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/golden/chelsea.inr");
    let bytes = std::fs::read(file).expect("a fixture");
    let picture = crate::InrPicture::open(&bytes, &crate::Limits::default()).expect("a fixture");
    let source = [picture.width(), picture.height()];
    for size in [[300, 200], [61, 41]] {
        let worst = footprint_error(
            picture.network().expect("a network"),
            &picture.map(),
            source,
            size,
        );
        assert!(worst <= 1.0, "{size:?}: {worst} of 255");
    }
}

#[test]
fn the_footprint_grows_from_nothing_at_scale_1() {
    assert_eq!(Footprint::new(1.0, Sampling::Point).0, [0.0]);
    assert_eq!(Footprint::new(0.25, Sampling::Point).0, [0.0]);
    let slightly = Footprint::new(1.01, Sampling::Point).0;
    assert!(
        slightly.iter().all(|offset| offset.abs() < 0.08),
        "{slightly:?}"
    );
    let area = Footprint::new(1.0, Sampling::Area).0;
    assert!((area[0] + area[area.len() - 1]).abs() < 1e-12 && area.len() > 1);
}

#[test]
fn an_area_sampled_field_integrates_over_the_output_pixel_at_every_scale() {
    // A linear field: the mean over any box is the value at its centre.
    let linear = Network {
        activation: Activation::Sine,
        frequencies: 0,
        layers: vec![Layer {
            inputs: 2,
            outputs: 1,
            weights: vec![1.0, 0.5],
            bias: vec![0.1],
        }],
    };
    for size in [[61, 47], [20, 10], [122, 94]] {
        let point = viewport([0.0, 0.0, 61.0, 47.0], size);
        let area = Viewport {
            sampling: Sampling::Area,
            ..point
        };
        let pairs = values(&linear, &point, 1)
            .into_iter()
            .zip(values(&linear, &area, 1));
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{size:?}: {worst}");
    }
}

#[test]
fn a_region_is_the_same_part_of_the_whole_render() {
    let network = network(Activation::Sine, &[2, 16, 2], 8.0, 5);
    let whole = values(&network, &viewport([0.0, 0.0, 61.0, 47.0], [122, 94]), 1);
    let part = values(&network, &viewport([10.0, 5.0, 20.0, 30.0], [40, 60]), 1);
    for row in 0..60 {
        for channel in 0..2 {
            let expected = &whole[((row + 10) * 2 + channel) * 122 + 20..][..40];
            let found = &part[(row * 2 + channel) * 40..][..40];
            let worst = expected
                .iter()
                .zip(found)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(worst < 1e-5, "row {row}: {worst}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn threads_do_not_change_values(seed in any::<u64>(), threads in 2usize..6, columns in 1u32..300, rows in 1u32..20) {
        let network = network(Activation::Relu, &[2, 9, 5, 1], 3.0, seed);
        let view = viewport([3.0, 2.0, 40.5, 30.25], [columns, rows]);
        prop_assert_eq!(values(&network, &view, 1), values(&network, &view, threads));
    }
}
