//! Picture to `.inr` file: plan, fit, quantise, write, read back.

use std::sync::Arc;

use inr_formats::{InrFile, LayerData, Model, OpacityMap, Provenance};

use super::budget;
use super::common::{self, Common, Judgement};
use super::options::{EncodeOptions, EncodeReport, Encoded, ModelOptions, NetworkReport, Target};
use super::preview;
use super::pursuit::Pursuit;
use crate::error::Error;
use crate::fit::plan::Plan;
use crate::fit::steps::Steps;
use crate::fit::{
    Fit, FitOutcome, Journal, NetworkOptions, StopReason, TrainingSamples, picture_digest,
};
use crate::progress::{Control, Observer, Phase, Progress};
use inr_image::{Picture, Samples};
use inr_kernel::Network;
use inr_kernel::{Backend, default_threads};

/// Encodes `picture` as an `.inr` file and measures the file by decoding it.
///
/// The same options, picture and device give the same bytes, unless there is a time budget.
///
/// # Errors
/// [`Error::Misuse`] for options out of range, samples that are not finite or a size too small for the picture's metadata,
/// [`Error::Device`] for an absent device, [`Error::Diverged`] when no learning rate works, [`Error::Cancelled`] when the observer aborts.
pub fn encode(
    picture: &Picture,
    options: &EncodeOptions,
    observer: &mut dyn Observer,
) -> Result<Encoded, Error> {
    encode_with(picture, options, None, observer)
}

/// As [`encode`], resuming an encode of the same picture and options from the `checkpoint` that its observer received; the file
/// is the same as that of an encode that was never interrupted.
///
/// # Errors
/// [`Error::Checkpoint`] for a checkpoint that is damaged, or of another picture, other options, another version of this
/// crate or another kind of processor. Besides, those of [`encode`].
pub fn encode_from(
    picture: &Picture,
    options: &EncodeOptions,
    checkpoint: &[u8],
    observer: &mut dyn Observer,
) -> Result<Encoded, Error> {
    encode_with(picture, options, Some(checkpoint), observer)
}

fn encode_with(
    picture: &Picture,
    options: &EncodeOptions,
    checkpoint: Option<&[u8]>,
    observer: &mut dyn Observer,
) -> Result<Encoded, Error> {
    options.check()?;
    check_samples(picture)?;
    let network = match (&options.model, checkpoint) {
        (ModelOptions::Network(network), _) => network,
        (ModelOptions::Pyramid(pyramid), None) => {
            return super::pyramid::encode(picture, options, pyramid, observer);
        }
        (ModelOptions::Pyramid(_), Some(_)) => {
            return Err(Error::Misuse {
                what: "a checkpoint for a pyramid, which makes none".into(),
                want: "encode it from the start, or choose a network",
            });
        }
    };
    let mut samples = TrainingSamples::new(picture, network.grid);
    if network.for_upscale {
        samples = samples.over_areas();
    }
    let samples = Arc::new(samples);
    let mut notes = Vec::new();
    let device = network
        .device
        .open(&mut |note| notes.push(note.to_owned()))?;
    notes.iter().for_each(|note| observer.note(note));
    let key = key(options, &device.name());
    let digest = picture_digest(picture);
    let journal = match checkpoint {
        None => Journal::new(key, digest),
        Some(bytes) => Journal::resumed(key, digest, bytes)?,
    };
    let fit = Fit {
        samples: samples.clone(),
        device_name: device.name(),
        device,
        threads: options.threads.unwrap_or_else(default_threads),
        options: network,
        time_budget: options.time_budget,
        started: journal.started(),
        journal,
    };
    let (opacity, note) = common::opacity(picture, options);
    if let Some(note) = note {
        observer.note(note);
        notes.push(note.into());
    }
    let mut encoder = Encoder {
        picture,
        options,
        network,
        samples: &samples,
        opacity,
        fit,
        notes,
        observer,
    };
    encoder.run()
}

/// All but the picture that a fit's outcome depends on, in words.
fn key(options: &EncodeOptions, device: &str) -> String {
    let options = EncodeOptions {
        // The result is the same for any number.
        threads: None,
        ..options.clone()
    };
    format!(
        "inr {}, {device}, {:?}, {options:?}",
        env!("CARGO_PKG_VERSION"),
        Backend::detect()
    )
}

