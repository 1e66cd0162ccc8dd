//! Latent grids for the tests: coefficients by formula, coded and decoded as a whole; and payloads of `GRID` made by hand.

use inr_formats::latents::{Exact, Partition, Tile};
use inr_formats::*;

use super::{Head, HeadModel};

/// A fixed sequence of numbers.
pub struct Sequence(pub u64);

impl Sequence {
    /// The next number of 32 bits.
    pub fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// A coefficient as pictures have them: mostly 0, sometimes in the hundreds.
    pub fn coefficient(&mut self) -> i32 {
        let bits = self.next();
        let magnitude = match bits % 64 {
            0 => bits >> 8 & 1023,
            1..8 => bits >> 8 & 7,
            8..20 => 1,
            _ => 0,
        };
        if bits >> 31 == 0 {
            magnitude as i32
        } else {
            -(magnitude as i32)
        }
    }
}

/// Where a coefficient lies in a picture.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// 0 is the coarsest band, which has orientation 0 only.
    pub level: u8,
    pub plane: usize,
    pub orientation: usize,
    pub x: usize,
    pub y: usize,
}

/// Latents, and what a decoder must find in them.
pub struct Coded {
    pub latents: Latents,
    pub low: Vec<Vec<i32>>,
    pub tiles: Vec<Tile>,
}

pub fn partition(size: (u32, u32), planes: u8, levels: u8, tile: u16) -> Partition {
    Partition {
        width: size.0,
        height: size.1,
        planes,
        levels,
        tile,
    }
}

/// Every tile in the order of the segments: level, column, row.
pub fn tiles(partition: &Partition) -> Vec<(u8, usize, usize)> {
    let mut all = Vec::new();
    for level in (1..=partition.levels).rev() {
        let (columns, rows) = partition.tiles(level);
        all.extend((0..rows).flat_map(|y| (0..columns).map(move |x| (level, x, y))));
    }
    all
}

/// The tile above the one at `(level, x, y)`, among `found`, which are in the order of the segments.
fn parent<'a>(
    partition: &Partition,
    found: &'a [Tile],
    (level, x, y): (u8, usize, usize),
) -> Option<&'a Tile> {
    (level < partition.levels).then(|| &found[partition.segment(level + 1, x / 2, y / 2) - 1])
}

/// Codes the coefficients that `source` gives, in whole steps; a decoder finds these or those next to them.
pub fn code(partition: Partition, mut source: impl FnMut(Place) -> i32) -> Coded {
    let planes = usize::from(partition.planes);
    let (width, height) = partition.size(partition.levels);
    let mut low = Vec::new();
    for plane in 0..planes {
        let place = |index| Place {
            level: 0,
            plane,
            orientation: 0,
            x: index % width,
            y: index / width,
        };
        low.push((0..width * height).map(|i| source(place(i))).collect());
    }
    let mut segments = vec![partition.encode_low(&mut low)];
    let mut found = Vec::new();
    for (level, x, y) in tiles(&partition) {
        let exact = exact(&partition, (level, x, y), &mut source);
        let above = parent(&partition, &found, (level, x, y));
        let lambda = vec![0.0; planes];
        let (segment, tile) = partition.encode_tile(level, (x, y), above, &exact, &lambda);
        segments.push(segment);
        found.push(tile);
    }
    let latents = Latents {
        partition,
        step: 0.125,
        relative_steps: Vec::new(),
        colour: None,
        centroids: vec![[[0; 2]; 3]; planes],
        gains: Vec::new(),
        masking: 0,
        fitted: Default::default(),
        grain: Vec::new(),
        degradation: None,
        segments,
    };
    Coded {
        latents,
        low,
        tiles: found,
    }
}

/// The coefficients of a tile in 1/256 of their step.
pub fn exact(
    partition: &Partition,
    (level, x, y): (u8, usize, usize),
    source: &mut impl FnMut(Place) -> i32,
) -> Vec<[Exact; 3]> {
    let side = usize::from(partition.tile);
    let mut band = |plane, orientation| {
        let (width, height) = partition.band(level, orientation);
        let cut = |index: usize, length: usize| index * side..((index + 1) * side).min(length);
        let mut values = Vec::new();
        for row in cut(y, height) {
            for column in cut(x, width) {
                let place = Place {
                    level,
                    plane,
                    orientation,
                    x: column,
                    y: row,
                };
                values.push(source(place) * 256);
            }
        }
        values
    };
    (0..usize::from(partition.planes))
        .map(|plane| [0, 1, 2].map(|orientation| band(plane, orientation)))
        .collect()
}

