//! What a field is fitted to: a sum of squared errors of linear expressions in its values and derivatives.

use std::sync::Arc;

use inr_formats::Grid;

use super::samples::{Goal, Samples, Tap, Term};
use crate::error::Error;
use crate::field::jets::Component;
use inr_kernel::Network;

/// A linear expression in a field near a pixel's centre: offsets from there in source pixels, what is taken at each, and
/// its coefficient. Field values are -1.0..=1.0 for the range of samples; derivatives are per source pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(pub Vec<([f64; 2], Component, f32)>);

impl Expression {
    /// The field, or an exact derivative of it, at the pixel's centre.
    pub fn exact(component: Component) -> Self {
        Self(vec![([0.0; 2], component, 1.0)])
    }

    /// A weighted sum of values at the centres of the pixels around one; `rows` go from top to bottom, each from left to
    /// right, with the pixel itself in the middle.
    pub fn stencil<const N: usize>(rows: [[f32; N]; N]) -> Self {
        let middle = (N / 2) as f64;
        let place = |index: usize| index as f64 - middle;
        let taps = rows.iter().enumerate().flat_map(|(y, row)| {
            row.iter()
                .enumerate()
                .map(move |(x, &coefficient)| ([place(x), place(y)], Component::Value, coefficient))
        });
        Self(
            taps.filter(|(.., coefficient)| *coefficient != 0.0)
                .collect(),
        )
    }

    /// Sobel's estimates of d/dx and d/dy, each times 8 as they are usually computed.
    pub fn sobel() -> [Self; 2] {
        [
            Self::stencil([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]),
            Self::stencil([[-1.0, -2.0, -1.0], [0.0; 3], [1.0, 2.0, 1.0]]),
        ]
    }

    /// Differences to the pixels `reach` further right and further down.
    pub fn differences(reach: u32) -> [Self; 2] {
        let far = f64::from(reach);
        [[far, 0.0], [0.0, far]].map(|offset| {
            Self(vec![
                ([0.0; 2], Component::Value, -1.0),
                (offset, Component::Value, 1.0),
            ])
        })
    }

    /// The Laplacian by second differences along both axes.
    pub fn second_differences() -> Self {
        Self::stencil([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    }

    /// A value less what the values around it on a square of `reach` pixels to each side would make of it if the discrete
    /// Laplacian were 0 inside: a weighted sum of the Laplacians inside (discrete Green's function), and for a `reach` of
    /// 1 a quarter of [`Expression::second_differences`] with its sign changed.
    ///
    /// # Panics
    /// When `reach` is 0.
    pub fn square(reach: u32) -> Self {
        let green = green(reach as usize);
        let side = 2 * reach as usize - 1;
        let far = f64::from(reach);
        let mut taps = vec![([0.0; 2], Component::Value, 1.0)];
        for along in 0..side {
            let place = along as f64 + 1.0 - far;
            for (offset, at) in [
                ([place, -far], along),
                ([place, far], (side - 1) * side + along),
                ([-far, place], along * side),
                ([far, place], along * side + side - 1),
            ] {
                taps.push((offset, Component::Value, -green[at] as f32));
            }
        }
        Self(taps)
    }

    /// The mean of the values at `n` x `n` points spread over the pixel's square.
    pub fn mean(n: usize) -> Self {
        let place = |k: usize| (k as f64 + 0.5) / n as f64 - 0.5;
        let share = 1.0 / (n * n) as f32;
        let point = |at: usize| ([place(at % n), place(at / n)], Component::Value, share);
        Self((0..n * n).map(point).collect())
    }

    /// This times `factors`: those of values, d/dx, d/dy and Laplacians.
    pub fn scaled(mut self, factors: [f64; 4]) -> Self {
        for (_, component, coefficient) in &mut self.0 {
            *coefficient *= factors[*component as usize] as f32;
        }
        self
    }
}

/// Expected visits to every pixel of a square, `2 reach - 1` to a side, of a random walk from its middle until it leaves
/// the square, over 4: the Green's function of the discrete Laplacian, by successive over-relaxation.
fn green(reach: usize) -> Vec<f64> {
    let side = 2 * reach - 1;
    let middle = (reach - 1) * side + reach - 1;
    let relaxation = 2.0 / (1.0 + (std::f64::consts::PI / (side + 1) as f64).sin());
    let mut green = vec![0.0; side * side];
    for _ in 0..12 * side + 20 {
        for at in 0..side * side {
            let (x, y) = (at % side, at / side);
            let mut sum = if at == middle { 1.0 } else { 0.0 };
            sum += if x > 0 { green[at - 1] } else { 0.0 };
            sum += if x + 1 < side { green[at + 1] } else { 0.0 };
            sum += if y > 0 { green[at - side] } else { 0.0 };
            sum += if y + 1 < side { green[at + side] } else { 0.0 };
            green[at] += relaxation * (sum / 4.0 - green[at]);
        }
    }
    green
}

/// An expression, what it should be at every pixel, and how much that matters.
#[derive(Clone, Debug)]
pub struct ObjectiveTerm {
    /// What of the field is compared.
    pub expression: Expression,
    /// What it should be, shape `[height, width, channels]`.
    pub targets: Vec<f32>,
    /// Of the squared errors; finite, at least 0.
    pub weight: f32,
    /// What each pixel's weight is multiplied by, shape `[height, width]`; 1 everywhere by default.
    pub mask: Option<Vec<f32>>,
}

/// How a reconstruction from derivatives gets what they do not tell: the constant that gradients leave free, or the
/// harmonic function that Laplacians leave free.
#[derive(Clone, Debug)]
pub enum Anchor {
    /// Not at all: whatever the network has.
    Free,
    /// The mean of the values, per channel, by adding a constant after the fit. Settles gradients, not Laplacians.
    Mean(Vec<f64>),
    /// The values on the picture's outermost pixels, as a term of the loss.
    Border {
        /// Shape `[height, width, channels]`; only the border is read.
        values: Vec<f32>,
        /// Of the squared errors there.
        weight: f32,
    },
    /// A picture to stay close to, as a term of the loss.
    Picture {
        /// Shape `[height, width, channels]`.
        values: Vec<f32>,
        /// Of the squared errors.
        weight: f32,
    },
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Free => "not fixed",
            Self::Mean(_) => "the mean is given",
            Self::Border { .. } => "the border values are given",
            Self::Picture { .. } => "a picture to stay close to is given",
        })
    }
}

