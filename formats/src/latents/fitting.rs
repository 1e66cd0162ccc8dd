//! Trains the networks by gradient descent on the logistic loss. Used only for training.

use super::network::{
    HIDDEN, LANES, LOG, NEIGHBOURS, Neighbours, Network, OUTPUTS, SIGN_CLASSES, SIGN_LIMIT,
    SIGN_UNITS, SIGNED, SignNetwork, Signed, UNIT, WEIGHT,
};

/// Maximum number of samples kept per network.
const SAMPLES: usize = 400_000;
/// Samples per step.
const BATCH: usize = 64;
const EPOCHS: usize = 8;

/// A coefficient's neighbours, whether the second quantiser coded it, and its magnitude.
pub(super) type Magnitude = (Neighbours, bool, u8);
/// The signed values around a coefficient, the class of its magnitude, and whether it is negative.
pub(super) type Sign = (Signed, u8, bool);

/// What a network learns from.
pub(super) trait Sample {
    /// Number of weights of the network, and the range of those that start at 0.
    const NUMBERS: (usize, std::ops::Range<usize>);
    /// Adds the gradient of the sample's code length.
    fn descend(&self, numbers: &[f32], gradient: &mut [f32]);
}

/// A uniform choice of the coefficients of a training set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Samples<T> {
    all: Vec<T>,
    seen: u64,
    random: u64,
}

impl<T> Default for Samples<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            seen: 0,
            random: 0,
        }
    }
}

impl<T> Samples<T> {
    fn next(&mut self) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// Adds a coefficient by reservoir sampling, so that the kept samples are a uniform choice.
    pub(super) fn add(&mut self, sample: T) {
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
}

impl<T: Sample> Samples<T> {
    /// Fits the numbers that minimise the code length of the samples, with Adam (D. Kingma and J. Ba, "Adam", 2015).
    fn numbers(&mut self) -> Vec<f32> {
        let (count, zero) = T::NUMBERS;
        let mut numbers = vec![0.0_f32; count];
        for (index, number) in numbers.iter_mut().enumerate() {
            if !zero.contains(&index) {
                *number = (self.next() as f32 / (1_u64 << 31) as f32 - 0.5) * 0.5;
            }
        }
        let (mut first, mut second) = (vec![0.0_f32; count], vec![0.0_f32; count]);
        let steps = EPOCHS * self.all.len() / BATCH;
        let (mut decay1, mut decay2) = (1.0_f32, 1.0_f32);
        for step in 0..steps {
            let mut gradient = vec![0.0_f32; count];
            for _ in 0..BATCH {
                let at = self.next() as usize % self.all.len();
                self.all[at].descend(&numbers, &mut gradient);
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
        numbers
    }
}

/// Numbers of the inputs' weights, with the quantiser as one more input.
const INPUTS: usize = (NEIGHBOURS + 1) * HIDDEN;
/// Weights, thresholds, output weights, offsets.
const MAGNITUDES: usize = INPUTS + HIDDEN + HIDDEN * OUTPUTS + OUTPUTS;

/// Adds to each unit what the inputs other than 0 give it.
fn weigh(sums: &mut [f32], inputs: impl Iterator<Item = (usize, f32)>, weights: &[f32]) {
    let count = sums.len();
    for (i, x) in inputs {
        for (sum, weight) in sums.iter_mut().zip(&weights[i * count..(i + 1) * count]) {
            *sum += x * weight;
        }
    }
}

/// Adds the gradient of the inputs' weights.
fn weigh_back(back: &[f32], inputs: impl Iterator<Item = (usize, f32)>, gradient: &mut [f32]) {
    let count = back.len();
    for (i, x) in inputs {
        for (sum, back) in gradient[i * count..(i + 1) * count].iter_mut().zip(back) {
            *sum += x * back;
        }
    }
}

/// The inputs other than 0, with their indices, in octaves.
fn octaves(inputs: &[[i16; LANES]]) -> impl Iterator<Item = (usize, f32)> + Clone {
    let inputs = inputs.as_flattened().iter().copied().enumerate();
    let filled = inputs.filter(|(_, x)| *x != 0);
    filled.map(|(i, x)| (i, f32::from(x) / LOG as f32))
}

fn whole(number: f32, one: i32) -> i16 {
    (number * one as f32).round().clamp(-32_767.0, 32_767.0) as i16
}

impl Sample for Magnitude {
    // The thresholds start at 0.
    const NUMBERS: (usize, std::ops::Range<usize>) = (MAGNITUDES, INPUTS..INPUTS + HIDDEN);

    fn descend(&self, numbers: &[f32], gradient: &mut [f32]) {
        let (neighbours, second, magnitude) = self;
        let mut hidden: [f32; HIDDEN] = std::array::from_fn(|j| numbers[INPUTS + j]);
        let quantiser = second.then_some((NEIGHBOURS, 1.0));
        let inputs = octaves(neighbours).chain(quantiser);
        weigh(&mut hidden, inputs.clone(), numbers);
        let active = hidden.map(|unit| if unit > 0.0 { 1.0 } else { 0.0 });
        let hidden = hidden.map(|unit| unit.max(0.0));
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
            let z: f32 = numbers[MAGNITUDES - OUTPUTS + output]
                + hidden
                    .iter()
                    .zip(&numbers[row..row + HIDDEN])
                    .map(|(h, v)| h * v)
                    .sum::<f32>();
            let p = 1.0 / (1.0 + (-z).exp());
            let d = p * (yes + no) as f32 - yes as f32;
            gradient[MAGNITUDES - OUTPUTS + output] += d;
            for j in 0..HIDDEN {
                gradient[row + j] += d * hidden[j];
                back[j] += d * numbers[row + j] * active[j];
            }
        }
        for (j, back) in back.iter().enumerate() {
            gradient[INPUTS + j] += back;
        }
        weigh_back(&back, inputs, gradient);
    }
}

impl Samples<Magnitude> {
    pub(super) fn fit(&mut self) -> Network {
        let numbers = self.numbers();
        let mut network = Network::default();
        for j in 0..HIDDEN {
            for i in 0..NEIGHBOURS {
                network.hidden[i / LANES][i % LANES][j] = whole(numbers[i * HIDDEN + j], WEIGHT);
            }
            let threshold = numbers[INPUTS + j];
            let second = threshold + numbers[NEIGHBOURS * HIDDEN + j];
            network.thresholds[0][j] = whole(threshold, UNIT);
            network.thresholds[1][j] = whole(second, UNIT);
        }
        for k in 0..OUTPUTS {
            for j in 0..HIDDEN {
                network.outputs[j / LANES][j % LANES][k] =
                    whole(numbers[INPUTS + HIDDEN + k * HIDDEN + j], WEIGHT);
            }
            network.offsets[k] = whole(numbers[MAGNITUDES - OUTPUTS + k], UNIT);
        }
        network
    }
}

/// Numbers of the weights of a sign network's inputs.
const SIGN_INPUTS: usize = SIGNED * SIGN_UNITS;

impl Sample for Sign {
    const NUMBERS: (usize, std::ops::Range<usize>) =
        (SIGN_INPUTS + SIGN_CLASSES * SIGN_UNITS, 0..0);

