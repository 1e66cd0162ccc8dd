//! Decoding and encoding of a real photo: `cargo bench`. Each group has a rival that does the same job in the same run.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inr::decode::RenderMethod;
use inr::{
    EncodeOptions, InrPicture, Limits, Metadata, OutputSize, Picture, Region, RenderOptions,
    Samples, encode, read_picture,
};

const PHOTO: &[u8] = include_bytes!("../fixtures/chelsea.png");
const FILE: &[u8] = include_bytes!("../fixtures/golden/chelsea.inr");

/// The field against Lanczos and bicubic from its native render, which they take time for as well.
fn decode(criterion: &mut Criterion) {
    let file = InrPicture::open(FILE, &Limits::default()).unwrap();
    let mut group = criterion.benchmark_group("decode x2");
    let pixels = 4 * u64::from(file.width()) * u64::from(file.height());
    group
        .throughput(Throughput::Elements(pixels))
        .sample_size(10);
    let rivals = [
        ("field", RenderMethod::Inr),
        ("Lanczos", RenderMethod::Lanczos),
        ("bicubic", RenderMethod::Bicubic),
    ];
    for (name, method) in rivals {
        let options = RenderOptions::default()
            .size(OutputSize::Scale(2.0))
            .method(method);
        group.bench_function(name, |bencher| {
            bencher.iter(|| file.render(black_box(&options), &mut ()).unwrap());
        });
    }
    group.finish();
}

/// The photo `columns` by `rows` times side by side, every other one mirrored: as much detail per pixel at any size.
fn mosaic(columns: u32, rows: u32) -> Picture {
    let photo = read_picture(PHOTO, &Limits::default()).unwrap();
    let Samples::U8(pixels) = photo.samples() else {
        panic!("a photo of 8 bits");
    };
    let (width, height) = (photo.width(), photo.height());
    let mirrored = |at: u32, length: u32| match at / length % 2 {
        0 => at % length,
        _ => length - 1 - at % length,
    };
    let samples = (0..height * rows)
        .flat_map(|y| (0..width * columns).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let start = 3 * (mirrored(y, height) * width + mirrored(x, width)) as usize;
            pixels[start..start + 3].iter().copied()
        })
        .collect();
    let size = (width * columns, height * rows);
    Picture::new(
        size.0,
        size.1,
        photo.layout(),
        Samples::U8(samples),
        Metadata::default(),
    )
    .unwrap()
}

/// Encoding and decoding from a quarter of a megapixel to twelve: pixels per second should not depend on the size.
fn sizes(criterion: &mut Criterion) {
    for (columns, rows) in [(2, 1), (2, 4), (4, 8), (9, 10)] {
        let picture = mosaic(columns, rows);
        let pixels = u64::from(picture.width()) * u64::from(picture.height());
        let options = EncodeOptions::default();
        let bytes = encode(&picture, &options, &mut ()).unwrap().bytes;
        let mut group =
            criterion.benchmark_group(format!("{}x{}", picture.width(), picture.height()));
        group
            .throughput(Throughput::Elements(pixels))
            .sample_size(10);
        group.bench_function("encode", |bencher| {
            bencher.iter(|| encode(black_box(&picture), &options, &mut ()).unwrap());
        });
        group.bench_function("decode", |bencher| {
            bencher.iter(|| {
                let file = InrPicture::open(black_box(&bytes), &Limits::default()).unwrap();
                file.render(&RenderOptions::default(), &mut ()).unwrap()
            });
        });
        group.finish();
    }
}

/// 512 x 512 pixels out of the middle of twelve megapixels, after the file was opened; the rival renders all of it.
fn crop(criterion: &mut Criterion) {
    let picture = mosaic(9, 10);
    let bytes = encode(&picture, &EncodeOptions::default(), &mut ())
        .unwrap()
        .bytes;
    let file = InrPicture::open(&bytes, &Limits::default()).unwrap();
    let mut group = criterion.benchmark_group("crop of 512x512");
    group.sample_size(10);
    for zoom in [0.25, 1.0, 4.0] {
        let side = 512.0 / zoom;
        let options = RenderOptions::default()
            .size(OutputSize::Exact(512, 512))
            .region(Region {
                x: (f64::from(picture.width()) - side) / 2.0,
                y: (f64::from(picture.height()) - side) / 2.0,
                width: side,
                height: side,
            });
        group.bench_function(format!("zoom {zoom}"), |bencher| {
            bencher.iter(|| file.render(black_box(&options), &mut ()).unwrap());
        });
    }
    group.bench_function("the whole picture", |bencher| {
        bencher.iter(|| file.render(&RenderOptions::default(), &mut ()).unwrap());
    });
    group.finish();
}

criterion_group!(benches, decode, sizes, crop);
criterion_main!(benches);
