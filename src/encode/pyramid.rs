//! Picture to a pyramid file: analyse once, then quantise as often as the target asks for.

use std::ops::Range;

use inr_formats::{InrFile, Model, Provenance};

use super::analysis::{self, Analysis, Quantised};
use super::choices::{Choices, STEPS, choices, finest_step, quality_step};
use super::common::{self, Common, Judgement};
use super::options::{EncodeOptions, EncodeReport, Encoded, Metric, PyramidOptions, Target};
use super::preview;
use super::source::Source;
use crate::error::Error;
use crate::field::estimate::Estimate;
use crate::field::pyramid::probe::Probe;
use crate::fit::StopReason;
use crate::progress::{Meter, Observer, Phase, Stop};
use inr_image::planes::planes;
use inr_image::{Picture, metrics};
use inr_kernel::default_threads;

/// Squared error that a bit saves where the step is well chosen, in squared steps: 2 ln 2 / 12 and a little more.
const SLOPE: f64 = 0.118;
/// Prices that a search per picture tries, relative to [`LAMBDA`].
const PRICES: [f32; 4] = [0.75, 1.3, 0.6, 1.6];
/// Quantisations of a search at most.
const TRIALS: u32 = 14;
/// Pixels for each sample of the coarsest grid from which that grid's step is no matter.
const DEEP: u64 = 256;
/// Pixels of pictures that four bytes are no burden to.
const ESTIMATED: u64 = 96 * 96;
/// A PSNR is met when it is exceeded by no more than this, dB.
const PSNR_SLACK: f64 = 0.02;
/// A size is met when it is undercut by no more than this share.
const SIZE_SLACK: f64 = 0.003;

/// A quantised picture.
struct Candidate {
    file: InrFile,
    bytes: Vec<u8>,
    psnr: f64,
    /// The encode was stopped while this was quantised.
    partial: bool,
    /// The PSNR is an estimate, because the encode was stopped before it could be measured.
    estimated: bool,
}

struct PyramidEncoder<'a> {
    pyramid: &'a PyramidOptions,
    common: Common<'a>,
    analysis: Analysis<'a>,
    probe: Probe,
    threads: usize,
    meter: Meter<'a>,
    /// Quantisations that are expected to come, for the share that is reported.
    expected: u32,
    /// The next quantisation is the last.
    last: bool,
    choices: Choices,
    notes: Vec<String>,
    /// See [`inr_formats::Latents::degradation`].
    degradation: Option<[u8; 4]>,
}

/// Share of the job at which the analysis ends.
const ANALYSED: f64 = 0.2;
/// Share of the job at which the last quantisation and its measurement end.
const MEASURED: f64 = 0.99;

/// Encodes `picture` as latent grids.
///
/// # Errors
/// [`Error::Misuse`] for a size too small for the picture's metadata, [`Error::Cancelled`].
pub(super) fn encode(
    picture: &Picture,
    options: &EncodeOptions,
    pyramid: &PyramidOptions,
    observer: &mut dyn Observer,
) -> Result<Encoded, Error> {
    let mut meter = Meter::graceful(observer, options.time_budget);
    let threads = options.threads.unwrap_or_else(default_threads);
    let source = Source::new(picture);
    let value_range = source.value_range();
    let probe = Probe::new(&source);
    let analysis = meter.part(Phase::Fit, ANALYSED, analysis::units(&source), |job| {
        Analysis::new(source, pyramid.metric, threads, job)
    })?;
    let mut notes = Vec::new();
    let (opacity, note) = common::opacity(picture, options);
    for note in [note, common::flat(picture)].into_iter().flatten() {
        meter.note(note);
        notes.push(note.into());
    }
    let common = Common {
        picture,
        options,
        value_range,
        opacity: opacity.as_ref(),
    };
    let choices = choices(pyramid.metric, &analysis.partition);
    let mut encoder = PyramidEncoder {
        choices,
        pyramid,
        common,
        analysis,
        probe,
        threads,
        meter,
        expected: 1,
        last: false,
        notes,
        degradation: degradation(picture, options.jpeg_step),
    };
    let mut candidate = match options.target {
        Target::Quality(quality) => {
            let step = quality_step(quality, pyramid.metric);
            encoder.refine(step)?;
            (encoder.expected, encoder.last) = (1, true);
            encoder.candidate(step)?
        }
        _ => encoder.search()?,
    };
    if options.preview {
        candidate.file.preview = preview::jpeg(picture)?;
        candidate.bytes = candidate.file.write()?;
    }
    encoder.report(candidate)
}

