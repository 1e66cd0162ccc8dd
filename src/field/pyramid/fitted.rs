//! The head's output layers fitted to a picture: least squares in closed form, each difference worth its bits.

use inr_formats::latents::{HEAD_DIFFERENCES, HEAD_INPUTS};

use super::head::{self, PARTS};
use super::wavelet::Grid;
use super::{Pyramid, Uncorrected};
use inr_kernel::STRIP;

/// One in the differences.
const ONE: f64 = head::DIFFERENCE_ONE as f64;
/// Price of a bit relative to the trellis: the estimate of the bits is short of what the coder takes.
const PRICE: f64 = 2.0;
/// Passes over the weights of an output.
const PASSES: usize = 12;

type Row = [f64; HEAD_INPUTS];

/// Sums of products over the points of a level, with a constant 1 as the last input.
pub(super) struct Sums {
    level: u8,
    /// Of inputs with inputs that are not behind them.
    squares: Vec<Row>,
    /// Of inputs with what each output lacks before any correction, in steps.
    products: Vec<Row>,
}

impl Sums {
    pub(super) fn new(level: u8, outputs: usize) -> Self {
        Self {
            level,
            squares: vec![[0.0; HEAD_INPUTS]; HEAD_INPUTS],
            products: vec![[0.0; HEAD_INPUTS]; outputs],
        }
    }

    /// Adds the points at which `exact`, each plane's grid and bands, is known.
    pub(super) fn add(&mut self, field: &Pyramid, shown: &Uncorrected<'_>, exact: &[[Grid; 4]]) {
        let Some(gains) = &field.gains else { return };
        let colours = exact.len();
        let planes = field.read(shown.level, &shown.planes[..colours], gains);
        let output = shown.outputs[0];
        head::hidden(
            self.level,
            &planes,
            shown.factors,
            output,
            |row, x, found| {
                let y = output.y + row;
                let known = exact[0][0].window;
                let columns = (output.x + x).max(known.x)
                    ..(output.x + x + STRIP)
                        .min(known.x + known.width)
                        .min(output.x + output.width);
                if !known.rows().contains(&y) || columns.is_empty() {
                    return;
                }
                let first = columns.start - output.x - x;
                let mut inputs = [[0.0_f32; STRIP]; HEAD_INPUTS];
                for (input, found) in inputs.iter_mut().zip(found.chunks_exact(STRIP)) {
                    input[..columns.len()].copy_from_slice(&found[first..][..columns.len()]);
                }
                inputs[HEAD_INPUTS - 1][..columns.len()].fill(1.0);
                self.add_squares(&inputs);
                let factors = shown.factors.map(|factors| factors.row(y, columns.clone()));
                let parts = planes.iter().zip(exact).flat_map(|(plane, exact)| {
                    let pairs = plane.parts.iter().zip(exact);
                    pairs.map(|(decoded, exact)| (plane.step, *decoded, exact))
                });
                for (products, (step, decoded, exact)) in self.products.iter_mut().zip(parts) {
                    let window = exact.window;
                    let end = columns.end.min(window.x + window.width);
                    if !window.rows().contains(&y) || columns.start >= end {
                        continue;
                    }
                    let columns = columns.start..end;
                    let pairs = exact.row(y, columns.clone()).iter();
                    let pairs = pairs.zip(decoded.row(y, columns));
                    let mut lacks = [0.0_f32; STRIP];
                    for (at, (exact, decoded)) in pairs.enumerate() {
                        let factor = factors.map_or(1.0, |factors| factors[at]);
                        lacks[at] = (exact - decoded) / (step * factor);
                    }
                    for (product, input) in products.iter_mut().zip(&inputs) {
                        *product += dot(input, &lacks);
                    }
                }
            },
        );
    }

    fn add_squares(&mut self, inputs: &[[f32; STRIP]; HEAD_INPUTS]) {
        for (index, (row, a)) in self.squares.iter_mut().zip(inputs).enumerate() {
            for (sum, b) in row[..=index].iter_mut().zip(inputs) {
                *sum += dot(a, b);
            }
        }
    }

    fn square(&self, i: usize, j: usize) -> f64 {
        self.squares[i.max(j)][i.min(j)]
    }

    /// The differences that lessen the squared error, in steps, by more than the `price` of their bits; `share` of the
    /// picture's points were added. Empty if they do not.
    pub(super) fn differences(&self, gains: &[u8], price: f64, share: f64) -> Vec<i8> {
        let price = PRICE * price * share;
        let layer = head::output_layer(self.level);
        let mut all = Vec::new();
        let mut saved = 0.0;
        for (output, products) in self.products.iter().enumerate() {
            let gain = f64::from(gains[output / PARTS]) / 255.0;
            let found = self.row(products, &layer[output], gain, price, &mut saved);
            all.extend(found.map(|value| value as i8));
        }
        if saved <= 0.0 { Vec::new() } else { all }
    }

    /// Differences of one output, whole numbers; adds what they save to `saved`.
    fn row(&self, products: &Row, weights: &Row, gain: f64, price: f64, saved: &mut f64) -> Row {
        let mut found = [0.0; HEAD_INPUTS];
        if gain == 0.0 {
            return found;
        }
        let unit = gain / ONE;
        // Half the slope of the error by each difference, at the differences so far.
        let mut slopes: Row = std::array::from_fn(|i| {
            let corrected: f64 = (0..HEAD_INPUTS)
                .map(|j| self.square(i, j) * weights[j])
                .sum();
            unit * (products[i] - gain * corrected)
        });
        // An estimate of what the coder takes, as few differences are not 0.
        let bits = |value: f64| {
            if value == 0.0 {
                0.6
            } else {
                2.6 + 2.0 * value.abs().log2()
            }
        };
        let [least, most] =
            [HEAD_DIFFERENCES.start(), HEAD_DIFFERENCES.end()].map(|&end| f64::from(end));
        let mut total = 0.0;
        for _ in 0..PASSES {
            for i in 0..HEAD_INPUTS {
                let square = unit * unit * self.square(i, i);
                if square <= 0.0 {
                    continue;
                }
                let best = found[i] + slopes[i] / square;
                let gained = |value: f64| {
                    let by = value - found[i];
                    2.0 * by * slopes[i] - by * by * square - price * (bits(value) - bits(found[i]))
                };
                let candidates = [0.0, best.floor(), best.ceil()].map(|v| v.clamp(least, most));
                let [a, b, c] = candidates;
                let value = [b, c]
                    .into_iter()
                    .fold(a, |a, b| if gained(b) > gained(a) { b } else { a });
                let gain = gained(value);
                if gain > 1e-9 {
                    total += gain;
                    let by = value - found[i];
                    found[i] = value;
                    for (j, slope) in slopes.iter_mut().enumerate() {
                        *slope -= by * unit * unit * self.square(i, j);
                    }
                }
            }
        }
        *saved += total - price * bits(0.0) * HEAD_INPUTS as f64;
        found
    }
}

fn dot(a: &[f32; STRIP], b: &[f32; STRIP]) -> f64 {
    f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>())
}
