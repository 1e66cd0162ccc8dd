//! Edits by the field and by the gradient, against closed forms.

use std::f64::consts::PI;

use inr::Raster;
use inr::decode::{Component, Derivative};
use inr::edit::{self, Guidance, Light, Part, Paste};
use inr::metrics::psnr;
use inr::{Control, Depth, Layout, Metadata, Picture, Samples};

fn raster(width: usize, height: usize, channels: usize, samples: &[f32]) -> Raster<'_> {
    Raster {
        width,
        height,
        channels,
        samples,
    }
}

/// A cosine along x with `waves` half waves over 64 pixels, which mirrors at the border as the field does.
fn cosine(waves: f64) -> Vec<f32> {
    let value = |x: usize| 0.5 + 0.4 * (PI * waves * (x as f64 + 0.5) / 64.0).cos();
    (0..64 * 48).map(|i| value(i % 64) as f32).collect()
}

fn largest(found: impl Iterator<Item = f64>) -> f64 {
    found.map(f64::abs).fold(0.0, f64::max)
}

#[test]
fn jets_of_a_cosine_are_its_derivatives() {
    let samples = cosine(4.0);
    let part = Part::whole(raster(64, 48, 1, &samples));
    let jets = edit::jets(&part, [0, 0, 64, 48], 2, &mut ()).unwrap();
    let omega = PI * 4.0 / 64.0;
    let phase = |i: usize| omega * ((i % 64) as f64 + 0.5);
    // A spline's derivatives are those of the wave up to its fourth and second power.
    let dx = jets.plane(Component::Dx, 0);
    let exact = |i: usize| -0.4 * omega * phase(i).sin();
    assert!(largest((0..dx.len()).map(|i| f64::from(dx[i]) - exact(i))) < 1e-5);
    let laplacian = jets.plane(Component::Laplacian, 0);
    let exact = |i: usize| -0.4 * omega * omega * phase(i).cos();
    let error = largest((0..dx.len()).map(|i| f64::from(laplacian[i]) - exact(i)));
    assert!(error < 0.4 * omega.powi(4) / 10.0, "{error}");
    let dy = jets.plane(Component::Dy, 0);
    assert!(largest(dy.iter().map(|v| f64::from(*v))) < 1e-6);
    let value = jets.plane(Component::Value, 0);
    assert!(largest(value.iter().zip(&samples).map(|(a, b)| f64::from(a - b))) < 2e-6);
}

#[test]
fn tiles_and_threads_do_not_change_derivatives() {
    let samples: Vec<f32> = (0..150 * 200 * 3)
        .map(|i| ((i * 7919) % 1009) as f32 / 1009.0)
        .collect();
    let whole = Part::whole(raster(150, 200, 3, &samples));
    let shown = Derivative::GradientHsv;
    let derivative = |part: &Part, window, threads| {
        let found = edit::derivative(part, window, shown, 0.3, threads, &mut ());
        found.unwrap().1
    };
    let all = derivative(&whole, [0, 0, 150, 200], 3);
    // A tile from no more than it needs.
    let (left, top, reach) = (70, 110, edit::REACH as usize);
    let from = [left - reach, top - reach];
    let size = [40 + 2 * reach, 50 + 2 * reach];
    let rows = (from[1]..from[1] + size[1]).flat_map(|y| {
        let start = (y * 150 + from[0]) * 3;
        samples[start..start + size[0] * 3].iter().copied()
    });
    let near: Vec<f32> = rows.collect();
    let part = Part {
        raster: raster(size[0], size[1], 3, &near),
        origin: from,
        picture: [150, 200],
    };
    let tile = derivative(&part, [left, top, 40, 50], 1);
    for y in 0..50 {
        let start = ((top + y) * 150 + left) * 3;
        assert_eq!(tile[y * 120..][..120], all[start..start + 120]);
    }
    let short = edit::jets(&part, [left - 4, top, 40, 50], 1, &mut ());
    assert!(short.is_err(), "samples are missing");
}

#[test]
fn sharpening_a_wave_multiplies_it_as_the_equation_says() {
    for (waves, radius, gain) in [(4.0, 3.0, 2.0), (20.0, 2.0, 0.0), (1.0, 10.0, 5.0)] {
        let samples = cosine(waves);
        let picture = raster(64, 48, 1, &samples);
        let made = edit::screened(picture, radius, gain, 1, &mut ()).unwrap();
        let screen = f64::from(radius).powi(-2);
        let root = 2.0 * (PI * waves / 128.0).sin();
        let factor = (screen + f64::from(gain) * root * root) / (screen + root * root);
        let error = made
            .iter()
            .zip(&samples)
            .map(|(made, source)| f64::from(*made) - (0.5 + factor * (f64::from(*source) - 0.5)));
        assert!(largest(error) < 1e-5);
    }
    let samples = cosine(4.0);
    let same = edit::screened(raster(64, 48, 1, &samples), 5.0, 1.0, 1, &mut ()).unwrap();
    assert_eq!(same, samples, "no change gives the picture itself");
}

