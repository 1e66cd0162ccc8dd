//! Tiles of quantised coefficients, decoded when they are needed and kept while there is room.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use inr_formats::Latents;
use inr_formats::latents::{Band, Tile};
use lru::LruCache;

use super::wavelet::{Grid, Window};
use crate::error::Error;
use inr_kernel::Job;

/// Memory that decoded tiles may take, in bytes, where nothing else is said.
const CACHE_BYTES: usize = 96 << 20;

/// Level, column and row of a tile.
pub(crate) type Place = (u8, usize, usize);

struct Kept {
    tiles: LruCache<Place, Arc<Tile>>,
    bytes: usize,
}

/// The decoded tiles of a picture.
pub(crate) struct Tiles {
    kept: Mutex<Kept>,
    room: usize,
}

impl Default for Tiles {
    fn default() -> Self {
        Self::new(CACHE_BYTES)
    }
}

impl Tiles {
    /// Keeps tiles of up to `room` bytes.
    pub(crate) fn new(room: usize) -> Self {
        let tiles = LruCache::unbounded();
        Self {
            kept: Mutex::new(Kept { tiles, bytes: 0 }),
            room,
        }
    }

    /// Memory that the tiles may take, in bytes.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, place: Place) -> Option<Arc<Tile>> {
        self.kept().tiles.get(&place).cloned()
    }

    fn keep(&self, place: Place, tile: Arc<Tile>) {
        let mut kept = self.kept();
        kept.bytes += tile.bytes();
        if let Some(old) = kept.tiles.put(place, tile) {
            kept.bytes -= old.bytes();
        }
        while kept.bytes > self.room
            && let Some((_, oldest)) = kept.tiles.pop_lru()
        {
            kept.bytes -= oldest.bytes();
        }
    }

    /// The tile at `place`, decoded with those above it as far as they are not at hand.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment.
    pub(crate) fn get(&self, latents: &Latents, place: Place) -> Result<Arc<Tile>, Error> {
        if let Some(tile) = self.find(place) {
            return Ok(tile);
        }
        let (level, x, y) = place;
        let parent = if level < latents.partition.levels {
            Some(self.get(latents, (level + 1, x / 2, y / 2))?)
        } else {
            None
        };
        let mut tile = latents.decode_tile(level, (x, y), parent.as_deref())?;
        tile.drop_surroundings(level > 1);
        let tile = Arc::new(tile);
        self.keep(place, tile.clone());
        Ok(tile)
    }

    /// Decodes what `windows` (of each level's coarser grid, level 1 first) need, several tiles at a time.
    ///
    /// # Errors
    /// As [`Tiles::get`].
    pub(crate) fn prepare(
        &self,
        latents: &Latents,
        windows: &[Window],
        threads: usize,
        job: &mut Job,
    ) -> Result<(), Error> {
        for (index, window) in windows.iter().enumerate().rev() {
            let level = index as u8 + 1;
            let (columns, rows) = touched(latents, window);
            let places: Vec<Place> = rows
                .flat_map(|y| columns.clone().map(move |x| (level, x, y)))
                .filter(|place| self.find(*place).is_none())
                .collect();
            job.each(threads, places.len(), |index, job| {
                job.advance(0)?;
                self.get(latents, places[index]).map(drop)
            })?;
        }
        Ok(())
    }
}

/// Columns and rows of the tiles that cover `window` of a coarser grid.
fn touched(latents: &Latents, window: &Window) -> (Range<usize>, Range<usize>) {
    let side = usize::from(latents.partition.tile);
    let part = |range: Range<usize>| range.start / side..range.end.div_ceil(side);
    (part(window.columns()), part(window.rows()))
}

/// The coefficients of one orientation of one plane on `window`, dequantised.
///
/// # Errors
/// As [`Tiles::get`].
pub(crate) fn band_window(
    tiles: &Tiles,
    latents: &Latents,
    (level, plane, orientation): (u8, usize, usize),
    window: Window,
) -> Result<Grid, Error> {
    let mut grid = Grid::zeros(window);
    let side = usize::from(latents.partition.tile);
    let values = Dequantiser::new(latents, plane, level);
    let (columns, rows) = touched(latents, &window);
    for tile_y in rows {
        for tile_x in columns.clone() {
            let tile = tiles.get(latents, (level, tile_x, tile_y))?;
            let band = &tile.planes[plane][orientation];
            let (left, top) = (tile_x * side, tile_y * side);
            let from = window.x.max(left);
            let to = (window.x + window.width).min(left + band.width);
            if from >= to {
                continue;
            }
            for y in window.y.max(top)..(window.y + window.height).min(top + band.height) {
                let source = &band.values[(y - top) * band.width..][from - left..to - left];
                let start = (y - window.y) * window.width + from - window.x;
                for (out, q) in grid.values[start..].iter_mut().zip(source) {
                    *out = values.value(*q);
                }
            }
        }
    }
    Ok(grid)
}

/// The sums of the three orientations' magnitudes of the first plane on `window` of a level's coarser grid.
///
/// # Errors
/// As [`Tiles::get`].
pub(crate) fn magnitudes(
    tiles: &Tiles,
    latents: &Latents,
    level: u8,
    window: Window,
) -> Result<Grid, Error> {
    let mut grid = Grid::zeros(window);
    let side = usize::from(latents.partition.tile);
    let (columns, rows) = touched(latents, &window);
    for tile_y in rows {
        for tile_x in columns.clone() {
            let tile = tiles.get(latents, (level, tile_x, tile_y))?;
            add_magnitudes(&tile.planes[0], (tile_x * side, tile_y * side), &mut grid);
        }
    }
    Ok(grid)
}

/// Adds the magnitudes of a tile's bands, whose first sample is at `corner`, to `grid`.
pub(crate) fn add_magnitudes(bands: &[Band; 3], corner: (usize, usize), grid: &mut Grid) {
    let window = grid.window;
    for band in bands {
        let columns = window.x.max(corner.0)..(window.x + window.width).min(corner.0 + band.width);
        let rows = window.y.max(corner.1)..(window.y + window.height).min(corner.1 + band.height);
        if columns.is_empty() {
            continue;
        }
        for y in rows {
            let source = &band.values[(y - corner.1) * band.width..]
                [columns.start - corner.0..columns.end - corner.0];
            let start = (y - window.y) * window.width + columns.start - window.x;
            for (out, q) in grid.values[start..].iter_mut().zip(source) {
                *out += q.unsigned_abs() as f32;
            }
        }
    }
}

/// Quantised values to coefficients.
#[derive(Clone, Copy)]
pub(crate) struct Dequantiser {
    step: f32,
    centroids: [f32; 2],
}

impl Dequantiser {
    pub(crate) fn new(latents: &Latents, plane: usize, level: u8) -> Self {
        let class = usize::from(level.clamp(1, 3) - 1);
        Self {
            step: latents.step(plane, level),
            centroids: latents.centroids[plane][class].map(|c| f32::from(c) / 128.0),
        }
    }

    #[inline]
    fn value(self, q: i32) -> f32 {
        if q == 0 {
            return 0.0;
        }
        let magnitude = q.unsigned_abs();
        let centroid = self.centroids[usize::from(magnitude > 1)];
        let value = (magnitude as f32 + centroid) * self.step;
        if q < 0 { -value } else { value }
    }
}
