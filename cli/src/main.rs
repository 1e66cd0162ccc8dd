//! `inr` on the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    inr_cli::run()
}
