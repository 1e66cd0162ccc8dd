//! The pyramid model through the public interface.

use inr::encode::{Encoded, Metric, PyramidOptions};
use inr::{
    Depth, EncodeOptions, InrPicture, Layout, Limits, Metadata, OutputSize, Picture, Region,
    RenderOptions, Samples, Target, encode, read_picture,
};
use inr::{Raster, metrics};

/// Waves and an edge, 0.0..=1.0.
fn samples(width: u32, height: u32, channels: usize) -> Vec<f32> {
    let value = |x: u32, y: u32, c: usize| {
        let wave = (x as f32 * 0.31 + c as f32).sin() * (y as f32 * 0.17).cos();
        0.5 + 0.3 * wave + if x > y { 0.15 } else { -0.15 }
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels
        .flat_map(|(x, y)| (0..channels).map(move |c| value(x, y, c).clamp(0.0, 1.0)))
        .collect()
}

fn picture(width: u32, height: u32, layout: Layout, depth: Depth) -> Picture {
    let values = samples(width, height, layout.channels());
    Picture::from_f32(width, height, layout, depth, &values, Metadata::default()).unwrap()
}

fn encoded(picture: &Picture, target: Target) -> Encoded {
    let options = EncodeOptions::default().target(target);
    encode(picture, &options, &mut ()).unwrap()
}

fn open(bytes: &[u8]) -> InrPicture {
    InrPicture::open(bytes, &Limits::default()).unwrap()
}

fn render(picture: &InrPicture, options: RenderOptions) -> Vec<f32> {
    picture.render(&options, &mut ()).unwrap().picture.to_f32()
}

#[test]
fn every_layout_depth_and_small_size_comes_back() {
    for (width, height) in [(1, 1), (1, 9), (13, 1), (2, 2), (33, 47)] {
        for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
            for depth in [Depth::U8, Depth::U16, Depth::F32] {
                let source = picture(width, height, layout, depth);
                let encoded = encoded(&source, Target::Quality(90.0));
                let decoded = open(&encoded.bytes)
                    .render(&RenderOptions::default(), &mut ())
                    .unwrap()
                    .picture;
                assert_eq!((decoded.width(), decoded.height()), (width, height));
                assert_eq!((decoded.layout(), decoded.depth()), (layout, depth));
                assert!(
                    encoded.report.psnr > 30.0,
                    "{width}x{height} {layout:?}: {:?}",
                    encoded.report
                );
            }
        }
    }
}

#[test]
fn sixteen_bits_come_back_finer_than_eight_could() {
    let source = picture(96, 64, Layout::Rgb, Depth::U16);
    let report = encoded(&source, Target::Psnr(70.0)).report;
    assert!(report.target_met && report.psnr >= 70.0, "{report:?}");
}

#[test]
fn transparent_colours_cost_nothing_and_do_not_bleed() {
    let mut values = samples(64, 64, 4);
    for (index, pixel) in values.chunks_exact_mut(4).enumerate() {
        let seen = index % 64 < 32;
        pixel[3] = if seen { 1.0 } else { 0.0 };
        if !seen {
            // Noise that nobody sees.
            pixel[..3].fill((index * 7919 % 101) as f32 / 101.0);
        }
    }
    let source = Picture::from_f32(
        64,
        64,
        Layout::Rgba,
        Depth::U8,
        &values,
        Metadata::default(),
    )
    .unwrap();
    let noisy = encoded(&source, Target::Quality(75.0));
    values
        .chunks_exact_mut(4)
        .filter(|pixel| pixel[3] == 0.0)
        .for_each(|pixel| pixel[..3].fill(0.3));
    let plain = Picture::from_f32(
        64,
        64,
        Layout::Rgba,
        Depth::U8,
        &values,
        Metadata::default(),
    )
    .unwrap();
    assert_eq!(noisy.bytes, encoded(&plain, Target::Quality(75.0)).bytes);
}

#[test]
fn sizes_asked_for_are_kept() {
    let source = picture(160, 120, Layout::Rgb, Depth::U8);
    for limit in [600_u64, 1_500, 4_000] {
        let found = encoded(&source, Target::Bytes(limit));
        assert!(
            found.bytes.len() as u64 <= limit && found.bytes.len() as u64 * 100 > limit * 90,
            "{limit}: {}",
            found.bytes.len()
        );
    }
}

