//! The kinds and shapes of networks that a file can hold; their weights are [`crate::LayerData`].

use crate::error::FormatError;
use crate::limits::{Limits, within};

/// Maximum number of positional-encoding frequencies. At 16 the highest frequency is sin(2^15 pi x), whose phase an
/// `f32` coordinate still resolves to 0.01 rad.
const MAX_FREQUENCIES: u8 = 16;

/// The function after each hidden layer.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Activation {
    /// sin(W x + b), omega folded into W and b.
    Sine,
    /// max(0, W x + b).
    Relu,
}

/// How sample indices become coordinates.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Grid {
    /// Sample i of n at (2 i + 1 - n) / max(width, height): the longer side spans -1..1 from edge to edge.
    PixelCentre,
    /// Sample i of n at 2 i / (n - 1) - 1 on each axis separately, and at 0 when n is 1.
    CornerAligned,
}

/// A multilayer perceptron that maps a coordinate to the channels of one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// Activation of every hidden layer; the last layer is linear.
    pub activation: Activation,
    /// Frequencies L of the positional encoding, 0..=16. With 0 the inputs are x, y; else x, y and then for each i in
    /// 0..L: sin(2^i pi x), sin(2^i pi y), cos(2^i pi x), cos(2^i pi y).
    pub frequencies: u8,
    /// Width of each hidden layer, first to last, each at least 1.
    pub hidden: Vec<u32>,
    /// Omega used for the first layer in training; already included in the stored weights.
    pub omega_first: f32,
    /// Omega used for the other hidden layers in training; already included in the stored weights.
    pub omega_hidden: f32,
    /// Positions of the samples of the picture.
    pub grid: Grid,
}

impl Mlp {
    /// Number of inputs of the first layer: 2 + 4 L.
    pub fn inputs(&self) -> usize {
        2 + 4 * usize::from(self.frequencies)
    }

    /// Shape of each layer's matrix as (outputs, inputs), first to last, for `outputs` channels.
    pub fn layer_shapes(&self, outputs: usize) -> Vec<(usize, usize)> {
        let mut inputs = self.inputs();
        let widths = self
            .hidden
            .iter()
            .map(|&width| width as usize)
            .chain([outputs]);
        widths
            .map(|width| (width, std::mem::replace(&mut inputs, width)))
            .collect()
    }

    /// Number of weights and biases of all layers for `outputs` channels; saturates at `u64::MAX`.
    pub fn parameters(&self, outputs: usize) -> u64 {
        self.layer_shapes(outputs)
            .into_iter()
            .fold(0_u64, |sum, (rows, columns)| {
                let layer = (rows as u64).saturating_mul((columns as u64).saturating_add(1));
                sum.saturating_add(layer)
            })
    }

    /// Checks the fields, and the size of the network for `outputs` channels.
    ///
    /// # Errors
    /// [`FormatError::Field`] and [`FormatError::OverLimit`].
    pub(crate) fn check(&self, outputs: usize, limits: &Limits) -> Result<(), FormatError> {
        within(
            "layers of the network",
            self.hidden.len() as u64 + 1,
            u64::from(limits.layers),
        )?;
        within(
            "positional frequencies",
            u64::from(self.frequencies),
            u64::from(MAX_FREQUENCIES),
        )?;
        for &width in &self.hidden {
            if width == 0 {
                return Err(FormatError::Field {
                    field: "model.hidden",
                    found: String::from("0"),
                    wanted: "at least 1",
                });
            }
            within(
                "width of a hidden layer",
                u64::from(width),
                u64::from(limits.width),
            )?;
        }
        for (field, omega) in [
            ("model.omega_first", self.omega_first),
            ("model.omega_hidden", self.omega_hidden),
        ] {
            if !omega.is_finite() {
                return Err(FormatError::Field {
                    field,
                    found: omega.to_string(),
                    wanted: "a finite number",
                });
            }
        }
        let bytes = self.parameters(outputs).saturating_mul(4);
        within("bytes of the weights", bytes, limits.decompressed_bytes)
    }
}

/// The kind of network, with its shape. Later versions may add kinds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Model {
    /// A multilayer perceptron.
    Mlp(Mlp),
    /// Latent grids, without weights of its own: see [`crate::Latents`].
    Pyramid,
}

impl Model {
    /// Shape of each layer's matrix as (outputs, inputs), first to last, for `outputs` channels.
    pub fn layer_shapes(&self, outputs: usize) -> Vec<(usize, usize)> {
        match self {
            Self::Mlp(mlp) => mlp.layer_shapes(outputs),
            Self::Pyramid => Vec::new(),
        }
    }

    pub(crate) fn check(&self, outputs: usize, limits: &Limits) -> Result<(), FormatError> {
        match self {
            Self::Mlp(mlp) => mlp.check(outputs, limits),
            Self::Pyramid => Ok(()),
        }
    }
}
