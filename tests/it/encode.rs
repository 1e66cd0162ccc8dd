//! Encoding and decoding through the public API: tiny fits, fixed seeds.

use std::fs;
use std::time::Duration;

use inr::decode::RenderMethod;
use inr::encode::{Architecture, Encoded, NetworkOptions, StopReason};
use inr::fit::OptimizerChoice;
use inr::{
    Control, Depth, DeviceChoice, EncodeOptions, Error, InrPicture, Layout, Limits, Metadata,
    Observer, OutputSize, Picture, Progress, RenderOptions, Samples, Target, encode, read_picture,
};
use inr::{Raster, metrics};
use strum::IntoEnumIterator;

fn fixture(name: &str) -> Picture {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    read_picture(&fs::read(path).unwrap(), &Limits::default()).unwrap()
}

fn picture(width: u32, height: u32, layout: Layout, samples: Samples) -> Picture {
    Picture::new(width, height, layout, samples, Metadata::default()).unwrap()
}

/// Smooth colours, `channels` of them, 0.0..=1.0.
fn waves(width: u32, height: u32, channels: u32) -> Vec<f32> {
    let value = |x: u32, y: u32, c: u32| {
        let phase = x as f32 * (0.21 + 0.05 * c as f32) + y as f32 * 0.13 + c as f32;
        0.5 + 0.45 * phase.sin()
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels
        .flat_map(|(x, y)| (0..channels).map(move |c| value(x, y, c)))
        .collect()
}

/// A fit of a fraction of a second.
fn quick() -> NetworkOptions {
    NetworkOptions::default().hidden(vec![16, 16]).epochs(50.0)
}

fn with(network: NetworkOptions) -> EncodeOptions {
    EncodeOptions::default().model(network)
}

fn encode_quietly(picture: &Picture, options: &EncodeOptions) -> Encoded {
    encode(picture, options, &mut ()).unwrap()
}

fn decode(bytes: &[u8]) -> Picture {
    let options = RenderOptions::default().method(RenderMethod::Inr);
    InrPicture::open(bytes, &Limits::default())
        .unwrap()
        .render(&options, &mut ())
        .unwrap()
        .picture
}

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let (samples_a, samples_b) = (a.to_f32(), b.to_f32());
    let raster = |picture: &Picture| {
        (
            picture.width() as usize,
            picture.height() as usize,
            picture.layout().channels(),
        )
    };
    let ((width, height, channels), other) = (raster(a), raster(b));
    assert_eq!((width, height, channels), other);
    let view = |samples| Raster {
        width,
        height,
        channels,
        samples,
    };
    metrics::psnr_alpha(view(&samples_a), view(&samples_b))
}

#[test]
fn the_psnr_reported_is_that_of_the_decoded_file() {
    let source = fixture("camera-64.png");
    let encoded = encode_quietly(&source, &with(quick()));
    let measured = psnr(&source, &decode(&encoded.bytes));
    assert_eq!(measured, encoded.report.psnr);
    assert!(measured > 20.0, "{measured}");
    let provenance = InrPicture::open(&encoded.bytes, &Limits::default())
        .unwrap()
        .file()
        .provenance
        .clone()
        .unwrap();
    assert_eq!(provenance.psnr, Some(measured));
}