#[test]
fn pixels_are_the_same_for_any_number_of_threads_and_any_region() {
    let source = picture(500, 430, Layout::Rgb, Depth::U8);
    let encode_with = |threads| {
        let options = EncodeOptions::default()
            .threads(threads)
            .model(PyramidOptions::default().effort(1));
        encode(&source, &options, &mut ()).unwrap().bytes
    };
    let bytes = encode_with(1);
    assert_eq!(bytes, encode_with(3));
    let whole = render(&open(&bytes), RenderOptions::default().threads(1));
    assert_eq!(
        whole,
        render(&open(&bytes), RenderOptions::default().threads(5))
    );
    for (x, y, width, height) in [(0, 0, 50, 40), (371, 350, 129, 80), (190, 185, 33, 1)] {
        let region = Region {
            x: f64::from(x),
            y: f64::from(y),
            width: f64::from(width),
            height: f64::from(height),
        };
        let part = render(&open(&bytes), RenderOptions::default().region(region));
        for row in 0..height as usize {
            let start = ((y as usize + row) * 500 + x as usize) * 3;
            let length = width as usize * 3;
            assert_eq!(part[row * length..][..length], whole[start..][..length]);
        }
    }
}

#[test]
fn enlargements_of_regions_are_cut_from_the_whole_enlargement() {
    let bytes = encoded(
        &picture(90, 70, Layout::Grey, Depth::U8),
        Target::Quality(80.0),
    )
    .bytes;
    let options = |region, size| {
        RenderOptions::default()
            .region(region)
            .size(size)
            .depth(Depth::F32)
    };
    let whole = render(&open(&bytes), options(None, OutputSize::Scale(4.0)));
    let region = Region {
        x: 20.0,
        y: 30.0,
        width: 25.0,
        height: 20.0,
    };
    let part = render(&open(&bytes), options(Some(region), OutputSize::Scale(4.0)));
    for row in 0..80 {
        let (part, whole) = (
            &part[row * 100..][..100],
            &whole[(120 + row) * 360 + 80..][..100],
        );
        assert!(part.iter().zip(whole).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn the_field_goes_through_its_samples_and_is_smooth() {
    let picture = open(
        &encoded(
            &picture(60, 50, Layout::Grey, Depth::F32),
            Target::Quality(80.0),
        )
        .bytes,
    );
    let native = render(&picture, RenderOptions::default());
    let at = |x: f64, y: f64| f64::from(picture.sample(&[[x, y]]).unwrap()[0]);
    for (x, y) in [(0, 0), (59, 49), (30, 7)] {
        assert!(
            (at(f64::from(x) + 0.5, f64::from(y) + 0.5)
                - f64::from(native[y as usize * 60 + x as usize]))
            .abs()
                < 1e-5
        );
    }
    // The second difference of a twice differentiable function has no jumps.
    let h = 0.05;
    let second: Vec<f64> = (0..100)
        .map(|i| 20.0 + f64::from(i) * 0.03)
        .map(|x| (at(x + h, 20.2) - 2.0 * at(x, 20.2) + at(x - h, 20.2)) / (h * h))
        .collect();
    let largest = second.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
    assert!(
        second
            .windows(2)
            .all(|pair| (pair[1] - pair[0]).abs() < 0.25 * largest + 0.05)
    );
}

#[test]
fn a_cut_file_shows_a_coarser_picture() {
    let source = picture(300, 200, Layout::Rgb, Depth::U8);
    let bytes = encoded(&source, Target::Quality(85.0)).bytes;
    let wanted = source.to_f32();
    let error = |length: usize| {
        let picture = InrPicture::open_partial(&bytes[..length], &Limits::default()).unwrap();
        let found = render(&picture, RenderOptions::default());
        found
            .iter()
            .zip(&wanted)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f32>()
    };
    assert!(InrPicture::open(&bytes[..bytes.len() / 2], &Limits::default()).is_err());
    let errors = [bytes.len() / 3, bytes.len() * 2 / 3, bytes.len()].map(error);
    assert!(errors[0] > errors[1] && errors[1] > errors[2], "{errors:?}");
}

#[test]
fn metrics_and_efforts_make_files() {
    let source = picture(200, 150, Layout::Rgb, Depth::U8);
    for metric in [Metric::Mse, Metric::Ssim, Metric::Perceptual] {
        for effort in [1, 9] {
            let options = EncodeOptions::default()
                .model(PyramidOptions::default().metric(metric).effort(effort));
            let found = encode(&source, &options, &mut ()).unwrap();
            assert!(found.report.psnr > 25.0);
            open(&found.bytes)
                .render(&RenderOptions::default(), &mut ())
                .unwrap();
        }
    }
}

#[test]
fn a_metric_asked_for_gains_at_the_same_size() {
    let photo = format!("{}/fixtures/chelsea.png", env!("CARGO_MANIFEST_DIR"));
    let source = read_picture(&std::fs::read(photo).unwrap(), &Limits::default()).unwrap();
    let report = |metric| {
        let options = EncodeOptions::default()
            .target(Target::Bytes(12_000))
            .model(PyramidOptions::default().metric(metric));
        let bytes = encode(&source, &options, &mut ()).unwrap().bytes;
        let decoded = open(&bytes)
            .render(&RenderOptions::default(), &mut ())
            .unwrap();
        let values = [&source, &decoded.picture].map(Picture::to_f32);
        let [a, b] = [0, 1].map(|of| {
            let (width, height) = (source.width() as usize, source.height() as usize);
            Raster::new(width, height, 3, &values[of]).unwrap()
        });
        metrics::compare(a, b).unwrap()
    };
    let [mse, ssim, perceptual] = [Metric::Mse, Metric::Ssim, Metric::Perceptual].map(report);
    assert!(mse.psnr > ssim.psnr.max(perceptual.psnr));
    assert!(ssim.ssim > mse.ssim, "{:?} {:?}", ssim.ssim, mse.ssim);
    assert!(perceptual.ssimulacra2 > mse.ssimulacra2);
}

#[test]
fn a_photo_gets_an_output_layer_of_its_own() {
    let photo = format!("{}/fixtures/chelsea.png", env!("CARGO_MANIFEST_DIR"));
    let source = read_picture(&std::fs::read(photo).unwrap(), &Limits::default()).unwrap();
    let values = source.to_f32();
    let psnr = |bytes: &[u8]| {
        let decoded = render(&open(bytes), RenderOptions::default());
        let [a, b] = [&values, &decoded].map(|values| {
            let (width, height) = (source.width() as usize, source.height() as usize);
            Raster::new(width, height, 3, values).unwrap()
        });
        metrics::psnr(a, b)
    };
    let options = EncodeOptions::default()
        .target(Target::Quality(75.0))
        .model(PyramidOptions::default().metric(Metric::Mse));
    let with = encode(&source, &options, &mut ()).unwrap().bytes;
    let mut file = inr_formats::InrFile::read(&with, &Limits::default()).unwrap();
    let latents = file.latents.as_mut().unwrap();
    assert_eq!(latents.fitted[0].len(), 12 * 33);
    latents.fitted = Default::default();
    let without = file.write().unwrap();
    assert!(with.len() - without.len() < 250);
    let gain = psnr(&with) - psnr(&without);
    assert!((0.02..1.0).contains(&gain), "{gain}");
}

#[test]
fn grain_replaces_lost_texture_and_is_the_same_in_every_region() {
    // Noise that a low quality loses, on a ramp.
    let mut state = 9_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as f32 / 255.0 - 0.5
    };
    let values: Vec<f32> = (0..96 * 96)
        .map(|at| 0.3 + (at % 96) as f32 * 0.004 + 0.06 * noise())
        .collect();
    let metadata = Metadata::default();
    let source = Picture::from_f32(96, 96, Layout::Grey, Depth::U8, &values, metadata).unwrap();
    let bytes = |grain| {
        let options = EncodeOptions::default()
            .target(Target::Quality(20.0))
            .model(PyramidOptions::default().grain(grain));
        encode(&source, &options, &mut ()).unwrap().bytes
    };
    let roughness = |samples: &[f32]| {
        let steps = samples.windows(3);
        let bends = steps.map(|s| f64::from(s[0] - 2.0 * s[1] + s[2]).abs());
        bends.sum::<f64>() / samples.len() as f64
    };
    let [plain, grainy] = [false, true].map(|grain| open(&bytes(grain)));
    let whole = render(&grainy, RenderOptions::default());
    let [source, plain, grainy_roughness] = [
        roughness(&values),
        roughness(&render(&plain, RenderOptions::default())),
        roughness(&whole),
    ];
    assert!(plain < 0.4 * source, "{plain} {source}");
    assert!((0.4 * source..1.1 * source).contains(&grainy_roughness));
    let region = Region {
        x: 30.0,
        y: 41.0,
        width: 20.0,
        height: 10.0,
    };
    let part = render(&grainy, RenderOptions::default().region(region));
    for (row, line) in part.chunks_exact(20).enumerate() {
        assert_eq!(line, &whole[(41 + row) * 96 + 30..][..20]);
    }
}

#[test]
fn samples_of_a_flat_picture_are_flat() {
    let flat = Samples::U8(vec![200; 64 * 48]);
    let source = Picture::new(64, 48, Layout::Grey, flat, Metadata::default()).unwrap();
    let found = encoded(&source, Target::Quality(75.0));
    assert!(found.bytes.len() < 200, "{}", found.bytes.len());
    let decoded = render(
        &open(&found.bytes),
        RenderOptions::default().size(OutputSize::Scale(2.5)),
    );
    assert!(decoded.iter().all(|v| (v - 200.0 / 255.0).abs() < 0.03));
}

#[test]
fn smooth_gradients_show_no_contours() {
    const SIDE: u32 = 256;
    let means = |picture: &Picture| -> Vec<Vec<f64>> {
        let samples = picture.to_f32();
        let mean = |x: u32, y: u32, c: u32| {
            let inside = (0..64).map(|i| (x * 8 + i % 8, y * 8 + i / 8));
            let sum: f64 = inside
                .map(|(x, y)| f64::from(samples[((y * SIDE + x) * 3 + c) as usize]))
                .sum();
            sum / 64.0
        };
        let blocks = SIDE / 8;
        let rows = (0..blocks).flat_map(|y| (0..3).map(move |c| (y, c)));
        rows.map(|(y, c)| (0..blocks).map(|x| mean(x, y, c)).collect())
            .collect()
    };
    let largest = |means: &[Vec<f64>]| {
        let across = means.iter().flat_map(|row| row.windows(2));
        let across = across.map(|pair| (pair[0] - pair[1]).abs());
        let down = means.iter().zip(&means[3..]);
        let down = down.flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).abs()));
        across.chain(down).fold(0.0, f64::max)
    };
    // A sky, and one at night.
    for (from, to) in [
        ([96.0, 140.0, 190.0], [180.0, 205.0, 230.0]),
        ([4.0, 5.0, 9.0], [22.0, 20.0, 30.0]),
    ] {
        let pixel = |x: u32, y: u32, c: usize| {
            let share = (f64::from(y) + 0.2 * f64::from(x)) / (1.2 * f64::from(SIDE - 1));
            (from[c] + share * (to[c] - from[c])).round() as u8
        };
        let samples = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        let samples = samples.flat_map(|(x, y)| (0..3).map(move |c| pixel(x, y, c)));
        let samples = Samples::U8(samples.collect());
        let source = Picture::new(SIDE, SIDE, Layout::Rgb, samples, Metadata::default()).unwrap();
        let bytes = encoded(&source, Target::Quality(50.0)).bytes;
        let decoded = open(&bytes).render(&RenderOptions::default(), &mut ());
        let steps = [&source, &decoded.unwrap().picture].map(|picture| largest(&means(picture)));
        assert!(steps[1] <= steps[0] + 1.0 / 255.0, "{steps:?}");
    }
}

