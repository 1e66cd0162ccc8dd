//! Latent grids: a picture as quantised wavelet coefficients, level by level and tile by tile.
//!
//! This module handles integers only: [`Latents`] specifies the meaning of the coefficients and the renderer computes
//! it. Each tile of each level is a separate segment whose contexts end at the tile's border, so a reader needs only a
//! tile and the chain of tiles above it.

mod band;
mod chunk;
mod fitted;
mod fitting;
mod low;
mod network;
mod prediction;
mod prior;
mod quantiser;
mod signs;
mod state;
mod surroundings;
mod tile;

pub use band::{Band, Tile};
pub(crate) use chunk::{read, write};
pub use fitted::{HEAD_DIFFERENCES, HEAD_INPUTS};
pub use prior::train;

use crate::entropy::coder::{Coder, Decoder, Encoder};
use crate::entropy::mix::{self, Tables};
use crate::error::FormatError;
use crate::limits::{Limits, within};
use state::State;
use surroundings::Parent;
use tile::{TileCoder, Wish};

/// Maximum number of levels: 31 halvings reduce a side of 2^31 to one coefficient.
const MAX_LEVELS: u8 = 31;
/// Allowed sides of a tile, in coefficients of one orientation.
const TILE_SIDES: std::ops::RangeInclusive<u16> = 16..=4096;
/// Maximum longer side of the coarsest band.
const MAX_LOW: u64 = 256;

/// Division of a picture into levels, tiles and segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Columns of the finest grid, the width of the picture.
    pub width: u32,
    /// Rows of the finest grid, the height of the picture.
    pub height: u32,
    /// Planes, 1..=4.
    pub planes: u8,
    /// Number of times that the grid is halved. Level 1 is the finest.
    pub levels: u8,
    /// Side of a tile in coefficients of one orientation, 16..=4096.
    pub tile: u16,
}

impl Partition {
    /// Columns and rows of the picture after `level` halvings, rounded up.
    pub fn size(&self, level: u8) -> (usize, usize) {
        let halve = |side: u32| {
            let shift = u32::from(level).min(32);
            ((u64::from(side) + (1_u64 << shift) - 1) >> shift).max(1) as usize
        };
        (halve(self.width), halve(self.height))
    }

    /// Columns and rows of an orientation of `level`, at least 1: high in x, high in y, high in both. Either may be 0.
    pub fn band(&self, level: u8, orientation: usize) -> (usize, usize) {
        let (full, low) = (self.size(level - 1), self.size(level));
        let high = (full.0 - low.0, full.1 - low.1);
        match orientation {
            0 => (high.0, low.1),
            1 => (low.0, high.1),
            _ => high,
        }
    }

    /// Columns and rows of tiles of `level`, at least 1.
    pub fn tiles(&self, level: u8) -> (usize, usize) {
        let (width, height) = self.size(level);
        let side = usize::from(self.tile);
        (width.div_ceil(side), height.div_ceil(side))
    }

    /// Number of segments: one for the coarsest band, and one for each tile of each level.
    pub fn segments(&self) -> usize {
        1 + self.tiles_above(0)
    }

    /// Index of the segment for the tile in column `x` and row `y` of `level`; segment 0 is the coarsest band.
    pub fn segment(&self, level: u8, x: usize, y: usize) -> usize {
        1 + self.tiles_above(level) + y * self.tiles(level).0 + x
    }

    /// Number of tiles of all levels coarser than `level`.
    fn tiles_above(&self, level: u8) -> usize {
        let count = |level| {
            let (columns, rows) = self.tiles(level);
            columns * rows
        };
        (level + 1..=self.levels).map(count).sum()
    }

    /// Creates the tile in column `x` and row `y` of `level` filled with zeros, which is what an empty segment means.
    pub fn empty_tile(&self, level: u8, x: usize, y: usize) -> Tile {
        let side = usize::from(self.tile);
        let part = |(width, height): (usize, usize)| {
            let cut = |size: usize, index: usize| size.saturating_sub(index * side).min(side);
            (cut(width, x), cut(height, y))
        };
        let sizes = [0, 1, 2].map(|orientation| part(self.band(level, orientation)));
        Tile::new(usize::from(self.planes), sizes, part(self.size(level)))
    }

