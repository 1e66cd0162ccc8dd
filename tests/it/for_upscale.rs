//! Files that are made to be enlarged.

use crate::common::Shares;
use inr::Raster;
use inr::decode::RenderMethod;
use inr::encode::{Architecture, NetworkOptions};
use inr::metrics::psnr;
use inr::resample::{Filter, resize};
use inr::{
    Depth, EncodeOptions, InrPicture, Limits, OutputSize, Picture, Region, RenderOptions, RowsMut,
    Samples, Target, encode, read_picture,
};

fn fixture(name: &str) -> Picture {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bytes = std::fs::read(path.join(name)).expect("the fixture is there");
    read_picture(&bytes, &Limits::default()).expect("it is a picture")
}

/// A fixture, and means over its squares of `by` pixels.
fn reduced(name: &str, by: u32) -> (Picture, Picture) {
    let large = fixture(name);
    let samples = large.to_f32();
    let sides = [large.width(), large.height()].map(|side| (side / by) as usize);
    let channels = large.layout().channels();
    let raster = Raster::new(
        large.width() as usize,
        large.height() as usize,
        channels,
        &samples,
    );
    let raster = raster.expect("it is consistent");
    let small = resize(raster, None, sides[0], sides[1], Filter::Box).expect("it can be reduced");
    let [width, height] = sides.map(|side| side as u32);
    let metadata = large.metadata().clone();
    let small = Picture::from_f32(width, height, large.layout(), Depth::U8, &small, metadata);
    (large, small.expect("the shape fits"))
}

fn encoded(picture: &Picture, options: EncodeOptions) -> InrPicture {
    let file = encode(picture, &options, &mut ()).expect("it can be encoded");
    InrPicture::open(&file.bytes, &Limits::default()).expect("it is a file")
}

fn prepared(picture: &Picture, for_upscale: bool) -> InrPicture {
    let options = EncodeOptions::default().for_upscale(for_upscale);
    encoded(picture, options)
}

fn scaled(scale: f64) -> RenderOptions {
    RenderOptions::default().size(OutputSize::Scale(scale))
}

fn render(file: &InrPicture, options: &RenderOptions) -> Picture {
    file.render(options, &mut ())
        .expect("it can be rendered")
        .picture
}

fn closeness(a: &Picture, b: &Picture) -> f64 {
    let (a_samples, b_samples) = (a.to_f32(), b.to_f32());
    let raster = |picture: &Picture| (picture.width() as usize, picture.height() as usize);
    assert_eq!(raster(a), raster(b));
    let (width, height) = raster(a);
    let of = |samples| {
        Raster::new(width, height, a.layout().channels(), samples).expect("it is consistent")
    };
    psnr(of(&a_samples), of(&b_samples))
}

fn bytes(picture: &Picture) -> &[u8] {
    match picture.samples() {
        Samples::U8(samples) => samples,
        other => panic!("{:?}", other.depth()),
    }
}

#[test]
fn decode_enlarges_prepared_files_by_the_network_and_better() {
    let (large, small) = reduced("astronaut-96.png", 2);
    let (plain, ready) = (prepared(&small, false), prepared(&small, true));
    assert_eq!(ready.bytes(), plain.bytes() + 13);
    let native = RenderOptions::default();
    assert_eq!(render(&plain, &native), render(&ready, &native));
    let native = ready.plan(&native).expect("there is a size");
    assert_eq!(native.1, RenderMethod::Inr);
    let options = scaled(2.0);
    let (_, method, why) = ready.plan(&options).expect("there is a size");
    assert_eq!(
        (method, why.as_str()),
        (RenderMethod::Network, "as the file advises")
    );
    let (field, network) = (render(&plain, &options), render(&ready, &options));
    let (field, network) = (closeness(&field, &large), closeness(&network, &large));
    assert!(
        network > field + 0.2,
        "{network:.2} dB, the field has {field:.2}"
    );
    let asked = options.method(RenderMethod::Network);
    assert_eq!(render(&plain, &asked), render(&ready, &scaled(2.0)));
}

#[test]
fn regions_and_bands_and_threads_show_the_same_enlargement() {
    let ready = prepared(&fixture("camera-64.png"), true);
    for scale in [3.0, 1.7] {
        let whole = render(&ready, &scaled(scale));
        let width = whole.width() as usize;
        for threads in [1, 3] {
            let options = scaled(scale).threads(threads);
            let mut samples = vec![0; width * whole.height() as usize];
            let mut watch = Shares::default();
            let rows = RowsMut::U8(samples.chunks_exact_mut(width).collect());
            ready
                .render_into(&options, rows, &mut watch)
                .expect("it can be rendered");
            assert_eq!(samples, bytes(&whole), "{scale}, {threads} threads");
            watch.check();
            let mut bands = Vec::new();
            let took = ready.render_bands(&options, &mut (), |band| {
                bands.push(band.clone());
                Ok::<_, inr::Error>(())
            });
            took.expect("it can be rendered");
            assert_eq!(bands, [whole.samples().clone()]);
        }
    }
    // A part on the grid has the whole's pixels; one off it is resampled, and close.
    let whole = render(&ready, &scaled(4.0));
    for (x, exact) in [(10.0, true), (10.1, false)] {
        let options = scaled(4.0).region(Region {
            x,
            y: 20.0,
            width: 30.0,
            height: 16.0,
        });
        let part = render(&ready, &options);
        assert_eq!([part.width(), part.height()], [120, 64]);
        let worst = (0..64 * 120).map(|at| {
            let place = (80 + at / 120) * 256 + 40 + at % 120;
            bytes(&part)[at].abs_diff(bytes(&whole)[place])
        });
        let worst = worst.max().unwrap_or(0);
        assert!(
            if exact { worst == 0 } else { worst < 60 },
            "at {x}: {worst}"
        );
    }
}

#[test]
fn networks_are_fitted_to_means_over_pixels() {
    let (large, small) = reduced("camera-64.png", 2);
    let fit = |for_upscale| {
        let options = EncodeOptions::default()
            .for_upscale(for_upscale)
            .target(Target::Quality(90.0))
            .model(
                NetworkOptions::default()
                    .architecture(Architecture::Siren)
                    .hidden(vec![64, 64, 64])
                    .epochs(200.0)
                    .float(true),
            );
        encoded(&small, options)
    };
    let options = scaled(2.0).method(RenderMethod::Inr);
    let (points, means) = (fit(false), fit(true));
    // What is rendered at the source's size is the source for both.
    for file in [&points, &means] {
        let native = closeness(&render(file, &RenderOptions::default()), &small);
        assert!(native > 30.0, "{native:.2} dB");
    }
    let (points, means) = (render(&points, &options), render(&means, &options));
    let (points, means) = (closeness(&points, &large), closeness(&means, &large));
    assert!(means > points, "{means:.2} dB, of points {points:.2}");
}