#[test]
fn size_and_psnr_rise_with_quality() {
    let photo = format!("{}/fixtures/chelsea.png", env!("CARGO_MANIFEST_DIR"));
    let source = read_picture(&std::fs::read(photo).unwrap(), &Limits::default()).unwrap();
    let found = [5.0, 20.0, 35.0, 50.0, 65.0, 80.0, 95.0, 100.0].map(|quality| {
        let encoded = encoded(&source, Target::Quality(quality));
        (encoded.bytes.len(), encoded.report.psnr)
    });
    let rises = |pair: &[(usize, f64)]| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1;
    assert!(found.windows(2).all(rises), "{found:?}");
}

#[test]
fn flat_areas_are_noted_and_photographs_are_not() {
    let noted = |source: &Picture| {
        let notes = encoded(source, Target::Quality(50.0)).report.notes;
        notes.iter().any(|note| note.contains("flat areas"))
    };
    let window = |x: u32, y: u32| u8::from(x % 90 < 3 || y % 60 < 12) * 200;
    let samples = (0..160).flat_map(|y| (0..200).map(move |x| window(x, y)));
    let samples = Samples::U8(samples.collect());
    assert!(noted(
        &Picture::new(200, 160, Layout::Grey, samples, Metadata::default()).unwrap()
    ));
    let photo = format!("{}/fixtures/chelsea.png", env!("CARGO_MANIFEST_DIR"));
    assert!(!noted(
        &read_picture(&std::fs::read(photo).unwrap(), &Limits::default()).unwrap()
    ));
}

#[test]
fn a_photograph_fits_into_a_few_hundred_bytes() {
    let photo = format!("{}/fixtures/chelsea.png", env!("CARGO_MANIFEST_DIR"));
    let source = read_picture(&std::fs::read(photo).unwrap(), &Limits::default()).unwrap();
    let (width, height) = (source.width(), source.height());
    let samples = source.samples().clone();
    let bare = Picture::new(width, height, Layout::Rgb, samples, Metadata::default()).unwrap();
    let found = encoded(&bare, Target::Bytes(400));
    assert!(
        found.bytes.len() <= 400 && found.report.psnr > 15.0,
        "{:?}",
        found.report
    );
}
