//! Transparent pixels stay transparent, opaque ones opaque.

use inr::encode::NetworkOptions;
use inr::{
    Depth, EncodeOptions, InrPicture, Layout, Limits, Metadata, OutputSize, Picture, RenderOptions,
    Samples, Target, encode,
};

/// A disc before nothing, with a soft edge, in colours that change.
fn disc(depth: Depth) -> Picture {
    let pixel = |x: f32, y: f32| {
        let distance = (x - 40.0).hypot(y - 30.0);
        let alpha = ((26.0 - distance) / 3.0).clamp(0.0, 1.0);
        [(x * 0.3).sin() * 0.4 + 0.5, y / 60.0, 0.3, alpha]
    };
    let samples: Vec<f32> = (0..60 * 80)
        .flat_map(|at| pixel((at % 80) as f32, (at / 80) as f32))
        .collect();
    Picture::from_f32(80, 60, Layout::Rgba, depth, &samples, Metadata::default()).unwrap()
}

fn alphas(picture: &Picture) -> Vec<f32> {
    picture.to_f32().into_iter().skip(3).step_by(4).collect()
}

fn decoded(source: &Picture, options: &EncodeOptions, size: OutputSize) -> Picture {
    let bytes = encode(source, options, &mut ()).unwrap().bytes;
    let opened = InrPicture::open(&bytes, &Limits::default()).unwrap();
    let options = RenderOptions::default().size(size);
    opened.render(&options, &mut ()).unwrap().picture
}

#[test]
fn alpha_of_0_and_1_is_exact_at_every_quality_and_depth() {
    for depth in [Depth::U8, Depth::U16, Depth::F32] {
        let source = disc(depth);
        for quality in [0.0, 20.0, 50.0, 75.0, 95.0] {
            let options = EncodeOptions::default().target(Target::Quality(quality));
            let decoded = decoded(&source, &options, OutputSize::Native);
            let pairs = alphas(&source).into_iter().zip(alphas(&decoded));
            let wrong = pairs.filter(|(a, b)| (*a == 0.0 || *a == 1.0) && a != b);
            assert_eq!(wrong.count(), 0, "{depth:?} at quality {quality}");
        }
    }
}

#[test]
fn a_network_keeps_it_too() {
    let source = disc(Depth::U8);
    let network = NetworkOptions::default().hidden(vec![8]).epochs(2.0);
    let options = EncodeOptions::default().model(network);
    let decoded = decoded(&source, &options, OutputSize::Native);
    let pairs = alphas(&source).into_iter().zip(alphas(&decoded));
    let wrong = pairs.filter(|(a, b)| (*a == 0.0 || *a == 1.0) && a != b);
    assert_eq!(wrong.count(), 0);
}

#[test]
fn renders_of_other_sizes_are_exact_away_from_the_edge() {
    let source = disc(Depth::U8);
    for (size, scale) in [(OutputSize::Scale(3.0), 3.0), (OutputSize::Scale(0.5), 0.5)] {
        let decoded = decoded(&source, &EncodeOptions::default(), size);
        let width = decoded.width() as usize;
        let mut checked = [0; 2];
        for (at, alpha) in alphas(&decoded).into_iter().enumerate() {
            let place = |index: usize| (index as f32 + 0.5) / scale - 0.5;
            let distance = (place(at % width) - 40.0).hypot(place(at / width) - 30.0);
            if distance < 20.0 {
                assert_eq!(alpha, 1.0);
                checked[1] += 1;
            } else if distance > 29.0 {
                assert_eq!(alpha, 0.0);
                checked[0] += 1;
            }
        }
        assert!(checked.iter().all(|count| *count > 50));
    }
}

#[test]
fn an_opaque_picture_stays_opaque() {
    let samples: Vec<u8> = (0..64 * 64 * 4)
        .map(|i| if i % 4 == 3 { 255 } else { (i * 7 % 251) as u8 })
        .collect();
    let source = Picture::new(
        64,
        64,
        Layout::Rgba,
        Samples::U8(samples),
        Metadata::default(),
    )
    .unwrap();
    let options = EncodeOptions::default().target(Target::Quality(10.0));
    let decoded = decoded(&source, &options, OutputSize::Scale(2.5));
    assert!(alphas(&decoded).iter().all(|alpha| *alpha == 1.0));
}
