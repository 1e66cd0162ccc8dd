//! The codec through the loader: what goes in comes out, in any kind of buffer.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use inr_plugin_api::host::{Extras, Options, Pixmap, Plugin, Request, Session, Source, Watcher};
use inr_plugin_api::*;

fn session() -> Session {
    let name = PathBuf::from("linked");
    let plugin = Plugin::from_export(inr_plugin::inr_get_api, name).unwrap();
    plugin.open(&Options::default()).unwrap()
}

/// Smooth colours under a smooth alpha, in `format`.
fn picture(format: Format) -> Pixmap {
    let plain = Format::plain(Sample::F32, format.layout);
    let mut pixels = Pixmap::new([40, 24], plain);
    let channels = format.layout.channels();
    let values = (0..40 * 24 * channels).map(|i| {
        let (x, y, c) = (i / channels % 40, i / channels / 40, i % channels);
        0.5 + 0.3 * (x as f32 / 9.0 + c as f32).sin() * (y as f32 / 7.0).cos()
    });
    pixels.data = values.flat_map(f32::to_ne_bytes).collect();
    converted(&pixels, format)
}

/// `pixels` in another format, by a filter that changes nothing.
fn converted(pixels: &Pixmap, format: Format) -> Pixmap {
    let request = Request {
        filter: "sharpen",
        sources: vec![Source::whole(None, pixels)],
        values: vec![("amount".into(), Value::Number(0.0))],
        region: None,
    };
    let mut output = Pixmap::new(pixels.size, format);
    session().run(&request, &mut output, None).unwrap();
    output
}

