//! Derivatives of fields, against central differences in double precision and closed forms.

use inr::decode::{Component, Derivative, Jets, Layer, Network, RenderMethod};
use inr::{
    Depth, EncodeOptions, InrPicture, Layout, Limits, Metadata, OutputSize, Picture, Region,
    RenderOptions, Target, encode,
};
use inr_formats::{Activation, Grid, Header, InrFile, Mlp, Model, Sampling};

const WIDTH: u32 = 61;
const HEIGHT: u32 = 47;
const STEP: f64 = 1e-3;

fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    }
}

fn mlp(activation: Activation, frequencies: u8, hidden: &[u32], grid: Grid) -> Mlp {
    Mlp {
        activation,
        frequencies,
        hidden: hidden.to_vec(),
        omega_first: 1.0,
        omega_hidden: 1.0,
        grid,
    }
}

/// A network with random weights, `omega` of the first layer folded in, and the file that holds it.
fn field(mlp: Mlp, layout: Layout, omega: f64, seed: u64) -> (Network, InrPicture) {
    let mut random = random(seed);
    let shapes = mlp.layer_shapes(layout.channels());
    let layers = shapes
        .iter()
        .enumerate()
        .map(|(index, &(outputs, inputs))| {
            let scale = match index {
                0 => omega / inputs as f64,
                _ => (6.0 / inputs as f64).sqrt(),
            };
            let mut draw = |count: usize, scale: f64| -> Vec<f32> {
                (0..count).map(|_| (random() * scale) as f32).collect()
            };
            Layer {
                inputs,
                outputs,
                weights: draw(inputs * outputs, scale),
                bias: draw(outputs, 1.0),
            }
        });
    let network = Network {
        activation: mlp.activation,
        frequencies: mlp.frequencies,
        layers: layers.collect(),
    };
    let header = Header {
        width: WIDTH,
        height: HEIGHT,
        layout,
        depth: Depth::F32,
        value_range: [-0.5, 2.0],
        sampling: Sampling::Point,
        cicp: None,
        model: Model::Mlp(mlp),
    };
    let bytes = InrFile::new(header, network.to_float_layers())
        .write()
        .unwrap();
    (network, open(&bytes))
}

fn open(bytes: &[u8]) -> InrPicture {
    InrPicture::open(bytes, &Limits::default()).unwrap()
}

/// The network's outputs in double precision, and which ReLUs are on.
fn evaluate(network: &Network, grid: Grid, [u, v]: [f64; 2]) -> (Vec<f64>, Vec<bool>) {
    let sides = [f64::from(WIDTH), f64::from(HEIGHT)];
    let place = |position: f64, side: f64| match grid {
        Grid::PixelCentre => (2.0 * position - side) / sides[0].max(sides[1]),
        Grid::CornerAligned => 2.0 * (position - 0.5) / (side - 1.0) - 1.0,
    };
    let point = [place(u, sides[0]), place(v, sides[1])];
    let mut values = point.to_vec();
    for octave in 0..network.frequencies {
        let angles = point.map(|p| f64::from(octave).exp2() * std::f64::consts::PI * p);
        values.extend(angles.map(f64::sin));
        values.extend(angles.map(f64::cos));
    }
    let mut on = Vec::new();
    let last = network.layers.len() - 1;
    for (index, layer) in network.layers.iter().enumerate() {
        let rows = layer.weights.chunks_exact(layer.inputs).zip(&layer.bias);
        let sums = rows.map(|(weights, bias)| {
            let products = weights.iter().zip(&values).map(|(w, x)| f64::from(*w) * x);
            f64::from(*bias) + products.sum::<f64>()
        });
        let sums: Vec<f64> = sums.collect();
        values = match network.activation {
            _ if index == last => sums,
            Activation::Sine => sums.into_iter().map(f64::sin).collect(),
            Activation::Relu => {
                on.extend(sums.iter().map(|sum| *sum > 0.0));
                sums.into_iter().map(|sum| sum.max(0.0)).collect()
            }
        };
    }
    (values, on)
}

