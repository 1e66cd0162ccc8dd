//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use inr::{Control, Observer, Progress};

use super::output::say;

/// Times that Ctrl-C was pressed.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// Makes the first Ctrl-C end the fit and the second the program.
pub fn catch_interrupts() {
    let caught = ctrlc::set_handler(|| {
        if INTERRUPTS.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(1);
        }
    });
    if caught.is_err() {
        say("note:  Ctrl-C ends the program at once here, --keep has no effect");
    }
}

/// True once Ctrl-C was pressed.
pub fn interrupted() -> bool {
    INTERRUPTS.load(Ordering::SeqCst) > 0
}

/// The bars of all files under work.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Runs `print` with the bars out of its way.
pub fn beside_bars(print: impl FnOnce()) {
    BARS.suspend(print);
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
}

impl Reporter {
    /// For the file called `name`. `keep` makes Ctrl-C keep what is there.
    pub fn new(name: &str, quiet: bool, keep: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{prefix} {bar:24} {percent:>3} % {msg}");
            let bar = BARS.add(ProgressBar::new(1000).with_prefix(name.to_owned()));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            name: name.to_owned(),
            quiet,
            keep,
            bar,
            printed: Instant::now(),
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
                say(&format!("{}: {:.0} % {text}", self.name, share * 100.0));
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
        let share = progress.step as f64 / progress.steps.max(1) as f64;
        let psnr = progress
            .psnr
            .map_or_else(String::new, |psnr| format!(" {psnr:.2} dB"));
        let left = progress
            .remaining
            .map_or_else(String::new, |left| format!(" {} left", clock(left)));
        let text = format!("{}{psnr}{left}", progress.phase);
        self.show(share, &text);
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
}
