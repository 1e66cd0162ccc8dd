//! Other programs: found, and run to their end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Runs a program to its end; the time that it took. Arguments that are one of the names in `values` stand for the value.
pub fn run<S: AsRef<str>>(
    program: &Path,
    args: &[S],
    values: &[(&str, OsString)],
) -> Result<Duration> {
    let mut command = Command::new(program);
    for arg in args {
        let arg = arg.as_ref();
        match values.iter().find(|(name, _)| *name == arg) {
            Some((_, value)) => command.arg(value),
            None => command.arg(arg),
        };
    }
    let started = Instant::now();
    let ended = command.stdin(Stdio::null()).output();
    let taken = started.elapsed();
    let ended = ended.with_context(|| format!("cannot start {}", program.display()))?;
    if ended.status.success() {
        return Ok(taken);
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    anyhow::bail!(
        "{} failed ({}): {}",
        program.display(),
        ended.status,
        last.unwrap_or("it gave no reason")
    )
}

/// The file that a shell would start for `name`.
pub fn on_search_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    // A name with its folder replaces whatever it is joined to: that takes one entry, even if the path is empty.
    let folders: Vec<PathBuf> = std::env::split_paths(&folders)
        .chain([PathBuf::new()])
        .collect();
    let named = match name.contains(std::path::is_separator) {
        true => std::path::absolute(&name).ok(),
        false => None,
    };
    let files = folders.iter().map(|folder| folder.join(&name)).chain(named);
    let mut files = files.filter(|file| file.is_absolute());
    files.find(|file| file.is_file())
}
