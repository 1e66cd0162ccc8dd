//! White noise: how much of it a picture has, and the picture without it.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use inr_formats::Layout;
use inr_kernel::{Cancelled, Job};

use crate::colour::LUMA_BT601 as LUMA;
use crate::picture::{Picture, Samples};
use crate::planes::{Part, interleaved, planes, tiles};

/// Side of the windows that are transformed.
const SIDE: usize = 8;
/// Pixels of a window.
const AREA: usize = SIDE * SIDE;
/// Pixels from one window to the next that takes part in a mean.
const STEP: usize = 2;
/// Side of the parts that a picture is denoised in.
const PART: usize = 256;
/// Pixels around a pixel that [`remove`] reads.
pub const REACH: usize = SIDE;
/// Coefficients up to this many deviations are taken for noise.
const THRESHOLD: f32 = 2.7;
/// Sums of column and row from which coefficients tell of noise rather than of the picture.
const FINE: usize = 9;
/// Sums of column and row up to which they tell how flat a window is.
const COARSE: usize = 4;
/// Part of the windows that counts: the flattest.
const FLATTEST: f64 = 0.15;
/// Parts of a picture that are looked at, along each side, and their side.
const LOOKS: usize = 4;
const LOOK: usize = 64;
/// Windows at least; fewer tell nothing.
const LEAST_WINDOWS: usize = 32;
/// Means of luma beyond which samples are cut off, and their noise with them.
const CUT_OFF: [f32; 2] = [0.03, 0.97];
/// Median magnitude of normal numbers of deviation 1.
const MEDIAN: f64 = 0.6745;
/// Colours of a picture, at most, that was drawn or reduced to a palette: what looks like noise there is a pattern.
const PALETTE: usize = 256;
/// The same of grey pictures.
const GREYS: usize = 64;
/// Deviations below are those of rounding and of faint texture.
const LEAST: f64 = 1.2 / 255.0;

