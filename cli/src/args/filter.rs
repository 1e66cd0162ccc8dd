//! Arguments of `inr filter`.

use std::path::PathBuf;

use clap::Args;

use super::{DepthName, ReportArgs};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  inr filter --list                                        the filters and their parameters
  inr filter sharpen photo.png sharp.png --param amount=2
  inr filter upscale photo.png large.png --param scale=4
  inr filter seamless-paste photo.png out.png --input source=bird.png --input mask=mask.png --param left=120
  inr filter --plugin ./libother.so blur photo.png out.png

A plug-in is a path or a name. Names are searched for in the folders of INR_PLUGIN_PATH, beside this program, in
~/.local/lib/inr, /usr/local/lib/inr and /usr/lib/inr. A plug-in runs with all rights of this program.

Exit codes: 0 done, 1 failed, 2 bad arguments.";

/// Arguments of `inr filter`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FilterArgs {
    /// The filter, by its key or id
    #[arg(required_unless_present = "list", value_name = "FILTER")]
    pub filter: Option<String>,
    /// The picture: PNG, JPEG, WebP, TIFF, BMP, QOI, PNM or GIF; - is standard input
    #[arg(required_unless_present = "list", value_name = "PICTURE")]
    pub input: Option<PathBuf>,
    /// The output file, in the format of its extension; - is standard output, as PNG
    #[arg(required_unless_present = "list", value_name = "OUTPUT")]
    pub output: Option<PathBuf>,
    /// The plug-in that has the filter
    #[arg(long, value_name = "FILE", default_value = "inr_plugin")]
    pub plugin: PathBuf,
    /// List the plug-in's filters instead
    #[arg(long, conflicts_with_all = ["filter", "params", "inputs"])]
    pub list: bool,
    /// A parameter's value; may be repeated
    #[arg(long = "param", short, value_name = "KEY=VALUE", value_parser = values::pair)]
    pub params: Vec<(String, String)>,
    /// Another picture that the filter takes; may be repeated
    #[arg(long = "input", short, value_name = "KEY=PICTURE", value_parser = values::pair)]
    pub inputs: Vec<(String, String)>,
    /// Bits of the output's samples [default: the input's]
    #[arg(long, value_enum, value_name = "BITS")]
    pub depth: Option<DepthName>,
    /// CPU threads, 1 to 1024 [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub threads: Option<usize>,
    /// Replace the output if it exists; never an input
    #[arg(short, long)]
    pub force: bool,
    #[command(flatten)]
    pub report: ReportArgs,
}
