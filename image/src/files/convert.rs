//! Pictures from and to those of the crate `image`, and by the names of their files.

use std::path::Path;

use image::{DynamicImage, ImageBuffer};
use inr_formats::{Depth, Layout, Limits};

use super::read::read_picture;
use super::write::{Written, write_picture};
use crate::error::Error;
use crate::format::FileFormat;
use crate::picture::{Metadata, Picture, Samples};

impl Picture {
    /// Reads the picture file at `path` as [`read_picture`] does, with the default limits.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; besides, those of [`read_picture`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        read_picture(&std::fs::read(path)?, &Limits::default())
    }

    /// Writes the picture to `path` in the format that the extension names, replacing the file that is there, and returns
    /// the metadata that the format has no place for.
    ///
    /// # Errors
    /// [`Error::Misuse`] for another extension, [`Error::Io`] when the file cannot be written; besides, those of
    /// [`write_picture`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<Vec<&'static str>, Error> {
        let path = path.as_ref();
        let format = FileFormat::from_path(path).ok_or_else(|| Error::Misuse {
            what: format!("the file name {}", path.display()),
            want: "end it in .png, .jpg, .webp, .tiff, .bmp, .qoi, .pnm or .exr",
        })?;
        let Written { bytes, dropped } = write_picture(self, format, None)?;
        std::fs::write(path, bytes)?;
        Ok(dropped)
    }
}

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
                what: "the picture has a kind of pixel that this version does not know",
                instead: "convert it to a PNG first",
            });
        }
    };
    Picture::new(width, height, layout, samples, metadata)
}

fn finite(samples: Vec<f32>) -> Result<Samples, Error> {
    if samples.iter().all(|sample| sample.is_finite()) {
        return Ok(Samples::F32(samples));
    }
    Err(Error::Unsupported {
        what: "the picture has samples that are infinite or not numbers",
        instead: "replace them first",
    })
}
