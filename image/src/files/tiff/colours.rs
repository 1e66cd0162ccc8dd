//! Samples of a TIFF to those of a picture.

use inr_formats::Layout;

use super::common::CORRUPT;
use super::samples::{Raw, alpha, kept};
use super::shape::{Compression, Kind, Shape, Tags};
use crate::error::Error;
use crate::files::convert::finite;
use crate::picture::Samples;

/// Layout and samples of the picture; `notes` says what was assumed or dropped.
pub(super) fn finish(
    shape: &Shape,
    raw: Raw,
    tags: &Tags,
    notes: &mut Vec<String>,
) -> Result<(Layout, Samples), Error> {
    let channels = kept(shape).len();
    let mut samples = match (shape.photometric, raw) {
        (3, raw) => palette(raw, channels, tags)?,
        (8 | 9, raw) => lab(shape, raw, channels, notes),
        (_, raw) => scaled(shape, raw, notes)?,
    };
    match &mut samples {
        _ if shape.photometric != 0 => {}
        Samples::U8(samples) => invert(samples, channels, |v| 255 - v),
        Samples::U16(samples) => invert(samples, channels, |v| 65_535 - v),
        Samples::F32(samples) => invert(samples, channels, |v| 1.0 - v),
    }
    if let (6, Samples::U8(samples)) = (shape.photometric, &mut samples)
        && shape.compression != Compression::Jpeg
    {
        ycbcr(samples, channels, tags);
    }
    let colours = if shape.photometric == 3 {
        3
    } else {
        shape.colours()
    };
    let layout = match (colours, alpha(shape)) {
        (1, None) => Layout::Grey,
        (1, Some(_)) => Layout::GreyAlpha,
        (_, None) => Layout::Rgb,
        (_, Some(_)) => Layout::Rgba,
    };
    let meaning = alpha(shape).and_then(|at| shape.extra.as_ref()?.get(at - shape.colours()));
    if meaning == Some(&1) {
        samples.divide_by_alpha(layout.channels());
        notes.push("colours were premultiplied by alpha; they are divided by it".into());
    }
    let dropped = shape.samples - channels;
    if dropped > 0 {
        notes.push(format!(
            "dropped: {dropped} channels that are neither colour nor alpha"
        ));
    }
    match samples {
        Samples::F32(samples) => Ok((layout, finite(samples)?)),
        samples => Ok((layout, samples)),
    }
}

/// Integers stretched to all of 8 or 16 bits.
fn scaled(shape: &Shape, raw: Raw, notes: &mut Vec<String>) -> Result<Samples, Error> {
    let most = (1_u64 << shape.bits.min(32)) - 1;
    Ok(match raw {
        Raw::F32(samples) => Samples::F32(samples),
        Raw::U8(samples) => {
            let [black, white] = range(shape, samples.iter().map(|v| (*v).into()), most, notes);
            Samples::U8(match [black, white] {
                [0, 255] => samples,
                _ => stretched(samples, [black, white], 255.0, |v| v as u8),
            })
        }
        Raw::U16(samples) => {
            let [black, white] = range(shape, samples.iter().map(|v| (*v).into()), most, notes);
            Samples::U16(match [black, white] {
                [0, 65_535] => samples,
                _ => stretched(samples, [black, white], 65_535.0, |v| v as u16),
            })
        }
        Raw::U32(samples) => {
            let range = range(shape, samples.iter().map(|v| (*v).into()), most, notes);
            Samples::U16(stretched(samples, range, 65_535.0, |v| v as u16))
        }
    })
}

fn stretched<T: Into<u32>, U>(
    samples: Vec<T>,
    [black, white]: [u64; 2],
    most: f64,
    round: impl Fn(f64) -> U,
) -> Vec<U> {
    let factor = most / (white - black) as f64;
    samples
        .into_iter()
        .map(|v| round((f64::from(v.into()) - black as f64).max(0.0) * factor + 0.5))
        .collect()
}

/// The values of black and white. No tag gives them for samples of more than 16 bits, where white is estimated as the end
/// of the shortest usual range that holds all samples; and the sign of signed ones, none below 0, is no part of the range.
fn range(
    shape: &Shape,
    samples: impl Iterator<Item = u64>,
    most: u64,
    notes: &mut Vec<String>,
) -> [u64; 2] {
    let signed = shape.kind == Kind::Signed;
    if !signed && shape.bits <= 16 {
        return [0, most];
    }
    let (low, high) = samples.fold((u64::MAX, 0), |(low, high), v| (low.min(v), high.max(v)));
    let zero = if signed { most / 2 + 1 } else { 0 };
    if low < zero {
        notes.push("samples are signed and some are below 0; 0 becomes mid grey".into());
        return [0, most];
    }
    let usual = [255, 65_535].into_iter().find(|white| high <= zero + white);
    let white = match usual.filter(|_| shape.bits > 16) {
        Some(white) => zero + white,
        None => most,
    };
    if shape.bits > 16 {
        let name = white - zero;
        notes.push(format!(
            "samples of {} bits are read as 16; white is taken to be {name}",
            shape.bits
        ));
    }
    [zero, white]
}

fn invert<T: Copy>(samples: &mut [T], channels: usize, value: impl Fn(T) -> T) {
    for pixel in samples.chunks_exact_mut(channels) {
        pixel[0] = value(pixel[0]);
    }
}

