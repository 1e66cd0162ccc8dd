//! The sine head: what quantisation took from a level, guessed from the level around it.
//!
//! A small convolutional sine network (activations as in SIREN, Sitzmann et al. 2020, arXiv:2006.09661) reads a level's
//! grid and bands in units of their steps and corrects them before they are joined. It was trained once, on open
//! photographs (docs/head), and serves every picture.

use std::sync::{Arc, LazyLock};

use inr_formats::latents::HEAD_INPUTS;

use super::wavelet::{Grid, Window};
use inr_kernel::{Backend, STRIP};
use inr_kernel::{Convolution, ConvolutionShape, Lines, Units};

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
pub(super) const PARTS: usize = 4;
/// Hidden layers, each over windows of the one before.
const DEPTH: usize = 4;
/// Width of the hidden layers.
const WIDTH: usize = 32;
/// Samples before, and after, the corrected ones that corrections depend on.
const REACH: [usize; 2] = [DEPTH, DEPTH + 1];

const SHAPE: ConvolutionShape = ConvolutionShape {
    features: PLANES * FEATURES,
    width: WIDTH,
    depth: DEPTH,
    outputs: PLANES * PARTS,
    pointwise: true,
    units: Units::Sine,
};

/// One in the differences of a picture's own output layers.
pub(super) const DIFFERENCE_ONE: f32 = 64.0;
/// Weights and biases of the output layer.
const OUTPUT_NUMBERS: usize = SHAPE.outputs * (WIDTH + 1);

static HEADS: LazyLock<Vec<Convolution>> = LazyLock::new(|| heads(Backend::detect()));

fn heads(backend: Backend) -> Vec<Convolution> {
    let build = |class| Convolution::new(backend, SHAPE, &mut numbers(class).into_iter());
    (0..CLASSES).map(build).collect()
}

/// The built-in weights of a class of levels: those of the hidden layers, then of the output layer.
fn numbers(class: usize) -> Vec<f32> {
    let count = SHAPE.hidden_numbers() + OUTPUT_NUMBERS;
    let pairs = &BUILT_IN.as_chunks::<2>().0[class * count..][..count];
    let number = |two: &[u8; 2]| f32::from(i16::from_le_bytes(*two)) / ONE;
    pairs.iter().map(number).collect()
}

/// The classes' networks for one picture: the built-in ones where it has no differences.
#[derive(Clone, Default)]
pub(super) struct Heads([Option<Arc<Convolution>>; CLASSES]);

impl Heads {
    /// With the differences of [`inr_formats::Latents::fitted`].
    pub(super) fn new(fitted: &[Vec<i8>; CLASSES]) -> Self {
        let build = |class: usize, differences: &[i8]| {
            let mut numbers = numbers(class);
            let (weights, bias) =
                numbers[SHAPE.hidden_numbers()..].split_at_mut(SHAPE.outputs * WIDTH);
            let outputs = weights.chunks_exact_mut(WIDTH).zip(bias);
            for ((weights, bias), row) in outputs.zip(differences.chunks_exact(HEAD_INPUTS)) {
                let places = weights.iter_mut().chain([bias]);
                for (place, &difference) in places.zip(row) {
                    *place += f32::from(difference) / DIFFERENCE_ONE;
                }
            }
            Arc::new(Convolution::new(
                Backend::detect(),
                SHAPE,
                &mut numbers.into_iter(),
            ))
        };
        let mut heads = Self::default();
        for (index, differences) in fitted.iter().enumerate() {
            heads.0[index] = (!differences.is_empty()).then(|| build(index, differences));
        }
        heads
    }

    fn of(&self, level: u8) -> &Convolution {
        let class = class(level);
        self.0[class].as_deref().unwrap_or(&HEADS[class])
    }
}

/// The class of a level, 1 and above.
pub(super) fn class(level: u8) -> usize {
    usize::from(level.clamp(1, CLASSES as u8) - 1)
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
    heads: &Heads,
    level: u8,
    planes: &[Plane<'_>],
    factors: Option<&Grid>,
    outputs: [Window; PARTS],
) -> Vec<[Grid; PARTS]> {
    Correction {
        planes,
        factors,
        outputs,
    }
    .run(heads.of(level))
}

/// Calls `each` with the row, the first column and the values of the last hidden layer, shape `[32, STRIP]`, of points of
/// `output`, as the built-in weights of the hidden layers give them.
#[cfg(feature = "fit")]
pub(super) fn hidden(
    level: u8,
    planes: &[Plane<'_>],
    factors: Option<&Grid>,
    output: Window,
    each: impl FnMut(usize, usize, &[f32]),
) {
    static HIDDEN: LazyLock<Vec<Convolution>> = LazyLock::new(|| {
        let shape = ConvolutionShape {
            outputs: WIDTH,
            ..SHAPE
        };
        let identity = (0..WIDTH * WIDTH).map(|at| f32::from(u8::from(at % (WIDTH + 1) == 0)));
        let tail: Vec<f32> = identity.chain([0.0; WIDTH]).collect();
        let build = |class| {
            let mut numbers = numbers(class);
            numbers.truncate(SHAPE.hidden_numbers());
            numbers.extend(&tail);
            Convolution::new(Backend::detect(), shape, &mut numbers.into_iter())
        };
        (0..CLASSES).map(build).collect()
    });
    let correction = Correction {
        planes,
        factors,
        outputs: [output; PARTS],
    };
    let read = |row: usize, lines: &mut Lines<'_>| correction.read(row, lines);
    HIDDEN[class(level)].run(output.width, output.height, read, each);
}

/// The built-in weights of the output layer at `level`, shape `[outputs, 33]`, each output's bias last.
#[cfg(feature = "fit")]
pub(super) fn output_layer(level: u8) -> Vec<[f64; HEAD_INPUTS]> {
    let numbers = numbers(class(level));
    let (weights, bias) = numbers[SHAPE.hidden_numbers()..].split_at(SHAPE.outputs * WIDTH);
    let rows = weights.chunks_exact(WIDTH).zip(bias);
    rows.map(|(weights, &bias)| {
        std::array::from_fn(|input| f64::from(*weights.get(input).unwrap_or(&bias)))
    })
    .collect()
}

/// A correction under way. Columns and rows that are read are counted from [`DEPTH`] before those of the grid's output
/// window.
struct Correction<'a> {
    planes: &'a [Plane<'a>],
    /// Factors of the steps, on the window of the planes' grids.
    factors: Option<&'a Grid>,
    outputs: [Window; PARTS],
}