#[test]
fn strong_edges_grow_and_faint_ones_stay() {
    // A faint and a strong step.
    let step = |x: usize| match x {
        0..20 => 0.40,
        20..40 => 0.41,
        _ => 0.61,
    };
    let samples: Vec<f32> = (0..60 * 20).map(|i| step(i % 60)).collect();
    let picture = raster(60, 20, 1, &samples);
    let made = edit::boost_edges(picture, 1.0, 0.05, 20.0, 1, &mut ()).unwrap();
    let jump = |x: usize| made[10 * 60 + x] - made[10 * 60 + x - 1];
    assert!(jump(40) > 0.35, "{}", jump(40));
    assert!((jump(20) - 0.01).abs() < 0.002, "{}", jump(20));
}

#[test]
fn light_goes_and_texture_stays() {
    let texture = |i: usize| {
        if (i % 128 / 3 + i / 128 / 3).is_multiple_of(2) {
            0.05
        } else {
            -0.05
        }
    };
    let light = |i: usize| 0.5 + 0.3 * (PI * (i % 128) as f32 as f64 / 128.0).cos() as f32;
    let samples: Vec<f32> = (0..128 * 96).map(|i| light(i) + texture(i)).collect();
    let wanted = Light {
        amount: 1.0,
        radius: 12.0,
        threshold: 0.0,
        detail: 1.0,
    };
    let made = edit::flatten_light(raster(128, 96, 1, &samples), wanted, 1, &mut ()).unwrap();
    let mean = |from: usize| {
        let rows = made.chunks_exact(128).flat_map(|row| &row[from..from + 18]);
        rows.sum::<f32>() / (18.0 * 96.0)
    };
    let (before, after) = (0.3 * 1.95, mean(2) - mean(108));
    assert!(after < 0.2 * before, "{after} of {before}");
    let contrast = (made[48 * 128 + 64] - made[48 * 128 + 67]).abs();
    assert!(contrast > 0.07, "{contrast}");
}

#[test]
fn what_is_hidden_does_not_bleed() {
    // White with a hole whose colour is black, but which nobody sees.
    let samples: Vec<f32> = (0..40 * 40)
        .flat_map(|i| match (10..20).contains(&(i % 40)) {
            true => [0.0, 0.0],
            false => [0.9, 1.0],
        })
        .collect();
    let made = edit::screened(raster(40, 40, 2, &samples), 8.0, 0.0, 1, &mut ()).unwrap();
    let error = made.iter().zip(&samples).map(|(a, b)| f64::from(a - b));
    assert!(
        largest(error) < 1e-5,
        "white stays white, and hidden colours stay as they are"
    );
}

#[test]
fn a_source_keeps_its_shape_and_takes_the_level_of_its_place() {
    let picture: Vec<f32> = vec![0.8; 50 * 40];
    let bump = |i: usize| {
        let [x, y] = [(i % 21) as f32 - 10.0, (i / 21) as f32 - 10.0];
        0.1 + 0.1 * (1.0 - (x * x + y * y) / 100.0).max(0.0)
    };
    let source: Vec<f32> = (0..21 * 21).map(bump).collect();
    let paste = Paste {
        source: raster(21, 21, 1, &source),
        mask: None,
        at: [15, 10],
        guidance: Guidance::Source,
    };
    let made = edit::paste(raster(50, 40, 1, &picture), &paste, 1, &mut ()).unwrap();
    let (inside, outside) = (made[20 * 50 + 25], made[20 * 50 + 40]);
    assert_eq!(outside, 0.8);
    assert!((inside - 0.9).abs() < 0.01, "{inside}");
    // Beside the picture nothing happens; over all of it there is no border to fit to.
    let beside = Paste {
        at: [60, -30],
        ..paste
    };
    let same = edit::paste(raster(50, 40, 1, &picture), &beside, 1, &mut ()).unwrap();
    assert_eq!(same, picture);
    let over = edit::paste(
        raster(21, 21, 1, &source),
        &Paste {
            at: [0, 0],
            ..paste
        },
        1,
        &mut (),
    );
    assert!(over.is_err());
}

