//! Statistics of a network's activations, layer by layer.

use inr::decode::Network;
use inr_formats::Activation;

/// Points along a line through the network's square.
const POINTS: usize = 512;
/// Units whose spectra are averaged, at most.
const SPECTRA: usize = 64;
/// Bins of histograms.
const BINS: usize = 60;
/// Values that a distribution is measured on, at most.
const MEASURED: usize = 200_000;

/// What flows through one hidden layer.
pub struct LayerStatistics {
    /// Before the activation: mean, standard deviation, distance to the standard normal distribution.
    pub before: [f64; 3],
    /// After it; the distance is to the arcsine distribution on -1..1.
    pub after: [f64; 3],
    /// Densities of both as (value, density).
    pub histograms: [Vec<(f64, f64)>; 2],
    /// Mean power of both by frequency in periods per line.
    pub spectra: [Vec<(f64, f64)>; 2],
}

/// Statistics of every hidden layer along a horizontal line.
pub fn statistics(network: &Network) -> Vec<LayerStatistics> {
    let point = |at: usize| {
        let x = 2.0 * at as f32 / (POINTS - 1) as f32 - 1.0;
        vec![x, 0.25]
    };
    let mut inputs: Vec<Vec<f32>> = (0..POINTS).map(point).collect();
    let hidden = network
        .layers
        .split_last()
        .map_or(&[][..], |(_, hidden)| hidden);
    let mut found = Vec::new();
    for layer in hidden {
        let sums = |input: &Vec<f32>| -> Vec<f32> {
            let rows = layer.weights.chunks_exact(layer.inputs).zip(&layer.bias);
            rows.map(|(weights, bias)| {
                bias + weights.iter().zip(input).map(|(w, x)| w * x).sum::<f32>()
            })
            .collect()
        };
        let before = in_parallel(&inputs, sums);
        let activate = |z: &f32| match network.activation {
            Activation::Sine => z.sin(),
            Activation::Relu => z.max(0.0),
        };
        let after: Vec<Vec<f32>> = before
            .iter()
            .map(|row| row.iter().map(activate).collect())
            .collect();
        found.push(LayerStatistics {
            before: distribution(&before, normal),
            after: distribution(&after, arcsine),
            histograms: [histogram(&before, 4.0), histogram(&after, 1.0)],
            spectra: [spectrum(&before), spectrum(&after)],
        });
        inputs = after;
    }
    found
}

