//! Files that are made to be enlarged.

use crate::common::Shares;
use inr::Raster;
use inr::decode::{Component, RenderMethod};
use inr::encode::{Architecture, NetworkOptions};
use inr::metrics::psnr;
use inr::resample::{Filter, resize};
use inr::upscale::{Blur, Degradation};
use inr::{
    Depth, EncodeOptions, InrPicture, Layout, Limits, Metadata, OutputSize, Picture, Region,
    RenderOptions, RowsMut, Samples, Target, encode, read_picture,
};
use inr_formats::InrFile;

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
fn decode_enlarges_pyramids_by_the_trained_field_and_better() {
    let (large, small) = reduced("astronaut-96.png", 2);
    let file = encoded(&small, EncodeOptions::default());
    let native = file.plan(&RenderOptions::default());
    assert_eq!(native.expect("there is a size").1, RenderMethod::Inr);
    let options = scaled(2.0);
    let (_, method, _) = file.plan(&options).expect("there is a size");
    assert_eq!(method, RenderMethod::Network);
    let spline = render(&file, &options.clone().method(RenderMethod::Inr));
    let detailed = render(&file, &options);
    let (spline, detailed) = (closeness(&spline, &large), closeness(&detailed, &large));
    assert!(
        detailed > spline + 0.2,
        "{detailed:.2} dB, the spline has {spline:.2}"
    );
    let asked = options.method(RenderMethod::Network);
    assert_eq!(render(&file, &asked), render(&file, &scaled(2.0)));
}

/// The file says how its source came about.
#[test]
fn soft_sources_are_enlarged_sharper() {
    let (sharp, _) = reduced("chelsea.png", 1);
    let samples = sharp.to_f32();
    let rows = samples.chunks_exact(3 * 451);
    let samples: Vec<f32> = rows.flat_map(|row| &row[..3 * 450]).copied().collect();
    let picture = |width, height, samples: &[f32]| {
        let metadata = Metadata::default();
        let picture = Picture::from_f32(width, height, Layout::Rgb, Depth::U8, samples, metadata);
        picture.expect("the shape fits")
    };
    let large = picture(450, 300, &samples);
    let raster = Raster::new(450, 300, 3, &samples).expect("it is consistent");
    let soft = Degradation::from(Blur::Gaussian(0.8)).reduce(raster, 225, 150, 0);
    let soft = picture(225, 150, &soft.expect("it shrinks"));
    let file = encode(&soft, &EncodeOptions::default(), &mut ());
    let bytes = file.expect("it can be encoded").bytes;
    let mut plain = InrFile::read(&bytes, &Limits::default()).expect("it is a file");
    let latents = plain.latents.as_mut().expect("it is a pyramid");
    let [variance, _, noise, jpeg] = latents.degradation.take().expect("it is estimated");
    assert!(
        variance > 40 && noise < 8 && jpeg < 8,
        "{variance} {noise} {jpeg}"
    );
    let plain = plain.write().expect("it can be written");
    let [plain, told] = [&plain, &bytes].map(|bytes| {
        let file = InrPicture::open(bytes, &Limits::default()).expect("it is a file");
        closeness(&render(&file, &scaled(2.0)), &large)
    });
    assert!(told > plain + 0.1, "{told:.2} dB, {plain:.2} without");
}

#[test]
fn jets_are_the_derivatives_of_the_enlargement() {
    let file = encoded(&fixture("astronaut-96.png"), EncodeOptions::default());
    let region = Region {
        x: 30.0,
        y: 20.0,
        width: 12.0,
        height: 10.0,
    };
    let options = scaled(64.0).region(region);
    let jets = file.jets(&options, &mut ()).expect("it can be rendered");
    let float = options.depth(Depth::F32);
    let values = render(&file, &float).to_f32();
    let (width, height) = (12 * 64, 10 * 64);
    let at = |x: usize, y: usize, c: usize| f64::from(values[(y * width + x) * 3 + c]);
    let step = 1.0 / 64.0;
    let (mut worst, mut most) = (0.0_f64, 0.0_f64);
    for c in 0..3 {
        let planes = [Component::Value, Component::Dx, Component::Dy]
            .map(|component| jets.plane(component, c));
        for y in (3..height - 3).step_by(37) {
            for x in (3..width - 3).step_by(29) {
                let [v, dx, dy] = [0, 1, 2].map(|of| f64::from(planes[of][y * width + x]));
                // Renders are clamped.
                if !(0.02..0.98).contains(&v) {
                    continue;
                }
                assert!((v - at(x, y, c)).abs() < 1e-4);
                let central = [
                    (at(x + 1, y, c) - at(x - 1, y, c)) / (2.0 * step),
                    (at(x, y + 1, c) - at(x, y - 1, c)) / (2.0 * step),
                ];
                worst = worst.max((dx - central[0]).abs());
                worst = worst.max((dy - central[1]).abs());
                most = most.max(dx.abs());
            }
        }
    }
    assert!(most > 0.1 && worst < 2e-3, "{worst} of {most}");
}

#[test]
fn regions_and_bands_and_threads_show_the_same_enlargement() {
    let ready = encoded(&fixture("camera-64.png"), EncodeOptions::default());
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
    // A part on the grid has the whole's pixels.
    let whole = render(&ready, &scaled(4.0));
    let options = scaled(4.0).region(Region {
        x: 10.0,
        y: 20.0,
        width: 30.0,
        height: 16.0,
    });
    let part = render(&ready, &options);
    assert_eq!([part.width(), part.height()], [120, 64]);
    for (row, line) in bytes(&part).chunks_exact(120).enumerate() {
        assert_eq!(line, &bytes(&whole)[(80 + row) * 256 + 40..][..120]);
    }
}

#[test]
fn networks_are_fitted_to_means_over_pixels() {
    let (large, small) = reduced("camera-64.png", 2);
    let fit = |for_upscale| {
        let options = EncodeOptions::default()
            .target(Target::Quality(90.0))
            .model(
                NetworkOptions::default()
                    .architecture(Architecture::Siren)
                    .for_upscale(for_upscale)
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
