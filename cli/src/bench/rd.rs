//! `inr bench rd`: rate and distortion of our codecs and of others, on the same pictures with the same metrics.

mod cache;
mod codec;
mod coded;

mod figures;
mod own;
mod plot;
mod published;
mod report;
mod rivals;
mod tables;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use self::cache::Cache;
use self::codec::{Codec, FEWEST_QUALITIES};
use self::figures::{Figures, seconds};
use self::tables::{BdRates, Means, Measured};
use super::source::{self, Source};
use crate::args::{Metric, RdArgs};
use crate::failure::{Outcome, bad_arguments, refused};
use crate::input;
use crate::output::{to_stdout, write_over};
use crate::progress;
use crate::terminal::say;

/// Measures what is not measured yet, writes all results and prints the BD-rates.
pub fn run(args: &RdArgs) -> Result<Outcome> {
    let qualities = qualities(&args.qualities)?;
    let codecs = Codec::all(&args.codecs)?;
    let pictures = source::pictures(&args.data)?;
    let published = match &args.published {
        Some(path) => published::read(path)?,
        None => Vec::new(),
    };
    let cache = args
        .out
        .join(if args.quick { "cache-quick" } else { "cache" });
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let work = Work {
        args,
        qualities,
        codecs: &codecs,
        pictures: &pictures,
        cache,
        taken: AtomicUsize::new(0),
    };
    let measured = work.all()?;
    if work.taken.load(Ordering::Relaxed) > 0 {
        let taken = work.taken.load(Ordering::Relaxed);
        let cache = work.cache.display();
        say(&format!(
            "note:  {taken} files were measured by an earlier run ({cache}); --force measures them again"
        ));
    }
    let means = means(&codecs, &measured);
    let rates = BdRates::all(&means);
    let note = if args.quick {
        ", only the middle coded"
    } else {
        ""
    };
    for (name, text) in [
        ("results.csv", tables::results_csv(&measured)),
        ("means.csv", tables::means_csv(&means)),
        ("bd.csv", BdRates::csv(&rates)),
        ("rd.svg", report::plot(Metric::Psnr, &means, &published)),
        (
            "report.html",
            report::html(note, &rates, &means, &published),
        ),
    ] {
        write_over(&args.out.join(name), text.as_bytes())?;
    }
    let texts: Vec<String> = rates.iter().map(|of| of.text(&means)).collect();
    to_stdout(texts.join("\n").as_bytes())?;
    say(&format!(
        "{} shows it all",
        args.out.join("report.html").display()
    ));
    Ok(Outcome::Done)
}

/// The qualities asked for, rising and each once; none asks for each codec's own.
fn qualities(asked: &[u32]) -> Result<Vec<u32>> {
    let mut qualities = asked.to_vec();
    qualities.sort_unstable();
    qualities.dedup();
    if (1..FEWEST_QUALITIES).contains(&qualities.len()) {
        let what = format!("{} different qualities make no curve", qualities.len());
        let help = "give at least 4 with --qualities, such as 10,30,50,70,90, or leave it out";
        return Err(bad_arguments(what, help));
    }
    Ok(qualities)
}

fn means(codecs: &[Codec], measured: &[Measured]) -> Vec<Means> {
    let of = |codec: &Codec| {
        let ours = measured.iter().filter(|m| m.codec == codec.name());
        let ours: Vec<&Measured> = ours.collect();
        Means {
            codec: codec.name().to_owned(),
            own: codec.is_own(),
            description: codec.description(),
            pictures: ours.len(),
            figures: tables::means(&ours),
        }
    };
    codecs.iter().map(of).collect()
}

/// Every picture with every codec.
struct Work<'a> {
    args: &'a RdArgs,
    qualities: Vec<u32>,
    codecs: &'a [Codec],
    pictures: &'a [PathBuf],
    cache: PathBuf,
    /// Files that an earlier run has measured.
    taken: AtomicUsize,
}

impl Work<'_> {
    /// Measures on several threads; the result is in the order of codecs, then pictures.
    fn all(&self) -> Result<Vec<Measured>> {
        let units = self.codecs.len() * self.pictures.len();
        let jobs = self.args.jobs.unwrap_or_else(inr::default_threads);
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let done = Mutex::new(HashMap::new());
        let worker = || {
            while !failed.load(Ordering::Relaxed) {
                // Picture by picture, so that an interrupted run has some of them with all codecs.
                let unit = next.fetch_add(1, Ordering::Relaxed);
                let Some(picture) = self.pictures.get(unit / self.codecs.len()) else {
                    break;
                };
                let place = unit % self.codecs.len();
                let measured = self.unit(picture, &self.codecs[place]);
                failed.fetch_or(measured.is_err(), Ordering::Relaxed);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.insert((place, unit), measured);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, units) {
                scope.spawn(worker);
            }
        });
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut done: Vec<_> = done.into_iter().collect();
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, measured)| measured).collect()
    }

    fn unit(&self, picture: &Path, codec: &Codec) -> Result<Measured> {
        let name = picture.file_name().unwrap_or_default().to_string_lossy();
        let measured = self.measure(picture, &name, codec);
        if progress::interrupted() {
            // A program that was started gets the signal as well, and fails.
            let help = "the same command resumes it";
            return Err(refused("interrupted".into(), help));
        }
        let failed = || format!("cannot measure {} on {name}", codec.name());
        Ok(Measured {
            picture: name.to_string(),
            codec: codec.name().to_owned(),
            figures: measured.with_context(failed)?,
        })
    }

    fn measure(&self, picture: &Path, name: &str, codec: &Codec) -> Result<Vec<Figures>> {
        let source = Source::open(picture, source::side(self.args.quick))?;
        let key = format!("1 {:016x} {}", source.fingerprint(), codec.description());
        let mut cache = Cache::open(&self.cache, name, codec.name(), key, self.args.force);
        let mut all = Vec::new();
        let (mut new, mut spent) = (0, 0.0);
        for quality in codec.qualities(&self.qualities, self.args.quick) {
            if let Some(kept) = cache.find(quality, &self.args.metrics) {
                all.push(kept.clone());
                continue;
            }
            anyhow::ensure!(!progress::interrupted(), "interrupted");
            let coded = codec.code(&source, quality);
            let coded = coded.with_context(|| format!("quality {quality}"))?;
            let figures = Figures::measure(&source, coded, quality, &self.args.metrics)?;
            cache.keep(figures.clone())?;
            (new, spent) = (new + 1, spent + figures.encode + figures.decode);
            all.push(figures);
        }
        self.taken.fetch_add(all.len() - new, Ordering::Relaxed);
        if new > 0 {
            let (name, codec) = (input::display_name(picture), codec.name());
            say(&format!(
                "{name}: {codec}, {new} files in {}",
                seconds(spent)
            ));
        }
        Ok(all)
    }
}
