//! Where alpha is exactly 0 or exactly 1: chunk `opac`.

use crate::entropy::coder::{Coder, Decoder, Encoder, PROBABILITY_BITS};
use crate::error::FormatError;

/// Side of a tile in pixels.
const TILE: usize = 256;
/// A decision's probability moves towards its outcome by a part of 2^RATE.
const RATE: u32 = 4;
/// Neighbours that a pixel's probabilities depend on, each of three classes.
const CONTEXTS: usize = 3_usize.pow(6);

/// How opaque a pixel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Opacity {
    /// Alpha is between 0 and 1.
    #[default]
    Between = 0,
    /// Alpha is 0.
    Transparent = 1,
    /// Alpha is 1.
    Opaque = 2,
}

/// The opacity of each pixel of a picture, in tiles that are decoded alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpacityMap {
    size: [usize; 2],
    tiles: Vec<Tile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tile {
    Uniform(Opacity),
    Coded(Vec<u8>),
}

/// Class of a number below 3.
fn class(number: u8) -> Opacity {
    match number {
        1 => Opacity::Transparent,
        2 => Opacity::Opaque,
        _ => Opacity::Between,
    }
}

/// Adaptive probabilities of the two decisions of a pixel: whether it is between, and if not, whether it is opaque.
struct Classes([[u16; 2]; CONTEXTS]);

impl Classes {
    fn new() -> Self {
        Self([[1 << (PROBABILITY_BITS - 1); 2]; CONTEXTS])
    }

    fn bit(&mut self, coder: &mut impl Coder, context: usize, which: usize, bit: bool) -> bool {
        let p = &mut self.0[context][which];
        let bit = coder.bit(u32::from(*p), bit);
        match bit {
            true => *p += (u16::MAX - *p) >> RATE,
            false => *p -= *p >> RATE,
        }
        bit
    }

    fn code(&mut self, coder: &mut impl Coder, context: usize, class: Opacity) -> Opacity {
        if self.bit(coder, context, 0, class == Opacity::Between) {
            return Opacity::Between;
        }
        match self.bit(coder, context, 1, class == Opacity::Opaque) {
            true => Opacity::Opaque,
            false => Opacity::Transparent,
        }
    }
}

/// Codes all `classes` of a tile of `width` pixels, row by row. A reader fills them in.
fn code(coder: &mut impl Coder, classes: &mut [Opacity], width: usize) {
    let mut model = Classes::new();
    for at in 0..classes.len() {
        let (x, y) = (at % width, at / width);
        let near = |left: usize, right: usize, up: usize| {
            let inside = x >= left && x + right < width && y >= up;
            let number = inside.then(|| classes[at + right - left - up * width] as usize);
            number.unwrap_or_default()
        };
        let neighbours = [
            near(1, 0, 0),
            near(0, 0, 1),
            near(1, 0, 1),
            near(0, 1, 1),
            near(2, 0, 0),
            near(0, 0, 2),
        ];
        let context = neighbours.iter().fold(0, |sum, number| 3 * sum + number);
        classes[at] = model.code(coder, context, classes[at]);
    }
}

impl OpacityMap {
    /// The map of a picture of `width` and `height`, both at least 1; `opacity` gives that of the pixel in a column and row.
    pub fn new(width: u32, height: u32, opacity: impl Fn(usize, usize) -> Opacity) -> Self {
        let size = [width as usize, height as usize];
        let tiles = (0..count(size)).map(|index| {
            let ([left, top], [width, height]) = extent(size, index);
            let pixels = (0..width * height).map(|at| opacity(left + at % width, top + at / width));
            let mut classes: Vec<Opacity> = pixels.collect();
            if classes.iter().all(|class| *class == classes[0]) {
                return Tile::Uniform(classes[0]);
            }
            let mut encoder = Encoder::new();
            code(&mut encoder, &mut classes, width);
            Tile::Coded(encoder.finish())
        });
        let tiles = tiles.collect();
        Self { size, tiles }
    }

    /// Width and height of the picture in pixels.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Columns and rows of tiles.
    pub fn tiles(&self) -> [usize; 2] {
        self.size.map(|side| side.div_ceil(TILE))
    }

