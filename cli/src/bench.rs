//! `inr bench`: how quick this machine is, and how good codec and enlargements.

mod engine;
mod rd;
mod source;
mod sr;

use anyhow::Result;

use crate::args::{BenchArgs, BenchCommand};
use crate::failure::Outcome;

/// Runs the benchmark asked for.
pub fn run(args: &BenchArgs) -> Result<Outcome> {
    match &args.command {
        BenchCommand::Engine(args) => engine::run(args),
        BenchCommand::Rd(args) => rd::run(args),
        BenchCommand::Sr(args) => sr::run(args),
    }
}