#[test]
fn a_camera_thumbnail_reaches_38_db_in_60_epochs() {
    let options = with(quick().hidden(vec![96, 96, 96]).epochs(60.0).float(true));
    let report = encode_quietly(&fixture("camera-64.png"), &options).report;
    assert!(report.psnr > 38.0, "{report:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let source = fixture("astronaut-96.png");
    let with = |seed, threads| {
        let options = with(quick().seed(seed).epochs(3.0)).threads(threads);
        encode_quietly(&source, &options).bytes
    };
    let bytes = with(7, 1);
    assert_eq!(bytes, with(7, 3));
    assert_ne!(bytes, with(8, 1));
}

#[test]
fn every_network_learns_and_is_stored() {
    let source = fixture("camera-64.png");
    for architecture in Architecture::iter() {
        let options = with(quick().architecture(architecture).epochs(200.0));
        let encoded = encode_quietly(&source, &options);
        assert!(
            encoded.report.psnr > 14.0,
            "{architecture}: {}",
            encoded.report.psnr
        );
    }
}

#[test]
fn eight_bits_per_weight_cost_less_than_0_3_db() {
    let options = with(quick().hidden(vec![32, 32, 32]).bits(8.0));
    let report = encode_quietly(&fixture("camera-64.png"), &options).report;
    assert!(
        report.psnr > report.network.as_ref().unwrap().float_psnr - 0.3,
        "{report:?}"
    );
}

#[test]
fn sixteen_bit_and_float_pictures_keep_their_depth_and_range() {
    let values = waves(24, 18, 3);
    let deep = Samples::U16(values.iter().map(|v| (v * 65_535.0) as u16).collect());
    let bright = Samples::F32(values.iter().map(|v| v * 4.0 - 0.5).collect());
    for (samples, depth) in [(deep, Depth::U16), (bright, Depth::F32)] {
        let source = picture(24, 18, Layout::Rgb, samples);
        let options = with(quick().epochs(400.0));
        let encoded = encode_quietly(&source, &options);
        assert_eq!(decode(&encoded.bytes).depth(), depth);
        assert!(
            encoded.report.psnr > 30.0,
            "{depth:?}: {}",
            encoded.report.psnr
        );
    }
}

#[test]
fn the_smallest_pictures_round_trip() {
    for (width, height) in [(1, 1), (1, 9), (13, 1), (2, 2)] {
        for layout in [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba] {
            let count = (width * height) as usize * layout.channels();
            let samples = (0..count).map(|i| (i * 37 % 251) as u8).collect();
            let source = picture(width, height, layout, Samples::U8(samples));
            let encoded =
                encode_quietly(&source, &with(quick().hidden(vec![24, 24]).epochs(1500.0)));
            let decoded = decode(&encoded.bytes);
            assert_eq!(
                (decoded.width(), decoded.height(), decoded.layout()),
                (width, height, layout)
            );
            assert!(
                encoded.report.psnr > 25.0,
                "{width}x{height} {layout:?}: {}",
                encoded.report.psnr
            );
        }
    }
}

#[test]
fn colours_under_full_transparency_cost_nothing_and_do_not_bleed() {
    // The same picture with calm and with wild colours under alpha 0.
    let build = |hidden: fn(u32, u32) -> u8| {
        let pixel = |x: u32, y: u32| {
            let clear = x >= 16;
            let colour = if clear { hidden(x, y) } else { 200 };
            [colour, colour, colour, if clear { 0 } else { 255 }]
        };
        let samples = (0..32)
            .flat_map(|y| (0..32).flat_map(move |x| pixel(x, y)))
            .collect();
        picture(32, 32, Layout::Rgba, Samples::U8(samples))
    };
    let calm = encode_quietly(&build(|_, _| 200), &with(quick()));
    let wild = encode_quietly(&build(|x, y| (x * 91 + y * 57) as u8), &with(quick()));
    assert_eq!(calm.bytes.len(), wild.bytes.len());
    let opaque = |picture: &Picture| -> Vec<f32> {
        let samples = picture.to_f32();
        samples
            .chunks_exact(4 * 32)
            .flat_map(|row| row[..4 * 16].to_vec())
            .collect()
    };
    assert_eq!(opaque(&decode(&calm.bytes)), opaque(&decode(&wild.bytes)));
}

#[test]
fn a_size_asked_for_is_never_exceeded() {
    let source = fixture("astronaut-96.png");
    for bytes in [900, 3_000] {
        let options = EncodeOptions::default()
            .target(Target::Bytes(bytes))
            .model(NetworkOptions::default().epochs(3.0));
        let encoded = encode_quietly(&source, &options);
        let length = encoded.bytes.len() as u64;
        assert!(
            length <= bytes && length > bytes * 8 / 10,
            "{length} of {bytes}"
        );
        assert!(encoded.report.target_met);
    }
}

#[test]
fn a_size_too_small_for_the_metadata_is_refused() {
    let samples = Samples::U8(vec![9; 48]);
    let metadata = Metadata {
        icc: Some(
            (0..6000_u32)
                .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
                .collect(),
        ),
        ..Metadata::default()
    };
    let source = Picture::new(4, 4, Layout::Rgb, samples, metadata).unwrap();
    let options = with(quick()).target(Target::Bytes(300));
    let error = encode(&source, &options, &mut ()).unwrap_err();
    assert!(matches!(&error, Error::Misuse { .. }), "{error}");
}

#[test]
fn a_psnr_asked_for_is_reached() {
    let options = EncodeOptions::default().target(Target::Psnr(30.0));
    let report = encode_quietly(&fixture("camera-64.png"), &options).report;
    assert!(report.psnr >= 30.0 && report.target_met, "{report:?}");
}

#[test]
fn size_and_psnr_rise_together_with_quality() {
    let source = fixture("astronaut-96.png");
    let at = |quality| {
        let options = EncodeOptions::default()
            .target(Target::Quality(quality))
            .model(NetworkOptions::default().epochs(12.0));
        let encoded = encode_quietly(&source, &options);
        (encoded.bytes.len(), encoded.report.psnr)
    };
    let points: Vec<_> = [10.0, 40.0, 70.0, 95.0].into_iter().map(at).collect();
    assert!(
        points
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1),
        "{points:?}"
    );
}

