//! What encoders of every model share: the file's header and metadata, its PSNR, and whether it is what was asked for.

use inr_formats::{Depth, Header, InrFile, LayerData, Model, Opacity, OpacityMap, Sampling};

use super::options::{EncodeOptions, ModelOptions, Target};
use crate::decode::{InrPicture, RenderOptions};
use crate::error::Error;
use crate::field::region::OutputSize;
use crate::progress::Observer;
use inr_image::metrics::PsnrSum;
use inr_image::{Picture, Samples};

/// Room for decoded tiles while the PSNR is measured: bytes for each sample of a row, with which 256 rows and the tiles
/// that they touch above and below find room, and bytes at least.
const ROOM: [usize; 2] = [5000, 32 << 20];

/// What every model's encoder needs.
pub(super) struct Common<'a> {
    pub(super) picture: &'a Picture,
    pub(super) options: &'a EncodeOptions,
    pub(super) value_range: [f32; 2],
    pub(super) opacity: Option<&'a OpacityMap>,
}

/// Whether the target was reached, and if not, by how much it was missed.
pub(super) struct Judgement {
    pub(super) met: bool,
    pub(super) note: String,
}

/// Share of a size limit that the opacity map may take.
const MOST_OF_LIMIT: u64 = 4;

/// Where alpha of `picture` is exactly 0 or 1, and a note when that does not fit into the size that `options` ask for.
pub(super) fn opacity(
    picture: &Picture,
    options: &EncodeOptions,
) -> (Option<OpacityMap>, Option<&'static str>) {
    if !picture.layout().has_alpha() {
        return (None, None);
    }
    let (width, channels) = (picture.width() as usize, picture.layout().channels());
    let at = |x: usize, y: usize| (y * width + x) * channels + channels - 1;
    fn class<T: PartialEq>(alpha: &T, [zero, one]: [T; 2]) -> Opacity {
        match alpha {
            alpha if *alpha == zero => Opacity::Transparent,
            alpha if *alpha == one => Opacity::Opaque,
            _ => Opacity::Between,
        }
    }
    let map = OpacityMap::new(picture.width(), picture.height(), |x, y| {
        match picture.samples() {
            Samples::U8(samples) => class(&samples[at(x, y)], [0, 255]),
            Samples::U16(samples) => class(&samples[at(x, y)], [0, 65_535]),
            Samples::F32(samples) => class(&samples[at(x, y)], [0.0, 1.0]),
        }
    });
    let limit = options.byte_limit(picture.pixels());
    if limit.is_some_and(|limit| map.bytes() > limit / MOST_OF_LIMIT) {
        let note = "the size leaves no room to keep transparent and opaque pixels exactly so";
        return (None, Some(note));
    }
    (Some(map), None)
}

/// The value at `quality` among `points`, two at least, of rising quality; by ratio between two of them.
pub(super) fn between(points: &[(f64, f64)], quality: f64) -> f64 {
    let above = points.iter().position(|(at, _)| *at >= quality);
    let above = above.unwrap_or(points.len() - 1).max(1);
    let ((q0, v0), (q1, v1)) = (points[above - 1], points[above]);
    let share = (quality - q0) / (q1 - q0);
    (v0.ln() + share * (v1.ln() - v0.ln())).exp()
}

/// Pixels below which a picture's flat areas are no matter.
const SMALL: u64 = 16_384;
/// Share of pixels that equal those to the left and above from which a picture counts as a drawing or a screen shot. Those of gb82
/// have 0.74 to 0.94, its photographs and Kodak's 0.38 at most.
const FLAT: f64 = 0.5;
/// Rows that are looked at.
const ROWS: u32 = 256;

