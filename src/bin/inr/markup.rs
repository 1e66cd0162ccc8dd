//! Text for SVG and HTML.

use std::fmt::Write;

/// Adds formatted text.
pub fn push(text: &mut String, more: std::fmt::Arguments) {
    text.write_fmt(more)
        .expect("a String takes all that is written to it");
}

/// Text for SVG and HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
