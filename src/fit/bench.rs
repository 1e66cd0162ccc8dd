//! Speed of the engines, against what the CPU can do: `inr bench engine`.

use std::sync::{Arc, Barrier};
use std::time::Instant;

use inr_formats::{Activation, Grid, Mlp};

#[cfg(feature = "candle")]
use super::candle_engine::CandleEngine;
use super::descent::{Batch, Descent, Method};
use super::engine::{Engine, Trainee};
use super::fused_engine::FusedEngine;
use super::host_descent::HostDescent;
use super::init::{InitializationPair, initial_parameters};
use super::optimiser::OptimizerChoice;
#[cfg(feature = "candle")]
use super::plain_candle::PlainCandle;
use super::samples::Samples;
use crate::error::Error;
use inr_kernel::{Backend, Evaluator, TILE, default_threads};

/// What to measure.
#[derive(Clone, Debug)]
pub struct EngineBench {
    /// Widths of the hidden layers, of which every network has two, as the study's.
    pub widths: Vec<usize>,
    /// Pixels per step.
    pub pixels: usize,
    /// Samples per pixel.
    pub channels: usize,
    /// Numbers of threads; empty for one and all.
    pub threads: Vec<usize>,
    /// Engines, by the names of [`EngineFigure::engine`]; empty for all that this machine has.
    pub engines: Vec<String>,
    /// Times that each figure is measured; the median counts.
    pub runs: usize,
}

impl Default for EngineBench {
    fn default() -> Self {
        Self {
            widths: vec![16, 32, 64, 128, 256, 512],
            pixels: 65_536,
            channels: 1,
            threads: Vec::new(),
            engines: Vec::new(),
            runs: 5,
        }
    }
}

/// One line of the benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineFigure {
    /// `avx512`, `avx2`, …; with the feature candle also `candle`, our engine for GPUs, and `plain-candle`, the same step in
    /// candle's own operations with its automatic differentiation.
    pub engine: String,
    /// `train` for one step of Adam, `render` for the value alone.
    pub task: &'static str,
    /// Width of both hidden layers.
    pub width: usize,
    /// Threads.
    pub threads: usize,
    /// Wall time per pixel in nanoseconds.
    pub nanoseconds: f64,
    /// Floating-point operations per second in units of 1e9: 6 per weight and pixel in training, 2 in rendering.
    pub gigaflops: f64,
    /// Share of the multiply-adds that as many threads can do with the same instructions, measured in the same run; none
    /// for plain Rust, which the compiler turns into what it likes.
    pub share_of_peak: Option<f64>,
}

/// Medians of how long `work` took and of the share of the peak that it reached.
struct Timing {
    seconds: f64,
    share: f64,
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Times `runs` calls of `work`, each beside a measurement of the peak, for the machine's speed drifts.
fn time(
    runs: usize,
    peak: &Peak,
    operations: f64,
    mut work: impl FnMut() -> Result<(), Error>,
) -> Result<Timing, Error> {
    work()?;
    let (mut seconds, mut shares) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        let possible = peak.measure();
        let began = Instant::now();
        work()?;
        let took = began.elapsed().as_secs_f64();
        seconds.push(took);
        shares.push(operations / took / possible);
    }
    Ok(Timing {
        seconds: middle(seconds),
        share: middle(shares),
    })
}

/// Measures the operations per second that `threads` threads can do.
struct Peak {
    backend: Backend,
    threads: usize,
}

impl Peak {
    /// The sum over threads that run at the same time, each timed by itself: starting them is not counted.
    fn measure(&self) -> f64 {
        const ROUNDS: u32 = 100_000;
        let start = Barrier::new(self.threads);
        let run = || {
            start.wait();
            self.backend.peak(ROUNDS / 4);
            let began = Instant::now();
            let operations = self.backend.peak(ROUNDS);
            operations / began.elapsed().as_secs_f64()
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads).map(|_| scope.spawn(run)).collect();
            let own = run();
            own + others
                .into_iter()
                .filter_map(|other| other.join().ok())
                .sum::<f64>()
        })
    }
}

