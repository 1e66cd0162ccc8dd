//! Trains the networks by gradient descent on the logistic loss. Used only for training.

use super::network::{HIDDEN, LOG, NEIGHBOURS, Neighbours, Network, OUTPUTS, UNIT, WEIGHT};

/// A coefficient's neighbours, whether the second quantiser coded it, and its magnitude.
type Sample = (Neighbours, bool, u8);

/// A sample of the coefficients of a training set, with the logarithms of their neighbours and their magnitudes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Samples {
    all: Vec<Sample>,
    seen: u64,
    random: u64,
}

/// Maximum number of samples kept per network.
const SAMPLES: usize = 300_000;
/// Samples per step.
const BATCH: usize = 64;
const EPOCHS: usize = 6;
const INPUTS: usize = (NEIGHBOURS + 1) * HIDDEN;
/// Weights, thresholds, output weights, offsets.
const NUMBERS: usize = INPUTS + HIDDEN + HIDDEN * OUTPUTS + OUTPUTS;

impl Samples {
    fn next(&mut self) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// Adds a coefficient by reservoir sampling, so that the kept samples are a uniform choice.
    pub(super) fn add(&mut self, neighbours: &Neighbours, second: bool, magnitude: u32) {
        let sample = (*neighbours, second, magnitude.min(255) as u8);
        self.seen += 1;
        if self.all.len() < SAMPLES {
            self.all.push(sample);
            return;
        }
        let at = (self.next() % self.seen) as usize;
        if let Some(kept) = self.all.get_mut(at) {
            *kept = sample;
        }
    }

    /// Fits the network that minimises the code length of the samples, with Adam (D. Kingma and J. Ba, "Adam", 2015).
    pub(super) fn fit(&mut self) -> Network {
        let mut numbers = vec![0.0_f32; NUMBERS];
        for weights in [0..INPUTS, INPUTS + HIDDEN..NUMBERS - OUTPUTS] {
            for number in &mut numbers[weights] {
                *number = (self.next() as f32 / (1_u64 << 31) as f32 - 0.5) * 0.5;
            }
        }
        let (mut first, mut second) = (vec![0.0_f32; NUMBERS], vec![0.0_f32; NUMBERS]);
        let steps = EPOCHS * self.all.len() / BATCH;
        let (mut decay1, mut decay2) = (1.0_f32, 1.0_f32);
        for step in 0..steps {
            let mut gradient = vec![0.0_f32; NUMBERS];
            for _ in 0..BATCH {
                let at = self.next() as usize % self.all.len();
                descend(&numbers, &self.all[at], &mut gradient);
            }
            let share = step as f32 / steps as f32;
            let rate = 0.004 * (1.0 - share) + 0.00005;
            decay1 *= 0.9;
            decay2 *= 0.999;
            for (((number, gradient), m), v) in numbers
                .iter_mut()
                .zip(&gradient)
                .zip(&mut first)
                .zip(&mut second)
            {
                let g = gradient / BATCH as f32;
                *m += 0.1 * (g - *m);
                *v += 0.001 * (g * g - *v);
                *number -= rate * (*m / (1.0 - decay1)) / ((*v / (1.0 - decay2)).sqrt() + 1e-8);
            }
        }
        quantised(&numbers)
    }
}