    /// Side of a tile in pixels; those at the right and at the bottom may be smaller.
    pub fn tile_side(&self) -> usize {
        TILE
    }

    /// The opacity of the pixels of tile number `index`, counted row by row, and its width.
    ///
    /// # Errors
    /// [`FormatError::Field`] when the tile is cut short.
    ///
    /// # Panics
    /// When there is no such tile.
    pub fn decode(&self, index: usize) -> Result<(Vec<Opacity>, usize), FormatError> {
        let (_, [width, height]) = extent(self.size, index);
        let mut classes = vec![Opacity::default(); width * height];
        match &self.tiles[index] {
            Tile::Uniform(class) => classes.fill(*class),
            Tile::Coded(bytes) => {
                let mut decoder = Decoder::new(bytes);
                code(&mut decoder, &mut classes, width);
                if decoder.exhausted() {
                    return Err(malformed("a tile that is cut short"));
                }
            }
        }
        Ok((classes, width))
    }

    /// The opacity of all pixels of tile number `index` where they have the same.
    pub fn uniform(&self, index: usize) -> Option<Opacity> {
        match self.tiles.get(index)? {
            Tile::Uniform(class) => Some(*class),
            Tile::Coded(_) => None,
        }
    }

    /// Bytes that the map takes in a file, but for the frame of its chunk.
    pub fn bytes(&self) -> u64 {
        let tile = |tile: &Tile| match tile {
            Tile::Uniform(_) => 1,
            Tile::Coded(bytes) => bytes.len() as u64 + 2,
        };
        self.tiles.iter().map(tile).sum()
    }

    /// The payload.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for tile in &self.tiles {
            match tile {
                Tile::Uniform(class) => out.push(*class as u8),
                Tile::Coded(bytes) => {
                    let mut length = bytes.len() as u64 + 3;
                    while length > 127 {
                        out.push(length as u8 | 128);
                        length >>= 7;
                    }
                    out.push(length as u8);
                    out.extend_from_slice(bytes);
                }
            }
        }
        out
    }

    /// The map in a payload for a picture of `width` and `height`.
    pub(crate) fn read(mut payload: &[u8], width: u32, height: u32) -> Result<Self, FormatError> {
        let size = [width as usize, height as usize];
        let count = count(size);
        if count > payload.len() {
            return Err(malformed("fewer bytes than tiles"));
        }
        let mut tiles = Vec::with_capacity(count);
        for _ in 0..count {
            let mut length = 0_u64;
            for shift in [0, 7, 14, 21, 28] {
                let byte;
                (byte, payload) = payload
                    .split_first()
                    .map_or((0, payload), |(byte, rest)| (*byte, rest));
                length |= u64::from(byte & 127) << shift;
                if byte < 128 {
                    break;
                }
            }
            if length < 3 {
                tiles.push(Tile::Uniform(class(length as u8)));
                continue;
            }
            let length = usize::try_from(length - 3).unwrap_or(usize::MAX);
            let Some((bytes, rest)) = payload.split_at_checked(length) else {
                return Err(malformed("a tile that is cut short"));
            };
            tiles.push(Tile::Coded(bytes.to_vec()));
            payload = rest;
        }
        match payload.is_empty() {
            true => Ok(Self { size, tiles }),
            false => Err(malformed("bytes after its last tile")),
        }
    }

    /// Whether the map is one of a picture of this size.
    pub(crate) fn fits(&self, width: u32, height: u32) -> bool {
        self.size == [width as usize, height as usize]
    }
}

fn count(size: [usize; 2]) -> usize {
    size[0].div_ceil(TILE) * size[1].div_ceil(TILE)
}

/// The left top corner, and width and height of tile number `index`.
fn extent([width, height]: [usize; 2], index: usize) -> ([usize; 2], [usize; 2]) {
    let columns = width.div_ceil(TILE);
    let (left, top) = (index % columns * TILE, index / columns * TILE);
    (
        [left, top],
        [TILE.min(width - left), TILE.min(height - top)],
    )
}

pub(crate) fn malformed(found: &str) -> FormatError {
    FormatError::Field {
        field: "the opacity map",
        found: found.into(),
        wanted: "one tile for each 256 x 256 pixels of a picture with alpha",
    }
}
