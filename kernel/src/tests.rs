use inr_formats::Activation;

use crate::simd::Work;
use crate::*;

fn random(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed | 1;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// A network as plain matrices, and its passes in double precision.
struct Plain {
    activation: Activation,
    widths: Vec<usize>,
    /// Weights `[outputs, inputs]` and bias of each layer.
    layers: Vec<(Vec<f32>, Vec<f32>)>,
}

/// One point's value, x and y derivatives and Laplacian.
type Jet = [f64; 4];

impl Plain {
    fn new(activation: Activation, widths: &[usize], seed: u64) -> Self {
        let mut random = random(seed);
        let layers = widths.windows(2).map(|pair| {
            let scale = (4.0 / pair[0] as f32).sqrt();
            let weights = (0..pair[0] * pair[1]).map(|_| random() * scale).collect();
            (weights, (0..pair[1]).map(|_| random()).collect())
        });
        Self {
            activation,
            widths: widths.to_vec(),
            layers: layers.collect(),
        }
    }

    fn prepared(&self, backend: Backend) -> Prepared {
        let mut prepared = Prepared::new(self.activation, &self.widths, true);
        for (index, (weights, bias)) in self.layers.iter().enumerate() {
            prepared.set(backend, index, weights, bias, 1.0);
        }
        prepared
    }

    fn jets(&self, inputs: &[Jet]) -> Vec<Jet> {
        let mut jets = inputs.to_vec();
        for (index, (weights, bias)) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            let rows = weights.chunks_exact(self.widths[index]).zip(bias);
            jets = rows
                .map(|(weights, &bias)| {
                    let mut z = [f64::from(bias), 0.0, 0.0, 0.0];
                    for (&weight, jet) in weights.iter().zip(&jets) {
                        (0..4).for_each(|k| z[k] += f64::from(weight) * jet[k]);
                    }
                    if last { z } else { self.activate(z) }
                })
                .collect();
        }
        jets
    }

    fn activate(&self, z: Jet) -> Jet {
        let (value, slope, second) = match self.activation {
            Activation::Sine => (z[0].sin(), z[0].cos(), -z[0].sin()),
            Activation::Relu if z[0] > 0.0 => (z[0], 1.0, 0.0),
            Activation::Relu => (0.0, 0.0, 0.0),
        };
        let squares = z[1] * z[1] + z[2] * z[2];
        [
            value,
            slope * z[1],
            slope * z[2],
            slope * z[3] + second * squares,
        ]
    }
}

/// Creates a tile with `strips` random strips, and returns it with the same inputs per point.
fn tile(plain: &Plain, strips: usize, streams: Streams) -> (Tile, Vec<Vec<Jet>>) {
    let mut tile = Tile::new(&plain.widths, strips + 1, streams);
    let mut random = random(77);
    let (inputs, count) = (plain.widths[0], streams.count());
    let mut points = vec![vec![[0.0; 4]; inputs]; strips * STRIP];
    for (at, value) in tile.inputs()[..strips * count * inputs * STRIP]
        .iter_mut()
        .enumerate()
    {
        *value = random();
        let (row, point) = (at / STRIP, at % STRIP);
        let (column, input) = (row / inputs, row % inputs);
        points[column / count * STRIP + point][input][column % count] = f64::from(*value);
    }
    (tile, points)
}

/// Miri checks memory accesses and is a thousand times slower: it runs fewer shapes and angles, and no finite
/// differences of losses.
const SHAPES: &[&[usize]] = if cfg!(miri) {
    &[&[2, 5, 1], &[3, 17, 7, 1]]
} else {
    &[
        &[2, 5, 1],
        &[2, 16, 16, 3],
        &[2, 33, 47, 3],
        &[10, 24, 19, 4],
        &[2, 3],
        &[3, 1, 7, 1],
    ]
};

#[test]
fn both_passes_agree_with_double_precision_on_every_backend() {
    for backend in Backend::available() {
        for shape in SHAPES {
            for activation in [Activation::Sine, Activation::Relu] {
                for streams in [Streams::Value, Streams::Jet] {
                    check(backend, &Plain::new(activation, shape, 5), streams);
                }
            }
        }
    }
}