/// Value, d/dx, d/dy and Laplacian by central differences of `f`.
fn differences(f: impl Fn([f64; 2]) -> f64, [x, y]: [f64; 2]) -> [f64; 4] {
    let h = STEP;
    let at = |dx: f64, dy: f64| f([x + dx, y + dy]);
    let middle = at(0.0, 0.0);
    let [east, west, south, north] = [at(h, 0.0), at(-h, 0.0), at(0.0, h), at(0.0, -h)];
    [
        middle,
        (east - west) / (2.0 * h),
        (south - north) / (2.0 * h),
        (east + west + south + north - 4.0 * middle) / (h * h),
    ]
}

fn points(count: usize, seed: u64) -> Vec<[f64; 2]> {
    let mut random = random(seed);
    let place = |unit: f64, side: u32| (unit * 0.5 + 0.5) * f64::from(side - 4) + 2.0;
    (0..count)
        .map(|_| [place(random(), WIDTH), place(random(), HEIGHT)])
        .collect()
}

/// Panics unless `jets` of one channel are `exact` to 1e-3 of each one's own size, or of a tenth of the component's root
/// mean square where it crosses 0.
fn assert_close(what: &str, jets: &Jets, channel: usize, exact: &[[f64; 4]]) {
    for (index, component) in Component::ALL.into_iter().enumerate() {
        let squares = exact.iter().map(|jet| jet[index] * jet[index]);
        let size = (squares.sum::<f64>() / exact.len() as f64).sqrt();
        for (found, jet) in jets.plane(component, channel).iter().zip(exact) {
            let wanted = jet[index];
            // Rounding in the differences leaves 1e-8 where the derivative is 0.
            let bound = 1e-3 * wanted.abs().max(0.1 * size).max(1e-4);
            assert!(
                (f64::from(*found) - wanted).abs() <= bound,
                "{what}, {component:?}: {found} for {wanted}"
            );
        }
    }
}