    pub(crate) fn check(&self, limits: &Limits) -> Result<(), FormatError> {
        let field = |field, found: u64, wanted| {
            let found = found.to_string();
            Err(FormatError::Field {
                field,
                found,
                wanted,
            })
        };
        if !(1..=4).contains(&self.planes) {
            return field("latents.planes", self.planes.into(), "1..=4");
        }
        if self.levels > MAX_LEVELS {
            return field("latents.levels", self.levels.into(), "0..=31");
        }
        if !TILE_SIDES.contains(&self.tile) || !self.tile.is_multiple_of(8) {
            return field(
                "latents.tile",
                self.tile.into(),
                "a multiple of 8 in 16..=4096",
            );
        }
        let (width, height) = self.size(self.levels);
        within(
            "side of the coarsest latents",
            width.max(height) as u64,
            MAX_LOW,
        )?;
        within(
            "pixels of the latents",
            u64::from(self.width) * u64::from(self.height),
            limits.pixels,
        )
    }
}

/// Transform from planes to colours: `colour[channel]` holds the weight of each of the first three planes, in 1/2^14.
pub type ColourMatrix = [[i16; 3]; 3];

/// The latent grids of a picture, coded.
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    /// Levels, tiles and planes.
    pub partition: Partition,
    /// Quantisation step in units of the value range, finite and above 0. Coefficients are multiples of it; those of
    /// the coarsest band are multiples of 1.5 times the step.
    pub step: f32,
    /// Steps of each plane and level relative to `step`, in 1/16 octave: for each plane first the coarsest band, then
    /// the levels from 1 on. Empty when every step is the same.
    pub relative_steps: Vec<i8>,
    /// Transform from three planes to three colours; absent when the planes are the channels.
    pub colour: Option<ColourMatrix>,
    /// Reconstruction points of magnitude 1 and of larger ones, as offsets in 1/128 of a step: for each plane at level
    /// 1, level 2, and all coarser levels.
    pub centroids: Vec<[[i8; 2]; 3]>,
    /// Weight of the restoration head for each plane in 1/255; empty without a head.
    pub gains: Vec<u8>,
    /// Strength of masking, 1..=16: the exponent, in sixteenths, with which steps grow where the levels above are busy; 0 for
    /// none.
    pub masking: u8,
    /// What the picture's own output layers of the head add to the built-in ones, in 1/64, -16..=15: for level 1, level 2,
    /// and all coarser levels, shape `[Latents::head_outputs(), HEAD_INPUTS]`, the bias last; empty where nothing.
    pub fitted: [Vec<i8>; 3],
    /// Strength of the noise in place of coefficients that are 0, in 1/64 of their step: for each plane, at level 1, then level
    /// 2, in quiet, then in busy parts; empty for none.
    pub grain: Vec<u8>,
    /// What the encoder estimated of how the source came about, for enlargements: variance of the blur in 1/256 squared
    /// pixels, deviation of that estimate in 1/512, deviation of the noise and step of a JPEG in 1/1024 of the range.
    pub degradation: Option<[u8; 4]>,
    /// The coded segments, coarsest first; see [`Partition::segment`]. An empty segment means zeros.
    pub segments: Vec<Vec<u8>>,
}

/// Input of an encoder for one band: coefficients in 1/256 of their step, row by row.
pub type Exact = Vec<i32>;

impl Latents {
    /// Size of one step in `plane` at `level`, in units of the value range; level 0 is the coarsest band.
    pub fn step(&self, plane: usize, level: u8) -> f32 {
        let at = plane * (usize::from(self.partition.levels) + 1) + usize::from(level);
        let relative = self.relative_steps.get(at).copied().unwrap_or(0);
        // The coarsest band has one quantiser; with 1.5 times the spacing it is as fine as the two others together.
        let spacing = if level == 0 { 1.5 } else { 1.0 };
        self.step * spacing * sixteenth_octaves(relative)
    }

