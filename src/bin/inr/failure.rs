//! Errors as the user sees them, and the exit codes.

use std::fmt;
use std::process::ExitCode;

use inr::{Error, FormatError, PictureError};

/// How a run ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 3.
    UnusableInput,
    /// Exit code 2.
    BadArguments,
    /// Exit code 1.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::BadArguments => 2,
            Outcome::UnusableInput => 3,
        })
    }
}

/// An error with advice, found by the program rather than the library.
#[derive(Debug)]
pub struct Advice {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: &'static str,
    /// How the run ends.
    pub outcome: Outcome,
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Advice {}

/// An error about arguments.
pub fn bad_arguments(what: String, help: &'static str) -> anyhow::Error {
    let outcome = Outcome::BadArguments;
    Advice {
        what,
        help,
        outcome,
    }
    .into()
}

/// An error about the state of things.
pub fn refused(what: String, help: &'static str) -> anyhow::Error {
    let outcome = Outcome::Failed;
    Advice {
        what,
        help,
        outcome,
    }
    .into()
}

/// Prints `error` to standard error, in two lines where there is something to do about it.
pub fn print(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
    if let Some(help) = help(error) {
        eprintln!("help:  {help}");
    }
}

/// The exit code's meaning for `error`.
pub fn outcome(error: &anyhow::Error) -> Outcome {
    match (
        error.downcast_ref::<Advice>(),
        error.downcast_ref::<Error>(),
    ) {
        (Some(advice), _) => advice.outcome,
        (_, Some(Error::Misuse { .. })) => Outcome::BadArguments,
        (_, Some(Error::Format(FormatError::OverLimit { what, .. })))
            if what.starts_with("the render") =>
        {
            Outcome::BadArguments
        }
        (_, Some(Error::Format(_))) => Outcome::UnusableInput,
        _ => Outcome::Failed,
    }
}

fn help(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(advice) = error.downcast_ref::<Advice>() {
        return Some(advice.help);
    }
    match error.downcast_ref::<Error>() {
        Some(Error::Format(FormatError::OverLimit { what, .. }))
            if what.starts_with("the render") =>
        {
            Some("ask for a smaller size or region")
        }
        Some(Error::Format(_)) => Some("`inr info FILE` shows what is intact"),
        Some(Error::Diverged { .. }) => Some("try a lower --learning-rate or --omega0"),
        Some(Error::Picture(PictureError::AlreadyInr)) => {
            Some("`inr decode FILE` makes a picture of it")
        }
        _ => None,
    }
}
