//! `inr` on the command line: a thin client of the library.

mod args;
mod compare;
mod decode;
mod encode;
mod failure;
mod info;
mod output;
mod progress;
mod shell;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use args::{Cli, Command};
use failure::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Command::Encode(args) => encode::run(args),
        Command::Decode(args) => decode::run(args),
        Command::Info(args) => single(info::run(args)),
        Command::Compare(args) => single(compare::run(args)),
        Command::Completions(args) => single(shell::completions(args)),
        Command::Man(args) => single(shell::man(args)),
    };
    outcome.into()
}

fn single(result: Result<()>) -> Outcome {
    result.map_or_else(
        |error| {
            failure::print(&error);
            failure::outcome(&error)
        },
        |()| Outcome::Done,
    )
}

/// Runs `work` on every input; one that fails does not stop the rest.
fn each<P: AsRef<Path>>(
    inputs: &[P],
    verb: &str,
    mut work: impl FnMut(&Path) -> Result<()>,
) -> Outcome {
    let mut worst = Outcome::Done;
    for input in inputs {
        let input = input.as_ref();
        let result =
            work(input).with_context(|| format!("cannot {verb} {}", output::display_name(input)));
        worst = worst.max(single(result));
        if progress::interrupted() {
            return worst.max(Outcome::Failed);
        }
    }
    worst
}
