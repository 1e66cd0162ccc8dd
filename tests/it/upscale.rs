//! What enlargements promise: degradations and their transpositions, alignment, tiles, and being better than bicubic.

use inr::Raster;
use inr::metrics::{psnr, ssim};
use inr::resample::{Filter, resize};
use inr::upscale::{Blur, Degradation, PointSpread, UpscaleMethod, Upscaled};
use inr::{
    Control, Depth, Error, Layout, Limits, Metadata, Observer, Picture, Progress, Samples,
    UpscaleOptions, read_picture, upscale,
};
use strum::IntoEnumIterator;

fn fixture(name: &str) -> Picture {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bytes = std::fs::read(path.join(name)).expect("the fixture is there");
    read_picture(&bytes, &Limits::default()).expect("it is a picture")
}

fn raster<'a>(picture: &Picture, samples: &'a [f32]) -> Raster<'a> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Raster::new(width, height, picture.layout().channels(), samples).expect("it is consistent")
}

fn noise(count: usize, mut state: u32) -> Vec<f32> {
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn blurs() -> [Blur; 4] {
    let psf = PointSpread::new(4, 3, &noise(12, 5)).expect("it sums to something");
    [
        Blur::Area,
        Blur::Bicubic,
        Blur::Gaussian(0.6),
        Blur::Psf(psf),
    ]
}

fn floats(width: u32, height: u32, layout: Layout, samples: Vec<f32>) -> Picture {
    let samples = Samples::F32(samples);
    Picture::new(width, height, layout, samples, Metadata::default()).expect("the shape fits")
}

fn options(scale: f64, method: UpscaleMethod, blur: Blur) -> UpscaleOptions {
    UpscaleOptions::default()
        .scale(scale)
        .method(method)
        .degradation(Degradation::from(blur))
        .effort(2)
}

fn enlarged(picture: &Picture, options: &UpscaleOptions) -> Picture {
    let enlarged = upscale(picture, options, &mut ()).expect("it can be enlarged");
    enlarged.picture
}

#[test]
fn every_degradation_has_its_transposition() {
    for blur in blurs() {
        let degradation = Degradation::from(blur);
        for (large, small) in [([24, 18], [12, 9]), ([23, 31], [7, 11]), ([10, 9], [10, 9])] {
            let x = noise(large[0] * large[1], 1);
            let y = noise(small[0] * small[1], 2);
            let [x, y] = [(large, &x), (small, &y)].map(|([width, height], samples)| {
                Raster::new(width, height, 1, samples).expect("it is consistent")
            });
            let reduced = degradation.reduce(x, small[0], small[1], 0);
            let spread = degradation.spread(y, large[0], large[1]);
            let product = |a: &[f32], b: &[f32]| -> f64 {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum()
            };
            let left = product(&reduced.expect("it shrinks"), y.samples);
            let right = product(x.samples, &spread.expect("it grows"));
            assert!(
                (left - right).abs() < 1e-4 * left.abs(),
                "{degradation:?}: {left} {right}"
            );
        }
    }
}

#[test]
fn degradations_keep_what_is_flat_and_add_their_noise() {
    let samples = vec![0.25; 60 * 40];
    let flat = Raster::new(60, 40, 1, &samples).expect("it is consistent");
    for blur in blurs() {
        let reduced = Degradation::from(blur.clone())
            .reduce(flat, 25, 20, 0)
            .expect("it shrinks");
        assert!(reduced.iter().all(|v| (v - 0.25).abs() < 1e-5), "{blur}");
        let noisy = Degradation { blur, noise: 0.1 }
            .reduce(flat, 30, 20, 3)
            .expect("it shrinks");
        let error: f32 = noisy.iter().map(|v| (v - 0.25).powi(2)).sum();
        let deviation = (error / noisy.len() as f32).sqrt();
        assert!((0.085..0.115).contains(&deviation), "{deviation}");
    }
}

#[test]
fn the_benchmark_bicubic_is_that_of_matlab() {
    // The weights that imresize gives a step for scale 1/2: symmetric edges, kernel widened to 8 pixels.
    let step: Vec<f32> = (0..12).map(|x| f32::from(u8::from(x >= 6))).collect();
    let source = Raster::new(12, 1, 1, &step).expect("it is consistent");
    let small = resize(source, None, 6, 1, Filter::Benchmark).expect("it shrinks");
    assert!(
        small[0].abs() < 1e-6 && (small[5] - 1.0).abs() < 1e-6,
        "{small:?}"
    );
    assert!((small[1] + small[4] - 1.0).abs() < 1e-6, "{small:?}");
    // -3, -9, 29, 111, 111, 29, -9, -3 of 256: the sum of the last three, and of the last one.
    assert!((small[2] - 17.0 / 256.0).abs() < 1e-5, "{small:?}");
    assert!((small[1] + 3.0 / 256.0).abs() < 1e-5, "{small:?}");
}

#[test]
fn flat_pictures_stay_flat_and_nothing_moves() {
    let (width, height) = (26, 22);
    for (scale, blur) in [
        (2.0, Blur::Bicubic),
        (1.7, Blur::Area),
        (5.0, Blur::Gaussian(0.5)),
    ] {
        for method in [UpscaleMethod::Inr, UpscaleMethod::BackProjected] {
            let options = options(scale, method, blur.clone());
            let flat = floats(width, height, Layout::Rgb, vec![0.3; 26 * 22 * 3]);
            let large = enlarged(&flat, &options);
            assert_eq!(large.width(), (f64::from(width) * scale).round() as u32);
            assert!(large.to_f32().iter().all(|v| (v - 0.3).abs() < 1e-5));
            // A slope has its values where they were; mirrored borders bend it.
            let slope = (0..26 * 22)
                .map(|at| 0.02 * ((at % 26) as f32 + 0.5))
                .collect();
            let large = enlarged(&floats(width, height, Layout::Grey, slope), &options);
            let row = large.width() as usize;
            let middle = &large.to_f32()[row * (large.height() as usize / 2)..][..row];
            let ratio = 26.0 / row as f32;
            for (x, value) in middle.iter().enumerate().take(row * 2 / 3).skip(row / 3) {
                let wanted = 0.02 * (x as f32 + 0.5) * ratio;
                assert!(
                    (value - wanted).abs() < 2e-3,
                    "{scale} {method}: {value} {wanted} at {x}"
                );
            }
        }
    }
}

#[test]
fn tiles_and_threads_do_not_change_pixels() {
    let picture = fixture("astronaut-96.png");
    for (scale, blur, noise) in [(2.0, Blur::Bicubic, 0.03), (2.7, Blur::Area, 0.0)] {
        for method in [
            UpscaleMethod::Inr,
            UpscaleMethod::BackProjected,
            UpscaleMethod::Lanczos3,
        ] {
            let options = options(scale, method, blur.clone()).noise(noise);
            let whole = options.clone().tile(4096).threads(1);
            let tiled = options.tile(64).threads(3);
            assert_eq!(
                enlarged(&picture, &whole),
                enlarged(&picture, &tiled),
                "{scale} {method}"
            );
        }
    }
}

/// Letters in colour: only their blocks are worked on by the trunk, the same ones with any tiles.
#[test]
fn edges_in_colour_are_enlarged_as_sharp_as_those_in_luma() {
    let (width, height) = (200_u32, 90_u32);
    let red = |x: u32, y: u32| x < 60 && (x / 5 + y / 7).is_multiple_of(3);
    let draw = |scale: u32| {
        let pixels = (0..height * scale).flat_map(|y| (0..width * scale).map(move |x| [x, y]));
        let samples = pixels.flat_map(|[x, y]| {
            // Both have a luma of about 0.37.
            match red(x / scale, y / scale) {
                true => [0.9, 0.15, 0.1],
                false => [0.1, 0.5, 0.4],
            }
        });
        floats(
            width * scale,
            height * scale,
            Layout::Rgb,
            samples.collect(),
        )
    };
    let large = draw(2);
    let samples = large.to_f32();
    let truth = raster(&large, &samples);
    let small = Degradation::from(Blur::Area)
        .reduce(truth, width as usize, height as usize, 0)
        .expect("it shrinks");
    let small = floats(width, height, Layout::Rgb, small);
    let options = options(2.0, UpscaleMethod::Inr, Blur::Area);
    let whole = enlarged(&small, &options.clone().tile(4096).threads(1));
    assert_eq!(
        whole,
        enlarged(&small, &options.clone().tile(64).threads(3))
    );
    let bicubic = enlarged(&small, &options.method(UpscaleMethod::Bicubic));
    let [ours, bicubic] =
        [&whole, &bicubic].map(|large| psnr(truth, raster(large, &large.to_f32())));
    assert!(ours > bicubic + 3.0, "{ours:.2} dB, bicubic {bicubic:.2}");
}

#[test]
fn white_noise_is_told_and_left_out() {
    let large = fixture("chelsea.png");
    let (width, height) = (large.width() as usize / 2, large.height() as usize / 2);
    let samples = large.to_f32();
    let area = [0.0, 0.0, 2.0 * width as f64, 2.0 * height as f64];
    let cut = resize(
        raster(&large, &samples),
        Some(area),
        2 * width,
        2 * height,
        Filter::Nearest,
    );
    let cut = cut.expect("it can be cut");
    let truth = floats(2 * width as u32, 2 * height as u32, large.layout(), cut);
    let samples = truth.to_f32();
    let reduced = |noise: f64| {
        let degradation = Degradation {
            noise,
            ..Blur::Area.into()
        };
        let small = degradation.reduce(raster(&truth, &samples), width, height, 3);
        let small = small.expect("it shrinks");
        let size = [width, height].map(|side| side as u32);
        let metadata = Metadata::default();
        Picture::from_f32(
            size[0],
            size[1],
            truth.layout(),
            Depth::U8,
            &small,
            metadata,
        )
        .expect("the shape fits")
    };
    let asked = options(2.0, UpscaleMethod::Inr, Blur::Area);
    let closeness =
        |large: &Picture| psnr(raster(&truth, &samples), raster(large, &large.to_f32()));
    assert_eq!(
        enlarged(&reduced(0.0), &asked),
        enlarged(&reduced(0.0), &asked.clone().noise(0.0))
    );
    for noise in [4.0 / 255.0, 10.0 / 255.0] {
        let small = reduced(noise);
        let ours = upscale(&small, &asked, &mut ()).expect("it can be enlarged");
        let found = ours.noise;
        assert!((found / noise - 1.0).abs() < 0.3, "{found} of {noise}");
        let bicubic = enlarged(&small, &options(2.0, UpscaleMethod::Bicubic, Blur::Area));
        let (ours, bicubic) = (closeness(&ours.picture), closeness(&bicubic));
        assert!(ours > bicubic + 0.7, "{ours:.2} dB, bicubic {bicubic:.2}");
    }
}

/// Checks that `picture` is enlarged with nothing named as it is without denoising, and returns the result.
fn untouched(picture: &Picture, what: &str) -> Upscaled {
    let usual = UpscaleOptions::default().effort(2);
    let given = usual.clone().noise(0.0);
    let made = upscale(picture, &usual, &mut ()).expect("it can be enlarged");
    assert_eq!(made.noise, 0.0, "{what}");
    assert_eq!(made.picture, enlarged(picture, &given), "{what}");
    made
}

/// Grey photographs of 8 bits have few values, and noise like others.
#[test]
fn noise_of_grey_photographs_is_estimated() {
    let picture = fixture("camera-64.png");
    let grain = noise(64 * 64, 7);
    let pairs = picture.to_f32().into_iter().zip(grain);
    let noisy: Vec<f32> = pairs.map(|(v, n)| v + 0.1 * (n - 0.5)).collect();
    let metadata = Metadata::default();
    let noisy = Picture::from_f32(64, 64, Layout::Grey, Depth::U8, &noisy, metadata);
    let noisy = noisy.expect("the shape fits");
    let usual = UpscaleOptions::default().method(UpscaleMethod::Inr);
    let made = upscale(&noisy, &usual, &mut ()).expect("it can be enlarged");
    assert!(made.why.contains("noise of"), "{}", made.why);
    assert_ne!(made.picture, enlarged(&noisy, &usual.noise(0.0)));
}

#[test]
fn samples_far_beyond_the_range_are_enlarged_to_numbers() {
    let samples = noise(40 * 40 * 3, 5).into_iter().map(|v| 1e4 * (v - 0.5));
    let picture = floats(40, 40, Layout::Rgb, samples.collect());
    let options = UpscaleOptions::default().method(UpscaleMethod::Inr);
    let large = enlarged(&picture, &options).to_f32();
    assert!(large.iter().all(|v| v.is_finite()));
}

#[test]
fn patterns_of_grey_and_of_few_colours_are_no_noise() {
    let grain = noise(64 * 64, 7);
    let camera = fixture("camera-64.png");
    let grey = camera.to_f32();
    let as_colour: Vec<f32> = grey.iter().flat_map(|v| [*v; 3]).collect();
    let dots: Vec<f32> = grain
        .iter()
        .map(|v| f32::from(u8::from(*v > 0.5)))
        .collect();
    // Every pixel takes one of two hundred colours by chance.
    let palette: Vec<f32> = noise(200 * 3, 8).iter().map(|v| 0.3 + 0.3 * v).collect();
    let drawn = |v: &f32| palette[(v * 200.0) as usize * 3..][..3].to_vec();
    let drawn: Vec<f32> = grain.iter().flat_map(drawn).collect();
    for (what, layout, samples) in [
        ("grey", Layout::Grey, &grey),
        ("grey as colour", Layout::Rgb, &as_colour),
        ("black and white", Layout::Grey, &dots),
        ("palette", Layout::Rgb, &drawn),
    ] {
        untouched(&floats(64, 64, layout, samples.clone()), what);
    }
    // What is asked for is done.
    let asked = options(2.0, UpscaleMethod::Inr, Blur::Area).noise(0.1);
    let grey = floats(64, 64, Layout::Grey, grey);
    let plain = options(2.0, UpscaleMethod::Inr, Blur::Area);
    assert_ne!(enlarged(&grey, &asked), enlarged(&grey, &plain));
}

/// With nothing named the blur is estimated, so that every kind of reduction gains on bicubic.
#[test]
fn blurs_are_estimated() {
    let large = fixture("chelsea.png");
    let [w, h] = [large.width() as usize / 2, large.height() as usize / 2];
    let samples = large.to_f32();
    let rows = samples.chunks_exact(3 * large.width() as usize);
    let samples: Vec<f32> = rows
        .take(2 * h)
        .flat_map(|row| &row[..6 * w])
        .copied()
        .collect();
    let truth = Raster::new(2 * w, 2 * h, 3, &samples).expect("it is consistent");
    for (blur, gain) in [
        (Blur::Bicubic, 0.8),
        (Blur::Area, 0.5),
        (Blur::Gaussian(0.6), 0.5),
    ] {
        let small = Degradation::from(blur.clone()).reduce(truth, w, h, 0);
        let small = small.expect("it shrinks");
        let [w, h] = [w, h].map(|side| side as u32);
        let small = Picture::from_f32(w, h, Layout::Rgb, Depth::U8, &small, Metadata::default());
        let small = small.expect("the shape fits");
        let made = untouched(&small, "reduced");
        assert!(made.why.contains("estimated"), "{}", made.why);
        let bicubic = enlarged(&small, &options(2.0, UpscaleMethod::Bicubic, Blur::Area));
        let [ours, bicubic] =
            [&made.picture, &bicubic].map(|large| psnr(truth, raster(large, &large.to_f32())));
        assert!(
            ours >= bicubic + gain,
            "{blur}: {ours:.2} dB, bicubic {bicubic:.2}"
        );
    }
}

/// A blur taken out of pictures that never had it costs several dB.
#[test]
fn soft_pictures_are_enlarged_no_worse_than_by_bicubic() {
    let large = fixture("chelsea.png");
    let samples = large.to_f32();
    let sharp = raster(&large, &samples);
    let [w, h] = [large.width() as usize / 4, large.height() as usize / 4];
    let soft = resize(sharp, None, w, h, Filter::Box).expect("it shrinks");
    let soft = Raster::new(w, h, 3, &soft).expect("it is consistent");
    let [w, h] = [4 * w, 4 * h];
    let soft = resize(soft, None, w, h, Filter::Benchmark).expect("it grows");
    let truth = Raster::new(w, h, 3, &soft).expect("it is consistent");
    let [w, h] = [w / 2, h / 2];
    let small = resize(truth, None, w, h, Filter::Box).expect("it shrinks");
    let [w, h] = [w, h].map(|side| side as u32);
    let small = Picture::from_f32(w, h, Layout::Rgb, Depth::U8, &small, Metadata::default());
    let small = small.expect("the shape fits");
    let made = untouched(&small, "soft");
    assert_eq!(made.blur, None);
    let bicubic = enlarged(&small, &options(2.0, UpscaleMethod::Bicubic, Blur::Area));
    let [ours, bicubic] =
        [&made.picture, &bicubic].map(|large| psnr(truth, raster(large, &large.to_f32())));
    assert!(ours >= bicubic, "{ours:.2} dB, bicubic {bicubic:.2}");
}

#[test]
fn reduced_pictures_come_back_better_than_by_bicubic_or_back_projection() {
    for name in ["camera-64.png", "astronaut-96.png", "chelsea.png"] {
        let large = fixture(name);
        let (width, height) = (large.width() / 4 * 4, large.height() / 4 * 4);
        let samples = large.to_f32();
        let cut = resize(
            raster(&large, &samples),
            Some([0.0, 0.0, f64::from(width), f64::from(height)]),
            width as usize,
            height as usize,
            Filter::Benchmark,
        )
        .expect("it can be cut");
        let large = floats(width, height, large.layout(), cut);
        let samples = large.to_f32();
        for (scale, blur) in [(2, Blur::Bicubic), (4, Blur::Bicubic), (2, Blur::Area)] {
            let degradation = Degradation::from(blur.clone());
            let [w, h] = [width / scale, height / scale];
            let small = degradation.reduce(raster(&large, &samples), w as usize, h as usize, 0);
            let small = Picture::from_f32(
                w,
                h,
                large.layout(),
                Depth::U8,
                &small.expect("it shrinks"),
                Metadata::default(),
            )
            .expect("the shape fits");
            let score = |method| {
                let options = options(f64::from(scale), method, blur.clone());
                let samples = enlarged(&small, &options).to_f32();
                let [a, b] =
                    [&large.to_f32(), &samples].map(|s| raster(&large, s).samples.to_vec());
                let (a, b) = (raster(&large, &a), raster(&large, &b));
                (psnr(a, b), ssim(a, b).expect("it is large enough"))
            };
            let ours = score(UpscaleMethod::Inr);
            let rival = score(UpscaleMethod::BackProjected);
            let bicubic = score(UpscaleMethod::Bicubic);
            let told = format!("{name} x{scale} {blur}: {ours:?} {rival:?} {bicubic:?}");
            assert!(ours.0 > bicubic.0 + 0.5 && ours.1 > bicubic.1, "{told}");
            assert!(ours.0 > rival.0 && ours.1 > rival.1, "{told}");
        }
    }
}

#[test]
fn the_degraded_enlargement_is_the_picture() {
    let small = fixture("astronaut-96.png").with_depth(Depth::F32);
    let samples = small.to_f32();
    for blur in blurs() {
        let error = |method| {
            let options = options(2.0, method, blur.clone()).effort(9);
            let large = enlarged(&small, &options);
            let values = large.to_f32();
            let degradation = Degradation::from(blur.clone());
            let again = degradation.reduce(raster(&large, &values), 96, 96, 0);
            psnr(
                raster(&small, &samples),
                raster(&small, &again.expect("it shrinks")),
            )
        };
        let (ours, bicubic) = (error(UpscaleMethod::Inr), error(UpscaleMethod::Bicubic));
        assert!(
            ours > 35.0 && ours > bicubic + 4.0,
            "{blur}: {ours} {bicubic}"
        );
    }
}

#[test]
fn layout_depth_and_metadata_are_kept() {
    let metadata = Metadata {
        icc: Some(vec![7; 40]),
        ..Metadata::default()
    };
    for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
        for depth in [Depth::U8, Depth::U16, Depth::F32] {
            let samples = noise(20 * 14 * layout.channels(), 9);
            let picture = Picture::from_f32(20, 14, layout, depth, &samples, metadata.clone());
            let picture = picture.expect("the shape fits");
            let large = enlarged(&picture, &options(2.0, UpscaleMethod::Auto, Blur::Bicubic));
            assert_eq!((large.layout(), large.depth()), (layout, depth));
            assert_eq!((large.width(), large.height()), (40, 28));
            assert_eq!(large.metadata(), picture.metadata());
        }
    }
}

