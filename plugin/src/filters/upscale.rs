//! Enlarging.

use inr::upscale::{Blur, Degradation};
use inr::{Metadata, UpscaleOptions, edit};
use inr_plugin_api::guest::{Call, Plan};
use inr_plugin_api::{
    Failure, Filter, INR_CAP_DETERMINISTIC, INR_CAP_GLOBAL, INR_CAP_RESIZES, INR_CAP_TILES,
    INR_LOG_INFO, Param, PixelsMut, Region, Status,
};

use super::entry::{Entry, filter};
use crate::failure::{Watched, failure};
use crate::picture::{Floats, depth, picture, write, write_rows};

pub(super) const UPSCALE: Entry = Entry {
    describe,
    plan,
    run,
};

/// Scales that the library supports.
const SCALES: std::ops::RangeInclusive<f64> = 1.0..=64.0;

fn describe() -> Filter {
    let side = |key: &str, label: &str| {
        let hint = "In pixels; 0: by the scale, or by the other side.";
        let (range, display) = ([0.0, 4_294_967_295.0], [0.0, 16_384.0]);
        Param::whole(key, label, hint, range, display, 0.0)
    };
    let scale = "Output pixels per pixel. From 1 to 64 a trained network adds detail, beyond it the field through the samples is rendered.";
    let effort = "How hard to try: more takes longer.";
    let degradation = "How the picture lost its detail, if you know; otherwise that is estimated from the picture.";
    let degradations = [
        ("auto", "Estimated from the picture"),
        ("area", "Averaging of pixels (camera sensor)"),
        ("bicubic", "Bicubic reduction"),
        ("gaussian", "Gaussian blur"),
    ];
    let mut blur = Param::number(
        "blur",
        "Blur radius",
        "Standard deviation of the Gaussian blur in pixels.",
        [0.05, 8.0],
        [0.3, 2.0],
        0.6,
    );
    blur.enabled_by = Some(("degradation".into(), Some("gaussian".into())));
    filter(
        "upscale",
        "Upscale",
        "Enlarges by a spline with the detail that a trained network expects; other sizes by the spline alone.",
        INR_CAP_RESIZES | INR_CAP_GLOBAL | INR_CAP_TILES | INR_CAP_DETERMINISTIC,
        vec![
            Param::number("scale", "Scale", scale, [1e-3, 1e3], [1.0, 8.0], 2.0),
            side("width", "Width"),
            side("height", "Height"),
            Param::whole("effort", "Effort", effort, [1.0, 9.0], [1.0, 9.0], 5.0),
            Param::choice("degradation", "Blur to remove", degradation, &degradations),
            blur,
        ],
    )
}

/// Requested number of output pixels per source pixel on each axis.
fn scales(call: &Call) -> Result<[f64; 2], Failure> {
    let sides = call.image()?.picture.map(f64::from);
    let asked = ["width", "height"].map(|key| call.number(key));
    Ok(match asked {
        [0.0, 0.0] => [call.number("scale"); 2],
        [width, 0.0] => [width / sides[0]; 2],
        [0.0, height] => [height / sides[1]; 2],
        [width, height] => [width / sides[0], height / sides[1]],
    })
}

/// Size of a picture of `sides` at these scales.
fn scaled(sides: [u32; 2], scale: [f64; 2]) -> [f64; 2] {
    [0, 1].map(|axis| (f64::from(sides[axis]) * scale[axis]).round().max(1.0))
}

fn plan(call: &Call) -> Result<Plan, Failure> {
    let image = call.image()?;
    let size = scaled(image.picture, scales(call)?);
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
    let plan = plan(call)?;
    let region = call.region(&plan)?;
    match (
        uniform(call, &plan)?,
        in_pixels(&region, call.image()?.picture, &plan),
    ) {
        (Some(scale), Some(window)) => enlarged(call, scale, window, output),
        _ => resampled(call, &region, output),
    }
}

/// Finds one scale, within the library's range, that gives the plan's size on both axes.
fn uniform(call: &Call, plan: &Plan) -> Result<Option<f64>, Failure> {
    let picture = call.image()?.picture;
    let mut both = scales(call)?.into_iter();
    Ok(both.find(|scale| {
        let size = scaled(picture, [*scale; 2]);
        *scale > 1.0 && SCALES.contains(scale) && size == plan.size.map(f64::from)
    }))
}

/// Converts the region to source coordinates; `None` unless its pixels coincide with those of the plan.
fn in_pixels(region: &Region, picture: [u32; 2], plan: &Plan) -> Option<inr::Region> {
    let whole = Region::whole(picture, plan.size);
    let (mut start, mut extent) = ([0.0; 2], [0.0; 2]);
    for axis in [0, 1] {
        let step = whole.step[axis];
        let first = (region.origin[axis] / step).round();
        let shift = first * step - region.origin[axis];
        let stretch = f64::from(region.size[axis]) * (region.step[axis] - step);
        let room = f64::from(plan.size[axis]) - f64::from(region.size[axis]);
        // Rounding errors are below a millionth of a pixel.
        if shift.abs().max(stretch.abs()) > 1e-6 * step || !(0.0..=room).contains(&first) {
            return None;
        }
        start[axis] = first * step;
        let room = f64::from(picture[axis]) - start[axis];
        extent[axis] = (f64::from(region.size[axis]) * step).min(room);
    }
    Some(inr::Region::new(start[0], start[1], extent[0], extent[1]))
}

/// Enlarges with the library's trained field, like `inr upscale`.
fn enlarged(
    call: &Call,
    scale: f64,
    source: inr::Region,
    output: &mut PixelsMut,
) -> Result<(), Failure> {
    let given = picture(&call.image()?.pixels, Metadata::default())?;
    let blur = match call.text("degradation") {
        "area" => Some(Blur::Area),
        "bicubic" => Some(Blur::Bicubic),
        "gaussian" => Some(Blur::Gaussian(call.number("blur"))),
        _ => None,
    };
    let options = UpscaleOptions::default()
        .scale(scale)
        .effort(call.number("effort") as u8)
        .degradation(blur.map(Degradation::from))
        .threads(call.host().threads())
        .region(source)
        .depth(depth(output.format()));
    let made = inr::upscale(&given, &options, &mut Watched(call.watch()));
    let made = made.map_err(|error| failure(&error))?;
    call.host().log(INR_LOG_INFO, &made.why);
    write_rows(output, made.picture.samples(), 0);
    Ok(())
}

/// Samples the field through the samples, at any size.
fn resampled(call: &Call, region: &Region, output: &mut PixelsMut) -> Result<(), Failure> {
    let floats = Floats::new(call.image()?);
    let size = region.size.map(|side| side as usize);
    let extent = [0, 1].map(|axis| region.step[axis] * f64::from(region.size[axis]));
    let [x, y] = region.origin;
    let wanted = [x, y, extent[0], extent[1]];
    let mut watch = Watched(call.watch());
    let threads = call.host().threads();
    let samples = edit::resampled(&floats.part(), wanted, size, threads, &mut watch);
    let samples = samples.map_err(|error| failure(&error))?;
    let [width, height] = region.size;
    write(output, &samples, size[0], [0, 0, width, height]);
    Ok(())
}
