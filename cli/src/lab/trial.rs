//! One fit: from its settings to figures, a curve and a field, kept on disk so that nothing is done twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use inr::decode::Network;
use inr::fit::{Anchor, FieldFit};
use inr::{
    Depth, EncodeOptions, InrPicture, Layout, Limits, Metadata, Observer, Phase, Picture, Progress,
    Target,
};
use inr_formats::{Header, InrFile, Mlp, Sampling};
use serde::{Deserialize, Serialize};

use super::measure::{affine, compared, decibels, enlarged, mean, native};
use super::settings::{AnchorName, Model, Settings, Supervision};
use super::source::Grey;
use super::targets;
use super::weights::Weights;
use crate::args::LabArgs;
use crate::failure::refused;
use crate::output::write_over;
use crate::progress::{self, Reporter};
use inr::DeviceChoice;
use inr::fit::OptimizerChoice;

/// Changes when fits of the same settings would give other figures.
const VERSION: u32 = 1;
/// Time between two checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);

/// A point of a curve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Point {
    pub step: u64,
    /// Visits of every pixel.
    pub epochs: f64,
    pub seconds: f64,
    /// Of the last step; none when it was no number.
    pub loss: Option<f64>,
    /// In dB against the picture, settled as the anchor says.
    pub psnr: f64,
}

/// A finished fit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    key: String,
    pub curve: Vec<Point>,
    /// By name: `psnr`, `ssim`, and what else there is.
    pub figures: BTreeMap<String, f64>,
}

/// The file of a new field, its curve and figures.
type Fresh = (Vec<u8>, Vec<Point>, BTreeMap<String, f64>);

/// Where fits are kept, and what they are made with.
pub struct Store<'a> {
    folder: PathBuf,
    args: &'a LabArgs,
    /// The user's weights of other networks.
    weights: &'a Weights,
}

/// A fit and its field; bicubic has none.
pub struct Fitted {
    pub done: Done,
    pub field: Option<InrPicture>,
    /// The result at the size that is measured, clipped.
    pub result: Grey,
}

/// Whatever can happen to a fit that is not finished is in here.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    key: String,
    curve: Vec<Point>,
    seconds: f64,
    /// Follows the rest as it is.
    #[serde(skip)]
    fit: Vec<u8>,
}

impl<'a> Store<'a> {
    pub fn new(folder: PathBuf, args: &'a LabArgs, weights: &'a Weights) -> Self {
        Self {
            folder,
            args,
            weights,
        }
    }

    pub fn weights(&self) -> &Weights {
        self.weights
    }

