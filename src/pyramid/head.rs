//! The sine head: what quantisation took from a level, guessed from the level around it.
//!
//! A small convolutional sine network (activations as in SIREN, Sitzmann et al. 2020, arXiv:2006.09661) reads a level's
//! grid and bands in units of their steps and corrects them before they are joined. It was trained once, on open
//! photographs (docs/head), and serves every picture.

use std::sync::LazyLock;

use inr_formats::Activation;

use super::wavelet::{Grid, Window};
use crate::render::kernel::{Backend, Prepared, STRIP};

/// The weights, signed 16-bit numbers in 1/4096: see `formats/SPEC.md`, section 13.
static BUILT_IN: &[u8] = include_bytes!("head.bin");
/// One in the weights.
const ONE: f32 = 4096.0;
/// Networks: of level 1, level 2, and all above.
const CLASSES: usize = 3;
/// Planes that the head reads and corrects.
const PLANES: usize = 3;
/// What is read of a plane: the grid's differences to the right and down, and three bands.
const FEATURES: usize = 5;
/// What is corrected of a plane: the grid and three bands.
const PARTS: usize = 4;
/// Hidden layers, each over windows of the one before.
const DEPTH: usize = 3;
/// Width of the hidden layers.
const WIDTH: usize = 24;
/// Samples of a 3 x 3 window.
const TAPS: usize = 9;
/// Samples before, and after, the corrected ones that corrections depend on.
const REACH: [usize; 2] = [DEPTH, DEPTH + 1];

/// One level's network, packed for the best instruction set at hand: for each hidden layer one that maps windows to its
/// values, the last of them with the output layer behind it.
type Layers = Vec<Prepared>;

static HEADS: LazyLock<(Backend, Vec<Layers>)> = LazyLock::new(|| {
    let backend = Backend::detect();
    (backend, layers(backend))
});

fn layers(backend: Backend) -> Vec<Layers> {
    let mut numbers = BUILT_IN
        .as_chunks::<2>()
        .0
        .iter()
        .map(|two| f32::from(i16::from_le_bytes(*two)) / ONE);
    let mut layer = |prepared: &mut Prepared, index: usize| {
        let widths = prepared.widths();
        let (inputs, outputs) = (widths[index], widths[index + 1]);
        let weights: Vec<f32> = numbers.by_ref().take(inputs * outputs).collect();
        let bias: Vec<f32> = numbers.by_ref().take(outputs).collect();
        prepared.set(backend, index, &weights, &bias, 1.0);
    };
    let mut hidden = |index: usize| {
        let inputs = if index == 0 { PLANES * FEATURES } else { WIDTH };
        let last = index + 1 == DEPTH;
        let widths = [inputs * TAPS, WIDTH, PLANES * PARTS];
        let widths = if last { &widths[..] } else { &widths[..2] };
        let mut prepared = Prepared::new(Activation::Sine, widths, false);
        prepared.activates_last = !last;
        (0..widths.len() - 1).for_each(|index| layer(&mut prepared, index));
        prepared
    };
    (0..CLASSES)
        .map(|_| (0..DEPTH).map(&mut hidden).collect())
        .collect()
}

/// The window of a level's grid, of `size`, that corrections of `window` depend on.
pub(super) fn reach(window: Window, size: (usize, usize)) -> Window {
    let widen = |range: std::ops::Range<usize>, length: usize| {
        range.start.saturating_sub(REACH[0])..(range.end + REACH[1]).min(length)
    };
    Window::new(
        widen(window.columns(), size.0),
        widen(window.rows(), size.1),
    )
}

/// Up to three planes of a level: for each its grid and bands on their windows, their step and the correction's weight.
pub(super) struct Plane<'a> {
    pub(super) parts: [&'a Grid; PARTS],
    pub(super) step: f32,
    pub(super) gain: f32,
}