/// A loss of a whole picture, such as of its features in another network.
pub trait PictureLoss: std::fmt::Debug + Send + Sync {
    /// The loss of a field's `values` at all pixels' centres, shape `[height, width, channels]`, -1.0..=1.0 for the range
    /// of samples. Its gradient with respect to them goes into `gradient`, which has the same shape.
    ///
    /// # Errors
    /// Whatever keeps it from being computed.
    fn loss_and_gradient(&self, values: &[f32], gradient: &mut [f32]) -> Result<f64, Error>;
}

/// A loss of the whole picture, and how much it matters.
#[derive(Clone, Debug)]
pub struct PictureTerm {
    /// The loss, computed in every step.
    pub loss: Arc<dyn PictureLoss>,
    /// What it is multiplied by before it is added to the mean of the squared errors; finite, at least 0.
    pub weight: f32,
}

/// A sum of squared errors over all pixels, and maybe a loss of the whole picture.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Width and height of the picture.
    pub size: [u32; 2],
    /// Channels of the field.
    pub channels: usize,
    /// How pixels become the network's coordinates.
    pub grid: Grid,
    /// What is compared; at least one.
    pub terms: Vec<ObjectiveTerm>,
    /// What else there is.
    pub picture: Option<PictureTerm>,
}

impl Objective {
    /// The field's values are to be `values`, shape `[height, width, channels]`, -1.0..=1.0.
    pub fn values(size: [u32; 2], channels: usize, grid: Grid, values: Vec<f32>) -> Self {
        Self {
            size,
            channels,
            grid,
            terms: vec![ObjectiveTerm {
                expression: Expression::exact(Component::Value),
                targets: values,
                weight: 1.0,
                mask: None,
            }],
            picture: None,
        }
    }

    /// Adds the term that `anchor` asks for, if it does.
    pub fn anchored(mut self, anchor: &Anchor) -> Self {
        let [width, height] = self.size.map(|side| side as usize);
        let (values, weight, mask) = match anchor {
            Anchor::Free | Anchor::Mean(_) => return self,
            Anchor::Picture { values, weight } => (values, *weight, None),
            Anchor::Border { values, weight } => {
                let border = |at: usize| {
                    let (x, y) = (at % width, at / width);
                    x == 0 || y == 0 || x + 1 == width || y + 1 == height
                };
                let mask = (0..width * height).map(|at| f32::from(u8::from(border(at))));
                (values, *weight, Some(mask.collect()))
            }
        };
        self.terms.push(ObjectiveTerm {
            expression: Expression::exact(Component::Value),
            targets: values.clone(),
            weight,
            mask,
        });
        self
    }

