//! Enlarging.

use inr::edit;
use inr_plugin_api::guest::{Call, Plan, Region};
use inr_plugin_api::{
    Failure, Filter, INR_CAP_DETERMINISTIC, INR_CAP_GLOBAL, INR_CAP_RESIZES, Kind, Param,
    PixelsMut, Status,
};

use super::{Entry, filter};
use crate::failure::{failure, watching};
use crate::picture::{Floats, write};

pub(super) const UPSCALE: Entry = Entry {
    describe,
    plan,
    run,
};

fn describe() -> Filter {
    let side = |key: &str, label: &str| {
        let kind = Kind::Number {
            whole: true,
            range: [0.0, 4_294_967_295.0],
            display: [0.0, 16_384.0],
            default: 0.0,
            step: 1.0,
            digits: 0,
        };
        let hint = "In pixels; 0: by the scale, or by the other side.";
        Param::new(key, label, hint, kind)
    };
    let hint = "Output pixels per pixel.";
    filter(
        "upscale",
        "Upscale",
        "Renders the field through the picture's samples at another size.",
        INR_CAP_RESIZES | INR_CAP_GLOBAL | INR_CAP_DETERMINISTIC,
        vec![
            Param::number("scale", "Scale", hint, [1e-3, 1e3], [1.0, 8.0], 2.0),
            side("width", "Width"),
            side("height", "Height"),
        ],
    )
}

fn plan(call: &Call) -> Result<Plan, Failure> {
    let image = call.image()?;
    let sides = image.picture.map(f64::from);
    let asked = ["width", "height"].map(|key| call.number(key));
    let scale = match asked {
        [0.0, 0.0] => [call.number("scale"); 2],
        [width, 0.0] => [width / sides[0]; 2],
        [0.0, height] => [height / sides[1]; 2],
        [width, height] => [width / sides[0], height / sides[1]],
    };
    let size = [0, 1].map(|axis| (sides[axis] * scale[axis]).round().max(1.0));
    if size.iter().any(|side| *side > f64::from(u32::MAX)) {
        let message = format!("{} x {} pixels", size[0], size[1]);
        return Err(Failure::new(Status::TooLarge, message));
    }
    Ok(Plan {
        size: size.map(|side| side as u32),
        layout: image.pixels.format().layout,
        halo: 0,
    })
}

fn run(call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
    let region = call.region(&plan(call)?)?;
    let floats = Floats::new(call.image()?);
    let samples = enlarged(call, &floats, &region)?;
    let [width, height] = region.size;
    write(output, &samples, width as usize, [0, 0, width, height]);
    Ok(())
}

/// The pixels of `region`, interleaved: all that knows how pictures are enlarged.
fn enlarged(call: &Call, floats: &Floats, region: &Region) -> Result<Vec<f32>, Failure> {
    let size = region.size.map(|side| side as usize);
    let extent = [0, 1].map(|axis| region.step[axis] * f64::from(region.size[axis]));
    let [x, y] = region.origin;
    let wanted = [x, y, extent[0], extent[1]];
    let mut watch = watching(call.watch(), 0.0, 1.0);
    let threads = call.host().threads();
    edit::resampled(&floats.part(), wanted, size, threads, &mut watch)
        .map_err(|error| failure(&error))
}
