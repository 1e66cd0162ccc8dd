//! The program `inr`: a thin client of the library. Only the program and its fuzz targets use this crate; it promises no
//! stable interface.
#![allow(missing_docs)]

pub mod args;
mod bench;
mod compare;
mod csv;
mod decode;
mod encode;
mod failure;
mod filter;
mod grid;
mod guard;
mod info;
mod input;
pub mod lab;
mod markup;
mod memory;
mod operands;
mod output;
mod program;
mod progress;
mod shell;
mod table;
mod terminal;
#[cfg(feature = "candle")]
mod train_sr;
mod upscale;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;

use args::{Cli, Command, ReportArgs};
use failure::Outcome;
use output::Skipped;
use progress::{OnInterrupt, catch_interrupts};

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let mut cli = Cli::parse();
    catch_interrupts(on_interrupt(&cli.command));
    guard::keep_panics_quiet();
    let resolved = guard::guarded(|| operands::resolve(&mut cli.command));
    let result = resolved.and_then(|()| guard::guarded(|| run_command(&cli.command)));
    let outcome = result.unwrap_or_else(|error| {
        failure::print(&error, "FILE");
        failure::outcome(&error)
    });
    outcome.into()
}

fn run_command(command: &Command) -> Result<Outcome> {
    match command {
        Command::Encode(args) => encode::run(args),
        Command::Decode(args) => decode::run(args),
        Command::Upscale(args) => upscale::run(args),
        Command::Info(args) => info::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Filter(args) => filter::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Lab(args) => lab::run(args),
        #[cfg(feature = "candle")]
        Command::TrainSr(args) => train_sr::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}

/// Commands that store their state when they are interrupted; the others have none.
fn on_interrupt(command: &Command) -> OnInterrupt {
    match command {
        Command::Encode(args) if args.keep || args.resume => OnInterrupt::Store,
        Command::Lab(_) => OnInterrupt::Store,
        #[cfg(feature = "candle")]
        Command::TrainSr(_) => OnInterrupt::Store,
        _ => OnInterrupt::End,
    }
}

/// Runs `work` on every input, `jobs` of them at a time; one that fails does not stop the rest, an interrupt does. With
/// `--json` failures are told on standard output as well.
fn each<T: Into<Outcome>>(
    inputs: &[PathBuf],
    verb: &str,
    report: &ReportArgs,
    jobs: usize,
    work: impl Fn(&Path) -> Result<T> + Sync,
) -> Result<Outcome> {
    let one = |input: &PathBuf| -> Result<Outcome> {
        let name = input::display_name(input);
        let result = if progress::interrupted() {
            Err(anyhow::anyhow!("interrupted"))
        } else {
            guard::guarded(|| work(input))
        };
        let result = match result {
            Err(error) => match error.downcast::<Skipped>() {
                Ok(skipped) => {
                    skipped.report(&name, report)?;
                    return Ok(Outcome::Done);
                }
                Err(error) => Err(error),
            },
            done => done,
        };
        let error = match result.with_context(|| format!("cannot {verb} {name}")) {
            Ok(done) => return Ok(done.into()),
            Err(error) => error,
        };
        failure::print(&error, &name);
        if report.json {
            let message = failure::message(&error);
            let help = failure::help(&error, &name);
            let object = json!({ "input": name, "error": message, "help": help });
            output::to_stdout(format!("{object}\n").as_bytes())?;
        }
        Ok(failure::outcome(&error))
    };
    let waiting = Mutex::new(inputs.iter());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let worker = || -> Result<Outcome> {
        let mut worst = Outcome::Done;
        while let Some(input) = next() {
            worst = worst.max(one(input)?);
        }
        Ok(worst)
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..jobs).map(|_| scope.spawn(worker)).collect();
        let mut worst = worker();
        for other in others {
            let ended = other
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            worst = Ok(worst?.max(ended?));
        }
        worst
    })
}