fn floats(pixels: &Pixmap) -> Vec<f32> {
    let plain = Format::plain(Sample::F32, pixels.format.layout);
    let made = converted(pixels, plain);
    let fours = made.data.chunks_exact(4);
    fours
        .map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

#[test]
fn every_format_holds_the_same_picture() {
    for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
        let wanted = floats(&picture(Format::plain(Sample::F32, layout)));
        let alphas: &[Alpha] = match layout.has_alpha() {
            true => &[Alpha::Straight, Alpha::Premultiplied],
            false => &[Alpha::None],
        };
        for sample in [Sample::U8, Sample::U16, Sample::F16, Sample::F32] {
            for &alpha in alphas {
                for transfer in [Transfer::Encoded, Transfer::Linear] {
                    let format = Format {
                        sample,
                        layout,
                        alpha,
                        transfer,
                    };
                    let found = floats(&picture(format));
                    let error = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs());
                    let error = error.fold(0.0, f32::max);
                    // Half a step, under the steepest part of sRGB's curve and the faintest alpha.
                    let most = match sample {
                        Sample::U8 => 0.03,
                        Sample::U16 => 1e-4,
                        Sample::F16 => 2e-3,
                        Sample::F32 => 1e-5,
                    };
                    assert!(error < most, "{format:?}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_linear_half_means_the_encoded_half_s_light() {
    let mut linear = Pixmap::new(
        [1, 1],
        Format {
            transfer: Transfer::Linear,
            ..Format::plain(Sample::F32, Layout::Grey)
        },
    );
    linear.data = 0.214_041_14_f32.to_ne_bytes().to_vec();
    assert!((floats(&linear)[0] - 0.5).abs() < 1e-5);
}

#[test]
fn pictures_go_through_the_codec() {
    for (sample, layout) in [
        (Sample::U8, Layout::Rgb),
        (Sample::U16, Layout::GreyAlpha),
        (Sample::F32, Layout::Rgba),
    ] {
        let mut pixels = picture(Format::plain(sample, layout));
        pixels.icc = Some(vec![7; 300]);
        let extras = Extras {
            exif: Some(b"MM\0*\0\0\0\x08\0\0"),
            xmp: Some(b"<x:xmpmeta/>"),
            cicp: Some([9, 16, 0, 1]),
        };
        let mut session = session();
        let mut codec = session.codec().unwrap();
        let quality = [("quality".to_string(), Value::Number(97.0))];
        let file = codec.encode(&pixels, extras, &quality, None).unwrap();
        let mut opened = codec.open(&file).unwrap();
        let info = opened.info().unwrap();
        assert_eq!((info.size, info.format), (pixels.size, pixels.format));
        assert_eq!(info.icc, pixels.icc);
        assert_eq!(info.exif.as_deref(), extras.exif);
        assert_eq!(info.xmp.as_deref(), extras.xmp);
        assert_eq!(info.cicp, extras.cicp);
        assert_eq!(info.file_size, file.len() as u64);
        let mut output = Pixmap::new(pixels.size, pixels.format);
        opened
            .render(None, INR_DERIVATIVE_NONE, 0.0, &mut output, None)
            .unwrap();
        let pairs = floats(&output).into_iter().zip(floats(&pixels));
        let error: f32 = pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / 960.0;
        assert!(error < 1e-3, "{error}");
        // A rectangle in linear light and premultiplied is the same rectangle.
        let region = Region {
            origin: [10.25, 4.0],
            step: [0.5; 2],
            size: [30, 20],
        };
        let mut plain = Pixmap::new([30, 20], Format::plain(Sample::F32, layout));
        let mut other = plain.clone();
        other.format.transfer = Transfer::Linear;
        if layout.has_alpha() {
            other.format.alpha = Alpha::Premultiplied;
        }
        for output in [&mut plain, &mut other] {
            opened.render(Some(&region), 0, 0.0, output, None).unwrap();
        }
        let pairs = floats(&plain).into_iter().zip(floats(&other));
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-4);
    }
}

/// In the middle, not only at its ends.
#[test]
fn renders_are_watched_and_stopped() {
    // One thread, so that it takes long enough.
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let mut session = session().plugin().open(&options).unwrap();
    let mut codec = session.codec().unwrap();
    for file in ["latents/camera-64.inr", "golden/chelsea.inr"] {
        let path = format!("{}/../fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read(path).unwrap();
        let mut opened = codec.open(&file).unwrap();
        let layout = opened.info().unwrap().format.layout;
        for (derivative, side) in [
            (INR_DERIVATIVE_NONE, 6000),
            (INR_DERIVATIVE_LAPLACIAN, 2000),
        ] {
            let mut output = Pixmap::new([side; 2], Format::plain(Sample::U8, layout));
            let flag = AtomicBool::new(false);
            let mut told = Vec::new();
            let watcher = Watcher {
                progress: &mut |share| {
                    told.push(share);
                    share == 0.0
                },
                cancelled: &flag,
            };
            let done = opened.render(None, derivative, 0.0, &mut output, Some(watcher));
            assert_eq!(done.unwrap_err().status, Status::Cancelled, "{derivative}");
            let last = told[told.len() - 1];
            assert!(last > 0.0 && last < 1.0, "{derivative}: {told:?}");
        }
    }
}

#[test]
fn the_encoder_is_watched_and_stopped() {
    let pixels = picture(Format::plain(Sample::U8, Layout::Rgb));
    let flag = AtomicBool::new(false);
    let mut session = session();
    let mut codec = session.codec().unwrap();
    let watcher = Watcher {
        progress: &mut |_| false,
        cancelled: &flag,
    };
    let failure = codec
        .encode(&pixels, Extras::default(), &[], Some(watcher))
        .unwrap_err();
    assert_eq!(failure.status, Status::Cancelled);
    let values = [("quality".to_string(), Value::Number(101.0))];
    let failure = codec
        .encode(&pixels, Extras::default(), &values, None)
        .unwrap_err();
    assert_eq!(failure.status, Status::BadArgument);
}

#[test]
fn one_broken_pixel_spoils_neither_a_filter_nor_a_file() {
    let format = Format::plain(Sample::F32, Layout::Rgb);
    let wanted = picture(format);
    let mut broken = wanted.clone();
    broken.data[4000..4004].copy_from_slice(&f32::NAN.to_ne_bytes());
    let made = floats(&broken);
    assert_eq!(made[1000], 0.0);
    let others = made.iter().zip(floats(&wanted)).enumerate();
    for (at, (made, wanted)) in others.filter(|(at, _)| *at != 1000) {
        assert!((made - wanted).abs() < 1e-3, "{at}: {made} and {wanted}");
    }
    let mut session = session();
    let file_type = session.plugin().file_type().unwrap().clone();
    let mut codec = session.codec().unwrap();
    let file = codec.encode(&broken, Extras::default(), &[], None).unwrap();
    assert!(file.starts_with(&file_type.magic));
    let mut picture = codec.open(&file).unwrap();
    let info = picture.info().unwrap();
    let mut output = Pixmap::new(info.size, info.format);
    picture.render(None, 0, 0.0, &mut output, None).unwrap();
    assert!(floats(&output).iter().all(|sample| sample.is_finite()));
}
