//! Odd pictures and odd surroundings through the public API: not finite, flat, small stacks, shared between threads.

use inr::decode::RenderMethod;
use inr::encode::{ModelOptions, NetworkOptions, encode_from};
use inr::{
    Control, EncodeOptions, Error, InrPicture, Layout, Limits, Metadata, Observer, OutputSize,
    Picture, Progress, Region, RenderOptions, Samples, Target, encode,
};

fn floats(width: u32, height: u32, values: Vec<f32>) -> Result<Picture, inr::Error> {
    let samples = Samples::F32(values);
    Ok(Picture::new(
        width,
        height,
        Layout::Grey,
        samples,
        Metadata::default(),
    )?)
}

/// A pyramid and a small SIREN.
fn models() -> [EncodeOptions; 2] {
    let network = NetworkOptions::default().hidden(vec![8, 8]).epochs(2.0);
    [
        EncodeOptions::default(),
        EncodeOptions::default().model(network),
    ]
}

/// A ramp of 24 x 16 pixels, as a pyramid and as a network.
fn ramps() -> [InrPicture; 2] {
    let values = (0..24 * 16).map(|index| index as f32 / 384.0).collect();
    let picture = floats(24, 16, values).unwrap();
    models().map(|options| {
        let encoded = encode(&picture, &options, &mut ()).unwrap();
        InrPicture::open(&encoded.bytes, &Limits::default()).unwrap()
    })
}

fn render(bytes: &[u8], size: OutputSize) -> Vec<f32> {
    let options = RenderOptions::default().size(size);
    let picture = InrPicture::open(bytes, &Limits::default()).unwrap();
    picture.render(&options, &mut ()).unwrap().picture.to_f32()
}

#[test]
fn samples_that_are_not_finite_are_refused() {
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let mut values: Vec<f32> = (0..24 * 16).map(|index| index as f32 / 384.0).collect();
        values[100] = odd;
        let picture = floats(24, 16, values).unwrap();
        for options in models() {
            let error = encode(&picture, &options, &mut ()).unwrap_err();
            assert!(error.to_string().contains("finite"), "{odd}: {error}");
        }
    }
}

/// A render that shows next to nothing of a picture is flat there; less than a millionth of a pixel is refused.
#[test]
fn regions_deep_inside_a_pixel_are_rendered_or_refused() {
    for file in ramps() {
        for method in [
            RenderMethod::Inr,
            RenderMethod::Bicubic,
            RenderMethod::Lanczos,
        ] {
            let shown = |x, y, width, height| {
                file.render(
                    &RenderOptions::default()
                        .region(Region {
                            x,
                            y,
                            width,
                            height,
                        })
                        .size(OutputSize::Exact(48, 96))
                        .method(method),
                    &mut (),
                )
            };
            for [x, y, width, height] in [
                [0.0, 0.0, 1e-6, 1e-6],
                [23.99999, 15.99999, 2e-6, 1e-6],
                [7.0, 5.0, 1e-6, 1e-6],
            ] {
                let samples = shown(x, y, width, height).unwrap().picture.to_f32();
                let [least, most] = samples
                    .iter()
                    .fold([f32::MAX, f32::MIN], |[a, b], v| [a.min(*v), b.max(*v)]);
                assert_eq!(samples.len(), 48 * 96);
                assert!(most - least < 1e-3, "{method:?} {x} {y}: {least} to {most}");
            }
            for [width, height] in [[1e-18, 1.0], [1.0, 5e-324], [0.0, 1.0], [1.0, f64::NAN]] {
                let error = shown(0.0, 0.0, width, height).unwrap_err().to_string();
                assert!(error.contains("millionth"), "{error}");
            }
        }
    }
}

#[test]
fn positions_far_from_the_picture_are_refused() {
    for file in ramps() {
        let samples = file
            .sample(&[[12.0, 8.0], [-1e6, 8.0], [12.0, 1e6]])
            .unwrap();
        assert!(
            samples.iter().all(|sample| sample.is_finite()),
            "{samples:?}"
        );
        for far in [-1e300, 1e9, f64::NAN, f64::INFINITY] {
            for position in [[far, 8.0], [12.0, far]] {
                let refused = [
                    file.sample(&[position]).unwrap_err(),
                    file.jets_at(&[position]).unwrap_err(),
                ];
                assert!(refused.iter().all(|e| matches!(e, Error::Misuse { .. })));
            }
        }
    }
}

