//! The command line; nothing here does any work. Single values are checked in `values.rs`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use inr::decode::{Derivative, RenderMethod};
use inr::encode::{Architecture, ModelOptions, NetworkOptions};
use inr::fit::OptimizerChoice;
use inr::{Depth, DeviceChoice, FileFormat, ReadOptions, Region};

use super::failure::bad_arguments;
use super::values;

mod bench;
mod filter;
mod lab;
#[cfg(feature = "candle")]
mod train_sr;
mod upscale;

pub use bench::{BenchArgs, BenchCommand, EngineArgs, Metric, RdArgs, SrArgs};
pub use filter::FilterArgs;
pub use lab::{LabArgs, LabExperiment};
#[cfg(feature = "candle")]
pub use train_sr::TrainSrArgs;
pub use upscale::UpscaleArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  bad arguments
  3  the input is not a usable .inr file
  4  done, but a file misses the --psnr, --bpp or --bytes that was asked for
A file that fails does not stop the others; with several failures the smallest code is returned.";

/// A picture format whose files are fitted fields: small, and sharp at every size.
#[derive(Debug, Parser)]
#[command(name = "inr", version, about, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Encode pictures as .inr files
    Encode(Box<EncodeArgs>),
    /// Render .inr files at any size
    Decode(Box<DecodeArgs>),
    /// Enlarge pictures, better than bicubic
    Upscale(Box<UpscaleArgs>),
    /// Show the contents of .inr files
    Info(InfoArgs),
    /// Measure how much two pictures differ
    Compare(CompareArgs),
    /// Apply a plug-in's filter to a picture, or list its filters
    Filter(FilterArgs),
    /// Measure the speed of this machine, or compare codec and enlargements with others
    Bench(BenchArgs),
    /// Repeat the experiments of the SIREN study and write a report
    Lab(LabArgs),
    /// Train a network that enlarges pictures (SRResNet, SRGAN) from a folder of them
    #[cfg(feature = "candle")]
    TrainSr(TrainSrArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages into a folder
    Man(ManArgs),
}

const ENCODE_EXAMPLES: &str = "\
Examples:
  inr encode photo.png                       writes photo.inr at quality 75
  inr encode photo.png small.inr -q 40       a name and a quality
  inr encode *.jpg --out-dir small           several pictures into a folder
  inr encode -r archive --skip-existing      a folder, again and again
  inr encode photo.png --bytes 40k           the best that fits into 40,000 bytes
  inr encode photo.png --time 90s --keep     stop after 90 seconds, or at Ctrl-C, with a usable file
  inr encode photo.png --model siren --resume    resume an interrupted fit
  inr encode scan.tif --psnr 38 -o -         to standard output

There is no lossless mode: --quality 100 comes within about one step of 8 bits. --model siren, siren-pe, relu and
relu-pe fit one network to the whole picture instead, for study; they alone take the options
under Network.

Ctrl-C stops the encode. Without --keep nothing is written; with it, the file as far as it has come. With --resume a
checkpoint is written. A second Ctrl-C ends the program at once.

Exit codes: 0 done, 1 failed (with several files: one of them), 2 bad arguments, 4 done, but a file misses the --psnr,
--bpp or --bytes that was asked for.";

