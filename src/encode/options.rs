//! What the caller asks of the encoder, and what it answers.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use inr_formats::{Activation, Grid};

use crate::device::DeviceChoice;
use crate::error::Error;
use crate::fit::{InitializationPair, OptimizerChoice, StopReason};
use inr_formats::Limits;

/// What the encoder aims at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// 0.0..=100.0, in the spirit of JPEG's number; sizes and PSNRs rise with it.
    Quality(f64),
    /// Size of the whole file in bits per source pixel, above 0.
    Bpp(f64),
    /// Size of the whole file in bytes.
    Bytes(u64),
    /// PSNR of the decoded picture in dB, above 0.
    Psnr(f64),
}

/// Kinds of network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Architecture {
    /// Latent wavelet grids under a cubic spline: local, quick, and the best picture for its bytes.
    #[default]
    Pyramid,
    /// Sine layers (Sitzmann et al. 2020).
    Siren,
    /// Sine layers over a positional encoding.
    SirenPe,
    /// ReLU layers over bare coordinates; blurs, kept for comparison.
    Relu,
    /// ReLU layers over a positional encoding (Mildenhall et al. 2020).
    ReluPe,
}

impl Architecture {
    /// Every kind with its name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("pyramid", Self::Pyramid),
        ("siren", Self::Siren),
        ("siren-pe", Self::SirenPe),
        ("relu", Self::Relu),
        ("relu-pe", Self::ReluPe),
    ];

    /// What hidden layers apply.
    pub fn activation(self) -> Activation {
        match self {
            Self::Pyramid | Self::Siren | Self::SirenPe => Activation::Sine,
            Self::Relu | Self::ReluPe => Activation::Relu,
        }
    }

    /// True with a positional encoding.
    pub fn encodes_positions(self) -> bool {
        matches!(self, Self::SirenPe | Self::ReluPe)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(_, kind)| kind == self)
            .map_or("", |(name, _)| name);
        formatter.pad(name)
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, kind)| *kind).ok_or_else(|| Error::Misuse {
            what: format!("unknown model {text:?}"),
            want: "use pyramid, siren, siren-pe, relu or relu-pe",
        })
    }
}

/// What counts as a good picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// Mean square error, and so PSNR.
    #[default]
    Mse,
    /// Structural similarity: coarse structure before the finest detail.
    Ssim,
    /// What viewers notice: as for SSIM, and colour less finely than brightness.
    Perceptual,
}

impl Metric {
    /// Every metric with its name.
    pub const ALL: [(&'static str, Self); 3] = [
        ("mse", Self::Mse),
        ("ssim", Self::Ssim),
        ("perceptual", Self::Perceptual),
    ];
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, metric)| *metric)
            .ok_or_else(|| Error::Misuse {
                what: format!("unknown metric {text:?}"),
                want: "use mse, ssim or perceptual",
            })
    }
}

/// What to encode, and how. `None` leaves a choice to the encoder.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// Quality 75 by default.
    pub target: Target,
    /// Kind of field.
    pub architecture: Architecture,
    /// How long the encoder of a pyramid looks for a smaller file of the same quality, 1..=9.
    pub effort: u8,
    /// What the encoder of a pyramid spends bytes on.
    pub metric: Metric,
    /// Widths of the hidden layers, first to last.
    pub hidden: Option<Vec<u32>>,
    /// omega0 of the first layer.
    pub omega_first: Option<f32>,
    /// omega0 of the other hidden layers; 30 by default.
    pub omega_hidden: Option<f32>,
    /// Octaves of the positional encoding, 1..=16; by default the Nyquist rule of the study.
    pub frequencies: Option<u8>,
    /// Initial weights; the architecture's standard scheme by default.
    pub initialization: Option<InitializationPair>,
    /// Where samples lie; the study's corner-aligned grid exists to reproduce its experiments.
    pub grid: Grid,
    /// Keep 32-bit floating-point weights.
    pub float: bool,
    /// Mean bits per quantised weight, 2.0..=15.0.
    pub bits: Option<f64>,
    /// Visits of every pixel, fine-tuning with rounded weights included.
    pub epochs: Option<f64>,
    /// Pixels per optimiser step.
    pub batch: Option<usize>,
    /// Peak learning rate.
    pub learning_rate: Option<f32>,
    /// Optimiser of the fit before fine-tuning, which is by Adam.
    pub optimizer: OptimizerChoice,
    /// Seed of initial weights and of the order of pixels.
    pub seed: u64,
    /// Time for the whole encode; the fit ends when it is spent. Makes the result depend on the machine's speed.
    pub time_budget: Option<Duration>,
    /// Where to train.
    pub device: DeviceChoice,
    /// CPU threads; all by default. The result is the same for any number.
    pub threads: Option<usize>,
    /// Prepare the file for enlargements. A pyramid's tells how it is best enlarged by the network that has learnt to
    /// ([`crate::Method::Network`]), unless that is no better for this picture; networks are fitted so that their averages
    /// over pixels' areas are the samples, not their values at the centres.
    pub for_upscale: bool,
    /// Store a small JPEG preview.
    pub preview: bool,
    /// What the file may need.
    pub limits: Limits,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            target: Target::Quality(75.0),
            architecture: Architecture::default(),
            effort: 5,
            metric: Metric::default(),
            hidden: None,
            omega_first: None,
            omega_hidden: None,
            frequencies: None,
            initialization: None,
            grid: Grid::PixelCentre,
            float: false,
            bits: None,
            epochs: None,
            batch: None,
            learning_rate: None,
            optimizer: OptimizerChoice::Adam,
            seed: 0,
            time_budget: None,
            device: DeviceChoice::Auto,
            threads: None,
            for_upscale: false,
            preview: false,
            limits: Limits::default(),
        }
    }
}

