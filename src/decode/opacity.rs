//! Pixels whose alpha the file says to be exactly 0 or 1.

use std::ops::Range;
use std::sync::OnceLock;

use inr_formats::{FormatError, Opacity, OpacityMap};

use crate::error::Error;
use crate::field::network::Viewport;

/// Classes of a tile and its width.
type Tile = (Vec<Opacity>, usize);

/// The tiles of a map that have been decoded.
#[derive(Clone, Debug, Default)]
pub(super) struct OpacityTiles(Vec<OnceLock<Result<Tile, String>>>);

impl OpacityTiles {
    pub(super) fn of(map: Option<&OpacityMap>) -> Self {
        let [columns, rows] = map.map_or([0; 2], OpacityMap::tiles);
        Self((0..columns * rows).map(|_| OnceLock::new()).collect())
    }

    /// The one opacity of all pixels in `columns` and `rows`, [`Opacity::Between`] where they differ.
    fn common(
        &self,
        map: &OpacityMap,
        columns: &Range<usize>,
        rows: &Range<usize>,
    ) -> Result<Opacity, Error> {
        let mut common = None;
        for y in rows.clone() {
            for x in columns.clone() {
                let class = self.class(map, x, y)?;
                if class == Opacity::Between || common.is_some_and(|common| common != class) {
                    return Ok(Opacity::Between);
                }
                common = Some(class);
            }
        }
        Ok(common.unwrap_or_default())
    }

    fn class(&self, map: &OpacityMap, x: usize, y: usize) -> Result<Opacity, Error> {
        let side = map.tile_side();
        let index = y / side * map.tiles()[0] + x / side;
        if let Some(class) = map.uniform(index) {
            return Ok(class);
        }
        let decode = || map.decode(index).map_err(|error| error.to_string());
        match self.0[index].get_or_init(decode) {
            Ok((classes, width)) => Ok(classes[y % side * width + x % side]),
            Err(found) => Err(Error::Format(FormatError::Field {
                field: "the opacity map",
                found: found.clone(),
                wanted: "tiles that are whole",
            })),
        }
    }

    /// Sets alpha, the last of `channels`, in `rows` of `viewport` from number `first` on to `ends`, what stands for 0
    /// and 1, where all pixels that a sample lies between or covers are that transparent or opaque.
    pub(super) fn apply<T: Copy>(
        &self,
        map: &OpacityMap,
        viewport: &Viewport,
        first: usize,
        rows: &mut [&mut [T]],
        channels: usize,
        ends: [T; 2],
    ) -> Result<(), Error> {
        let [width, height] = map.size();
        let pitch = viewport.pitch();
        let covered = |axis: usize, index: usize, size: usize| {
            let at = viewport.region[axis] + (index as f64 + 0.5) * pitch[axis];
            let half = pitch[axis].max(1.0) / 2.0;
            // Rounding must not reach for a neighbour.
            let (low, high) = (at - half + 1e-6, at + half - 1e-6);
            let low = (low.floor().max(0.0) as usize).min(size - 1);
            low..(high.ceil().max(1.0) as usize).clamp(low + 1, size)
        };
        let across = viewport.size[0] as usize;
        let columns: Vec<Range<usize>> = (0..across).map(|x| covered(0, x, width)).collect();
        for (y, row) in rows.iter_mut().enumerate() {
            let vertical = covered(1, first + y, height);
            for (pixel, columns) in row.chunks_exact_mut(channels).zip(&columns) {
                let Some(alpha) = pixel.last_mut() else {
                    continue;
                };
                match self.common(map, columns, &vertical)? {
                    Opacity::Between => {}
                    Opacity::Transparent => *alpha = ends[0],
                    Opacity::Opaque => *alpha = ends[1],
                }
            }
        }
        Ok(())
    }
}
