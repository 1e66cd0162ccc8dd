//! The pictures that the lab works on: grey, square, at the recipe's side.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use inr::Raster;
use inr::colour::LUMA_BT601 as LUMA;
use inr::resample::{self, Filter};
use inr::{Limits, read_picture};

use super::settings::Settings;
use crate::input;

/// Comes with the program, for quick runs without a data folder.
const CAMERA: &[u8] = include_bytes!("camera-64.png");

/// A square grey picture, 0.0..=1.0.
#[derive(Clone)]
pub struct Grey {
    pub side: usize,
    pub samples: Vec<f32>,
}

impl Grey {
    /// For metrics.
    pub fn raster(&self) -> Raster<'_> {
        Raster {
            width: self.side,
            height: self.side,
            channels: 1,
            samples: &self.samples,
        }
    }

    /// Averaged down, or enlarged by bicubic interpolation.
    pub fn resized(&self, side: usize) -> Result<Self> {
        let samples = if side <= self.side {
            resample::box_average(self.raster(), side, side)?
        } else {
            resample::resize(self.raster(), None, side, side, Filter::CatmullRom)?
        };
        Ok(Self { side, samples })
    }

    /// As field values, -1.0..=1.0.
    pub fn values(&self) -> Vec<f32> {
        self.samples.iter().map(|v| v * 2.0 - 1.0).collect()
    }

    /// The same, limited to 0.0..=1.0.
    pub fn clipped(mut self) -> Self {
        self.samples.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        self
    }
}

/// Where pictures come from.
pub struct Sources {
    /// Folder with the recipes' pictures.
    pub data: Option<PathBuf>,
    /// A picture in place of every recipe's.
    pub image: Option<PathBuf>,
    /// Whether the built-in picture may stand in.
    pub quick: bool,
}

impl Sources {
    /// The picture of `settings`, or why there is none.
    pub fn open(&self, settings: &Settings) -> Result<Result<Grey, String>> {
        let path = match (&self.image, &self.data) {
            (Some(image), _) => image.clone(),
            (None, Some(folder)) => folder.join(&settings.image),
            (None, None) if self.quick && settings.image == "camera.png" => {
                return grey(CAMERA, settings).map(Ok);
            }
            (None, None) => {
                return Ok(Err(format!(
                    "not run: needs {}, in a folder named with --data",
                    settings.image
                )));
            }
        };
        if self.image.is_none() && !path.exists() {
            return Ok(Err(format!(
                "not run: {} is not in the data folder",
                settings.image
            )));
        }
        let bytes = read(&path)?;
        grey(&bytes, settings)
            .with_context(|| format!("cannot use {}", path.display()))
            .map(Ok)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    input::read(path, Limits::default().file_bytes)
        .with_context(|| format!("cannot read {}", path.display()))
}

/// The top-left square, grey, at the side asked for.
fn grey(bytes: &[u8], settings: &Settings) -> Result<Grey> {
    let picture = read_picture(bytes, &Limits::default())?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (layout, all) = (picture.layout(), picture.to_f32());
    let (channels, colours) = (layout.channels(), layout.colour_channels());
    let largest = width.min(height);
    let side = match settings.crop as usize {
        0 => largest,
        crop => crop.min(largest),
    };
    let grey = |at: usize| {
        let start = (at / side * width + at % side) * channels;
        match &all[start..start + colours] {
            [grey] => *grey,
            colours => colours.iter().zip(LUMA).map(|(v, w)| v * w).sum(),
        }
    };
    let square = Grey {
        side,
        samples: (0..side * side).map(grey).collect(),
    };
    square.resized((settings.side as usize).max(1))
}
