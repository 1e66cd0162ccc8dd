//! Denoising.

use inr::Metadata;
use inr::edit;
use inr_plugin_api::guest::Call;
use inr_plugin_api::{Failure, Filter, INR_LOG_INFO, Param, PixelsMut};

use super::entry::{Entry, GLOBAL, filter, same, write_region};
use crate::failure::{Watched, failure};
use crate::picture::picture;

pub(super) const DENOISE: Entry = Entry {
    describe,
    plan: same,
    run,
};

fn describe() -> Filter {
    let noise =
        "Standard deviation of the noise, in samples (0 to 1); 0: as estimated from the picture.";
    let strength = "What the noise is multiplied by: above 1 more of the detail goes with it.";
    filter(
        "denoise",
        "Denoise",
        "Takes white noise away: coefficients of small overlapping cosine transforms that noise alone could give are dropped.",
        GLOBAL,
        vec![
            Param::number("noise", "Noise", noise, [0.0, 1.0], [0.0, 0.2], 0.0),
            Param::number(
                "strength",
                "Strength",
                strength,
                [0.5, 2.0],
                [0.9, 1.2],
                1.0,
            ),
        ],
    )
}

fn run(call: &Call, output: &mut PixelsMut) -> Result<(), Failure> {
    let image = call.image()?;
    let given = picture(&image.pixels, Metadata::default())?;
    let measured = match call.number("noise") {
        0.0 => edit::noise(&given),
        noise => noise,
    };
    call.host()
        .log(INR_LOG_INFO, &format!("noise of {measured:.5}"));
    let deviation = (measured * call.number("strength")).min(1.0);
    let mut watched = Watched(call.watch());
    let threads = call.host().threads();
    let found = edit::denoise(&given, deviation, threads, &mut watched);
    let found = found.map_err(|error| failure(&error))?;
    write_region(call, output, &found.to_f32())
}