#[test]
fn flat_and_thin_pictures_come_back() {
    for (width, height) in [(64, 64), (1, 300), (300, 1), (1, 1), (2, 2)] {
        for value in [0.0, 0.25, 1.0] {
            for options in models() {
                let pyramid = matches!(options.model, ModelOptions::Pyramid(_));
                let picture = floats(width, height, vec![value; (width * height) as usize]);
                let encoded = encode(&picture.unwrap(), &options, &mut ()).unwrap();
                let back = render(&encoded.bytes, OutputSize::Native);
                assert_eq!(back.len(), (width * height) as usize);
                if pyramid {
                    let worst = back.iter().map(|v| (v - value).abs()).fold(0.0, f32::max);
                    // A few pixels are coded no finer than those of a photo at this quality.
                    let bound = if width * height < 300 { 0.04 } else { 0.005 };
                    assert!(worst < bound, "{width}x{height} of {value}: {worst}");
                }
            }
        }
    }
}

/// Thread pools of hosts have small stacks: a mebibyte is enough for everything.
#[test]
fn a_stack_of_a_mebibyte_is_enough() {
    let work = || {
        let values = (0..200 * 150).map(|index| (index * 37 % 101) as f32 / 101.0);
        let picture = floats(200, 150, values.collect()).unwrap();
        for options in models() {
            let encoded = encode(&picture, &options.threads(1), &mut ()).unwrap();
            render(&encoded.bytes, OutputSize::Scale(2.0));
        }
    };
    let builder = std::thread::Builder::new().stack_size(1 << 20);
    builder.spawn(work).unwrap().join().unwrap();
}

/// One opened picture serves many threads at once; what they share is decoded once and is the same for all.
#[test]
fn threads_that_share_a_picture_see_the_same() {
    let path = format!("{}/fixtures/golden/chelsea.inr", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let limits = Limits::default();
    for round in 0..2 {
        let picture = InrPicture::open(&bytes, &limits).unwrap();
        let alone = InrPicture::open(&bytes, &limits).unwrap();
        std::thread::scope(|scope| {
            for worker in 0..6_u32 {
                let (picture, alone) = (&picture, &alone);
                scope.spawn(move || {
                    let options = RenderOptions::default()
                        .size(OutputSize::Width(40 + 60 * ((worker + round) % 5)))
                        .threads(1 + worker as usize % 3);
                    let shared = picture.render(&options, &mut ()).unwrap().picture;
                    let own = alone.clone().render(&options, &mut ()).unwrap().picture;
                    assert!(shared.samples() == own.samples());
                });
            }
        });
    }
}

/// Keeps the last of `wanted` checkpoints and gives up then.
struct GivesUp {
    wanted: usize,
    kept: Vec<u8>,
}

impl Observer for GivesUp {
    fn progress(&mut self, _: &Progress) -> Control {
        match self.wanted {
            0 => Control::Abort,
            _ => Control::Continue,
        }
    }

    fn wants_checkpoint(&mut self) -> bool {
        true
    }

    fn checkpoint(&mut self, bytes: &[u8]) {
        self.wanted -= 1;
        self.kept = bytes.to_vec();
    }
}

/// The fit, the fine-tuning and every attempt of a search end with a checkpoint, so that this is the same on any machine.
#[test]
fn an_encode_that_goes_on_from_a_checkpoint_gives_the_same_bytes() {
    let values = (0..40 * 30).map(|index| (index * 37 % 101) as f32 / 101.0);
    let picture = floats(40, 30, values.collect()).unwrap();
    let network = || NetworkOptions::default().hidden(vec![8, 8]).epochs(2.0);
    let with = |network| EncodeOptions::default().model(network);
    let cases = [
        with(network()),
        with(network().hidden(None)).target(Target::Psnr(30.0)),
        // Diverges, and starts again at lower rates.
        with(network().learning_rate(10.0).epochs(100.0)),
    ];
    for options in cases {
        let whole = encode(&picture, &options, &mut ()).unwrap().bytes;
        let mut resumed = 0;
        for wanted in 1.. {
            let kept = Vec::new();
            let mut observer = GivesUp { wanted, kept };
            match encode(&picture, &options, &mut observer) {
                Err(Error::Cancelled) => {}
                other => {
                    assert!(other.unwrap().bytes == whole);
                    break;
                }
            }
            let other_threads = options.clone().threads(1);
            let again = encode_from(&picture, &other_threads, &observer.kept, &mut ());
            assert!(again.unwrap().bytes == whole, "checkpoint {wanted}");
            resumed += 1;
        }
        assert!(resumed >= 2, "{resumed}");
    }
}

#[test]
fn a_pyramid_takes_no_checkpoint() {
    let picture = floats(8, 8, vec![0.5; 64]).unwrap();
    let options = EncodeOptions::default();
    let found = encode_from(&picture, &options, &[], &mut ());
    assert!(matches!(found, Err(Error::Misuse { .. })));
}