    /// Decodes the coarsest band; returns the values of each plane, row by row.
    ///
    /// # Errors
    /// [`FormatError::Segment`] when the segment ends early.
    pub fn decode_low(&self) -> Result<Vec<Vec<i32>>, FormatError> {
        let (width, height) = self.partition.size(self.partition.levels);
        let mut planes = vec![vec![0; width * height]; usize::from(self.partition.planes)];
        let bytes = self.segment(0)?;
        if bytes.is_empty() {
            return Ok(planes);
        }
        let mut decoder = Decoder::new(bytes);
        code_low(&mut decoder, width, &mut planes);
        finished(&decoder, 0)?;
        Ok(planes)
    }

    /// Decodes the tile in column `x` and row `y` of `level`. `parent` is the tile that covers it at the coarser level,
    /// in column `x / 2` and row `y / 2`; `None` at the coarsest level.
    ///
    /// # Errors
    /// [`FormatError::Segment`] when the segment ends early or is missing.
    ///
    /// # Panics
    /// May panic when there is no such tile, or when `parent` is a different tile; no segment contents cause a panic.
    pub fn decode_tile(
        &self,
        level: u8,
        (x, y): (usize, usize),
        parent: Option<&Tile>,
    ) -> Result<Tile, FormatError> {
        let index = self.partition.segment(level, x, y);
        let tile = self.partition.empty_tile(level, x, y);
        let bytes = self.segment(index)?;
        if bytes.is_empty() {
            return Ok(tile);
        }
        let mut decoder = Decoder::new(bytes);
        let tile = self
            .partition
            .code_tile(&mut decoder, tile, (level, x, y), parent, None);
        finished(&decoder, index)?;
        Ok(tile)
    }

    fn segment(&self, index: usize) -> Result<&[u8], FormatError> {
        let missing = FormatError::Segment {
            index: index as u64,
        };
        self.segments.get(index).map(Vec::as_slice).ok_or(missing)
    }
}

impl Partition {
    /// Codes the coarsest band; returns the segment. `planes` holds the values of each plane row by row, and afterwards
    /// the values that a reader decodes, which differ where neighbours differ by 2^24 - 1 or more.
    pub fn encode_low(&self, planes: &mut [Vec<i32>]) -> Vec<u8> {
        let mut encoder = Encoder::new();
        code_low(&mut encoder, self.size(self.levels).0, planes);
        encoder.finish()
    }

    /// Chooses and codes the coefficients of a tile; returns the segment, and the tile as a reader decodes it.
    ///
    /// `exact` holds the coefficients of the tile in 1/256 of their step, for each plane and orientation. `lambda` is
    /// the price of a bit in squared steps for each plane; 0 rounds to the nearest value of the current quantiser,
    /// which is up to a step away. The segment of a tile of zeros is empty.
    ///
    /// # Panics
    /// When `exact` or `lambda` has fewer entries than the tile, and as for [`Latents::decode_tile`].
    pub fn encode_tile(
        &self,
        level: u8,
        (x, y): (usize, usize),
        parent: Option<&Tile>,
        exact: &[[Exact; 3]],
        lambda: &[f32],
    ) -> (Vec<u8>, Tile) {
        let tile = self.empty_tile(level, x, y);
        let mut encoder = Encoder::new();
        let wish = Some((exact, lambda));
        let tile = self.code_tile(&mut encoder, tile, (level, x, y), parent, wish);
        let empty = tile
            .planes
            .iter()
            .flatten()
            .all(|band| band.values.iter().all(|&v| v == 0));
        let bytes = if empty { Vec::new() } else { encoder.finish() };
        (bytes, tile)
    }

