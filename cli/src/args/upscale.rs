//! Arguments of `inr upscale`.

use std::path::PathBuf;

use clap::Args;
use inr::FileFormat;

use super::{DepthName, OutputArgs, ReportArgs, SourceArgs};
use crate::values::{self, DegradationName, MethodName};

const EXAMPLES: &str = "\
A degradation describes how the picture came from the large one. area: each pixel is the mean over its area; bicubic: as
benchmarks reduce; gaussian:S: a blur with a standard deviation of S input pixels; psf:FILE: a picture of the point spread
function in output pixels. auto estimates the blur from the picture and is careful where that is unsure.

Methods: inr is the picture's spline with the detail that a trained network expects, fitted so that its degraded render is
the picture if you name a degradation or the picture is sharp; backprojected fits bicubic; bicubic, lanczos3, bilinear and
nearest are the usual filters. auto enlarges reduced copies of the picture's busiest part, takes inr unless a simpler method
comes closer to one of them, and reports why. srgan is a generator with your own weights
(--weights; needs a program built with the feature candle, see docs/networks.md); it takes no degradation.

Examples:
  inr upscale photo.png                      writes photo.x2.png
  inr upscale photo.jpg --scale 4 -o big.png
  inr upscale *.png --scale 1.7 --out-dir big --effort 1

Exit codes: 0 done, 1 failed (with several files: one of them), 2 bad arguments.";

/// Arguments of `inr upscale`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct UpscaleArgs {
    /// Pictures to enlarge: .inr, PNG, JPEG, JPEG XL, WebP, TIFF, OpenEXR, PFM, BMP, QOI, PNM or GIF;
    /// - is standard input
    #[arg(required = true, value_name = "PICTURE")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Output pixels per pixel, 1 to 64; fractions are fine
    #[arg(short, long, value_name = "S", default_value_t = 2.0, value_parser = values::positive, allow_negative_numbers = true)]
    pub scale: f64,
    /// How hard to try, 1 to 9
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=9), allow_negative_numbers = true)]
    pub effort: u8,
    /// Degradation that the picture went through: auto (estimated from the picture), area, bicubic, gaussian:S or psf:FILE
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub degradation: DegradationName,
    /// Standard deviation of the noise to remove, in steps of 8 bits, 0 to 255 [default: estimated from the picture; 0
    /// for pictures of at most 256 colours or 64 greys]
    #[arg(long, value_name = "S", value_parser = values::steps, allow_negative_numbers = true)]
    pub noise: Option<f64>,
    /// Method: auto, inr, backprojected, bicubic, lanczos3, bilinear, nearest or srgan
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub method: MethodName,
    /// Weights of SRGAN's generator, .safetensors or .pth, for --method srgan
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Format of the output: png, jpg, webp, tiff, bmp, qoi, pnm, ppm, pgm, pam, exr or pfm [default: by the output's
    /// name, else png, or tiff for floating-point samples]
    #[arg(long, value_name = "NAME", value_parser = values::format)]
    pub format: Option<FileFormat>,
    /// Bits of the output's samples [default: the picture's]
    #[arg(long, value_enum, value_name = "BITS")]
    pub depth: Option<DepthName>,
    /// Side of a tile in output pixels, 32 to 4096; memory grows with it, the result stays the same
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(32..=4096), allow_negative_numbers = true)]
    pub tile: u32,
    /// CPU threads, 1 to 1024; the result is the same for any number [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub report: ReportArgs,
}
