//! What the command line accepts; nothing here does any work.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use inr::{Architecture, Depth, DeviceChoice, FileFormat, Method, OptimizerChoice, Region};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; with several files, one of them failed
  2  bad arguments
  3  the input is not a usable .inr file";

/// A picture format whose files are fitted coordinate networks.
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
    /// Fit a network to each picture and store it as an .inr file
    Encode(Box<EncodeArgs>),
    /// Render .inr files at any size
    Decode(Box<DecodeArgs>),
    /// Show what an .inr file holds
    Info(InfoArgs),
    /// Measure how much two pictures differ
    Compare(CompareArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages into a folder
    Man(ManArgs),
}

const ENCODE_EXAMPLES: &str = "\
Examples:
  inr encode photo.png                       writes photo.inr at quality 75
  inr encode *.jpg --out-dir small -q 40     several pictures into a folder
  inr encode photo.png --bytes 40k           the best that fits 40,000 bytes
  inr encode scan.tif --psnr 38 -o -         to standard output

Exit codes: 0 done, 1 failed (with several files: one of them), 2 bad arguments.";

/// Arguments of `inr encode`.
#[derive(Debug, Args)]
#[command(after_help = ENCODE_EXAMPLES)]
#[command(group = ArgGroup::new("target").args(["quality", "bpp", "bytes", "psnr"]))]
pub struct EncodeArgs {
    /// Pictures to encode: PNG, JPEG, WebP, TIFF, BMP, QOI, PNM or GIF; - is standard input
    #[arg(required = true, value_name = "PICTURE")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Quality, 0 to 100; larger files and better pictures as it rises [default: 75]
    #[arg(short, long, value_name = "Q", allow_negative_numbers = true)]
    pub quality: Option<f64>,
    /// Size of the file in bits per pixel, at most
    #[arg(long, value_name = "BITS", allow_negative_numbers = true)]
    pub bpp: Option<f64>,
    /// Size of the file in bytes, at most; k and M stand for 1,000 and 1,000,000
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub bytes: Option<u64>,
    /// PSNR of the decoded file in dB, at least
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    pub psnr: Option<f64>,
    /// Keep 32-bit floating-point weights: the largest files, nothing lost to rounding
    #[arg(long, conflicts_with = "bits")]
    pub float: bool,
    /// Kind of network: siren, siren-pe, relu or relu-pe
    #[arg(
        long,
        value_name = "KIND",
        default_value = "siren",
        help_heading = "Network"
    )]
    pub model: Architecture,
    /// Widths of the hidden layers, such as 64,64,64 [default: by size]
    #[arg(
        long,
        value_name = "WIDTHS",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub hidden: Option<Vec<u32>>,
    /// omega0 of the first layer [default: by size]
    #[arg(long, value_name = "OMEGA", help_heading = "Network")]
    pub omega0: Option<f32>,
    /// omega0 of the other hidden layers [default: 30]
    #[arg(long, value_name = "OMEGA", help_heading = "Network")]
    pub omega0_hidden: Option<f32>,
    /// Mean bits per stored weight, 2 to 15 [default: by quality]
    #[arg(long, value_name = "BITS", help_heading = "Network")]
    pub bits: Option<f64>,
    /// Visits of every pixel [default: by size]
    #[arg(long, value_name = "N", help_heading = "Fit")]
    pub epochs: Option<f64>,
    /// Time that each picture may take, such as 90s or 5m
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Fit")]
    pub time: Option<Duration>,
    /// Peak learning rate [default: 0.001]
    #[arg(long, value_name = "RATE", help_heading = "Fit")]
    pub learning_rate: Option<f32>,
    /// Optimiser of the floating-point fit
    #[arg(long, value_enum, default_value_t = Optimizer::ScheduleFree, help_heading = "Fit")]
    pub optimizer: Optimizer,
    /// Seed of the initial weights and of the order of pixels
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Fit")]
    pub seed: u64,
    /// Where to fit: auto, cpu, cuda, cuda:N or metal
    #[arg(long, default_value = "auto", help_heading = "Fit")]
    pub device: DeviceChoice,
    /// CPU threads; the result is the same for any number [default: all]
    #[arg(long, value_name = "N", value_parser = parse_count, help_heading = "Fit")]
    pub threads: Option<usize>,
    /// When interrupted, write what is there
    #[arg(long, help_heading = "Fit")]
    pub keep: bool,
    /// Store a small preview picture
    #[arg(long)]
    pub preview: bool,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Where output goes.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Output file; - is standard output [default: named after the input, beside it]
    #[arg(short, long, value_name = "FILE", conflicts_with = "out_dir")]
    pub output: Option<PathBuf>,
    /// Folder for output files; made if it is missing
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Overwrite output files that exist
    #[arg(short, long)]
    pub force: bool,
}

/// How much is said.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Say nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print one JSON object per file on standard output
    #[arg(long)]
    pub json: bool,
}

/// Optimisers by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Optimizer {
    /// Schedule-Free Adam
    ScheduleFree,
    /// Adam with cosine decay
    Adam,
    /// Adam at a constant rate
    AdamConstant,
}