struct Subject {
    trainee: Trainee,
    samples: Arc<Samples>,
    parameters: Vec<f32>,
    items: Vec<u32>,
}

impl Subject {
    fn new(bench: &EngineBench, width: usize) -> Self {
        let trainee = Trainee {
            mlp: Mlp {
                activation: Activation::Sine,
                frequencies: 0,
                hidden: vec![width as u32; 2],
                omega_first: 30.0,
                omega_hidden: 30.0,
                grid: Grid::PixelCentre,
            },
            channels: bench.channels,
        };
        let pair = InitializationPair::standard(Activation::Sine);
        let parameters = initial_parameters(&trainee, pair, 0);
        let pixels = bench.pixels.max(1);
        let side = (pixels as f64).sqrt() as usize;
        let size = [side, pixels.div_ceil(side)];
        let wave = |at: usize| (at as f32 * 0.01).sin();
        Self {
            samples: Arc::new(Samples::of_values(
                size.map(|side| side as u32),
                bench.channels,
                (0..size[0] * size[1] * bench.channels).map(wave).collect(),
            )),
            parameters,
            items: (0..pixels as u32).collect(),
            trainee,
        }
    }

    fn train(&self, engine: &mut dyn Engine, runs: usize, peak: &Peak) -> Result<Timing, Error> {
        let method = Method {
            choice: OptimizerChoice::AdamConstant,
            rate: 1e-4,
            warm_up: 0,
            rounding: None,
        };
        let batch = Batch {
            epoch: 1,
            order: &self.items,
            start: 0,
            length: self.items.len(),
        };
        let mut descent = HostDescent::new(engine, &self.parameters, method);
        time(runs, peak, self.operations(6.0), || {
            descent.step(batch, 0.0).map(drop)
        })
    }

    /// The value at every pixel, in tiles.
    fn render(&self, runs: usize, peak: &Peak) -> Result<Timing, Error> {
        let network = self.trainee.fold(&self.parameters);
        let first = Evaluator::new(&network, peak.backend);
        let x: Vec<f32> = (0..TILE).map(|at| at as f32 / TILE as f32).collect();
        let tiles = self.items.len().div_ceil(TILE).div_ceil(peak.threads);
        time(runs, peak, self.operations(2.0), || {
            std::thread::scope(|scope| {
                for _ in 0..peak.threads {
                    let mut evaluator = first.another();
                    let x = &x;
                    scope.spawn(move || {
                        for _ in 0..tiles {
                            std::hint::black_box(evaluator.evaluate(x, x));
                        }
                    });
                }
            });
            Ok(())
        })
    }

    /// Times `task` of the engine called `engine`, which [`entries`] names.
    fn measure(
        &self,
        engine: &str,
        task: &'static str,
        runs: usize,
        peak: &Peak,
    ) -> Result<Timing, Error> {
        if task == "render" {
            return self.render(runs, peak);
        }
        let (trainee, samples) = (self.trainee.clone(), self.samples.clone());
        let mut engine: Box<dyn Engine> = match engine {
            #[cfg(feature = "candle")]
            "candle" => {
                let device = candle_core::Device::Cpu;
                Box::new(CandleEngine::new(trainee, samples, device, peak.threads)?)
            }
            #[cfg(feature = "candle")]
            "plain-candle" => Box::new(PlainCandle::new(trainee, samples)),
            _ => Box::new(FusedEngine::new(
                trainee,
                samples,
                peak.backend,
                peak.threads,
            )?),
        };
        self.train(&mut *engine, runs, peak)
    }

    fn operations(&self, per_weight: f64) -> f64 {
        per_weight * self.parameters.len() as f64 * self.items.len() as f64
    }
}