/// Samples beyond this leave no room for differences between them.
const LARGEST_SAMPLE: f32 = 1e18;

/// Refuses samples that no file could bring back.
fn check_samples(picture: &Picture) -> Result<(), Error> {
    let Samples::F32(samples) = picture.samples() else {
        return Ok(());
    };
    let odd = |sample: &f32| sample.is_nan() || sample.abs() > LARGEST_SAMPLE;
    let Some(index) = samples.iter().position(odd) else {
        return Ok(());
    };
    let pixel = index / picture.layout().channels();
    let (x, y) = (
        pixel as u32 % picture.width(),
        pixel as u32 / picture.width(),
    );
    Err(Error::Misuse {
        what: format!("the sample at pixel {x},{y} is {}", samples[index]),
        want: "samples are finite, at most 1e18 in size: replace it by a neighbour's",
    })
}

struct Encoder<'a> {
    picture: &'a Picture,
    options: &'a EncodeOptions,
    network: &'a NetworkOptions,
    samples: &'a TrainingSamples,
    opacity: Option<OpacityMap>,
    fit: Fit<'a>,
    notes: Vec<String>,
    observer: &'a mut dyn Observer,
}

/// A finished file before it is reported.
struct Candidate {
    file: InrFile,
    bytes: Vec<u8>,
    psnr: f64,
    float_psnr: f64,
    epochs: f64,
    stopped: StopReason,
}

/// Halvings of the interval in which a file of the wanted size is sought.
const SEARCHES: u32 = 20;
/// Steps by which values of a file that is too large are rounded towards zero at most.
const MOST_PULL: f32 = 0.2;
/// Bytes that the PSNR adds to a file once it is known.
const LATER_BYTES: u64 = 14;

