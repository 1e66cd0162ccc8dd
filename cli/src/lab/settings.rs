//! What one fit of the lab is made of.

use anyhow::{Context, Result, ensure};
use inr::fit::FitRecipe;
use inr::fit::{Initialization, InitializationPair, OptimizerChoice};
use inr_formats::{Activation, Grid, Mlp};
use serde::{Deserialize, Serialize};

/// The settings of one fit; those that a recipe leaves out are the study's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Name of the picture in the data folder.
    pub image: String,
    /// The top-left square of this side is used, 0 for the largest.
    pub crop: u32,
    /// Side that the picture is averaged down to.
    pub side: u32,
    /// Where pixels lie in the network's square.
    pub grid: GridName,
    /// The field.
    pub model: Model,
    /// Octaves of the positional encoding.
    pub frequencies: u8,
    /// Units of every hidden layer.
    pub width: u32,
    /// Layers from hidden to hidden, as the study counts: one fewer than there are hidden layers.
    pub layers: u32,
    /// omega0 of the first layer.
    pub omega_first: f32,
    /// omega0 of the other hidden layers.
    pub omega_hidden: f32,
    /// How the first layer's weights start.
    pub first: Scheme,
    /// How the other weights start.
    pub hidden: Scheme,
    /// The optimiser.
    #[serde(with = "by_name")]
    pub optimizer: OptimizerChoice,
    /// Its learning rate, at its peak.
    pub rate: f32,
    /// Share of the steps over which the rate rises.
    pub warm_up: f64,
    /// Pixels per step, 0 for all.
    pub batch: usize,
    /// Steps.
    pub steps: u64,
    /// A fit for each.
    pub seeds: Vec<u64>,
    /// What the network is shown.
    pub supervision: Supervision,
    /// How what it is not shown is settled.
    pub anchor: AnchorName,
    /// Weight of the anchor's term.
    pub anchor_weight: f32,
    /// The anchor `picture` is this many times smaller.
    pub anchor_reduction: u32,
    /// The picture is made this many times smaller and enlarged again.
    pub scale: u32,
    /// Samples are matched by the mean of this many points per axis.
    pub footprint: usize,
    /// What the picture's features in VGG19 add to the loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vgg: Option<VggSettings>,
    /// Quality of a pyramid.
    pub quality: f64,
    /// Points of the curve.
    pub points: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            image: "camera.png".into(),
            crop: 0,
            side: 256,
            grid: GridName::Corner,
            model: Model::Siren,
            frequencies: 0,
            width: 256,
            layers: 2,
            omega_first: 30.0,
            omega_hidden: 30.0,
            first: Scheme::Standard,
            hidden: Scheme::Standard,
            optimizer: OptimizerChoice::AdamConstant,
            rate: 1e-4,
            warm_up: 0.0,
            batch: 0,
            steps: 1000,
            seeds: vec![0],
            supervision: Supervision::Value,
            anchor: AnchorName::Free,
            anchor_weight: 1.0,
            anchor_reduction: 16,
            scale: 1,
            footprint: 1,
            vgg: None,
            quality: 95.0,
            points: 60,
        }
    }
}

/// A loss on VGG19's features; what a recipe leaves out is the study's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VggSettings {
    /// Of the features' squared differences; those of samples, -1 to 1, have the weight 1. The study normalises samples by
    /// ImageNet's deviations first, which makes them weigh 19.6 times as much.
    pub weight: f32,
    /// Layers of torchvision's `features` after which they are taken.
    pub layers: Vec<usize>,
    /// The side that the picture is made first, 0 for its own.
    pub side: usize,
}

impl Default for VggSettings {
    fn default() -> Self {
        Self {
            weight: 0.051,
            layers: vec![4, 9, 18, 27, 36],
            side: 224,
        }
    }
}

/// Coordinates by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridName {
    /// The study's: the outermost pixels' centres on the border.
    Corner,
    /// This project's.
    Centre,
}

/// Fields by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// A sine network, with positional encoding where there are frequencies.
    Siren,
    /// A ReLU network, likewise.
    Relu,
    /// The codec's default field.
    Pyramid,
    /// No field: the small picture enlarged.
    Bicubic,
    /// No field: the small picture enlarged by SRGAN's generator.
    Srgan,
}

/// Initial weights by name.
#[derive(strum::Display, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Scheme {
    /// The activation's usual one.
    Standard,
    /// U(0, 1).
    Uniform,
    /// N(0, 1).
    Normal,
    /// He's, uniform.
    KaimingUniform,
    /// He's, normal.
    KaimingNormal,
    /// Glorot's, uniform.
    XavierUniform,
    /// Glorot's, normal.
    XavierNormal,
}

