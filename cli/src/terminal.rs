//! Standard error: lines, and the bars that they must not cross.

use std::io::{self, Write};
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar};

/// The bars of all files under work.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Shows `bar` with the others.
pub fn bar(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

/// Writes a line to standard error. A closed standard error is no reason to stop.
pub fn say(line: &str) {
    BARS.suspend(|| {
        let _ = writeln!(io::stderr().lock(), "{line}");
    });
}
