//! `inr upscale`.

use crate::input;
use crate::terminal::say;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use inr::upscale::{UpscaleMethod, Upscaled};
use inr::{Depth, FileFormat, Observer, Picture, UpscaleOptions, Written, upscale, write_picture};
use serde_json::json;

use super::args::UpscaleArgs;
use super::failure::{Outcome, bad_arguments};
use super::output::{self, Outputs};
use super::progress::Reporter;
use super::values::MethodName;

/// Enlarges every input.
pub fn run(args: &UpscaleArgs) -> Result<Outcome> {
    if (args.method == MethodName::Srgan) != args.weights.is_some() {
        let what = "--method srgan and --weights go together".into();
        return Err(bad_arguments(what, "give both, or neither"));
    }
    let outputs = Outputs::new(&args.output, &args.inputs, args.report.json)?;
    let method = match args.method {
        MethodName::Own(method) => method,
        MethodName::Srgan => UpscaleMethod::default(),
    };
    let options = UpscaleOptions::default()
        .scale(args.scale)
        .method(method)
        .effort(args.effort)
        .degradation(args.degradation.degradation()?)
        .noise(args.noise.map(|steps| steps / 255.0))
        .tile(args.tile)
        .depth(args.depth.map(Into::into))
        .threads(args.threads);
    super::each(&args.inputs, "enlarge", &args.report, 1, |input| {
        one(input, args, &options, &outputs)
    })
}

fn one(
    input: &Path,
    args: &UpscaleArgs,
    options: &UpscaleOptions,
    outputs: &Outputs,
) -> Result<()> {
    let input::Source {
        picture,
        notes,
        compression,
    } = input::picture_with(input, &args.source.options())?;
    let options = options.clone().compression(compression);
    let usual = usual_format(options.depth.unwrap_or(picture.depth()));
    let named = args
        .output
        .output
        .as_deref()
        .and_then(FileFormat::from_path);
    let format = args.format.or(named).unwrap_or(usual);
    format.check(picture.layout(), options.depth.unwrap_or(picture.depth()))?;
    let size = [picture.width(), picture.height()];
    format.check_size(size.map(|side| (f64::from(side) * args.scale).round() as u32))?;
    let name = format!(
        "{}.x{}.{}",
        output::stem(input),
        args.scale,
        format.extension()
    );
    let output = outputs.choose(input, &name)?;
    let quiet = args.report.quiet || args.report.json;
    let mut reporter = Reporter::new(&input::display_name(input), quiet, false);
    notes.iter().for_each(|note| reporter.note(note));
    let started = Instant::now();
    let enlarged = match &args.weights {
        None => upscale(&picture, &options, &mut reporter)
            .map(Enlarged::from)
            .map_err(Into::into),
        Some(weights) => srgan(&picture, weights, args.scale, &mut reporter),
    };
    reporter.finish();
    let mut enlarged = enlarged?;
    drop(picture);
    if let Some(depth) = options.depth {
        enlarged.picture = enlarged.picture.with_depth(depth);
    }
    let seconds = started.elapsed().as_secs_f64();
    let written = write_picture(&enlarged.picture, format, None)?;
    outputs.write(&output, &written.bytes)?;
    outputs.stamp(input, &output)?;
    report(input, &output, args, &enlarged, &written, seconds)
}

/// A picture that was enlarged, and what is told of it.
struct Enlarged {
    picture: Picture,
    method: String,
    degradation: Option<String>,
    why: String,
}

impl From<Upscaled> for Enlarged {
    fn from(upscaled: Upscaled) -> Self {
        Self {
            method: upscaled.method.to_string(),
            degradation: upscaled.blur.map(|blur| blur.to_string()),
            why: upscaled.why,
            picture: upscaled.picture,
        }
    }
}

#[cfg(feature = "candle")]
fn srgan(
    picture: &Picture,
    weights: &Path,
    scale: f64,
    reporter: &mut Reporter,
) -> anyhow::Result<Enlarged> {
    let options = inr_networks::SrOptions {
        scale: Some(scale),
        ..inr_networks::SrOptions::default()
    };
    Ok(Enlarged {
        picture: inr_networks::enlarge_srgan(picture, weights, &options, reporter)?,
        method: "srgan".into(),
        degradation: None,
        why: format!("method srgan with {}", weights.display()),
    })
}

#[cfg(not(feature = "candle"))]
fn srgan(_: &Picture, _: &Path, _: f64, _: &mut Reporter) -> anyhow::Result<Enlarged> {
    Err(bad_arguments(
        "this program has no srgan".into(),
        "build it with --features candle",
    ))
}

/// The format when nobody names one.
fn usual_format(depth: Depth) -> FileFormat {
    match depth {
        Depth::F32 => FileFormat::Tiff,
        Depth::U8 | Depth::U16 => FileFormat::Png,
    }
}

fn report(
    input: &Path,
    output: &Path,
    args: &UpscaleArgs,
    enlarged: &Enlarged,
    written: &Written,
    seconds: f64,
) -> Result<()> {
    let (from, to) = (input::display_name(input), output::output_name(output));
    let (width, height) = (enlarged.picture.width(), enlarged.picture.height());
    let (method, why) = (&enlarged.method, &enlarged.why);
    let degradation = &enlarged.degradation;
    if args.report.json {
        let object = json!({
            "input": from, "output": to, "width": width, "height": height, "method": method,
            "degradation": degradation, "why": why, "seconds": seconds, "dropped": written.dropped, "notes": written.notes,
        });
        return output::to_stdout(format!("{object}\n").as_bytes());
    }
    if !args.report.quiet {
        say(&format!(
            "{from} -> {to}: {width} x {height} in {seconds:.1} s; {why}"
        ));
        output::say_losses(&written.dropped, &written.notes);
    }
    Ok(())
}
