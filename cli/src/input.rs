//! Reading files and standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Result;
use inr::decode::RenderMethod;
use inr::upscale::Compression;
use inr::{
    InrPicture, Limits, Picture, PictureError, PictureFile, ReadOptions, RenderOptions,
    read_picture_with,
};

use crate::failure::refused;

/// Longest file that is read.
pub const MOST_BYTES: u64 = 1 << 31;

/// True for `-`, which stands for standard input or output.
pub fn is_stdio(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes of `path`, at most `limit`.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if is_stdio(path) {
        Box::new(io::stdin().lock())
    } else {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            let what = "it is a folder, not a file".into();
            return Err(refused(
                what,
                "-r (--recursive) works on the files in folders",
            ));
        }
        Box::new(fs::File::open(path)?)
    };
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        anyhow::bail!("it is longer than {limit} bytes, the most that is read");
    }
    Ok(bytes)
}

/// What a file is called in messages.
pub fn display_name(path: &Path) -> String {
    if is_stdio(path) {
        "standard input".into()
    } else {
        path.display().to_string()
    }
}

/// The picture in a file, with notes on it.
pub fn read_source(path: &Path, options: &ReadOptions) -> Result<PictureFile> {
    Ok(read_picture_with(&read(path, MOST_BYTES)?, options)?)
}

/// A picture, and what is known of the file that it is from.
pub struct Source {
    pub picture: Picture,
    pub notes: Vec<String>,
    pub compression: Compression,
}

/// A picture file, or the native render of an `.inr` file.
pub fn picture(path: &Path) -> Result<Picture> {
    Ok(picture_with(path, &ReadOptions::default())?.picture)
}

/// The picture in a file of any kind, with notes on it.
pub fn picture_with(path: &Path, options: &ReadOptions) -> Result<Source> {
    let bytes = read(path, MOST_BYTES)?;
    let limits = Limits::default();
    // An .inr file that lost its signature is still one by name.
    let named_inr = path.extension().is_some_and(|extension| extension == "inr");
    match read_picture_with(&bytes, options) {
        Err(PictureError::AlreadyInr | PictureError::Unknown { .. }) if named_inr => {
            native(&bytes, &limits)
        }
        Err(PictureError::AlreadyInr) => native(&bytes, &limits),
        read => {
            let read = read?;
            Ok(Source {
                picture: read.picture,
                notes: read.notes,
                compression: read.jpeg_step.map_or(Compression::None, Compression::Jpeg),
            })
        }
    }
}

fn native(bytes: &[u8], limits: &Limits) -> Result<Source> {
    let file = InrPicture::open(bytes, limits)?;
    let options = RenderOptions::default().method(RenderMethod::Inr);
    let latents = file.file().latents.as_ref();
    Ok(Source {
        picture: file.render(&options, &mut ())?.picture,
        notes: Vec::new(),
        compression: latents.map_or(Compression::None, |latents| Compression::Latents {
            step: latents.step,
            degradation: latents.degradation,
        }),
    })
}
