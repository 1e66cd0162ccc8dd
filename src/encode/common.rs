//! What encoders of every model share: the file's header and metadata, its PSNR, and whether it is what was asked for.

use inr_formats::{Depth, Header, InrFile, LayerData, Model, Sampling};

use super::options::{EncodeOptions, Target};
use crate::decode::{InrPicture, RenderOptions};
use crate::error::Error;
use crate::field::region::OutputSize;
use crate::progress::Observer;
use inr_image::Picture;
use inr_image::metrics::PsnrSum;

/// Room for decoded tiles while the PSNR is measured: bytes for each sample of a row, with which 256 rows and the tiles
/// that they touch above and below find room, and bytes at least.
const ROOM: [usize; 2] = [5000, 32 << 20];

/// What every model's encoder needs.
pub(super) struct Common<'a> {
    pub(super) picture: &'a Picture,
    pub(super) options: &'a EncodeOptions,
    pub(super) value_range: [f32; 2],
    pub(super) enlarge: bool,
}

/// Whether the target was reached, and if not, by how much it was missed.
pub(super) struct Judgement {
    pub(super) met: bool,
    pub(super) note: String,
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
                Model::Mlp(_) if self.options.for_upscale => Sampling::Area,
                _ => Sampling::Point,
            },
            cicp: metadata.cicp,
            model,
        };
        let mut file = InrFile::new(header, layers);
        file.icc = metadata.icc.clone();
        file.exif = metadata.exif.clone();
        file.xmp = metadata.xmp.clone();
        file.enlarge = self.enlarge;
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
