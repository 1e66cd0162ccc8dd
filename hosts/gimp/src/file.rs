//! Opens and exports `.inr` files.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use inr_plugin_api::host::{Extras, Picture, PictureInfo, Plugin};
use inr_plugin_api::{Failure, INR_DERIVATIVE_NONE, Sample, Status};

use crate::catalogue::{self, MAX_BYTES, Values};
use crate::editor::{Gimp, Handle};
use crate::metadata::Metadata;
use crate::{filter, pixels};

/// The first bytes of files in GIMP's notation; empty when they are not known.
pub fn magic(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let byte = |byte: &u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    format!("0,string,{}", bytes.iter().map(byte).collect::<String>())
}

/// An open file.
#[derive(Debug)]
pub struct Opened {
    picture: Picture,
    /// Contents of the file.
    pub info: PictureInfo,
}

fn io(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Status::Io, format!("{}: {error}", path.display()))
}

impl Opened {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`Status::Io`], or the plug-in's failure with the file's path.
    pub fn new(plugin: &Plugin, path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        // One byte more than the limit makes the plug-in reject the file.
        let read =
            File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|error| io(path, &error))?;
        let open = || {
            let mut session = catalogue::session(plugin)?;
            let mut picture = session.codec()?.open(&bytes)?;
            let info = picture.info()?;
            Ok(Self { picture, info })
        };
        open().map_err(|failure: Failure| named(path, &failure))
    }

    /// The size that `values` of [`catalogue::open_params`] request.
    pub fn size(&self, values: &Values) -> [u32; 2] {
        let native = self.info.size.map(f64::from);
        let number = |key| catalogue::number(values, &[], key);
        let scale = match (number("width"), number("height"), number("scale")) {
            (0.0, 0.0, 0.0) => [1.0; 2],
            (0.0, 0.0, scale) => [scale; 2],
            (width, 0.0, _) => [width / native[0]; 2],
            (0.0, height, _) => [height / native[1]; 2],
            (width, height, _) => [width / native[0], height / native[1]],
        };
        [0, 1].map(|axis| (native[axis] * scale[axis]).round().max(1.0) as u32)
    }

    /// The size whose longer side is `side`.
    pub fn size_within(&self, side: u32) -> [u32; 2] {
        let [width, height] = self.info.size;
        let scale = f64::from(side.max(1)) / f64::from(width.max(height));
        [width, height].map(|side| (f64::from(side) * scale).round().max(1.0) as u32)
    }

    /// Renders the picture at `size` into a new image of the file's depth.
    ///
    /// # Errors
    /// [`Status::TooLarge`], [`Status::OutOfMemory`], or the plug-in's failure.
    pub fn render<H: Handle>(
        &mut self,
        gimp: &Gimp<H>,
        metadata: Option<&Metadata<H>>,
        size: [u32; 2],
    ) -> Result<H, Failure> {
        let format = self.info.format;
        let mut output = pixels::blank(size, format.sample, format.layout)?;
        filter::watched(gimp, |watcher| {
            self.picture
                .render(None, INR_DERIVATIVE_NONE, 0.0, &mut output, Some(watcher))
        })?;
        let precision = pixels::precision(format.sample);
        let icc = self.info.icc.as_deref();
        let (image, _) = filter::new_image(gimp, output, precision, icc, "Background")?;
        match metadata {
            Some(metadata) => metadata.apply(gimp, image, &self.info),
            None if self.info.exif.is_some() || self.info.xmp.is_some() => {
                eprintln!(
                    "inr: this GIMP lacks the functions for Exif and XMP, which are left out"
                );
            }
            None => {}
        }
        Ok(image)
    }
}

/// Adds the path to a failure.
fn named(path: &Path, failure: &Failure) -> Failure {
    Failure::new(
        failure.status,
        format!("{}: {}", path.display(), failure.message),
    )
}

/// Encodes `drawable` with the Exif, XMP and resolution of `image` and `values` of the encoder's parameters into a file, which
/// appears at `path` once it is complete.
///
/// # Errors
/// [`Status::Io`], or the plug-in's failure.
pub fn save<H: Handle>(
    gimp: &Gimp<H>,
    metadata: Option<&Metadata<H>>,
    plugin: &Plugin,
    image: H,
    drawable: H,
    path: &Path,
    values: &Values,
) -> Result<(), Failure> {
    let sample = match (gimp.gimp_drawable_is_indexed)(drawable) != 0 {
        true => Sample::U8,
        false => pixels::sample((gimp.gimp_image_get_precision)(image)),
    };
    let mut source = gimp.read(drawable, sample)?;
    source.icc = gimp.profile(image);
    let mut session = catalogue::session(plugin)?;
    let mut codec = session.codec()?;
    let [exif, xmp] = metadata.map_or([None, None], |metadata| metadata.of(gimp, image));
    let extras = Extras {
        exif: exif.as_deref(),
        xmp: xmp.as_deref(),
        ..Extras::default()
    };
    let bytes = filter::watched(gimp, |watcher| {
        codec.encode(&source, extras, values, Some(watcher))
    });
    gimp.warn();
    let bytes = bytes.map_err(|failure| named(path, &failure))?;
    write(path, &bytes).map_err(|error| io(path, &error))
}

/// Writes a temporary file beside `path` and renames it.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_file_name(format!(".inr-{}.tmp", std::process::id()));
    let done = File::create_new(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    if done.is_err() {
        // The first error matters more than a failed removal.
        let _ = std::fs::remove_file(&beside);
    }
    done
}
