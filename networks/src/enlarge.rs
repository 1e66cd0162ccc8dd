//! Enlarges pictures with an SRResNet, in tiles without visible seams.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use candle_core::{Result as CandleResult, Tensor};

use super::parameters::Mode;
use super::srresnet::SrResNet;
use crate::device::{candle_device, failed};
use crate::error::Error;
use inr::Raster;
use inr::resample::{self, Filter};
use inr::{Control, Observer, Phase, Progress};
use inr::{DeviceChoice, Layout, Limits, Picture};
use inr_image::colour::LUMA_BT601 as LUMA;
use inr_image::planes::tiles;

/// Options for enlarging a picture with an SRResNet.
#[derive(Clone, Debug)]
pub struct SrOptions {
    /// Output pixels per input pixel along a side, 1.0..=64.0; the network's own scale by default. As in the study, the
    /// network is applied until the picture is at least that large, and the result is averaged down.
    pub scale: Option<f64>,
    /// Side of a tile in small pixels, 16..=4096. Memory grows with it; the result does not depend on it.
    pub tile: usize,
    /// Device to compute on.
    pub device: DeviceChoice,
    /// Limits on the size of the result.
    pub limits: Limits,
}

impl Default for SrOptions {
    fn default() -> Self {
        Self {
            scale: None,
            tile: 192,
            device: DeviceChoice::Auto,
            limits: Limits::default(),
        }
    }
}

/// Side of the tiles for the tail of the network, in small pixels.
const TAIL_TILE: usize = 64;

/// Enlarges `picture` with the SRResNet in the user's file `weights` (`.safetensors` or `.pth`, with the tensor names
/// of twhui, leftthomas, Lornatang or `inr train-sr`). The network computes the colours. Grey pictures stay grey, alpha
/// is enlarged by bicubic interpolation, and the other properties of the picture are unchanged.
///
/// # Errors
/// [`Error::Weights`] for files that do not hold such a network, [`inr::Error::Misuse`] for options out of range,
/// [`inr::Error::OverLimit`] for a result above the limit of pixels, [`inr::Error::Device`], and
/// [`inr::Error::Cancelled`].
pub fn enlarge_srgan(
    picture: &Picture,
    weights: &Path,
    options: &SrOptions,
    observer: &mut dyn Observer,
) -> Result<Picture, Error> {
    let device = candle_device(options.device)?;
    SrResNet::open(weights, &device)?.enlarge(picture, options, observer)
}

/// The colours of a picture: three planes of this width and height.
pub(super) struct Planes {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) samples: Vec<f32>,
}

impl SrResNet {
    /// Implements [`enlarge_srgan`].
    pub(super) fn enlarge(
        &self,
        picture: &Picture,
        options: &SrOptions,
        observer: &mut dyn Observer,
    ) -> Result<Picture, Error> {
        let own = f64::from(self.shape.scale());
        let scale = options.scale.unwrap_or(own);
        if !(1.0..=64.0).contains(&scale) || !(16..=4096).contains(&options.tile) {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!("a scale of {scale} in tiles of {}", options.tile),
                want: "give a scale of 1 to 64 and tiles of 16 to 4096 pixels",
            }));
        }
        let mut passes = 1;
        while own.powi(passes) < scale - 1e-9 {
            passes += 1;
        }
        let largest = picture.pixels() as f64 * own.powi(2 * passes);
        if largest > options.limits.pixels as f64 {
            return Err(Error::Field(inr::Error::OverLimit {
                what: "the enlarged picture, in pixels,",
                asked: largest as u64,
                limit: options.limits.pixels,
            }));
        }
        let side = |side: u32| ((f64::from(side) * scale).round() as usize).max(1);
        let (width, height) = (side(picture.width()), side(picture.height()));
        let mut planes = Planes::of(picture);
        let started = Instant::now();
        for pass in 0..passes {
            let mut tell = |step: usize, steps: usize| {
                let share = (pass as f64 + step as f64 / steps as f64) / passes as f64;
                let progress = Progress::new(Phase::Enlarge, share, started);
                match observer.progress(&progress) {
                    Control::Continue => Ok(()),
                    _ => Err(Error::Field(inr::Error::Cancelled)),
                }
            };
            planes = self.pass(&planes, options.tile, &mut tell)?;
        }
        planes.resized(width, height)?.into_picture(picture)
    }

    /// Applies the network once.
    pub(super) fn pass(
        &self,
        planes: &Planes,
        tile: usize,
        tell: &mut dyn FnMut(usize, usize) -> Result<(), Error>,
    ) -> Result<Planes, Error> {
        let scale = self.shape.scale() as usize;
        let mut out = Planes {
            width: planes.width * scale,
            height: planes.height * scale,
            samples: vec![0.0; planes.samples.len() * scale * scale],
        };
        let tiles = tiles(&[0..planes.width, 0..planes.height], tile);
        for (index, [columns, rows]) in tiles.iter().enumerate() {
            tell(index, tiles.len())?;
            self.tile(planes, columns, rows, &mut out)
                .map_err(|error| failed(&self.device, error))?;
        }
        tell(tiles.len(), tiles.len())?;
        Ok(out)
    }

    /// Computes the output for small pixels `columns` x `rows`. Each half of the network gets a margin as wide as its
    /// receptive field, so that the result is the same as for the whole picture.
    fn tile(
        &self,
        planes: &Planes,
        columns: &Range<usize>,
        rows: &Range<usize>,
        out: &mut Planes,
    ) -> CandleResult<()> {
        let (whole, scale) = ([planes.width, planes.height], self.shape.scale() as usize);
        let tail = self.shape.reach_of_tail();
        let [body_x, body_y] = [wider(columns, tail, whole[0]), wider(rows, tail, whole[1])];
        let reach = self.shape.reach_of_body();
        let [seen_x, seen_y] = [
            wider(&body_x, reach, whole[0]),
            wider(&body_y, reach, whole[1]),
        ];
        let x = planes.part(&seen_x, &seen_y, self)?;
        let x = self.body(&x, &mut Mode::Apply)?;
        let x = x
            .narrow(2, body_y.start - seen_y.start, body_y.len())?
            .narrow(3, body_x.start - seen_x.start, body_x.len())?;
        for [inner_x, inner_y] in tiles(&[0..columns.len(), 0..rows.len()], TAIL_TILE) {
            let place = |inner: &Range<usize>, tile: &Range<usize>| {
                tile.start + inner.start..tile.start + inner.end
            };
            let [own_x, own_y] = [place(&inner_x, columns), place(&inner_y, rows)];
            let [tail_x, tail_y] = [wider(&own_x, tail, whole[0]), wider(&own_y, tail, whole[1])];
            let part = x
                .narrow(2, tail_y.start - body_y.start, tail_y.len())?
                .narrow(3, tail_x.start - body_x.start, tail_x.len())?
                .contiguous()?;
            let y = self
                .tail(&part)?
                .narrow(2, (own_y.start - tail_y.start) * scale, own_y.len() * scale)?
                .narrow(3, (own_x.start - tail_x.start) * scale, own_x.len() * scale)?
                .flatten_all()?
                .to_vec1::<f32>()?;
            for (row, samples) in y.chunks_exact(own_x.len() * scale).enumerate() {
                let (plane, row) = (row / (own_y.len() * scale), row % (own_y.len() * scale));
                let line = plane * out.height + own_y.start * scale + row;
                let start = line * out.width + own_x.start * scale;
                out.samples[start..][..samples.len()].copy_from_slice(samples);
            }
        }
        Ok(())
    }
}

