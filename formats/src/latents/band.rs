//! Quantised coefficients in memory: bands, and the tile that holds them.

/// Width of the border of zeros around a band's magnitudes; it makes bounds checks of neighbours unnecessary.
pub(super) const BORDER: usize = 2;
/// Side of the blocks that a flag can mark as empty.
pub(super) const BLOCK: usize = 8;

/// Magnitude decisions with contexts of their own: "not 0", "above 1", ...; the last is shared by all larger values.
pub(super) const BINS: usize = 8;

/// Quantised coefficients of one orientation of one plane of a tile, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Band {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width` times `height` values.
    pub values: Vec<i32>,
    /// Magnitudes up to 255 and signs, with a border of zeros and the tile's row stride.
    pub(super) magnitudes: Vec<u8>,
    pub(super) signs: Vec<i8>,
}

/// The decoded coefficients of one tile of one level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tile {
    /// The three orientations of each plane: high in x, high in y, high in both.
    pub planes: Vec<[Band; 3]>,
    pub(super) stride: usize,
}

impl Tile {
    /// Approximate memory use of the tile in bytes.
    pub fn bytes(&self) -> usize {
        let band = |band: &Band| band.values.len() * 4 + band.magnitudes.len() + band.signs.len();
        self.planes.iter().flatten().map(band).sum()
    }

    /// The tile with nothing but what the tiles of the next finer level need of it: a sixth of the memory.
    #[must_use]
    pub fn into_parent(mut self) -> Self {
        for band in self.planes.iter_mut().flatten() {
            band.values = Vec::new();
        }
        self
    }

    /// Drops what only the tile's own coding needed, a sixth of the memory; a third if it will not be a `parent` either.
    pub fn drop_surroundings(&mut self, parent: bool) {
        for band in self.planes.iter_mut().flatten() {
            if !parent {
                band.signs = Vec::new();
                band.magnitudes = Vec::new();
            }
        }
    }

    /// Creates an empty tile for bands of these sizes, each at most `low` columns and rows.
    pub(super) fn new(planes: usize, sizes: [(usize, usize); 3], low: (usize, usize)) -> Self {
        let stride = low.0 + 2 * BORDER;
        let padded = stride * (low.1 + 2 * BORDER);
        let band = |(width, height)| Band {
            width,
            height,
            values: vec![0; width * height],
            magnitudes: vec![0; padded],
            signs: vec![0; padded],
        };
        Self {
            // Allocate fresh zeros for each plane: most systems commit no memory to them until the first write.
            planes: (0..planes).map(|_| sizes.map(band)).collect(),
            stride,
        }
    }
}
