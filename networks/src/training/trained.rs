//! A network under training: parameters and optimiser state stay on the host for every device.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result as CandleResult, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::parameters::Parameters;
use inr::fit::OptimizerChoice;
use inr::fit::{Schedule, State};

/// Weight of a batch's statistics in the running statistics, as in PyTorch.
const MOMENTUM: f32 = 0.1;
/// Fraction of the steps during which the learning rate rises.
const WARM_UP: f64 = 0.02;
/// Initial slope of a parametric ReLU.
const SLOPE: f32 = 0.25;

/// Name and shape of a tensor.
pub(super) type Named = (String, Vec<usize>);

pub(super) struct Trained {
    tensors: Vec<Named>,
    state: State,
    schedule: Schedule,
    /// Means and variances of the normalisations.
    running: BTreeMap<String, [Vec<f32>; 2]>,
}

/// Draws a standard normal number (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let (radius, turn): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()) as f32
}

impl Trained {
    /// Initialises kernels from a normal distribution whose deviation preserves magnitudes through leaky rectifiers (He
    /// et al. 2015), times `gain` of their module; biases are 0.
    pub(super) fn new(
        tensors: Vec<Named>,
        norms: &[(String, usize)],
        gain: impl Fn(&str) -> f32,
        seed: u64,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let is_norm = |module: &str| norms.iter().any(|(norm, _)| norm == module);
        let mut flat = Vec::new();
        for (name, shape) in &tensors {
            let count: usize = shape.iter().product();
            let (module, part) = name.rsplit_once('.').unwrap_or((name, ""));
            let inputs = count / shape[0];
            match (part, shape.len()) {
                ("weight", 2..) => {
                    let deviation = (2.0 / (1.0 + SLOPE * SLOPE) / inputs as f32).sqrt();
                    let deviation = deviation * gain(module);
                    flat.extend((0..count).map(|_| deviation * normal(&mut rng)));
                }
                ("weight", _) => {
                    let start = if is_norm(module) { 1.0 } else { SLOPE };
                    flat.resize(flat.len() + count, start);
                }
                _ => flat.resize(flat.len() + count, 0.0),
            }
        }
        let statistics = |width: &usize| [vec![0.0; *width], vec![1.0; *width]];
        Self {
            tensors,
            state: State::new(OptimizerChoice::Adam, &flat),
            schedule: Schedule::new(OptimizerChoice::Adam, 0.0, 0),
            running: norms
                .iter()
                .map(|(name, width)| (name.clone(), statistics(width)))
                .collect(),
        }
    }

    /// Starts a descent of `steps` with the peak learning rate `rate` and a fresh optimiser.
    pub(super) fn begin(&mut self, rate: f32, steps: u64) {
        self.state = State::new(OptimizerChoice::Adam, self.state.point());
        self.go_on(rate, steps, 0);
    }

    /// Resumes such a descent after `done` steps.
    pub(super) fn go_on(&mut self, rate: f32, steps: u64, done: u64) {
        let warm_up = (WARM_UP * steps as f64) as u64;
        self.schedule = Schedule::new(OptimizerChoice::Adam, rate, warm_up);
        for step in 0..done {
            self.schedule.next(step as f64 / steps as f64);
        }
    }

    /// Returns the parameters as variables in order, and by name together with the running statistics.
    pub(super) fn variables(&self, device: &Device) -> CandleResult<(Vec<Var>, Parameters)> {
        let mut all = self.statistics(device)?;
        let mut variables = Vec::new();
        for (name, values, shape) in self.values() {
            let variable = Var::from_slice(values, shape, device)?;
            all.0.insert(name.to_owned(), variable.as_tensor().clone());
            variables.push(variable);
        }
        Ok((variables, all))
    }

    /// Returns the parameters for inference.
    pub(super) fn plain(&self, device: &Device) -> CandleResult<Parameters> {
        let mut all = self.statistics(device)?;
        for (name, values, shape) in self.values() {
            let tensor = Tensor::from_slice(values, shape, device)?;
            all.0.insert(name.to_owned(), tensor);
        }
        Ok(all)
    }