/// Colours of the table, whose values of 16 bits have 8 that count; alpha stays.
fn palette(raw: Raw, channels: usize, tags: &Tags) -> Result<Samples, Error> {
    let table: Vec<u64> = tags.get(320).ok_or(CORRUPT)?.integers().collect();
    // Some old programs wrote 8 bits.
    let shift = if table.iter().any(|value| *value > 255) {
        8
    } else {
        0
    };
    let count = table.len() / 3;
    let indices: Vec<usize> = match raw {
        Raw::U8(indices) => indices.into_iter().map(usize::from).collect(),
        Raw::U16(indices) => indices.into_iter().map(usize::from).collect(),
        Raw::U32(_) | Raw::F32(_) => return Err(CORRUPT),
    };
    let mut samples = Vec::with_capacity(indices.len() / channels * (channels + 2));
    for pixel in indices.chunks_exact(channels) {
        if pixel[0] >= count {
            return Err(CORRUPT);
        }
        samples.extend([0, 1, 2].map(|colour| (table[colour * count + pixel[0]] >> shift) as u8));
        samples.extend(pixel[1..].iter().map(|alpha| *alpha as u8));
    }
    Ok(Samples::U8(samples))
}

/// YCbCr of 8 bits to RGB by the tags YCbCrCoefficients and ReferenceBlackWhite.
fn ycbcr(samples: &mut [u8], channels: usize, tags: &Tags) {
    let reals = |tag, usual: &[f64]| {
        let values = tags.get(tag).map(|field| field.reals()).unwrap_or_default();
        match values.len() == usual.len() && values.iter().all(|value| value.is_finite()) {
            true => values,
            false => usual.to_vec(),
        }
    };
    let weights = reals(529, &[0.299, 0.587, 0.114]);
    let ends = reals(532, &[0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
    let full = |value: u8, at: usize, most: f64| {
        let span = ends[at + 1] - ends[at];
        (f64::from(value) - ends[at]) * most / if span == 0.0 { 1.0 } else { span }
    };
    let [r, g, b] = [weights[0], weights[1], weights[2]];
    let round = |value: f64| (value + 0.5).clamp(0.0, 255.0) as u8;
    for pixel in samples.chunks_exact_mut(channels) {
        let luma = full(pixel[0], 0, 255.0);
        let (blue, red) = (full(pixel[1], 2, 127.0), full(pixel[2], 4, 127.0));
        let red = luma + red * (2.0 - 2.0 * r);
        let blue = luma + blue * (2.0 - 2.0 * b);
        let green = (luma - b * blue - r * red) / if g == 0.0 { 1.0 } else { g };
        pixel[..3].copy_from_slice(&[round(red), round(green), round(blue)]);
    }
}

/// CIE L*a*b* under D50 to sRGB.
fn lab(shape: &Shape, raw: Raw, channels: usize, notes: &mut Vec<String>) -> Samples {
    notes.push("Lab colours are converted to sRGB".into());
    let icc = shape.photometric == 9;
    let [l, a] = match (shape.bits, icc) {
        (8, _) => [255.0, 1.0],
        (_, true) => [65_280.0, 256.0],
        (_, false) => [65_535.0, 256.0],
    };
    let signed = |v: u32| match (shape.bits, icc) {
        (_, true) => f64::from(v) / a - 128.0,
        (8, _) => f64::from(v as u8 as i8),
        _ => f64::from(v as u16 as i16) / a,
    };
    let colour = |pixel: [u32; 3]| {
        srgb(
            f64::from(pixel[0]) * 100.0 / l,
            signed(pixel[1]),
            signed(pixel[2]),
        )
    };
    fn each<T: Copy + Into<u32>>(
        samples: &mut [T],
        channels: usize,
        colour: impl Fn([u32; 3]) -> [f64; 3],
        round: impl Fn(f64) -> T,
    ) {
        for pixel in samples.chunks_exact_mut(channels) {
            let rgb = colour([pixel[0], pixel[1], pixel[2]].map(Into::into));
            for (sample, value) in pixel.iter_mut().zip(rgb) {
                *sample = round(value);
            }
        }
    }
    match raw {
        Raw::U8(mut samples) => {
            each(&mut samples, channels, colour, |v| (v * 255.0 + 0.5) as u8);
            Samples::U8(samples)
        }
        Raw::U16(mut samples) => {
            each(&mut samples, channels, colour, |v| {
                (v * 65_535.0 + 0.5) as u16
            });
            Samples::U16(samples)
        }
        Raw::U32(_) | Raw::F32(_) => unreachable!("Lab has 8 or 16 bits"),
    }
}

/// Encoded sRGB 0.0..=1.0 of a colour under D50, adapted by Bradford's method.
fn srgb(l: f64, a: f64, b: f64) -> [f64; 3] {
    let f = (l + 16.0) / 116.0;
    let inverse = |t: f64| match t > 6.0 / 29.0 {
        true => t.powi(3),
        false => 3.0 * (6.0_f64 / 29.0).powi(2) * (t - 4.0 / 29.0),
    };
    let (x, y, z) = (
        0.964_22 * inverse(f + a / 500.0),
        inverse(f),
        0.825_21 * inverse(f - b / 200.0),
    );
    let linear = [
        3.133_856_1 * x - 1.616_866_7 * y - 0.490_614_6 * z,
        -0.978_768_4 * x + 1.916_141_5 * y + 0.033_454 * z,
        0.071_945_3 * x - 0.228_991_4 * y + 1.405_242_7 * z,
    ];
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        match v <= 0.003_130_8 {
            true => 12.92 * v,
            false => 1.055 * v.powf(1.0 / 2.4) - 0.055,
        }
    })
}
