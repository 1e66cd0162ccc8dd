//! What `inr bench` accepts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::values;

/// Arguments of `inr bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub command: BenchCommand,
}

/// The benchmarks.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Time a training step and a render against the multiply-adds that this machine can do
    Engine(EngineArgs),
    /// Compare rate and distortion with JPEG, WebP, AVIF and JPEG XL
    Rd(RdArgs),
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
    /// Times that each figure is measured; the median is printed
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub runs: usize,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

const RD_HELP: &str = "\
Codecs: jpeg, mozjpeg, webp, avif, avif-slow and jxl are outside programs; the kinds of `inr encode --model` are this \
program's own. Qualities run from 0 to 100 for all of them, larger files and better pictures as they rise.

The output folder gets results.csv (every file), means.csv (means over the pictures), bd.csv (BD-rates), rd.svg and \
report.html, and cache/ with what was measured: a run that was interrupted continues there. Seconds are those of one \
thread; those of outside programs count their start.

Examples:
  inr bench rd --data photos --quick
  inr bench rd --data photos --codecs jpeg,webp,siren --metrics psnr --jobs 1

Exit codes: 0 done, 1 failed, 2 bad arguments.";

/// Arguments of `inr bench rd`.
#[derive(Debug, Args)]
#[command(after_help = RD_HELP)]
pub struct RdArgs {
    /// Folder of pictures without alpha; those in its folders are left out
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Codecs by name [default: jpeg,webp,avif,jxl and the default of `inr encode`]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub codecs: Vec<String>,
    /// Qualities of every codec, at least 4, each 0 to 100 [default: by codec, from about 0.1 to 3 bits per pixel]
    #[arg(long, value_name = "Q,Q,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=100))]
    pub qualities: Vec<u32>,
    /// What is measured; PSNR always is
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
    /// Pictures under work at the same time, 1 to 1024; each takes one thread [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub jobs: Option<usize>,
    /// A look in little time: few qualities, and of every picture the middle
    #[arg(long)]
    pub quick: bool,
    /// Measure again what an earlier run has measured
    #[arg(short, long)]
    pub force: bool,
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
}
