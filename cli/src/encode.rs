//! `inr encode`.

use crate::input;
use crate::terminal::say;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use inr::encode::{Encoded, encode_from};
use inr::{EncodeOptions, FileFormat, Observer, Picture, PictureFile, Target, encode};
use serde_json::{Value, json};

use super::args::EncodeArgs;
use super::failure::{Outcome, bad_arguments, refused};
use super::memory::Memory;
use super::output::{self, Outputs};
use super::progress::{self, Reporter};

/// Encodes every input.
pub fn run(args: &EncodeArgs) -> Result<Outcome> {
    let outputs = Outputs::new(&args.output, &args.inputs, args.report.json)?;
    if let Some(output) = args.output.output.as_deref()
        && FileFormat::from_path(output).is_some()
    {
        let what = format!(
            "{} names a picture, and encode writes .inr files",
            output.display()
        );
        let help = "end the name in .inr; to write pictures use inr decode or inr upscale";
        return Err(bad_arguments(what, help));
    }
    let threads = args.threads.unwrap_or_else(inr::default_threads);
    let jobs = args.jobs(threads);
    let options = options(args)?.threads((threads / jobs).max(1));
    let memory = Memory::new(args.memory)?;
    super::each(&args.inputs, "encode", &args.report, jobs, |input| {
        one(input, args, &options, &outputs, &memory)
    })
}

fn one(
    input: &Path,
    args: &EncodeArgs,
    options: &EncodeOptions,
    outputs: &Outputs,
    memory: &Memory,
) -> Result<Outcome> {
    let started = Instant::now();
    let name = format!("{}.inr", output::stem(input));
    outputs.pass_over(input, &name)?;
    let (source, _share) = memory.admit(&args.source.options(), |options| {
        input::read_source(input, options)
    })?;
    let PictureFile {
        picture,
        notes,
        jpeg_step,
        ..
    } = source;
    let output = outputs.choose(input, &name)?;
    let checkpoint = checkpoint(args, &output)?;
    let mut reporter = Reporter::new(
        &input::display_name(input),
        args.report.quiet || args.report.json,
        args.keep,
    )
    .checkpoints(checkpoint.clone());
    notes.iter().for_each(|note| reporter.note(note));
    // Reading the picture is a part of the time that the user grants.
    let options = &options
        .clone()
        .jpeg_step(jpeg_step)
        .time_budget(args.time.map(|time| time.saturating_sub(started.elapsed())));
    let encoded = match checkpoint.as_deref().filter(|path| path.exists()) {
        None => {
            if let Some(path) = &checkpoint {
                reporter.note(&format!("no {} yet: starting anew", path.display()));
            }
            encode(&picture, options, &mut reporter).map_err(Into::into)
        }
        Some(path) => resumed(&picture, options, path, &mut reporter),
    };
    reporter.finish();
    let there = checkpoint.filter(|path| path.exists());
    let mut encoded = match encoded {
        Err(error) if there.is_some() && is_cancelled(&error) => {
            let help = "the same command resumes it";
            return Err(refused("interrupted".into(), help));
        }
        other => other?,
    };
    encoded.report.notes.splice(0..0, notes);
    outputs.write(&output, &encoded.bytes)?;
    outputs.stamp(input, &output)?;
    if let Some(path) = there
        && !progress::interrupted()
    {
        std::fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
    }
    report(input, &output, args, &encoded)?;
    Ok(match encoded.report.target_met {
        true => Outcome::Done,
        false => Outcome::MissedTarget,
    })
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(inr::Error::Cancelled))
}

/// The path of the checkpoint of `output`, if one is wanted.
fn checkpoint(args: &EncodeArgs, output: &Path) -> Result<Option<PathBuf>> {
    if !args.resume {
        return Ok(None);
    }
    if input::is_stdio(output) {
        let what = "--resume with standard output, beside which no checkpoint can lie".into();
        return Err(bad_arguments(what, "name an output file with -o"));
    }
    let mut name = output.as_os_str().to_owned();
    name.push(".checkpoint");
    Ok(Some(name.into()))
}

/// Resumes the checkpoint at `path`.
fn resumed(
    picture: &Picture,
    options: &EncodeOptions,
    path: &Path,
    reporter: &mut Reporter,
) -> Result<Encoded> {
    let name = path.display();
    let bytes = input::read(path, input::MOST_BYTES);
    let bytes = bytes.with_context(|| format!("cannot resume {name}"))?;
    reporter.note(&format!("resuming {name}"));
    encode_from(picture, options, &bytes, reporter).map_err(|error| match error {
        error @ inr::Error::Checkpoint(_) => {
            anyhow::Error::from(error).context(format!("cannot resume {name}"))
        }
        other => other.into(),
    })
}

fn options(args: &EncodeArgs) -> Result<EncodeOptions> {
    let options = EncodeOptions::default();
    let target = match (args.quality, args.bpp, args.bytes, args.psnr) {
        (Some(quality), ..) => Target::Quality(quality),
        (_, Some(bpp), ..) => Target::Bpp(bpp),
        (_, _, Some(bytes), _) => Target::Bytes(bytes),
        (.., Some(psnr)) => Target::Psnr(psnr),
        _ => options.target,
    };
    Ok(options
        .target(target)
        .model(args.model()?)
        .time_budget(args.time)
        .preview(args.preview))
}

fn report(input: &Path, output: &Path, args: &EncodeArgs, encoded: &Encoded) -> Result<()> {
    let (report, bytes) = (&encoded.report, encoded.bytes.len());
    if args.report.json {
        let object = as_json(input, output, encoded);
        return output::to_stdout(format!("{object}\n").as_bytes());
    }
    if args.report.quiet {
        return Ok(());
    }
    let (network, device) = match &report.network {
        None => (String::new(), "cpu"),
        Some(network) => {
            let shape: Vec<String> = network.hidden.iter().map(u32::to_string).collect();
            let (weights, shape) = (network.parameters, shape.join("-"));
            let text = format!(" {weights} weights ({shape}), {:.1} epochs", network.epochs);
            (text, network.device.as_str())
        }
    };
    let (bpp, psnr) = (report.bits_per_pixel, report.psnr);
    let missed = if report.target_met {
        ""
    } else {
        ", TARGET MISSED"
    };
    say(&format!(
        "{} -> {}: {bytes} bytes, {bpp:.3} bpp, {psnr:.2} dB,{network} in {:.1} s on {device}, {}{missed}",
        input::display_name(input),
        output::output_name(output),
        report.seconds,
        report.stopped,
    ));
    Ok(())
}

/// The report as JSON, where an infinite PSNR, of a picture that comes back exactly, is null.
fn as_json(input: &Path, output: &Path, encoded: &Encoded) -> Value {
    let report = &encoded.report;
    let network = report.network.as_ref().map(|network| {
        json!({
            "float_psnr": network.float_psnr, "parameters": network.parameters, "hidden": network.hidden,
            "omega0": network.omega_first, "epochs": network.epochs, "device": network.device,
        })
    });
    json!({
        "input": input::display_name(input), "output": output::output_name(output), "bytes": encoded.bytes.len(),
        "bits_per_pixel": report.bits_per_pixel, "psnr": report.psnr, "seconds": report.seconds,
        "stopped": report.stopped.to_string(), "target_met": report.target_met, "notes": report.notes,
        "network": network,
    })
}