    /// As the trainer takes it.
    ///
    /// # Errors
    /// [`Error::Misuse`] for shapes and weights that make no sense.
    pub(super) fn samples(self) -> Result<Samples, Error> {
        let pixels = self.size[0] as usize * self.size[1] as usize;
        if let Some(PictureTerm { weight, .. }) = &self.picture
            && !(weight.is_finite() && *weight >= 0.0)
        {
            return Err(Error::Misuse {
                what: format!("a loss of the whole picture with the weight {weight}"),
                want: "give a weight of at least 0",
            });
        }
        let mut footprint: Vec<[f64; 2]> = Vec::new();
        let mut terms = Vec::new();
        for term in self.terms {
            let mask_fits = term.mask.as_ref().is_none_or(|mask| mask.len() == pixels);
            let fits = term.targets.len() == pixels * self.channels && mask_fits;
            let sound = term.weight.is_finite() && term.weight >= 0.0;
            if !(fits && sound) || term.expression.0.is_empty() {
                return Err(Error::Misuse {
                    what: format!(
                        "a term of {} targets and weight {} for {pixels} pixels of {} channels",
                        term.targets.len(),
                        term.weight,
                        self.channels
                    ),
                    want: "give one target per sample, one mask value per pixel, a weight of at least 0 and an expression",
                });
            }
            let tap = |(offset, component, coefficient): ([f64; 2], Component, f32)| {
                let known = footprint.iter().position(|known| *known == offset);
                let point = known.unwrap_or_else(|| {
                    footprint.push(offset);
                    footprint.len() - 1
                });
                Tap {
                    point,
                    stream: component as usize,
                    coefficient,
                }
            };
            terms.push(Term {
                taps: term.expression.0.into_iter().map(tap).collect(),
                goal: Some(Goal {
                    targets: term.targets,
                    weight: term.weight,
                    mask: term.mask,
                }),
            });
        }
        if terms.is_empty() || pixels == 0 || self.channels == 0 {
            return Err(Error::Misuse {
                what: format!("{} terms for {pixels} pixels", terms.len()),
                want: "give at least one term, pixel and channel",
            });
        }
        Ok(Samples {
            grid: self.grid,
            footprint,
            terms,
            ..Samples::of_values(self.size, self.channels, Vec::new())
        })
    }
}

impl Anchor {
    /// Adds to `network` the constant that gives its values the mean asked for, if one is; `means` are its means now, per
    /// channel.
    pub fn settle(&self, network: &mut Network, means: &[f64]) {
        let (Self::Mean(wanted), Some(last)) = (self, network.layers.last_mut()) else {
            return;
        };
        for ((bias, wanted), mean) in last.bias.iter_mut().zip(wanted).zip(means) {
            *bias += (wanted - mean) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_see_the_laplacian_alone() {
        for reach in [1, 2, 5, 16] {
            let applied = |f: fn(f64, f64) -> f64| {
                let taps = Expression::square(reach).0;
                let sums = taps.iter().map(|([x, y], _, coefficient)| {
                    f64::from(*coefficient) * f(*x + 0.3, *y - 7.0)
                });
                sums.sum::<f64>()
            };
            // Harmonic, also by differences.
            for harmonic in [
                |_: f64, _: f64| 1.0,
                |x: f64, y: f64| 3.0 * x - y,
                |x: f64, y: f64| x * y,
                |x: f64, y: f64| x * x - y * y,
                |x: f64, y: f64| x * x * x - 3.0 * x * y * y,
            ] {
                assert!(
                    applied(harmonic).abs() < 1e-3,
                    "{reach}: {}",
                    applied(harmonic)
                );
            }
            let wanted: f64 = -4.0 * green(reach as usize).iter().sum::<f64>();
            let found = applied(|x, y| x * x + y * y);
            assert!(
                (found - wanted).abs() < 1e-3 * wanted.abs(),
                "{found} for {wanted}"
            );
        }
    }
}
