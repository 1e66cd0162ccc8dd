use std::sync::Arc;

use inr_formats::{Activation, Grid, Mlp};

use super::engine::{Engine, Trainee};
use super::fused_engine::FusedEngine;
use super::init::{InitializationPair, initial_parameters};
use super::lattice_engine::LatticeEngine;
#[cfg(feature = "candle")]
use super::optimiser::OptimizerChoice;
use super::samples::{Goal, Samples, Tap, Term};
use inr_kernel::Backend;

const MODELS: [(Activation, u8); 4] = [
    (Activation::Sine, 0),
    (Activation::Sine, 3),
    (Activation::Relu, 0),
    (Activation::Relu, 4),
];

fn trainee(activation: Activation, frequencies: u8, channels: usize) -> Trainee {
    Trainee {
        mlp: Mlp {
            activation,
            frequencies,
            hidden: vec![21, 34],
            omega_first: 20.0,
            omega_hidden: 30.0,
            grid: Grid::PixelCentre,
        },
        channels,
    }
}

fn start(trainee: &Trainee) -> Vec<f32> {
    let pair = InitializationPair::standard(trainee.mlp.activation);
    initial_parameters(trainee, pair, 3)
}

/// Values in -1.0..=1.0 that no network starts with.
fn values(count: usize, seed: usize) -> Vec<f32> {
    (0..count)
        .map(|at| ((at + seed) * 7919 % 1009) as f32 / 504.5 - 1.0)
        .collect()
}

const SIZE: [u32; 2] = [40, 30];
const PIXELS: usize = 1200;

fn plain(channels: usize) -> Samples {
    Samples::of_values(SIZE, channels, values(PIXELS * channels, 0))
}

fn goal(channels: usize, seed: usize, weight: f32, masked: bool) -> Goal {
    let targets = values(PIXELS * channels, seed);
    let mask = masked.then(|| {
        let seen = |pixel| if pixel % 7 < 3 { 0.0 } else { 1.5 };
        (0..PIXELS).map(seen).collect()
    });
    Goal {
        targets: targets.iter().map(|v| v * 0.3).collect(),
        weight,
        mask,
    }
}

/// Squared errors of value, d/dx, d/dy and Laplacian, each averaged over a footprint.
fn derivatives(channels: usize, points: usize) -> Vec<Term> {
    let weights = [0.5, 2.0, 3.0, 1.5].into_iter().enumerate();
    weights
        .map(|(stream, weight)| {
            let goal = goal(channels, stream, weight, stream == 2);
            Term::mean(stream, points, Some(goal))
        })
        .collect()
}

/// Every loss that engines know: plain, weighted and masked by alpha, averaged over footprints, on derivatives, on
/// differences between points.
fn losses() -> Vec<(&'static str, Samples)> {
    let offsets = [-0.25, 0.25];
    let footprint: Vec<_> = offsets
        .iter()
        .flat_map(|&y| offsets.map(|x| [x, y]))
        .collect();
    let tap = |point, stream, coefficient| Tap {
        point,
        stream,
        coefficient,
    };
    let differences = |taps: Vec<Tap>, seed| Term {
        taps,
        goal: Some(goal(2, seed, 2.0, seed == 1)),
    };
    vec![
        ("value", plain(3)),
        (
            "alpha",
            Samples {
                alpha: true,
                ..plain(4)
            },
        ),
        (
            "footprint",
            Samples {
                footprint: footprint.clone(),
                terms: vec![Term::mean(0, 4, None)],
                ..plain(1)
            },
        ),
        (
            "derivatives",
            Samples {
                terms: derivatives(2, 1),
                ..plain(2)
            },
        ),
        (
            "derivatives over footprints",
            Samples {
                terms: derivatives(1, 4),
                footprint: footprint.clone(),
                ..plain(1)
            },
        ),
        (
            "differences and a mixture",
            Samples {
                terms: vec![
                    differences(vec![tap(0, 0, -1.0), tap(1, 0, 1.25)], 1),
                    differences(vec![tap(0, 1, 0.5), tap(3, 2, -2.0), tap(2, 3, 0.25)], 2),
                ],
                footprint: footprint.clone(),
                ..plain(2)
            },
        ),
        (
            "differences",
            Samples {
                terms: vec![
                    differences(vec![tap(0, 0, -1.0), tap(1, 0, 1.25)], 1),
                    differences(vec![tap(0, 0, -1.0), tap(2, 0, 1.25)], 2),
                ],
                footprint,
                ..plain(2)
            },
        ),
    ]
}

/// Loss and gradient of every third pixel: a last group that is not full, and several shards.
fn ask(engine: &mut dyn Engine, parameters: &[f32]) -> (f64, Vec<f32>) {
    let items: Vec<u32> = (0..PIXELS as u32).filter(|item| item % 3 != 1).collect();
    let mut gradient = vec![f32::NAN; parameters.len()];
    let loss = engine
        .loss_and_gradient(parameters, &items, &mut gradient)
        .expect("the engine works");
    (loss, gradient)
}

