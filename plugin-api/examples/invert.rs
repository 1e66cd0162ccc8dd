//! A complete plug-in in Rust: `cargo build -p inr-plugin-api --example invert`, then
//! `inr filter --plugin target/debug/examples/libinvert.so invert photo.png out.png`.

use std::sync::LazyLock;

use inr_plugin_api::guest::{Call, Description, EDITS, Plugin, Tables};
use inr_plugin_api::{
    Capabilities, Failure, Filter, INR_CAP_TILES, Input, Param, PixelsMut, ThreadClass,
};

struct Invert;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let hint = "0 keeps the picture, 1 inverts it.";
    Tables::new(Description {
        id: "org.example.rust".into(),
        name: "Example in Rust".into(),
        version: "1.0.0".into(),
        capabilities: Capabilities(0),
        thread_class: ThreadClass::PerHandle,
        filters: vec![Filter {
            id: "org.example.rust.invert".into(),
            key: "invert".into(),
            label: "Invert".into(),
            hint: "Moves colours towards their negative.".into(),
            version: "1.0.0".into(),
            capabilities: Capabilities(EDITS | INR_CAP_TILES),
            thread_class: ThreadClass::PerHandle,
            inputs: vec![Input::new("image", "Image", "", true)],
            params: vec![Param::number(
                "amount",
                "Amount",
                hint,
                [0.0, 1.0],
                [0.0, 1.0],
                1.0,
            )],
        }],
    })
});

impl Plugin for Invert {
    fn tables() -> &'static Tables {
        &TABLES
    }

    fn run(_filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
        let image = call.image()?;
        let [left, top, width, height] = call
            .region(&Self::plan(0, call)?)?
            .pixels(image.picture)?
            .map(|n| n as usize);
        let layout = image.pixels.format().layout;
        let amount = call.number("amount") as f32;
        let mut row = vec![0.0; image.pixels.size()[0] as usize * layout.channels()];
        for y in 0..height {
            let source = top + y - image.origin[1] as usize;
            image.pixels.read_row(source as u32, &mut row);
            let colours = layout.channels() - usize::from(layout.has_alpha());
            for pixel in row.chunks_exact_mut(layout.channels()) {
                for colour in &mut pixel[..colours] {
                    *colour += amount * (1.0 - 2.0 * *colour);
                }
            }
            let from = (left - image.origin[0] as usize) * layout.channels();
            output.write_row(y as u32, &row[from..from + width * layout.channels()]);
            call.watch().done((y + 1) as f64 / height as f64)?;
        }
        Ok(())
    }
}

inr_plugin_api::export_plugin!(Invert);
