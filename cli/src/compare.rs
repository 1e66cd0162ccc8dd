//! `inr compare`.

use std::path::Path;

use anyhow::{Context, Result};
use inr::Raster;
use inr::metrics::{self, Report};
use inr::{Depth, FileFormat, Layout, Metadata, Picture, write_picture};
use serde_json::json;

use super::args::{CompareArgs, OutputArgs};
use super::failure::{Outcome, bad_arguments};
use super::output::{self, Outputs};
use crate::input;

/// Measures the second picture against the first.
pub fn run(args: &CompareArgs) -> Result<Outcome> {
    let inputs = [args.reference.clone(), args.other.clone()];
    let target = OutputArgs {
        force: args.force,
        ..OutputArgs::default()
    };
    let outputs = Outputs::new(&target, &inputs, false)?;
    let format = args.output.as_deref().map(difference_format).transpose()?;
    if let Some(output) = &args.output {
        outputs.check(output)?;
    }
    let (reference, other) = alike(open(&args.reference)?, open(&args.other)?)?;
    let (a, b) = (reference.to_f32(), other.to_f32());
    let (a, b) = (raster(&reference, &a), raster(&other, &b));
    let report = metrics::compare(a, b).with_context(|| {
        let [a, b] = inputs.each_ref().map(|input| input::display_name(input));
        format!("cannot compare {a} with {b}")
    })?;
    if let (Some(output), Some(format)) = (&args.output, format) {
        let samples = metrics::difference(a, b, args.gain);
        outputs.write(output, &difference(&reference, &samples, format)?)?;
    }
    output::to_stdout(text(&report, args.json).as_bytes())?;
    Ok(Outcome::Done)
}

fn difference_format(output: &Path) -> Result<FileFormat> {
    if input::is_stdio(output) {
        let what = "standard output has the figures, not the difference picture".into();
        return Err(bad_arguments(what, "name a file with -o"));
    }
    FileFormat::from_path(output).ok_or_else(|| {
        let what = format!(
            "{} has no extension of a known picture format",
            output.display()
        );
        bad_arguments(what, "use .png, .jpg, .webp, .tiff, .bmp, .qoi or .pnm")
    })
}

/// A picture file of 8 bits that holds `samples` in the shape of `reference`.
fn difference(reference: &Picture, samples: &[f32], format: FileFormat) -> Result<Vec<u8>> {
    let picture = Picture::from_f32(
        reference.width(),
        reference.height(),
        reference.layout(),
        Depth::U8,
        samples,
        Metadata::default(),
    );
    let written = picture.and_then(|picture| write_picture(&picture, format, None));
    Ok(written?.bytes)
}

fn text(report: &Report, as_json: bool) -> String {
    if as_json {
        // JSON has no infinity, the PSNR of equal pictures.
        let object = json!({
            "psnr": report.psnr, "ssim": report.ssim, "ssim_gaussian": report.ssim_gaussian,
            "ms_ssim": report.ms_ssim, "ssimulacra2": report.ssimulacra2,
            "shift": report.shift, "identical": report.psnr == f64::INFINITY,
        });
        return format!("{object}\n");
    }
    let show = |value: Option<f64>| {
        value.map_or_else(
            || "- (picture too small)".into(),
            |value| format!("{value:.5}"),
        )
    };
    let shift = report.shift.map_or_else(
        || "- (picture too small or too flat)".into(),
        |(x, y)| format!("{x:+.3}, {y:+.3} pixels"),
    );
    let lines = [
        format!("PSNR          {:.3} dB", report.psnr),
        format!("SSIM          {}", show(report.ssim)),
        format!("SSIM Gaussian {}", show(report.ssim_gaussian)),
        format!("MS-SSIM       {}", show(report.ms_ssim)),
        format!("SSIMULACRA2   {}", show(report.ssimulacra2)),
        format!("Shift         {shift}"),
    ];
    lines.join("\n") + "\n"
}

fn open(path: &Path) -> Result<Picture> {
    input::picture(path).with_context(|| format!("cannot read {}", input::display_name(path)))
}

/// Both with the channels that either has: grey becomes red, green and blue, and no alpha becomes opaque.
fn alike(a: Picture, b: Picture) -> Result<(Picture, Picture)> {
    let (a, b) = if a.layout().colour_channels() == b.layout().colour_channels() {
        (a, b)
    } else {
        (a.into_colour(), b.into_colour())
    };
    if a.layout().has_alpha() == b.layout().has_alpha() {
        return Ok((a, b));
    }
    Ok((with_alpha(a)?, with_alpha(b)?))
}

fn with_alpha(picture: Picture) -> Result<Picture> {
    let layout = match picture.layout() {
        Layout::Grey => Layout::GreyAlpha,
        Layout::Rgb => Layout::Rgba,
        Layout::GreyAlpha | Layout::Rgba => return Ok(picture),
    };
    let samples = picture.to_f32();
    let pixels = samples.chunks_exact(picture.layout().channels());
    let opaque: Vec<f32> = pixels
        .flat_map(|pixel| pixel.iter().copied().chain([1.0]))
        .collect();
    let picture = Picture::from_f32(
        picture.width(),
        picture.height(),
        layout,
        picture.depth(),
        &opaque,
        Metadata::default(),
    );
    Ok(picture?)
}

fn raster<'a>(picture: &Picture, samples: &'a [f32]) -> Raster<'a> {
    Raster {
        width: picture.width() as usize,
        height: picture.height() as usize,
        channels: picture.layout().channels(),
        samples,
    }
}
