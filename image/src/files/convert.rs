//! Pictures from and to those of the crate `image`.

use image::{DynamicImage, ImageBuffer};
use inr_formats::{Depth, Layout};

use crate::error::Error;
use crate::picture::{Metadata, Picture, Samples};

/// The picture has the samples of the image and no metadata.
///
/// # Errors
/// [`Error::Unsupported`] for samples that are infinite or not numbers, and for kinds of pixel that are not known here.
impl TryFrom<DynamicImage> for Picture {
    type Error = Error;

    fn try_from(image: DynamicImage) -> Result<Self, Error> {
        from_image(image, Metadata::default())
    }
}

/// The image has the samples of the picture; metadata is left behind. Floating-point grey, which the crate `image` does not
/// have, becomes colour.
impl From<Picture> for DynamicImage {
    fn from(picture: Picture) -> Self {
        let float_grey = picture.depth() == Depth::F32 && picture.layout().colour_channels() == 1;
        let picture = if float_grey {
            picture.into_colour()
        } else {
            picture
        };
        let (width, height, layout) = (picture.width(), picture.height(), picture.layout());
        macro_rules! image {
            ($kind:ident, $samples:expr) => {
                ImageBuffer::from_raw(width, height, $samples).map(DynamicImage::$kind)
            };
        }
        let image = match (layout, picture.into_samples()) {
            (Layout::Grey, Samples::U8(samples)) => image!(ImageLuma8, samples),
            (Layout::GreyAlpha, Samples::U8(samples)) => image!(ImageLumaA8, samples),
            (Layout::Rgb, Samples::U8(samples)) => image!(ImageRgb8, samples),
            (Layout::Rgba, Samples::U8(samples)) => image!(ImageRgba8, samples),
            (Layout::Grey, Samples::U16(samples)) => image!(ImageLuma16, samples),
            (Layout::GreyAlpha, Samples::U16(samples)) => image!(ImageLumaA16, samples),
            (Layout::Rgb, Samples::U16(samples)) => image!(ImageRgb16, samples),
            (Layout::Rgba, Samples::U16(samples)) => image!(ImageRgba16, samples),
            (Layout::Rgb | Layout::Grey, Samples::F32(samples)) => image!(ImageRgb32F, samples),
            (Layout::Rgba | Layout::GreyAlpha, Samples::F32(samples)) => {
                image!(ImageRgba32F, samples)
            }
        };
        image.expect("a picture has as many samples as its shape asks for")
    }
}

pub(super) fn from_image(image: DynamicImage, metadata: Metadata) -> Result<Picture, Error> {
    let (width, height) = (image.width(), image.height());
    let (layout, samples) = match image {
        DynamicImage::ImageLuma8(image) => (Layout::Grey, Samples::U8(image.into_raw())),
        DynamicImage::ImageLumaA8(image) => (Layout::GreyAlpha, Samples::U8(image.into_raw())),
        DynamicImage::ImageRgb8(image) => (Layout::Rgb, Samples::U8(image.into_raw())),
        DynamicImage::ImageRgba8(image) => (Layout::Rgba, Samples::U8(image.into_raw())),
        DynamicImage::ImageLuma16(image) => (Layout::Grey, Samples::U16(image.into_raw())),
        DynamicImage::ImageLumaA16(image) => (Layout::GreyAlpha, Samples::U16(image.into_raw())),
        DynamicImage::ImageRgb16(image) => (Layout::Rgb, Samples::U16(image.into_raw())),
        DynamicImage::ImageRgba16(image) => (Layout::Rgba, Samples::U16(image.into_raw())),
        DynamicImage::ImageRgb32F(image) => (Layout::Rgb, finite(image.into_raw())?),
        DynamicImage::ImageRgba32F(image) => (Layout::Rgba, finite(image.into_raw())?),
        _ => {
            return Err(Error::Unsupported {
                what: "the picture has a kind of pixel that this version does not know".into(),
                instead: "convert it to a PNG first",
            });
        }
    };
    Picture::new(width, height, layout, samples, metadata)
}

/// Refuses samples that are no finite numbers.
pub(super) fn finite(samples: Vec<f32>) -> Result<Samples, Error> {
    if samples.iter().all(|sample| sample.is_finite()) {
        return Ok(Samples::F32(samples));
    }
    Err(Error::Unsupported {
        what: "the picture has samples that are infinite or not numbers".into(),
        instead: "replace them first",
    })
}
