//! What the caller asks of the encoder, and what it answers.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use inr_formats::Limits;
use strum::VariantNames;

use crate::error::Error;
use crate::fit::settings::Architecture;
use crate::fit::settings::ranged;
use crate::fit::{NetworkOptions, StopReason};
use crate::options::{setters, unknown_name};

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

/// What counts as a good picture.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase", parse_err_ty = Error, parse_err_fn = unknown_metric)]
pub enum Metric {
    /// Mean square error, and so PSNR.
    Mse,
    /// Structural similarity: coarse structure before the finest detail.
    Ssim,
    /// What viewers notice: coarse structure first, less where the picture is busy, and colour less finely than brightness.
    #[default]
    Perceptual,
}

fn unknown_metric(name: &str) -> Error {
    unknown_name::<Metric>("metric", name)
}

/// How a pyramid is encoded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PyramidOptions {
    /// How long the encoder looks for a smaller file of the same quality, 1..=9; 5 by default.
    pub effort: u8,
    /// What bytes are spent on.
    pub metric: Metric,
    /// Whether the decoder puts noise in the place of the texture that quantisation takes; `false` by default. The result looks
    /// closer to photographs, and is further from them by every sample. The strengths are means over the quiet and over the
    /// busy parts, so a flat part of a noisy picture gets noise too.
    pub grain: bool,
}

impl Default for PyramidOptions {
    fn default() -> Self {
        Self {
            effort: 5,
            metric: Metric::default(),
            grain: false,
        }
    }
}

setters!(PyramidOptions {
    effort: u8,
    metric: Metric,
    grain: bool,
});

/// The kind of field, with its own options.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ModelOptions {
    /// Latent wavelet grids under a cubic spline: local, quick, and the best picture for its bytes. It is encoded on the CPU.
    Pyramid(PyramidOptions),
    /// One coordinate network for the whole picture, for study.
    Network(NetworkOptions),
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self::Pyramid(PyramidOptions::default())
    }
}

impl ModelOptions {
    /// Name of the pyramid, beside those of the networks.
    const PYRAMID: &'static str = "pyramid";

    /// The names of all models.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [Self::PYRAMID]
            .into_iter()
            .chain(Architecture::VARIANTS.iter().copied())
    }
}

impl fmt::Display for ModelOptions {
    /// The model's name.
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Pyramid(_) => formatter.pad(Self::PYRAMID),
            Self::Network(network) => network.architecture.fmt(formatter),
        }
    }
}

impl FromStr for ModelOptions {
    type Err = Error;

    /// The model of this name with its default options.
    fn from_str(name: &str) -> Result<Self, Error> {
        if name == Self::PYRAMID {
            return Ok(Self::default());
        }
        let architecture = name.parse().map_err(|_| Error::Misuse {
            what: format!("unknown model {name:?}"),
            want: "use pyramid, siren, siren-pe, relu or relu-pe",
        })?;
        Ok(NetworkOptions::default().architecture(architecture).into())
    }
}

impl From<PyramidOptions> for ModelOptions {
    fn from(options: PyramidOptions) -> Self {
        Self::Pyramid(options)
    }
}

impl From<NetworkOptions> for ModelOptions {
    fn from(options: NetworkOptions) -> Self {
        Self::Network(options)
    }
}

/// What to encode, and how. Every model keeps to all of it.
///
/// ```
/// use inr::encode::{EncodeOptions, Metric, PyramidOptions, Target};
///
/// let model = PyramidOptions::default().effort(7).metric(Metric::Ssim);
/// let options = EncodeOptions::default().target(Target::Bpp(0.5)).model(model);
/// assert_eq!(options.target, Target::Bpp(0.5));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncodeOptions {
    /// Quality 75 by default.
    pub target: Target,
    /// Kind of field; a pyramid by default.
    pub model: ModelOptions,
    /// Time for the whole encode; what is there when it is spent makes the file. The result then depends on the machine's
    /// speed.
    pub time_budget: Option<Duration>,
    /// CPU threads; all by default. The result is the same for any number.
    pub threads: Option<usize>,
    /// Store a small JPEG preview.
    pub preview: bool,
    /// The quantisation step of the JPEG file that the picture is from, see [`inr_image::PictureFile::jpeg_step`]: pyramids
    /// tell decoders not to enlarge what that added. If `None`, the default, it is estimated from the picture.
    pub jpeg_step: Option<f32>,
    /// What the file may need.
    pub limits: Limits,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            target: Target::Quality(75.0),
            model: ModelOptions::default(),
            time_budget: None,
            threads: None,
            preview: false,
            jpeg_step: None,
            limits: Limits::default(),
        }
    }
}

setters!(EncodeOptions {
    target: Target,
    model: impl Into<ModelOptions>,
    time_budget: impl Into<Option<Duration>>,
    threads: impl Into<Option<usize>>,
    preview: bool,
    jpeg_step: impl Into<Option<f32>>,
    limits: Limits,
});

impl EncodeOptions {
    /// Checks every number.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (name, value, range, want) = match self.target {
            Target::Quality(quality) => ("quality", quality, [0.0, 100.0], "give 0 to 100"),
            Target::Bpp(bpp) => {
                let want = "give a number above 0, such as 0.5";
                ("bits per pixel", bpp, [1e-6, 1e3], want)
            }
            Target::Psnr(psnr) => {
                let want = "give 1 to 200 dB, such as 38";
                ("PSNR", psnr, [1.0, 200.0], want)
            }
            Target::Bytes(bytes) => {
                let want = "give a size above 0, such as 40k";
                ("a size in bytes of", bytes as f64, [1.0, f64::MAX], want)
            }
        };
        ranged(name, Some(value), range, want)?;
        match &self.model {
            ModelOptions::Pyramid(pyramid) => {
                let effort = Some(pyramid.effort.into());
                ranged("effort", effort, [1.0, 9.0], "give 1 to 9")
            }
            ModelOptions::Network(network) => network.check(&self.limits),
        }
    }

    /// The largest file asked for, if one is, for a picture of `pixels`.
    pub(crate) fn byte_limit(&self, pixels: u64) -> Option<u64> {
        match self.target {
            Target::Bytes(bytes) => Some(bytes),
            Target::Bpp(bpp) => Some((bpp * pixels as f64 / 8.0) as u64),
            _ => None,
        }
    }
}

/// An encoded picture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Encoded {
    /// The `.inr` file.
    pub bytes: Vec<u8>,
    /// What it is and how it came about.
    pub report: EncodeReport,
}

/// What encoding gave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncodeReport {
    /// PSNR in dB of the decoded file against the source; infinite when they are equal. Colour errors are weighed by
    /// alpha, see [`crate::metrics`].
    pub psnr: f64,
    /// Bits of the file per source pixel.
    pub bits_per_pixel: f64,
    /// Seconds that it all took.
    pub seconds: f64,
    /// Why the encode ended.
    pub stopped: StopReason,
    /// False when the size or PSNR asked for was not reached; a note says by how much.
    pub target_met: bool,
    /// What the user should know.
    pub notes: Vec<String>,
    /// The network, where the model is one.
    pub network: Option<NetworkReport>,
}

/// A fitted network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkReport {
    /// PSNR in dB before the weights were quantised.
    pub float_psnr: f64,
    /// Weights and biases.
    pub parameters: u64,
    /// Widths of the hidden layers.
    pub hidden: Vec<u32>,
    /// omega0 of the first layer.
    pub omega_first: f32,
    /// Visits of every pixel, fine-tuning included.
    pub epochs: f64,
    /// The device that trained.
    pub device: String,
}