/// Uses as loss the sum over outputs of a fixed random weight times the output, so that its gradient with respect to
/// the outputs is those weights.
fn check(backend: Backend, plain: &Plain, streams: Streams) {
    let strips = 2;
    let network = plain.prepared(backend);
    let (mut tile, points) = tile(plain, strips, streams);
    backend.forward(&network, &mut tile, strips);
    let channels = plain.widths[plain.widths.len() - 1];
    let count = streams.count();
    let mut random = random(123);
    let mut weights = vec![vec![[0.0; 4]; channels]; points.len()];
    let jets: Vec<_> = points.iter().map(|point| plain.jets(point)).collect();
    let length = strips * count * channels * STRIP;
    for (at, output) in tile.outputs()[..length].iter_mut().enumerate() {
        let (row, point) = (at / STRIP, at % STRIP);
        let (column, channel, stream) = (row / channels, row % channels, row / channels % count);
        let point = column / count * STRIP + point;
        let exact = jets[point][channel][stream];
        assert!(
            (f64::from(*output) - exact).abs() < 2e-4 * exact.abs().max(1.0),
            "{backend:?} {:?} {:?} stream {stream}: {output} for {exact}",
            plain.activation,
            plain.widths
        );
        *output = random();
        weights[point][channel][stream] = f64::from(*output);
    }
    let layout = GradientLayout::new(&plain.widths);
    let mut gradient = vec![f32::NAN; layout.length];
    backend.backward(&network, &mut tile, strips, &layout, &mut gradient, false);
    let loss = |plain: &Plain| -> f64 {
        let values = points.iter().zip(&weights).map(|(point, weights)| {
            let jets = plain.jets(point);
            let products = jets.iter().zip(weights);
            products
                .map(|(jet, weight)| (0..count).map(|k| jet[k] * weight[k]).sum::<f64>())
                .sum::<f64>()
        });
        values.sum()
    };
    compare_gradients(backend, plain, &layout, &gradient, loss);
}

/// Compares with central differences for a few weights and biases of every layer.
fn compare_gradients(
    backend: Backend,
    plain: &Plain,
    layout: &GradientLayout,
    gradient: &[f32],
    loss: impl Fn(&Plain) -> f64,
) {
    for (index, place) in layout.layers.iter().enumerate() {
        let (inputs, outputs) = (plain.widths[index], plain.widths[index + 1]);
        for probe in 0..if cfg!(miri) { 0 } else { 6 } {
            let (output, input) = (probe * 7 % outputs, probe * 5 % (inputs + 1));
            let changed = |by: f32| {
                let mut changed = Plain {
                    activation: plain.activation,
                    widths: plain.widths.clone(),
                    layers: plain.layers.clone(),
                };
                let (weights, bias) = &mut changed.layers[index];
                let value = if input == inputs {
                    &mut bias[output]
                } else {
                    &mut weights[output * inputs + input]
                };
                let before = *value;
                *value += by;
                (f64::from(*value - before), loss(&changed))
            };
            // Derivatives of ReLU networks jump at kinks, so the step is too short to cross one.
            let step = match plain.activation {
                Activation::Sine => 3e-4,
                Activation::Relu => 1e-6,
            };
            let ((up, above), (down, below)) = (changed(step), changed(-step));
            let exact = (above - below) / (up - down);
            let got = f64::from(if input == inputs {
                gradient[place.bias + output]
            } else {
                gradient[place.weights + output * place.pitch + input]
            });
            assert!(
                (got - exact).abs() < 2e-3 * exact.abs().max(10.0),
                "{backend:?} {:?} {:?} layer {index} weight {output},{input}: {got} for {exact}",
                plain.activation,
                plain.widths
            );
        }
    }
}