/// Arguments of `inr encode`.
#[derive(Debug, Args)]
#[command(after_help = ENCODE_EXAMPLES)]
#[command(group = ArgGroup::new("target").args(["quality", "bpp", "bytes", "psnr"]))]
pub struct EncodeArgs {
    /// Pictures to encode: PNG, JPEG, JPEG XL, WebP, TIFF, OpenEXR, PFM, BMP, QOI, PNM or GIF;
    /// - is standard input
    #[arg(required = true, value_name = "PICTURE")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Quality, 0 to 100; files grow with it [default: 75]
    #[arg(short, long, value_name = "Q", value_parser = values::quality, allow_negative_numbers = true)]
    pub quality: Option<f64>,
    /// Size of the file in bits per pixel, at most; above 0
    #[arg(long, value_name = "BITS", value_parser = values::positive, allow_negative_numbers = true)]
    pub bpp: Option<f64>,
    /// Size of the file in bytes, at most; k and M stand for 1,000 and 1,000,000, Ki and Mi for 1,024 and 1,048,576
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true)]
    pub bytes: Option<u64>,
    /// PSNR of the decoded file in dB, at least; 1 to 200
    #[arg(long, value_name = "DB", value_parser = values::positive, allow_negative_numbers = true)]
    pub psnr: Option<f64>,
    /// Keep 32-bit floating-point weights: the largest files, nothing lost to rounding
    #[arg(long, conflicts_with = "bits", help_heading = "Network")]
    pub float: bool,
    /// Kind of field: pyramid, or a network: siren, siren-pe, relu or relu-pe (pe: with positional encoding)
    /// [default: pyramid; siren when --hidden, --omega0, --omega0-hidden, --bits, --float, --epochs or
    /// --learning-rate is given]
    #[arg(long, value_name = "KIND")]
    pub model: Option<ModelOptions>,
    /// How long to look for a smaller file of the same quality, 1 to 9; pyramids only [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=9), allow_negative_numbers = true)]
    pub effort: Option<u8>,
    /// Metric that bytes are spent on; pyramids only [default: perceptual]
    #[arg(long, value_name = "NAME", value_parser = values::named::<inr::encode::Metric>())]
    pub metric: Option<inr::encode::Metric>,
    /// Let decoders put noise where fine texture was lost, as strong as that was on average; pyramids only
    #[arg(long)]
    pub grain: bool,
    /// Widths of the hidden layers, each 1 to 4096, such as 64,64,64 [default: by size and quality]
    #[arg(
        long,
        value_name = "WIDTHS",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=4096),
        help_heading = "Network"
    )]
    pub hidden: Option<Vec<u32>>,
    /// omega0 of the first sine layer, above 0 to 10000 [default: by size]
    #[arg(long, value_name = "OMEGA", value_parser = values::positive_f32, allow_negative_numbers = true, help_heading = "Network")]
    pub omega0: Option<f32>,
    /// omega0 of the other sine layers, above 0 to 10000 [default: 30]
    #[arg(long, value_name = "OMEGA", value_parser = values::positive_f32, allow_negative_numbers = true, help_heading = "Network")]
    pub omega0_hidden: Option<f32>,
    /// Mean bits per stored weight, 2 to 15 [default: by quality]
    #[arg(long, value_name = "BITS", value_parser = values::positive, allow_negative_numbers = true, help_heading = "Network")]
    pub bits: Option<f64>,
    /// Visits of every pixel, above 0 [default: by size]
    #[arg(long, value_name = "N", value_parser = values::positive, allow_negative_numbers = true, help_heading = "Network")]
    pub epochs: Option<f64>,
    /// Time that each picture may take, such as 90s or 5m; the result then depends on the machine [default: any]
    #[arg(long, value_name = "TIME", value_parser = values::time, allow_negative_numbers = true, help_heading = "Fit")]
    pub time: Option<Duration>,
    /// Peak learning rate, above 0 to 10 [default: by size of the network]
    #[arg(long, value_name = "RATE", value_parser = values::positive_f32, allow_negative_numbers = true, help_heading = "Network")]
    pub learning_rate: Option<f32>,
    /// Optimiser of the floating-point fit: Adam with a rate that falls to zero or stays constant, or Schedule-Free Adam
    /// [default: adam]
    #[arg(long, value_name = "NAME", value_parser = values::named::<OptimizerChoice>(), help_heading = "Network")]
    pub optimizer: Option<OptimizerChoice>,
    /// Seed of the initial weights and of the order of pixels [default: 0]
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub seed: Option<u64>,
    /// Where a network is fitted: auto, cpu, cuda, cuda:N or metal [default: auto]
    #[arg(long, help_heading = "Network")]
    pub device: Option<DeviceChoice>,
    /// CPU threads, 1 to 1024; the result is the same for any number [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = "Fit")]
    pub threads: Option<usize>,
    /// Pictures encoded at the same time, sharing the threads; the result is the same for any number [default: one per
    /// thread, at most 8]
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = "Fit")]
    pub jobs: Option<usize>,
    /// Memory that the program may take; pictures wait for room, and one that takes more is refused [default: any]
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true, help_heading = "Fit")]
    pub memory: Option<u64>,
    /// When interrupted, write the file as far as it has come
    #[arg(long, help_heading = "Fit")]
    pub keep: bool,
    /// Keep a checkpoint of a network's fit beside the output (photo.inr.checkpoint) and resume the one that is there: the
    /// same command, given again, writes the file of an encode that was never interrupted
    #[arg(long, help_heading = "Network")]
    pub resume: bool,
    /// Fit the network to averages over pixels, which makes better enlargements; every pyramid is ready for them
    #[arg(long, help_heading = "Network")]
    pub for_upscale: bool,
    /// Store a small JPEG preview as well
    #[arg(long)]
    pub preview: bool,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Pictures that are fitted at once unless the user says otherwise: all of them take memory.
