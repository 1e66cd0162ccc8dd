//! What was measured of one picture with one codec, kept on disk so that an interrupted run goes on where it was.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::figures::{Figures, HEADINGS};
use crate::args::Metric;
use crate::csv;
use crate::output;

/// A file of figures. Its first line names all that they depend on.
pub struct Cache {
    path: PathBuf,
    key: String,
    kept: Vec<Figures>,
}

impl Cache {
    /// Reads `folder/picture.codec.csv`. What is not there, damaged or of another `key` counts as empty, and with
    /// `force` everything does.
    pub fn open(folder: &Path, picture: &str, codec: &str, key: String, force: bool) -> Self {
        // A colon cannot be in a name of every file system.
        let path = folder.join(format!("{picture}.{}.csv", codec.replace(':', "-")));
        let key = format!("# {}", key.replace(['\r', '\n'], " "));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut lines = text.lines();
        let usable = !force && lines.next() == Some(&key);
        let kept = if usable {
            lines.filter_map(Figures::parse).collect()
        } else {
            Vec::new()
        };
        Self { path, key, kept }
    }

    /// The figures at `quality`, if every metric of `wanted` is there.
    pub fn find(&self, quality: u32, wanted: &[Metric]) -> Option<&Figures> {
        let mut kept = self.kept.iter();
        kept.find(|figures| figures.quality == quality && figures.has(wanted))
    }

    /// Adds `figures`, in place of others at its quality.
    pub fn keep(&mut self, figures: Figures) -> Result<()> {
        self.kept.retain(|kept| kept.quality != figures.quality);
        self.kept.push(figures);
        self.kept.sort_by_key(|figures| figures.quality);
        let mut text = format!("{}\n{}", self.key, csv::line(&HEADINGS));
        for figures in &self.kept {
            text.push_str(&csv::line(&figures.values()));
        }
        output::write_over(&self.path, text.as_bytes())
    }
}
