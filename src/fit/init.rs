//! Initial weights: SIREN's scheme and the ones the study compares with it.

use inr_formats::Activation;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::engine::Trainee;
use crate::error::Error;
use crate::options::unknown_name;

/// How a layer's weights are drawn. `fan_in` and `fan_out` are the layer's input and output widths.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", parse_err_ty = Error, parse_err_fn = unknown_scheme)]
pub enum Initialization {
    /// SIREN's (Sitzmann et al. 2020, section 3.2): first layer U(-1/fan_in, 1/fan_in), others
    /// U(-sqrt(6/fan_in)/omega0, sqrt(6/fan_in)/omega0).
    Siren,
    /// U(0, 1).
    Uniform,
    /// N(0, 1).
    Normal,
    /// U(-sqrt(6/fan_in), sqrt(6/fan_in)) (He et al. 2015).
    KaimingUniform,
    /// N(0, 2/fan_in) (He et al. 2015).
    KaimingNormal,
    /// U(-sqrt(6/(fan_in + fan_out)), sqrt(6/(fan_in + fan_out))) (Glorot and Bengio 2010).
    XavierUniform,
    /// N(0, 2/(fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierNormal,
}

fn unknown_scheme(name: &str) -> Error {
    unknown_name::<Initialization>("initialization", name)
}

/// Schemes of the first layer and of all others; biases are always U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitializationPair {
    /// Of the first layer.
    pub first: Initialization,
    /// Of the hidden and last layers.
    pub hidden: Initialization,
}

impl InitializationPair {
    /// SIREN's scheme for sine networks, Kaiming-normal for ReLU networks.
    pub fn standard(activation: Activation) -> Self {
        let scheme = match activation {
            Activation::Sine => Initialization::Siren,
            Activation::Relu => Initialization::KaimingNormal,
        };
        Self {
            first: scheme,
            hidden: scheme,
        }
    }
}

fn weight(
    scheme: Initialization,
    first: bool,
    fans: (f32, f32),
    omega: f32,
    rng: &mut ChaCha8Rng,
) -> f32 {
    let (fan_in, fan_out) = fans;
    let mut symmetric = |bound: f32| (rng.random::<f32>() * 2.0 - 1.0) * bound;
    match scheme {
        Initialization::Siren if first => symmetric(1.0 / fan_in),
        Initialization::Siren => symmetric((6.0 / fan_in).sqrt() / omega),
        Initialization::Uniform => rng.random::<f32>(),
        Initialization::Normal => rng.sample::<f32, _>(StandardNormal),
        Initialization::KaimingUniform => symmetric((6.0 / fan_in).sqrt()),
        Initialization::KaimingNormal => {
            rng.sample::<f32, _>(StandardNormal) * (2.0 / fan_in).sqrt()
        }
        Initialization::XavierUniform => symmetric((6.0 / (fan_in + fan_out)).sqrt()),
        Initialization::XavierNormal => {
            rng.sample::<f32, _>(StandardNormal) * (2.0 / (fan_in + fan_out)).sqrt()
        }
    }
}

/// Initial parameters, the same for the same seed everywhere.
pub(crate) fn initial_parameters(
    trainee: &Trainee,
    pair: InitializationPair,
    seed: u64,
) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut parameters = Vec::new();
    for (index, (outputs, inputs)) in trainee.shapes().into_iter().enumerate() {
        let first = index == 0;
        let scheme = if first { pair.first } else { pair.hidden };
        let fans = (inputs as f32, outputs as f32);
        // The last layer has no omega0 of its own; SIREN scales it like the hidden ones.
        let omega = match trainee.mlp.activation {
            Activation::Sine => trainee.mlp.omega_hidden,
            Activation::Relu => 1.0,
        };
        parameters
            .extend((0..outputs * inputs).map(|_| weight(scheme, first, fans, omega, &mut rng)));
        let bound = 1.0 / (inputs as f32).sqrt();
        parameters.extend((0..outputs).map(|_| (rng.random::<f32>() * 2.0 - 1.0) * bound));
    }
    parameters
}
