//! Renders of opened files: which method makes them, and whole pictures.

use inr_image::Picture;

use super::picture::{Field, InrPicture, RenderMethod, RenderOptions, Rendered, within};
use super::trust;
use crate::error::Error;
use crate::field::network::Viewport;
use crate::field::region::{output_size, region_within};
use crate::progress::{Meter, Observer, Phase};

/// Multiply-adds of a pyramid per evaluation, about.
const PYRAMID_WORK: u64 = 200;
/// Multiply-adds of the trunk per pixel of the source.
const DETAIL_WORK: u64 = 200_000;

impl InrPicture {
    /// Renders what `options` ask for. Pixel `j` of `m` covers the `j`-th `m`-th of the region; nothing shifts with the
    /// scale. Reduced sizes integrate over each pixel's footprint. [`InrPicture::render_into`] and
    /// [`InrPicture::render_bands`] give the same pixels.
    ///
    /// # Errors
    /// [`Error::Misuse`] for sizes and regions that make no sense, [`Error::OverLimit`] for renders beyond the limits,
    /// [`Error::Device`] for an absent device, [`Error::Cancelled`] when `observer` ends the render.
    pub fn render(
        &self,
        options: &RenderOptions,
        observer: &mut dyn Observer,
    ) -> Result<Rendered, Error> {
        let viewport = self.viewport(options)?;
        let (method, why) = self.choose(options, &viewport)?;
        let [width, height] = viewport.size;
        let units = self.units(method, &viewport);
        let samples = Meter::new(observer).part(Phase::Render, 1.0, units, |job| {
            self.samples(options, method, &viewport, 0..height, job)
        })?;
        let layout = self.layout();
        Ok(Rendered {
            picture: Picture::new(width, height, layout, samples, self.metadata())?,
            method,
            why,
        })
    }

    /// The size of the render that `options` ask for, and the method that [`InrPicture::render`] would take and why.
    ///
    /// # Errors
    /// As [`InrPicture::render`].
    pub fn plan(&self, options: &RenderOptions) -> Result<([u32; 2], RenderMethod, String), Error> {
        let viewport = self.viewport(options)?;
        let (method, why) = self.choose(options, &viewport)?;
        Ok((viewport.size, method, why))
    }

    pub(super) fn choose(
        &self,
        options: &RenderOptions,
        viewport: &Viewport,
    ) -> Result<(RenderMethod, String), Error> {
        let enlarges = viewport.pitch().iter().any(|&pitch| pitch < 1.0);
        if self.has_detail(options.method, viewport) {
            let why = match options.method {
                RenderMethod::Auto => {
                    "the spline through decoded samples, with the detail that training expects"
                }
                _ => "as asked",
            };
            return Ok((RenderMethod::Network, why.into()));
        }
        Ok(match options.method {
            RenderMethod::Auto | RenderMethod::Network if !enlarges => {
                (RenderMethod::Inr, "nothing is enlarged".into())
            }
            RenderMethod::Network => {
                let why = "the trained network enlarges pyramids, along both axes";
                (RenderMethod::Inr, why.into())
            }
            RenderMethod::Auto => {
                let Field::Network(network) = &self.field else {
                    return Ok((RenderMethod::Inr, "a spline through decoded samples".into()));
                };
                let verdict = trust::judge(self, network, viewport);
                let method = if verdict.trusted() {
                    RenderMethod::Inr
                } else {
                    RenderMethod::Bicubic
                };
                (method, verdict.to_string())
            }
            asked => (asked, "as asked".into()),
        })
    }

    /// Whether the trained trunk adds detail to a render by `method`.
    pub(super) fn has_detail(&self, method: RenderMethod, viewport: &Viewport) -> bool {
        let wanted = matches!(method, RenderMethod::Network | RenderMethod::Auto);
        let pitch = viewport.pitch();
        let enlarges = pitch.iter().all(|&pitch| pitch <= 1.0) && pitch != [1.0; 2];
        wanted && enlarges && matches!(self.field, Field::Pyramid(_))
    }

    pub(super) fn viewport(&self, options: &RenderOptions) -> Result<Viewport, Error> {
        let header = &self.file.header;
        let region = region_within(options.region, [header.width, header.height])?;
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
        if self.has_detail(options.method, &viewport) {
            let source = (region[2] * region[3]).ceil() as u64;
            work = work.saturating_add(source.saturating_mul(DETAIL_WORK));
        }
        within(
            "the render, in multiply-adds,",
            work,
            options.limits.multiply_adds,
        )?;
        Ok(viewport)
    }
}
