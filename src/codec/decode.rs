//! An opened `.inr` file and its renders.

use inr_formats::{Depth, InrFile, Layout, Limits, Model};

use super::region::{
    OutputSize, Region, check_positions, checked_region, output_size, surroundings,
};
use super::rows::{SampleMap, heard};
use super::{enlarge, trust};
use crate::coords::CoordinateMap;
use crate::device::DeviceChoice;
use crate::metrics::Raster;
use crate::net::Network;
use crate::picture::{Metadata, Picture};
use crate::pyramid::Pyramid;
use crate::render::{Backend, Evaluator, TILE, Viewport};
use crate::resample::{self, Filter};
use crate::{Error, FormatError};

/// Multiply-adds of a pyramid per evaluation, about.
const PYRAMID_WORK: u64 = 200;

/// How pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The field, sampled at the output's pixel centres.
    Inr,
    /// Bicubic (Catmull-Rom) from the native render.
    Bicubic,
    /// Lanczos with three lobes from the native render.
    Lanczos,
    /// A network that has learnt to enlarge, fitted so that its result, reduced, is the native render.
    Network,
    /// Enlargements as the file advises, else by the field where that is trustworthy, else bicubic.
    #[default]
    Auto,
}

/// What to render.
#[derive(Clone, Debug, Default)]
pub struct RenderOptions {
    /// Size of the output; of the region, if there is one.
    pub size: OutputSize,
    /// The part of the picture to render; all of it by default.
    pub region: Option<Region>,
    /// Samples of the output; the source's by default.
    pub depth: Option<Depth>,
    /// How pixels are made.
    pub method: Method,
    /// Threads to use; all by default. The result is the same for any number.
    pub threads: Option<usize>,
    /// Where the field is evaluated; `Auto` renders on the CPU.
    pub device: DeviceChoice,
    /// What the render may cost.
    pub limits: Limits,
}

/// A render and how it came about.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The picture, with the source's metadata.
    pub picture: Picture,
    /// The method used; never [`Method::Auto`].
    pub method: Method,
    /// Why that method, in a few words.
    pub why: String,
}

/// An opened `.inr` file.
#[derive(Clone, Debug)]
pub struct InrPicture {
    pub(super) file: InrFile,
    pub(super) field: Field,
    bytes: u64,
}

/// What turns positions into samples.
#[derive(Clone, Debug)]
pub(super) enum Field {
    Network(Network),
    Pyramid(Pyramid),
}

impl InrPicture {
    /// Opens the file in `bytes`.
    ///
    /// # Errors
    /// [`Error::Format`] naming the chunk and the byte where the file is damaged, lies, or exceeds `limits`.
    pub fn open(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::of(InrFile::read(bytes, limits)?, bytes)
    }

    /// Opens what is left of a file that was cut off: a pyramid's coarse levels, as far as they arrived.
    ///
    /// # Errors
    /// As [`InrPicture::open`], when nothing that could be rendered has arrived.
    pub fn open_partial(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::of(InrFile::read_partial(bytes, limits)?, bytes)
    }

    fn of(file: InrFile, bytes: &[u8]) -> Result<Self, Error> {
        let field = match (&file.header.model, &file.latents) {
            (Model::Mlp(mlp), _) => {
                let channels = file.header.layout.channels();
                Field::Network(Network::from_layers(mlp, channels, &file.layers)?)
            }
            (Model::Pyramid, Some(latents)) => Field::Pyramid(Pyramid::new(latents.clone())),
            (other, _) => return Err(unsupported(other)),
        };
        Ok(Self {
            file,
            field,
            bytes: bytes.len() as u64,
        })
    }

    /// Width of the source in pixels.
    pub fn width(&self) -> u32 {
        self.file.header.width
    }

    /// Height of the source in pixels.
    pub fn height(&self) -> u32 {
        self.file.header.height
    }

    /// Channels of the source.
    pub fn layout(&self) -> Layout {
        self.file.header.layout
    }

    /// Sample type of the source.
    pub fn depth(&self) -> Depth {
        self.file.header.depth
    }

    /// Everything the file holds.
    pub fn file(&self) -> &InrFile {
        &self.file
    }

    /// The network, for models that are one.
    pub fn network(&self) -> Option<&Network> {
        match &self.field {
            Field::Network(network) => Some(network),
            Field::Pyramid(_) => None,
        }
    }

