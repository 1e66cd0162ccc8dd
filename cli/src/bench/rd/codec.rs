//! Codecs by name, ours and others'.

use anyhow::Result;

use super::coded::Coded;
use super::own::{self, Own};
use super::rivals::{Installed, RIVALS};
use crate::bench::source::Source;
use crate::failure::bad_arguments;

/// Fewest qualities that make a curve.
pub const FEWEST_QUALITIES: usize = 4;

/// Qualities of a quick look, spread over those of the codec.
const QUICK_QUALITIES: usize = 5;

/// Those that are compared unless the user says otherwise, before our own.
const DEFAULT_RIVALS: [&str; 4] = ["webp", "avif-iq", "avif-psnr", "libjxl"];

/// Something that turns a picture and a quality into a file.
pub enum Codec {
    /// One of this program's encoders.
    Own(Own),
    /// A program.
    Rival(Installed),
}

impl Codec {
    /// The codecs called `names`, or the default ones when there are none.
    pub fn all(names: &[String]) -> Result<Vec<Self>> {
        let mut wanted: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        if wanted.is_empty() {
            wanted.extend(DEFAULT_RIVALS);
            wanted.push(own::DEFAULT);
        }
        for (i, name) in wanted.iter().enumerate() {
            if wanted[..i].contains(name) {
                let what = format!("the codec {name} is named twice");
                return Err(bad_arguments(what, "name each codec once"));
            }
        }
        wanted.into_iter().map(Self::find).collect()
    }

    fn find(name: &str) -> Result<Self> {
        if let Some(rival) = RIVALS.iter().find(|rival| rival.name == name) {
            return Ok(Self::Rival(rival.find()?));
        }
        if let Some(own) = Own::find(name)? {
            return Ok(Self::Own(own));
        }
        let names: Vec<&str> = RIVALS.iter().map(|r| r.name).chain(Own::names()).collect();
        let what = format!("unknown codec {name:?}");
        Err(bad_arguments(what, format!("use {}", names.join(", "))))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Own(own) => own.name(),
            Self::Rival(installed) => installed.rival.name,
        }
    }

    /// All that its files depend on, in one line.
    pub fn description(&self) -> String {
        match self {
            Self::Own(own) => own.description(),
            Self::Rival(installed) => installed.description(),
        }
    }

    /// True for this program's own.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// The qualities to measure, rising: those `asked` for, else its own.
    pub fn qualities(&self, asked: &[u32], quick: bool) -> Vec<u32> {
        let ladder = match self {
            _ if !asked.is_empty() => return asked.to_vec(),
            Self::Own(_) => &own::QUALITIES,
            Self::Rival(installed) => installed.rival.qualities,
        };
        if !quick {
            return ladder.to_vec();
        }
        let last = ladder.len() - 1;
        let steps = QUICK_QUALITIES - 1;
        (0..=steps)
            .map(|step| ladder[step * last / steps])
            .collect()
    }

    /// Encodes and decodes.
    pub fn code(&self, source: &Source, quality: u32) -> Result<Coded> {
        match self {
            Self::Own(own) => own.code(source.picture(), quality),
            Self::Rival(installed) => installed.code(source, quality),
        }
    }
}
