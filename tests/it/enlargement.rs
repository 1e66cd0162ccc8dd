//! The test vectors of enlargements: samples of two pyramids at several scales, computed in 64 bits from the formulas of
//! SPEC.md alone.
//!
//! They are for decoders written elsewhere; `INR_BLESS=1` writes them anew, as after a change of the weights.

use std::fs;
use std::path::{Path, PathBuf};

use inr::{Depth, InrPicture, Limits, OutputSize, RenderOptions};
use inr_formats::InrFile;
use serde_json::{Value, json};

const FILES: [&str; 2] = ["camera-64", "astronaut-96"];
const SCALES: [u32; 3] = [2, 3, 4];
const LAYERS: usize = 11;
const WIDTH: usize = 48;
/// Source pixels each way that the coefficients of a pixel depend on, and those that a sample does.
const REACH: i64 = LAYERS as i64;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A file as one whose samples are not clamped.
fn open(name: &str) -> InrPicture {
    let bytes = fs::read(fixtures().join(format!("latents/{name}.inr"))).unwrap();
    let mut file = InrFile::read(&bytes, &Limits::default()).unwrap();
    file.header.depth = Depth::F32;
    InrPicture::open(&file.write().unwrap(), &Limits::default()).unwrap()
}

/// Samples of a render, not rounded.
fn samples(picture: &InrPicture, scale: f64) -> Vec<f32> {
    let options = RenderOptions::default()
        .size(OutputSize::Scale(scale))
        .depth(Depth::F32);
    picture.render(&options, &mut ()).unwrap().picture.to_f32()
}

/// The native samples, planes of `side` x `side`.
struct Source {
    side: i64,
    planes: Vec<Vec<f64>>,
    /// Features 2 to 6 of the document.
    known: [f64; 5],
}

impl Source {
    fn new(name: &str) -> Self {
        let picture = open(name);
        let (side, channels) = (picture.width() as usize, picture.layout().channels());
        let native = samples(&picture, 1.0);
        let plane = |channel: usize| {
            let values = native.iter().skip(channel).step_by(channels);
            values.map(|value| f64::from(*value)).collect()
        };
        assert_eq!(native.len(), side * side * channels);
        Self {
            side: side as i64,
            planes: (0..channels).map(plane).collect(),
            known: known(name),
        }
    }

    fn at(&self, plane: &[f64], x: i64, y: i64) -> f64 {
        let place = |at: i64| at.clamp(0, self.side - 1);
        plane[(place(y) * self.side + place(x)) as usize]
    }

    fn luma(&self) -> Vec<f64> {
        let [red, green, blue] = match &self.planes[..] {
            [grey] => return grey.clone(),
            [red, green, blue] => [red, green, blue],
            _ => unreachable!("both are grey or colours"),
        };
        let pixels = red.iter().zip(green).zip(blue);
        pixels
            .map(|((r, g), b)| 0.299 * r + 0.587 * g + 0.114 * b)
            .collect()
    }

    /// The first feature: 4 (L - M), edges repeated.
    fn detail(&self, luma: &[f64], x: i64, y: i64) -> f64 {
        let (x, y) = (x.clamp(0, self.side - 1), y.clamp(0, self.side - 1));
        let around = (-4..=4).flat_map(|v| (-4..=4).map(move |u| (u, v)));
        let mean = around
            .map(|(u, v)| self.at(luma, x + u, y + v))
            .sum::<f64>()
            / 81.0;
        4.0 * (self.at(luma, x, y) - mean)
    }

    /// The plain spline through the samples at (x, y), pixel centres at halves.
    fn spline(&self, plane: &[f64], [x, y]: [f64; 2]) -> f64 {
        let z = 3.0_f64.sqrt() - 2.0;
        let total: f64 = (-12..=12_i32).map(|n| z.powi(n.abs())).sum();
        let folded = |at: i64| mirrored(at, self.side);
        // Weights of the samples along an axis, from those of the coefficients.
        let weights = |at: f64| {
            let first = (at - 0.5).floor() as i64 - 1;
            (first..first + 4)
                .flat_map(|i| {
                    let outer = bump(at - 0.5 - i as f64);
                    (-12..=12_i32).map(move |n| (i + i64::from(n), outer * z.powi(n.abs()) / total))
                })
                .collect::<Vec<_>>()
        };
        let (across, down) = (weights(x), weights(y));
        let row = |j: i64| {
            let terms = across
                .iter()
                .map(|(i, weight)| weight * self.at(plane, folded(*i), j));
            terms.sum::<f64>()
        };
        down.iter()
            .map(|(j, weight)| weight * row(folded(*j)))
            .sum()
    }
}