/// What enlargements should know of how `picture` came about; nothing of pictures that are too small to show it.
fn degradation(picture: &Picture, jpeg_step: Option<f32>) -> Option<[u8; 4]> {
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    (pixels >= ESTIMATED).then(|| {
        let mut found = Estimate::of_picture(picture, |part| planes(picture, part).swap_remove(0));
        found.jpeg = jpeg_step.unwrap_or(found.jpeg);
        found.to_bytes()
    })
}

impl PyramidEncoder<'_> {
    /// Looks for the choices with the least error plus priced bits about `step`, for as long as the effort allows.
    fn refine(&mut self, step: f32) -> Result<(), Error> {
        let effort = self.pyramid.effort;
        let price = SLOPE * f64::from(step).powi(2);
        let mut best = None;
        // Where few pixels share a sample of the coarsest grid its error is seen as a tint, and often costs little to mend.
        let partition = &self.analysis.partition;
        let count = |(width, height): (usize, usize)| width as u64 * height as u64;
        if count(partition.size(0)) < DEEP * count(partition.size(partition.levels)) {
            let base = self.choices.clone();
            self.expected += 4;
            self.take_if_better(base.clone(), step, price, &mut best)?;
            for by in [-16, -32, -48] {
                let partition = &self.analysis.partition;
                let planes = 0..usize::from(partition.planes);
                let choices = base.shifted(by, &planes, &(0..1), partition);
                self.take_if_better(choices, step, price, &mut best)?;
            }
        }
        // SSIM is not what is measured here.
        if effort < 6 || self.pyramid.metric == Metric::Ssim {
            return Ok(());
        }
        self.take_if_better(self.choices.clone(), step, price, &mut best)?;
        let prices = if effort < 7 { &[] } else { &PRICES[..] };
        for relative in prices {
            let choices = Choices {
                price: *relative,
                ..self.choices.clone()
            };
            self.take_if_better(choices, step, price, &mut best)?;
        }
        let planes = usize::from(self.analysis.partition.planes);
        let groups: Vec<(Range<usize>, Range<u8>)> = (0..planes)
            .flat_map(|plane| [1..2, 2..3, 3..32].map(|levels| (plane..plane + 1, levels)))
            .collect();
        self.expected += 20 * u32::from(effort - 5);
        let rounds: &[i8] = match effort {
            ..=7 => &[3, 1],
            8 => &[4, 2, 1],
            _ => &[4, 3, 2, 1, 1],
        };
        for size in rounds {
            for (planes, levels) in &groups {
                for by in [*size, -*size] {
                    let choices =
                        self.choices
                            .shifted(by, planes, levels, &self.analysis.partition);
                    if self.take_if_better(choices, step, price, &mut best)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn take_if_better(
        &mut self,
        choices: Choices,
        step: f32,
        price: f64,
        best: &mut Option<f64>,
    ) -> Result<bool, Error> {
        // Once the job hurries, costs are of partial pictures.
        if self.meter.stop().is_some() {
            return Ok(false);
        }
        let cost = self.cost(&choices, step, price)?;
        self.expected = self.expected.saturating_sub(1).max(1);
        let better = self.meter.stop().is_none() && best.is_none_or(|best| cost < best);
        if better {
            (*best, self.choices) = (Some(cost), choices);
        }
        Ok(better)
    }

    fn cost(&mut self, choices: &Choices, step: f32, price: f64) -> Result<f64, Error> {
        let quantised = self.quantise(choices, step, 1.0)?;
        Ok(quantised.cost(price))
    }

    /// The file with this step.
    fn candidate(&mut self, step: f32) -> Result<Candidate, Error> {
        // Measuring takes about as long as quantising.
        let mut quantised = self.quantise(&self.choices.clone(), step, 0.5)?;
        if self.last {
            self.analysis.forget();
        }
        let (hurries, error) = (self.meter.stop().is_some(), quantised.error);
        if !hurries {
            let latents = &mut quantised.latents;
            latents.gains = self.probe.gains(latents)?;
            let price = f64::from(self.choices.quantisation(step).lambda);
            latents.fitted = self.probe.fitted(latents, price)?;
            latents.degradation = self.degradation;
            if self.pyramid.grain {
                latents.grain = self.probe.grain(latents)?;
            }
        }
        let mut file = self.common.file(Model::Pyramid, Vec::new());
        file.latents = Some(quantised.latents);
        file.provenance = Some(Provenance {
            encoder: Some(concat!("inr ", env!("CARGO_PKG_VERSION")).into()),
            ..Provenance::default()
        });
        let bytes = file.write()?;
        let estimate = metrics::decibels(error / self.common.picture.samples().len() as f64);
        let (psnr, estimated) = match hurries {
            true => (estimate, true),
            false => self.measured(&bytes, estimate)?,
        };
        self.expected = self.expected.saturating_sub(1).max(1);
        Ok(Candidate {
            file,
            bytes,
            psnr,
            partial: hurries,
            estimated,
        })
    }

    /// The PSNR of the decoded bytes and `false`; `estimate` and `true` when the job hurries before that is known.
    fn measured(&mut self, bytes: &[u8], estimate: f64) -> Result<(f64, bool), Error> {
        let until = self.next_share(1.0);
        let common = &self.common;
        let measured = self.meter.observed(Phase::Verify, until, |observer| {
            common.psnr(bytes, observer)
        });
        match measured {
            Err(Error::Cancelled) if self.meter.stop().is_some() => Ok((estimate, true)),
            other => Ok((other?, false)),
        }
    }

    /// The share of the job at which this `part` of the next quantisation and measurement ends.
    fn next_share(&self, part: f64) -> f64 {
        let share = self.meter.share();
        share + (MEASURED - share) * part / f64::from(self.expected)
    }

    fn quantise(&mut self, choices: &Choices, step: f32, part: f64) -> Result<Quantised, Error> {
        let quantisation = choices.quantisation(step);
        let (until, hurry) = (self.next_share(part), self.meter.hurry());
        let (analysis, threads) = (&self.analysis, self.threads);
        self.meter
            .part(Phase::Quantise, until, analysis.units(), |job| {
                analysis.quantise(&quantisation, threads, &hurry, job)
            })
    }

    /// The coarsest step that reaches the PSNR asked for, or the finest within the size.
    fn search(&mut self) -> Result<Candidate, Error> {
        let limit = self.common.options.byte_limit(self.common.picture.pixels());
        // Error of the size or PSNR, positive where a coarser step is wanted; and whether it will do.
        let judge = |candidate: &Candidate, options: &EncodeOptions| match (limit, options.target) {
            (Some(limit), _) => {
                let over = candidate.bytes.len() as f64 / limit as f64 - 1.0;
                (over, (-SIZE_SLACK..=0.0).contains(&over))
            }
            (_, Target::Psnr(psnr)) => {
                let over = candidate.psnr - psnr;
                (over, (0.0..=PSNR_SLACK).contains(&over))
            }
            _ => (0.0, true),
        };
        let ends = [finest_step(self.analysis.partition.levels), STEPS[1]].map(f32::ln);
        let [mut fine, mut coarse] = ends;
        let mut step = quality_step(60.0, self.pyramid.metric);
        let mut best: Option<Candidate> = None;
        self.expected = TRIALS / 2;
        for trial in 0..TRIALS {
            // By then the step is about right.
            if trial == 3 {
                self.refine(step)?;
                ([fine, coarse], best) = (ends, None);
            }
            let candidate = self.candidate(step)?;
            let psnr = candidate.psnr;
            let (over, met) = judge(&candidate, self.common.options);
            let fits = if limit.is_some() {
                over <= 0.0
            } else {
                over >= 0.0
            };
            if fits || best.is_none() {
                let better = |best: &Candidate| {
                    let smaller = candidate.bytes.len() < best.bytes.len();
                    let closer =
                        candidate.psnr > best.psnr || candidate.psnr == best.psnr && smaller;
                    !judge_fits(best, self.common.options, limit)
                        || if limit.is_some() { closer } else { smaller }
                };
                if best.as_ref().is_none_or(better) {
                    best = Some(candidate);
                }
            }
            // No step makes exact samples better.
            let exact = fits && limit.is_some() && psnr.is_infinite();
            if met || exact || self.meter.stop().is_some() {
                break;
            }
            if over > 0.0 {
                fine = step.ln();
            } else {
                coarse = step.ln();
            }
            // Near the start the rate falls about as the step grows; later halve what is left.
            let guess = match limit {
                Some(_) => step.ln() + (over + 1.0).max(0.05).ln() as f32 * 1.1,
                None => step.ln() + over as f32 * 0.15,
            };
            let inside = guess > fine + 1e-4 && guess < coarse - 1e-4;
            step = if inside { guess } else { (fine + coarse) / 2.0 }.exp();
        }
        let best = best.ok_or(Error::Cancelled)?;
        match limit {
            Some(limit) if best.bytes.len() as u64 > limit => self.coarser(step, limit),
            _ => Ok(best),
        }
    }

    /// The first file that fits, of ever coarser steps: sizes fall with the step only on the whole, so that a search can end
    /// just beside the steps that fit.
    fn coarser(&mut self, mut step: f32, limit: u64) -> Result<Candidate, Error> {
        let mut growth = 1.03_f32;
        let length = loop {
            step = (step * growth).min(STEPS[1]);
            let candidate = self.candidate(step)?;
            let length = candidate.bytes.len() as u64;
            if length <= limit {
                return Ok(candidate);
            }
            if step >= STEPS[1] {
                break length;
            }
            growth *= growth;
        };
        Err(Error::Misuse {
            what: format!(
                "a file of {limit} bytes, but header, metadata and the coarsest picture take {length}"
            ),
            want: "ask for a larger file, or strip the picture's ICC profile, Exif and XMP first",
        })
    }

    fn report(&mut self, candidate: Candidate) -> Result<Encoded, Error> {
        let mut notes = std::mem::take(&mut self.notes);
        let Judgement { met, note } = self.common.judge(candidate.psnr, candidate.bytes.len());
        let stopped = match self.meter.stop() {
            None => StopReason::Finished,
            Some(Stop::Observer) => StopReason::Cancelled,
            Some(Stop::Deadline) => StopReason::TimeBudget,
        };
        let partial = "the encode ended early: fine detail is missing";
        let estimated = "the PSNR is an estimate: the encode ended before it was measured";
        let remarks = [
            (!met).then_some(note),
            candidate.partial.then(|| partial.into()),
            candidate.estimated.then(|| estimated.into()),
        ];
        for remark in remarks.into_iter().flatten() {
            self.meter.note(&remark);
            notes.push(remark);
        }
        let pixels = self.common.picture.pixels() as f64;
        let report = EncodeReport {
            psnr: candidate.psnr,
            bits_per_pixel: candidate.bytes.len() as f64 * 8.0 / pixels,
            seconds: self.meter.elapsed().as_secs_f64(),
            stopped,
            target_met: met,
            notes,
            network: None,
        };
        Ok(Encoded {
            bytes: candidate.bytes,
            report,
        })
    }
}

fn judge_fits(candidate: &Candidate, options: &EncodeOptions, limit: Option<u64>) -> bool {
    match (limit, options.target) {
        (Some(limit), _) => candidate.bytes.len() as u64 <= limit,
        (_, Target::Psnr(psnr)) => candidate.psnr >= psnr,
        _ => true,
    }
}
