//! Renders of opened files.

use inr_formats::Depth;
use inr_image::resample::{self, Filter};
use inr_image::{Picture, Raster};

use super::picture::{Field, InrPicture, Method, RenderOptions, Rendered, within};
use super::rows::heard;
use super::{enlarge, trust};
use crate::error::Error;
use crate::field::network::Viewport;
use crate::field::region::{checked_region, output_size, surroundings};

/// Multiply-adds of a pyramid per evaluation, about.
const PYRAMID_WORK: u64 = 200;

impl InrPicture {
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

    pub(super) fn field<E: From<Error>>(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
        watch: impl FnMut(f64) -> Result<(), E>,
    ) -> Result<Picture, E> {
        let [width, height] = viewport.size;
        let samples = heard(self.units(options, viewport), watch, |job| {
            self.field_rows(options, viewport, 0..height, job)
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
        )
        .map_err(Error::from)?;
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
