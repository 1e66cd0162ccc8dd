//! `inr encode`.

use crate::input;
use crate::terminal::say;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use inr::{
    Architecture, EncodeOptions, EncodeReport, Encoded, Limits, Observer, Picture, Target, encode,
    encode_from, read_picture,
};
use serde_json::json;

use super::args::EncodeArgs;
use super::failure::{Outcome, bad_arguments, refused};
use super::output::{self, Outputs};
use super::progress::{self, Reporter};

/// Encodes every input.
pub fn run(args: &EncodeArgs) -> Result<Outcome> {
    let outputs = Outputs::new(&args.output, &args.inputs, args.report.json)?;
    let threads = args
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let jobs = args.jobs(threads);
    let options = EncodeOptions {
        threads: Some((threads / jobs).max(1)),
        ..options(args)
    };
    super::each(&args.inputs, "encode", args.report.json, jobs, |input| {
        one(input, args, &options, &outputs)
    })
}

fn one(input: &Path, args: &EncodeArgs, options: &EncodeOptions, outputs: &Outputs) -> Result<()> {
    let started = Instant::now();
    let picture = read_picture(&input::read(input, input::MOST_BYTES)?, &Limits::default())?;
    let output = outputs.choose(input, &format!("{}.inr", output::stem(input)))?;
    let checkpoint = checkpoint(args, &output)?;
    let mut reporter = Reporter::new(
        &input::display_name(input),
        args.report.quiet || args.report.json,
        args.keep,
    )
    .checkpoints(checkpoint.clone());
    // Reading the picture is a part of the time that the user grants.
    let options = &EncodeOptions {
        time_budget: args.time.map(|time| time.saturating_sub(started.elapsed())),
        ..options.clone()
    };
    let encoded = match checkpoint.as_deref().filter(|path| path.exists()) {
        None => {
            if let Some(path) = &checkpoint {
                reporter.note(&format!("no {} yet: from the start", path.display()));
            }
            encode(&picture, options, &mut reporter).map_err(Into::into)
        }
        Some(path) => resumed(&picture, options, path, &mut reporter),
    };
    reporter.finish();
    let there = checkpoint.filter(|path| path.exists());
    let encoded = match encoded {
        Err(error) if there.is_some() && is_cancelled(&error) => {
            let help = "the same command goes on where this one was";
            return Err(refused("interrupted".into(), help));
        }
        other => other?,
    };
    outputs.write(&output, &encoded.bytes)?;
    if let Some(path) = there
        && !progress::interrupted()
    {
        std::fs::remove_file(&path).with_context(|| format!("cannot delete {}", path.display()))?;
    }
    report(input, &output, args, &encoded)
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(inr::Error::Cancelled))
}

/// Where the checkpoint of `output` is, if one is to be kept.
fn checkpoint(args: &EncodeArgs, output: &Path) -> Result<Option<PathBuf>> {
    if !args.resume {
        return Ok(None);
    }
    if args.architecture() == Architecture::Pyramid {
        let note = "note:  --resume has nothing to go on from: a pyramid is encoded from the start";
        if !args.report.quiet {
            say(note);
        }
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

/// Goes on from the checkpoint at `path`.
fn resumed(
    picture: &Picture,
    options: &EncodeOptions,
    path: &Path,
    reporter: &mut Reporter,
) -> Result<Encoded> {
    let name = path.display();
    let bytes = input::read(path, input::MOST_BYTES);
    let bytes = bytes.with_context(|| format!("cannot go on from {name}"))?;
    reporter.note(&format!("going on from {name}"));
    encode_from(picture, options, &bytes, reporter).map_err(|error| match error {
        error @ inr::Error::Checkpoint(_) => {
            anyhow::Error::from(error).context(format!("cannot go on from {name}"))
        }
        other => other.into(),
    })
}

fn options(args: &EncodeArgs) -> EncodeOptions {
    let defaults = EncodeOptions::default();
    let target = match (args.quality, args.bpp, args.bytes, args.psnr) {
        (Some(quality), ..) => Target::Quality(quality),
        (_, Some(bpp), ..) => Target::Bpp(bpp),
        (_, _, Some(bytes), _) => Target::Bytes(bytes),
        (.., Some(psnr)) => Target::Psnr(psnr),
        _ => defaults.target,
    };
    EncodeOptions {
        target,
        architecture: args.architecture(),
        effort: args.effort,
        metric: args.metric,
        hidden: args.hidden.clone(),
        omega_first: args.omega0,
        omega_hidden: args.omega0_hidden,
        float: args.float,
        bits: args.bits,
        epochs: args.epochs,
        time_budget: args.time,
        learning_rate: args.learning_rate,
        optimizer: args.optimizer.into(),
        seed: args.seed,
        device: args.device,
        for_upscale: args.for_upscale,
        preview: args.preview,
        ..defaults
    }
}

fn report(input: &Path, output: &Path, args: &EncodeArgs, encoded: &Encoded) -> Result<()> {
    let EncodeReport {
        psnr,
        float_psnr,
        bits_per_pixel,
        parameters,
        hidden,
        omega_first,
        epochs,
        seconds,
        device,
        stopped,
        target_met,
        notes,
    } = &encoded.report;
    let bytes = encoded.bytes.len();
    if args.report.json {
        // An infinite PSNR, of a picture that comes back exactly, has no number in JSON.
        let object = json!({
            "input": input::display_name(input), "output": output::output_name(output), "bytes": bytes,
            "bits_per_pixel": bits_per_pixel, "psnr": psnr, "float_psnr": float_psnr, "parameters": parameters,
            "hidden": hidden, "omega0": omega_first, "epochs": epochs, "seconds": seconds, "device": device,
            "stopped": stopped.to_string(), "target_met": target_met, "notes": notes,
        });
        return output::to_stdout(format!("{object}\n").as_bytes());
    }
    if !args.report.quiet {
        let shape: Vec<String> = hidden.iter().map(u32::to_string).collect();
        // A pyramid has no layers to tell of.
        let network = if hidden.is_empty() {
            String::new()
        } else {
            format!(
                " {parameters} weights ({}), {epochs:.1} epochs",
                shape.join("-")
            )
        };
        say(&format!(
            "{} -> {}: {bytes} bytes, {bits_per_pixel:.3} bpp, {psnr:.2} dB,{network} in {seconds:.1} s on {device}, {stopped}",
            input::display_name(input),
            output::output_name(output),
        ));
    }
    Ok(())
}
