//! What the writer refuses, and how small it gets the weights.

use crate::common::grids::{grid_parts, small_pyramid};
use crate::common::*;
use inr_formats::*;

/// Applies `change` to a valid file and returns the error of writing it.
fn refusal(change: impl Fn(&mut InrFile)) -> FormatError {
    let mut file = small_file();
    change(&mut file);
    file.write().unwrap_err()
}

#[test]
fn the_writer_refuses_what_the_reader_would_refuse() {
    type Case = (&'static str, fn(&mut InrFile));
    let cases: [Case; 13] = [
        ("Field", |file| file.header.width = 0),
        ("Field", |file| file.header.value_range = [1.0, 0.0]),
        ("Field", |file| file.header.value_range = [0.0, 2.0]),
        ("LayerCount", |file| drop(file.layers.pop())),
        ("WeightCount", |file| {
            file.layers[1].bias = Tensor::Float(vec![0.0; 4])
        }),
        ("NotFinite", |file| {
            file.layers[0].bias = Tensor::Float(vec![0.0, f32::NAN])
        }),
        ("ValueRange", |file| {
            file.layers[2].bias = quantised(0.1, 4, 8)
        }),
        ("Bits", |file| file.layers[2].bias = quantised(0.1, 17, 8)),
        ("Step", |file| file.layers[2].bias = quantised(0.0, 4, 7)),
        ("Step", |file| file.layers[2].bias = quantised(1e38, 4, 7)),
        ("NotAncillary", |file| file.unknown[0].kind = *b"GRID"),
        ("NotAncillary", |file| file.unknown[0].kind = *b"exif"),
        ("OverLimit", |file| file.preview = Some(vec![0; 65537])),
    ];
    for (wanted, change) in cases {
        let error = refusal(change);
        assert!(
            format!("{error:?}").starts_with(wanted),
            "{wanted} wanted, {error:?} found"
        );
    }
}

#[test]
fn the_writer_refuses_latents_that_the_reader_would_refuse() {
    type Case = (&'static str, fn(&mut InrFile, &mut Latents));
    let cases: [Case; 23] = [
        ("Field", |file, _| {
            file.header.model = small_file().header.model
        }),
        ("Field", |file, _| file.header.width += 1),
        ("Field", |file, _| file.header.layout = Layout::Rgb),
        ("LayerCount", |file, _| file.layers = small_file().layers),
        ("Field", |_, latents| latents.partition.planes = 0),
        ("Field", |_, latents| latents.partition.planes = 5),
        ("Field", |_, latents| latents.partition.levels = 32),
        ("Field", |_, latents| latents.partition.tile = 17),
        ("Field", |_, latents| latents.partition.tile = 0),
        ("Field", |_, latents| latents.step = f32::NAN),
        ("Field", |_, latents| latents.step = 0.0),
        ("Field", |_, latents| latents.relative_steps.truncate(3)),
        ("Field", |_, latents| latents.centroids.push([[0; 2]; 3])),
        ("Field", |_, latents| latents.gains.push(0)),
        ("Field", |_, latents| latents.masking = 17),
        ("Field", |_, latents| latents.fitted[0].truncate(9)),
        ("Field", |_, latents| latents.fitted[2][5] = 16),
        ("Field", |_, latents| latents.gains.clear()),
        ("Field", |_, latents| latents.grain.truncate(7)),
        ("Field", |_, latents| drop(latents.segments.pop())),
        ("Field", |_, latents| latents.segments.push(Vec::new())),
        ("Field", |file, latents| {
            file.header.layout = Layout::Grey;
            latents.partition.planes = 1;
            (latents.relative_steps, latents.gains) = (Vec::new(), Vec::new());
            (latents.fitted, latents.grain) = Default::default();
            latents.centroids.truncate(1);
        }),
        ("OverLimit", |file, latents| {
            (file.header.width, latents.partition.width) = (3000, 3000);
        }),
    ];
    for (index, (wanted, change)) in cases.into_iter().enumerate() {
        let mut file = small_pyramid();
        let mut latents = file.latents.clone().unwrap();
        change(&mut file, &mut latents);
        file.latents = Some(latents);
        let error = file.write().unwrap_err();
        assert!(
            format!("{error:?}").starts_with(wanted),
            "case {index}: {wanted} wanted, {error:?} found"
        );
    }
    let mut file = small_pyramid();
    file.latents = None;
    let error = file.write().unwrap_err();
    assert!(matches!(error, FormatError::MissingChunk { .. }), "{error}");
}

#[test]
fn latents_are_written_as_the_document_lays_them_out() {
    let mut file = small_pyramid();
    (file.header.width, file.header.height, file.header.layout) = (4, 3, Layout::Grey);
    let latents = file.latents.as_mut().unwrap();
    latents.partition = crate::common::grids::partition((4, 3), 1, 1, 16);
    (latents.relative_steps, latents.colour, latents.gains) = (Vec::new(), None, Vec::new());
    (latents.masking, latents.fitted) = (0, Default::default());
    (latents.grain, latents.degradation) = (Vec::new(), None);
    latents.centroids = vec![[[0; 2]; 3]];
    latents.segments = vec![vec![0x40, 1, 2, 3, 4], Vec::new()];
    let bytes = file.write().unwrap();
    assert_eq!(payload_of(b"GRID", &bytes), grid_parts().payload());
}

fn quantised(step: f32, bits: u8, value: i32) -> Tensor {
    Tensor::Quantised {
        step,
        bits,
        values: vec![value],
    }
}

/// Approximately normal integers of `bits` bits, the largest of them at the end of the range.
fn normal(count: usize, bits: u8, state: &mut u64) -> Vec<i32> {
    let mut uniform = || {
        *state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (*state >> 40) as f32 / (1 << 24) as f32
    };
    let samples: Vec<f32> = (0..count)
        .map(|_| (0..12).map(|_| uniform()).sum::<f32>() - 6.0)
        .collect();
    let largest = samples
        .iter()
        .fold(0.0_f32, |largest, sample| largest.max(sample.abs()));
    let scale = ((1_i32 << (bits - 1)) - 1) as f32 / largest;
    samples
        .iter()
        .map(|sample| (sample * scale).round() as i32)
        .collect()
}

/// Bytes that an ideal coder with the right frequencies would need.
fn entropy(values: &[i32]) -> f64 {
    let mut counts = std::collections::HashMap::new();
    values
        .iter()
        .for_each(|value| *counts.entry(value).or_insert(0.0) += 1.0);
    let total = values.len() as f64;
    counts
        .values()
        .map(|count: &f64| -count * (count / total).log2())
        .sum::<f64>()
        / 8.0
}

#[test]
fn weights_take_little_more_than_their_entropy() {
    let mut state = 1;
    for (bits, allowance) in [(5, 1.06), (6, 1.06), (8, 1.05), (10, 1.06), (12, 1.11)] {
        let mut wanted = 0.0;
        let mut layers = Vec::new();
        for (outputs, inputs) in [(64, 2), (64, 64), (64, 64), (3, 64)] {
            let values = normal(outputs * inputs, bits, &mut state);
            wanted += entropy(&values) + outputs as f64 * f64::from(bits) / 8.0;
            layers.push(LayerData {
                matrix: Tensor::Quantised {
                    step: 0.01,
                    bits,
                    values,
                },
                bias: Tensor::Quantised {
                    step: 0.01,
                    bits,
                    values: normal(outputs, bits, &mut state),
                },
            });
        }
        let mut file = small_file();
        file.header.layout = Layout::Rgb;
        let Model::Mlp(mlp) = &mut file.header.model else {
            unreachable!()
        };
        mlp.hidden = vec![64; 3];
        file.layers = layers;
        let found = payload_of(b"NETW", &file.write().unwrap()).len() as f64;
        println!("{bits} bits: {found} bytes, entropy {wanted:.0}");
        assert!(
            found < wanted * allowance,
            "{bits} bits: {found} bytes, entropy {wanted:.0}"
        );
    }
}

#[test]
fn metadata_is_compressed_only_when_that_helps() {
    let mut file = small_file();
    let without = file.write().unwrap().len();
    file.icc = Some(vec![7; 10_000]);
    assert!(file.write().unwrap().len() < without + 30);
    file.icc = Some(Vec::new());
    assert_eq!(
        InrFile::read(&file.write().unwrap(), &Limits::default()).unwrap(),
        file
    );
}
