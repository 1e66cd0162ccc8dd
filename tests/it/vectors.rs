//! The test vectors of the format: fixed files with their fields, first weights and colours at ten points.
//!
//! They are for decoders written elsewhere, and never change; `INR_BLESS=1` writes those that are missing.

use std::fs;
use std::path::PathBuf;

use inr::{InrPicture, Limits};
use inr_formats::{
    Activation, Depth, Grid, Header, InrFile, LayerData, Layout, Mlp, Model, Sampling, Tensor,
};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors")
}

/// A fixed sequence of values in -1.0..1.0.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn tensor(&mut self, count: usize, scale: f32, bits: u8) -> Tensor {
        let values: Vec<f32> = (0..count).map(|_| self.next() * scale).collect();
        if bits == 0 {
            return Tensor::Float(values);
        }
        let most = ((1_i32 << (bits - 1)) - 1) as f32;
        let step = scale / most;
        let values = values
            .iter()
            .map(|value| (value / step).round() as i32)
            .collect();
        Tensor::Quantised { step, bits, values }
    }
}

/// The vectors: name, header, bits per weight (0 for floats).
fn vectors() -> Vec<(&'static str, InrFile)> {
    let mlp = |activation, frequencies, hidden: &[u32], grid| Mlp {
        activation,
        frequencies,
        hidden: hidden.to_vec(),
        omega_first: 30.0,
        omega_hidden: 30.0,
        grid,
    };
    let header = |width, height, layout, depth, model| Header {
        width,
        height,
        layout,
        depth,
        value_range: [0.0, 1.0],
        sampling: Sampling::Point,
        cicp: None,
        model: Model::Mlp(model),
    };
    use Activation::{Relu, Sine};
    use Grid::{CornerAligned, PixelCentre};
    let siren = header(
        12,
        9,
        Layout::Rgb,
        Depth::U8,
        mlp(Sine, 0, &[8, 8], PixelCentre),
    );
    let float = header(
        7,
        11,
        Layout::Grey,
        Depth::U16,
        mlp(Sine, 0, &[16], PixelCentre),
    );
    let relu = header(
        20,
        5,
        Layout::Rgba,
        Depth::U8,
        mlp(Relu, 3, &[10, 6], PixelCentre),
    );
    let mut study = header(
        6,
        6,
        Layout::GreyAlpha,
        Depth::F32,
        mlp(Sine, 2, &[5, 7, 5], CornerAligned),
    );
    (study.value_range, study.sampling, study.cicp) =
        ([-0.5, 2.0], Sampling::Area, Some([9, 16, 0, 1]));
    let all = [
        ("siren-8bit", siren, 8),
        ("siren-float", float, 0),
        ("relu-pe-rgba-11bit", relu, 11),
        ("siren-pe-corner-area", study, 6),
    ];
    let fill = |(seed, (name, header, bits)): (usize, (&'static str, Header, u8))| {
        let mut sequence = Sequence(seed as u64 + 1);
        let Model::Mlp(mlp) = &header.model else {
            unreachable!("all vectors are of this kind")
        };
        let shapes = mlp
            .layer_shapes(header.layout.channels())
            .into_iter()
            .enumerate();
        let layers = shapes.map(|(index, (outputs, inputs))| {
            let scale = if index == 0 {
                4.0
            } else {
                (3.0 / inputs as f32).sqrt()
            };
            LayerData {
                matrix: sequence.tensor(outputs * inputs, scale, bits),
                bias: sequence.tensor(outputs, 0.5, bits),
            }
        });
        let layers = layers.collect();
        (name, InrFile::new(header, layers))
    };
    all.into_iter().enumerate().map(fill).collect()
}

/// Ten positions in source pixels, spread over the picture.
fn positions(header: &Header) -> Vec<[f64; 2]> {
    let place =
        |k: usize, prime: usize, side: u32| ((k * prime) % 10) as f64 / 9.0 * f64::from(side);
    (0..10)
        .map(|k| [place(k, 3, header.width), place(k, 7, header.height)])
        .collect()
}

/// The samples at one position, computed in 64 bits from the formulas of SPEC.md alone.
fn reference(file: &InrFile, [u, v]: [f64; 2]) -> Vec<f64> {
    let header = &file.header;
    let Model::Mlp(mlp) = &header.model else {
        unreachable!("all vectors are of this kind")
    };
    let (width, height) = (f64::from(header.width), f64::from(header.height));
    let coordinate = |u: f64, n: f64| match mlp.grid {
        Grid::PixelCentre => (2.0 * u - n) / width.max(height),
        Grid::CornerAligned => (u - 0.5) * 2.0 / (n - 1.0) - 1.0,
    };
    let (x, y) = (coordinate(u, width), coordinate(v, height));
    let mut a = vec![x, y];
    for octave in 0..i32::from(mlp.frequencies) {
        let factor = 2.0_f64.powi(octave) * std::f64::consts::PI;
        a.extend([
            (x * factor).sin(),
            (y * factor).sin(),
            (x * factor).cos(),
            (y * factor).cos(),
        ]);
    }
    for (index, layer) in file.layers.iter().enumerate() {
        let (weights, bias) = (layer.matrix.values(), layer.bias.values());
        let z = weights.chunks_exact(a.len()).zip(&bias).map(|(row, bias)| {
            f64::from(*bias)
                + row
                    .iter()
                    .zip(&a)
                    .map(|(w, a)| f64::from(*w) * a)
                    .sum::<f64>()
        });
        let last = index + 1 == file.layers.len();
        a = match mlp.activation {
            _ if last => z.collect(),
            Activation::Sine => z.map(f64::sin).collect(),
            Activation::Relu => z.map(|z| z.max(0.0)).collect(),
        };
    }
    let sample = |(channel, value): (usize, f64)| {
        let alpha = header.layout.has_alpha() && channel + 1 == header.layout.channels();
        let [low, high] = if alpha {
            [0.0, 1.0]
        } else {
            header.value_range.map(f64::from)
        };
        let sample = low + (value + 1.0) / 2.0 * (high - low);
        if alpha || header.depth != Depth::F32 {
            sample.clamp(0.0, 1.0)
        } else {
            sample
        }
    };
    a.into_iter().enumerate().map(sample).collect()
}

fn description(file: &InrFile) -> Value {
    let header = &file.header;
    let Model::Mlp(mlp) = &header.model else {
        unreachable!("all vectors are of this kind")
    };
    let points: Vec<Value> = positions(header)
        .into_iter()
        .map(|position| json!({ "position": position, "samples": reference(file, position) }))
        .collect();
    let first: Vec<f32> = file.layers[0].matrix.values().into_iter().take(4).collect();
    json!({
        "width": header.width, "height": header.height,
        "layout": format!("{:?}", header.layout), "depth": format!("{:?}", header.depth),
        "value_range": header.value_range, "sampling": format!("{:?}", header.sampling), "cicp": header.cicp,
        "activation": format!("{:?}", mlp.activation), "frequencies": mlp.frequencies, "hidden": mlp.hidden,
        "grid": format!("{:?}", mlp.grid), "first_weights": first, "points": points,
    })
}

#[test]
fn the_vectors_on_disk_hold_what_their_descriptions_say() {
    for (name, file) in vectors() {
        let (inr, json) = (
            folder().join(format!("{name}.inr")),
            folder().join(format!("{name}.json")),
        );
        if std::env::var_os("INR_BLESS").is_some() && !inr.exists() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&inr, file.write().unwrap()).unwrap();
            fs::write(
                &json,
                serde_json::to_string_pretty(&description(&file)).unwrap() + "\n",
            )
            .unwrap();
        }
        let stored = InrFile::read(&fs::read(&inr).unwrap(), &Limits::default()).unwrap();
        assert_eq!(stored, file, "{name}");
        let described: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        for (key, value) in description(&stored).as_object().unwrap() {
            // Points are compared below, in numbers.
            assert!(
                key == "points" || &described[key] == value,
                "{name}: {key} {value}"
            );
        }
    }
}

#[test]
fn our_decoder_agrees_with_the_described_colours() {
    for (name, file) in vectors() {
        let described: Value = serde_json::from_str(
            &fs::read_to_string(folder().join(format!("{name}.json"))).unwrap(),
        )
        .unwrap();
        let bytes = fs::read(folder().join(format!("{name}.inr"))).unwrap();
        let picture = InrPicture::open(&bytes, &Limits::default()).unwrap();
        let found = picture.sample(&positions(&file.header)).unwrap();
        let points = described["points"].as_array().unwrap();
        assert_eq!(points.len(), 10);
        let expected = points
            .iter()
            .flat_map(|point| point["samples"].as_array().unwrap());
        for (expected, found) in expected.zip(&found) {
            let difference = (expected.as_f64().unwrap() - f64::from(*found)).abs();
            assert!(difference < 1e-4, "{name}: {found} for {expected}");
        }
    }
}