impl From<Optimizer> for OptimizerChoice {
    fn from(name: Optimizer) -> Self {
        match name {
            Optimizer::ScheduleFree => Self::ScheduleFree,
            Optimizer::Adam => Self::Adam,
            Optimizer::AdamConstant => Self::AdamConstant,
        }
    }
}

const DECODE_EXAMPLES: &str = "\
Examples:
  inr decode photo.inr                          writes photo.png
  inr decode photo.inr --scale 4                writes photo.x4.png
  inr decode photo.inr --size 3000x2000 -o big.tiff --depth 16
  inr decode photo.inr --region 100,80,64,48 --scale 20    zoom without rendering the rest
  inr decode photo.inr --scale 4 --compare      INR on the left, bicubic on the right

Exit codes: 0 done, 1 failed (with several files: one of them), 2 bad arguments,
3 the input is not a usable .inr file.";

/// Arguments of `inr decode`.
#[derive(Debug, Args)]
#[command(after_help = DECODE_EXAMPLES)]
#[command(group = ArgGroup::new("extent").args(["scale", "size", "width", "height"]))]
pub struct DecodeArgs {
    /// .inr files to render; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Output pixels per source pixel, above 0; fractions are fine [default: 1]
    #[arg(short, long, value_name = "S", allow_negative_numbers = true)]
    pub scale: Option<f64>,
    /// Output width and height, such as 3000x2000
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub size: Option<(u32, u32)>,
    /// Output width; the height follows
    #[arg(long, value_name = "W")]
    pub width: Option<u32>,
    /// Output height; the width follows
    #[arg(long, value_name = "H")]
    pub height: Option<u32>,
    /// The part to render: left, top, width, height in source pixels; fractions are fine
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_region, allow_hyphen_values = true)]
    pub region: Option<Region>,
    /// How pixels are made; auto takes the field, or bicubic where its enlargement is not trustworthy
    #[arg(long, value_enum, default_value_t = MethodName::Auto)]
    pub method: MethodName,
    /// Bits of the output's samples [default: the source's]
    #[arg(long, value_enum)]
    pub depth: Option<DepthName>,
    /// Format of the output: png, jpg, webp, tiff, bmp, qoi or pnm [default: by the output's name, else png]
    #[arg(long, value_parser = parse_format)]
    pub format: Option<FileFormat>,
    /// Write the field and bicubic side by side
    #[arg(long)]
    pub compare: bool,
    /// Where to render: auto, cpu, cuda, cuda:N or metal; auto is the CPU
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// CPU threads; the result is the same for any number [default: all]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Methods by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MethodName {
    /// The field
    Inr,
    /// Bicubic (Catmull-Rom) from the native render
    Bicubic,
    /// Lanczos from the native render
    Lanczos,
    /// The field if trustworthy, else bicubic
    Auto,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Inr => Self::Inr,
            MethodName::Bicubic => Self::Bicubic,
            MethodName::Lanczos => Self::Lanczos,
            MethodName::Auto => Self::Auto,
        }
    }
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

/// Arguments of `inr info`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 bad arguments, 3 the file is damaged; what is intact is listed."
)]
pub struct InfoArgs {
    /// The .inr file; - is standard input
    #[arg(value_name = "FILE")]
    pub input: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `inr compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Either one may be a picture or an .inr file, which is rendered at its native size."
)]
pub struct CompareArgs {
    /// The reference
    #[arg(value_name = "A")]
    pub reference: PathBuf,
    /// What is measured against it
    #[arg(value_name = "B")]
    pub other: PathBuf,
    /// Write a picture of the differences around mid grey; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How much the differences are amplified
    #[arg(long, default_value_t = 8.0)]
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
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Arguments of `inr man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for the pages; without it the main page goes to standard output
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        _ => (text, 1.0),
    };
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() && number * unit >= 1.0 && number * unit < 1e15 => {
            Ok((number * unit) as u64)
        }
        _ => Err("give a number of bytes, such as 40000, 40k or 1.5M".into()),
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 && number * unit < 1e9 => {
            Ok(Duration::from_secs_f64(number * unit))
        }
        _ => Err("give a time above 0, such as 90s, 5m or 1h".into()),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1024) => Ok(count),
        _ => Err("give a number from 1 to 1024".into()),
    }
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text
        .split_once(['x', 'X'])
        .map(|(width, height)| (width.parse(), height.parse()));
    match sides {
        Some((Ok(width @ 1..), Ok(height @ 1..))) => Ok((width, height)),
        _ => Err("give width x height, such as 3000x2000".into()),
    }
}

fn parse_region(text: &str) -> Result<Region, String> {
    let numbers: Vec<f64> = text
        .split(',')
        .filter_map(|part| part.trim().parse().ok())
        .collect();
    match (numbers.as_slice(), text.split(',').count()) {
        (&[x, y, width, height], 4) => Ok(Region {
            x,
            y,
            width,
            height,
        }),
        _ => Err("give left,top,width,height in source pixels, such as 10,20,64,48".into()),
    }
}

fn parse_format(text: &str) -> Result<FileFormat, String> {
    FileFormat::from_name(text).ok_or_else(|| "give png, jpg, webp, tiff, bmp, qoi or pnm".into())
}
