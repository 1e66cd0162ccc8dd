//! `inr` on the command line: a thin client of the library.

mod args;
mod bench;
mod compare;
mod decode;
mod encode;
mod failure;
mod info;
mod output;
mod progress;
mod shell;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;

use args::{Cli, Command};
use failure::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Encode(args) => encode::run(args),
        Command::Decode(args) => decode::run(args),
        Command::Info(args) => info::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    };
    let outcome = result.unwrap_or_else(|error| {
        failure::print(&error, "FILE");
        failure::outcome(&error)
    });
    outcome.into()
}

/// Runs `work` on every input; one that fails does not stop the rest, an interrupt does. With `json` failures are told
/// on standard output as well.
fn each(
    inputs: &[PathBuf],
    verb: &str,
    json: bool,
    mut work: impl FnMut(&Path) -> Result<()>,
) -> Result<Outcome> {
    let mut worst = Outcome::Done;
    for input in inputs {
        let name = output::display_name(input);
        let result = if progress::interrupted() {
            Err(anyhow::anyhow!("interrupted"))
        } else {
            work(input)
        };
        let Err(error) = result.with_context(|| format!("cannot {verb} {name}")) else {
            continue;
        };
        failure::print(&error, &name);
        worst = worst.max(failure::outcome(&error));
        if json {
            let message = failure::message(&error);
            let help = failure::help(&error, &name);
            let object = json!({ "input": name, "error": message, "help": help });
            output::to_stdout(format!("{object}\n").as_bytes())?;
        }
    }
    Ok(worst)
}