impl Correction<'_> {
    fn run(&self, head: &Convolution) -> Vec<[Grid; PARTS]> {
        let Window { width, height, .. } = self.outputs[0];
        let mut corrected: Vec<[Grid; PARTS]> = self
            .planes
            .iter()
            .map(|_| self.outputs.map(Grid::zeros))
            .collect();
        head.run(
            width,
            height,
            |row, lines| self.read(row, lines),
            |row, x, found| self.write(row, x, found, &mut corrected),
        );
        corrected
    }

    /// What the planes look like around row `row`.
    fn read(&self, row: usize, lines: &mut Lines<'_>) {
        let output = self.outputs[0];
        let wanted = output.width + 2 * DEPTH;
        let mut lines = lines.each();
        let squash = |value: f32| value / (1.0 + value.abs());
        let y = output.y as isize + row as isize - DEPTH as isize;
        // One over the factors, at the columns that are read.
        let masks: Option<Vec<f32>> = self.factors.map(|factors| {
            let line = line(factors, y);
            let columns = 0..wanted as isize;
            let start = output.x as isize - DEPTH as isize;
            let at = columns.map(|column| clamped(start + column, factors.window.columns()));
            at.map(|at| 1.0 / line[at]).collect()
        });
        for plane in self.planes {
            let [right_line, below_line, band_lines @ ..] =
                [(); FEATURES].map(|()| lines.next().expect("a line for each feature"));
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
                let scale = scale * masks.as_ref().map_or(1.0, |masks| masks[column]);
                right_line[column] = squash((here[right] - here[this]) * scale);
                below_line[column] = squash((below[this] - here[this]) * scale);
            }
            for (band, out) in bands.into_iter().zip(band_lines) {
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
                    let scale = scale * masks.as_ref().map_or(1.0, |masks| masks[column]);
                    *out = squash(value * scale);
                }
            }
        }
    }

    /// Adds what was found at 32 points from column `x` of output row `row` on.
    fn write(&self, row: usize, x: usize, found: &[f32], corrected: &mut [[Grid; PARTS]]) {
        let output = self.outputs[0];
        let y = output.y + row;
        let columns = output.x + x..output.x + (x + STRIP).min(output.width);
        let found = found.chunks_exact(PARTS * STRIP);
        for ((plane, parts), found) in self.planes.iter().zip(corrected).zip(found) {
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
                let source = source.row(y, columns.clone());
                let out = &mut part.values[start..][..source.len()];
                match self.factors {
                    None => {
                        for ((out, source), found) in out.iter_mut().zip(source).zip(found) {
                            *out = source + weight * found;
                        }
                    }
                    Some(factors) => {
                        let masked = factors.row(y, columns).iter();
                        for (((out, source), found), factor) in
                            out.iter_mut().zip(source).zip(found).zip(masked)
                        {
                            *out = source + weight * factor * found;
                        }
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
    use super::super::wavelet::cut;
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

    #[test]
    fn every_instruction_set_corrects_like_the_scalar_one() {
        let size = (77, 41);
        let parts = level(size);
        let planes = planes(&parts);
        for class in 0..CLASSES {
            let run = |backend| {
                let outputs = windows(size);
                Correction {
                    planes: &planes,
                    factors: None,
                    outputs,
                }
                .run(&heads(backend)[class])
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
        let whole = correct(&Heads::default(), 1, &planes(&parts), None, windows(size));
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
            let found = correct(&Heads::default(), 1, &planes(&seen), None, outputs);
            for (whole, found) in whole.iter().flatten().zip(found.iter().flatten()) {
                assert_eq!(cut(whole, found.window).values, found.values);
            }
        }
    }

    #[test]
    fn the_built_in_weights_are_those_of_the_document() {
        let document = include_str!("../../../formats/SPEC.md");
        let length = BUILT_IN.len();
        for part in [
            format!("{},{:03} bytes", length / 1000, length % 1000),
            format!("CRC-32 {:08x}", crc32fast::hash(BUILT_IN)),
        ] {
            assert!(document.contains(&part), "{part}");
        }
        let numbers = CLASSES * (SHAPE.hidden_numbers() + PLANES * PARTS * (WIDTH + 1));
        assert_eq!(length, 2 * numbers);
    }

    #[test]
    fn corrections_are_about_a_step_at_most() {
        let parts = level((64, 64));
        let corrected = correct(
            &Heads::default(),
            2,
            &planes(&parts),
            None,
            windows((64, 64)),
        );
        let pairs = parts.iter().flatten().zip(corrected.iter().flatten());
        let mut largest = 0.0_f32;
        for (a, b) in pairs.flat_map(|(a, b)| a.values.iter().zip(&b.values)) {
            largest = largest.max((a - b).abs());
        }
        assert!((0.005..0.2).contains(&largest), "{largest}");
    }
}