#[test]
fn jets_of_every_network_agree_with_central_differences() {
    let layout = Layout::Rgb;
    for activation in [Activation::Sine, Activation::Relu] {
        for frequencies in [0, 4] {
            for grid in [Grid::PixelCentre, Grid::CornerAligned] {
                for seed in 0..3 {
                    let mlp = mlp(activation, frequencies, &[40, 33, 24], grid);
                    let (network, picture) = field(mlp, layout, 30.0, seed);
                    let smooth = |[x, y]: &[f64; 2]| {
                        let on = |dx, dy| evaluate(&network, grid, [x + dx, y + dy]).1;
                        let h = 2.0 * STEP;
                        [(h, 0.0), (-h, 0.0), (0.0, h), (0.0, -h)]
                            .into_iter()
                            .all(|(dx, dy)| on(dx, dy) == on(0.0, 0.0))
                    };
                    // More points than a tile holds, and not a whole strip of them.
                    let points: Vec<_> = points(330, seed).into_iter().filter(smooth).collect();
                    assert!(points.len() > 100, "{} points", points.len());
                    let jets = picture.jets_at(&points).unwrap();
                    for channel in 0..3 {
                        let sample = |point| {
                            -0.5 + (evaluate(&network, grid, point).0[channel] + 1.0) * 0.5 * 2.5
                        };
                        let exact: Vec<_> = points
                            .iter()
                            .map(|point| differences(sample, *point))
                            .collect();
                        let what = format!("{activation:?} {frequencies} {grid:?} {seed}");
                        assert_close(&what, &jets, channel, &exact);
                        let relu_alone = activation == Activation::Relu && frequencies == 0;
                        if relu_alone {
                            assert!(
                                jets.plane(Component::Laplacian, channel)
                                    .iter()
                                    .all(|v| *v == 0.0)
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn jets_of_one_sine_layer_have_their_closed_form() {
    let mlp = mlp(Activation::Sine, 0, &[19], Grid::PixelCentre);
    let (network, picture) = field(mlp, Layout::Grey, 60.0, 5);
    let points = points(100, 9);
    let [first, last] = &network.layers[..] else {
        panic!("two layers")
    };
    let scale = 2.0 / f64::from(WIDTH);
    let closed = |[u, v]: &[f64; 2]| {
        let x = (2.0 * u - f64::from(WIDTH)) / f64::from(WIDTH);
        let y = (2.0 * v - f64::from(HEIGHT)) / f64::from(WIDTH);
        let mut jet = [f64::from(last.bias[0]), 0.0, 0.0, 0.0];
        for (unit, amplitude) in last.weights.iter().enumerate() {
            let [a, b] = [0, 1].map(|k| f64::from(first.weights[2 * unit + k]));
            let (sine, cosine) = (a * x + b * y + f64::from(first.bias[unit])).sin_cos();
            let amplitude = f64::from(*amplitude);
            jet[0] += amplitude * sine;
            jet[1] += amplitude * cosine * a * scale;
            jet[2] += amplitude * cosine * b * scale;
            jet[3] -= amplitude * sine * (a * a + b * b) * scale * scale;
        }
        let [value, x, y, laplacian] = jet.map(|v| v * 1.25);
        [value + 0.75, x, y, laplacian]
    };
    let exact: Vec<_> = points.iter().map(closed).collect();
    assert_close("one layer", &picture.jets_at(&points).unwrap(), 0, &exact);
}

fn textured(layout: Layout) -> Picture {
    let mut random = random(77);
    let (width, channels) = (WIDTH as usize, layout.channels());
    let value = |at: usize| {
        let (x, y) = (at / channels % width, at / channels / width);
        let wave = (x as f64 * 0.41 + (at % channels) as f64).sin() * (y as f64 * 0.23).cos();
        (0.5 + 0.4 * wave + 0.1 * random()) as f32
    };
    let count = width * HEIGHT as usize * channels;
    let samples: Vec<f32> = (0..count).map(value).collect();
    let metadata = Metadata::default();
    Picture::from_f32(WIDTH, HEIGHT, layout, Depth::F32, &samples, metadata).unwrap()
}

fn pyramid(layout: Layout) -> InrPicture {
    let options = EncodeOptions::default().target(Target::Quality(90.0));
    open(&encode(&textured(layout), &options, &mut ()).unwrap().bytes)
}

/// A cubic spline through `samples`, which go on mirrored, in double precision.
fn spline(samples: &[f32], [x, y]: [f64; 2]) -> f64 {
    let (width, height) = (WIDTH as isize, HEIGHT as isize);
    let mirrored = |at: isize, side: isize| {
        let at = at.rem_euclid(2 * side);
        at.min(2 * side - 1 - at) as usize
    };
    let pole = 3.0_f64.sqrt() - 2.0;
    // Weights of samples along one axis: the basis through the prefilter.
    let weights = |position: f64, side: isize| {
        let mut weights = vec![0.0; side as usize];
        let first = position.floor() as isize - 1;
        let t = position - position.floor();
        let s = 1.0 - t;
        let basis = [
            s.powi(3) / 6.0,
            2.0 / 3.0 - t * t + t.powi(3) / 2.0,
            2.0 / 3.0 - s * s + s.powi(3) / 2.0,
            t.powi(3) / 6.0,
        ];
        for (k, basis) in basis.into_iter().enumerate() {
            for tap in -40..=40_isize {
                let prefilter = 3.0_f64.sqrt() * pole.powi(tap.unsigned_abs() as i32);
                weights[mirrored(first + k as isize + tap, side)] += basis * prefilter;
            }
        }
        weights
    };
    let (across, down) = (weights(x - 0.5, width), weights(y - 0.5, height));
    let rows = samples.chunks_exact(WIDTH as usize).zip(down);
    rows.map(|(row, weight)| {
        let products = row.iter().zip(&across).map(|(v, w)| f64::from(*v) * w);
        weight * products.sum::<f64>()
    })
    .sum()
}

#[test]
fn jets_of_a_pyramid_are_those_of_the_spline_through_its_samples() {
    let picture = pyramid(Layout::Grey);
    let native = picture
        .render(&RenderOptions::default(), &mut ())
        .unwrap()
        .picture;
    let samples = native.to_f32();
    let points = points(60, 3);
    let exact: Vec<_> = points
        .iter()
        .map(|point| differences(|p| spline(&samples, p), *point))
        .collect();
    assert_close("pyramid", &picture.jets_at(&points).unwrap(), 0, &exact);
}

/// Fields of all models with three channels.
fn fields() -> Vec<(&'static str, InrPicture)> {
    let network = |activation, frequencies| {
        let mlp = mlp(activation, frequencies, &[24, 24], Grid::PixelCentre);
        field(mlp, Layout::Rgb, 20.0, 3).1
    };
    vec![
        ("siren", network(Activation::Sine, 0)),
        ("relu-pe", network(Activation::Relu, 3)),
        ("pyramid", pyramid(Layout::Rgb)),
    ]
}

fn region(x: f64, y: f64) -> Option<Region> {
    Some(Region {
        x,
        y,
        width: 20.0,
        height: 12.0,
    })
}

#[test]
fn jets_over_a_viewport_are_those_at_its_pixel_centres() {
    for (name, picture) in fields() {
        let options = RenderOptions::default()
            .size(OutputSize::Scale(3.0))
            .method(RenderMethod::Inr)
            .region(region(10.25, 7.5));
        let view = picture.jets(&options, &mut ()).unwrap();
        assert_eq!((view.width(), view.height()), (60, 36));
        let centre = |at: usize| {
            let place = |index: usize| (index as f64 + 0.5) / 3.0;
            [10.25 + place(at % 60), 7.5 + place(at / 60)]
        };
        let positions: Vec<_> = (0..60 * 36).map(centre).collect();
        let listed = picture.jets_at(&positions).unwrap();
        for component in Component::ALL {
            for channel in 0..3 {
                let pairs = view.plane(component, channel);
                let listed = listed.plane(component, channel);
                let largest = listed.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
                for (a, b) in pairs.iter().zip(listed) {
                    assert!(
                        (a - b).abs() <= 1e-4 * largest,
                        "{name} {component:?}: {a} {b}"
                    );
                }
            }
        }
    }
}

#[test]
fn derivatives_of_reduced_renders_are_per_source_pixel() {
    let h = 0.125;
    for (name, picture) in fields() {
        if name == "relu-pe" {
            // Differences step over its kinks.
            continue;
        }
        let at = |x: f64, y: f64| {
            let options = RenderOptions::default()
                .size(OutputSize::Exact(8, 5))
                .region(region(x, y));
            picture.jets(&options, &mut ()).unwrap()
        };
        let middle = at(20.0, 20.0);
        let sides =
            [at(20.0 + h, 20.0), at(20.0 - h, 20.0)].map(|jets| jets.plane(Component::Value, 1));
        let derivative = middle.plane(Component::Dx, 1);
        let largest = derivative.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        assert!(largest > 1e-3);
        for (index, derivative) in derivative.iter().enumerate() {
            let wanted = (sides[0][index] - sides[1][index]) / (2.0 * h) as f32;
            assert!(
                (derivative - wanted).abs() < 0.02 * largest,
                "{name}: {derivative} for {wanted}"
            );
        }
    }
}

#[test]
fn pictures_of_derivatives_state_a_scale_that_gives_the_derivative_back() {
    for (name, picture) in fields() {
        let options = RenderOptions::default().size(OutputSize::Scale(2.0));
        let jets = picture.jets(&options, &mut ()).unwrap();
        for derivative in [Derivative::Dx, Derivative::Dy, Derivative::Laplacian] {
            let component = match derivative {
                Derivative::Dx => Component::Dx,
                Derivative::Dy => Component::Dy,
                _ => Component::Laplacian,
            };
            let shown = picture
                .render_derivative(derivative, None, &options, &mut ())
                .unwrap();
            assert_eq!(shown.picture.depth(), Depth::U16);
            let green = jets.plane(component, 1);
            for (pixel, exact) in shown.picture.to_f32().chunks_exact(3).zip(green) {
                let back = (f64::from(pixel[1]) * 2.0 - 1.0) * shown.range;
                assert!(
                    (back - f64::from(exact)).abs() <= 2e-5 * shown.range,
                    "{name} {derivative:?}: {back} for {exact}"
                );
            }
            let xmp = shown.picture.metadata().xmp.clone().unwrap();
            assert!(String::from_utf8(xmp).unwrap().contains(&shown.scale));
        }
        let float = options.clone().depth(Depth::F32);
        let vectors = picture
            .render_derivative(Derivative::Gradient, None, &float, &mut ())
            .unwrap();
        let lengths = picture
            .render_derivative(Derivative::Magnitude, None, &float, &mut ())
            .unwrap();
        let normals = picture
            .render_derivative(Derivative::Normal, Some(0.1), &float, &mut ())
            .unwrap();
        let (vectors, normals) = (vectors.picture.to_f32(), normals.picture.to_f32());
        let pixels = vectors.chunks_exact(3).zip(normals.chunks_exact(3));
        for ((vector, normal), length) in pixels.zip(lengths.picture.to_f32()) {
            assert!((vector[0].hypot(vector[1]) - length).abs() <= 1e-6 + 1e-5 * length);
            let slope = -normal[0] / normal[2] * 0.1;
            assert!(
                (slope - vector[0]).abs() <= 1e-6 + 1e-3 * length,
                "{slope} {}",
                vector[0]
            );
        }
    }
}

#[test]
fn the_hue_of_a_gradient_is_its_direction() {
    // Mean colour of a plane's gradient, whose largest channel is 1.
    let plane = |dx: f64, dy: f64| {
        let value = |at: u32| 0.5 + dx * f64::from(at % 48) + dy * f64::from(at / 48);
        let samples: Vec<f32> = (0..48 * 48).map(|at| value(at) as f32).collect();
        let metadata = Metadata::default();
        let picture = Picture::from_f32(48, 48, Layout::Grey, Depth::F32, &samples, metadata);
        let options = EncodeOptions::default().target(Target::Quality(95.0));
        let opened = open(&encode(&picture.unwrap(), &options, &mut ()).unwrap().bytes);
        let middle = RenderOptions::default().region(Region {
            x: 16.0,
            y: 16.0,
            width: 16.0,
            height: 16.0,
        });
        let shown = opened
            .render_derivative(Derivative::GradientHsv, None, &middle, &mut ())
            .unwrap();
        let sums = shown
            .picture
            .to_f32()
            .chunks_exact(3)
            .fold([0.0; 3], |sums, pixel| {
                [0, 1, 2].map(|k| sums[k] + pixel[k])
            });
        let most = sums.iter().copied().fold(0.0, f32::max);
        sums.map(|sum| sum / most)
    };
    let [red, green, blue] = plane(0.008, 0.0);
    assert!(
        red == 1.0 && green < 0.3 && blue < 0.3,
        "right: {red} {green} {blue}"
    );
    let [red, green, blue] = plane(-0.008, 0.0);
    assert!(
        red < 0.3 && green > 0.7 && blue > 0.7,
        "left: {red} {green} {blue}"
    );
    let [red, green, blue] = plane(0.0, 0.008);
    assert!(
        green == 1.0 && red < 0.8 && blue < 0.3,
        "down: {red} {green} {blue}"
    );
}