impl Encoder<'_> {
    fn run(&mut self) -> Result<Encoded, Error> {
        let overhead = self.overhead()?;
        let pixels = self.picture.pixels() as f64;
        let wanted =
            budget::parameters(self.options.target, pixels, self.samples.channels, overhead);
        let candidate = match self.options.target {
            Target::Psnr(psnr) => self.search_psnr(wanted, psnr)?,
            _ => {
                let plan = self.plan(wanted);
                let fitted = self.fit.run(&plan, None, self.observer)?;
                self.finish(&plan, fitted, self.byte_limit())?
            }
        };
        let target_met = self.judge(&candidate);
        Ok(self.report(candidate, target_met))
    }

    fn plan(&self, parameters: f64) -> Plan {
        let size = [self.picture.width(), self.picture.height()];
        Plan::new(self.network, size, self.samples.channels, parameters)
    }

    fn common(&self) -> Common<'_> {
        Common {
            picture: self.picture,
            options: self.options,
            value_range: self.samples.value_range,
            opacity: self.opacity.as_ref(),
        }
    }

    fn byte_limit(&self) -> Option<u64> {
        self.options.byte_limit(self.picture.pixels())
    }

    /// Bytes of a file around its weights.
    fn overhead(&self) -> Result<u64, Error> {
        let mut plan = self.plan(1.0);
        plan.mlp.hidden = vec![1];
        let network = Network::zeroed(&plan.mlp, self.samples.channels);
        let steps = Steps(vec![1.0; 4]);
        let bytes = self
            .assemble(&plan, steps.quantise(&network, 0.0), None)
            .write()?
            .len() as u64;
        if let Some(limit) = self.byte_limit()
            && limit < bytes
        {
            return Err(Error::Misuse {
                what: format!(
                    "a file of {limit} bytes, but header, metadata and the smallest network take {bytes}"
                ),
                want: "ask for a larger file, or strip the picture's ICC profile, Exif and XMP first",
            });
        }
        Ok(bytes)
    }

    /// Fits larger networks, then others and longer, until the decoded file has `target` dB or the time is over.
    fn search_psnr(&mut self, parameters: f64, target: f64) -> Result<Candidate, Error> {
        let (mut pursuit, mut effort) = Pursuit::new(parameters, target, self.network);
        let mut best: Option<Candidate> = None;
        loop {
            let mut plan = self.plan(effort.parameters);
            effort.apply(&mut plan);
            let fitted = self.fit.run(&plan, Some(target + 0.2), self.observer)?;
            let out_of_time = matches!(
                fitted.stopped,
                StopReason::TimeBudget | StopReason::Cancelled
            );
            let candidate = self.finish(&plan, fitted, None)?;
            let reached = candidate.psnr;
            if pursuit.best(reached) {
                best = Some(candidate);
            }
            let largest = self.plan(effort.parameters * 2.0).mlp.hidden == plan.mlp.hidden;
            effort = match pursuit.next(effort, reached, largest) {
                Some(next) if !out_of_time => next,
                _ => return best.ok_or(Error::Cancelled),
            };
            let note = format!(
                "{} weights, {} epochs, first omega0 {}, learning rate {:.1e}: {reached:.2} dB of {target}, going on",
                plan.mlp.parameters(self.samples.channels),
                plan.epochs.round(),
                plan.mlp.omega_first.round(),
                plan.rate,
            );
            self.observer.note(&note);
        }
    }

    /// Quantises, writes and measures a fitted network.
    fn finish(
        &mut self,
        plan: &Plan,
        fitted: FitOutcome,
        limit: Option<u64>,
    ) -> Result<Candidate, Error> {
        let float_psnr = self
            .samples
            .psnr(&self.fit.network(plan, &fitted.parameters));
        let mut epochs = fitted.epochs;
        let layers = if self.network.float {
            self.fit.network(plan, &fitted.parameters).to_float_layers()
        } else {
            let (layers, tuned) = self.quantise(plan, &fitted, float_psnr, limit)?;
            epochs += tuned;
            layers
        };
        let provenance = self.provenance(plan, epochs);
        let mut file = self.assemble(plan, layers, Some(provenance));
        if self.options.preview {
            file.preview = preview::jpeg(self.picture)?;
        }
        let psnr = self.measure(&file.write()?)?;
        if let Some(provenance) = &mut file.provenance {
            provenance.psnr = Some(psnr);
        }
        Ok(Candidate {
            bytes: file.write()?,
            file,
            psnr,
            float_psnr,
            epochs,
            stopped: fitted.stopped,
        })
    }

    /// Chooses steps, fine-tunes with them, and rounds so that the file keeps to `limit`. Returns the layers and the
    /// epochs that it took.
    fn quantise(
        &mut self,
        plan: &Plan,
        fitted: &FitOutcome,
        float_psnr: f64,
        limit: Option<u64>,
    ) -> Result<(Vec<LayerData>, f64), Error> {
        let network = self.fit.network(plan, &fitted.parameters);
        let balanced = Steps::balanced(&network, &self.samples.probe_points());
        let untuned = fitted.stopped == StopReason::Cancelled;
        let bits = plan.bits(float_psnr, limit.is_some() || untuned);
        let steps = balanced.at_bits(&network, bits).fitting(&network);
        let steps = match limit {
            Some(limit) => self.coarser(plan, &network, &steps, limit)?,
            None => steps,
        };
        if untuned {
            return Ok((steps.quantise(&network, 0.0), 0.0));
        }
        let tuned = self.fit.tune(plan, fitted, &steps, self.observer)?;
        let network = self.fit.network(plan, &tuned.parameters);
        let layers = match limit {
            Some(limit) => self.rounded_within(plan, &network, &steps, limit)?,
            None => steps.quantise(&network, 0.0),
        };
        Ok((layers, tuned.epochs))
    }

    /// `steps`, or as little coarser as makes the file fit `limit`.
    fn coarser(
        &self,
        plan: &Plan,
        network: &Network,
        steps: &Steps,
        limit: u64,
    ) -> Result<Steps, Error> {
        let coarse = self.least(plan, limit, [1.0, 1024.0], |factor| {
            steps.scaled(factor).quantise(network, 0.0)
        })?;
        Ok(steps.scaled(coarse))
    }

    /// The network in `steps`; while its file exceeds `limit`, values are rounded the more readily towards zero. Other
    /// steps than those that a network was tuned with lose what the tuning brought, so they only change when that does
    /// not help.
    fn rounded_within(
        &self,
        plan: &Plan,
        network: &Network,
        steps: &Steps,
        limit: u64,
    ) -> Result<Vec<LayerData>, Error> {
        let pull = self.least(plan, limit, [0.0, MOST_PULL], |pull| {
            steps.quantise(network, pull)
        })?;
        if pull < MOST_PULL {
            return Ok(steps.quantise(network, pull));
        }
        let steps = self.coarser(plan, network, steps, limit)?;
        Ok(steps.quantise(network, 0.0))
    }

    /// The least number in `range` whose `layers` make a file of `limit` bytes at most, or the end of the range.
    fn least(
        &self,
        plan: &Plan,
        limit: u64,
        range: [f32; 2],
        layers: impl Fn(f32) -> Vec<LayerData>,
    ) -> Result<f32, Error> {
        let provenance = self.provenance(plan, 1e6);
        let fits = |number: f32| -> Result<bool, Error> {
            let file = self.assemble(plan, layers(number), Some(provenance.clone()));
            Ok(file.write()?.len() as u64 + LATER_BYTES <= limit)
        };
        let [mut low, mut high] = range;
        if fits(low)? {
            return Ok(low);
        }
        for _ in 0..SEARCHES {
            // Steps are sought by their ratio.
            let middle = if low > 0.0 {
                (low * high).sqrt()
            } else {
                (low + high) / 2.0
            };
            if fits(middle)? {
                high = middle
            } else {
                low = middle
            }
        }
        Ok(high)
    }

    fn assemble(
        &self,
        plan: &Plan,
        layers: Vec<LayerData>,
        provenance: Option<Provenance>,
    ) -> InrFile {
        let mut file = self.common().file(Model::Mlp(plan.mlp.clone()), layers);
        file.provenance = provenance;
        file
    }

    fn provenance(&self, plan: &Plan, epochs: f64) -> Provenance {
        Provenance {
            encoder: Some(concat!("inr ", env!("CARGO_PKG_VERSION")).into()),
            recipe: Some(format!(
                "{:?} {:.0e} batch {}",
                self.network.optimizer, plan.rate, plan.batch
            )),
            seed: Some(self.network.seed),
            epochs: Some(epochs.round() as u64),
            device: Some(self.fit.device_name.clone()),
            ..Provenance::default()
        }
    }

    /// PSNR of the decoded bytes against the source, after rounding to the source's samples.
    fn measure(&mut self, bytes: &[u8]) -> Result<f64, Error> {
        let progress = Progress::new(Phase::Verify, 0.99, self.fit.started);
        if self.observer.progress(&progress) == Control::Abort {
            return Err(Error::Cancelled);
        }
        self.common().psnr(bytes, &mut ())
    }

    fn judge(&mut self, candidate: &Candidate) -> bool {
        let Judgement { met, note } = self.common().judge(candidate.psnr, candidate.bytes.len());
        if !met {
            self.observer.note(&note);
            self.notes.push(note);
        }
        met
    }

    fn report(&mut self, candidate: Candidate, target_met: bool) -> Encoded {
        let Model::Mlp(mlp) = &candidate.file.header.model else {
            unreachable!("the encoder writes no other model")
        };
        let report = EncodeReport {
            psnr: candidate.psnr,
            bits_per_pixel: candidate.bytes.len() as f64 * 8.0 / self.picture.pixels() as f64,
            seconds: self.fit.started.elapsed().as_secs_f64(),
            stopped: candidate.stopped,
            target_met,
            notes: std::mem::take(&mut self.notes),
            network: Some(NetworkReport {
                float_psnr: candidate.float_psnr,
                parameters: mlp.parameters(self.samples.channels),
                hidden: mlp.hidden.clone(),
                omega_first: mlp.omega_first,
                epochs: candidate.epochs,
                device: self.fit.device_name.clone(),
            }),
        };
        Encoded {
            bytes: candidate.bytes,
            report,
        }
    }
}
