//! What the plug-in ABI costs: twelve megapixels rendered through it and by the library.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use inr::{
    EncodeOptions, InrPicture, Limits, OutputSize, RenderOptions, Samples, encode, read_picture,
};
use inr_plugin_api::host::{Options, Pixmap, Plugin};
use inr_plugin_api::{Format, Layout, Sample};

const PHOTO: &[u8] = include_bytes!("../fixtures/chelsea.png");
const SIZE: [u32; 2] = [4250, 2827];
/// Renders of either kind, by turns, so that what else the machine does falls on both.
const ROUNDS: usize = 15;

fn main() {
    let limits = Limits::default();
    let photo = read_picture(PHOTO, &limits).unwrap();
    let bytes = encode(&photo, &EncodeOptions::default(), &mut ())
        .unwrap()
        .bytes;
    let file = InrPicture::open(&bytes, &limits).unwrap();
    let options = RenderOptions {
        size: OutputSize::Exact(SIZE[0], SIZE[1]),
        ..RenderOptions::default()
    };
    let plugin = Plugin::from_export(inr_plugin::inr_get_api, "linked".into()).unwrap();
    let mut session = plugin.open(&Options::default()).unwrap();
    let mut picture = session.codec().unwrap().open(&bytes).unwrap();
    let mut output = Pixmap::new(SIZE, Format::plain(Sample::U8, Layout::Rgb));
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let rendered = black_box(&file).render(&options).unwrap();
        seconds[0].push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        picture
            .render(None, 0, 0.0, black_box(&mut output), None)
            .unwrap();
        seconds[1].push(begun.elapsed().as_secs_f64());
        let Samples::U8(samples) = rendered.picture.samples() else {
            panic!("a file of 8 bits");
        };
        assert!(*samples == output.data, "both give the same pixels");
    }
    let [library, abi] = seconds.map(|mut all| {
        all.sort_by(f64::total_cmp);
        (all[0], all[ROUNDS / 2])
    });
    println!(
        "{} x {} pixels, least and median of {ROUNDS}:",
        SIZE[0], SIZE[1]
    );
    println!("library {:.4} s {:.4} s", library.0, library.1);
    println!("ABI     {:.4} s {:.4} s", abi.0, abi.1);
    println!(
        "the ABI costs {:+.2} % {:+.2} %",
        100.0 * (abi.0 / library.0 - 1.0),
        100.0 * (abi.1 / library.1 - 1.0)
    );
}
