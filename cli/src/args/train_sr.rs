//! Arguments of `inr train-sr`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use inr::DeviceChoice;
use inr_networks::{SrLoss, SrRecipe, SrShape};

use crate::values;

const HELP: &str = "\
Pictures are read from the folder itself, reduced by bicubic interpolation, and the network learns the inverse from \
patches. With --adversarial it then learns against a discriminator, with VGG19's features as the content loss: give \
torchvision's weights with --vgg-weights or in INR_VGG19. Without them the pixels are the content loss, as in the paper's \
SRGAN-MSE. The result is a .safetensors file.

The same command resumes an interrupted training, with the same result, from the .checkpoint file beside the output.

Examples:
  inr train-sr photos -o x4.safetensors
  inr train-sr photos -o small.safetensors --scale 2 --width 32 --blocks 4 --steps 20000 --test others
  inr train-sr photos -o srgan.safetensors --adversarial 100000 --vgg-weights vgg19.pth --device cuda

Exit codes: 0 done, 1 failed or interrupted, 2 bad arguments.";

/// Arguments of `inr train-sr`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct TrainSrArgs {
    /// Folder with the pictures
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// File for the weights
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Output pixels per input pixel along a side: 2, 4 or 8
    #[arg(long, value_name = "S", default_value_t = 4, value_parser = scale)]
    pub scale: u32,
    /// Channels inside, 1 to 1024
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub width: u16,
    /// Residual blocks, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub blocks: u16,
    /// Leave out the batch normalisations: better pictures by PSNR from small networks
    #[arg(long)]
    pub no_norm: bool,
    /// Side of the patches that the network makes, in pixels; a multiple of the scale, with --adversarial of 16
    #[arg(long, value_name = "N", default_value_t = 96, value_parser = clap::value_parser!(u16).range(4..=1024))]
    pub patch: u16,
    /// Patches per step, 1 to 1024
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub batch: u16,
    /// Steps by the pixels' loss
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: u64,
    /// The pixels' loss
    #[arg(long, value_enum, default_value_t = Loss::L1)]
    pub loss: Loss,
    /// Steps after those, against a discriminator
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub adversarial: u64,
    /// Torchvision's VGG19, .safetensors or .pth, for --adversarial [default: the file that INR_VGG19 names]
    #[arg(long, value_name = "FILE")]
    pub vgg_weights: Option<PathBuf>,
    /// Layer of VGG19 after which features are taken, 1 to 37
    #[arg(long, value_name = "N", default_value_t = 36, value_parser = clap::value_parser!(u8).range(1..=37))]
    pub vgg_layer: u8,
    /// Peak learning rate, above 0 to 10
    #[arg(long, value_name = "RATE", default_value_t = 5e-4, value_parser = values::positive_f32)]
    pub learning_rate: f32,
    /// Seed of the initial weights and of the choice of patches
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Folder with pictures to measure the network on, beside bicubic interpolation, at the end
    #[arg(long, value_name = "DIR")]
    pub test: Option<PathBuf>,
    /// Where to train: auto, cpu, cuda, cuda:N or metal; the CPU with as many threads as RAYON_NUM_THREADS says, else all
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Start anew instead of resuming, and replace the output file if it exists
    #[arg(short, long)]
    pub force: bool,
    /// Say nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print a JSON object at the end
    #[arg(long)]
    pub json: bool,
}

/// Losses by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Loss {
    /// Mean absolute difference
    L1,
    /// Mean squared difference
    Mse,
}

fn scale(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(scale @ (2 | 4 | 8)) => Ok(scale),
        _ => Err("wanted: 2, 4 or 8".into()),
    }
}

impl TrainSrArgs {
    /// The training, with `vgg` where there are weights of it.
    pub fn recipe(&self, vgg: Option<PathBuf>) -> SrRecipe {
        SrRecipe {
            shape: SrShape {
                width: self.width.into(),
                blocks: self.blocks.into(),
                doublings: self.scale.trailing_zeros() as usize,
                norm: !self.no_norm,
            },
            loss: match self.loss {
                Loss::L1 => SrLoss::L1,
                Loss::Mse => SrLoss::Mse,
            },
            patch: self.patch.into(),
            batch: self.batch.into(),
            steps: self.steps,
            adversarial_steps: self.adversarial,
            vgg,
            vgg_after: self.vgg_layer.into(),
            rate: self.learning_rate,
            seed: self.seed,
            device: self.device,
        }
    }
}
