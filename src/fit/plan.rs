//! From what is asked for to a network's shape and a training budget.

use inr_formats::{Activation, Mlp};

use super::settings::NetworkOptions;

/// Size and cost of a fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) mlp: Mlp,
    /// Visits of every pixel, fine-tuning included.
    pub(crate) epochs: f64,
    /// Mean bits per weight that the caller asked for.
    bits: Option<f64>,
    pub(crate) batch: usize,
    pub(crate) rate: f32,
}

/// Hidden layers of a network whose widths are the encoder's to choose. With as many sine weights and epochs, 6 do 0.3 to
/// 0.4 dB better than 4, and 8 do 0.3 dB worse than 6 (kodim04, 07, 10 and 18 at 0.15 to 0.6 bits per pixel); with ReLU, 6
/// are no better than 4.
fn hidden_layers(activation: Activation) -> usize {
    match activation {
        Activation::Sine => 6,
        Activation::Relu => 4,
    }
}

/// Epochs of a fit that no budget cuts short; networks with fewer lose more than the weights that they pay for bring.
const EPOCHS: f64 = 80.0;
/// Multiply-adds, forward, of a whole fit; a step costs three times that. Pictures beyond it are visited less often.
const FIT_MULTIPLY_ADDS: f64 = 2.1e12;
/// Most parameters the encoder chooses by itself: beyond it the budget leaves too few visits for each weight.
pub(crate) const MOST_PARAMETERS: f64 = 130_000.0;
/// Bits per weight, on average, of networks that reach [`BITS_PSNR`] dB or less; each 6 dB above it need one more. Fewer
/// bits for more weights lose: at 0.15 bits per pixel 6 x 46 at 5 bits reaches 28.11 dB and 6 x 49 at 4.4 28.04 (kodim04,
/// kodim10, 20 epochs), and 6 x 50 reaches 24.8 dB, 6 x 58 at 3.3 bits 24.1, 6 x 66 at 2.5 bits 23.1 (kodim07, kodim18, 12
/// epochs).
const BITS: f64 = 5.0;
const BITS_PSNR: f64 = 32.0;
/// Bits beyond these with which a larger size than the network needs is filled, or that make up for missing fine-tuning.
const SPARE: f64 = 1.5;

impl Plan {
    /// A fit of about `parameters` weights to a picture of `width` x `height` with `channels`.
    pub(crate) fn new(
        options: &NetworkOptions,
        size: [u32; 2],
        channels: usize,
        parameters: f64,
    ) -> Self {
        let pixels = f64::from(size[0]) * f64::from(size[1]);
        let activation = options.architecture.activation();
        let frequencies = match (
            options.architecture.encodes_positions(),
            options.frequencies,
        ) {
            (false, _) => 0,
            (true, Some(octaves)) => octaves,
            // The study's Nyquist rule: floor(log2(side / 4)).
            (true, None) => (f64::from(size[0].max(size[1])) / 4.0)
                .log2()
                .floor()
                .clamp(1.0, 16.0) as u8,
        };
        let mut mlp = Mlp {
            activation,
            frequencies,
            hidden: Vec::new(),
            omega_first: 1.0,
            omega_hidden: 1.0,
            grid: options.grid,
        };
        mlp.hidden = options.hidden.clone().unwrap_or_else(|| {
            let width = width_for(&mlp, channels, parameters.clamp(1.0, MOST_PARAMETERS));
            vec![width; hidden_layers(mlp.activation)]
        });
        if activation == Activation::Sine {
            mlp.omega_first = options
                .omega_first
                .unwrap_or_else(|| omega_first(size, frequencies, &mlp.hidden));
            mlp.omega_hidden = options.omega_hidden.unwrap_or(30.0);
        }
        let weights = mlp.parameters(channels) as f64;
        let affordable = FIT_MULTIPLY_ADDS / (weights * pixels);
        Self {
            epochs: options
                .epochs
                .unwrap_or_else(|| small_picture_epochs(pixels).min(affordable)),
            bits: options.bits,
            batch: options
                .batch
                .unwrap_or_else(|| ((pixels / 16.0) as usize).clamp(64, 1024)),
            rate: options
                .learning_rate
                .unwrap_or_else(|| learning_rate(&mlp.hidden)),
            mlp,
        }
    }

    /// Mean bits per weight for a network that reaches `float_psnr` dB before rounding; `spare` ones as well when a size
    /// asked for takes them away again, or no fine-tuning follows.
    pub(crate) fn bits(&self, float_psnr: f64, spare: bool) -> f64 {
        let needed = BITS + ((float_psnr - BITS_PSNR) / 6.02).clamp(0.0, 8.0);
        let spare = if spare { SPARE } else { 0.0 };
        self.bits.unwrap_or(needed + spare)
    }
}

/// Small pictures give few steps per epoch; they get more epochs, some 3,000 steps.
fn small_picture_epochs(pixels: f64) -> f64 {
    let batch = (pixels / 16.0).clamp(64.0, 1024.0);
    EPOCHS.max(3_200.0 * batch / pixels.max(1.0)).min(2_500.0)
}

/// The width that gives about `parameters` weights in equal layers.
fn width_for(mlp: &Mlp, channels: usize, parameters: f64) -> u32 {
    let count = |width: u32| {
        let sized = Mlp {
            hidden: vec![width; hidden_layers(mlp.activation)],
            ..mlp.clone()
        };
        sized.parameters(channels) as f64
    };
    let largest_below = (1..4096)
        .take_while(|&width| count(width) <= parameters)
        .last();
    largest_below.unwrap_or(1).max(4)
}

/// omega0 of the first layer (design measurements: 80 at 128 px and 128 wide, 120 to 180 at 256 and 256, less for
/// narrow nets). A high one oscillates between pixel centres, so it stays below a third of the Nyquist frequency.
fn omega_first(size: [u32; 2], frequencies: u8, hidden: &[u32]) -> f32 {
    if frequencies > 0 {
        return 30.0;
    }
    let side = f64::from(size[0].max(size[1]));
    let width = f64::from(hidden.first().copied().unwrap_or(1));
    let wanted = (30.0 + 0.35 * width).max(width);
    wanted.min(side * 0.5).clamp(5.0, 120.0) as f32
}

/// Peak learning rate. Half as much again and deep nets lose what they have learnt at some step or other; 6 x 95 ends at
/// 28.0 dB with 0.18, at 28.2 with 0.22 and at 27.8 with 0.31 (kodim22, kodim24, 80 epochs).
fn learning_rate(hidden: &[u32]) -> f32 {
    let widest = hidden.iter().max().copied().unwrap_or(1);
    let units = widest as f32 * hidden.len() as f32;
    (0.22 / units).clamp(5e-5, 1e-3)
}
