//! `inr train-sr`: an SRResNet from a folder of pictures.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use inr::{Limits, Observer, Phase, Picture, Progress, read_picture};
use inr_networks::{SrScore, SrTrainer};
use serde_json::json;

use crate::args::TrainSrArgs;
use crate::failure::{Outcome, refused};
use crate::input;
use crate::lab::weights;
use crate::output::{self, write_over};
use crate::progress::{self, Reporter};
use crate::terminal::say;

/// Time between two checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
/// Trains, or goes on training, and writes the weights.
pub fn run(args: &TrainSrArgs) -> Result<Outcome> {
    let name = output::output_name(&args.output);
    if args.output.exists() && !args.force {
        return Err(refused(
            format!("{name} exists"),
            "give another name, or --force to replace it",
        ));
    }
    let tests = match &args.test {
        Some(folder) => pictures(folder)?,
        None => Vec::new(),
    };
    let vgg = match args.adversarial {
        0 => None,
        _ => weights::file(args.vgg_weights.as_deref(), weights::VGG_VARIABLE),
    };
    if args.adversarial > 0 && vgg.is_none() && !args.quiet {
        say("note:  no VGG19 weights are given, so the network is held to the pixels");
    }
    let mut trainer = SrTrainer::new(&args.folder, args.recipe(vgg))?;
    let mut path = OsString::from(&args.output);
    path.push(".checkpoint");
    let path = PathBuf::from(path);
    if path.exists() && !args.force {
        let bytes = std::fs::read(&path)?;
        trainer.resume(&bytes).map_err(|_| {
            refused(
                format!("{} is of a training with other options", path.display()),
                "give those again, or --force to begin anew",
            )
        })?;
    }
    let began = Instant::now();
    let mut reporter = Reporter::new(&name, args.quiet, false);
    let trained = train(&mut trainer, &path, began, &mut reporter);
    reporter.finish();
    trained?;
    write_over(&args.output, &trainer.weights())?;
    // What is left of an interrupted run is of no use now.
    let _ = std::fs::remove_file(&path);
    let seconds = began.elapsed().as_secs_f64();
    let scores = trainer.scores(&tests.iter().map(|test| test.1.clone()).collect::<Vec<_>>())?;
    report(args, &name, seconds, &tests, &scores)
}

fn train(
    trainer: &mut SrTrainer,
    path: &Path,
    began: Instant,
    reporter: &mut Reporter,
) -> Result<()> {
    let (mut kept, mut told) = (Instant::now(), Instant::now());
    let (first, steps) = (trainer.steps_done(), trainer.steps());
    let mut error = None;
    while trainer.steps_done() < steps {
        let found = trainer.step()?;
        let mean = error.get_or_insert(found.error);
        *mean += 0.02 * (found.error - *mean);
        let step = trainer.steps_done();
        if progress::interrupted() {
            write_over(path, &trainer.checkpoint())?;
            return Err(refused(
                format!("interrupted after {step} of {steps} steps"),
                "the same command resumes it",
            ));
        }
        if kept.elapsed() > CHECKPOINT_EVERY {
            kept = Instant::now();
            write_over(path, &trainer.checkpoint())?;
        }
        if told.elapsed() > Duration::from_millis(500) {
            told = Instant::now();
            let (done, left) = ((step - first) as f64, (steps - step) as f64);
            let mut progress = Progress::new(Phase::Train, step as f64 / steps as f64, began);
            progress.psnr = error.map(|error| -10.0 * error.log10());
            progress.remaining = Some(began.elapsed().mul_f64(left / done));
            let _ = reporter.progress(&progress);
        }
    }
    Ok(())
}

/// The pictures of a folder, by name.
fn pictures(folder: &Path) -> Result<Vec<(String, Picture)>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let bytes = input::read(&path, Limits::default().file_bytes)?;
        // Other files may lie beside the pictures.
        if let Ok(picture) = read_picture(&bytes, &Limits::default()) {
            found.push((output::stem(&path), picture));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if found.is_empty() {
        return Err(refused(
            format!("{} has no pictures", folder.display()),
            "give a folder with some to --test",
        ));
    }
    Ok(found)
}

fn report(
    args: &TrainSrArgs,
    name: &str,
    seconds: f64,
    tests: &[(String, Picture)],
    scores: &[SrScore],
) -> Result<Outcome> {
    let mean = |of: fn(&SrScore) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
    let rows = || tests.iter().map(|test| &test.0).zip(scores);
    if args.json {
        let tests = rows().map(|(name, score)| {
            json!({ "picture": name, "psnr_y": score.network, "bicubic_psnr_y": score.bicubic })
        });
        let tests: Vec<_> = tests.collect();
        let object = json!({ "output": name, "steps": args.steps + args.adversarial,
            "seconds": seconds, "tests": tests });
        output::to_stdout(format!("{object}\n").as_bytes())?;
    } else if !args.quiet {
        for (name, score) in rows() {
            let (network, bicubic) = (score.network, score.bicubic);
            say(&format!(
                "{name}: {network:.2} dB of luma, bicubic {bicubic:.2}"
            ));
        }
        if !scores.is_empty() {
            let (network, bicubic) = (mean(|score| score.network), mean(|score| score.bicubic));
            say(&format!(
                "mean: {network:.2} dB of luma, bicubic {bicubic:.2}"
            ));
        }
        say(&format!("wrote {name} after {seconds:.0} s"));
    }
    Ok(Outcome::Done)
}
