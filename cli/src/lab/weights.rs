//! The user's own weights of other networks, for the rows that need them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use inr::fit::PictureTerm;

use super::settings::{Model, Settings};
use super::source::Grey;
use crate::args::LabArgs;

/// The variables that name the files of VGG19 and of SRGAN's generator.
pub const VGG_VARIABLE: &str = "INR_VGG19";
const SRGAN_VARIABLE: &str = "INR_SRGAN";

/// Where weights are, if the user has them.
pub struct Weights {
    vgg: Option<PathBuf>,
    srgan: Option<PathBuf>,
}

/// The file `asked` for, or named by the environment.
pub fn file(asked: Option<&Path>, variable: &str) -> Option<PathBuf> {
    let named = || std::env::var_os(variable).filter(|name| !name.is_empty());
    asked
        .map(Path::to_owned)
        .or_else(|| named().map(PathBuf::from))
}

impl Weights {
    pub fn new(args: &LabArgs) -> Self {
        Self {
            vgg: file(args.vgg_weights.as_deref(), VGG_VARIABLE),
            srgan: file(args.srgan_weights.as_deref(), SRGAN_VARIABLE),
        }
    }

    /// The file that `settings` need, its name for users and how it is given.
    fn needed(&self, settings: &Settings) -> Option<(Option<&Path>, &'static str, &'static str)> {
        if settings.model == Model::Srgan {
            let name =
                "SRGAN's generator (twhui's, leftthomas' or Lornatang's, or one of inr train-sr)";
            return Some((
                self.srgan.as_deref(),
                name,
                "--srgan-weights or in INR_SRGAN",
            ));
        }
        settings.vgg.as_ref()?;
        let name = "torchvision's VGG19";
        Some((self.vgg.as_deref(), name, "--vgg-weights or in INR_VGG19"))
    }

    /// Why a row with `settings` cannot be run.
    pub fn lacking(&self, settings: &Settings) -> Option<String> {
        let (file, name, how) = self.needed(settings)?;
        if cfg!(not(feature = "candle")) {
            return Some(
                "not run: this program was built without candle; build it with --features candle"
                    .into(),
            );
        }
        match file {
            Some(_) => None,
            None => Some(format!(
                "not run: needs weights of {name}, .safetensors or .pth, given with {how}; none come with the program"
            )),
        }
    }

    /// What of a result depends on the weights.
    pub fn key(&self, settings: &Settings) -> String {
        let Some((Some(file), ..)) = self.needed(settings) else {
            return String::new();
        };
        let bytes = std::fs::metadata(file).map_or(0, |data| data.len());
        format!(" weights of {bytes} bytes")
    }
}

#[cfg(feature = "candle")]
impl Weights {
    /// What VGG19's features of `picture` add to a loss.
    pub fn perceptual(&self, settings: &Settings, picture: &Grey) -> Result<Option<PictureTerm>> {
        let (Some(vgg), Some(path)) = (&settings.vgg, &self.vgg) else {
            return Ok(None);
        };
        let options = inr_networks::VggOptions {
            after: vgg.layers.clone(),
            side: (vgg.side > 0).then_some(vgg.side),
            raw: true,
        };
        let (values, size) = (picture.values(), [picture.side as u32; 2]);
        let device = inr::DeviceChoice::Auto;
        let loss = inr_networks::VggLoss::new(path, &values, size, 1, options, device)?;
        Ok(Some(PictureTerm {
            loss: std::sync::Arc::new(loss),
            weight: vgg.weight,
        }))
    }

    /// `small` enlarged by SRGAN's generator.
    pub fn enlarged(&self, small: &Grey, scale: u32) -> Result<Grey> {
        use anyhow::Context;
        use inr::{Depth, Layout, Metadata, Picture};
        use inr_networks::SrOptions;

        let path = self.srgan.as_deref();
        let path = path.context("SRGAN's generator has no weights")?;
        let (side, metadata) = (small.side as u32, Metadata::default());
        let picture = Picture::from_f32(
            side,
            side,
            Layout::Grey,
            Depth::F32,
            &small.samples,
            metadata,
        );
        let picture = picture?;
        let options = SrOptions {
            scale: Some(scale.into()),
            ..SrOptions::default()
        };
        let large = inr_networks::enlarge_srgan(&picture, path, &options, &mut ())?;
        Ok(Grey {
            side: large.width() as usize,
            samples: large.to_f32(),
        })
    }
}

#[cfg(not(feature = "candle"))]
impl Weights {
    /// Nothing: [`Weights::lacking`] has told why.
    pub fn perceptual(&self, _: &Settings, _: &Grey) -> Result<Option<PictureTerm>> {
        Ok(None)
    }

    /// As above.
    pub fn enlarged(&self, _: &Grey, _: u32) -> Result<Grey> {
        anyhow::bail!("this program was built without candle")
    }
}