    fn descend(&self, numbers: &[f32], gradient: &mut [f32]) {
        let (signed, class, negative) = self;
        let inputs = octaves(signed);
        let mut sums = [0.0_f32; SIGN_UNITS];
        weigh(&mut sums, inputs.clone(), numbers);
        let limit = f32::from(SIGN_LIMIT) / UNIT as f32;
        let top = SIGN_INPUTS + usize::from(*class) * SIGN_UNITS;
        let hidden = sums.map(|sum| sum.clamp(-limit, limit));
        let terms = hidden.iter().zip(&numbers[top..]).map(|(h, v)| h * v);
        let p = 1.0 / (1.0 + (-terms.sum::<f32>()).exp());
        let d = p - f32::from(u8::from(*negative));
        let mut back = [0.0_f32; SIGN_UNITS];
        for j in 0..SIGN_UNITS {
            gradient[top + j] += d * hidden[j];
            if sums[j].abs() < limit {
                back[j] = d * numbers[top + j];
            }
        }
        weigh_back(&back, inputs, gradient);
    }
}

impl Samples<Sign> {
    pub(super) fn fit(&mut self) -> SignNetwork {
        let numbers = self.numbers();
        let mut network = SignNetwork::default();
        for (whole_number, number) in network.numbers().zip(&numbers) {
            *whole_number = whole(*number, WEIGHT);
        }
        network
    }
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
            samples.add((neighbours, index % 2 == 0, u8::from(large != odd)));
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

    #[test]
    fn a_network_learns_which_sign_follows_and_takes_the_negative_for_what_it_is() {
        let mut samples = Samples::default();
        for index in 0..6000_u32 {
            let mut signed = Signed::default();
            let negative = index % 2 == 0;
            // Against the sign on the left, but for one in ten.
            let odd = index / 2 % 10 == 0;
            signed[0][0] = if negative == odd {
                -(LOG as i16)
            } else {
                LOG as i16
            };
            signed[3][2] = (index as i16 % 7 - 3) * 500;
            samples.add((signed, 0, negative));
        }
        let network = samples.fit();
        let mut beside = Signed::default();
        beside[0][0] = LOG as i16;
        let after_positive = network.output(&beside, 0);
        beside[0][0] = -(LOG as i16);
        let after_negative = network.output(&beside, 0);
        // ln 9 in 1/256 is 562; shifts round down.
        assert!((400..800).contains(&after_positive), "{after_positive}");
        let sum = after_positive + after_negative;
        assert!(sum.abs() < 40, "{after_positive} {after_negative}");
    }
}
