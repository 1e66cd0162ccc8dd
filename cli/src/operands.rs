//! Operands of the commands that work on several files: folders, and an output among them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use inr::FileFormat;

use crate::args::{Command, OutputArgs};
use crate::failure::bad_arguments;
use crate::input::is_stdio;

/// What a command reads and writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Pictures to .inr files.
    Encode,
    /// .inr files to pictures.
    Decode,
    /// Pictures to pictures.
    Upscale,
}

/// Extensions of picture files that are read and never written.
const READ_ONLY: [&str; 4] = ["ff", "gif", "hdr", "jxl"];

fn has_extension(path: &Path, wanted: &str) -> bool {
    let extension = path.extension();
    extension.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

fn is_inr(path: &Path) -> bool {
    has_extension(path, "inr")
}

fn is_picture(path: &Path) -> bool {
    FileFormat::from_path(path).is_some() || READ_ONLY.iter().any(|name| has_extension(path, name))
}

impl Kind {
    /// Whether the second of two operands is the output.
    fn is_output(self, path: &Path) -> bool {
        match self {
            _ if is_stdio(path) => true,
            Self::Encode => is_inr(path),
            Self::Decode => FileFormat::from_path(path).is_some(),
            Self::Upscale => FileFormat::from_path(path).is_some() && !path.exists(),
        }
    }

    /// Whether a file of a folder is an input.
    fn is_input(self, path: &Path) -> bool {
        match self {
            Self::Encode => is_picture(path),
            Self::Decode => is_inr(path),
            Self::Upscale => is_picture(path) || is_inr(path),
        }
    }
}

/// Puts the files of folders in the place of the folders, and the output among the operands in its own.
///
/// # Errors
/// For folders without an input and those that cannot be read.
pub fn resolve(command: &mut Command) -> Result<()> {
    match command {
        Command::Encode(args) => resolved(&mut args.inputs, &mut args.output, Kind::Encode),
        Command::Decode(args) => resolved(&mut args.inputs, &mut args.output, Kind::Decode),
        Command::Upscale(args) => resolved(&mut args.inputs, &mut args.output, Kind::Upscale),
        _ => Ok(()),
    }
}

fn resolved(inputs: &mut Vec<PathBuf>, output: &mut OutputArgs, kind: Kind) -> Result<()> {
    let named = output.output.is_some() || output.out_dir.is_some();
    if let [_, last] = &inputs[..]
        && !named
        && kind.is_output(last)
    {
        output.output = inputs.pop();
    }
    if !output.recursive {
        return Ok(());
    }
    let mut files = Vec::new();
    for input in inputs.drain(..) {
        if is_stdio(&input) || !input.is_dir() {
            files.push(input);
            continue;
        }
        let before = files.len();
        walk(&input, kind, &mut files)?;
        if files.len() == before {
            let what = format!("the folder {} has no file to work on", input.display());
            return Err(bad_arguments(what, "name another folder, or files"));
        }
        for file in &files[before..] {
            let folder = file
                .parent()
                .and_then(|folder| folder.strip_prefix(&input).ok());
            if let Some(folder) = folder {
                output.below.insert(file.clone(), folder.to_path_buf());
            }
        }
    }
    *inputs = files;
    Ok(())
}

/// Adds the inputs in and below `folder`, in the order of their names. Links to folders are not followed.
fn walk(folder: &Path, kind: Kind, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = || format!("cannot read the folder {}", folder.display());
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let file_type = entry.file_type().with_context(failed)?;
        if file_type.is_dir() {
            walk(&path, kind, files)?;
        } else if kind.is_input(&path) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
