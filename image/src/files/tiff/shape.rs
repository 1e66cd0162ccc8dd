//! What the directory of a TIFF says of its pixels.

use inr_formats::Limits;

use super::common::{CORRUPT, CUT_OFF, unsupported};
use crate::error::Error;
use crate::files::directory::{Directories, Field};

/// Samples of a pixel at most.
const MOST_SAMPLES: u64 = 64;

/// Compressions that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Group3,
    Group4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
    Zstd,
}

/// Kinds of sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unsigned,
    Signed,
    Float,
}

/// A picture of a TIFF.
pub(super) struct Shape<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits of a sample.
    pub(super) bits: u16,
    pub(super) kind: Kind,
    /// Samples of a pixel.
    pub(super) samples: usize,
    /// Tag PhotometricInterpretation.
    pub(super) photometric: u64,
    /// Tag ExtraSamples; none when it is missing.
    pub(super) extra: Option<Vec<u64>>,
    pub(super) compression: Compression,
    pub(super) predictor: u64,
    /// Each sample of a pixel has strips or tiles of its own.
    pub(super) planar: bool,
    pub(super) big_endian: bool,
    /// Tag FillOrder is 2.
    pub(super) reversed_bits: bool,
    /// Width and height of a tile or strip.
    pub(super) chunk: [usize; 2],
    /// Tiles are whole where the picture ends, strips are not.
    pub(super) tiled: bool,
    /// The strips or tiles, row by row, plane by plane.
    pub(super) chunks: Vec<&'a [u8]>,
    /// Tag JPEGTables.
    pub(super) tables: &'a [u8],
    /// Pixels for each sample of chroma, across and down.
    pub(super) subsampling: [usize; 2],
}

/// The fields of one directory by tag.
pub(super) struct Tags<'a>(pub(super) Vec<Field<'a>>);

impl<'a> Tags<'a> {
    pub(super) fn get(&self, tag: u16) -> Option<&Field<'a>> {
        self.0.iter().find(|field| field.tag == tag)
    }

    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        self.get(tag).and_then(Field::first)
    }

    fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        self.get(tag).map(|field| field.integers().collect())
    }

    /// The one value that all samples share; other than one is refused with `what`.
    fn shared(&self, tag: u16, usual: u64, what: &str) -> Result<u64, Error> {
        let values = self.numbers(tag).unwrap_or_default();
        let first = values.first().copied().unwrap_or(usual);
        match values.iter().all(|value| *value == first) {
            true => Ok(first),
            false => Err(unsupported(format!("the TIFF has {what} {values:?}"))),
        }
    }
}

fn compression(tags: &Tags) -> Result<Compression, Error> {
    let name = match tags.number(259).unwrap_or(1) {
        1 => return Ok(Compression::None),
        3 if tags.number(292).unwrap_or(0) & 1 == 0 => return Ok(Compression::Group3),
        4 => return Ok(Compression::Group4),
        5 => return Ok(Compression::Lzw),
        7 => return Ok(Compression::Jpeg),
        8 | 32_946 => return Ok(Compression::Deflate),
        32_773 => return Ok(Compression::PackBits),
        50_000 => return Ok(Compression::Zstd),
        2 => "CCITT run lengths (compression 2)".into(),
        3 => "two-dimensional CCITT Group 3 (compression 3)".into(),
        6 => "JPEG of the old style (compression 6)".into(),
        34_925 => "LZMA (compression 34925)".into(),
        34_887 => "LERC (compression 34887)".into(),
        50_001 => "WebP (compression 50001)".into(),
        50_002 | 52_546 => "JPEG XL".into(),
        33_003 | 33_005 | 34_712 => "JPEG 2000".into(),
        34_661 | 34_662 => "JBIG".into(),
        other => format!("compression {other}"),
    };
    Err(unsupported(format!("the TIFF is compressed by {name}")))
}

