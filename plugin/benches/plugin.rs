//! What the plug-in ABI costs: twelve megapixels rendered through it and by the library.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use inr::{
    EncodeOptions, InrPicture, Limits, OutputSize, RenderOptions, RowsMut, encode, read_picture,
};
use inr_plugin_api::host::{Options, Pixmap, Plugin};
use inr_plugin_api::{Format, Layout, Sample};

const PHOTO: &[u8] = include_bytes!("../../fixtures/chelsea.png");
const SIZE: [u32; 2] = [4250, 2827];
/// Renders of either kind, by turns, so that what else the machine does falls on both.
const ROUNDS: usize = 61;

fn main() {
    // One thread tells more of a machine that does other things as well.
    for threads in [1, 2] {
        compare(threads);
    }
}

fn compare(threads: usize) {
    let limits = Limits::default();
    let photo = read_picture(PHOTO, &limits).unwrap();
    let bytes = encode(&photo, &EncodeOptions::default(), &mut ())
        .unwrap()
        .bytes;
    let file = InrPicture::open(&bytes, &limits).unwrap();
    let options = RenderOptions::default()
        .size(OutputSize::Exact(SIZE[0], SIZE[1]))
        .threads(threads);
    let plugin = Plugin::from_export(inr_plugin::inr_get_api, "linked".into()).unwrap();
    let host = Options {
        threads: threads as u32,
        ..Options::default()
    };
    let mut session = plugin.open(&host).unwrap();
    let mut picture = session.codec().unwrap().open(&bytes).unwrap();
    let mut output = Pixmap::new(SIZE, Format::plain(Sample::U8, Layout::Rgb));
    let stride = 3 * SIZE[0] as usize;
    let mut own = vec![0; output.data.len()];
    // Into memory that is there already, as hosts have it.
    let mut library = || {
        let rows = RowsMut::U8(own.chunks_exact_mut(stride).collect());
        file.render_into(black_box(&options), rows, &mut ())
            .unwrap();
    };
    let mut abi = || {
        picture
            .render(None, 0, 0.0, black_box(&mut output), None)
            .unwrap();
    };
    let mut pairs: Vec<[f64; 2]> = Vec::new();
    for round in 0..ROUNDS {
        // The first of a pair may find other caches than the second.
        pairs.push(match round % 2 {
            0 => [seconds(&mut library), seconds(&mut abi)],
            _ => {
                let abi = seconds(&mut abi);
                [seconds(&mut library), abi]
            }
        });
    }
    assert!(own == output.data, "both give the same pixels");
    let least = [0, 1].map(|kind| pairs.iter().map(|p| p[kind]).fold(f64::MAX, f64::min));
    let mut ratios: Vec<f64> = pairs.iter().map(|[library, abi]| abi / library).collect();
    ratios.sort_by(f64::total_cmp);
    let percent = |ratio: f64| 100.0 * (ratio - 1.0);
    let [width, height] = SIZE;
    println!("{width} x {height} pixels, {threads} threads, {ROUNDS} pairs:");
    println!("least: library {:.4} s, ABI {:.4} s", least[0], least[1]);
    println!(
        "the ABI costs {:+.2} % by the least, {:+.2} % by the median of the pairs' ratios",
        percent(least[1] / least[0]),
        percent(ratios[ROUNDS / 2])
    );
}

fn seconds(work: &mut impl FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}
