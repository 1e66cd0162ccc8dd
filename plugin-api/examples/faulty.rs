//! A plug-in whose filter panics. The host receives a code and continues.

use std::sync::LazyLock;

use inr_plugin_api::guest::{Call, Description, EDITS, Plugin, Tables};
use inr_plugin_api::{Capabilities, Failure, Filter, Input, PixelsMut, ThreadClass};

struct Faulty;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    Tables::new(Description {
        id: "org.example.faulty".into(),
        name: "Faulty".into(),
        version: "1.0.0".into(),
        capabilities: Capabilities(0),
        thread_class: ThreadClass::One,
        filters: vec![Filter {
            id: "org.example.faulty.divide".into(),
            key: "divide".into(),
            label: "Divide".into(),
            hint: "Divides by the number of surplus rows.".into(),
            version: "1.0.0".into(),
            capabilities: Capabilities(EDITS),
            thread_class: ThreadClass::One,
            inputs: vec![Input::new("image", "Image", "", true)],
            params: Vec::new(),
        }],
    })
});

impl Plugin for Faulty {
    fn tables() -> &'static Tables {
        &TABLES
    }

    fn run(_filter: usize, call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
        let surplus = call.image()?.pixels.size()[1] - output.size()[1];
        output.row(0)[0] = (255 / surplus) as u8;
        Ok(())
    }
}

inr_plugin_api::export_plugin!(Faulty);
