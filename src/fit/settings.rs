//! The network that a fit is asked for, and its training.

use inr_formats::{Activation, Grid, Limits};

use super::init::InitializationPair;
use super::optimiser::OptimizerChoice;
use crate::device::DeviceChoice;
use crate::error::Error;
use crate::options::{setters, unknown_name};

/// Kinds of coordinate network.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", parse_err_ty = Error, parse_err_fn = unknown_architecture)]
pub enum Architecture {
    /// Sine layers (Sitzmann et al. 2020, arXiv:2006.09661).
    #[default]
    Siren,
    /// Sine layers over a positional encoding.
    SirenPe,
    /// ReLU layers over bare coordinates; blurs, kept for comparison.
    Relu,
    /// ReLU layers over a positional encoding (Mildenhall et al. 2020, arXiv:2003.08934).
    ReluPe,
}

fn unknown_architecture(name: &str) -> Error {
    unknown_name::<Architecture>("network", name)
}

impl Architecture {
    /// The activation of the hidden layers.
    pub fn activation(self) -> Activation {
        match self {
            Self::Siren | Self::SirenPe => Activation::Sine,
            Self::Relu | Self::ReluPe => Activation::Relu,
        }
    }

    /// True with a positional encoding.
    pub fn encodes_positions(self) -> bool {
        matches!(self, Self::SirenPe | Self::ReluPe)
    }
}

/// A coordinate network and its training. The encoder chooses where a field is `None`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkOptions {
    /// Kind of network; SIREN by default.
    pub architecture: Architecture,
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
    /// Optimiser of the fit before fine-tuning; Adam fine-tunes.
    pub optimizer: OptimizerChoice,
    /// Seed of initial weights and of the order of pixels.
    pub seed: u64,
    /// Fit averages over pixels' areas instead of values at their centres, which makes better enlargements.
    pub for_upscale: bool,
    /// The device that trains.
    pub device: DeviceChoice,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self {
            architecture: Architecture::default(),
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
            for_upscale: false,
            device: DeviceChoice::Auto,
        }
    }
}

setters!(NetworkOptions {
    architecture: Architecture,
    hidden: impl Into<Option<Vec<u32>>>,
    omega_first: impl Into<Option<f32>>,
    omega_hidden: impl Into<Option<f32>>,
    frequencies: impl Into<Option<u8>>,
    initialization: impl Into<Option<InitializationPair>>,
    grid: Grid,
    float: bool,
    bits: impl Into<Option<f64>>,
    epochs: impl Into<Option<f64>>,
    batch: impl Into<Option<usize>>,
    learning_rate: impl Into<Option<f32>>,
    optimizer: OptimizerChoice,
    seed: u64,
    for_upscale: bool,
    device: DeviceChoice,
});

/// Refuses a `value` outside `low..=high`.
pub(crate) fn ranged(
    name: &str,
    value: Option<f64>,
    [low, high]: [f64; 2],
    want: &'static str,
) -> Result<(), Error> {
    match value {
        // Written so that NaN fails.
        Some(value) if !(low..=high).contains(&value) => Err(Error::Misuse {
            what: format!("{name} {value}"),
            want,
        }),
        _ => Ok(()),
    }
}

impl NetworkOptions {
    /// Checks every number.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        let omega = "give an omega0 above 0 and at most 10000";
        let omegas = [
            ("omega0", self.omega_first),
            ("hidden omega0", self.omega_hidden),
        ];
        for (name, value) in omegas {
            ranged(name, value.map(f64::from), [1e-6, 1e4], omega)?;
        }
        ranged(
            "bits",
            self.bits,
            [2.0, 15.0],
            "give 2 to 15 bits per weight",
        )?;
        let want = "give a number of epochs above 0";
        ranged("epochs", self.epochs, [1e-6, 1e7], want)?;
        let rate = self.learning_rate.map(f64::from);
        ranged(
            "learning rate",
            rate,
            [1e-9, 10.0],
            "give a rate above 0, such as 1e-3",
        )?;
        let batch = self.batch.map(|batch| batch as f64);
        ranged("batch", batch, [1.0, 1e9], "give at least 1 pixel per step")?;
        let octaves = self.frequencies.map(f64::from);
        ranged("frequencies", octaves, [1.0, 16.0], "give 1 to 16 octaves")?;
        let want = "give widths from 1 to the limit, 4096 by default";
        for &width in self.hidden.iter().flatten() {
            let range = [1.0, f64::from(limits.width)];
            ranged("hidden width", Some(width.into()), range, want)?;
        }
        let layers = self.hidden.as_ref().map(|hidden| hidden.len() as f64 + 1.0);
        let range = [2.0, f64::from(limits.layers)];
        ranged("layers", layers, range, "give 1 to 63 hidden layers")
    }
}