#[test]
fn colours_of_transparent_pixels_do_not_bleed() {
    let pixel = |at: usize| {
        if at % 24 < 12 {
            [1.0, 0.0, 0.0, 1.0]
        } else {
            [0.0, 1.0, 0.0, 0.0]
        }
    };
    let samples: Vec<f32> = (0..24 * 16).flat_map(pixel).collect();
    let large = enlarged(
        &floats(24, 16, Layout::Rgba, samples),
        &options(2.0, UpscaleMethod::Inr, Blur::Bicubic),
    );
    for pixel in large.to_f32().chunks_exact(4) {
        // Planes are enlarged one by one: a hard edge may be a few hundredths off, bleeding is a half.
        assert!(pixel[1] * pixel[3] < 0.08, "{pixel:?}");
    }
}

#[test]
fn a_picture_of_one_pixel_and_odd_sizes_are_enlarged() {
    for (width, height) in [(1, 1), (1, 9), (5, 2)] {
        for scale in [1.0, 1.3, 4.0, 9.0] {
            let samples = noise(width * height * 3, 4);
            let small = floats(width as u32, height as u32, Layout::Rgb, samples);
            for method in UpscaleMethod::iter() {
                let large = enlarged(&small, &options(scale, method, Blur::Bicubic));
                let wanted = (width as f64 * scale).round() as u32;
                assert_eq!(large.width(), wanted, "{width}x{height} x{scale} {method}");
            }
        }
    }
}