/// The cosine transform of [`SIDE`] samples, a row for each frequency.
static COSINES: LazyLock<[[f32; SIDE]; SIDE]> = LazyLock::new(|| {
    std::array::from_fn(|frequency| {
        let scale = if frequency == 0 { 1.0 } else { 2.0_f64 };
        std::array::from_fn(|at| {
            let angle = (2 * at + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0;
            ((scale / SIDE as f64).sqrt() * angle.cos()) as f32
        })
    })
});

/// Standard deviations of the noise of [`planes`], if each sample of the picture has noise of deviation 1; alpha has none.
fn shares(layout: Layout) -> Vec<f32> {
    let [red, green, blue] = LUMA;
    let of = |shares: [f32; 3]| shares.iter().map(|share| share * share).sum::<f32>().sqrt();
    let mut found = if layout.colour_channels() == 3 {
        vec![
            of(LUMA),
            of([1.0 - red, green, blue]),
            of([red, green, 1.0 - blue]),
        ]
    } else {
        vec![1.0]
    };
    if layout.has_alpha() {
        found.push(0.0);
    }
    found
}

/// Standard deviation of white noise in `picture`, in samples, as far as it cannot be texture: 0.0 for grey pictures, for
/// pictures of few colours and below 1.2 steps of 8 bits. Noise is in all channels, and texture in luma alone; grey cannot show the
/// difference.
pub fn certain(picture: &Picture) -> f64 {
    if picture.layout().colour_channels() == 1 || drawn(picture) {
        return 0.0;
    }
    let found = deviation(picture);
    if found >= LEAST { found } else { 0.0 }
}

/// Whether a picture has so few colours that it was drawn or reduced to a palette. Greys of 8 bits are never many, so of them
/// only a quarter counts as few.
pub fn drawn(picture: &Picture) -> bool {
    let most = if is_grey(picture) { GREYS } else { PALETTE };
    few_colours(picture, most)
}

/// Whether all pixels are grey.
fn is_grey(picture: &Picture) -> bool {
    fn all<T: PartialEq>(samples: &[T], channels: usize) -> bool {
        let mut pixels = samples.chunks_exact(channels);
        pixels.all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    }
    let channels = picture.layout().channels();
    match (picture.layout().colour_channels(), picture.samples()) {
        (1, _) => true,
        (_, Samples::U8(samples)) => all(samples, channels),
        (_, Samples::U16(samples)) => all(samples, channels),
        (_, Samples::F32(samples)) => all(samples, channels),
    }
}

/// Standard deviation of white noise in `picture`, in samples, estimated from the finest frequencies of its flattest windows
/// (cf. N. Ponomarenko et al., "An automatic approach to lossy compression of AVIRIS images", 2007). Colour pictures count
/// the noise that all channels have; in grey ones fine texture counts as well. 0.0 where too few windows are usable.
pub fn deviation(picture: &Picture) -> f64 {
    let sides = [picture.width() as usize, picture.height() as usize];
    let starts = |length: usize| {
        let room = length.saturating_sub(LOOK);
        let count = if room == 0 { 1 } else { LOOKS };
        (0..count).map(move |at| room * at / (LOOKS - 1))
    };
    let shares = shares(picture.layout());
    let mut windows: Vec<Vec<Window>> = shares.iter().map(|_| Vec::new()).collect();
    for top in starts(sides[1]) {
        for left in starts(sides[0]) {
            let part = [
                left..(left + LOOK).min(sides[0]),
                top..(top + LOOK).min(sides[1]),
            ];
            let planes = planes(picture, &part);
            for (windows, plane) in windows.iter_mut().zip(&planes) {
                look(plane, [part[0].len(), part[1].len()], &planes[0], windows);
            }
        }
    }
    let each = windows.into_iter().zip(&shares);
    let each = each
        .filter(|(_, share)| **share > 0.0)
        .map(|(windows, share)| finest(windows) / f64::from(*share));
    let found = each.fold(f64::INFINITY, f64::min);
    if found.is_finite() { found } else { 0.0 }
}

/// Whether a picture has at most so many colours; alpha does not count.
pub fn few_colours(picture: &Picture, most: usize) -> bool {
    struct Few {
        most: usize,
        channels: usize,
        colours: usize,
    }
    impl Few {
        fn of<T: Copy>(&self, samples: &[T], bits: impl Fn(T) -> u32) -> bool {
            let mut seen = HashSet::new();
            samples.chunks_exact(self.channels).all(|pixel| {
                let mut colour = [0; 3];
                let values = pixel[..self.colours].iter().map(|&value| bits(value));
                colour
                    .iter_mut()
                    .zip(values)
                    .for_each(|(to, from)| *to = from);
                seen.insert(colour);
                seen.len() <= self.most
            })
        }
    }
    let few = Few {
        most,
        channels: picture.layout().channels(),
        colours: picture.layout().colour_channels(),
    };
    match picture.samples() {
        Samples::U8(samples) => few.of(samples, u32::from),
        Samples::U16(samples) => few.of(samples, u32::from),
        Samples::F32(samples) => few.of(samples, f32::to_bits),
    }
}

/// What a window tells: how rough it is, and magnitudes of its finest frequencies.
struct Window {
    rough: f32,
    fine: Vec<f32>,
}

/// Windows of a part of a plane where `luma` is not cut off.
fn look(plane: &[f32], [width, height]: [usize; 2], luma: &[f32], windows: &mut Vec<Window>) {
    let mut window = [0.0; AREA];
    for top in (0..(height + 1).saturating_sub(SIDE)).step_by(SIDE / 2) {
        for left in (0..(width + 1).saturating_sub(SIDE)).step_by(SIDE / 2) {
            copy(luma, width, [left, top], &mut window);
            let mean = window.iter().sum::<f32>() / AREA as f32;
            if !(CUT_OFF[0]..=CUT_OFF[1]).contains(&mean) {
                continue;
            }
            copy(plane, width, [left, top], &mut window);
            let found = transformed(&window);
            let band = |low: usize, high: usize| {
                let inside = move |at: &usize| (low..=high).contains(&(at % SIDE + at / SIDE));
                (0..AREA).filter(inside).map(|at| found[at])
            };
            windows.push(Window {
                rough: band(1, COARSE).map(|value| value * value).sum(),
                fine: band(FINE, 2 * SIDE).map(f32::abs).collect(),
            });
        }
    }
}

/// Standard deviation of the finest frequencies of the flattest windows.
fn finest(mut windows: Vec<Window>) -> f64 {
    if windows.len() < LEAST_WINDOWS {
        return 0.0;
    }
    windows.sort_by(|a, b| a.rough.total_cmp(&b.rough));
    let count = (windows.len() as f64 * FLATTEST).ceil() as usize;
    let mut fine: Vec<f32> = windows
        .drain(..count)
        .flat_map(|window| window.fine)
        .collect();
    let middle = fine.len() / 2;
    let (_, median, _) = fine.select_nth_unstable_by(middle, f32::total_cmp);
    f64::from(*median) / MEDIAN
}

fn copy(plane: &[f32], width: usize, [left, top]: [usize; 2], window: &mut [f32; AREA]) {
    for (row, line) in window.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
        line.copy_from_slice(&plane[(top + row) * width + left..][..SIDE]);
    }
}

/// The two-dimensional cosine transform, an orthonormal one.
fn transformed(window: &[f32; AREA]) -> [f32; AREA] {
    across(&across(window, false), false)
}

/// What has this transform.
fn restored(transform: &[f32; AREA]) -> [f32; AREA] {
    across(&across(transform, true), true)
}

/// One dimension of the transform or of its inverse, transposed.
fn across(window: &[f32; AREA], back: bool) -> [f32; AREA] {
    let mut out = [0.0; AREA];
    for (row, line) in window.as_chunks::<SIDE>().0.iter().enumerate() {
        for (to, cosines) in COSINES.iter().enumerate() {
            for (at, cosine) in cosines.iter().enumerate() {
                let (from, to) = if back { (to, at) } else { (at, to) };
                out[to * SIDE + row] += cosine * line[from];
            }
        }
    }
    out
}