    /// Length of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Profile, Exif, XMP and code points, as the source had them.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            icc: self.file.icc.clone(),
            exif: self.file.exif.clone(),
            xmp: self.file.xmp.clone(),
            cicp: self.file.header.cicp,
        }
    }

    /// Samples of the field at `positions`, shape `[n, 2]`: x, y in source pixels from the top left corner, so that the
    /// first pixel's centre is at (0.5, 0.5). Returns shape `[n, channels]`: encoded samples, clamped to 0.0..=1.0 unless
    /// the source is floating-point. Outside the picture pyramids go on mirrored, networks as they may.
    ///
    /// # Errors
    /// [`Error::Format`] when latents turn out damaged, [`Error::Misuse`] for positions more than a million pixels outside
    /// the picture or not finite.
    pub fn sample(&self, positions: &[[f64; 2]]) -> Result<Vec<f32>, Error> {
        check_positions(positions, &self.file.header)?;
        let map = self.map();
        let decode = SampleMap::new(&self.file.header);
        let mut out = vec![0.0; positions.len() * decode.channels];
        let network = match &self.field {
            Field::Network(network) => network,
            Field::Pyramid(pyramid) => {
                let values = pyramid.at(positions, [0, 0])?;
                let pixels = values.chunks_exact(decode.channels);
                for (values, out) in pixels.zip(out.chunks_exact_mut(decode.channels)) {
                    let values: Vec<f32> = values.iter().map(|v| v * 2.0 - 1.0).collect();
                    decode.row(&values, out, |sample| sample);
                }
                return Ok(out);
            }
        };
        let mut evaluator = Evaluator::new(network, Backend::detect());
        let parts = positions
            .chunks(TILE)
            .zip(out.chunks_mut(TILE * decode.channels));
        for (positions, out) in parts {
            let x: Vec<f32> = positions.iter().map(|[x, _]| map.x(*x)).collect();
            let y: Vec<f32> = positions.iter().map(|[_, y]| map.y(*y)).collect();
            let rows = evaluator.evaluate(&x, &y).chunks_exact(TILE);
            let values: Vec<f32> = rows.flat_map(|row| &row[..x.len()]).copied().collect();
            decode.row(&values, out, |sample| sample);
        }
        Ok(out)
    }

    /// Renders what `options` ask for. Pixel `j` of `m` covers the `j`-th `m`-th of the region; nothing shifts with the
    /// scale. Reduced sizes integrate over each pixel's footprint.
    ///
    /// # Errors
    /// [`Error::Misuse`] for sizes and regions that make no sense, [`Error::OverLimit`] for renders beyond the limits,
    /// [`Error::Device`] for an absent device.
    pub fn render(&self, options: &RenderOptions) -> Result<Rendered, Error> {
        self.render_watched(options, |_| Ok(()))
    }

    /// As [`InrPicture::render`]: `watch` hears several times a second, on this thread, which share of the work is done, 0 to
    /// 1, and ends the render with an error.
    ///
    /// # Errors
    /// As [`InrPicture::render`], and what `watch` returns.
    pub fn render_watched<E: From<Error>>(
        &self,
        options: &RenderOptions,
        watch: impl FnMut(f64) -> Result<(), E>,
    ) -> Result<Rendered, E> {
        let viewport = self.viewport(options)?;
        let (method, why) = self.choose(options, &viewport)?;
        let filter = match method {
            Method::Bicubic => Some(Filter::CatmullRom),
            Method::Lanczos => Some(Filter::Lanczos3),
            Method::Inr | Method::Network | Method::Auto => None,
        };
        let picture = match filter {
            Some(filter) => self.resampled(options, &viewport, filter, watch)?,
            None => self.field(options, &viewport, watch)?,
        };
        Ok(Rendered {
            picture,
            method,
            why,
        })
    }

    /// The size of the render that `options` ask for, and the method that [`InrPicture::render`] would take and why.
    ///
    /// # Errors
    /// As [`InrPicture::render`].
    pub fn plan(&self, options: &RenderOptions) -> Result<([u32; 2], Method, String), Error> {
        let viewport = self.viewport(options)?;
        let (method, why) = self.choose(options, &viewport)?;
        Ok((viewport.size, method, why))
    }

    fn choose(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
    ) -> Result<(Method, String), Error> {
        let enlarges = viewport.pitch().iter().any(|&pitch| pitch < 1.0);
        if self.by_network(options.method, viewport) {
            let why = match options.method {
                Method::Auto => "as the file advises",
                _ => "as asked",
            };
            return Ok((Method::Network, why.into()));
        }
        Ok(match options.method {
            Method::Auto | Method::Network if !enlarges => {
                (Method::Inr, "nothing is enlarged".into())
            }
            Method::Network => {
                let why = "the network only enlarges, by 64 at most";
                (Method::Inr, why.into())
            }
            Method::Auto => {
                let Field::Network(network) = &self.field else {
                    return Ok((Method::Inr, "a spline through decoded samples".into()));
                };
                let verdict = trust::judge(self, network, viewport);
                let method = if verdict.trusted() {
                    Method::Inr
                } else {
                    Method::Bicubic
                };
                (method, verdict.to_string())
            }
            asked => (asked, "as asked".into()),
        })
    }

    pub(super) fn viewport(&self, options: &RenderOptions) -> Result<Viewport, Error> {
        let header = &self.file.header;
        let region = checked_region(options.region, header)?;
        let size = output_size(options.size, &region)?;
        let pixels = u64::from(size[0]) * u64::from(size[1]);
        within(
            "the render, in pixels,",
            pixels,
            options.limits.render_pixels,
        )?;
        let viewport = Viewport {
            region,
            size,
            sampling: header.sampling,
        };
        let mut work = viewport.evaluations().saturating_mul(match &self.field {
            Field::Network(network) => network.multiply_adds(),
            Field::Pyramid(_) => PYRAMID_WORK,
        });
        if self.by_network(options.method, &viewport) {
            work = work.saturating_add(pixels.saturating_mul(enlarge::WORK));
        }
        within(
            "the render, in multiply-adds,",
            work,
            options.limits.multiply_adds,
        )?;
        Ok(viewport)
    }

    pub(crate) fn map(&self) -> CoordinateMap {
        let Model::Mlp(mlp) = &self.file.header.model else {
            return CoordinateMap::new(self.width(), self.height(), inr_formats::Grid::PixelCentre);
        };
        CoordinateMap::new(self.width(), self.height(), mlp.grid)
    }

    pub(super) fn field<E: From<Error>>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        watch: impl FnMut(f64) -> Result<(), E>,
    ) -> Result<Picture, E> {
        let [width, height] = viewport.size;
        let samples = heard(self.units(options, viewport), watch, |pulse| {
            self.field_rows(options, viewport, 0..height, pulse)
        })?;
        let layout = self.file.header.layout;
        let made = Picture::new(width, height, layout, samples, self.metadata());
        Ok(made.map_err(Error::from)?)
    }

    /// The native render of the region and its surroundings, resampled.
    fn resampled<E: From<Error>>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        filter: Filter,
        watch: impl FnMut(f64) -> Result<(), E>,
    ) -> Result<Picture, E> {
        let header = &self.file.header;
        let (crop, region) = surroundings(viewport, header);
        let native = self.field(
            &RenderOptions {
                depth: Some(Depth::F32),
                ..options.clone()
            },
            &crop,
            watch,
        )?;
        let source = native.to_f32();
        let raster = Raster {
            width: crop.size[0] as usize,
            height: crop.size[1] as usize,
            channels: header.layout.channels(),
            samples: &source,
        };
        let [width, height] = viewport.size;
        let samples = resample::resize(
            raster,
            Some(region),
            width as usize,
            height as usize,
            filter,
        )?;
        let depth = options.depth.unwrap_or(header.depth);
        let made = Picture::from_f32(
            width,
            height,
            header.layout,
            depth,
            &samples,
            self.metadata(),
        );
        Ok(made.map_err(Error::from)?)
    }
}

fn unsupported(model: &Model) -> Error {
    Error::Misuse {
        what: format!("model {model:?} is not rendered by this version"),
        want: "use a newer version",
    }
}

pub(super) fn within(what: &'static str, asked: u64, limit: u64) -> Result<(), Error> {
    if asked > limit {
        return Err(FormatError::OverLimit { what, asked, limit }.into());
    }
    Ok(())
}