fn check_photometric(photometric: u64) -> Result<(), Error> {
    let name = match photometric {
        0..=3 | 6 | 8..=10 => return Ok(()),
        5 => {
            return Err(Error::Unsupported {
                what: "the TIFF is CMYK".into(),
                instead: "convert it to RGB with its profile first, for example with: magick FILE -profile sRGB.icc rgb.png",
            });
        }
        4 => "a transparency mask".into(),
        32_803 | 34_892 => "the raw data of a camera".into(),
        32_844 | 32_845 => "LogLuv".into(),
        other => format!("of photometric interpretation {other}"),
    };
    Err(unsupported(format!("the TIFF is {name}")))
}

impl<'a> Shape<'a> {
    /// The picture that `tags` describe.
    pub(super) fn of(
        bytes: &'a [u8],
        directories: &Directories<'a>,
        tags: &Tags<'a>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let side = |tag| tags.number(tag).filter(|side| *side > 0).ok_or(CORRUPT);
        let (width, height) = (side(256)?, side(257)?);
        let pixels = width.saturating_mul(height);
        if pixels > limits.pixels || width.max(height) > u64::from(u32::MAX) {
            let limit = limits.pixels;
            return Err(Error::TooLarge { pixels, limit });
        }
        if tags.get(50_706).is_some() {
            return Err(unsupported("the file is a camera's raw file (DNG)"));
        }
        let photometric = tags.number(262).unwrap_or(1);
        check_photometric(photometric)?;
        let compression = compression(tags)?;
        let samples = tags.number(277).unwrap_or(1);
        if !(1..=MOST_SAMPLES).contains(&samples) {
            return Err(unsupported(format!(
                "the TIFF has {samples} samples per pixel"
            )));
        }
        let bits = tags.shared(258, 1, "bits per sample")?;
        let format = tags.shared(339, 1, "sample formats")?;
        let kind = match (format, bits) {
            (1 | 4, 1..=32) => Kind::Unsigned,
            (2, 8 | 16 | 32) => Kind::Signed,
            (3, 16 | 32 | 64) => Kind::Float,
            _ => {
                let name = ["", "unsigned", "signed", "float", "", "complex", "complex"];
                let name = name.get(format as usize).copied().unwrap_or_default();
                return Err(unsupported(format!(
                    "the TIFF has {name} samples of {bits} bits"
                )));
            }
        };
        let tiled = tags.get(322).is_some();
        let chunk = match tiled {
            true => [side(322)?, side(323)?],
            false => [width, tags.number(278).unwrap_or(height).clamp(1, height)],
        };
        // Tiles reach over the edges, but not far.
        if chunk[0].saturating_mul(chunk[1]) > limits.pixels.max(1 << 20) {
            return Err(CORRUPT);
        }
        // A chunk is held whole, with all its samples.
        let memory = (chunk[0] * chunk[1]).saturating_mul(samples * bits / 8);
        if memory > limits.pixels.saturating_mul(32).saturating_add(1 << 26) {
            return Err(unsupported(format!(
                "the TIFF has parts of {memory} bytes, more than are held at once"
            )));
        }
        let subsampling = tags.numbers(530).unwrap_or_default();
        let subsampling = match (photometric, subsampling[..].first_chunk()) {
            (6, Some([across, down])) => [*across as usize, *down as usize],
            (6, None) => [2, 2],
            _ => [1, 1],
        };
        let mut shape = Self {
            width: width as usize,
            height: height as usize,
            bits: bits as u16,
            kind,
            samples: samples as usize,
            photometric,
            extra: tags.numbers(338),
            compression,
            predictor: tags.number(317).unwrap_or(1),
            planar: tags.number(284) == Some(2) && samples > 1,
            big_endian: directories.big_endian,
            reversed_bits: tags.number(266) == Some(2),
            chunk: chunk.map(|side| side as usize),
            tiled,
            chunks: Vec::new(),
            tables: tags.get(347).map(Field::bytes).unwrap_or_default(),
            subsampling,
        };
        shape.check()?;
        shape.chunks = shape.find_chunks(bytes, tags)?;
        Ok(shape)
    }

