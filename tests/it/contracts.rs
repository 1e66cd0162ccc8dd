//! Promises that hold for every job: progress rises, `Stop` keeps a result, a time bounds, and all ways to render agree.

use std::time::Duration;

use inr::decode::RenderMethod;
use inr::encode::StopReason;
use inr::{
    Control, EncodeOptions, Error, InrPicture, Layout, Limits, Metadata, OutputSize, Picture,
    Region, RenderOptions, RowsMut, Samples, encode,
};

use crate::common::Shares;

/// Waves and edges, 8 bits of colour.
fn picture(width: u32, height: u32) -> Picture {
    let sample = |x: u32, y: u32, channel: u32| {
        let (x, y) = (f64::from(x), f64::from(y));
        let wave = (0.31 * x + 0.002 * x * y).sin() * (0.17 * y + f64::from(channel)).cos();
        let edge = if (x + 2.0 * y) % 37.0 < 15.0 {
            50.0
        } else {
            0.0
        };
        (100.0 + 60.0 * wave + edge) as u8
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples = pixels.flat_map(|(x, y)| [0, 1, 2].map(|channel| sample(x, y, channel)));
    let samples = Samples::U8(samples.collect());
    Picture::new(width, height, Layout::Rgb, samples, Metadata::default()).unwrap()
}

fn opened(bytes: &[u8]) -> InrPicture {
    InrPicture::open(bytes, &Limits::default()).unwrap()
}

#[test]
fn progress_of_a_pyramid_starts_near_0_and_rises() {
    let mut watch = Shares::default();
    let picture = picture(1100, 900);
    let whole = encode(&picture, &EncodeOptions::default(), &mut watch).unwrap();
    watch.check();
    let mut distinct = watch.seen.clone();
    distinct.dedup();
    assert!(distinct.len() >= 5, "{distinct:?}");
    // Observing changes nothing.
    let alone = encode(&picture, &EncodeOptions::default(), &mut ()).unwrap();
    assert!(alone.bytes == whole.bytes);
}

#[test]
fn stop_keeps_what_a_pyramid_has() {
    let picture = picture(1100, 900);
    let whole = encode(&picture, &EncodeOptions::default(), &mut ()).unwrap();
    for share in [0.0, 0.25, 0.4] {
        let mut watch = Shares::stopping(share, Control::Stop);
        let part = encode(&picture, &EncodeOptions::default(), &mut watch).unwrap();
        assert_eq!(part.report.stopped, StopReason::Cancelled);
        assert!(part.bytes.len() <= whole.bytes.len());
        let rendered = opened(&part.bytes)
            .render(&RenderOptions::default(), &mut ())
            .unwrap();
        assert_eq!(rendered.picture.pixels(), picture.pixels());
    }
}

#[test]
fn abort_ends_an_encode_and_a_render() {
    let picture = picture(300, 200);
    let mut watch = Shares::stopping(0.0, Control::Abort);
    let ended = encode(&picture, &EncodeOptions::default(), &mut watch);
    assert!(matches!(ended, Err(Error::Cancelled)));
    let bytes = encode(&picture, &EncodeOptions::default(), &mut ())
        .unwrap()
        .bytes;
    for control in [Control::Stop, Control::Abort] {
        let mut watch = Shares::stopping(0.0, control);
        let ended = opened(&bytes).render(&RenderOptions::default(), &mut watch);
        assert!(matches!(ended, Err(Error::Cancelled)));
    }
}

#[test]
fn a_time_bounds_the_encode_of_a_pyramid() {
    let picture = picture(1100, 900);
    let options = EncodeOptions::default().time_budget(Duration::ZERO);
    let part = encode(&picture, &options, &mut ()).unwrap();
    assert_eq!(part.report.stopped, StopReason::TimeBudget);
    assert!(!part.report.notes.is_empty());
    opened(&part.bytes)
        .render(&RenderOptions::default(), &mut ())
        .unwrap();
}

#[test]
fn all_ways_to_render_give_the_same_pixels() {
    let bytes = encode(&picture(150, 120), &EncodeOptions::default(), &mut ())
        .unwrap()
        .bytes;
    let file = opened(&bytes);
    let region = Some(Region {
        x: 10.3,
        y: 7.9,
        width: 101.5,
        height: 90.1,
    });
    for method in [
        RenderMethod::Auto,
        RenderMethod::Inr,
        RenderMethod::Bicubic,
        RenderMethod::Lanczos,
    ] {
        // Taller than a chunk of resampled rows, and than a band.
        for (scale, region) in [(0.6, None), (5.7, region)] {
            for threads in [1, 3] {
                let options = RenderOptions::default()
                    .size(OutputSize::Scale(scale))
                    .region(region)
                    .method(method)
                    .threads(threads);
                let mut watch = Shares::default();
                let whole = file.render(&options, &mut watch).unwrap().picture;
                watch.check();
                let Samples::U8(wanted) = whole.samples() else {
                    panic!("8 bits were asked for")
                };
                let row = whole.width() as usize * 3;
                let mut into = vec![0; wanted.len()];
                let rows = RowsMut::U8(into.chunks_exact_mut(row).collect());
                file.render_into(&options, rows, &mut ()).unwrap();
                assert!(into == *wanted, "{method:?} {scale} {threads}");
                let mut bands = Vec::new();
                file.render_bands(&options, &mut (), |band| {
                    let Samples::U8(band) = band else {
                        panic!("8 bits were asked for")
                    };
                    bands.extend_from_slice(band);
                    Ok::<_, Error>(())
                })
                .unwrap();
                assert!(bands == *wanted, "{method:?} {scale} {threads}");
            }
        }
    }
}
