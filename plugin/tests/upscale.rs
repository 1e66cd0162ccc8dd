//! The filter `upscale` through the loader: regions, depths, progress and the end of it.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use inr_plugin_api::host::{Options, Pixmap, Plugin, Request, Session, Source, Watcher};
use inr_plugin_api::*;

fn session(threads: u32) -> Session {
    let plugin = Plugin::from_export(inr_plugin::inr_get_api, PathBuf::from("linked")).unwrap();
    let options = Options {
        threads,
        ..Options::default()
    };
    plugin.open(&options).unwrap()
}

/// Waves beside flat white, under an alpha with flat and sloping parts.
fn picture(size: [u32; 2], layout: Layout) -> Pixmap {
    let mut pixels = Pixmap::new(size, Format::plain(Sample::F32, layout));
    let channels = layout.channels();
    let [width, height] = size.map(|side| side as usize);
    let values = (0..width * height * channels).map(|i| {
        let (x, y, c) = (i / channels % width, i / channels / width, i % channels);
        let (x, y) = (x as f32, y as f32);
        match c + 1 == channels && layout.has_alpha() {
            true => (y / 20.0 - 1.0).clamp(0.0, 1.0),
            false if x > 0.4 * width as f32 => 1.0,
            false => 0.5 + 0.4 * (x * 0.9 + c as f32).sin() * (y * 0.4).cos(),
        }
    });
    pixels.data = values.flat_map(f32::to_ne_bytes).collect();
    pixels
}

fn upscale<'a>(pixels: &'a Pixmap, values: &[(&str, f64)], region: Option<Region>) -> Request<'a> {
    let value = |(key, number): &(&str, f64)| (key.to_string(), Value::Number(*number));
    Request {
        filter: "upscale",
        sources: vec![Source::whole(None, pixels)],
        values: values.iter().map(value).collect(),
        region,
    }
}

#[test]
fn any_region_is_that_part_of_the_whole() {
    for (layout, values) in [
        (Layout::Rgba, [("scale", 2.0), ("effort", 3.0)]),
        (Layout::Rgb, [("scale", 1.5), ("effort", 5.0)]),
        (Layout::Grey, [("width", 333.0), ("effort", 2.0)]),
        (Layout::Rgb, [("scale", 0.8), ("effort", 5.0)]),
        (Layout::Rgba, [("width", 201.0), ("height", 77.0)]),
    ] {
        let pixels = picture([160, 90], layout);
        let request = upscale(&pixels, &values, None);
        let size = session(1).plan(&request).unwrap().size;
        let mut whole = Pixmap::new(size, pixels.format);
        session(2).run(&request, &mut whole, None).unwrap();
        let step = Region::whole(pixels.size, size).step;
        for [left, top, width, height] in
            [[0, 0, 31, 17], [size[0] - 70, 5, 70, 60], [90, 40, 33, 1]]
        {
            let region = Region {
                origin: [f64::from(left) * step[0], f64::from(top) * step[1]],
                step,
                size: [width, height],
            };
            let mut part = Pixmap::new(region.size, pixels.format);
            let request = upscale(&pixels, &values, Some(region));
            session(1).run(&request, &mut part, None).unwrap();
            let pixel = pixels.format.pixel_size();
            let row = width as usize * pixel;
            for (y, found) in part.data.chunks_exact(row).enumerate() {
                let at = ((top as usize + y) * size[0] as usize + left as usize) * pixel;
                assert!(
                    found == &whole.data[at..at + row],
                    "{layout:?} {values:?}: row {y}"
                );
            }
        }
    }
}

/// Deeper outputs are not rounded first; what is no enlargement by one scale still renders.
#[test]
fn depths_and_other_sizes() {
    let pixels = picture([40, 30], Layout::Rgb);
    let mut session = session(1);
    let run = |session: &mut Session, values: &[(&str, f64)], sample: Sample| {
        let request = upscale(&pixels, values, None);
        let size = session.plan(&request).unwrap().size;
        let mut made = Pixmap::new(size, Format::plain(sample, Layout::Rgb));
        session.run(&request, &mut made, None).unwrap();
        made
    };
    let floats = run(&mut session, &[], Sample::F32);
    let bytes = run(&mut session, &[], Sample::U8);
    for (float, byte) in floats.data.chunks_exact(4).zip(&bytes.data) {
        let float = f32::from_ne_bytes([float[0], float[1], float[2], float[3]]);
        assert_eq!((float * 255.0 + 0.5) as u8, *byte);
    }
    for (values, size) in [
        (&[("scale", 0.5)][..], [20, 15]),
        (&[("scale", 1.0)], [40, 30]),
        (&[("width", 80.0), ("height", 31.0)], [80, 31]),
        (&[("width", 2700.0)], [2700, 2025]),
    ] {
        let made = run(&mut session, values, Sample::U8);
        assert_eq!(made.size, size);
        assert!(made.data.iter().any(|byte| *byte > 200));
    }
}

/// As a dialog has it: progress at once and often, and an end soon after it is asked for.
#[test]
fn a_large_enlargement_is_told_of_and_stops() {
    let pixels = picture([1024, 1024], Layout::Rgb);
    let request = upscale(&pixels, &[("scale", 2.0)], None);
    let mut made = Pixmap::new([2048, 2048], Format::plain(Sample::U8, Layout::Rgb));
    let flag = AtomicBool::new(false);
    let begun = Instant::now();
    let mut told: Vec<(Duration, f64)> = Vec::new();
    let mut asked = None;
    let watcher = Watcher {
        progress: &mut |share| {
            told.push((begun.elapsed(), share));
            if share > 0.15 && asked.is_none() {
                asked = Some(Instant::now());
                flag.store(true, Ordering::Relaxed);
            }
            true
        },
        cancelled: &flag,
    };
    let failure = session(2)
        .run(&request, &mut made, Some(watcher))
        .unwrap_err();
    assert_eq!(failure.status, Status::Cancelled);
    let late = asked.unwrap().elapsed();
    let moving = told.iter().find(|(_, share)| *share > 0.0).unwrap().0;
    let longest = told
        .windows(2)
        .map(|two| two[1].0 - two[0].0)
        .max()
        .unwrap();
    println!(
        "first {:?}, first above 0 {moving:?}, longest pause {longest:?}, ended after {late:?}",
        told[0].0
    );
    assert!(told.windows(2).all(|two| two[0].1 <= two[1].1), "{told:?}");
    // Wide bounds: other work may share the machine.
    assert!(moving < Duration::from_secs(10) && late < Duration::from_secs(10));
    assert!(told.len() > 2, "{told:?}");
}
