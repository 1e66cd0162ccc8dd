//! Seamless pasting.

use inr::edit::{self, Guidance, Paste};
use inr_plugin_api::guest::{Call, Image};
use inr_plugin_api::{Failure, Filter, Input, Param, PixelsMut};

use super::entry::{Entry, GLOBAL, filter, same, write_region};
use crate::failure::{Watched, failure};
use crate::picture::Floats;

pub(super) const SEAMLESS_PASTE: Entry = Entry {
    describe,
    plan: same,
    run,
};

fn describe() -> Filter {
    let guidance = [
        ("source", "From the source"),
        ("mixed", "From source or picture, whichever is steeper"),
    ];
    let place = |key: &str, label: &str, hint: &str| {
        Param::whole(key, label, hint, [-1e6, 1e6], [0.0, 4096.0], 0.0)
    };
    let mut filter = filter(
        "seamless-paste",
        "Seamless paste",
        "Pastes a source under a mask so that its border fits: its gradients, with the picture's values around them.",
        GLOBAL,
        vec![
            Param::choice(
                "gradients",
                "Gradients",
                "Which gradients the pasted part has.",
                &guidance,
            ),
            place(
                "left",
                "Left",
                "Column where the source's first pixel goes.",
            ),
            place("top", "Top", "Row where the source's first pixel goes."),
        ],
    );
    let input = |key: &str, label: &str, hint: &str, required| Input {
        key: key.into(),
        label: label.into(),
        hint: hint.into(),
        required,
    };
    filter.inputs.extend([
        input(
            "source",
            "Source",
            "What is pasted; its alpha counts into the mask.",
            true,
        ),
        input(
            "mask",
            "Mask",
            "Grey, of the source's size: white is pasted. Everything by default.",
            false,
        ),
    ]);
    filter
}

/// Returns the samples of a whole picture, and an error for a part.
fn whole(image: &Image) -> Result<Floats, Failure> {
    match image.pixels.size() == image.picture {
        true => Ok(Floats::new(image)),
        false => Err(Failure::bad("source and mask have to be given whole")),
    }
}

fn run(call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
    let floats = Floats::new(call.image()?);
    let source = call
        .input(1)
        .ok_or_else(|| Failure::bad("input source is missing"))?;
    let pasted = whole(source)?;
    let mask = match call.input(2) {
        None => None,
        Some(mask) if mask.picture != source.picture => {
            return Err(Failure::bad(format!(
                "a mask of {:?} pixels for a source of {:?}",
                mask.picture, source.picture
            )));
        }
        Some(mask) => {
            let floats = whole(mask)?;
            let raster = floats.raster();
            Some(
                raster
                    .samples
                    .iter()
                    .step_by(raster.channels)
                    .copied()
                    .collect::<Vec<f32>>(),
            )
        }
    };
    let paste = Paste {
        source: pasted.raster(),
        mask: mask.as_deref(),
        at: ["left", "top"].map(|key| call.number(key) as i64),
        guidance: match call.text("gradients") {
            "mixed" => Guidance::Mixed,
            _ => Guidance::Source,
        },
    };
    let mut watch = Watched(call.watch());
    let edited = edit::paste(floats.raster(), &paste, call.host().threads(), &mut watch);
    write_region(call, output, &edited.map_err(|error| failure(&error))?)
}
