//! An opened `.inr` file.

use inr_formats::{Depth, Grid, InrFile, Layout, Limits, Model};
use inr_image::{Metadata, Picture};
use inr_kernel::Network;

use super::opacity::OpacityTiles;
use crate::device::DeviceChoice;
use crate::error::Error;
use crate::field::coords::CoordinateMap;
use crate::field::pyramid::Pyramid;
use crate::field::region::{OutputSize, Region};
use crate::options::{setters, unknown_name};

/// How pixels are made.
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
#[strum(serialize_all = "lowercase", parse_err_ty = Error, parse_err_fn = unknown_method)]
pub enum RenderMethod {
    /// The field, sampled at the output's pixel centres; `spline` names it too.
    #[strum(to_string = "inr", serialize = "spline")]
    Inr,
    /// Bicubic (Catmull-Rom) from the native render.
    Bicubic,
    /// Lanczos with three lobes from the native render.
    Lanczos,
    /// An enlarged pyramid's field with the detail that a network has learnt to expect: one field for every scale, twice
    /// differentiable. See `docs/upscale`.
    Network,
    /// [`RenderMethod::Network`] for enlarged pyramids; of networks the field where that is trustworthy, else bicubic.
    #[default]
    Auto,
}

fn unknown_method(name: &str) -> Error {
    unknown_name::<RenderMethod>("method", name)
}

/// What to render.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RenderOptions {
    /// Size of the output; of the region, if there is one.
    pub size: OutputSize,
    /// The part of the picture to render; all of it by default.
    pub region: Option<Region>,
    /// Samples of the output; the source's by default.
    pub depth: Option<Depth>,
    /// How pixels are made.
    pub method: RenderMethod,
    /// Threads to use; all by default. The result is the same for any number.
    pub threads: Option<usize>,
    /// Where the field is evaluated; `Auto` renders on the CPU.
    pub device: DeviceChoice,
    /// What the render may cost.
    pub limits: Limits,
}

setters!(RenderOptions {
    size: OutputSize,
    region: impl Into<Option<Region>>,
    depth: impl Into<Option<Depth>>,
    method: RenderMethod,
    threads: impl Into<Option<usize>>,
    device: DeviceChoice,
    limits: Limits,
});

/// A render and how it came about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rendered {
    /// The picture, with the source's metadata.
    pub picture: Picture,
    /// The method used; never [`RenderMethod::Auto`].
    pub method: RenderMethod,
    /// Why that method, in a few words.
    pub why: String,
}

/// An opened `.inr` file.
#[derive(Clone, Debug)]
pub struct InrPicture {
    pub(super) file: InrFile,
    pub(super) field: Field,
    pub(super) opacity: OpacityTiles,
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
            opacity: OpacityTiles::of(file.opacity.as_ref()),
            file,
            field,
            bytes: bytes.len() as u64,
        })
    }

    /// The same, with room for decoded tiles of `bytes`, if it has any.
    #[cfg(feature = "fit")]
    pub(crate) fn with_room(mut self, bytes: usize) -> Self {
        if let Field::Pyramid(pyramid) = self.field {
            self.field = Field::Pyramid(pyramid.with_room(bytes));
        }
        self
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

    pub(crate) fn map(&self) -> CoordinateMap {
        let Model::Mlp(mlp) = &self.file.header.model else {
            return CoordinateMap::new(self.width(), self.height(), Grid::PixelCentre);
        };
        CoordinateMap::new(self.width(), self.height(), mlp.grid)
    }
}

fn unsupported(model: &Model) -> Error {
    Error::Misuse {
        what: format!("model {model:?} is not rendered by this version"),
        want: "use a newer version",
    }
}

/// Holds `asked` to `limit`.
///
/// # Errors
/// [`Error::OverLimit`].
pub(super) fn within(what: &'static str, asked: u64, limit: u64) -> Result<(), Error> {
    if asked > limit {
        return Err(Error::OverLimit { what, asked, limit });
    }
    Ok(())
}