const MOST_JOBS: usize = 8;

impl EncodeArgs {
    /// The kind of field with its options. An option that describes a network chooses one.
    ///
    /// # Errors
    /// For options that the model cannot honour.
    pub fn model(&self) -> Result<ModelOptions> {
        let described = given([
            ("--hidden", self.hidden.is_some()),
            ("--omega0", self.omega0.is_some()),
            ("--omega0-hidden", self.omega0_hidden.is_some()),
            ("--bits", self.bits.is_some()),
            ("--float", self.float),
            ("--epochs", self.epochs.is_some()),
            ("--learning-rate", self.learning_rate.is_some()),
        ]);
        let usual = if described.is_empty() {
            ModelOptions::default()
        } else {
            NetworkOptions::default().into()
        };
        let mut model = self.model.clone().unwrap_or(usual);
        let name = model.to_string();
        match &mut model {
            ModelOptions::Pyramid(pyramid) => {
                let gpu = matches!(
                    self.device,
                    Some(DeviceChoice::Cuda(_) | DeviceChoice::Metal)
                );
                let training = given([
                    ("--optimizer", self.optimizer.is_some()),
                    ("--seed", self.seed.is_some()),
                    ("--device", gpu),
                    ("--resume", self.resume),
                    ("--for-upscale", self.for_upscale),
                ]);
                let help = "leave them out, or choose a network, such as --model siren";
                refuse(&name, &[described, training].concat(), help)?;
                pyramid.effort = self.effort.unwrap_or(pyramid.effort);
                pyramid.metric = self.metric.unwrap_or(pyramid.metric);
                pyramid.grain = self.grain;
            }
            ModelOptions::Network(network) => {
                let given = given([
                    ("--effort", self.effort.is_some()),
                    ("--metric", self.metric.is_some()),
                    ("--grain", self.grain),
                ]);
                refuse(&name, &given, "leave them out, or take --model pyramid")?;
                *network = self.network(network.architecture);
            }
            _ => unreachable!("no other model has a name"),
        }
        Ok(model)
    }

    fn network(&self, architecture: Architecture) -> NetworkOptions {
        NetworkOptions::default()
            .architecture(architecture)
            .hidden(self.hidden.clone())
            .omega_first(self.omega0)
            .omega_hidden(self.omega0_hidden)
            .float(self.float)
            .bits(self.bits)
            .epochs(self.epochs)
            .learning_rate(self.learning_rate)
            .optimizer(self.optimizer.unwrap_or_default())
            .seed(self.seed.unwrap_or_default())
            .for_upscale(self.for_upscale)
            .device(self.device.unwrap_or_default())
    }

    /// How many pictures to fit at once with `threads` threads. One thread per picture wastes none of them on waiting; a
    /// GPU is best left to one picture.
    pub fn jobs(&self, threads: usize) -> usize {
        let shared = match self.device.unwrap_or_default() {
            DeviceChoice::Cpu => true,
            DeviceChoice::Auto => !cfg!(any(feature = "cuda", feature = "metal")),
            _ => false,
        };
        let most = if shared { threads.min(MOST_JOBS) } else { 1 };
        self.jobs.unwrap_or(most).clamp(1, self.inputs.len().max(1))
    }
}

