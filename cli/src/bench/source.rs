//! The pictures that are coded: found, read, brought to 8-bit RGB and handed to programs as files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use inr::{Depth, FileFormat, Layout, Limits, Metadata, Picture, Samples};
use inr::{read_picture, write_picture};
use tempfile::TempDir;

use crate::failure::{bad_arguments, refused};
use crate::input;
use crate::output::Temporary;

/// Sides in pixels of what a quick look takes from the middle of a picture; MS-SSIM needs 176.
const QUICK_SIDE: u32 = 192;

/// Side of what is taken from the middle of pictures, for [`Source::open`].
pub fn side(quick: bool) -> u32 {
    if quick { QUICK_SIDE } else { u32::MAX }
}

/// The picture files in `folder`, sorted by name.
pub fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let help = "name a folder of pictures (PNG, JPEG, WebP, TIFF, BMP, QOI or PNM) with --data";
    let entries = fs::read_dir(folder).map_err(|error| {
        bad_arguments(format!("cannot read {}: {error}", folder.display()), help)
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && FileFormat::from_path(&path).is_some() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let what = format!("there is no picture in {}", folder.display());
        return Err(bad_arguments(what, help));
    }
    files.sort();
    Ok(files)
}

/// A picture of 8-bit RGB without metadata, which would count as bytes of some codecs only.
pub struct Source {
    picture: Picture,
    samples: Vec<f32>,
    folder: TempDir,
    _listed: Temporary,
}

impl Source {
    /// Reads `path`; of pictures with longer sides only the middle of `side` pixels.
    pub fn open(path: &Path, side: u32) -> Result<Self> {
        let bytes = input::read(path, input::MOST_BYTES)?;
        let picture = read_picture(&bytes, &Limits::default())?;
        if picture.layout().has_alpha() {
            let what = "it has an alpha channel, which JPEG cannot hold".into();
            return Err(refused(
                what,
                "flatten the picture, or take it out of --data",
            ));
        }
        let picture = middle(&picture.into_colour().with_depth(Depth::U8), side)?;
        let (folder, _listed) = Temporary::create(TempDir::new, TempDir::path)
            .context("cannot make a temporary folder")?;
        Ok(Self {
            samples: picture.to_f32(),
            picture,
            folder,
            _listed,
        })
    }

    /// The picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The picture without what is left of its right and lower sides when they are divided by `scale`.
    pub fn cut_to_multiple(&self, scale: u32) -> Result<Picture> {
        let size = [self.picture.width(), self.picture.height()].map(|side| side / scale * scale);
        anyhow::ensure!(
            size[0].min(size[1]) >= 8 * scale,
            "it is too small to be reduced {scale} times"
        );
        let row = self.picture.width() as usize * 3;
        let rows = self.bytes().chunks_exact(row).take(size[1] as usize);
        let cut = rows.flat_map(|row| &row[..size[0] as usize * 3]);
        let samples = Samples::U8(cut.copied().collect());
        let picture = Picture::new(size[0], size[1], Layout::Rgb, samples, Metadata::default());
        Ok(picture?)
    }

    /// Its samples, shape `[height, width, 3]`, 0.0..=1.0.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// A folder of its own for files, which goes when this does.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The picture as a file with this extension, `ppm` or `png`.
    pub fn file(&self, extension: &str) -> Result<PathBuf> {
        let path = self.folder().join(format!("source.{extension}"));
        if path.exists() {
            return Ok(path);
        }
        let bytes = if extension == "ppm" {
            // By hand: cjpeg does not read the later kind of PNM that the library writes.
            let (width, height) = (self.picture.width(), self.picture.height());
            let header = format!("P6\n{width} {height}\n255\n");
            [header.as_bytes(), self.bytes()].concat()
        } else {
            let file = write_picture(&self.picture, FileFormat::Png, None);
            file?.bytes
        };
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn bytes(&self) -> &[u8] {
        match self.picture.samples() {
            Samples::U8(samples) => samples,
            _ => &[],
        }
    }

    /// A number that other samples or another shape hardly have (FNV-1a of 64 bits).
    pub fn fingerprint(&self) -> u64 {
        let shape = [self.picture.width(), self.picture.height()].map(u32::to_le_bytes);
        let bytes = shape.iter().flatten().chain(self.bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        })
    }
}

/// The middle of an RGB picture, at most `side` pixels wide and high, without metadata.
fn middle(picture: &Picture, side: u32) -> Result<Picture> {
    let (width, height) = (picture.width().min(side), picture.height().min(side));
    let left = (picture.width() - width) as usize / 2;
    let top = (picture.height() - height) as usize / 2;
    let Samples::U8(samples) = picture.samples() else {
        anyhow::bail!("the picture has not 8 bits per sample");
    };
    let rows = samples.chunks_exact(picture.width() as usize * 3);
    let rows = rows.skip(top).take(height as usize);
    let cut = rows.flat_map(|row| &row[left * 3..][..width as usize * 3]);
    let samples = Samples::U8(cut.copied().collect());
    let picture = Picture::new(width, height, Layout::Rgb, samples, Metadata::default());
    Ok(picture?)
}
