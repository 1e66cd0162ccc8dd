//! Reading inputs; naming and writing outputs so that nothing is lost and nothing half-written is left.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::args::OutputArgs;
use super::failure::{bad_arguments, refused};

/// True for `-`, which stands for standard input or output.
pub fn is_stdio(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes of `path`, at most `limit`.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if is_stdio(path) {
        Box::new(io::stdin().lock())
    } else {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            anyhow::bail!("it is a folder, not a file");
        }
        Box::new(fs::File::open(path)?)
    };
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        anyhow::bail!("it is longer than {limit} bytes, the most that is read");
    }
    Ok(bytes)
}

/// What a file is called in messages.
pub fn display_name(path: &Path) -> String {
    if is_stdio(path) {
        "standard input".into()
    } else {
        path.display().to_string()
    }
}

/// Where the output for `input` goes. `default_name` names it when the user does not; without a file name of its own
/// standard input goes to standard output.
pub fn destination(
    input: &Path,
    several: bool,
    args: &OutputArgs,
    default_name: &str,
) -> Result<PathBuf> {
    if let Some(output) = &args.output {
        if several {
            let what = "one output file for several inputs".into();
            return Err(bad_arguments(
                what,
                "name a folder with --out-dir, or leave -o out",
            ));
        }
        return Ok(output.clone());
    }
    match (&args.out_dir, is_stdio(input)) {
        (None, true) => Ok(PathBuf::from("-")),
        (Some(folder), _) => Ok(folder.join(default_name)),
        (None, false) => Ok(input.with_file_name(default_name)),
    }
}

/// The name of `path` without folder and extension.
pub fn stem(path: &Path) -> String {
    if is_stdio(path) {
        return "stdin".into();
    }
    path.file_stem().map_or_else(
        || "picture".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Refuses an output that is the input itself, or that exists and may not be replaced. Called before the work, so that
/// nobody waits for minutes to hear it.
pub fn check(input: &Path, output: &Path, force: bool) -> Result<()> {
    if is_stdio(output) {
        return Ok(());
    }
    let same = !is_stdio(input)
        && matches!((fs::canonicalize(input), fs::canonicalize(output)), (Ok(a), Ok(b)) if a == b);
    if same {
        let what = format!("{} is the input itself", output.display());
        return Err(refused(what, "choose another name with -o"));
    }
    if output.is_dir() {
        let what = format!("{} is a folder", output.display());
        return Err(refused(
            what,
            "name a file with -o, or the folder with --out-dir",
        ));
    }
    if output.exists() && !force {
        let what = format!("{} exists already", output.display());
        return Err(refused(
            what,
            "overwrite it with --force, or choose another name with -o",
        ));
    }
    Ok(())
}

/// Writes `bytes` to `output` through a temporary sibling; a file that appeared meanwhile is kept unless `force`.
pub fn write(output: &Path, bytes: &[u8], force: bool) -> Result<()> {
    if is_stdio(output) {
        let mut stdout = io::stdout().lock();
        return match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            // Whoever read has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.context("cannot write to standard output"),
        };
    }
    let failed = || format!("cannot write {}", output.display());
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".inr-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    readable_like_any_file(file.as_file());
    file.as_file().sync_all().with_context(failed)?;
    let renamed = if force {
        file.persist(output)
    } else {
        file.persist_noclobber(output)
    };
    renamed
        .map(drop)
        .map_err(|failure| failure.error)
        .with_context(failed)
}

/// Temporary files are private to their owner; an output gets the permissions that a new file gets.
#[cfg(unix)]
fn readable_like_any_file(file: &fs::File) {
    use std::os::unix::fs::PermissionsExt;
    // Reading the mask would mean setting it; a file that the user may want to share is readable.
    let _ = file.set_permissions(fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
fn readable_like_any_file(_: &fs::File) {}
