//! `inr bench sr`: enlargements of reduced pictures, by our methods and by others, compared with the pictures.

mod figures;
mod method;
mod report;

use std::path::Path;

use anyhow::{Context, Result};
use inr::Raster;
use inr::upscale::{Compression, Degradation};
use inr::{
    Depth, FileFormat, Layout, Metadata, Picture, ReadOptions, read_picture_with, write_picture,
};

use self::figures::{Figures, Measured};
use self::method::Method;
use self::report::Crops;
use super::source::{self, Source};
use crate::args::SrArgs;
use crate::failure::{Outcome, bad_arguments, refused};
use crate::output::{self, to_stdout};
use crate::progress;
use crate::terminal::say;

/// Measures everything, writes the results and prints the means.
pub fn run(args: &SrArgs) -> Result<Outcome> {
    let degradation = args.degradation.degradation()?.ok_or_else(|| {
        let help = "name one with --degradation, and keep it from the methods with --blind";
        bad_arguments("a benchmark needs a degradation by name".into(), help)
    })?;
    let degradation = Degradation {
        noise: args.noise / 255.0,
        ..degradation
    };
    let methods = Method::all(args, &degradation)?;
    let pictures = source::pictures(&args.data)?;
    let mut measured = Vec::new();
    let mut sheets = Vec::new();
    for &scale in &args.scales {
        let mut crops = Crops::new(scale, &methods);
        for path in &pictures {
            let found = one(path, scale, args, &degradation, &methods, &mut crops);
            measured.extend(found.with_context(|| format!("cannot measure {}", path.display()))?);
        }
        sheets.push(crops);
    }
    report::write(&args.out, args, &measured, &sheets)?;
    to_stdout(figures::means(&measured).markdown().as_bytes())?;
    say(&format!(
        "{} shows it all",
        args.out.join("report.html").display()
    ));
    Ok(Outcome::Done)
}

/// One picture at one scale with every method.
fn one(
    path: &Path,
    scale: u32,
    args: &SrArgs,
    degradation: &Degradation,
    methods: &[Method],
    crops: &mut Crops,
) -> Result<Vec<Measured>> {
    let side = args.crop.unwrap_or(source::side(args.quick));
    let source = Source::open(path, side)?;
    let large = source.cut_to_multiple(scale)?;
    let samples = large.to_f32();
    let (small, compression) = reduced(
        &large,
        &samples,
        scale,
        source.fingerprint(),
        (degradation, args.jpeg),
    )?;
    let name = output::stem(path);
    let mut found = Vec::new();
    let mut shown = vec![samples.clone()];
    for method in methods {
        if progress::interrupted() {
            return Err(refused(
                "interrupted".into(),
                "start it again, or leave pictures out",
            ));
        }
        let (enlarged, seconds) = method
            .enlarge(&small, compression, scale, source.folder())
            .with_context(|| format!("{} at scale {scale}", method.name()))?;
        let enlarged = enlarged.into_colour().with_depth(Depth::U8);
        let sizes = [&enlarged, &large].map(|picture| [picture.width(), picture.height()]);
        anyhow::ensure!(
            sizes[0] == sizes[1] && enlarged.layout() == Layout::Rgb,
            "{} gave {:?} pixels, {:?} were wanted, without alpha",
            method.name(),
            sizes[0],
            sizes[1]
        );
        let other = enlarged.to_f32();
        let figures = Figures::measure(
            raster(&large, &samples),
            raster(&enlarged, &other),
            scale as usize,
            seconds / (large.pixels() as f64 / 1e6),
        )?;
        say(&format!(
            "{name} x{scale}: {}, {:.2} dB",
            method.name(),
            figures.psnr_y
        ));
        found.push(Measured {
            picture: name.clone(),
            scale,
            method: method.name().to_owned(),
            figures,
        });
        shown.push(other);
    }
    crops.add(&name, [large.width(), large.height()], &shown);
    Ok(found)
}

/// `large` reduced as asked, and how that was compressed. The order of pictures does not change the noise of any, which comes
/// from `seed`.
fn reduced(
    large: &Picture,
    samples: &[f32],
    scale: u32,
    seed: u64,
    (degradation, jpeg): (&Degradation, Option<u8>),
) -> Result<(Picture, Compression)> {
    let (width, height) = (large.width() / scale, large.height() / scale);
    let large = raster(large, samples);
    let small = degradation.reduce(large, width as usize, height as usize, seed)?;
    let metadata = Metadata::default();
    let small = Picture::from_f32(width, height, Layout::Rgb, Depth::U8, &small, metadata);
    compressed(small?, jpeg)
}

/// `small` as a JPEG of this quality gives it back.
fn compressed(small: Picture, quality: Option<u8>) -> Result<(Picture, Compression)> {
    let Some(quality) = quality else {
        return Ok((small, Compression::None));
    };
    let written = write_picture(&small, FileFormat::Jpeg, Some(quality))?;
    let read = read_picture_with(&written.bytes, &ReadOptions::default())?;
    let step = read.jpeg_step.map_or(Compression::None, Compression::Jpeg);
    Ok((read.picture, step))
}

fn raster<'a>(picture: &Picture, samples: &'a [f32]) -> Raster<'a> {
    Raster {
        width: picture.width() as usize,
        height: picture.height() as usize,
        channels: picture.layout().channels(),
        samples,
    }
}