/// Adds the gradient of one sample's code length.
fn descend(numbers: &[f32], sample: &Sample, gradient: &mut [f32]) {
    let (neighbours, second, magnitude) = sample;
    let mut hidden: [f32; HIDDEN] = std::array::from_fn(|j| numbers[INPUTS + j]);
    // The quantiser is one more input.
    let neighbours = neighbours
        .as_flattened()
        .iter()
        .map(|x| f32::from(*x) / LOG as f32);
    let inputs = neighbours.chain([f32::from(u8::from(*second))]);
    let inputs = inputs.enumerate().filter(|(_, x)| *x != 0.0);
    for (i, x) in inputs.clone() {
        for (unit, weight) in hidden
            .iter_mut()
            .zip(&numbers[i * HIDDEN..(i + 1) * HIDDEN])
        {
            *unit += x * weight;
        }
    }
    let mut active = [0.0_f32; HIDDEN];
    for (unit, active) in hidden.iter_mut().zip(&mut active) {
        *active = if *unit > 0.0 { 1.0 } else { 0.0 };
        *unit = unit.max(0.0);
    }
    let mut back = [0.0_f32; HIDDEN];
    let top = INPUTS + HIDDEN;
    for output in 0..OUTPUTS {
        let row = top + output * HIDDEN;
        let m = u32::from(*magnitude);
        let k = output as u32;
        // Number of true decisions of this kind, and whether one was false.
        let (yes, no) = if k + 1 < OUTPUTS as u32 {
            (u32::from(m > k), u32::from(m == k))
        } else {
            (m.min(15).saturating_sub(k), u32::from((k..15).contains(&m)))
        };
        if yes + no == 0 {
            break;
        }
        let z: f32 = numbers[NUMBERS - OUTPUTS + output]
            + hidden
                .iter()
                .zip(&numbers[row..row + HIDDEN])
                .map(|(h, v)| h * v)
                .sum::<f32>();
        let p = 1.0 / (1.0 + (-z).exp());
        let d = p * (yes + no) as f32 - yes as f32;
        gradient[NUMBERS - OUTPUTS + output] += d;
        for j in 0..HIDDEN {
            gradient[row + j] += d * hidden[j];
            back[j] += d * numbers[row + j] * active[j];
        }
    }
    for (j, back) in back.iter().enumerate() {
        gradient[INPUTS + j] += back;
    }
    for (i, x) in inputs {
        for (sum, back) in gradient[i * HIDDEN..(i + 1) * HIDDEN].iter_mut().zip(&back) {
            *sum += x * back;
        }
    }
}

fn quantised(numbers: &[f32]) -> Network {
    let mut network = Network::default();
    let whole =
        |number: f32, one: i32| (number * one as f32).round().clamp(-32_767.0, 32_767.0) as i16;
    for j in 0..HIDDEN {
        for i in 0..NEIGHBOURS {
            network.hidden[i / 8][i % 8][j] = whole(numbers[i * HIDDEN + j], WEIGHT);
        }
        let threshold = numbers[INPUTS + j];
        let second = threshold + numbers[NEIGHBOURS * HIDDEN + j];
        network.thresholds[0][j] = whole(threshold, UNIT);
        network.thresholds[1][j] = whole(second, UNIT);
    }
    for k in 0..OUTPUTS {
        for j in 0..HIDDEN {
            network.outputs[j / 8][j % 8][k] =
                whole(numbers[INPUTS + HIDDEN + k * HIDDEN + j], WEIGHT);
        }
        network.offsets[k] = whole(numbers[NUMBERS - OUTPUTS + k], UNIT);
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_learns_what_magnitudes_follow() {
        let mut samples = Samples::default();
        for index in 0..4000_u32 {
            let mut neighbours = Neighbours::default();
            let large = index % 3 == 0;
            neighbours[0][1] = if large { LOG as i16 } else { 0 };
            neighbours[2][5] = (index % 7 * 500) as i16;
            // 1 in ten beside 0, and nine in ten beside 1.
            let odd = index / 3 % 10 == 0;
            samples.add(&neighbours, index % 2 == 0, u32::from(large != odd));
        }
        let network = samples.fit();
        let mut beside = Neighbours::default();
        let small = network.outputs(&beside, false)[0];
        beside[0][1] = LOG as i16;
        let large = network.outputs(&beside, false)[0];
        // ln 9 in 1/256 is 562.
        assert!((-900..-300).contains(&small), "{small}");
        assert!((300..900).contains(&large), "{large}");
    }
}