/// The names of the options that were given.
fn given<const N: usize>(options: [(&'static str, bool); N]) -> Vec<&'static str> {
    let given = options.into_iter().filter(|(_, given)| *given);
    given.map(|(name, _)| name).collect()
}

/// Refuses `options` of another model.
fn refuse(model: &str, options: &[&str], help: &'static str) -> Result<()> {
    if options.is_empty() {
        return Ok(());
    }
    let what = format!("--model {model} does not take {}", options.join(", "));
    Err(bad_arguments(what, help))
}

/// Where output goes.
#[derive(Clone, Debug, Default, Args)]
pub struct OutputArgs {
    /// Output file; - is standard output. The second of two operands names it as well [default: named after the input,
    /// beside it]
    #[arg(short, long, value_name = "FILE", conflicts_with = "out_dir")]
    pub output: Option<PathBuf>,
    /// Folder for output files; made if it is missing
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Replace output files that exist; never an input
    #[arg(short, long)]
    pub force: bool,
    /// Pass over inputs whose output exists, without an error
    #[arg(long, conflicts_with = "force")]
    pub skip_existing: bool,
    /// Work on the files in folders and the folders below them, too; --out-dir then has the same folders
    #[arg(short, long)]
    pub recursive: bool,
    /// Give output files the time stamps of their inputs
    #[arg(long)]
    pub keep_times: bool,
    /// Folders of inputs, below the one that was named.
    #[arg(skip)]
    pub below: HashMap<PathBuf, PathBuf>,
}

/// How pictures are read.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Read the intact part of truncated and corrupt JPEGs, which are refused otherwise
    #[arg(long)]
    pub partial_source: bool,
    /// Page of TIFF files with several, counted from 1; they are refused otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub page: Option<u32>,
}

impl SourceArgs {
    /// The library's options.
    pub fn options(&self) -> ReadOptions {
        ReadOptions::default()
            .partial(self.partial_source)
            .page(self.page)
    }
}

/// Output of the program itself.
#[derive(Clone, Debug, Default, Args)]
pub struct ReportArgs {
    /// Say nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print one JSON object per file on standard output
    #[arg(long)]
    pub json: bool,
}

const DECODE_EXAMPLES: &str = "\
Examples:
  inr decode photo.inr                          writes photo.png, or photo.decoded.png beside a photo.png
  inr decode photo.inr --scale 4                writes photo.x4.png
  inr decode photo.inr small.jpg --fit 256x256  a thumbnail
  inr decode photo.inr --size 3000x2000 -o big.tiff --depth 16
  inr decode photo.inr --region 100,80,64,48 --scale 20    zoom without rendering the rest
  inr decode photo.inr --scale 4 --compare      the field on the left, bicubic on the right
  inr decode photo.inr --derivative laplacian -o lap.exr

Exit codes: 0 done, 1 failed (with several files: one of them), 2 bad arguments,
3 the input is not a usable .inr file.";

/// Arguments of `inr decode`.
#[derive(Debug, Args)]
#[command(after_help = DECODE_EXAMPLES)]
#[command(group = ArgGroup::new("extent").args(["scale", "size", "fit", "width", "height"]))]
pub struct DecodeArgs {
    /// .inr files to render; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Output pixels per source pixel, above 0; fractions are fine [default: 1]
    #[arg(short, long, value_name = "S", value_parser = values::positive, allow_negative_numbers = true)]
    pub scale: Option<f64>,
    /// Output width and height, such as 3000x2000; another shape than the picture's distorts it
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    pub size: Option<(u32, u32)>,
    /// Largest output that fits into this box and keeps the shape, such as 256x256 for thumbnails
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    pub fit: Option<(u32, u32)>,
    /// Output width; the height follows
    #[arg(long, value_name = "W", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    pub width: Option<u32>,
    /// Output height; the width follows
    #[arg(long, value_name = "H", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    pub height: Option<u32>,
    /// The part to render: left, top, width, height in source pixels; fractions are fine
    #[arg(long, value_name = "X,Y,W,H", value_parser = values::region, allow_hyphen_values = true)]
    pub region: Option<Region>,
    /// How pixels are made: spline samples the plain field (inr, for networks); network adds the detail that a trained network
    /// expects when it enlarges; bicubic and lanczos enlarge the native render; auto takes the network for enlarged pyramids,
    /// and for networks of --model the field, or bicubic where that can be trusted more
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = values::named::<RenderMethod>())]
    pub method: RenderMethod,
    /// Bits of the output's samples [default: the source's]
    #[arg(long, value_enum, value_name = "BITS")]
    pub depth: Option<DepthName>,
    /// Format of the output: png, jpg, webp, tiff, bmp, qoi, pnm, ppm, pgm, pam, exr or pfm [default: by the output's
    /// name, else png, or tiff for floating-point samples]
    #[arg(long, value_name = "NAME", value_parser = values::format)]
    pub format: Option<FileFormat>,
    /// Colour behind transparent pixels, such as white, #ffe0c0 or 255,224,192; the output then has no alpha
    #[arg(long, value_name = "COLOUR", value_parser = values::colour, conflicts_with = "derivative")]
    pub background: Option<[f32; 3]>,
    /// Render the intact part of a truncated file, coarser than the whole
    #[arg(long)]
    pub partial: bool,
    /// Write the field and bicubic side by side
    #[arg(long, conflicts_with = "method")]
    pub compare: bool,
    /// Write a derivative instead: dx, dy, gradient, gradient-hsv (hue: direction, value: length), magnitude, laplacian
    /// or normal; in 16 bits, or in floats to .tiff, .exr and with --depth float
    #[arg(
        long,
        value_name = "NAME",
        value_parser = values::named::<Derivative>(),
        hide_possible_values = true,
        conflicts_with_all = ["method", "compare", "device"]
    )]
    pub derivative: Option<Derivative>,
    /// The derivative at the end of the range of integers, in samples (0 to 1) per source pixel, above 0
    /// [default: the largest in the picture]
    #[arg(long, value_name = "R", requires = "derivative", value_parser = values::positive, allow_negative_numbers = true)]
    pub range: Option<f64>,
    /// Where to render: auto, cpu, cuda, cuda:N or metal; auto is the CPU
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// CPU threads, 1 to 1024; the result is the same for any number [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Depths by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DepthName {
    /// 8 bits
    #[value(name = "8")]
    Eight,
    /// 16 bits
    #[value(name = "16")]
    Sixteen,
    /// 32-bit floating point
    Float,
}