#[test]
fn a_second_tile_is_added_to_the_gradient() {
    let plain = Plain::new(Activation::Sine, &[2, 20, 3], 9);
    for backend in Backend::available() {
        let network = plain.prepared(backend);
        let layout = GradientLayout::new(&plain.widths);
        let run = |gradient: &mut [f32], add: bool| {
            let (mut tile, _) = tile(&plain, 1, Streams::Value);
            backend.forward(&network, &mut tile, 1);
            backend.backward(&network, &mut tile, 1, &layout, gradient, add);
        };
        let mut once = vec![0.0; layout.length];
        run(&mut once, false);
        let mut twice = once.clone();
        run(&mut twice, true);
        for (once, twice) in once.iter().zip(&twice) {
            assert!((2.0 * once - twice).abs() <= 1e-5 * once.abs().max(1.0));
        }
    }
}

#[test]
fn rendering_gives_the_values_of_training() {
    for shape in SHAPES {
        for activation in [Activation::Sine, Activation::Relu] {
            let plain = Plain::new(activation, shape, 11);
            for backend in Backend::available() {
                let network = plain.prepared(backend);
                let (mut tile, _) = tile(&plain, 2, Streams::Value);
                backend.forward(&network, &mut tile, 2);
                let length = 2 * shape[shape.len() - 1] * STRIP;
                let mut outputs = vec![0.0; length];
                let mut scratch = [vec![0.0; 64 * STRIP], vec![0.0; 64 * STRIP]];
                let [front, back] = &mut scratch;
                let inputs = tile.inputs().to_vec();
                backend.evaluate(&network, &inputs, 2, [front, back], &mut outputs);
                assert_eq!(outputs, tile.outputs()[..length], "{backend:?} {shape:?}");
            }
        }
    }
}

#[test]
fn sines_and_cosines_are_within_2e7_up_to_1000_on_every_backend() {
    let step = if cfg!(miri) { 1999 } else { 1 };
    let angles = (0..200_000).step_by(step);
    let angles: Vec<f32> = angles.map(|i| (i as f32 - 1e5) * 0.01).collect();
    let ones = vec![1.0; angles.len()];
    for backend in Backend::available() {
        let (mut sines, mut cosines) = (angles.clone(), angles.clone());
        backend.scaled_sine(1.0, &mut sines);
        backend.sine_gradient(1.0, &ones, &mut cosines);
        for ((&angle, &sine), &cosine) in angles.iter().zip(&sines).zip(&cosines) {
            let (exact_sine, exact_cosine) = f64::from(angle).sin_cos();
            assert!(
                (exact_sine - f64::from(sine)).abs() <= 2e-7,
                "{backend:?} {angle}"
            );
            assert!(
                (exact_cosine - f64::from(cosine)).abs() <= 2e-7,
                "{backend:?} {angle}"
            );
        }
    }
}

#[test]
fn sines_of_huge_and_odd_values_are_bounded_or_nan() {
    for backend in Backend::available() {
        let mut values = [
            1e5,
            -3e7,
            1e30,
            f32::MAX,
            f32::INFINITY,
            f32::NAN,
            0.0,
            -0.0,
            9e3,
            1.0,
        ];
        backend.scaled_sine(1.0, &mut values);
        assert!(
            values.iter().all(|v| v.is_nan() || v.abs() <= 1.0),
            "{backend:?}: {values:?}"
        );
    }
}

struct Transpose<'a>(&'a [f32], &'a mut [f32]);

impl Work for Transpose<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: simd::Simd, const R: usize, const C: usize>(self, simd: S) -> usize {
        assert!(self.0.len() >= 20 * S::WIDTH && self.1.len() >= S::WIDTH * S::WIDTH);
        // SAFETY: both buffers are long enough.
        unsafe { simd.transpose(self.0.as_ptr(), 20, self.1.as_mut_ptr()) };
        S::WIDTH
    }
}

#[test]
fn squares_are_transposed_on_every_backend() {
    let from: Vec<f32> = (0..20 * 16).map(|i| i as f32).collect();
    for backend in Backend::available() {
        let mut to = vec![0.0; 256];
        let width = backend.dispatch(Transpose(&from, &mut to));
        for row in 0..width {
            for column in 0..width {
                assert_eq!(
                    to[column * width + row],
                    from[row * 20 + column],
                    "{backend:?}"
                );
            }
        }
    }
}