fn mirrored(at: i64, length: i64) -> i64 {
    let at = at.rem_euclid(2 * length);
    at.min(2 * length - 1 - at)
}

/// The cubic B-spline.
fn bump(t: f64) -> f64 {
    let t = t.abs();
    match t {
        _ if t < 1.0 => 2.0 / 3.0 - t * t + t.powi(3) / 2.0,
        _ if t < 2.0 => (2.0 - t).powi(3) / 6.0,
        _ => 0.0,
    }
}

/// Features 2 to 6 of a file.
fn known(name: &str) -> [f64; 5] {
    let bytes = fs::read(fixtures().join(format!("latents/{name}.inr"))).unwrap();
    let file = InrFile::read(&bytes, &Limits::default()).unwrap();
    let latents = file.latents.unwrap();
    let step = 4.0 * f64::from(latents.step);
    let Some(bytes) = latents.degradation else {
        return [0.0, 0.5, 0.0, 0.0, step];
    };
    let [a, b, c, e] = bytes.map(f64::from);
    [a / 128.0, b / 256.0, c / 128.0, e / 256.0, step]
}

/// The trunk by its weights in order.
struct Trunk {
    layers: Vec<(Vec<f64>, Vec<f64>)>,
    gains: [Vec<f64>; 2],
}

impl Trunk {
    fn new() -> Self {
        let bytes = include_bytes!("../../src/field/trunk.bin");
        let mut numbers = bytes
            .chunks_exact(2)
            .map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])) / 8192.0);
        let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<_>>();
        let layers = (0..LAYERS).map(|layer| {
            let inputs = if layer == 0 { 6 } else { WIDTH };
            let outputs = if layer + 1 == LAYERS { 16 } else { WIDTH };
            (take(outputs * inputs * 9), take(outputs))
        });
        Self {
            layers: layers.collect(),
            gains: [take(16), take(16)],
        }
    }

    /// The coefficients of pixel (x, y), the one to its right and the two below at a scale, each in four rows of four.
    fn coefficients(
        &self,
        source: &Source,
        luma: &[f64],
        [x, y]: [i64; 2],
        scale: f64,
    ) -> Vec<f64> {
        let side = 2 * REACH + 2;
        let mut read = Vec::new();
        for at in 0..side * side {
            let (u, v) = (x + at % side - REACH, y + at / side - REACH);
            read.push(source.detail(luma, u, v));
            read.extend(source.known);
        }
        let flat: Vec<f64> = read
            .chunks(6)
            .flat_map(|six| [0.0].into_iter().chain(six[1..].iter().copied()))
            .collect();
        let t = 1.0 / scale - 1.0 / 3.0;
        let found = self.run(read).into_iter().zip(self.run(flat)).enumerate();
        found
            .map(|(at, (found, flat))| {
                let (p, q) = (self.gains[0][at % 16], self.gains[1][at % 16]);
                (found - flat) / 4.0 * (1.0 + t * p + t * t * q)
            })
            .collect()
    }

    /// The outputs at the four points in the middle of a square of them, each with its values next to each other.
    fn run(&self, mut values: Vec<f64>) -> Vec<f64> {
        let mut side = 2 * LAYERS + 2;
        for (index, (weights, bias)) in self.layers.iter().enumerate() {
            let inputs = values.len() / (side * side);
            let mut next = Vec::new();
            for at in 0..(side - 2) * (side - 2) {
                let (x, y) = (at % (side - 2), at / (side - 2));
                for (weights, bias) in weights.chunks_exact(inputs * 9).zip(bias) {
                    let mut sum = *bias;
                    for (input, nine) in weights.chunks_exact(9).enumerate() {
                        for (tap, weight) in nine.iter().enumerate() {
                            let place = (y + tap / 3) * side + x + tap % 3;
                            sum += weight * values[place * inputs + input];
                        }
                    }
                    let last = index + 1 == LAYERS;
                    next.push(if last { sum } else { sum.max(sum / 10.0) });
                }
            }
            values = next;
            side -= 2;
        }
        values
    }
}