    /// Refuses combinations that nobody writes.
    fn check(&self) -> Result<(), Error> {
        use Compression::{Group3, Group4, Jpeg};
        let refuse = |what: &str| Err(unsupported(format!("the TIFF has {what}")));
        match self.compression {
            Group3 | Group4 if self.bits != 1 || self.samples != 1 => {
                return refuse("a fax code for more than one bit per pixel");
            }
            Group3 | Group4 if self.chunk[0] > usize::from(u16::MAX) => {
                return refuse("a fax code for rows of more than 65,535 pixels");
            }
            Jpeg if self.bits != 8 || !matches!(self.samples, 1 | 3) => {
                return refuse("a JPEG with other than one or three samples of 8 bits");
            }
            _ => {}
        }
        let colours = self.colours();
        if self.samples < colours {
            return Err(CORRUPT);
        }
        match self.photometric {
            3 if self.bits > 16 || self.kind != Kind::Unsigned => refuse("a palette of many bits"),
            6 if self.compression != Jpeg && (self.bits != 8 || self.samples != 3) => {
                refuse("YCbCr of other than three samples of 8 bits")
            }
            6 if self.planar && self.subsampling != [1, 1] => {
                refuse("subsampled chroma in planes of its own")
            }
            6 if self.subsampling.iter().any(|by| !matches!(by, 1 | 2 | 4)) => Err(CORRUPT),
            8..=10 if !matches!(self.bits, 8 | 16) => {
                refuse("Lab colours of other than 8 or 16 bits")
            }
            10 => refuse("ITU Lab colours"),
            _ => Ok(()),
        }
    }

    /// Samples of a pixel that are colours.
    pub(super) fn colours(&self) -> usize {
        match self.photometric {
            2 | 6 | 8..=10 => 3,
            _ => 1,
        }
    }

    /// Whether chroma lies in blocks of fewer samples.
    pub(super) fn in_blocks(&self) -> bool {
        self.compression != Compression::Jpeg && self.subsampling != [1, 1]
    }

    /// Columns and rows of tiles or strips.
    pub(super) fn grid(&self) -> [usize; 2] {
        [
            self.width.div_ceil(self.chunk[0]),
            self.height.div_ceil(self.chunk[1]),
        ]
    }

    /// The strips or tiles, which must lie in the file.
    fn find_chunks(&self, bytes: &'a [u8], tags: &Tags) -> Result<Vec<&'a [u8]>, Error> {
        let [columns, rows] = self.grid();
        let count = columns * rows * if self.planar { self.samples } else { 1 };
        let [at, lengths] = if self.tiled { [324, 325] } else { [273, 279] };
        let places = tags.get(at).ok_or(CORRUPT)?;
        let lengths = tags.numbers(lengths).unwrap_or_default();
        let chunks: Vec<&[u8]> = places
            .integers()
            .take(count)
            .enumerate()
            .map(|(index, start)| {
                let start = usize::try_from(start).ok()?;
                // Some old programs leave the lengths out.
                let length = lengths.get(index).copied().filter(|length| *length > 0);
                let end = match length {
                    Some(length) => start.checked_add(usize::try_from(length).ok()?)?,
                    None => bytes.len(),
                };
                bytes.get(start..end)
            })
            .collect::<Option<_>>()
            .ok_or(CUT_OFF)?;
        match chunks.len() == count {
            true => Ok(chunks),
            false => Err(CORRUPT),
        }
    }

    /// A whole number in the byte order of the file.
    pub(super) fn integer(&self, bytes: &[u8]) -> u64 {
        let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match self.big_endian {
            true => bytes.iter().fold(0, fold),
            false => bytes.iter().rev().fold(0, fold),
        }
    }
}