fn fused(
    trainee: &Trainee,
    samples: &Arc<Samples>,
    backend: Backend,
    threads: usize,
) -> FusedEngine {
    FusedEngine::new(trainee.clone(), samples.clone(), backend, threads).expect("threads start")
}

/// Panics unless losses agree to 1e-4 and each tensor's gradient to 1e-4 of its largest value.
fn compare(what: &str, trainee: &Trainee, a: &(f64, Vec<f32>), b: &(f64, Vec<f32>)) {
    assert!(
        (a.0 - b.0).abs() <= 1e-4 * b.0.abs(),
        "{what}: loss {} for {}",
        a.0,
        b.0
    );
    let pairs = trainee.split(&a.1).into_iter().zip(trainee.split(&b.1));
    for (layer, (a, b)) in pairs.enumerate() {
        for (a, b) in a.into_iter().zip(b) {
            let largest = b.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            for (a, b) in a.iter().zip(b) {
                assert!(
                    (a - b).abs() <= 1e-4 * largest.max(1e-6),
                    "{what}, layer {layer}: {a} for {b}, the largest is {largest}"
                );
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_scalar_gradient() {
    for (name, samples) in losses() {
        let samples = Arc::new(samples);
        for (activation, frequencies) in MODELS {
            let trainee = trainee(activation, frequencies, samples.channels);
            let parameters = start(&trainee);
            let wanted = ask(
                &mut fused(&trainee, &samples, Backend::Scalar, 1),
                &parameters,
            );
            for backend in Backend::available() {
                let got = ask(&mut fused(&trainee, &samples, backend, 2), &parameters);
                let what = format!("{name} {activation:?} {frequencies} {backend:?}");
                compare(&what, &trainee, &got, &wanted);
            }
        }
    }
}

/// Along random directions; a ReLU network's loss has kinks, which finite differences step over.
#[test]
fn gradients_agree_with_finite_differences_of_the_loss() {
    for (name, samples) in losses() {
        let samples = Arc::new(samples);
        for (frequencies, seed) in [(0, 1), (3, 2)] {
            let trainee = trainee(Activation::Sine, frequencies, samples.channels);
            let parameters = start(&trainee);
            let mut engine = fused(&trainee, &samples, Backend::detect(), 2);
            let (_, gradient) = ask(&mut engine, &parameters);
            let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
            // Half along the gradient, so that the difference is not lost in rounding.
            let noise = values(parameters.len(), seed);
            let length = noise.iter().map(|g| g * g).sum::<f32>().sqrt();
            let direction = gradient.iter().zip(&noise);
            let direction: Vec<f32> = direction.map(|(g, n)| g / norm + n / length).collect();
            let step = 1e-3;
            let mut loss = |step: f32| {
                let moved = parameters.iter().zip(&direction);
                let moved: Vec<f32> = moved.map(|(p, d)| p + step * d).collect();
                ask(&mut engine, &moved).0
            };
            // Fourth order.
            let difference = (8.0 * (loss(step) - loss(-step)) - loss(2.0 * step)
                + loss(-2.0 * step))
                / (12.0 * f64::from(step));
            let pairs = gradient.iter().zip(&direction);
            let exact: f64 = pairs.map(|(g, d)| f64::from(g * d)).sum();
            assert!(
                (difference - exact).abs() < 5e-3 * exact.abs(),
                "{name} {frequencies}: {difference} for {exact}"
            );
        }
    }
}

#[cfg(feature = "candle")]
#[test]
fn the_fused_engine_agrees_with_candle() {
    use super::candle_engine::CandleEngine;
    use super::plain_candle::PlainCandle;
    for (name, samples) in losses() {
        let samples = Arc::new(samples);
        for (activation, frequencies) in MODELS {
            let trainee = trainee(activation, frequencies, samples.channels);
            let parameters = start(&trainee);
            let what = format!("{name} {activation:?} {frequencies}");
            let got = ask(
                &mut fused(&trainee, &samples, Backend::detect(), 2),
                &parameters,
            );
            let device = candle_core::Device::Cpu;
            let mut candle = CandleEngine::new(trainee.clone(), samples.clone(), device, 2)
                .expect("threads start");
            compare(&what, &trainee, &got, &ask(&mut candle, &parameters));
            if name == "value" {
                let mut textbook = PlainCandle::new(trainee.clone(), samples.clone());
                compare("textbook", &trainee, &got, &ask(&mut textbook, &parameters));
            }
        }
    }
}

/// Trains for a while on the host and where candle keeps everything, with and without rounding.
#[cfg(feature = "candle")]
#[test]
fn a_descent_that_stays_on_the_device_goes_where_the_one_on_the_host_goes() {
    use super::candle_graph::Graph;
    use super::descent::Method;
    use super::host_descent::HostDescent;
    use super::resident::ResidentDescent;
    for (name, samples) in losses() {
        let samples = Arc::new(samples);
        let trainee = trainee(Activation::Sine, 0, samples.channels);
        let graph = Graph {
            trainee: trainee.clone(),
            samples: samples.clone(),
            device: candle_core::Device::Cpu,
            backend: Backend::detect(),
        };
        let plain = matches!(&samples.terms[..], [term] if term.goal.is_none());
        assert_eq!(ResidentDescent::fits(&graph), plain);
        if !plain {
            continue;
        }
        let parameters = start(&trainee);
        for choice in [OptimizerChoice::ScheduleFree, OptimizerChoice::Adam] {
            for rounding in [None, Some(vec![1e-3; parameters.len()])] {
                let method = Method {
                    choice,
                    rate: 1e-4,
                    warm_up: 10,
                    rounding,
                };
                let mut engine = fused(&trainee, &samples, Backend::detect(), 2);
                let mut host = HostDescent::new(&mut engine, &parameters, method.clone());
                let mut resident = ResidentDescent::new(graph.clone(), &parameters, method)
                    .expect("the CPU takes it");
                let losses = [descend(&mut host), descend(&mut resident)];
                assert!(
                    (losses[0] - losses[1]).abs() < 1e-3 * losses[0],
                    "{name} {choice:?}: {losses:?}"
                );
            }
        }
    }
}

/// The mean loss of the last steps.
#[cfg(feature = "candle")]
fn descend(descent: &mut dyn super::descent::Descent) -> f64 {
    use rand::SeedableRng;
    let rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let mut sampler = super::samples::Sampler::new(PIXELS, 400, rng);
    let (mut sum, mut told) = (0.0, 0.0);
    for step in 0..128 {
        let loss = descent.step(sampler.draw(), f64::from(step) / 128.0);
        if let Some(loss) = loss.expect("the step works")
            && step >= 64
        {
            sum += loss;
            told += 1.0;
        }
    }
    assert!(
        descent
            .solution()
            .expect("it is there")
            .iter()
            .all(|value| value.is_finite())
    );
    sum / told
}

#[test]
fn pixels_evaluated_once_give_the_gradient_of_every_sum_that_they_are_part_of() {
    let [width, height] = SIZE.map(|side| side as usize);
    let tap = |point, coefficient| Tap {
        point,
        stream: 0,
        coefficient,
    };
    let term = |taps: Vec<Tap>, seed: usize, inside: &dyn Fn(usize, usize) -> bool| {
        let weight = |at: usize| f32::from(u8::from(inside(at % width, at / width)));
        let mask = (0..PIXELS).map(weight).collect();
        Term {
            taps,
            goal: Some(Goal {
                mask: Some(mask),
                ..goal(2, seed, 1.5, false)
            }),
        }
    };
    let samples = |cut: bool| Samples {
        footprint: vec![[0.0, 0.0], [3.0, 0.0], [-2.0, 5.0]],
        terms: vec![
            term(vec![tap(0, -1.0), tap(1, 0.8)], 1, &|x, _| {
                cut || x + 3 < width
            }),
            term(vec![tap(2, 0.5), tap(1, 1.0)], 2, &|x, y| {
                x >= 2 && x + 3 < width && y + 5 < height
            }),
        ],
        ..plain(2)
    };
    assert!(!LatticeEngine::fits(&samples(true)) && LatticeEngine::fits(&samples(false)));
    let samples = Arc::new(samples(false));
    let items: Vec<u32> = (0..PIXELS as u32).collect();
    for (activation, frequencies) in MODELS {
        let trainee = trainee(activation, frequencies, 2);
        let parameters = start(&trainee);
        let ask = |engine: &mut dyn Engine| {
            let mut gradient = vec![f32::NAN; parameters.len()];
            let loss = engine.loss_and_gradient(&parameters, &items, &mut gradient);
            (loss.expect("the engine works"), gradient)
        };
        let wanted = ask(&mut fused(&trainee, &samples, Backend::detect(), 2));
        let mut lattice =
            LatticeEngine::new(trainee.clone(), samples.clone(), Backend::detect(), 2)
                .expect("threads start");
        compare("lattice", &trainee, &ask(&mut lattice), &wanted);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let samples = Arc::new(plain(3));
    let trainee = trainee(Activation::Sine, 0, 3);
    let parameters = start(&trainee);
    let once = ask(
        &mut fused(&trainee, &samples, Backend::detect(), 1),
        &parameters,
    );
    for threads in [1, 2, 3, 8] {
        let mut engine = fused(&trainee, &samples, Backend::detect(), threads);
        for _ in 0..3 {
            let again = ask(&mut engine, &parameters);
            assert_eq!(once.0.to_bits(), again.0.to_bits(), "{threads} threads");
            assert_eq!(once.1, again.1, "{threads} threads");
        }
    }
}
