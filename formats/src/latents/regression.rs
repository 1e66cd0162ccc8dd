//! Least squares: how a magnitude depends on those around it. Only training needs it.

use super::state::NEIGHBOURS;

/// Sums over coefficients, each weighted by how well its neighbours foretell it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Regression {
    products: [[f64; NEIGHBOURS]; NEIGHBOURS],
    targets: [f64; NEIGHBOURS],
}

impl Regression {
    /// Adds a coefficient of `magnitude` with its neighbours' magnitudes; larger ones vary more and count less.
    pub(super) fn add(&mut self, neighbours: &[i32; NEIGHBOURS], magnitude: u32) {
        let near = neighbours[..4].iter().sum::<i32>() + 2 * neighbours[8];
        let weight = 1.0 / (0.3 + f64::from(near)).powf(1.5);
        for (i, &a) in neighbours.iter().enumerate() {
            self.targets[i] += weight * f64::from(a) * f64::from(magnitude);
            for (sum, &b) in self.products[i].iter_mut().zip(neighbours) {
                *sum += weight * f64::from(a) * f64::from(b);
            }
        }
    }

    /// The best weights in 1/1024, by Gaussian elimination of the ridge equations.
    pub(super) fn solve(&self) -> [i32; NEIGHBOURS] {
        let mut a = self.products;
        let mut b = self.targets;
        let total: f64 = (0..NEIGHBOURS).map(|i| a[i][i]).sum();
        for (i, row) in a.iter_mut().enumerate() {
            row[i] += 1e-6 * total + 1e-9;
        }
        for i in 0..NEIGHBOURS {
            let pivot = a[i];
            for k in i + 1..NEIGHBOURS {
                let factor = a[k][i] / pivot[i];
                for (entry, above) in a[k][i..].iter_mut().zip(&pivot[i..]) {
                    *entry -= factor * above;
                }
                b[k] -= factor * b[i];
            }
        }
        let mut solution = [0.0; NEIGHBOURS];
        for i in (0..NEIGHBOURS).rev() {
            let known: f64 = (i + 1..NEIGHBOURS).map(|j| a[i][j] * solution[j]).sum();
            solution[i] = (b[i] - known) / a[i][i];
        }
        solution.map(|weight| (weight * 1024.0).round().clamp(-2048.0, 2048.0) as i32)
    }
}