/// The corrected grids and bands of `planes` on `outputs`, the windows of the grid and of the three bands.
pub(super) fn correct(
    level: u8,
    planes: &[Plane<'_>],
    outputs: [Window; PARTS],
) -> Vec<[Grid; PARTS]> {
    let (backend, heads) = &*HEADS;
    let layers = &heads[usize::from(level.clamp(1, CLASSES as u8) - 1)];
    Correction::new(*backend, layers, planes, outputs).run()
}

/// Three rows of `channels` lines, by row number.
struct Ring {
    values: Vec<f32>,
    channels: usize,
    stride: usize,
}

impl Ring {
    fn new(channels: usize, stride: usize) -> Self {
        Self {
            values: vec![0.0; 3 * channels * stride],
            channels,
            stride,
        }
    }

    fn row(&mut self, row: usize) -> &mut [f32] {
        let length = self.channels * self.stride;
        &mut self.values[row % 3 * length..][..length]
    }

    /// The 3 x 3 windows of every channel at 32 points from column `x` of the middle row `row` on, shape
    /// `[channels, 9, 32]`.
    fn windows(&self, row: usize, x: usize, out: &mut [f32]) {
        let length = self.channels * self.stride;
        for (channel, out) in out.chunks_exact_mut(TAPS * STRIP).enumerate() {
            for (tap, out) in out.chunks_exact_mut(STRIP).enumerate() {
                let start = (row + 2 + tap / 3) % 3 * length + channel * self.stride + x + tap % 3;
                out.copy_from_slice(&self.values[start..start + STRIP]);
            }
        }
    }
}

/// A correction under way. Columns and rows are counted from [`DEPTH`] before those of the grid's output window: the
/// features' row r lies there, the values of hidden layer l exist from row l on (the first one is 1), outputs from DEPTH
/// on.
struct Correction<'a> {
    backend: Backend,
    layers: &'a Layers,
    planes: &'a [Plane<'a>],
    outputs: [Window; PARTS],
    columns: usize,
    /// Three rows of the features and of each hidden layer but the last, which is not kept.
    rings: Vec<Ring>,
}