    fn code_tile<C: Coder>(
        &self,
        coder: &mut C,
        tile: Tile,
        (level, x, y): (u8, usize, usize),
        parent: Option<&Tile>,
        wish: Option<(&[[Exact; 3]], &[f32])>,
    ) -> Tile {
        let mut states = [false, true].map(|chroma| {
            let group = State::group(level, chroma);
            let used = !self.class(chroma).is_empty();
            if used {
                prior::state(group)
            } else {
                State::default()
            }
        });
        self.code_with(
            coder,
            tile,
            (x, y),
            parent,
            wish,
            &mut states,
            Tables::new(),
        )
    }

    /// Codes a tile with states owned by the caller.
    #[expect(
        clippy::too_many_arguments,
        reason = "the one place where all that a tile needs meets"
    )]
    fn code_with<C: Coder>(
        &self,
        coder: &mut C,
        tile: Tile,
        (x, y): (usize, usize),
        parent: Option<&Tile>,
        wish: Option<(&[[Exact; 3]], &[f32])>,
        states: &mut [State; 2],
        tables: Tables,
    ) -> Tile {
        let side = usize::from(self.tile);
        let parent = parent.map(|tile| Parent {
            tile,
            x: x % 2 * (side / 2),
            y: y % 2 * (side / 2),
        });
        let mut job = TileCoder {
            coder,
            tile,
            parent,
            tables,
        };
        for (chroma, state) in [false, true].into_iter().zip(states) {
            for plane in self.class(chroma) {
                for orientation in 0..3 {
                    let wish = wish.map(|(exact, lambda)| Wish {
                        exact: &exact[plane][orientation],
                        lambda: (lambda[plane] * 256.0) as u32,
                    });
                    job.band(state, plane, orientation, wish);
                }
            }
        }
        job.tile
    }

    /// Returns the planes that share contexts: the first colour plane and alpha, or the other colour planes.
    fn class(&self, chroma: bool) -> Vec<usize> {
        let planes = usize::from(self.planes);
        let colours = if planes >= 3 { 3 } else { 1 };
        let is_chroma = |plane: &usize| (1..colours).contains(plane);
        (0..planes)
            .filter(|plane| is_chroma(plane) == chroma)
            .collect()
    }
}

fn code_low<C: Coder>(coder: &mut C, width: usize, planes: &mut [Vec<i32>]) {
    code_low_with(coder, width, planes, &mut prior::low_slots(), Tables::new());
}

/// Codes the coarsest band with slots owned by the caller.
fn code_low_with<C: Coder>(
    coder: &mut C,
    width: usize,
    planes: &mut [Vec<i32>],
    slots: &mut [mix::Slot],
    tables: Tables,
) {
    let half = slots.len() / 2;
    for (plane, values) in planes.iter_mut().enumerate() {
        let slots = if plane == 0 {
            &mut slots[..half]
        } else {
            &mut slots[half..]
        };
        low::code(coder, tables, slots, width, values);
    }
}

fn finished(decoder: &Decoder<'_>, index: usize) -> Result<(), FormatError> {
    match decoder.exhausted() {
        true => Err(FormatError::Segment {
            index: index as u64,
        }),
        false => Ok(()),
    }
}

/// 2^(n / 16), the same on every machine.
pub fn sixteenth_octaves(n: i8) -> f32 {
    const ROOTS: [f32; 16] = [
        1.0,
        1.044_273_8,
        1.090_507_7,
        1.138_788_6,
        1.189_207_1,
        1.241_857_8,
        1.296_839_6,
        1.354_255_5,
        std::f32::consts::SQRT_2,
        1.476_826_1,
        1.542_210_8,
        1.610_490_3,
        1.681_792_9,
        1.756_252_2,
        1.834_008_1,
        1.915_206_6,
    ];
    let octave = n.div_euclid(16);
    let scale = f32::from(1_u16 << octave.unsigned_abs());
    let root = ROOTS[n.rem_euclid(16) as usize];
    if octave < 0 {
        root / scale
    } else {
        root * scale
    }
}
