//! Compares training steps with PyTorch's, from fixtures/parity.

use std::path::Path;

use candle_core::Var;

use super::*;
use crate::parameters::Parameters;
use crate::weights::Weights;

const CPU: Device = Device::Cpu;

fn known() -> Weights {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/parity");
    Weights::open(&folder.join("training-known.safetensors")).unwrap()
}

fn tensor(known: &Weights, name: &str) -> Tensor {
    let shape = known.shape(name).unwrap().to_vec();
    let values = known.read(name, &shape).unwrap();
    Tensor::from_vec(values, shape, &CPU).unwrap()
}

fn largest(tensor: &Tensor) -> f32 {
    let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().fold(0.0, |most, v| most.max(v.abs()))
}

#[track_caller]
fn expect_near(found: &Tensor, wanted: &Tensor, least: f32, what: &str) {
    let error = largest(&(found - wanted).unwrap());
    let bound = 1e-4 * largest(wanted).max(least);
    assert!(error <= bound, "{what}: {error}, {bound} is allowed");
}

/// The trained tensors of `network` as variables.
fn variables(known: &Weights, network: &str, names: &[String]) -> (Vec<Var>, Parameters) {
    let mut all = Parameters::default();
    let made = names.iter().map(|name| {
        let variable = Var::from_tensor(&tensor(known, &format!("{network}.{name}"))).unwrap();
        all.0.insert(name.clone(), variable.as_tensor().clone());
        variable
    });
    (made.collect(), all)
}

#[test]
fn gradients_and_statistics_of_a_step_are_pytorchs() {
    let known = known();
    let shape = SrShape {
        width: 4,
        blocks: 2,
        doublings: 1,
        norm: true,
    };
    let names: Vec<_> = shape
        .parameters()
        .into_iter()
        .map(|named| named.0)
        .collect();
    let (variables, parameters) = variables(&known, "generator", &names);
    let network = SrResNet::new(shape, parameters, &CPU);
    let x = tensor(&known, "x");
    let mut seen = Vec::new();
    let y = network.body(&x, &mut Mode::Train(&mut seen)).unwrap();
    let y = network.tail(&y).unwrap();
    expect_near(&y, &tensor(&known, "y"), 0.0, "the enlargement");
    let loss = (y - tensor(&known, "wanted")).unwrap();
    let loss = loss.abs().unwrap().mean_all().unwrap();
    let gradients = loss.backward().unwrap();
    for (name, variable) in names.iter().zip(&variables) {
        let wanted = tensor(&known, &format!("generator.gradient.{name}"));
        let found = gradients.get(variable).unwrap();
        // Sums that cancel retain the rounding errors of their terms.
        expect_near(found, &wanted, 0.01, name);
    }

    let mut trained = generator(&shape, 0, 1e-3, 10);
    for (norm, mean, variance) in &seen {
        let statistic = |part| tensor(&known, &format!("generator.{norm}.{part}")).to_vec1();
        let [before_mean, before_variance] =
            ["running_mean", "running_var"].map(|part| statistic(part).unwrap());
        trained.set_running(norm, [before_mean, before_variance]);
        assert_eq!(mean.dims(), variance.dims());
    }
    trained.note(seen, |_| 3 * 8 * 8).unwrap();
    let after = trained.plain(&CPU).unwrap();
    let norms = shape.modules().into_iter();
    for (norm, _) in norms.filter(|(_, kind)| *kind == Kind::Norm) {
        for part in ["running_mean", "running_var"] {
            let wanted = tensor(&known, &format!("generator.after.{norm}.{part}"));
            let found = after.get(&norm, part).unwrap();
            expect_near(found, &wanted, 0.0, &format!("{norm}.{part}"));
        }
    }
}

#[test]
fn the_discriminator_is_pytorchs() {
    let known = known();
    let adversary = Adversary { width: 2, side: 16 };
    let names: Vec<_> = adversary
        .parameters()
        .into_iter()
        .map(|named| named.0)
        .collect();
    let (variables, parameters) = variables(&known, "discriminator", &names);
    let x = Var::from_tensor(&tensor(&known, "wanted")).unwrap();
    let mode = &mut Mode::Train(&mut Vec::new());
    let logits = adversary.judge(&parameters, &x, mode).unwrap();
    expect_near(
        &logits,
        &tensor(&known, "discriminator.logits"),
        0.0,
        "logits",
    );
    let loss = cross_entropy(&logits, true).unwrap();
    let wanted = tensor(&known, "discriminator.loss").squeeze(0).unwrap();
    expect_near(&loss, &wanted, 0.0, "loss");
    let gradients = loss.backward().unwrap();
    let wanted = tensor(&known, "discriminator.gradient");
    expect_near(gradients.get(&x).unwrap(), &wanted, 0.0, "of the picture");
    for (name, variable) in names.iter().zip(&variables) {
        let wanted = tensor(&known, &format!("discriminator.gradient.{name}"));
        expect_near(gradients.get(variable).unwrap(), &wanted, 0.01, name);
    }
}

#[test]
fn cross_entropies_of_sure_verdicts_are_finite() {
    for (logit, real, wanted) in [
        (200.0_f32, true, 0.0),
        (-200.0, true, 200.0),
        (0.0, false, std::f32::consts::LN_2),
    ] {
        let loss = cross_entropy(&Tensor::new(&[[logit]], &CPU).unwrap(), real).unwrap();
        let loss = loss.to_scalar::<f32>().unwrap();
        assert!((loss - wanted).abs() < 1e-3, "{loss} for {wanted}");
    }
}
