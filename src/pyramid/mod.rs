//! The pyramid field: latent wavelet grids, and the twice differentiable spline through what they give.

#[cfg(feature = "fit")]
pub(crate) mod encode;
mod render;
mod spline;
mod tiles;
mod wavelet;

use std::sync::{Arc, OnceLock};

use inr_formats::{FormatError, Latents};

use crate::Error;
use tiles::{Tiles, band_window};
use wavelet::{Grid, Window, halves, synthesise};

/// A picture as latent grids, decoded as far as it is looked at.
#[derive(Clone)]
pub(crate) struct Pyramid {
    latents: Arc<Latents>,
    /// `colour[channel][plane]`; planes beyond it are channels as they are.
    colour: Option<[[f32; 3]; 3]>,
    tiles: Arc<Tiles>,
    low: Arc<OnceLock<Result<Vec<Grid>, FormatError>>>,
}

impl std::fmt::Debug for Pyramid {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Pyramid")
            .field("partition", &self.latents.partition)
            .finish_non_exhaustive()
    }
}

impl Pyramid {
    pub(crate) fn new(latents: Latents) -> Self {
        let matrix = |entry: i16| f32::from(entry) / 16_384.0;
        Self {
            colour: latents.colour.map(|rows| rows.map(|row| row.map(matrix))),
            latents: Arc::new(latents),
            tiles: Arc::default(),
            low: Arc::default(),
        }
    }

    fn planes(&self) -> usize {
        usize::from(self.latents.partition.planes)
    }

    /// The coarsest grids.
    fn low(&self) -> Result<&[Grid], Error> {
        let decoded = self.low.get_or_init(|| {
            let partition = &self.latents.partition;
            let (width, height) = partition.size(partition.levels);
            let planes = self.latents.decode_low()?;
            let grid = |(plane, values): (usize, Vec<i32>)| Grid {
                window: Window::new(0..width, 0..height),
                values: {
                    let step = self.latents.step(plane, 0);
                    values.into_iter().map(|q| q as f32 * step).collect()
                },
            };
            Ok(planes.into_iter().enumerate().map(grid).collect())
        });
        decoded.as_deref().map_err(|error| error.clone().into())
    }

    /// The windows of every coarser grid that `window` of the grid halved `level` times depends on, finest first.
    fn windows(&self, level: u8, window: Window) -> Vec<Window> {
        let partition = &self.latents.partition;
        let mut windows = Vec::new();
        let mut current = window;
        for level in level..partition.levels {
            let (width, height) = partition.size(level);
            let columns = halves(&current.columns(), width).0;
            let rows = halves(&current.rows(), height).0;
            current = Window::new(columns, rows);
            windows.push(current);
        }
        windows
    }

    /// Decodes the tiles that `window` of the grid halved `level` times depends on.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment.
    fn prepare(&self, level: u8, window: Window, threads: usize) -> Result<(), Error> {
        self.low()?;
        let mut windows = vec![Window::new(0..0, 0..0); usize::from(level)];
        windows.extend(self.windows(level, window));
        self.tiles.prepare(&self.latents, &windows, threads)
    }

    /// Channels 0.0..=1.0 of `window` of the picture halved `level` times.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment.
    fn samples(&self, level: u8, window: Window) -> Result<Vec<Grid>, Error> {
        let mut planes = (0..self.planes())
            .map(|plane| self.plane(plane, level, window))
            .collect::<Result<Vec<_>, _>>()?;
        // The coarser grids' constant grows by 2 with each halving.
        let scale = 1.0 / (1_u64 << level) as f32;
        if let Some(matrix) = &self.colour {
            let [first, second, third, ..] = &mut planes[..] else {
                return Ok(planes);
            };
            let triples = first
                .values
                .iter_mut()
                .zip(&mut second.values)
                .zip(&mut third.values);
            for ((a, b), c) in triples {
                let mixed = matrix.map(|[x, y, z]| *a * x + *b * y + *c * z);
                [*a, *b, *c] = mixed;
            }
        }
        for value in planes.iter_mut().flat_map(|plane| &mut plane.values) {
            *value = *value * scale + 0.5;
        }
        Ok(planes)
    }

    fn plane(&self, plane: usize, level: u8, window: Window) -> Result<Grid, Error> {
        let partition = &self.latents.partition;
        let mut windows = vec![window];
        windows.extend(self.windows(level, window));
        let mut low = cut(&self.low()?[plane], windows[windows.len() - 1]);
        for (index, wanted) in windows[..windows.len() - 1].iter().enumerate().rev() {
            let size = partition.size(level + index as u8);
            let columns = halves(&wanted.columns(), size.0);
            let rows = halves(&wanted.rows(), size.1);
            let band =
                |orientation, columns: &std::ops::Range<usize>, rows: &std::ops::Range<usize>| {
                    let place = (level + index as u8 + 1, plane, orientation);
                    let window = Window::new(columns.clone(), rows.clone());
                    band_window(&self.tiles, &self.latents, place, window)
                };
            let mut hl = band(0, &columns.1, &rows.0)?;
            let mut lh = band(1, &columns.0, &rows.1)?;
            let mut hh = band(2, &columns.1, &rows.1)?;
            low = synthesise(*wanted, size, [&mut low, &mut hl, &mut lh, &mut hh]);
        }
        Ok(low)
    }
}

fn cut(grid: &Grid, window: Window) -> Grid {
    let rows = window.rows();
    let values = rows
        .flat_map(|y| grid.row(y, window.columns()))
        .copied()
        .collect();
    Grid { window, values }
}
