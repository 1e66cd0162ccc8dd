//! What is measured of one file, and means of it.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use inr::{Depth, FileFormat, Picture, write_picture};
use inr::{Raster, metrics};

use super::coded::Coded;
use crate::args::Metric;
use crate::bench::source::Source;
use crate::csv;
use crate::failure::refused;
use crate::program;

/// Every metric with its heading, in the order of [`Figures::metrics`].
pub const METRICS: [(Metric, &str); 5] = [
    (Metric::Psnr, "psnr"),
    (Metric::Ssim, "ssim"),
    (Metric::Msssim, "msssim"),
    (Metric::Ssimulacra2, "ssimulacra2"),
    (Metric::Butteraugli, "butteraugli"),
];

/// The place of `metric` in [`METRICS`].
pub fn place(metric: Metric) -> usize {
    metric as usize
}

/// How a metric is called on an axis.
pub fn axis(metric: Metric) -> &'static str {
    match metric {
        Metric::Psnr => "PSNR in dB",
        Metric::Ssim => "SSIM",
        Metric::Msssim => "MS-SSIM",
        Metric::Ssimulacra2 => "SSIMULACRA2",
        Metric::Butteraugli => "Butteraugli, 3-norm",
    }
}

/// Headings of the values that [`Figures::values`] gives.
pub const HEADINGS: [&str; 10] = [
    "quality",
    "bytes",
    "bpp",
    "psnr",
    "ssim",
    "msssim",
    "ssimulacra2",
    "butteraugli",
    "encode_seconds",
    "decode_seconds",
];

/// One file, or the mean over the files of several pictures at one quality.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// 0 to 100.
    pub quality: u32,
    /// Length of the file.
    pub bytes: f64,
    /// Bits per pixel.
    pub bits_per_pixel: f64,
    /// `None` where a metric was not asked for, NaN where the picture is too small for it.
    pub metrics: [Option<f64>; METRICS.len()],
    /// Seconds of the encoder.
    pub encode: f64,
    /// Seconds of the decoder.
    pub decode: f64,
}

impl Figures {
    /// Measures what `coded` made of `source`.
    pub fn measure(source: &Source, coded: Coded, quality: u32, wanted: &[Metric]) -> Result<Self> {
        let picture = source.picture();
        let decoded = coded.decoded.into_colour().with_depth(Depth::U8);
        let samples = decoded.to_f32();
        let shape = |picture: &Picture| (picture.width(), picture.height(), picture.layout());
        if shape(&decoded) != shape(picture) {
            let (found, wanted) = (shape(&decoded), shape(picture));
            anyhow::bail!("the decoder gave {found:?}, not {wanted:?}");
        }
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let a = Raster::new(width, height, 3, source.samples())?;
        let b = Raster::new(width, height, 3, &samples)?;
        let value = |metric| match metric {
            Metric::Psnr => Some(metrics::psnr(a, b)),
            Metric::Ssim => metrics::ssim(a, b),
            Metric::Msssim => metrics::ms_ssim(a, b),
            Metric::Ssimulacra2 => metrics::ssimulacra2(a, b),
            Metric::Butteraugli => None,
        };
        let mut measured = METRICS.map(|(metric, _)| {
            let asked = metric == Metric::Psnr || wanted.contains(&metric);
            asked.then(|| value(metric).unwrap_or(f64::NAN))
        });
        if wanted.contains(&Metric::Butteraugli) {
            measured[place(Metric::Butteraugli)] = Some(butteraugli(source, &decoded)?);
        }
        Ok(Self {
            quality,
            bytes: coded.bytes as f64,
            bits_per_pixel: metrics::bits_per_pixel(coded.bytes, width, height),
            metrics: measured,
            encode: coded.encode.as_secs_f64(),
            decode: coded.decode.as_secs_f64(),
        })
    }

    /// True when every metric of `wanted` was measured.
    pub fn has(&self, wanted: &[Metric]) -> bool {
        let mut wanted = wanted.iter();
        wanted.all(|&metric| self.metrics[place(metric)].is_some())
    }

    /// A metric that was asked for and that the picture is large enough for.
    pub fn metric(&self, metric: Metric) -> Option<f64> {
        self.metrics[place(metric)].filter(|value| !value.is_nan())
    }

    /// The mean of files at one quality; `None` of none. A metric that one of them lacks is not there.
    pub fn mean(files: &[&Self]) -> Option<Self> {
        let count = files.len() as f64;
        let mean =
            |value: &dyn Fn(&Self) -> f64| files.iter().map(|f| value(f)).sum::<f64>() / count;
        let metric = |place: usize| -> Option<f64> {
            let sum: Option<f64> = files.iter().map(|file| file.metrics[place]).sum();
            sum.map(|sum| sum / count)
        };
        Some(Self {
            quality: files.first()?.quality,
            bytes: mean(&|file| file.bytes),
            bits_per_pixel: mean(&|file| file.bits_per_pixel),
            metrics: std::array::from_fn(metric),
            encode: mean(&|file| file.encode),
            decode: mean(&|file| file.decode),
        })
    }