impl From<DepthName> for Depth {
    fn from(name: DepthName) -> Self {
        match name {
            DepthName::Eight => Self::U8,
            DepthName::Sixteen => Self::U16,
            DepthName::Float => Self::F32,
        }
    }
}

const INFO_HELP: &str = "\
Examples:
  inr info photo.inr
  inr info *.inr --json

Exit codes: 0 done, 1 failed, 2 bad arguments, 3 the file is damaged; the intact chunks are listed.";

/// Arguments of `inr info`.
#[derive(Debug, Args)]
#[command(after_help = INFO_HELP)]
pub struct InfoArgs {
    /// .inr files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    /// Print one JSON object per file
    #[arg(long)]
    pub json: bool,
}

const COMPARE_HELP: &str = "\
Either one may be a picture or an .inr file, which is rendered at its native size. SSIM is computed as scikit-image does
by default, and with a Gaussian window; SSIMULACRA2 is 100 for equal pictures.

Examples:
  inr compare photo.png photo.inr
  inr compare photo.png photo.inr -o difference.png --gain 16

Exit codes: 0 done, 1 failed, 2 bad arguments, 3 an .inr file is not usable.";

/// Arguments of `inr compare`.
#[derive(Debug, Args)]
#[command(after_help = COMPARE_HELP)]
pub struct CompareArgs {
    /// The reference; - is standard input
    #[arg(value_name = "A")]
    pub reference: PathBuf,
    /// The picture that is compared with it; - is standard input
    #[arg(value_name = "B")]
    pub other: PathBuf,
    /// Write a picture of the differences around mid grey; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Factor that amplifies the differences, above 0
    #[arg(long, value_name = "G", default_value_t = 8.0, value_parser = values::positive_f32, allow_negative_numbers = true)]
    pub gain: f32,
    /// Overwrite the output file if it exists
    #[arg(short, long)]
    pub force: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `inr completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  inr completions bash > ~/.local/share/bash-completion/completions/inr"
)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Arguments of `inr man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  inr man --out-dir ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Folder for the pages; without it the main page goes to standard output
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
}