impl<'a> Correction<'a> {
    fn new(
        backend: Backend,
        layers: &'a Layers,
        planes: &'a [Plane<'a>],
        outputs: [Window; PARTS],
    ) -> Self {
        let columns = outputs[0].width;
        let stride = (columns + 2 * DEPTH).next_multiple_of(STRIP) + STRIP;
        let ring = |index| Ring::new(if index == 0 { PLANES * FEATURES } else { WIDTH }, stride);
        Self {
            backend,
            layers,
            planes,
            outputs,
            columns,
            rings: (0..DEPTH).map(ring).collect(),
        }
    }

    fn run(mut self) -> Vec<[Grid; PARTS]> {
        let outputs = self.outputs;
        let mut corrected: Vec<[Grid; PARTS]> = self
            .planes
            .iter()
            .map(|_| outputs.map(Grid::zeros))
            .collect();
        for row in 0..outputs[0].height + 2 * DEPTH {
            self.feature_row(row);
            // Each layer is a row behind the one that it reads, and needs the two rows before that.
            for layer in 1..DEPTH {
                if row >= 2 * layer {
                    self.hidden_row(layer, row - layer);
                }
            }
            if row >= 2 * DEPTH {
                self.output_row(row - DEPTH, &mut corrected);
            }
        }
        corrected
    }

    /// What the planes look like around row `row`.
    fn feature_row(&mut self, row: usize) {
        let output = self.outputs[0];
        let wanted = self.columns + 2 * DEPTH;
        let stride = self.rings[0].stride;
        let out = self.rings[0].row(row);
        out.fill(0.0);
        let squash = |value: f32| value / (1.0 + value.abs());
        let y = output.y as isize + row as isize - DEPTH as isize;
        for (plane, out) in self
            .planes
            .iter()
            .zip(out.chunks_exact_mut(FEATURES * stride))
        {
            let scale = 1.0 / plane.step;
            let [grid, bands @ ..] = plane.parts;
            let (here, below) = (line(grid, y), line(grid, y + 1));
            let at = |column: usize| {
                clamped(
                    output.x as isize + column as isize - DEPTH as isize,
                    grid.window.columns(),
                )
            };
            for column in 0..wanted {
                let (this, right) = (at(column), at(column + 1));
                out[column] = squash((here[right] - here[this]) * scale);
                out[stride + column] = squash((below[this] - here[this]) * scale);
            }
            for (band, out) in bands
                .into_iter()
                .zip(out[2 * stride..].chunks_exact_mut(stride))
            {
                // A band may be a sample shorter than the grid; there it is 0, as beyond.
                let clamp_x = |column: usize| {
                    let x = output.x as isize + column as isize - DEPTH as isize;
                    x.clamp(
                        grid.window.x as isize,
                        (grid.window.x + grid.window.width) as isize - 1,
                    )
                };
                let y = y.clamp(
                    grid.window.y as isize,
                    (grid.window.y + grid.window.height) as isize - 1,
                );
                let Some(values) = present(band, y) else {
                    continue;
                };
                for (column, out) in out[..wanted].iter_mut().enumerate() {
                    let x = clamp_x(column) - band.window.x as isize;
                    let value = values.get(x.max(0) as usize).copied().unwrap_or(0.0);
                    *out = squash(value * scale);
                }
            }
        }
    }

    /// Row `row` of hidden layer `layer`, 1 or more, from the three around it of what it reads.
    fn hidden_row(&mut self, layer: usize, row: usize) {
        let network = &self.layers[layer - 1];
        let mut inputs = vec![0.0; network.widths()[0] * STRIP];
        let mut outputs = [0.0; WIDTH * STRIP];
        for x in (layer - 1..self.columns + 2 * DEPTH - layer - 1).step_by(STRIP) {
            self.rings[layer - 1].windows(row, x, &mut inputs);
            let none = [&mut [][..], &mut [][..]];
            self.backend
                .evaluate(network, &inputs, 1, none, &mut outputs);
            let ring = &mut self.rings[layer];
            let stride = ring.stride;
            let lines = ring.row(row).chunks_exact_mut(stride);
            for (line, values) in lines.zip(outputs.chunks_exact(STRIP)) {
                line[x + 1..x + 1 + STRIP].copy_from_slice(values);
            }
        }
    }

    fn output_row(&mut self, row: usize, corrected: &mut [[Grid; PARTS]]) {
        let mut inputs = [0.0; WIDTH * TAPS * STRIP];
        let mut outputs = [0.0; PLANES * PARTS * STRIP];
        let mut scratch = [[0.0; WIDTH * STRIP], [0.0; WIDTH * STRIP]];
        let y = self.outputs[0].y + row - DEPTH;
        for x in (0..self.columns).step_by(STRIP) {
            self.rings[DEPTH - 1].windows(row, x + DEPTH - 1, &mut inputs);
            let [front, back] = &mut scratch;
            self.backend.evaluate(
                &self.layers[DEPTH - 1],
                &inputs,
                1,
                [front, back],
                &mut outputs,
            );
            let columns = self.outputs[0].x + x..self.outputs[0].x + (x + STRIP).min(self.columns);
            let found = outputs.chunks_exact(PARTS * STRIP);
            for ((plane, parts), found) in self.planes.iter().zip(&mut *corrected).zip(found) {
                let weight = plane.gain * plane.step;
                for ((source, part), found) in
                    plane.parts.iter().zip(parts).zip(found.chunks_exact(STRIP))
                {
                    let window = part.window;
                    let columns = columns.start..columns.end.min(window.x + window.width);
                    if !window.rows().contains(&y) || columns.is_empty() {
                        continue;
                    }
                    let start = (y - window.y) * window.width + columns.start - window.x;
                    let source = source.row(y, columns);
                    let out = &mut part.values[start..][..source.len()];
                    for ((out, source), found) in out.iter_mut().zip(source).zip(found) {
                        *out = source + weight * found;
                    }
                }
            }
        }
    }
}

/// Index within `range` of the place nearest to `at`.
fn clamped(at: isize, range: std::ops::Range<usize>) -> usize {
    at.clamp(range.start as isize, range.end as isize - 1) as usize - range.start
}

/// The row of `grid` nearest to `y`.
fn line(grid: &Grid, y: isize) -> &[f32] {
    let row = clamped(y, grid.window.rows());
    &grid.values[row * grid.window.width..][..grid.window.width]
}