#[test]
fn where_networks_do_harm_something_simpler_is_taken() {
    // White noise has no edges to continue.
    let noise = floats(96, 96, Layout::Grey, noise(96 * 96, 11));
    let enlarged = upscale(
        &noise,
        &options(2.0, UpscaleMethod::Auto, Blur::Area),
        &mut (),
    );
    let enlarged = enlarged.expect("it can be enlarged");
    assert_ne!(enlarged.method, UpscaleMethod::Auto);
    assert!(enlarged.why.contains("bicubic"), "{}", enlarged.why);
}

#[test]
fn bad_options_are_misuse_and_observers_can_cancel() {
    let picture = fixture("camera-64.png");
    let usual = UpscaleOptions::default();
    for bad in [
        usual.clone().scale(0.5),
        usual.clone().scale(f64::NAN),
        usual.clone().effort(0),
        usual.clone().tile(1),
    ] {
        let refused = upscale(&picture, &bad, &mut ());
        assert!(matches!(refused, Err(Error::Misuse { .. })), "{bad:?}");
    }
    struct Impatient;
    impl Observer for Impatient {
        fn progress(&mut self, _: &Progress) -> Control {
            Control::Abort
        }
    }
    assert!(matches!(
        upscale(&picture, &usual, &mut Impatient),
        Err(Error::Cancelled)
    ));
    for bad in ["gaussian:0", "gaussian:x", "blur"] {
        assert!(bad.parse::<Blur>().is_err(), "{bad}");
    }
    assert!(PointSpread::new(2, 2, &[0.0; 4]).is_err());
}
