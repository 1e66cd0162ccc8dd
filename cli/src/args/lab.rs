//! Arguments of `inr lab`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use inr::DeviceChoice;

use crate::values;

const HELP: &str = "\
Experiments: fit (sine against ReLU networks), poisson (pictures from their derivatives), relu (what positional encoding \
does for ReLU networks), init and omega (ablations), activations (their statistics), sisr (enlargements), all.

Recipes name their pictures: camera.png is scikit-image's, in its data folder; rows whose picture is missing from the folder \
of --data are skipped with a note. --quick needs no folder. The output folder gets report.html, tables.md, and for \
every experiment CSV files, plots, grids of pictures and the fitted fields. Results are cached: interrupted runs resume, \
even within a fit.

Examples:
  inr lab all --quick
  inr lab poisson --data skimage/data --out study
  inr lab init --data skimage/data --set side=64 --set width=128

Exit codes: 0 done, 1 failed, 2 bad arguments.";

/// Arguments of `inr lab`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct LabArgs {
    /// The experiments
    #[arg(required = true, value_enum, value_name = "EXPERIMENT")]
    pub experiments: Vec<LabExperiment>,
    /// Small pictures, small networks and few steps: minutes instead of many hours
    #[arg(long)]
    pub quick: bool,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub out: PathBuf,
    /// Folder with the recipes' pictures
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A picture to use in place of every recipe's
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// A setting on top of every recipe's, such as side=128 or steps=500
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder with recipes in place of the program's own, by the names of the experiments
    #[arg(long, value_name = "DIR")]
    pub recipes: Option<PathBuf>,
    /// Torchvision's VGG19, .safetensors or .pth, for rows with its features in the loss; none comes with the program
    /// [default: the file that INR_VGG19 names]
    #[arg(long, value_name = "FILE")]
    pub vgg_weights: Option<PathBuf>,
    /// SRGAN's generator, .safetensors or .pth with twhui's, leftthomas' or Lornatang's names, or of inr train-sr
    /// [default: the file that INR_SRGAN names]
    #[arg(long, value_name = "FILE")]
    pub srgan_weights: Option<PathBuf>,
    /// Ignore cached fits and fit again
    #[arg(short, long)]
    pub force: bool,
    /// Where networks are fitted: auto, cpu, cuda, cuda:N or metal; losses by VGG19's features take the CPU
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// CPU threads, 1 to 1024; the result is the same for any number [default: all]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub threads: Option<usize>,
    /// Say nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print a JSON object at the end
    #[arg(long)]
    pub json: bool,
}

/// Experiments; recipes and folders have their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum LabExperiment {
    /// Image fitting
    Fit,
    /// Pictures from their derivatives
    Poisson,
    /// ReLU networks with and without positional encoding
    Relu,
    /// Initial weights
    Init,
    /// omega0
    Omega,
    /// Statistics of activations
    Activations,
    /// Enlargements
    Sisr,
    /// All of these
    All,
}

impl LabExperiment {
    /// Every experiment, in the order of a report.
    pub const EACH: [Self; 7] = [
        Self::Fit,
        Self::Poisson,
        Self::Relu,
        Self::Init,
        Self::Omega,
        Self::Activations,
        Self::Sisr,
    ];

    /// The experiments that `asked` stands for, each once.
    pub fn chosen(asked: &[Self]) -> Vec<Self> {
        let wanted = |experiment: &Self| asked.contains(experiment) || asked.contains(&Self::All);
        Self::EACH.into_iter().filter(wanted).collect()
    }
}