    /// As text, in the order of [`HEADINGS`]. Numbers are exact, so that they can be read back.
    pub fn values(&self) -> [String; HEADINGS.len()] {
        let metric = |place: usize| self.metrics[place].map_or_else(String::new, |v| v.to_string());
        [
            self.quality.to_string(),
            self.bytes.to_string(),
            self.bits_per_pixel.to_string(),
            metric(0),
            metric(1),
            metric(2),
            metric(3),
            metric(4),
            format!("{:.4}", self.encode),
            format!("{:.4}", self.decode),
        ]
    }

    /// What [`Figures::values`] wrote as a line; `None` when it is something else.
    pub fn parse(line: &str) -> Option<Self> {
        let fields = csv::fields(line);
        if fields.len() != HEADINGS.len() {
            return None;
        }
        let number = |place: usize| fields[place].parse::<f64>().ok();
        let metric = |place: usize| match fields[place].as_str() {
            "" => Some(None),
            text => text.parse::<f64>().ok().map(Some),
        };
        Some(Self {
            quality: fields[0].parse().ok()?,
            bytes: number(1)?,
            bits_per_pixel: number(2)?,
            metrics: [metric(3)?, metric(4)?, metric(5)?, metric(6)?, metric(7)?],
            encode: number(8)?,
            decode: number(9)?,
        })
    }
}

/// The 3-norm of Butteraugli's differences, by the program of libjxl.
fn butteraugli(source: &Source, decoded: &Picture) -> Result<f64> {
    let program = program::on_search_path("butteraugli_main").ok_or_else(|| {
        let what =
            "Butteraugli takes the program butteraugli_main, which is not on the search path";
        let help =
            "`apt-get install libjxl-devtools` installs it on Debian; or leave it out of --metrics";
        refused(what.into(), help)
    })?;
    let path = source.folder().join("compared.png");
    let file = write_picture(decoded, FileFormat::Png, None)?;
    std::fs::write(&path, file.bytes)?;
    let said = Command::new(program)
        .args([source.file("png")?, path])
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let number = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("3-norm:")?.trim().parse().ok());
    number.ok_or_else(|| anyhow::anyhow!("butteraugli_main gave no 3-norm: {}", text.trim()))
}

/// Seconds for reading, such as `0.34 s`.
pub fn seconds(value: f64) -> String {
    match Duration::try_from_secs_f64(value) {
        Ok(time) if time.as_secs() >= 100 => format!("{value:.0} s"),
        Ok(time) if time.as_secs() >= 10 => format!("{value:.1} s"),
        _ => format!("{value:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(bytes: f64, ssim: Option<f64>) -> Figures {
        Figures {
            quality: 50,
            bytes,
            bits_per_pixel: bytes / 100.0,
            metrics: [Some(f64::INFINITY), ssim, None, Some(-3.25), None],
            encode: 0.25,
            decode: 0.5,
        }
    }

    #[test]
    fn figures_are_read_back_as_they_were_written() {
        let written = figures(1234.0, Some(1.0 / 3.0));
        assert_eq!(Figures::parse(&csv::line(&written.values())), Some(written));
        let nan = figures(1.0, Some(f64::NAN));
        let read = Figures::parse(&csv::line(&nan.values())).expect("the same");
        assert!(read.metrics[1].is_some_and(f64::is_nan));
        assert!(read.has(&[Metric::Ssim]) && read.metric(Metric::Ssim).is_none());
        assert!(!read.has(&[Metric::Msssim]));
    }

    #[test]
    fn a_mean_lacks_what_one_file_lacks() {
        let (a, b) = (figures(100.0, Some(0.5)), figures(300.0, None));
        let mean = Figures::mean(&[&a, &b]).expect("of two");
        assert_eq!((mean.bytes, mean.bits_per_pixel), (200.0, 2.0));
        assert_eq!(mean.metrics[1], None);
        assert_eq!(mean.metrics[3], Some(-3.25));
        assert_eq!(Figures::mean(&[]), None);
    }

    #[test]
    fn metrics_are_listed_in_the_order_of_their_places() {
        for (i, (metric, name)) in METRICS.iter().enumerate() {
            assert_eq!(place(*metric), i);
            assert_eq!(HEADINGS[3 + i], *name);
        }
    }
}
