//! Decoding and encoding of a real photo: `cargo bench`. Each group has a rival that does the same job in the same run.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inr::{
    EncodeOptions, InrPicture, Limits, Method, OutputSize, RenderOptions, encode, read_picture,
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
        ("field", Method::Inr),
        ("Lanczos", Method::Lanczos),
        ("bicubic", Method::Bicubic),
    ];
    for (name, method) in rivals {
        let options = RenderOptions {
            size: OutputSize::Scale(2.0),
            method,
            ..RenderOptions::default()
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| file.render(black_box(&options)).unwrap());
        });
    }
    group.finish();
}

/// Two visits of every pixel by the network that the encoder takes, on one thread and on all.
fn encode_photo(criterion: &mut Criterion) {
    let photo = read_picture(PHOTO, &Limits::default()).unwrap();
    let mut group = criterion.benchmark_group("encode, 2 epochs");
    group.sample_size(10);
    for (name, threads) in [("one thread", Some(1)), ("all threads", None)] {
        let options = EncodeOptions {
            epochs: Some(2.0),
            threads,
            ..EncodeOptions::default()
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| encode(black_box(&photo), &options, &mut ()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, decode, encode_photo);
criterion_main!(benches);