/// A note for pictures of flat areas, such as screen shots, which other formats keep exactly in fewer bytes.
pub(super) fn flat(picture: &Picture) -> Option<&'static str> {
    if picture.pixels() < SMALL || picture.height() < 2 {
        return None;
    }
    let width = picture.width() as usize;
    let length = width * picture.layout().channels();
    let rows = (picture.height() - 1).min(ROWS);
    let (mut row, mut above) = (vec![0.0; length], vec![0.0; length]);
    let mut equal = 0_usize;
    for index in 0..rows {
        let y = 1 + index as usize * (picture.height() as usize - 2) / rows.max(2) as usize;
        picture.samples().copy_to_f32(y * length, &mut row);
        picture.samples().copy_to_f32((y - 1) * length, &mut above);
        let pixels = row.chunks_exact(length / width);
        let pairs = pixels.clone().zip(pixels.skip(1));
        let above = above.chunks_exact(length / width).skip(1);
        equal += pairs
            .zip(above)
            .filter(|((left, this), above)| left == this && this == above)
            .count();
    }
    let share = equal as f64 / (rows as usize * (width - 1).max(1)) as f64;
    let note = "large flat areas, as in screen shots and drawings: PNG or lossless WebP may be smaller there, and exact";
    (share > FLAT).then_some(note)
}

impl Common<'_> {
    /// A file with the picture's header and metadata.
    pub(super) fn file(&self, model: Model, layers: Vec<LayerData>) -> InrFile {
        let metadata = self.picture.metadata();
        let header = Header {
            width: self.picture.width(),
            height: self.picture.height(),
            layout: self.picture.layout(),
            depth: self.picture.depth(),
            value_range: self.value_range,
            sampling: match model {
                Model::Mlp(_) => match &self.options.model {
                    ModelOptions::Network(network) if network.for_upscale => Sampling::Area,
                    _ => Sampling::Point,
                },
                _ => Sampling::Point,
            },
            cicp: metadata.cicp,
            model,
        };
        let mut file = InrFile::new(header, layers);
        file.icc = metadata.icc.clone();
        file.exif = metadata.exif.clone();
        file.xmp = metadata.xmp.clone();
        file.opacity = self.opacity.cloned();
        file
    }

    /// PSNR of the decoded bytes against the source, after rounding to the source's samples.
    pub(super) fn psnr(&self, bytes: &[u8], observer: &mut dyn Observer) -> Result<f64, Error> {
        let length = self.picture.width() as usize * self.picture.layout().channels();
        let opened = InrPicture::open(bytes, &self.options.limits)?
            .with_room(ROOM[1].max(length.saturating_mul(ROOM[0])));
        let options = RenderOptions {
            size: OutputSize::Native,
            threads: self.options.threads,
            limits: self.options.limits.clone(),
            ..RenderOptions::default()
        };
        let mut sum = PsnrSum::new(self.picture.layout().channels());
        let (mut wanted, mut found) = (vec![0.0; length], vec![0.0; length]);
        let mut at = 0;
        opened.render_bands(&options, observer, |band| {
            for start in (0..band.len()).step_by(length) {
                self.picture.samples().copy_to_f32(at, &mut wanted);
                band.copy_to_f32(start, &mut found);
                if self.picture.depth() == Depth::F32 {
                    // PSNR is relative to the range of the samples.
                    let [low, high] = self.value_range;
                    let normalise = |value: &mut f32| *value = (*value - low) / (high - low);
                    wanted.iter_mut().chain(&mut found).for_each(normalise);
                }
                sum.add(&wanted, &found);
                at += length;
            }
            Ok::<(), Error>(())
        })?;
        Ok(sum.decibels())
    }

    /// Holds a file of `length` bytes with `psnr` dB to the target.
    pub(super) fn judge(&self, psnr: f64, length: usize) -> Judgement {
        let (met, note) = match self.options.target {
            Target::Psnr(target) => (
                psnr >= target,
                format!("reached {psnr:.2} dB of the {target} dB asked for"),
            ),
            Target::Bpp(_) | Target::Bytes(_) => {
                let limit = self
                    .options
                    .byte_limit(self.picture.pixels())
                    .unwrap_or(u64::MAX);
                (
                    length as u64 <= limit,
                    format!("the file has {length} bytes, {limit} were asked for"),
                )
            }
            Target::Quality(_) => (true, String::new()),
        };
        Judgement { met, note }
    }
}
