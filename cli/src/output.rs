//! Naming and writing outputs so that nothing is lost and nothing half-written is left.

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use serde_json::json;

use super::args::{OutputArgs, ReportArgs};
use super::failure::{bad_arguments, refused};
use super::input::is_stdio;
use super::terminal::say;

/// Where the outputs of one run go.
pub struct Outputs<'a> {
    args: &'a OutputArgs,
    inputs: &'a [PathBuf],
    taken: Mutex<Vec<PathBuf>>,
}

impl<'a> Outputs<'a> {
    /// Checks what can be told before any work. `json` says that standard output is spoken for.
    pub fn new(args: &'a OutputArgs, inputs: &'a [PathBuf], json: bool) -> Result<Self> {
        let streams = inputs.iter().filter(|input| is_stdio(input)).count();
        if streams > 1 {
            let what = "standard input (-) is named more than once".into();
            return Err(bad_arguments(what, "name it once, and the others as files"));
        }
        if args.output.is_some() && inputs.len() > 1 {
            let what = format!("one output file for {} inputs", inputs.len());
            let help = "name a folder with --out-dir, or leave -o out";
            return Err(bad_arguments(what, help));
        }
        let to_stdout = match &args.output {
            Some(output) => is_stdio(output),
            None => streams > 0 && args.out_dir.is_none(),
        };
        if json && to_stdout {
            let what = "standard output cannot take the file and --json at once".into();
            return Err(bad_arguments(what, "name an output file with -o"));
        }
        Ok(Self {
            args,
            inputs,
            taken: Mutex::default(),
        })
    }

    /// The output for `input`, checked before the work, so that nobody waits for minutes to hear that it exists.
    /// `default_name` names it when the user does not; the input and, without `--force`, any other file is left alone.
    pub fn choose(&self, input: &Path, default_name: &str) -> Result<PathBuf> {
        let output = self.place(input, default_name);
        if is_stdio(&output) {
            if io::stdout().is_terminal() {
                let what = "the output is not text, and standard output is a terminal".into();
                return Err(bad_arguments(what, "name a file with -o, or redirect it"));
            }
            return Ok(output);
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.contains(&output) {
            let what = format!(
                "{} is the output of another input of this run",
                output.display()
            );
            let help = "give inputs of the same name output folders of their own";
            return Err(refused(what, help));
        }
        if self.args.skip_existing && output.is_file() {
            return Err(Skipped { output }.into());
        }
        self.check(&output)?;
        taken.push(output.clone());
        Ok(output)
    }

    /// Where the output of `input` goes.
    fn place(&self, input: &Path, default_name: &str) -> PathBuf {
        match (&self.args.output, &self.args.out_dir) {
            (Some(output), _) => output.clone(),
            (None, Some(folder)) => {
                let below = self.args.below.get(input).cloned().unwrap_or_default();
                folder.join(below).join(default_name)
            }
            (None, None) if is_stdio(input) => PathBuf::from("-"),
            (None, None) => input.with_file_name(default_name),
        }
    }

    /// Ends the work on `input` with [`Skipped`] before it is read, where that is wanted and its output exists.
    pub fn pass_over(&self, input: &Path, default_name: &str) -> Result<()> {
        let output = self.place(input, default_name);
        match self.args.skip_existing && output.is_file() {
            true => Err(Skipped { output }.into()),
            false => Ok(()),
        }
    }

    /// Gives `output` the time stamps of `input` if they are wanted.
    pub fn stamp(&self, input: &Path, output: &Path) -> Result<()> {
        if !self.args.keep_times || is_stdio(input) || is_stdio(output) || is_special(output) {
            return Ok(());
        }
        let stamped = fs::metadata(input).and_then(|data| {
            let times = fs::FileTimes::new()
                .set_modified(data.modified()?)
                .set_accessed(data.accessed()?);
            let file = fs::OpenOptions::new().write(true).open(output)?;
            file.set_times(times)
        });
        stamped.with_context(|| format!("cannot set the time stamps of {}", output.display()))
    }

    /// Refuses inputs, folders and, without `--force`, files that exist.
    pub fn check(&self, output: &Path) -> Result<()> {
        let refuse = |why: &str, help| Err(refused(format!("{} {why}", output.display()), help));
        let Ok(real) = fs::canonicalize(output) else {
            return Ok(());
        };
        let mut inputs = self.inputs.iter().filter(|input| !is_stdio(input));
        if inputs.any(|input| fs::canonicalize(input).is_ok_and(|input| input == real)) {
            return refuse("is an input", "choose another name with -o or --out-dir");
        }
        if real.is_dir() {
            let help = "name a file with -o, or the folder with --out-dir";
            return refuse("is a folder", help);
        }
        if !self.args.force && !is_special(&real) {
            let help = "replace it with --force, or choose another name with -o";
            return refuse("exists already", help);
        }
        Ok(())
    }

    /// Writes `bytes` to `output` through a temporary sibling; a file that appeared meanwhile is kept unless `--force`.
    pub fn write(&self, output: &Path, bytes: &[u8]) -> Result<()> {
        self.write_with(output, |to| Ok(to.write_all(bytes)?))
    }

    /// As [`Outputs::write`], with what `fill` writes.
    pub fn write_with(
        &self,
        output: &Path,
        fill: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        if is_stdio(output) {
            return stdout_with(fill);
        }
        let written = if is_special(output) {
            let file = fs::OpenOptions::new().write(true).open(output);
            file.map_err(Into::into)
                .and_then(|mut file| fill(&mut file))
        } else {
            replace(output, fill, self.args.force)
        };
        written.with_context(|| format!("cannot write {}", output.display()))
    }
}

/// An input that was passed over because its output exists.
#[derive(Debug)]
pub struct Skipped {
    output: PathBuf,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "skipped, {} exists", self.output.display())
    }
}