/// Extends `range` by `more` on both sides, within `0..side`.
fn wider(range: &Range<usize>, more: usize, side: usize) -> Range<usize> {
    range.start.saturating_sub(more)..(range.end + more).min(side)
}

impl Planes {
    /// The colours of `picture`; a grey channel is repeated three times.
    pub(super) fn of(picture: &Picture) -> Self {
        let (channels, colours) = (
            picture.layout().channels(),
            picture.layout().colour_channels(),
        );
        let all = picture.to_f32();
        let plane = |colour: usize| all.iter().skip(colour.min(colours - 1)).step_by(channels);
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            samples: (0..3).flat_map(plane).copied().collect(),
        }
    }

    /// Cuts out a part as input of the network.
    fn part(
        &self,
        columns: &Range<usize>,
        rows: &Range<usize>,
        network: &SrResNet,
    ) -> CandleResult<Tensor> {
        let mut part = Vec::with_capacity(3 * columns.len() * rows.len());
        for plane in self.samples.chunks_exact(self.width * self.height) {
            for line in plane
                .chunks_exact(self.width)
                .take(rows.end)
                .skip(rows.start)
            {
                part.extend_from_slice(&line[columns.clone()]);
            }
        }
        Tensor::from_vec(part, (1, 3, rows.len(), columns.len()), &network.device)
    }

    /// Interleaved samples, shape `[height, width, 3]`.
    pub(crate) fn interleaved(&self) -> Vec<f32> {
        let pixels = self.width * self.height;
        let pixel = |at: usize| [0, 1, 2].map(|plane| self.samples[plane * pixels + at]);
        (0..pixels).flat_map(pixel).collect()
    }

    /// Averages down to this size.
    fn resized(self, width: usize, height: usize) -> Result<Self, Error> {
        if (width, height) == (self.width, self.height) {
            return Ok(self);
        }
        let mut samples = Vec::with_capacity(3 * width * height);
        for plane in self.samples.chunks_exact(self.width * self.height) {
            let raster = Raster {
                width: self.width,
                height: self.height,
                channels: 1,
                samples: plane,
            };
            samples.extend(resample::box_average(raster, width, height)?);
        }
        Ok(Self {
            width,
            height,
            samples,
        })
    }

    /// Builds the enlarged picture; all properties except size and samples are those of `source`.
    fn into_picture(self, source: &Picture) -> Result<Picture, Error> {
        let layout = source.layout();
        let alpha = match layout.has_alpha() {
            true => Some(self.alpha(source)?),
            false => None,
        };
        let pixels = self.width * self.height;
        let mut samples = Vec::with_capacity(pixels * layout.channels());
        for at in 0..pixels {
            let colours = [0, 1, 2].map(|plane| self.samples[plane * pixels + at].clamp(0.0, 1.0));
            match layout {
                Layout::Grey | Layout::GreyAlpha => {
                    let luma = colours.iter().zip(LUMA).map(|(v, w)| v * w);
                    samples.push(luma.sum());
                }
                Layout::Rgb | Layout::Rgba => samples.extend(colours),
            }
            samples.extend(alpha.as_ref().map(|alpha| alpha[at]));
        }
        Ok(Picture::from_f32(
            self.width as u32,
            self.height as u32,
            layout,
            source.depth(),
            &samples,
            source.metadata().clone(),
        )?)
    }

    /// Resizes the alpha of `source` to this size.
    fn alpha(&self, source: &Picture) -> Result<Vec<f32>, Error> {
        let channels = source.layout().channels();
        let all = source.to_f32();
        let alpha: Vec<f32> = all
            .into_iter()
            .skip(channels - 1)
            .step_by(channels)
            .collect();
        let raster = Raster {
            width: source.width() as usize,
            height: source.height() as usize,
            channels: 1,
            samples: &alpha,
        };
        let mut alpha =
            resample::resize(raster, None, self.width, self.height, Filter::CatmullRom)?;
        alpha.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        Ok(alpha)
    }
}