    /// Does the fit called `name`, or takes it from disk.
    pub fn fit(
        &self,
        name: &str,
        settings: &Settings,
        seed: u64,
        picture: &Grey,
    ) -> Result<Fitted> {
        let key = key(settings, seed, picture)? + &self.weights.key(settings);
        let path = |extension: &str| self.folder.join(format!("{name}.{extension}"));
        let kept = std::fs::read(path("json")).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Done>(&bytes).ok());
        let kept = kept.filter(|done| !self.args.force && done.key == key);
        let small = || reduced(settings, picture);
        let direct = match settings.model {
            Model::Bicubic => Some(small()?.resized(picture.side)?.clipped()),
            Model::Srgan => Some(self.weights.enlarged(&small()?, settings.scale)?),
            _ => None,
        };
        if let Some(result) = direct {
            let figures = compared(&result, picture)?;
            let curve = Vec::new();
            return Ok(Fitted {
                done: Done {
                    key,
                    curve,
                    figures,
                },
                field: None,
                result,
            });
        }
        let field_path = path("inr");
        if let Some(done) = kept
            && let Ok(bytes) = std::fs::read(&field_path)
            && let Ok(field) = InrPicture::open(&bytes, &Limits::default())
        {
            let result = enlarged(&field, settings, picture.side)?;
            return Ok(Fitted {
                done,
                field: Some(field),
                result,
            });
        }
        let (bytes, curve, mut figures) = match settings.model {
            Model::Pyramid => pyramid(settings, picture)?,
            _ => self.network(name, &key, settings, seed, picture)?,
        };
        let field = InrPicture::open(&bytes, &Limits::default())?;
        let result = enlarged(&field, settings, picture.side)?;
        figures.extend(compared(&result, picture)?);
        let done = Done {
            key,
            curve,
            figures,
        };
        write_over(&field_path, &bytes)?;
        write_over(&path("json"), &serde_json::to_vec(&done)?)?;
        let _ = std::fs::remove_file(path("checkpoint"));
        Ok(Fitted {
            done,
            field: Some(field),
            result,
        })
    }

    /// A field fitted to the picture's samples, whose exact derivatives others are shown.
    fn teacher(
        &self,
        name: &str,
        settings: &Settings,
        seed: u64,
        picture: &Grey,
    ) -> Result<InrPicture> {
        let own = Settings {
            supervision: Supervision::Value,
            anchor: AnchorName::Free,
            optimizer: OptimizerChoice::Adam,
            ..settings.clone()
        };
        let fitted = self.fit(&format!("{name}.teacher"), &own, seed + 1000, picture)?;
        fitted.field.context("a fit without a field")
    }

    fn network(
        &self,
        name: &str,
        key: &str,
        settings: &Settings,
        seed: u64,
        picture: &Grey,
    ) -> Result<Fresh> {
        let small = reduced(settings, picture)?;
        let exact = matches!(
            settings.supervision,
            Supervision::ExactGradient | Supervision::ExactLaplacian
        );
        let teacher = if exact {
            Some(self.teacher(name, settings, seed, picture)?)
        } else {
            None
        };
        let mut objective = targets::objective(settings, &small, teacher.as_ref())?;
        objective.picture = self.weights.perceptual(settings, &small)?;
        let anchor = targets::anchor(settings, &small)?;
        let device = match objective.picture {
            None => self.args.device,
            Some(_) => DeviceChoice::Cpu,
        };
        let recipe = settings
            .recipe(seed)
            .device(device)
            .threads(self.args.threads);
        let mut fit = FieldFit::new(objective, &recipe)?;
        let mut run = Run {
            name,
            key,
            settings,
            picture: &small,
            anchor: &anchor,
            curve: Vec::new(),
            before: 0.0,
            began: Instant::now(),
            path: self.folder.join(format!("{name}.checkpoint")),
        };
        if !self.args.force {
            run.resume(&mut fit);
        }
        run.finish(&mut fit, self.args.quiet)?;
        let mut network = fit.network()?;
        let found = native(&open(&network, fit.mlp(), small.side)?)?;
        let mut figures = BTreeMap::new();
        if settings.supervision != Supervision::Value {
            figures.insert("psnr_free".into(), decibels(&found, &small, [1.0, 0.0]));
            let best = affine(&found.samples, &small.samples);
            figures.insert("psnr_affine".into(), decibels(&found, &small, best));
            figures.insert("contrast".into(), 1.0 / best[0]);
        }
        let values = found.values();
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64;
        anchor.settle(&mut network, &[mean]);
        let weights: usize = network
            .layers
            .iter()
            .map(|layer| layer.weights.len() + layer.bias.len())
            .sum();
        figures.insert("parameters".into(), weights as f64);
        figures.insert("steps".into(), fit.steps_done() as f64);
        figures.insert("epochs".into(), fit.epochs());
        figures.insert("seconds".into(), run.seconds());
        Ok((file(&network, fit.mlp(), small.side)?, run.curve, figures))
    }
}

/// A fit under way.
struct Run<'a> {
    name: &'a str,
    key: &'a str,
    settings: &'a Settings,
    picture: &'a Grey,
    anchor: &'a Anchor,
    curve: Vec<Point>,
    /// Seconds of earlier runs.
    before: f64,
    began: Instant,
    path: PathBuf,
}

