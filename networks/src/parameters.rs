//! A network's tensors by name, and the layers that use them.

use std::collections::BTreeMap;

use candle_core::{Result as CandleResult, Tensor};

use super::ops::{NORM_EPSILON, convolve, normalised, prelu, scaled, shifted};

/// Tensors by PyTorch's names: `weight`, `bias`, `running_mean` and `running_var` of every module.
#[derive(Clone, Default)]
pub(super) struct Parameters(pub(super) BTreeMap<String, Tensor>);

/// Source of the statistics for batch normalisation.
pub(super) enum Mode<'m> {
    /// Running statistics.
    Apply,
    /// Statistics of the batch; means and variances are recorded with the module's name.
    Train(&'m mut Vec<(String, Tensor, Tensor)>),
}

impl Parameters {
    pub(super) fn find(&self, module: &str, part: &str) -> Option<&Tensor> {
        self.0.get(&format!("{module}.{part}"))
    }

    pub(super) fn get(&self, module: &str, part: &str) -> CandleResult<&Tensor> {
        match self.find(module, part) {
            Some(tensor) => Ok(tensor),
            None => candle_core::bail!("no tensor {module}.{part}"),
        }
    }

    /// Applies the convolution `module`.
    pub(super) fn convolved(&self, module: &str, x: &Tensor) -> CandleResult<Tensor> {
        let y = convolve(x, self.get(module, "weight")?)?;
        match self.find(module, "bias") {
            Some(bias) => shifted(&y, bias),
            None => Ok(y),
        }
    }

    /// Applies the activation `module`.
    pub(super) fn activated(&self, module: &str, x: &Tensor) -> CandleResult<Tensor> {
        prelu(x, self.get(module, "weight")?)
    }

    /// Applies the batch normalisation `module` (Ioffe and Szegedy 2015, arXiv:1502.03167); returns `x` when the
    /// network has none.
    pub(super) fn normed(&self, module: &str, x: Tensor, mode: &mut Mode) -> CandleResult<Tensor> {
        let Some(weight) = self.find(module, "weight") else {
            return Ok(x);
        };
        let bias = self.get(module, "bias")?;
        match mode {
            Mode::Apply => {
                let variance = (self.get(module, "running_var")? + NORM_EPSILON)?;
                let scale = (weight / variance.sqrt()?)?;
                let shift = (bias - (self.get(module, "running_mean")? * &scale)?)?;
                shifted(&scaled(&x, &scale)?, &shift)
            }
            Mode::Train(seen) => {
                let (y, mean, variance) = normalised(&x)?;
                seen.push((module.to_owned(), mean, variance));
                shifted(&scaled(&y, weight)?, bias)
            }
        }
    }

    /// Folds the normalisation `norm`, with its running statistics, into the preceding convolution `module`.
    pub(super) fn fold(&mut self, module: &str, norm: &str) -> CandleResult<()> {
        if self.find(norm, "weight").is_none() {
            return Ok(());
        }
        let kernel = self.get(module, "weight")?;
        let zero = self.get(norm, "bias")?.zeros_like()?;
        let before = self.find(module, "bias").unwrap_or(&zero);
        let variance = (self.get(norm, "running_var")? + NORM_EPSILON)?;
        let scale = (self.get(norm, "weight")? / variance.sqrt()?)?;
        let mean = self.get(norm, "running_mean")?;
        let bias = (((before - mean)? * &scale)? + self.get(norm, "bias")?)?;
        let kernel = kernel.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
        self.0.insert(format!("{module}.weight"), kernel);
        self.0.insert(format!("{module}.bias"), bias);
        self.0.retain(|name, _| {
            name.rsplit_once('.')
                .is_none_or(|(module, _)| module != norm)
        });
        Ok(())
    }
}