/// The coarsest band and every tile, coarse to fine.
pub fn decode(latents: &Latents) -> Result<(Vec<Vec<i32>>, Vec<Tile>), FormatError> {
    let low = latents.decode_low()?;
    let mut found = Vec::new();
    for (level, x, y) in tiles(&latents.partition) {
        let above = parent(&latents.partition, &found, (level, x, y));
        found.push(latents.decode_tile(level, (x, y), above)?);
    }
    Ok((low, found))
}

/// CRC-32 of the coefficients as `i32` LE: the coarsest band plane by plane, then each tile's bands.
pub fn checksum(low: &[Vec<i32>], tiles: &[Tile]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let bands = tiles.iter().flat_map(|tile| tile.planes.iter().flatten());
    for value in low.iter().chain(bands.map(|band| &band.values)).flatten() {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finalize()
}

/// A file of `latents` without metadata.
pub fn pyramid(latents: Latents) -> InrFile {
    let layouts = [Layout::Grey, Layout::GreyAlpha, Layout::Rgb, Layout::Rgba];
    let header = Header {
        width: latents.partition.width,
        height: latents.partition.height,
        layout: layouts[usize::from(latents.partition.planes) - 1],
        depth: Depth::U8,
        value_range: [0.0, 1.0],
        sampling: Sampling::Point,
        cicp: None,
        model: Model::Pyramid,
    };
    let mut file = InrFile::new(header, Vec::new());
    file.latents = Some(latents);
    file
}

/// A small file of several tiles with every optional part of `GRID`, and chunks before and after it.
pub fn small_pyramid() -> InrFile {
    let mut sequence = Sequence(1);
    let coded = code(partition((70, 37), 4, 3, 16), |_| sequence.coefficient());
    let mut latents = coded.latents;
    latents.relative_steps = (0..16).map(|i| (i * 17 - 128) as i8).collect();
    latents.colour = Some([[9459, 9459, 9459], [-16384, 0, 16384], [i16::MIN, 7, 0]]);
    latents.centroids = vec![[[-8, 3], [0, -128], [127, 1]]; 4];
    latents.gains = vec![0, 1, 128, 255];
    latents.masking = 16;
    latents.fitted[0] = (0..12 * 33).map(|i| (i * 7 % 32) as i8 - 16).collect();
    latents.fitted[2] = vec![0; 12 * 33];
    latents.grain = (0..16).map(|i| i * 17).collect();
    latents.degradation = Some([21, 14, 5, 0]);
    let mut file = pyramid(latents);
    file.preview = Some(vec![0xff, 0xd8, 0xff]);
    file.exif = Some(b"II*\0".to_vec());
    file
}

/// `GRID` by hand, part by part, in the order of the document.
#[derive(Clone)]
pub struct GridParts {
    pub prior: u8,
    pub levels: u8,
    pub flags: u8,
    pub tile: u16,
    pub step: f32,
    /// Colour, relative steps, centroids, gains, masking, fitted, as they are.
    pub optional: Vec<u8>,
    /// Lengths of the segments, coded.
    pub lengths: Vec<u8>,
    pub segments: Vec<u8>,
}

impl GridParts {
    pub fn payload(&self) -> Vec<u8> {
        let mut out = vec![self.prior, self.levels, self.flags];
        out.extend(self.tile.to_le_bytes());
        out.extend(self.step.to_le_bytes());
        out.extend(&self.optional);
        out.extend(&self.lengths);
        out.extend(&self.segments);
        out
    }
}

/// For [`pyramid_head`]: one level of one tile, whose coefficients are 0, and a coarsest band of five bytes.
pub fn grid_parts() -> GridParts {
    GridParts {
        prior: 1,
        levels: 1,
        flags: 0,
        tile: 16,
        step: 0.125,
        optional: vec![0; 6],
        lengths: vec![5, 0],
        segments: vec![0x40, 1, 2, 3, 4],
    }
}

/// `HEAD` of a pyramid of 4 x 3 grey pixels.
pub fn pyramid_head() -> Head {
    Head {
        model: HeadModel {
            kind: "pyramid",
            ..super::head().model
        },
        ..super::head()
    }
}

/// `HEAD`, `GRID`, `IEND`.
pub fn pyramid_with(head: &Head, grid: &[u8]) -> Vec<u8> {
    super::container(&[
        super::chunk(b"HEAD", &super::pack(head)),
        super::chunk(b"GRID", grid),
        super::chunk(b"IEND", &[]),
    ])
}