/// Takes noise of `deviation`, in samples of the picture, from the planes of `part` of a picture of `size`: coefficients of
/// overlapping windows that noise alone could give are dropped, and means over the windows taken (G. Yu and G. Sapiro, "DCT
/// image denoising", 2011). Pixels within [`REACH`] of where the part ends inside the picture are not those of the whole.
pub fn remove(
    planes: &mut [Vec<f32>],
    part: &Part,
    size: [usize; 2],
    layout: Layout,
    deviation: f64,
) {
    let lengths = [part[0].len(), part[1].len()];
    if deviation <= 0.0 || lengths.iter().any(|length| *length < SIDE) {
        return;
    }
    // The windows lie alike over the whole picture.
    let starts = [0, 1].map(|axis| {
        let (start, last) = (part[axis].start, lengths[axis] - SIDE);
        let mut starts: Vec<usize> = (start % STEP..=last).step_by(STEP).collect();
        if part[axis].end == size[axis] && starts.last() != Some(&last) {
            starts.push(last);
        }
        starts
    });
    for (plane, share) in planes.iter_mut().zip(shares(layout)) {
        if share > 0.0 {
            shrink(
                plane,
                lengths[0],
                &starts,
                THRESHOLD * share * deviation as f32,
            );
        }
    }
}

/// The picture without noise of `deviation`, as [`remove`] takes it away, in floating-point samples. `job` counts parts; see
/// [`parts`].
///
/// # Errors
/// [`Cancelled`].
pub fn removed(
    picture: &Picture,
    deviation: f64,
    threads: usize,
    job: &mut Job,
) -> Result<Picture, Cancelled> {
    let (layout, channels) = (picture.layout(), picture.layout().channels());
    let size = [picture.width() as usize, picture.height() as usize];
    let parts = tiles(&[0..size[0], 0..size[1]], PART);
    let cleaned = job.map(threads, parts.len(), |index, job| {
        let part = &parts[index];
        let around = [0, 1].map(|axis| {
            let Range { start, end } = part[axis];
            start.saturating_sub(REACH)..(end + REACH).min(size[axis])
        });
        let mut planes = planes(picture, &around);
        remove(&mut planes, &around, size, layout, deviation);
        let samples = interleaved(&planes, layout);
        let (left, top) = (
            part[0].start - around[0].start,
            part[1].start - around[1].start,
        );
        let lines = samples.chunks_exact(around[0].len() * channels);
        let lines = lines.skip(top).take(part[1].len());
        let inner = left * channels..(left + part[0].len()) * channels;
        job.advance(1)?;
        let inside = lines.flat_map(|line| &line[inner.clone()]).copied();
        Ok::<Vec<f32>, Cancelled>(inside.collect())
    })?;
    let mut whole = vec![0.0; size[0] * size[1] * channels];
    for ([columns, rows], samples) in parts.iter().zip(&cleaned) {
        let lines = samples.chunks_exact(columns.len() * channels);
        for (y, line) in rows.clone().zip(lines) {
            let start = (y * size[0] + columns.start) * channels;
            whole[start..start + line.len()].copy_from_slice(line);
        }
    }
    Ok(picture.clone().with_float_samples(whole))
}

/// Parts that [`removed`] counts in a picture of `size`.
pub fn parts([width, height]: [u32; 2]) -> u64 {
    let across = |side: u32| u64::from(side).div_ceil(PART as u64);
    across(width) * across(height)
}

fn shrink(plane: &mut [f32], width: usize, starts: &[Vec<usize>; 2], threshold: f32) {
    let mut sums = vec![0.0; plane.len()];
    let mut weights = vec![0.0; plane.len()];
    let mut window = [0.0; AREA];
    for &top in &starts[1] {
        for &left in &starts[0] {
            copy(plane, width, [left, top], &mut window);
            let mut found = transformed(&window);
            let mut kept = 1;
            for value in &mut found[1..] {
                if value.abs() > threshold {
                    kept += 1;
                } else {
                    *value = 0.0;
                }
            }
            // Windows with little left have the least noise.
            let weight = 1.0 / kept as f32;
            let restored = restored(&found);
            for (row, line) in restored.as_chunks::<SIDE>().0.iter().enumerate() {
                let place = (top + row) * width + left;
                let sums = &mut sums[place..place + SIDE];
                sums.iter_mut()
                    .zip(line)
                    .for_each(|(sum, value)| *sum += weight * value);
                weights[place..place + SIDE]
                    .iter_mut()
                    .for_each(|sum| *sum += weight);
            }
        }
    }
    for ((value, sum), weight) in plane.iter_mut().zip(sums).zip(weights) {
        if weight > 0.0 {
            *value = sum / weight;
        }
    }
}
