//! Training data: patches of a folder's pictures, with reduced versions. All random choices depend only on seed and
//! step, so that a run resumes without a history.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use candle_core::{Device, Result as CandleResult, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::enlarge::Planes;
use crate::error::Error;
use inr::Raster;
use inr::resample::{self, Filter};
use inr::{Limits, read_picture};

/// Number of pictures held for sampling patches, and steps after which the next picture replaces the oldest.
const HELD: u64 = 48;
const HELD_FOR: u64 = 16;
/// Maximum side of the part kept of a picture: 48 of them take 150 MB.
const MOST_SIDE: usize = 1024;

/// A part of a picture and its reduced version, as planes of bytes.
struct Pair {
    /// Width and height of the reduced version.
    size: [usize; 2],
    small: Vec<u8>,
    large: Vec<u8>,
}

pub(super) struct Patches {
    files: Vec<PathBuf>,
    scale: usize,
    /// Side of a patch, in small pixels.
    side: usize,
    seed: u64,
    /// The pictures of the latest step, and the index of the first.
    held: VecDeque<Pair>,
    first: u64,
}

fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

impl Patches {
    /// Samples patches of `side` pixels from the pictures in `folder` reduced by `scale`.
    ///
    /// # Errors
    /// [`inr::Error::Io`] for a folder that cannot be listed, [`inr::Error::Misuse`] for one without files.
    pub(super) fn new(folder: &Path, scale: usize, side: usize, seed: u64) -> Result<Self, Error> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(Error::Field(inr::Error::Misuse {
                what: format!("{} has no files", folder.display()),
                want: "give a folder of pictures",
            }));
        }
        Ok(Self {
            files,
            scale,
            side,
            seed,
            held: VecDeque::new(),
            first: 0,
        })
    }

    /// Paths of the files.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Loads picture `entry` of the endless shuffled sequence, or the first usable file after it.
    fn load(&self, entry: u64) -> Result<Pair, Error> {
        let count = self.files.len() as u64;
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.shuffle(&mut generator(self.seed ^ 0x0bde_12ab, entry / count));
        let start = (entry % count) as usize;
        let mut rng = generator(self.seed ^ 0x51ce_77d1, entry);
        for index in (0..self.files.len()).map(|offset| order[(start + offset) % order.len()]) {
            let bytes = std::fs::read(&self.files[index])?;
            // Skip other files in the folder.
            let Ok(picture) = read_picture(&bytes, &Limits::default()) else {
                continue;
            };
            if let Some(pair) = self.pair(&Planes::of(&picture), &mut rng)? {
                return Ok(pair);
            }
        }
        Err(Error::Field(inr::Error::Misuse {
            what: format!("no picture has {} pixels a side", self.side * self.scale),
            want: "give larger pictures or smaller patches",
        }))
    }

    /// Cuts a random part, at most [`MOST_SIDE`] pixels a side, from `planes` and reduces it as benchmarks do: bicubic,
    /// rounded to 8 bits.
    fn pair(&self, planes: &Planes, rng: &mut ChaCha8Rng) -> Result<Option<Pair>, Error> {
        let mut along = |side: usize| {
            let kept = side.min(MOST_SIDE) / self.scale * self.scale;
            (rng.random_range(0..=side - kept), kept)
        };
        let ((left, width), (top, height)) = (along(planes.width), along(planes.height));
        let size = [width / self.scale, height / self.scale];
        if size.iter().any(|side| *side < self.side) {
            return Ok(None);
        }
        let (mut small, mut large) = (Vec::new(), Vec::new());
        let byte = |value: &f32| (value * 255.0 + 0.5) as u8;
        for plane in planes.samples.chunks_exact(planes.width * planes.height) {
            let rows = plane.chunks_exact(planes.width).skip(top).take(height);
            let part: Vec<f32> = rows
                .flat_map(|row| &row[left..left + width])
                .copied()
                .collect();
            let raster = Raster {
                width,
                height,
                channels: 1,
                samples: &part,
            };
            let reduced = resample::resize(raster, None, size[0], size[1], Filter::CatmullRom)?;
            small.extend(reduced.iter().map(byte));
            large.extend(part.iter().map(byte));
        }
        Ok(Some(Pair { size, small, large }))
    }

    /// Loads the pictures of `step`, and drops older ones.
    fn hold(&mut self, step: u64) -> Result<(), Error> {
        let first = step / HELD_FOR;
        while self.first < first && self.held.pop_front().is_some() {
            self.first += 1;
        }
        if self.held.is_empty() || self.first > first {
            self.held.clear();
            self.first = first;
        }
        // A small folder gets at most two entries per picture: large pictures can give two different parts.
        let wanted = HELD.min(2 * self.files.len() as u64);
        while (self.held.len() as u64) < wanted {
            let pair = self.load(self.first + self.held.len() as u64)?;
            self.held.push_back(pair);
        }
        Ok(())
    }

    /// Returns the small and the large patches of `step`, `[batch, 3, side, side]` each, randomly rotated and mirrored.
    pub(super) fn batch(
        &mut self,
        step: u64,
        batch: usize,
        device: &Device,
    ) -> Result<CandleResult<[Tensor; 2]>, Error> {
        self.hold(step)?;
        let mut rng = generator(self.seed ^ 0x3a7c_90ef, step);
        let (side, scale) = (self.side, self.scale);
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for _ in 0..batch {
            let pair = &self.held[rng.random_range(0..self.held.len())];
            let at = pair.size.map(|size| rng.random_range(0..=size - side));
            let turn = rng.random_range(0..8);
            patch(&pair.small, pair.size, at, side, turn, &mut small);
            let [size, at] = [pair.size, at].map(|pair| pair.map(|side| side * scale));
            patch(&pair.large, size, at, side * scale, turn, &mut large);
        }
        let tensor = |values: Vec<f32>, side: usize| {
            Tensor::from_vec(values, (batch, 3, side, side), device)
        };
        Ok(tensor(small, side).and_then(|small| Ok([small, tensor(large, side * scale)?])))
    }
}

/// Appends the square at `at`; the bits of `turn` mirror it along x, along y and along the diagonal.
fn patch(
    planes: &[u8],
    size: [usize; 2],
    at: [usize; 2],
    side: usize,
    turn: u32,
    into: &mut Vec<f32>,
) {
    for plane in planes.chunks_exact(size[0] * size[1]) {
        for row in 0..side {
            for column in 0..side {
                let (mut x, mut y) = if turn & 4 == 0 {
                    (column, row)
                } else {
                    (row, column)
                };
                if turn & 1 != 0 {
                    x = side - 1 - x;
                }
                if turn & 2 != 0 {
                    y = side - 1 - y;
                }
                let value = plane[(at[1] + y) * size[0] + at[0] + x];
                into.push(f32::from(value) / 255.0);
            }
        }
    }
}