#[test]
fn enlarged_pictures_do_not_shift_and_meet_their_samples() {
    let samples = cosine(4.0);
    let part = Part::whole(raster(64, 48, 1, &samples));
    let made = edit::resampled(&part, [0.0, 0.0, 64.0, 48.0], [192, 144], 2, &mut ()).unwrap();
    // The middle one of three pixels is where the sample is.
    for y in 0..48 {
        for x in 0..64 {
            let found = made[(3 * y + 1) * 192 + 3 * x + 1];
            assert!((found - samples[y * 64 + x]).abs() < 3e-6);
        }
    }
    let outside = edit::resampled(&part, [1.0, 0.0, 64.0, 48.0], [64, 48], 1, &mut ());
    assert!(outside.is_err());
}

/// White noise from a fixed sequence, sum of twelve uniform numbers.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..count)
        .map(|_| (0..12).map(|_| uniform()).sum::<f32>() - 6.0)
        .collect()
}

#[cfg(feature = "fit")]
#[test]
fn noise_is_measured_and_taken_away() {
    let (width, height, deviation) = (128, 96, 0.06);
    let clean: Vec<f32> = (0..width * height)
        .map(|i| {
            let [x, y] = [(i % width) as f32, (i / width) as f32];
            let disc = if (x - 60.0).hypot(y - 45.0) < 25.0 {
                0.25
            } else {
                0.0
            };
            0.3 + 0.15 * (x / 20.0).sin() * (y / 15.0).cos() + disc
        })
        .collect();
    let noisy: Vec<f32> = clean
        .iter()
        .zip(noise(clean.len()))
        .map(|(value, noise)| value + deviation * noise)
        .collect();
    let (w, h) = (width as u32, height as u32);
    let picture = Picture::from_f32(w, h, Layout::Grey, Depth::F32, &noisy, Metadata::default());
    let picture = picture.unwrap();
    let measured = edit::noise(&picture);
    assert!(
        (measured / f64::from(deviation) - 1.0).abs() < 0.08,
        "{measured}"
    );
    let denoised = |threads| edit::denoise(&picture, measured, threads, &mut ()).unwrap();
    assert_eq!(denoised(1), denoised(3));
    let made = denoised(1).to_f32();
    let clean = raster(width, height, 1, &clean);
    let before = psnr(clean, raster(width, height, 1, &noisy));
    let after = psnr(clean, raster(width, height, 1, &made));
    assert!(after > before + 5.0, "{before:.2} dB became {after:.2} dB");
}

#[test]
fn denoising_keeps_alpha_and_what_it_hides() {
    let grain = noise(40 * 30);
    let pixel = |i: usize| {
        let value = 0.5 + 0.04 * grain[i];
        let alpha = if i % 40 < 12 { 0.0 } else { 1.0 };
        [value, value, 1.0 - value, alpha]
    };
    let samples: Vec<f32> = (0..40 * 30).flat_map(pixel).collect();
    let picture = Picture::new(
        40,
        30,
        Layout::Rgba,
        Samples::F32(samples.clone()),
        Metadata::default(),
    );
    let made = edit::denoise(&picture.unwrap(), 0.04, 2, &mut ()).unwrap();
    let made = made.to_f32();
    let spread = |samples: &[f32]| {
        let visible = samples.chunks_exact(4).filter(|pixel| pixel[3] > 0.0);
        let values = visible.map(|pixel| (f64::from(pixel[0]) - 0.5).powi(2));
        values.sum::<f64>()
    };
    assert!(spread(&made) < 0.3 * spread(&samples));
    for (found, source) in made.chunks_exact(4).zip(samples.chunks_exact(4)) {
        assert_eq!(found[3], source[3]);
        assert!(source[3] > 0.0 || found == source);
    }
}

#[test]
fn an_observer_ends_an_edit() {
    struct Answer(Control);
    impl inr::Observer for Answer {
        fn progress(&mut self, _: &inr::Progress) -> Control {
            self.0
        }
    }
    let samples = cosine(4.0);
    let picture = raster(64, 48, 1, &samples);
    let stopped = edit::screened(picture, 5.0, 2.0, 1, &mut Answer(Control::Stop));
    assert!(matches!(stopped, Err(inr::Error::Cancelled)));
    let mut abort = Answer(Control::Abort);
    let stopped = edit::jets(&Part::whole(picture), [0, 0, 64, 48], 1, &mut abort);
    assert!(matches!(stopped, Err(inr::Error::Cancelled)));
}