/// What a network is shown of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supervision {
    /// Its samples.
    Value,
    /// The study's: exact gradients per coordinate against 10 times Sobel's.
    StudyGradient,
    /// The study's: exact Laplacians per coordinate squared against 10,000 times the discrete one.
    StudyLaplacian,
    /// Sobel's gradients, of the field as of the picture.
    Sobel,
    /// Differences of neighbours, of the field as of the picture.
    Differences,
    /// The same over 1, 8, 64, ... pixels, of the picture by adding up those of neighbours on the way: no more than they
    /// tell, in a form that shows slow changes.
    PathDifferences,
    /// The discrete Laplacian, of the field as of the picture.
    Laplace,
    /// The same summed over squares by their Green's functions, of every pixel the smallest and the largest: no more than
    /// it tells.
    SquareLaplace,
    /// Exact gradients of a field that was fitted to the picture.
    ExactGradient,
    /// Exact Laplacians of such a field.
    ExactLaplacian,
}

/// Anchors by name, as in the library.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorName {
    Free,
    Mean,
    Border,
    Picture,
}

impl Scheme {
    fn of(self, activation: Activation) -> Initialization {
        match self {
            Self::Standard => InitializationPair::standard(activation).hidden,
            named => {
                let scheme = named.to_string().parse();
                scheme.expect("all other schemes have the library's names")
            }
        }
    }
}

impl Settings {
    /// The settings in a TOML table.
    pub fn of(table: toml::Table) -> Result<Self> {
        let settings: Self = table.try_into().context("settings")?;
        settings.check().context("settings")?;
        Ok(settings)
    }

    /// Refuses what no fit could be made of, or only one without end.
    fn check(&self) -> Result<()> {
        let ranges = [
            ("side", u64::from(self.side), 1, 1 << 15),
            ("width", u64::from(self.width), 1, 4096),
            ("layers", u64::from(self.layers), 0, 62),
            ("frequencies", u64::from(self.frequencies), 0, 16),
            ("scale", u64::from(self.scale), 0, 64),
            ("footprint", self.footprint as u64, 0, 16),
            ("steps", self.steps, 1, 1_000_000_000),
        ];
        for (name, value, low, high) in ranges {
            ensure!(
                (low..=high).contains(&value),
                "{name} = {value}; give {low} to {high}"
            );
        }
        let rate = self.rate;
        ensure!(
            rate > 0.0 && rate.is_finite(),
            "rate = {rate}; give a number above 0"
        );
        Ok(())
    }

    /// The grid.
    pub fn grid(&self) -> Grid {
        match self.grid {
            GridName::Corner => Grid::CornerAligned,
            GridName::Centre => Grid::PixelCentre,
        }
    }

    /// The network, for models that are one.
    pub fn mlp(&self) -> Mlp {
        let activation = match self.model {
            Model::Relu => Activation::Relu,
            _ => Activation::Sine,
        };
        Mlp {
            activation,
            frequencies: self.frequencies,
            hidden: vec![self.width; self.layers as usize + 1],
            omega_first: self.omega_first,
            omega_hidden: self.omega_hidden,
            grid: self.grid(),
        }
    }

    /// How to train it.
    pub fn recipe(&self, seed: u64) -> FitRecipe {
        let mlp = self.mlp();
        let initialization = InitializationPair {
            first: self.first.of(mlp.activation),
            hidden: self.hidden.of(mlp.activation),
        };
        let batch = match self.batch {
            0 => usize::MAX,
            some => some,
        };
        FitRecipe::new(mlp)
            .initialization(initialization)
            .optimizer(self.optimizer)
            .rate(self.rate)
            .warm_up(self.warm_up)
            .batch(batch)
            .steps(self.steps)
            .seed(seed)
    }

    /// In a few words, for reports.
    pub fn budget(&self) -> String {
        let Self {
            side, width, steps, ..
        } = self;
        let visits = match self.batch {
            0 => self.steps as f64,
            batch => self.steps as f64 * batch as f64 / f64::from(side / self.scale).powi(2),
        };
        match self.model {
            Model::Bicubic | Model::Srgan => format!("{side} px"),
            Model::Pyramid => format!("{side} px, quality {}", self.quality),
            _ => format!(
                "{side} px, {} hidden layers of {width}, {steps} steps, {visits:.1} visits of every pixel",
                self.layers
            ),
        }
    }
}

/// Values of the library's enums as their names.
mod by_name {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'a, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'a>,
    {
        let name = String::deserialize(from)?;
        name.parse().map_err(Error::custom)
    }
}
