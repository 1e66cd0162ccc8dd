//! The planes that three colours are coded as: uncorrelated ones of falling variance (Karhunen-Loeve) where the squared error
//! counts, brightness, red against green and blue against green where the eye's does.

use inr_formats::latents::ColourMatrix;
use inr_kernel::{Cancelled, Job};

use super::source::Source;

/// For each plane the weights of the colours; a unit of each plane changes colours by a unit.
pub(super) struct Turn([[f64; 3]; 3]);

/// Brightness and the two opponent colours of XYB (J. Alakuijala et al., "JPEG XL next-generation image compression
/// architecture and coding tools", 2019), of colours as they are stored.
const SEEN: [[f64; 3]; 3] = [[0.265, 0.657, 0.078], [1.0, -1.0, 0.0], [0.0, -1.0, 1.0]];

/// The inverse of a matrix.
pub(crate) fn inverted(a: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        a[r1][c1] * a[r2][c2] - a[r1][c2] * a[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| a[0][c] * minor(0, c)).sum();
    std::array::from_fn(|r| std::array::from_fn(|c| minor(c, r) / determinant))
}

impl Turn {
    /// The one that suits the eye, the same for every picture.
    pub(super) fn seen() -> Self {
        let inverse = inverted(SEEN);
        Self(std::array::from_fn(|plane| {
            let norm = (0..3).map(|colour| inverse[colour][plane].powi(2));
            SEEN[plane].map(|weight| weight * norm.clone().sum::<f64>().sqrt())
        }))
    }

    /// The one whose inverse is that of a file.
    pub(super) fn of(matrix: &ColourMatrix) -> Self {
        Self(inverted(
            matrix.map(|row| row.map(|entry| f64::from(entry) / 16_384.0)),
        ))
    }

    /// The uncorrelated one of the colours of `source`, which has three.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub(super) fn new(source: &Source, job: &mut Job) -> Result<Self, Cancelled> {
        let mut basis = eigenvectors(covariance(source, job)?);
        // The plane that all colours share, whatever its sign, counts up with them.
        for vector in &mut basis {
            if vector.iter().sum::<f64>() < 0.0 {
                *vector = vector.map(|entry| -entry);
            }
        }
        Ok(Self(basis))
    }

    /// The inverse, as files have it.
    pub(super) fn inverse(&self) -> ColourMatrix {
        let mut matrix = [[0_i16; 3]; 3];
        let inverse = inverted(self.0);
        for (channel, row) in matrix.iter_mut().enumerate() {
            for (plane, entry) in row.iter_mut().enumerate() {
                *entry = (inverse[channel][plane] * 16_384.0).round() as i16;
            }
        }
        matrix
    }

    /// Turns the first three `channels`, around 0, into planes.
    pub(super) fn apply(&self, channels: &mut [Vec<f32>]) {
        let [first, second, third, ..] = channels else {
            return;
        };
        for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
            let colour = [*a, *b, *c].map(f64::from);
            let plane = |vector: [f64; 3]| {
                vector.iter().zip(colour).map(|(v, c)| v * c).sum::<f64>() as f32
            };
            [*a, *b, *c] = self.0.map(plane);
        }
    }
}

/// Calls `look` with the colours of every pixel around 0, row by row.
fn each_pixel(
    source: &Source,
    job: &mut Job,
    mut look: impl FnMut([f64; 3]),
) -> Result<(), Cancelled> {
    let mut row = Vec::new();
    for y in 0..source.height() as usize {
        source.row(y, &mut row);
        if let [first, second, third, ..] = &row[..] {
            for ((a, b), c) in first.iter().zip(second).zip(third) {
                look([a, b, c].map(|value| f64::from(value - 0.5)));
            }
        }
        job.advance(0)?;
    }
    Ok(())
}

fn covariance(source: &Source, job: &mut Job) -> Result<[[f64; 3]; 3], Cancelled> {
    let count = f64::from(source.width()) * f64::from(source.height());
    let mut mean = [0.0; 3];
    each_pixel(source, job, |colour| {
        for (sum, value) in mean.iter_mut().zip(colour) {
            *sum += value;
        }
    })?;
    let mean = mean.map(|sum| sum / count);
    let mut sums = [[0.0; 3]; 3];
    each_pixel(source, job, |colour| {
        let d: [f64; 3] = std::array::from_fn(|i| colour[i] - mean[i]);
        for i in 0..3 {
            for j in 0..=i {
                sums[i][j] += d[i] * d[j];
            }
        }
    })?;
    let mut covariance = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..=i {
            covariance[i][j] = sums[i][j] / count;
            covariance[j][i] = covariance[i][j];
        }
        // Grey pictures in colour: keep the diagonal apart.
        covariance[i][i] += 1e-9;
    }
    Ok(covariance)
}

/// Eigenvectors of a symmetric matrix by Jacobi rotations, largest eigenvalue first.
fn eigenvectors(mut a: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut v = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..16 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q].abs() < 1e-18 {
                continue;
            }
            let theta = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
            let (s, c) = theta.sin_cos();
            for row in &mut a {
                (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
            }
            for rows in [&mut a, &mut v] {
                let (x, y) = (rows[p], rows[q]);
                rows[p] = std::array::from_fn(|k| c * x[k] - s * y[k]);
                rows[q] = std::array::from_fn(|k| s * x[k] + c * y[k]);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    order.map(|index| v[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_diagonalise() {
        let matrix = [[2.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 0.7]];
        let vectors = eigenvectors(matrix);
        for (i, v) in vectors.iter().enumerate() {
            for (j, w) in vectors.iter().enumerate() {
                let image: [f64; 3] =
                    std::array::from_fn(|k| (0..3).map(|l| matrix[k][l] * v[l]).sum());
                let product: f64 = image.iter().zip(w).map(|(a, b)| a * b).sum();
                assert!(i == j || product.abs() < 1e-12, "{product}");
                assert!(i != j || product > 0.0);
            }
        }
    }
}