impl EncodeOptions {
    /// Checks every number.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let ranged =
            |name: &str, value: Option<f64>, low: f64, high: f64, want: &'static str| match value {
                Some(value) if !(low..=high).contains(&value) => Err(Error::Misuse {
                    what: format!("{name} {value}"),
                    want,
                }),
                _ => Ok(()),
            };
        match self.target {
            Target::Quality(q) => ranged("quality", Some(q), 0.0, 100.0, "give 0 to 100")?,
            Target::Bpp(bpp) => ranged(
                "bits per pixel",
                Some(bpp),
                1e-6,
                1e3,
                "give a number above 0, such as 0.5",
            )?,
            Target::Psnr(psnr) => ranged(
                "PSNR",
                Some(psnr),
                1.0,
                200.0,
                "give 1 to 200 dB, such as 38",
            )?,
            Target::Bytes(0) => {
                return Err(Error::Misuse {
                    what: "0 bytes".into(),
                    want: "give a size above 0, such as 40k",
                });
            }
            Target::Bytes(_) => {}
        }
        let network = self.hidden.is_some()
            || self.omega_first.is_some()
            || self.omega_hidden.is_some()
            || self.frequencies.is_some()
            || self.bits.is_some()
            || self.float;
        if self.architecture == Architecture::Pyramid && network {
            return Err(Error::Misuse {
                what: "layers, omega0 or bits of weights for a pyramid, which has none".into(),
                want: "choose a network, such as siren (--model siren), or leave them out",
            });
        }
        ranged("effort", Some(self.effort.into()), 1.0, 9.0, "give 1 to 9")?;
        let omega = "give an omega0 above 0 and at most 10000";
        ranged("omega0", self.omega_first.map(f64::from), 1e-6, 1e4, omega)?;
        ranged(
            "hidden omega0",
            self.omega_hidden.map(f64::from),
            1e-6,
            1e4,
            omega,
        )?;
        ranged("bits", self.bits, 2.0, 15.0, "give 2 to 15 bits per weight")?;
        ranged(
            "epochs",
            self.epochs,
            1e-6,
            1e7,
            "give a number of epochs above 0",
        )?;
        ranged(
            "learning rate",
            self.learning_rate.map(f64::from),
            1e-9,
            10.0,
            "give a rate above 0, such as 1e-3",
        )?;
        ranged(
            "batch",
            self.batch.map(|batch| batch as f64),
            1.0,
            1e9,
            "give at least 1 pixel per step",
        )?;
        ranged(
            "frequencies",
            self.frequencies.map(f64::from),
            1.0,
            16.0,
            "give 1 to 16 octaves",
        )?;
        let hidden = self.hidden.iter().flatten().map(|&width| f64::from(width));
        let widest = f64::from(self.limits.width);
        for width in hidden {
            ranged(
                "hidden width",
                Some(width),
                1.0,
                widest,
                "give widths from 1 to the limit, 4096 by default",
            )?;
        }
        let layers = self.hidden.as_ref().map(|hidden| hidden.len() as f64 + 1.0);
        let most = f64::from(self.limits.layers);
        ranged("layers", layers, 2.0, most, "give 1 to 63 hidden layers")
    }
}

/// An encoded picture.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The `.inr` file.
    pub bytes: Vec<u8>,
    /// What it is and how it came about.
    pub report: EncodeReport,
}

/// What encoding gave.
#[derive(Clone, Debug)]
pub struct EncodeReport {
    /// PSNR in dB of the decoded file against the source; infinite when they are equal. Colour errors are weighed by
    /// alpha, see [`crate::metrics`].
    pub psnr: f64,
    /// PSNR in dB of the network before its weights were quantised.
    pub float_psnr: f64,
    /// Bits of the file per source pixel.
    pub bits_per_pixel: f64,
    /// Weights and biases.
    pub parameters: u64,
    /// Widths of the hidden layers.
    pub hidden: Vec<u32>,
    /// omega0 of the first layer.
    pub omega_first: f32,
    /// Visits of every pixel, fine-tuning included.
    pub epochs: f64,
    /// Seconds that it all took.
    pub seconds: f64,
    /// The device that trained.
    pub device: String,
    /// Why the fit ended.
    pub stopped: StopReason,
    /// False when the size or PSNR asked for was not reached; a note says by how much.
    pub target_met: bool,
    /// What the user should know.
    pub notes: Vec<String>,
}
