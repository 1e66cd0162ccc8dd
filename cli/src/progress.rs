//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use inr::{Control, Observer, Progress};

use crate::output::{self, write_over};
use crate::terminal::{bar, say};

/// Times that the user asked this process to end (Ctrl-C, SIGTERM, SIGHUP).
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// What an interrupt does to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupt {
    /// It ends the process at once; temporary files go.
    End,
    /// The command stores its state first; a second interrupt ends the process at once.
    Store,
}

/// Makes interrupts leave nothing half-written behind.
pub fn catch_interrupts(on_interrupt: OnInterrupt) {
    let caught = ctrlc::set_handler(move || {
        let earlier = INTERRUPTS.fetch_add(1, Ordering::SeqCst);
        if on_interrupt == OnInterrupt::End || earlier > 0 {
            output::abandon();
        }
    });
    if caught.is_err() && on_interrupt == OnInterrupt::Store {
        say("note:  interrupts cannot be caught here; they end the program and store nothing");
    }
}

/// True once the user asked this process to end.
pub fn interrupted() -> bool {
    INTERRUPTS.load(Ordering::SeqCst) > 0
}

/// Seconds between plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows the progress of one file.
pub struct Reporter {
    name: String,
    quiet: bool,
    keep: bool,
    bar: Option<ProgressBar>,
    printed: Instant,
    /// The last that a plain line showed.
    percent: u32,
    checkpoints: Option<Checkpoints>,
}

/// Where checkpoints go, and when the next one is due.
struct Checkpoints {
    path: PathBuf,
    kept: Instant,
    pause: Duration,
}

/// Time to the first checkpoint; each pause is twice the one before it, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Pauses are at least this many times as long as writing a checkpoint takes.
const WORTH: u32 = 50;

impl Reporter {
    /// For the file called `name`. `keep` makes Ctrl-C keep what is there.
    pub fn new(name: &str, quiet: bool, keep: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{prefix} {bar:24} {percent:>3} % {msg}");
            let bar = bar(ProgressBar::new(1000).with_prefix(name.to_owned()));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            name: name.to_owned(),
            quiet,
            keep,
            bar,
            printed: Instant::now(),
            percent: 0,
            checkpoints: None,
        }
    }

    /// Keeps checkpoints in the file at `path`.
    pub fn checkpoints(self, path: Option<PathBuf>) -> Self {
        let (kept, pause) = (Instant::now(), FIRST_PAUSE);
        Self {
            checkpoints: path.map(|path| Checkpoints { path, kept, pause }),
            ..self
        }
    }

    /// Shows that `share` of the work is done, 0 to 1, and what is being done.
    pub fn show(&mut self, share: f64, text: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position((share * 1000.0) as u64);
                bar.set_message(text.to_owned());
            }
            None if !self.quiet && self.printed.elapsed() >= LINE_EVERY => {
                self.printed = Instant::now();
                // The end has a line of its own, and no line comes twice.
                let percent = (share * 100.0).round() as u32;
                if percent > self.percent && percent < 100 {
                    self.percent = percent;
                    say(&format!("{}: {percent} % {text}", self.name));
                }
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Seconds in minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

impl Observer for Reporter {
    fn progress(&mut self, progress: &Progress) -> Control {
        let psnr = progress
            .psnr
            .map_or_else(String::new, |psnr| format!(" {psnr:.2} dB"));
        let left = progress
            .remaining
            .map_or_else(String::new, |left| format!(" {} left", clock(left)));
        let text = format!("{}{psnr}{left}", progress.phase);
        self.show(progress.share, &text);
        match (interrupted(), self.keep) {
            (false, _) => Control::Continue,
            (true, true) => Control::Stop,
            (true, false) => Control::Abort,
        }
    }

    fn note(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        say(&format!("note:  {text}"));
    }

    fn wants_checkpoint(&mut self) -> bool {
        let due = |kept: &Checkpoints| kept.kept.elapsed() >= kept.pause || interrupted();
        self.checkpoints.as_ref().is_some_and(due)
    }

    fn checkpoint(&mut self, bytes: &[u8]) {
        let Some(checkpoints) = &mut self.checkpoints else {
            return;
        };
        let began = Instant::now();
        if let Err(error) = write_over(&checkpoints.path, bytes) {
            // The fit may still succeed, and what an earlier one wrote is as good as it was.
            say(&format!("note:  {error:#}; no more checkpoints are kept"));
            self.checkpoints = None;
            return;
        }
        let next = (checkpoints.pause * 2).min(LONGEST_PAUSE);
        checkpoints.pause = next.max(began.elapsed() * WORTH);
        checkpoints.kept = Instant::now();
    }
}