/// Row `y` of a band's window, if it has it.
fn present(band: &Grid, y: isize) -> Option<&[f32]> {
    let row = usize::try_from(y - band.window.y as isize).ok()?;
    let start = row.checked_mul(band.window.width)?;
    band.values.get(start..start + band.window.width)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level of `size` with something everywhere, three planes.
    fn level(size: (usize, usize)) -> Vec<[Grid; PARTS]> {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let windows = windows(size);
        (0..PLANES)
            .map(|_| {
                windows.map(|window| {
                    let mut grid = Grid::zeros(window);
                    grid.values.fill_with(|| (4.0 * next()).round() * 0.1);
                    grid
                })
            })
            .collect()
    }

    /// Those of the halved grid and the bands of a grid of `size`.
    fn windows((width, height): (usize, usize)) -> [Window; PARTS] {
        let (low, high) = (
            [width.div_ceil(2), height.div_ceil(2)],
            [width / 2, height / 2],
        );
        [
            Window::new(0..low[0], 0..low[1]),
            Window::new(0..high[0], 0..low[1]),
            Window::new(0..low[0], 0..high[1]),
            Window::new(0..high[0], 0..high[1]),
        ]
    }

    fn planes(parts: &[[Grid; PARTS]]) -> Vec<Plane<'_>> {
        let mut planes = Vec::new();
        for parts in parts {
            planes.push(Plane {
                parts: parts.each_ref(),
                step: 0.1,
                gain: 1.0,
            });
        }
        planes
    }

    fn cut(grid: &Grid, window: Window) -> Grid {
        super::super::cut(grid, window)
    }

    #[test]
    fn every_instruction_set_corrects_like_the_scalar_one() {
        let size = (77, 41);
        let parts = level(size);
        let planes = planes(&parts);
        for class in 0..CLASSES {
            let run = |backend| {
                let layers = &layers(backend)[class];
                Correction::new(backend, layers, &planes, windows(size)).run()
            };
            let expected = run(Backend::Scalar);
            for backend in Backend::available() {
                for (a, b) in expected.iter().flatten().zip(run(backend).iter().flatten()) {
                    for (a, b) in a.values.iter().zip(&b.values) {
                        assert!((a - b).abs() < 1e-5, "{backend:?}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_part_is_corrected_as_in_the_whole() {
        let size = (90, 67);
        let parts = level(size);
        let whole = correct(1, &planes(&parts), windows(size));
        let all = windows(size);
        for (columns, rows) in [(0..9, 0..33), (7..40, 5..6), (30..45, 20..34)] {
            let outputs = all.map(|window| {
                let within = |range: &std::ops::Range<usize>, length: usize| {
                    range.start..range.end.min(length)
                };
                Window::new(within(&columns, window.width), within(&rows, window.height))
            });
            let seen: Vec<[Grid; PARTS]> = parts
                .iter()
                .map(|parts| {
                    std::array::from_fn(|part| {
                        let size = (all[part].width, all[part].height);
                        cut(&parts[part], reach(outputs[part], size))
                    })
                })
                .collect();
            let found = correct(1, &planes(&seen), outputs);
            for (whole, found) in whole.iter().flatten().zip(found.iter().flatten()) {
                assert_eq!(cut(whole, found.window).values, found.values);
            }
        }
    }

    #[test]
    fn the_built_in_weights_are_those_of_the_document() {
        let document = include_str!("../../formats/SPEC.md");
        let length = BUILT_IN.len();
        for part in [
            format!("{},{:03} bytes", length / 1000, length % 1000),
            format!("CRC-32 {:08x}", crc32fast::hash(BUILT_IN)),
        ] {
            assert!(document.contains(&part), "{part}");
        }
        let numbers = CLASSES
            * (WIDTH * (PLANES * FEATURES * TAPS + 1)
                + (DEPTH - 1) * WIDTH * (WIDTH * TAPS + 1)
                + PLANES * PARTS * (WIDTH + 1));
        assert_eq!(length, 2 * numbers);
    }

    #[test]
    fn corrections_are_about_a_step_at_most() {
        let parts = level((64, 64));
        let corrected = correct(2, &planes(&parts), windows((64, 64)));
        let pairs = parts.iter().flatten().zip(corrected.iter().flatten());
        let mut largest = 0.0_f32;
        for (a, b) in pairs.flat_map(|(a, b)| a.values.iter().zip(&b.values)) {
            largest = largest.max((a - b).abs());
        }
        assert!((0.005..0.2).contains(&largest), "{largest}");
    }
}
