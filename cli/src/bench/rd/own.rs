//! This program's own encoders as codecs. Names, efforts, qualities and options are known here and nowhere else.

use std::ops::RangeInclusive;
use std::time::Instant;

use anyhow::Result;
use inr::encode::{Metric, ModelOptions, PyramidOptions};
use inr::{
    Control, EncodeOptions, InrPicture, Limits, Observer, Picture, Progress, RenderOptions, Target,
};

use super::coded::Coded;
use crate::failure::bad_arguments;
use crate::progress;

/// The one that is compared unless the user says otherwise, the default of `inr encode`.
pub const DEFAULT: &str = "pyramid";

/// The same, aiming at PSNR.
const MSE: &str = "pyramid-mse";

/// Qualities from about 0.1 bits per pixel up to the largest files that the encoder writes.
pub const QUALITIES: [u32; 10] = [5, 15, 25, 35, 45, 55, 65, 75, 85, 92];

/// An encoder by name, such as `siren`; with an effort `name:effort` where the encoder has efforts.
pub struct Own {
    name: String,
    model: ModelOptions,
    effort: Option<u8>,
}

/// The efforts that a model offers.
fn efforts(model: &ModelOptions) -> Option<RangeInclusive<u8>> {
    matches!(model, ModelOptions::Pyramid(_)).then_some(1..=9)
}

impl Own {
    /// Every name without effort.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ModelOptions::names().chain([MSE])
    }

    /// The encoder called `name`; `None` when there is none.
    pub fn find(name: &str) -> Result<Option<Self>> {
        let (kind, effort) = match name.split_once(':') {
            Some((kind, effort)) => (kind, Some(effort)),
            None => (name, None),
        };
        let model = match kind {
            MSE => PyramidOptions::default().metric(Metric::Mse).into(),
            _ => match kind.parse::<ModelOptions>() {
                Ok(model) => model,
                Err(_) => return Ok(None),
            },
        };
        let effort = effort.map(|text| effort_of(&model, text)).transpose()?;
        Ok(Some(Self {
            name: name.to_owned(),
            model,
            effort,
        }))
    }

    /// The name it was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All that its files depend on, in one line.
    pub fn description(&self) -> String {
        let effort = self
            .effort
            .map_or_else(String::new, |effort| format!(" --effort {effort}"));
        let version = env!("CARGO_PKG_VERSION");
        let metric = match &self.model {
            ModelOptions::Pyramid(pyramid) => format!(" --metric {}", pyramid.metric),
            _ => String::new(),
        };
        format!("inr {version}: --model {}{metric}{effort}", self.model)
    }

    fn options(&self, quality: u32) -> EncodeOptions {
        let mut model = self.model.clone();
        if let (ModelOptions::Pyramid(pyramid), Some(effort)) = (&mut model, self.effort) {
            pyramid.effort = effort;
        }
        let target = Target::Quality(f64::from(quality));
        EncodeOptions::default()
            .target(target)
            .threads(1)
            .model(model)
    }

    /// Encodes and decodes `picture`.
    pub fn code(&self, picture: &Picture, quality: u32) -> Result<Coded> {
        let started = Instant::now();
        let encoded = inr::encode(picture, &self.options(quality), &mut Quiet)?;
        let encode = started.elapsed();
        let started = Instant::now();
        let options = RenderOptions::default().threads(1);
        let decoded =
            InrPicture::open(&encoded.bytes, &Limits::default())?.render(&options, &mut ())?;
        Ok(Coded {
            bytes: encoded.bytes.len() as u64,
            encode,
            decode: started.elapsed(),
            decoded: decoded.picture,
        })
    }
}

fn effort_of(model: &ModelOptions, text: &str) -> Result<u8> {
    let Some(efforts) = efforts(model) else {
        let what = format!("{model} has no efforts, but {text:?} was asked for");
        return Err(bad_arguments(what, format!("name it {model}")));
    };
    let effort = text.parse().ok().filter(|effort| efforts.contains(effort));
    effort.ok_or_else(|| {
        let what = format!("unknown effort {text:?} of {model}");
        let (lowest, highest) = (efforts.start(), efforts.end());
        bad_arguments(what, format!("give {lowest} to {highest}"))
    })
}

/// Ends the fit on Ctrl-C and says nothing.
struct Quiet;

impl Observer for Quiet {
    fn progress(&mut self, _: &Progress) -> Control {
        if progress::interrupted() {
            Control::Abort
        } else {
            Control::Continue
        }
    }
}
