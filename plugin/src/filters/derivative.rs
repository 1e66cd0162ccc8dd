//! Pictures of derivatives.

use inr::Layout;
use inr::decode::Derivative;
use inr::edit::{self, REACH};
use inr_plugin_api::guest::{Call, EDITS, Plan};
use inr_plugin_api::{Failure, Filter, INR_CAP_TILES, Param, PixelsMut};

use super::entry::{Entry, filter, same};
use crate::failure::{Watched, failure};
use crate::picture::{Floats, host_layout, layout, write};

pub(super) const GRADIENT: Entry = Entry {
    describe: describe_gradient,
    plan: |call| plan(call, shown(call)),
    run: |call, output| run(call, shown(call), output),
};

pub(super) const LAPLACIAN: Entry = Entry {
    describe: describe_laplacian,
    plan: |call| plan(call, Derivative::Laplacian),
    run: |call, output| run(call, Derivative::Laplacian, output),
};

const HINT: &str = "The derivative that ends the range of samples, in samples (0 to 1) per pixel.";

fn describe_gradient() -> Filter {
    let choices = [
        ("magnitude", "Strength of edges"),
        ("dx", "Change from left to right (mid grey: none)"),
        ("dy", "Change from top to bottom (mid grey: none)"),
        ("gradient", "Left to right in red, top to bottom in green"),
        ("gradient-hsv", "Direction as hue, strength as brightness"),
        ("normal", "Normal map"),
    ];
    filter(
        "gradient",
        "Gradient",
        "First derivatives of the field through the picture's samples.",
        EDITS | INR_CAP_TILES,
        vec![
            Param::choice(
                "show",
                "Show",
                "Which picture of the gradient the filter makes.",
                &choices,
            ),
            Param::number("range", "Range", HINT, [1e-6, 1e6], [0.01, 1.0], 0.25),
        ],
    )
}

fn describe_laplacian() -> Filter {
    let hint =
        "The Laplacian that ends the range of samples, in samples (0 to 1) per pixel squared.";
    filter(
        "laplacian",
        "Laplacian",
        "Sum of the second derivatives of the field through the picture's samples; mid grey is none.",
        EDITS | INR_CAP_TILES,
        vec![Param::number(
            "range",
            "Range",
            hint,
            [1e-6, 1e6],
            [0.01, 2.0],
            0.5,
        )],
    )
}

fn shown(call: &Call) -> Derivative {
    let name = call.text("show");
    name.parse().expect("the choices are names of derivatives")
}

/// Layouts of the derivative without and with the picture's alpha.
fn layouts(call: &Call, derivative: Derivative) -> Result<(Layout, Layout), Failure> {
    let source = layout(call.image()?.pixels.format().layout);
    let own = derivative.layout(source);
    let full = match (own.colour_channels(), source.has_alpha()) {
        (1, true) => Layout::GreyAlpha,
        (_, true) => Layout::Rgba,
        _ => own,
    };
    Ok((own, full))
}

fn plan(call: &Call, derivative: Derivative) -> Result<Plan, Failure> {
    let (_, full) = layouts(call, derivative)?;
    Ok(Plan {
        layout: host_layout(full),
        halo: REACH,
        ..same(call)?
    })
}

fn run(call: &Call, derivative: Derivative, output: &mut PixelsMut) -> Result<(), Failure> {
    let (own, full) = layouts(call, derivative)?;
    let plan = plan(call, derivative)?;
    let window = call.region(&plan)?.pixels(plan.size)?;
    let image = call.image()?;
    let floats = Floats::new(image);
    let range = call.number("range") as f32;
    let threads = call.host().threads();
    let mut watch = Watched(call.watch());
    let wanted = window.map(|side| side as usize);
    let found = edit::derivative(
        &floats.part(),
        wanted,
        derivative,
        range,
        threads,
        &mut watch,
    );
    let (_, samples) = found.map_err(|error| failure(&error))?;
    if own == full {
        write(output, &samples, wanted[2], [0, 0, window[2], window[3]]);
        return Ok(());
    }
    // Append the picture's alpha to each pixel.
    let raster = floats.raster();
    let (colours, channels) = (own.channels(), full.channels());
    let mut row = vec![0.0; wanted[2] * channels];
    for (y, samples) in samples.chunks_exact(wanted[2] * colours).enumerate() {
        let above = wanted[1] + y - image.origin[1] as usize;
        let left = wanted[0] - image.origin[0] as usize;
        let pixels = row
            .chunks_exact_mut(channels)
            .zip(samples.chunks_exact(colours));
        for (x, (pixel, sample)) in pixels.enumerate() {
            let at = (above * raster.width + left + x + 1) * raster.channels - 1;
            pixel[..colours].copy_from_slice(sample);
            pixel[colours] = raster.samples[at];
        }
        output.write_row(y as u32, &row);
    }
    Ok(())
}