#[test]
fn metadata_travels_through_the_file() {
    let metadata = Metadata {
        icc: Some(b"a profile".to_vec()),
        exif: Some(b"II*\0".to_vec()),
        xmp: Some(b"<x/>".to_vec()),
        cicp: Some([9, 16, 0, 1]),
    };
    let source = Picture::new(
        4,
        4,
        Layout::Grey,
        Samples::U8(vec![3; 16]),
        metadata.clone(),
    )
    .unwrap();
    let encoded = encode_quietly(&source, &with(quick()));
    assert_eq!(decode(&encoded.bytes).metadata(), &metadata);
}

#[test]
fn a_preview_is_a_small_jpeg() {
    let options = with(quick().epochs(1.0)).preview(true);
    let source = fixture("chelsea.png");
    let encoded = encode_quietly(&source, &options);
    let opened = InrPicture::open(&encoded.bytes, &Limits::default()).unwrap();
    let preview =
        read_picture(opened.file().preview.as_ref().unwrap(), &Limits::default()).unwrap();
    assert_eq!((preview.width(), preview.height()), (96, 64));
}

/// Answers `answer` from the `after`-th call on.
struct Impatient {
    calls: u32,
    after: u32,
    answer: Control,
}

impl Observer for Impatient {
    fn progress(&mut self, _: &Progress) -> Control {
        self.calls += 1;
        if self.calls > self.after {
            self.answer
        } else {
            Control::Continue
        }
    }
}

fn impatient(answer: Control) -> Impatient {
    Impatient {
        calls: 0,
        after: 0,
        answer,
    }
}

#[test]
fn an_observer_can_stop_and_keep_or_abort() {
    let source = fixture("camera-64.png");
    let options = with(quick().epochs(1e6));
    let stopped = encode(&source, &options, &mut impatient(Control::Stop)).unwrap();
    assert_eq!(stopped.report.stopped, StopReason::Cancelled);
    assert_eq!(psnr(&source, &decode(&stopped.bytes)), stopped.report.psnr);
    let aborted = encode(&source, &options, &mut impatient(Control::Abort));
    assert!(matches!(aborted, Err(Error::Cancelled)));
}

#[test]
fn a_time_budget_ends_the_fit() {
    let options = with(quick().epochs(1e6)).time_budget(Duration::from_millis(300));
    let report = encode_quietly(&fixture("camera-64.png"), &options).report;
    assert_eq!(report.stopped, StopReason::TimeBudget);
}

#[derive(Default)]
struct Notes(Vec<String>);

impl Observer for Notes {
    fn progress(&mut self, _: &Progress) -> Control {
        Control::Continue
    }

    fn note(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

#[test]
fn a_rate_that_diverges_is_lowered_and_the_caller_hears_of_it() {
    let options = with(
        quick()
            .learning_rate(0.1)
            .optimizer(OptimizerChoice::AdamConstant)
            .epochs(70.0),
    );
    let mut notes = Notes::default();
    let outcome = encode(&fixture("camera-64.png"), &options, &mut notes);
    assert!(
        notes.0.iter().any(|note| note.contains("diverged")),
        "{:?}",
        notes.0
    );
    match outcome {
        Ok(encoded) => assert!(encoded.report.psnr > 13.0, "{:?}", encoded.report),
        Err(error) => assert!(matches!(error, Error::Diverged { .. }), "{error}"),
    }
}

#[test]
fn absent_devices_and_odd_numbers_are_refused() {
    let source = fixture("camera-64.png");
    #[cfg(not(feature = "cuda"))]
    {
        let options = with(quick().device(DeviceChoice::Cuda(0)));
        assert!(matches!(
            encode(&source, &options, &mut ()),
            Err(Error::Device { .. })
        ));
    }
    for target in [
        Target::Quality(f64::NAN),
        Target::Quality(101.0),
        Target::Bpp(0.0),
        Target::Bytes(0),
        Target::Psnr(-3.0),
    ] {
        let options = with(quick()).target(target);
        assert!(
            matches!(
                encode(&source, &options, &mut ()),
                Err(Error::Misuse { .. })
            ),
            "{target:?}"
        );
    }
}

#[test]
fn enlarging_shifts_nothing() {
    let source = fixture("astronaut-96.png");
    let options = with(quick().hidden(vec![48, 48, 48]));
    let encoded = encode_quietly(&source, &options);
    let opened = InrPicture::open(&encoded.bytes, &Limits::default()).unwrap();
    let large = opened
        .render(
            &RenderOptions::default()
                .size(OutputSize::Scale(4.0))
                .method(RenderMethod::Inr),
            &mut (),
        )
        .unwrap()
        .picture;
    let (large_samples, source_samples) = (large.to_f32(), source.to_f32());
    let view = |side, samples| Raster {
        width: side,
        height: side,
        channels: 3,
        samples,
    };
    let back = inr::resample::box_average(view(384, &large_samples), 96, 96).unwrap();
    let (dx, dy) = metrics::alignment(view(96, &source_samples), view(96, &back)).unwrap();
    assert!(dx.abs() < 0.05 && dy.abs() < 0.05, "{dx} {dy}");
}
