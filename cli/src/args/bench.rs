//! Arguments of `inr bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use inr::upscale::UpscaleMethod;

use crate::values::{self, DegradationName};

/// Arguments of `inr bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub command: BenchCommand,
}

/// The benchmarks.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Time a training step and a render against the peak multiply-adds of this machine
    Engine(EngineArgs),
    /// Compare rate and distortion with JPEG, WebP, AVIF and JPEG XL
    Rd(RdArgs),
    /// Compare enlargements of reduced pictures with the pictures
    Sr(Box<SrArgs>),
}

/// Arguments of `inr bench engine`.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// Widths of the two hidden layers
    #[arg(
        long,
        value_name = "W,W,…",
        value_delimiter = ',',
        default_value = "16,32,64,128,256,512"
    )]
    pub widths: Vec<usize>,
    /// Pixels per step
    #[arg(long, value_name = "N", default_value_t = 65_536)]
    pub pixels: usize,
    /// Samples per pixel
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub channels: usize,
    /// Numbers of threads [default: 1 and all]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub threads: Vec<usize>,
    /// Engines, by the names printed [default: all that this machine has]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub engines: Vec<String>,
    /// Repetitions of each measurement; the median is printed
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub runs: usize,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

const RD_HELP: &str = "\
Codecs: avif-iq (tune=iq, 4:2:0, speed 4), avif-psnr (tune=psnr, 4:4:4, speed 4) and libjxl (effort 7) are those of \
Pillow, which scripts/bench-rd installs; jpeg, mozjpeg, webp, avif, avif-slow and jxl are programs of Debian. The kinds of \
`inr encode --model` are this program's own; pyramid-mse aims at PSNR. Qualities run from 0 to 100 for all of them, larger \
files and better pictures as they rise.

The output folder gets results.csv (every file), means.csv (means over the pictures), bd.csv (BD-rates), rd.svg and \
report.html and cache/: an interrupted run resumes from the cached results. Seconds are of one \
thread and include the start of outside programs.

Examples:
  inr bench rd --data photos --quick
  inr bench rd --data photos --codecs jpeg,webp,siren --metrics psnr --jobs 1

Exit codes: 0 done, 1 failed, 2 bad arguments.";

/// Arguments of `inr bench rd`.
#[derive(Debug, Args)]
#[command(after_help = RD_HELP)]
pub struct RdArgs {
    /// Folder of pictures without alpha; subfolders are ignored
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Codecs by name [default: webp,avif-iq,avif-psnr,libjxl and the default of `inr encode`]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub codecs: Vec<String>,
    /// Qualities of every codec, at least 4, each 0 to 100 [default: by codec, from about 0.1 to 3 bits per pixel]
    #[arg(long, value_name = "Q,Q,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=100))]
    pub qualities: Vec<u32>,
    /// Metrics; PSNR is always measured
    #[arg(
        long,
        value_enum,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "psnr,ssim,msssim,ssimulacra2"
    )]
    pub metrics: Vec<Metric>,
    /// Folder for the results; those of an earlier run are replaced
    #[arg(long, value_name = "DIR", default_value = "rd-results")]
    pub out: PathBuf,
    /// Published curves to draw beside the measured ones: a CSV file with the columns codec, bpp and psnr_rgb_db
    #[arg(long, value_name = "CSV")]
    pub published: Option<PathBuf>,
    /// Pictures coded at the same time, 1 to 1024; each takes one thread [default: one per thread]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub jobs: Option<usize>,
    /// A quick estimate: few qualities, and the middle of every picture
    #[arg(long)]
    pub quick: bool,
    /// Ignore cached results and measure again
    #[arg(short, long)]
    pub force: bool,
}

const SR_HELP: &str = "\
Every picture is cropped to a multiple of the scale, reduced, rounded to 8 bits, enlarged and compared with itself. psnr_y \
and ssim_y follow the benchmarks: luma of BT.601 (16 to 235), a border as wide as the scale left out, bicubic reduction \
by default. psnr_rgb and ssim_rgb (uniform 7x7 window) leave out the same border, SSIMULACRA2 leaves out nothing. Seconds \
are per million output pixels, on all threads, and include the start of outside programs.

The output folder gets results.csv (every picture), means.csv, crops-xS.png for each scale, and report.html with all of it.

Examples:
  inr bench sr --data photos
  inr bench sr --data photos --scales 4 --degradation area --methods bicubic,inr
  inr bench sr --data photos --crop 384 --jpeg 75 --blind
  inr bench sr --data photos --external 'waifu2x=tools/upscale/rival.py waifu2x-photo {in} {out} {scale}'

Exit codes: 0 done, 1 failed, 2 bad arguments.";

/// Arguments of `inr bench sr`.
#[derive(Debug, Args)]
#[command(after_help = SR_HELP)]
pub struct SrArgs {
    /// Folder of pictures without alpha; subfolders are ignored
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Scales, each 2 to 16
    #[arg(long, value_name = "S,S,…", value_delimiter = ',', default_value = "2,4", value_parser = clap::value_parser!(u32).range(2..=16))]
    pub scales: Vec<u32>,
    /// Methods of `inr upscale` by name
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "nearest,bilinear,bicubic,lanczos3,backprojected,auto"
    )]
    pub methods: Vec<UpscaleMethod>,
    /// An outside program, with words {in} and {out} for PNG files, and {scale}, and before it NAME= if you like; may be given
    /// several times
    #[arg(long, value_name = "COMMAND")]
    pub external: Vec<String>,
    /// How pictures are reduced: area, bicubic, gaussian:S (in small pixels) or psf:FILE
    #[arg(long, value_name = "NAME", default_value = "bicubic")]
    pub degradation: DegradationName,
    /// Standard deviation of noise that is added to the small pictures, in steps of 8 bits
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub noise: f64,
    /// Compress the small pictures as JPEG of this quality, 1 to 100
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub jpeg: Option<u8>,
    /// Take the middle N x N pixels of larger pictures
    #[arg(long, value_name = "N", conflicts_with = "quick", value_parser = clap::value_parser!(u32).range(64..))]
    pub crop: Option<u32>,
    /// Keep the degradation from the methods
    #[arg(long)]
    pub blind: bool,
    /// Effort of the methods that have one, 1 to 9
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=9), allow_negative_numbers = true)]
    pub effort: u8,
    /// Folder for the results; those of an earlier run are replaced
    #[arg(long, value_name = "DIR", default_value = "sr-results")]
    pub out: PathBuf,
    /// CPU threads, 1 to 1024 [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub threads: Option<usize>,
    /// A quick estimate: the middle of every picture
    #[arg(long)]
    pub quick: bool,
}

/// Metrics by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    /// Over red, green and blue, in dB
    Psnr,
    /// Uniform 7x7 window
    Ssim,
    /// Five scales
    Msssim,
    /// 100 for equal pictures
    Ssimulacra2,
    /// 3-norm, 0 for equal pictures; takes the program butteraugli_main
    Butteraugli,
}