fn in_parallel(inputs: &[Vec<f32>], work: impl Fn(&Vec<f32>) -> Vec<f32> + Sync) -> Vec<Vec<f32>> {
    let threads = inr::default_threads();
    let parts = inputs.chunks(inputs.len().div_ceil(threads).max(1));
    std::thread::scope(|scope| {
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<_>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Mean, standard deviation and the Kolmogorov-Smirnov distance to a distribution function.
fn distribution(rows: &[Vec<f32>], function: fn(f64) -> f64) -> [f64; 3] {
    let count = rows.len() * rows[0].len();
    let every = count.div_ceil(MEASURED).max(1);
    let values = rows.iter().flatten().step_by(every);
    let mut values: Vec<f64> = values.copied().map(f64::from).collect();
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let distances = values.iter().enumerate().map(|(index, value)| {
        let expected = function(*value);
        let (low, high) = (index as f64 / n, (index as f64 + 1.0) / n);
        (expected - low).abs().max((high - expected).abs())
    });
    [mean, variance.sqrt(), distances.fold(0.0, f64::max)]
}

/// The standard normal distribution function, to 1e-7 (Abramowitz and Stegun 26.2.17).
pub fn normal(value: f64) -> f64 {
    const POWERS: [f64; 5] = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let t = 1.0 / (1.0 + 0.231_641_9 * value.abs());
    let sum = POWERS
        .iter()
        .rev()
        .fold(0.0, |sum, power| (sum + power) * t);
    let tail = normal_density(value) * sum;
    if value < 0.0 { tail } else { 1.0 - tail }
}

/// The standard normal density.
pub fn normal_density(value: f64) -> f64 {
    (-value * value / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// The distribution function of the sine of a uniform angle.
pub fn arcsine(value: f64) -> f64 {
    0.5 + value.clamp(-1.0, 1.0).asin() / std::f64::consts::PI
}

/// Its density.
pub fn arcsine_density(value: f64) -> f64 {
    1.0 / (std::f64::consts::PI * (1.0 - value * value).max(1e-6).sqrt())
}

fn histogram(rows: &[Vec<f32>], reach: f64) -> Vec<(f64, f64)> {
    let mut counts = [0_u64; BINS];
    let width = 2.0 * reach / BINS as f64;
    let total = rows.len() * rows[0].len();
    for value in rows.iter().flatten() {
        let bin = ((f64::from(*value) + reach) / width).floor();
        if bin >= 0.0 && bin <= BINS as f64 {
            counts[(bin as usize).min(BINS - 1)] += 1;
        }
    }
    let density = |(bin, count): (usize, &u64)| {
        let centre = (bin as f64 + 0.5) * width - reach;
        (centre, *count as f64 / (total as f64 * width))
    };
    counts.iter().enumerate().map(density).collect()
}

/// Mean power of units along the line, under a Hann window.
fn spectrum(rows: &[Vec<f32>]) -> Vec<(f64, f64)> {
    let units = rows[0].len();
    let every = units.div_ceil(SPECTRA).max(1);
    let chosen: Vec<usize> = (0..units).step_by(every).collect();
    let n = rows.len() as f64;
    let window = |at: usize| 0.5 - 0.5 * (std::f64::consts::TAU * at as f64 / n).cos();
    let power = |frequency: usize| {
        let mut power = 0.0;
        let turns: Vec<(f64, f64)> = (0..rows.len())
            .map(|at| {
                let angle = std::f64::consts::TAU * (frequency * at) as f64 / n;
                let (sine, cosine) = angle.sin_cos();
                (window(at) * cosine, window(at) * sine)
            })
            .collect();
        for &unit in &chosen {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (row, (cosine, sine)) in rows.iter().zip(&turns) {
                real += f64::from(row[unit]) * cosine;
                imaginary += f64::from(row[unit]) * sine;
            }
            power += real * real + imaginary * imaginary;
        }
        (frequency as f64, power / (chosen.len() as f64 * n * n))
    };
    (1..rows.len() / 4).map(power).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distribution_functions_are_those_of_their_densities() {
        for (function, density) in [
            (normal as fn(f64) -> f64, normal_density as fn(f64) -> f64),
            (arcsine, arcsine_density),
        ] {
            for value in [-0.9, -0.3, 0.0, 0.5, 0.8] {
                let slope = (function(value + 1e-4) - function(value - 1e-4)) / 2e-4;
                assert!((slope - density(value)).abs() < 2e-3, "{value}: {slope}");
            }
        }
    }

    #[test]
    fn sines_of_uniform_angles_are_close_to_the_arcsine_distribution() {
        let angle = |at: usize| std::f64::consts::TAU * (at as f64 * 0.618_034).fract();
        let rows = vec![(0..4000).map(|at| angle(at).sin() as f32).collect()];
        let [mean, deviation, distance] = distribution(&rows, arcsine);
        assert!(mean.abs() < 1e-3 && (deviation - 0.5_f64.sqrt()).abs() < 1e-3);
        assert!(distance < 0.005, "{distance}");
        assert!(distribution(&rows, normal)[2] > 0.1);
    }

    #[test]
    fn a_wave_has_one_line_in_its_spectrum() {
        let wave = |at: usize| (std::f64::consts::TAU * 20.0 * at as f64 / 512.0).sin() as f32;
        let rows: Vec<Vec<f32>> = (0..512).map(|at| vec![wave(at)]).collect();
        let spectrum = spectrum(&rows);
        let highest = spectrum.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        assert_eq!(highest.map(|(frequency, _)| *frequency), Some(20.0));
    }
}
