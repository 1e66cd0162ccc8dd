//! Errors as the user sees them, and the exit codes.

use std::borrow::Cow;
use std::fmt;
use std::process::ExitCode;

use inr::formats::FormatError;
use inr::{Error, PictureError};
use inr_formats::Family;

use crate::terminal::say;

/// How a run ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 4.
    MissedTarget,
    /// Exit code 3.
    UnusableInput,
    /// Exit code 2.
    BadArguments,
    /// Exit code 1.
    Failed,
}

/// A job without an outcome of its own.
impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::MissedTarget => 4,
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
    pub help: Cow<'static, str>,
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
pub fn bad_arguments(what: String, help: impl Into<Cow<'static, str>>) -> anyhow::Error {
    let help = help.into();
    let outcome = Outcome::BadArguments;
    Advice {
        what,
        help,
        outcome,
    }
    .into()
}

/// An error about the state of things.
pub fn refused(what: String, help: impl Into<Cow<'static, str>>) -> anyhow::Error {
    let help = help.into();
    let outcome = Outcome::Failed;
    Advice {
        what,
        help,
        outcome,
    }
    .into()
}

/// Prints `error` to standard error, in two lines where there is something to do about it.
pub fn print(error: &anyhow::Error, input: &str) {
    say(&format!("error: {}", message(error)));
    if let Some(help) = help(error, input) {
        say(&format!("help:  {help}"));
    }
}

/// What failed and why, outermost first.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let part = match cause.downcast_ref::<Error>() {
            // The rest of it is the help.
            Some(Error::Misuse { what, .. }) => what.clone(),
            _ => match cause.downcast_ref::<PictureError>() {
                Some(PictureError::Misuse { what, .. }) => what.clone(),
                _ => cause.to_string(),
            },
        };
        // Some errors show their source as well as naming it.
        if text.ends_with(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&part);
    }
    text
}

/// The exit code's meaning for `error`.
pub fn outcome(error: &anyhow::Error) -> Outcome {
    match (error.downcast_ref::<Advice>(), library(error)) {
        (Some(advice), _) => advice.outcome,
        (None, None) => match error.downcast_ref::<PictureError>() {
            Some(PictureError::Misuse { .. }) => Outcome::BadArguments,
            _ => Outcome::Failed,
        },
        (_, Some(Error::Misuse { .. })) => Outcome::BadArguments,
        (_, Some(Error::OverLimit { .. })) => Outcome::BadArguments,
        (_, Some(Error::Format(_))) => Outcome::UnusableInput,
        _ => Outcome::Failed,
    }
}

/// The library's error in `error`, if it is one.
fn library(error: &anyhow::Error) -> Option<&Error> {
    #[cfg(feature = "candle")]
    if let Some(inr_networks::Error::Field(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}

/// What to do about it; `input` is what the file is called.
pub fn help(error: &anyhow::Error, input: &str) -> Option<String> {
    if let Some(advice) = error.downcast_ref::<Advice>() {
        return Some(advice.help.clone().into_owned());
    }
    match error.downcast_ref::<PictureError>() {
        Some(PictureError::Misuse { want, .. }) => return Some((*want).into()),
        Some(PictureError::AlreadyInr) => {
            return Some(format!("`inr decode {input}` makes a picture of it"));
        }
        Some(PictureError::Corrupt { format: "JPEG", .. }) => {
            let help =
                "get an intact copy; encode and upscale read the intact part with --partial-source";
            return Some(help.into());
        }
        _ => {}
    }
    let help = match library(error)? {
        Error::Misuse { want, .. } => (*want).into(),
        Error::OverLimit { .. } => "ask for a smaller size or region".into(),
        Error::Format(cause) => format_help(cause, input),
        Error::Device { .. } => {
            "--device cpu always works, --device auto takes what there is".into()
        }
        Error::Cancelled => "nothing was written; inr encode --keep writes what is there".into(),
        Error::Checkpoint(_) => "delete the checkpoint to begin anew, or leave --resume out".into(),
        Error::Diverged { .. } => "try a lower --learning-rate or --omega0".into(),
        _ => return None,
    };
    Some(help)
}

fn format_help(error: &FormatError, input: &str) -> String {
    match (error, error.family()) {
        (FormatError::Signature { .. }, _) => "`inr encode` makes an .inr file of a picture".into(),
        (FormatError::Truncated { .. } | FormatError::MissingEnd { .. }, _) => {
            format!("the file is cut short; `inr info {input}` shows what is intact")
        }
        (_, Family::Limit) => "the file asks for more than this program grants any file".into(),
        (_, Family::Unsupported) => "a later version of inr may read it".into(),
        _ => format!("the file is damaged; `inr info {input}` shows what is intact"),
    }
}
