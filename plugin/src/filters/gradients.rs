//! Filters that edit gradients and reintegrate them.

use inr::edit::{self, Light};
use inr_plugin_api::guest::Call;
use inr_plugin_api::{Failure, Filter, Param, PixelsMut};

use super::entry::{Entry, GLOBAL, filter, same, write_region};
use crate::failure::{Watched, failure};
use crate::picture::Floats;

pub(super) const SHARPEN: Entry = Entry {
    describe: describe_sharpen,
    plan: same,
    run: |call, output| screened(call, output, 1.0 + call.number("amount")),
};

pub(super) const SMOOTH: Entry = Entry {
    describe: describe_smooth,
    plan: same,
    run: |call, output| screened(call, output, 1.0 - call.number("amount")),
};

pub(super) const EDGE_BOOST: Entry = Entry {
    describe: describe_edge_boost,
    plan: same,
    run: edge_boost,
};

pub(super) const FLATTEN_LIGHT: Entry = Entry {
    describe: describe_flatten_light,
    plan: same,
    run: flatten_light,
};

fn radius(default: f64, display: f64) -> Param {
    let hint = "Pixels over which values are held: what is larger stays as it is.";
    Param::number(
        "radius",
        "Radius",
        hint,
        [0.1, 1e5],
        [0.5, display],
        default,
    )
}

fn describe_sharpen() -> Filter {
    let hint = "How much steeper gradients become: 1 doubles them.";
    filter(
        "sharpen",
        "Sharpen",
        "Makes gradients steeper and integrates them again (screened Poisson equation).",
        GLOBAL,
        vec![
            Param::number("amount", "Amount", hint, [0.0, 100.0], [0.0, 4.0], 1.0),
            radius(2.0, 50.0),
        ],
    )
}

fn describe_smooth() -> Filter {
    let hint = "How much of the gradients goes: 1 leaves none.";
    filter(
        "smooth",
        "Smooth",
        "Makes gradients fainter and integrates them again (screened Poisson equation).",
        GLOBAL,
        vec![
            Param::number("amount", "Amount", hint, [0.0, 1.0], [0.0, 1.0], 1.0),
            radius(2.0, 50.0),
        ],
    )
}

fn screened(call: &Call, output: &mut PixelsMut, gain: f64) -> Result<(), Failure> {
    let floats = Floats::new(call.image()?);
    let radius = call.number("radius") as f32;
    let mut watch = Watched(call.watch());
    let threads = call.host().threads();
    let edited = edit::screened(floats.raster(), radius, gain as f32, threads, &mut watch);
    write_region(call, output, &edited.map_err(|error| failure(&error))?)
}

const THRESHOLD: &str = "In samples (0 to 1) per pixel: ";

fn describe_edge_boost() -> Filter {
    let hint = "How much steeper strong edges become: 1 doubles them.";
    let threshold =
        format!("{THRESHOLD}gradients of this size are boosted by half, fainter ones hardly.");
    filter(
        "edge-boost",
        "Edge boost",
        "Makes strong edges steeper and leaves faint texture and noise alone.",
        GLOBAL,
        vec![
            Param::number("amount", "Amount", hint, [0.0, 100.0], [0.0, 4.0], 1.0),
            Param::number(
                "threshold",
                "Threshold",
                &threshold,
                [1e-6, 1.0],
                [0.001, 0.3],
                0.05,
            ),
            radius(10.0, 100.0),
        ],
    )
}

fn edge_boost(call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
    let floats = Floats::new(call.image()?);
    let [amount, threshold, radius] =
        ["amount", "threshold", "radius"].map(|key| call.number(key) as f32);
    let mut watch = Watched(call.watch());
    let threads = call.host().threads();
    let edited = edit::boost_edges(
        floats.raster(),
        amount,
        threshold,
        radius,
        threads,
        &mut watch,
    );
    write_region(call, output, &edited.map_err(|error| failure(&error))?)
}

fn describe_flatten_light() -> Filter {
    let amount = "How much of the uneven light goes.";
    let threshold = format!("{THRESHOLD}fainter gradients count as light's; 0 keeps all of them.");
    let detail = "What the remaining gradients are multiplied by.";
    let radius = "Pixels: light changes over more than this, detail over fewer.";
    filter(
        "flatten-light",
        "Flatten light",
        "Evens out light and shadow: slow changes and the faintest gradients go, the rest is integrated again.",
        GLOBAL,
        vec![
            Param::number("amount", "Amount", amount, [0.0, 1.0], [0.0, 1.0], 0.8),
            Param::number("radius", "Radius", radius, [0.1, 1e5], [5.0, 500.0], 60.0),
            Param::number(
                "threshold",
                "Threshold",
                &threshold,
                [0.0, 1.0],
                [0.0, 0.05],
                0.0,
            ),
            Param::number("detail", "Detail", detail, [0.0, 100.0], [0.5, 2.0], 1.0),
        ],
    )
}

fn flatten_light(call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
    let floats = Floats::new(call.image()?);
    let number = |key| call.number(key) as f32;
    let light = Light {
        amount: number("amount"),
        radius: number("radius"),
        threshold: number("threshold"),
        detail: number("detail"),
    };
    let mut watch = Watched(call.watch());
    let threads = call.host().threads();
    let edited = edit::flatten_light(floats.raster(), light, threads, &mut watch);
    write_region(call, output, &edited.map_err(|error| failure(&error))?)
}
