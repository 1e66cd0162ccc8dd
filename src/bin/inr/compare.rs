//! `inr compare`.

use std::path::Path;

use anyhow::{Context, Result};
use inr::metrics::{self, Raster};
use inr::{
    Depth, FileFormat, InrPicture, Limits, Metadata, Method, Picture, PictureError, RenderOptions,
    read_picture, write_picture,
};
use serde_json::json;

use super::args::CompareArgs;
use super::failure::bad_arguments;
use super::output;

/// Longest file that is read.
const MOST_BYTES: u64 = 1 << 31;

/// Measures the second picture against the first.
pub fn run(args: &CompareArgs) -> Result<()> {
    if !args.gain.is_finite() {
        return Err(bad_arguments(
            format!("gain {}", args.gain),
            "give a finite number, such as 8",
        ));
    }
    let (reference, other) = alike(open(&args.reference)?, open(&args.other)?);
    let (a, b) = (reference.to_f32(), other.to_f32());
    let (a, b) = (raster(&reference, &a), raster(&other, &b));
    let report = metrics::compare(a, b)?;
    if let Some(output) = &args.output {
        for input in [&args.reference, &args.other] {
            output::check(input, output, args.force)?;
        }
        let format = FileFormat::from_path(output).unwrap_or(FileFormat::Png);
        let difference = metrics::difference(a, b, args.gain);
        let (width, height) = (reference.width(), reference.height());
        let picture = Picture::from_f32(
            width,
            height,
            reference.layout(),
            Depth::U8,
            &difference,
            Metadata::default(),
        );
        let written = write_picture(&picture.map_err(inr::Error::from)?, format, None)
            .map_err(inr::Error::from)?;
        output::write(output, &written.bytes, args.force)?;
    }
    let to_stdout = args.output.as_deref().is_some_and(output::is_stdio);
    if args.json && !to_stdout {
        println!(
            "{}",
            json!({
                "psnr": report.psnr, "ssim": report.ssim, "ssim_gaussian": report.ssim_gaussian,
                "ms_ssim": report.ms_ssim, "ssimulacra2": report.ssimulacra2,
                "identical": report.psnr == f64::INFINITY,
            })
        );
    } else if !to_stdout {
        let show = |value: Option<f64>| {
            value.map_or_else(
                || "- (picture too small)".into(),
                |value| format!("{value:.5}"),
            )
        };
        println!("PSNR          {:.3} dB", report.psnr);
        println!("SSIM          {}", show(report.ssim));
        println!("SSIM Gaussian {}", show(report.ssim_gaussian));
        println!("MS-SSIM       {}", show(report.ms_ssim));
        println!("SSIMULACRA2   {}", show(report.ssimulacra2));
    }
    Ok(())
}

/// A picture file, or the native render of an `.inr` file.
fn open(path: &Path) -> Result<Picture> {
    let failed = || format!("cannot read {}", output::display_name(path));
    let bytes = output::read(path, MOST_BYTES).with_context(failed)?;
    let limits = Limits::default();
    match read_picture(&bytes, &limits) {
        Err(PictureError::AlreadyInr) => {
            let options = RenderOptions {
                method: Method::Inr,
                ..RenderOptions::default()
            };
            let rendered = InrPicture::open(&bytes, &limits).and_then(|file| file.render(&options));
            Ok(rendered.with_context(failed)?.picture)
        }
        read => read.map_err(inr::Error::from).with_context(failed),
    }
}

/// Both with colour where one has it.
fn alike(a: Picture, b: Picture) -> (Picture, Picture) {
    if a.layout().colour_channels() == b.layout().colour_channels() {
        return (a, b);
    }
    (a.into_colour(), b.into_colour())
}

fn raster<'a>(picture: &Picture, samples: &'a [f32]) -> Raster<'a> {
    Raster {
        width: picture.width() as usize,
        height: picture.height() as usize,
        channels: picture.layout().channels(),
        samples,
    }
}