impl EngineBench {
    /// Refuses what cannot be measured.
    fn check(&self) -> Result<(), Error> {
        let misuse = |what: String, want| Err(Error::Misuse { what, want });
        let known = names();
        if let Some(engine) = self.engines.iter().find(|engine| !known.contains(engine)) {
            let what = format!("engine {engine}; here there are {}", known.join(", "));
            return misuse(what, "name some of those, or none for all");
        }
        let within = |values: &[usize], most| values.iter().all(|value| (1..=most).contains(value));
        if !within(&self.widths, 4096) || self.widths.is_empty() {
            return misuse(
                format!("widths {:?}", self.widths),
                "give widths of 1 to 4096",
            );
        }
        if !within(&self.threads, 1024) {
            return misuse(
                format!("{:?} threads", self.threads),
                "give 1 to 1024 threads",
            );
        }
        if !within(&[self.pixels], 1 << 24) || !within(&[self.channels], 4) {
            let what = format!("{} pixels of {} samples", self.pixels, self.channels);
            return misuse(what, "give 1 to 16777216 pixels of 1 to 4 samples");
        }
        Ok(())
    }

    fn wants(&self, engine: &str) -> bool {
        self.engines.is_empty() || self.engines.iter().any(|name| name == engine)
    }
}

fn name(backend: Backend) -> String {
    format!("{backend:?}").to_lowercase()
}

/// Every engine of this build on this machine.
fn names() -> Vec<String> {
    let candles: &[&str] = if cfg!(feature = "candle") {
        &["candle", "plain-candle"]
    } else {
        &[]
    };
    let backends = Backend::available().into_iter().rev().map(name);
    backends
        .chain(candles.iter().map(|&name| name.into()))
        .collect()
}

/// Measures every engine and instruction set of this machine, calling `report` with each figure as it comes.
///
/// # Errors
/// [`Error::Misuse`] for an engine that this build or machine lacks and for numbers out of range; whatever the engines
/// report.
pub fn engine_bench(
    bench: &EngineBench,
    report: &mut dyn FnMut(&EngineFigure),
) -> Result<(), Error> {
    bench.check()?;
    let mut counts = bench.threads.clone();
    if counts.is_empty() {
        counts = vec![1, default_threads()];
        counts.dedup();
    }
    for backend in Backend::available().into_iter().rev() {
        for &threads in &counts {
            for &width in &bench.widths {
                let subject = Subject::new(bench, width);
                let peak = Peak { backend, threads };
                let mut figure = |engine: &str, task, timing: Timing| {
                    let per_weight = if task == "train" { 6.0 } else { 2.0 };
                    report(&EngineFigure {
                        engine: engine.into(),
                        task,
                        width,
                        threads,
                        nanoseconds: timing.seconds / subject.items.len() as f64 * 1e9,
                        gigaflops: subject.operations(per_weight) / timing.seconds * 1e-9,
                        share_of_peak: (backend != Backend::Scalar).then_some(timing.share),
                    });
                };
                for (engine, task) in entries(bench, backend, threads) {
                    let timing = subject.measure(engine.as_str(), task, bench.runs, &peak)?;
                    figure(&engine, task, timing);
                }
            }
        }
    }
    Ok(())
}

/// Engines and tasks to measure with `backend`. candle picks its own instructions: it is measured beside the best ones.
fn entries(bench: &EngineBench, backend: Backend, threads: usize) -> Vec<(String, &'static str)> {
    let mut entries = Vec::new();
    if bench.wants(&name(backend)) {
        entries.extend(["train", "render"].map(|task| (name(backend), task)));
    }
    if cfg!(feature = "candle") && backend == Backend::detect() {
        // The plain one takes all threads, whatever it is told.
        for (engine, least) in [("candle", 1), ("plain-candle", 2)] {
            if bench.wants(engine) && threads >= least {
                entries.push((engine.into(), "train"));
            }
        }
    }
    entries
}