impl std::error::Error for Skipped {}

impl Skipped {
    /// Says so, in the form that the user wants.
    pub fn report(&self, input: &str, report: &ReportArgs) -> Result<()> {
        if report.json {
            let object = json!({ "input": input, "output": self.output, "skipped": true });
            return to_stdout(format!("{object}\n").as_bytes());
        }
        if !report.quiet {
            say(&format!("{input}: {self}"));
        }
        Ok(())
    }
}

/// Standard output that remembers that nobody reads it any more.
struct Stdout {
    to: io::StdoutLock<'static>,
    left: bool,
}

impl Stdout {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        self.left |= result.as_ref().is_err_and(broken);
        result
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.note(flushed)
    }
}

/// Writes to standard output. A reader that went away has read what it wanted: that is no error.
fn stdout_with(fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut stdout = Stdout {
        to: io::stdout().lock(),
        left: false,
    };
    let written = fill(&mut stdout).and_then(|()| Ok(stdout.flush()?));
    match written {
        Err(_) if stdout.left => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Writes data to standard output, as [`stdout_with`].
pub fn to_stdout(bytes: &[u8]) -> Result<()> {
    stdout_with(|to| Ok(to.write_all(bytes)?))
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

/// Says what a picture file could not hold.
pub fn say_losses(dropped: &[&str], notes: &[&str]) {
    if !dropped.is_empty() {
        let dropped = dropped.join(", ");
        say(&format!("note:  this format has no place for: {dropped}"));
    }
    notes.iter().for_each(|note| say(&format!("note:  {note}")));
}

/// What an output is called in messages.
pub fn output_name(path: &Path) -> String {
    if is_stdio(path) {
        "standard output".into()
    } else {
        path.display().to_string()
    }
}

/// A device or a pipe: it is written to, never replaced.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// Writes `bytes` to `output`, in place of what is there.
pub fn write_over(output: &Path, bytes: &[u8]) -> Result<()> {
    replace(output, |to| Ok(to.write_all(bytes)?), true)
        .with_context(|| format!("cannot write {}", output.display()))
}

/// Temporary files and folders of this process.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn temporary() -> MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a path among [`TEMPORARY`] for as long as it lives.
pub struct Temporary(PathBuf);

impl Temporary {
    /// Makes something temporary; an interrupt either comes before or finds it listed.
    pub fn create<T>(
        create: impl FnOnce() -> io::Result<T>,
        path: impl FnOnce(&T) -> &Path,
    ) -> io::Result<(T, Self)> {
        let mut list = temporary();
        let made = create()?;
        let path = path(&made).to_path_buf();
        list.push(path.clone());
        Ok((made, Self(path)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        temporary().retain(|path| *path != self.0);
    }
}

/// Ends the process from the thread of an interrupt: temporary files go, finished outputs stay.
pub fn abandon() -> ! {
    // Held to the end, so that no output is renamed into place from here on.
    let list = temporary();
    for path in list.iter() {
        let _ = match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
    }
    let said = "error: interrupted\nhelp:  nothing was written of the file under work";
    let _ = writeln!(io::stderr().lock(), "{said}");
    std::process::exit(1);
}

/// Writes a temporary sibling and renames it to `output`. A link is followed: the file it names is replaced.
fn replace(
    output: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<()>,
    force: bool,
) -> Result<()> {
    let real = fs::canonicalize(output).unwrap_or_else(|_| output.to_path_buf());
    let folder = real
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".inr-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Temporary files are private otherwise; the process's mask applies to this as to any new file.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let (mut file, listed) = Temporary::create(|| builder.tempfile_in(folder), |file| file.path())?;
    let mut buffered = io::BufWriter::new(file.as_file_mut());
    fill(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    if let Ok(replaced) = fs::metadata(&real) {
        file.as_file().set_permissions(replaced.permissions())?;
    }
    file.as_file().sync_all()?;
    let renamed = {
        let _list = temporary();
        if force {
            file.persist(&real)
        } else {
            file.persist_noclobber(&real)
        }
    };
    drop(listed);
    renamed.map(drop).map_err(|error| error.error)?;
    // The new name is on disk with its folder; where folders cannot be synced, the file alone is.
    #[cfg(unix)]
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}
