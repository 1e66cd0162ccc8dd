//! SRGAN's discriminator: convolutions that halve the picture four times, then two dense layers.

use candle_core::{Result as CandleResult, Tensor};

use super::trained::Named;
use crate::ops::{halve, leaky};
use crate::parameters::{Mode, Parameters};

/// Widths of the convolutions relative to the first; every second one halves the picture.
const WIDTHS: [usize; 8] = [1, 1, 2, 2, 4, 4, 8, 8];

/// A discriminator of pictures of `side` pixels, a multiple of 16. In the paper the width is 64 and the side 96.
#[derive(Clone, Copy)]
pub(super) struct Adversary {
    pub(super) width: usize,
    pub(super) side: usize,
}

/// Name of convolution `index`, and of the normalisation after it.
fn convolution(index: usize) -> String {
    format!("features.{}", (3 * index).saturating_sub(1))
}

fn norm(index: usize) -> String {
    format!("features.{}", 3 * index)
}

impl Adversary {
    fn dense(self) -> [usize; 2] {
        [8 * self.width * (self.side / 16).pow(2), 16 * self.width]
    }

    pub(super) fn norms(self) -> Vec<(String, usize)> {
        let widths = WIDTHS.iter().enumerate().skip(1);
        widths
            .map(|(index, width)| (norm(index), width * self.width))
            .collect()
    }

    pub(super) fn parameters(self) -> Vec<Named> {
        let mut all = Vec::new();
        let mut channels = 3;
        for (index, width) in WIDTHS.iter().enumerate() {
            let outputs = width * self.width;
            let kernel = vec![outputs, channels, 3, 3];
            all.push((format!("{}.weight", convolution(index)), kernel));
            if index == 0 {
                all.push((format!("{}.bias", convolution(index)), vec![outputs]));
            } else {
                all.push((format!("{}.weight", norm(index)), vec![outputs]));
                all.push((format!("{}.bias", norm(index)), vec![outputs]));
            }
            channels = outputs;
        }
        let [inputs, inner] = self.dense();
        all.push(("classifier.0.weight".into(), vec![inner, inputs]));
        all.push(("classifier.0.bias".into(), vec![inner]));
        all.push(("classifier.2.weight".into(), vec![1, inner]));
        all.push(("classifier.2.bias".into(), vec![1]));
        all
    }

    /// Values per channel that normalisation `name` averages for `batch` pictures.
    pub(super) fn count(self, name: &str, batch: usize) -> usize {
        let index = (1..WIDTHS.len()).find(|index| norm(*index) == name);
        let halvings = index.map_or(0, |index| index.div_ceil(2));
        batch * (self.side >> halvings).pow(2)
    }

    /// Logits `[n, 1]` that pictures `[n, 3, side, side]` are originals rather than enlargements.
    pub(super) fn judge(
        self,
        all: &Parameters,
        x: &Tensor,
        mode: &mut Mode,
    ) -> CandleResult<Tensor> {
        let mut x = x.clone();
        for index in 0..WIDTHS.len() {
            x = all.convolved(&convolution(index), &x)?;
            if index % 2 == 1 {
                x = halve(&x)?;
            }
            if index > 0 {
                x = all.normed(&norm(index), x, mode)?;
            }
            x = leaky(&x)?;
        }
        let dense = |module: &str, x: &Tensor| {
            let weights = all.get(module, "weight")?.t()?;
            x.matmul(&weights)?.broadcast_add(all.get(module, "bias")?)
        };
        let x = dense("classifier.0", &x.flatten_from(1)?)?;
        let (n, width) = x.dims2()?;
        let x = leaky(&x.reshape((n, width, 1, 1))?)?;
        dense("classifier.2", &x.reshape((n, width))?)
    }
}

/// Mean binary cross entropy of `logits` with the label `real` for all.
pub(super) fn cross_entropy(logits: &Tensor, real: bool) -> CandleResult<Tensor> {
    // Computes log(1 + exp(-z)), for `real`, without overflow.
    let z = if real { logits.neg()? } else { logits.clone() };
    let small = (z.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (z.relu()? + small)?.mean_all()
}