impl Run<'_> {
    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    /// Takes up a checkpoint of the same fit, if there is a usable one.
    fn resume(&mut self, fit: &mut FieldFit) {
        let Some(kept) = Checkpoint::read(&self.path) else {
            return;
        };
        if kept.key == self.key && fit.resume(&kept.fit).is_ok() {
            self.curve = kept.curve;
            self.before = kept.seconds;
        }
    }

    fn keep(&self, fit: &FieldFit) -> Result<()> {
        let Some(state) = fit.checkpoint()? else {
            return Ok(());
        };
        let checkpoint = Checkpoint {
            key: self.key.to_owned(),
            curve: self.curve.clone(),
            seconds: self.seconds(),
            fit: state,
        };
        checkpoint.write(&self.path)
    }

    fn finish(&mut self, fit: &mut FieldFit, quiet: bool) -> Result<()> {
        let mut reporter = Reporter::new(self.name, quiet, false);
        let result = self.steps(fit, &mut reporter);
        reporter.finish();
        result
    }

    fn steps(&mut self, fit: &mut FieldFit, reporter: &mut Reporter) -> Result<()> {
        let steps = self.settings.steps;
        let every = (steps / self.settings.points.max(1)).max(1);
        let mut kept = Instant::now();
        let mut told = Instant::now();
        let mut loss = f64::NAN;
        while !fit.is_finished() {
            if let Some(latest) = fit.step()? {
                loss = latest;
            }
            let step = fit.steps_done();
            if step.is_multiple_of(every) || fit.is_finished() || step == 1 {
                self.point(fit, loss)?;
            }
            if told.elapsed() > Duration::from_millis(200) {
                told = Instant::now();
                let mut progress =
                    Progress::new(Phase::Fit, step as f64 / steps as f64, self.began);
                progress.psnr = self.curve.last().map(|point| point.psnr);
                let _ = reporter.progress(&progress);
            }
            if progress::interrupted() {
                self.keep(fit)?;
                return Err(refused("interrupted".into(), "the same command resumes it"));
            }
            if kept.elapsed() > CHECKPOINT_EVERY {
                kept = Instant::now();
                self.keep(fit)?;
            }
        }
        Ok(())
    }

    fn point(&mut self, fit: &FieldFit, loss: f64) -> Result<()> {
        let found = native(&open(&fit.network()?, fit.mlp(), self.picture.side)?)?;
        let shift = match self.anchor {
            Anchor::Mean(_) => mean(&self.picture.samples) - mean(&found.samples),
            _ => 0.0,
        };
        self.curve.push(Point {
            step: fit.steps_done(),
            epochs: fit.epochs(),
            seconds: self.seconds(),
            loss: Some(loss).filter(|loss| loss.is_finite()),
            psnr: decibels(&found, self.picture, [1.0, shift]),
        });
        Ok(())
    }
}

impl Checkpoint {
    fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let mut checkpoint: Self = serde_json::from_slice(rest.get(..length)?).ok()?;
        checkpoint.fit = rest.get(length..)?.to_vec();
        Some(checkpoint)
    }

    fn write(mut self, path: &Path) -> Result<()> {
        let fit = std::mem::take(&mut self.fit);
        let text = serde_json::to_vec(&self)?;
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text);
        bytes.extend(fit);
        write_over(path, &bytes)
    }
}

/// All that a fit's result depends on.
fn key(settings: &Settings, seed: u64, picture: &Grey) -> Result<String> {
    let hash = picture
        .samples
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
            (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3)
        });
    let settings = serde_json::to_string(settings)?;
    Ok(format!("{VERSION} {hash:016x} {seed} {settings}"))
}

/// The picture that the fit sees: the picture itself, or made smaller.
fn reduced(settings: &Settings, picture: &Grey) -> Result<Grey> {
    picture.resized(picture.side / settings.scale.max(1) as usize)
}

/// A network as an `.inr` file of a square grey picture.
fn file(network: &Network, mlp: &Mlp, side: usize) -> Result<Vec<u8>> {
    let header = Header {
        width: side as u32,
        height: side as u32,
        layout: Layout::Grey,
        depth: Depth::F32,
        value_range: [0.0, 1.0],
        sampling: Sampling::Point,
        cicp: None,
        model: inr_formats::Model::Mlp(mlp.clone()),
    };
    let file = InrFile::new(header, network.to_float_layers());
    Ok(file.write()?)
}

fn open(network: &Network, mlp: &Mlp, side: usize) -> Result<InrPicture> {
    Ok(InrPicture::open(
        &file(network, mlp, side)?,
        &Limits::default(),
    )?)
}

/// A picture in the codec's default field.
fn pyramid(settings: &Settings, picture: &Grey) -> Result<Fresh> {
    let small = reduced(settings, picture)?;
    let began = Instant::now();
    let bytes = spline(&small, settings.quality)?;
    let figures = [
        ("seconds".to_owned(), began.elapsed().as_secs_f64()),
        ("bytes".to_owned(), bytes.len() as f64),
    ];
    Ok((bytes, Vec::new(), figures.into_iter().collect()))
}

/// The spline through a picture's samples at 16 bits, as a pyramid.
pub fn spline(picture: &Grey, quality: f64) -> Result<Vec<u8>> {
    let side = picture.side as u32;
    let source = Picture::from_f32(
        side,
        side,
        Layout::Grey,
        Depth::U16,
        &picture.samples,
        Metadata::default(),
    );
    let options = EncodeOptions::default().target(Target::Quality(quality));
    Ok(inr::encode(&source?, &options, &mut ())?.bytes)
}