/// The sample of output pixel (i, j), from the formulas alone.
fn reference(source: &Source, trunk: &Trunk, scale: u32, [i, j]: [u32; 2]) -> Vec<f64> {
    let scale = f64::from(scale);
    let place = [i, j].map(|at| (f64::from(at) + 0.5) / scale);
    let luma = source.luma();
    let first = place.map(|at| (4.0 * at - 0.5).floor() as i64 - 1);
    // The four coefficients along an axis belong to one pixel or to two.
    let pixel =
        first.map(|at| mirrored(at, 4 * source.side).min(mirrored(at + 3, 4 * source.side)) / 4);
    let coefficients = trunk.coefficients(source, &luma, pixel, scale);
    let mut detail = 0.0;
    for v in first[1]..first[1] + 4 {
        for u in first[0]..first[0] + 4 {
            let [x, y] = [(u, 0), (v, 1)]
                .map(|(at, axis)| (mirrored(at, 4 * source.side) - 4 * pixel[axis]) as usize);
            let part = coefficients[(y / 4 * 2 + x / 4) * 16 + y % 4 * 4 + x % 4];
            let weights =
                bump(4.0 * place[0] - 0.5 - u as f64) * bump(4.0 * place[1] - 0.5 - v as f64);
            detail += part * weights;
        }
    }
    let planes = source.planes.iter();
    planes
        .map(|plane| source.spline(plane, place) + detail)
        .collect()
}

/// Output pixels spread over the picture, corners among them.
fn pixels(side: u32) -> Vec<[u32; 2]> {
    let place = |k: u32, prime: u32| (k * prime) % 10 * (side - 1) / 9;
    (0..10).map(|k| [place(k, 3), place(k, 7)]).collect()
}

fn description() -> Value {
    let trunk = Trunk::new();
    let files = FILES.map(|name| {
        let source = Source::new(name);
        let scales = SCALES.map(|scale| {
            let points = pixels(source.side as u32 * scale).into_iter().map(|pixel| {
                json!({ "pixel": pixel, "samples": reference(&source, &trunk, scale, pixel) })
            });
            json!({ "scale": scale, "points": points.collect::<Vec<_>>() })
        });
        json!({ "file": format!("latents/{name}.inr"), "scales": scales })
    });
    json!(files)
}

#[test]
fn enlargements_agree_with_the_formulas_of_the_document() {
    let path = fixtures().join("vectors/enlargements.json");
    let found = description();
    if std::env::var_os("INR_BLESS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let stored: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let close = |a: &Value, b: f64| (a.as_f64().unwrap() - b).abs();
    for (name, (stored, found)) in FILES.iter().zip(each(&stored).zip(each(&found))) {
        let picture = open(name);
        for (stored, found) in each(&stored["scales"]).zip(each(&found["scales"])) {
            let scale = stored["scale"].as_f64().unwrap();
            let (ours, channels) = (samples(&picture, scale), picture.layout().channels());
            let width = (f64::from(picture.width()) * scale) as usize;
            for (stored, found) in each(&stored["points"]).zip(each(&found["points"])) {
                let [x, y] = [0, 1].map(|axis| stored["pixel"][axis].as_u64().unwrap() as usize);
                for channel in 0..channels {
                    let sample = &stored["samples"][channel];
                    let formula = found["samples"][channel].as_f64().unwrap();
                    assert!(close(sample, formula) < 1e-6, "{name} x{scale} {x} {y}");
                    let ours = f64::from(ours[(y * width + x) * channels + channel]);
                    assert!(
                        close(sample, ours) < 5e-4,
                        "{name} x{scale} {x} {y}: {ours} for {sample}"
                    );
                }
            }
        }
    }
}

fn each(list: &Value) -> std::slice::Iter<'_, Value> {
    list.as_array().unwrap().iter()
}