    fn statistics(&self, device: &Device) -> CandleResult<Parameters> {
        let mut all = Parameters::default();
        for (norm, values) in &self.running {
            for (part, values) in ["running_mean", "running_var"].iter().zip(values) {
                let tensor = Tensor::new(&values[..], device)?;
                all.0.insert(format!("{norm}.{part}"), tensor);
            }
        }
        Ok(all)
    }

    /// Name, values and shape of every parameter.
    fn values(&self) -> impl Iterator<Item = (&str, &[f32], &[usize])> {
        let mut rest = self.state.point();
        self.tensors.iter().map(move |(name, shape)| {
            let (values, tail) = rest.split_at(shape.iter().product());
            rest = tail;
            (name.as_str(), values, shape.as_slice())
        })
    }

    /// Takes a step along the gradients of `variables`; `progress` is the fraction of the descent done, 0.0..=1.0.
    pub(super) fn step(
        &mut self,
        variables: &[Var],
        gradients: &GradStore,
        progress: f64,
    ) -> CandleResult<()> {
        let mut flat = Vec::with_capacity(self.state.point().len());
        for variable in variables {
            match gradients.get(variable) {
                Some(gradient) => flat.extend(gradient.flatten_all()?.to_vec1::<f32>()?),
                None => flat.resize(flat.len() + variable.elem_count(), 0.0),
            }
        }
        self.schedule.next(progress).apply(&mut self.state.0, &flat);
        Ok(())
    }

    /// Updates the running statistics with those of a batch with `count` values per channel.
    pub(super) fn note(
        &mut self,
        seen: Vec<(String, Tensor, Tensor)>,
        count: impl Fn(&str) -> usize,
    ) -> CandleResult<()> {
        for (norm, mean, variance) in seen {
            let count = count(&norm) as f32;
            // PyTorch's running variance is the unbiased estimate.
            let factors = [1.0, count / (count - 1.0).max(1.0)];
            let Some(running) = self.running.get_mut(&norm) else {
                continue;
            };
            for ((running, batch), factor) in running.iter_mut().zip([mean, variance]).zip(factors)
            {
                let batch = batch.to_vec1::<f32>()?;
                for (running, value) in running.iter_mut().zip(batch) {
                    *running += MOMENTUM * (factor * value - *running);
                }
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn set_running(&mut self, norm: &str, values: [Vec<f32>; 2]) {
        self.running.insert(norm.to_owned(), values);
    }

    /// Appends the state for [`Trained::restore`].
    pub(super) fn checkpoint(&self, into: &mut Vec<f32>) {
        into.extend(&self.state.0);
        into.extend(self.running.values().flatten().flatten());
    }

    /// Restores the state from the front of `from`; returns false when there are too few values.
    pub(super) fn restore(&mut self, from: &mut &[f32]) -> bool {
        let slots = self.running.values_mut().flatten();
        for slot in std::iter::once(&mut self.state.0).chain(slots) {
            let Some((values, rest)) = from.split_at_checked(slot.len()) else {
                return false;
            };
            slot.copy_from_slice(values);
            *from = rest;
        }
        true
    }

    /// Serialises parameters and running statistics as a `.safetensors` file.
    pub(super) fn file(&self) -> Vec<u8> {
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut all: BTreeMap<String, (Vec<usize>, Vec<u8>)> = self
            .values()
            .map(|(name, values, shape)| (name.to_owned(), (shape.to_vec(), bytes(values))))
            .collect();
        for (norm, values) in &self.running {
            for (part, values) in ["running_mean", "running_var"].iter().zip(values) {
                let name = format!("{norm}.{part}");
                all.insert(name, (vec![values.len()], bytes(values)));
            }
        }
        let views = all.iter().map(|(name, (shape, bytes))| {
            let view =
                safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
            (name, view.expect("as many bytes as its shape has"))
        });
        safetensors::serialize(views, None).expect("every tensor has its own name")
    }
}
