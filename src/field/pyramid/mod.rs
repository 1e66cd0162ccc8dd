//! The pyramid field: latent wavelet grids, and the twice differentiable spline through what they give.

mod detail;
#[cfg(feature = "fit")]
mod fitted;
mod grain;
mod head;
pub(crate) mod masking;
#[cfg(feature = "fit")]
pub(crate) mod probe;
pub(crate) mod render;
pub(crate) mod spline;
pub(crate) mod tiles;
pub(crate) mod wavelet;

use std::sync::{Arc, OnceLock};

use inr_formats::{FormatError, Latents};

use crate::error::Error;
use grain::Grain;
use inr_kernel::Job;
use tiles::{Tiles, band_window};
use wavelet::{Grid, Window, cut, halves, synthesise};

/// A picture as latent grids, decoded as far as it is looked at.
#[derive(Clone)]
pub(crate) struct Pyramid {
    latents: Arc<Latents>,
    /// `colour[channel][plane]`; planes beyond it are channels as they are.
    colour: Option<[[f32; 3]; 3]>,
    /// Weight of the head's corrections of each plane; absent without a head.
    gains: Option<Vec<f32>>,
    heads: head::Heads,
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
            gains: (!latents.gains.is_empty()).then(|| {
                latents
                    .gains
                    .iter()
                    .map(|gain| f32::from(*gain) / 255.0)
                    .collect()
            }),
            heads: head::Heads::new(&latents.fitted),
            latents: Arc::new(latents),
            tiles: Arc::default(),
            low: Arc::default(),
        }
    }

    /// The same, with room for decoded tiles of `bytes`: less for what is looked at once from top to bottom.
    #[cfg(feature = "fit")]
    pub(crate) fn with_room(mut self, bytes: usize) -> Self {
        self.tiles = Arc::new(Tiles::new(bytes));
        self
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
            let (low, _) = parts(current, partition.size(level));
            current = match self.gains.is_some() {
                true => head::reach(low[0], partition.size(level + 1)),
                false => low[0],
            };
            windows.push(current);
        }
        windows
    }

    /// Decodes the tiles that `window` of the grid halved `level` times depends on.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment; [`Error::Cancelled`].
    fn prepare(
        &self,
        level: u8,
        window: Window,
        threads: usize,
        job: &mut Job,
    ) -> Result<(), Error> {
        self.low()?;
        let mut windows = vec![Window::new(0..0, 0..0); usize::from(level)];
        windows.extend(self.windows(level, window));
        self.tiles.prepare(&self.latents, &windows, threads, job)
    }

    /// Channels 0.0..=1.0 of `window` of the picture halved `level` times.
    ///
    /// # Errors
    /// [`Error::Format`] for a damaged segment.
    fn samples(&self, level: u8, window: Window) -> Result<Vec<Grid>, Error> {
        let mut planes = self.grids(level, window)?;
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

    /// Every plane's samples in `window` of the grid halved `level` times.
    fn grids(&self, level: u8, window: Window) -> Result<Vec<Grid>, Error> {
        self.grids_shown(level, window, &mut |_| true)
    }

    /// The same, if each level is `show`n as the head is about to correct it; nothing once that returns false.
    fn grids_shown(
        &self,
        level: u8,
        window: Window,
        show: &mut dyn FnMut(&Uncorrected<'_>) -> bool,
    ) -> Result<Vec<Grid>, Error> {
        let partition = &self.latents.partition;
        let mut windows = vec![window];
        windows.extend(self.windows(level, window));
        let coarsest = windows[windows.len() - 1];
        let mut grids: Vec<Grid> = self.low()?.iter().map(|low| cut(low, coarsest)).collect();
        for (index, wanted) in windows[..windows.len() - 1].iter().enumerate().rev() {
            let size = partition.size(level + index as u8);
            let joined = level + index as u8 + 1;
            let (outputs, bands) = parts(*wanted, size);
            let factors = self.factors(joined, outputs[0])?;
            let colours = colours(grids.len());
            let mut planes = Vec::with_capacity(grids.len());
            for (plane, grid) in grids.into_iter().enumerate() {
                let band = |orientation: usize| {
                    let window = match self.gains.is_some() {
                        true => {
                            head::reach(bands[orientation], partition.band(joined, orientation))
                        }
                        false => bands[orientation],
                    };
                    let place = (joined, plane, orientation);
                    let mut band = band_window(&self.tiles, &self.latents, place, window)?;
                    if let (true, Some(factors)) = (plane < colours, &factors) {
                        band.scale(factors);
                    }
                    Ok::<_, Error>(band)
                };
                planes.push([grid, band(0)?, band(1)?, band(2)?]);
            }
            let shown = Uncorrected {
                level: joined,
                planes: &planes,
                factors: factors.as_ref(),
                outputs,
            };
            if !show(&shown) {
                return Ok(Vec::new());
            }
            let grain = match Grain::any(&self.latents, joined) {
                true => {
                    let activity = self.activity(joined, outputs[0])?;
                    Some(Grain::new(&self.latents, joined, activity))
                }
                false => None,
            };
            let decoded = grain.as_ref().map(|_| planes.clone());
            self.correct(joined, &mut planes, factors.as_ref(), outputs);
            if let (Some(grain), Some(decoded)) = (grain, decoded) {
                for (plane, (parts, decoded)) in
                    planes[..colours].iter_mut().zip(decoded).enumerate()
                {
                    for orientation in 0..3 {
                        let (band, decoded) =
                            (&mut parts[1 + orientation], &decoded[1 + orientation]);
                        grain.add((plane, orientation), decoded, factors.as_ref(), band);
                    }
                }
            }
            let join = |parts| synthesise(*wanted, size, parts);
            grids = planes.into_iter().map(join).collect();
        }
        Ok(grids)
    }

    /// The magnitudes that masking and grain look at.
    fn magnitudes(&self) -> masking::Decoded<'_> {
        masking::Decoded {
            tiles: &self.tiles,
            latents: &self.latents,
        }
    }

    /// The activity of `level` on `window` of its coarser grid, near 0 where the levels above are quiet.
    fn activity(&self, level: u8, window: Window) -> Result<Grid, Error> {
        masking::activity(&self.magnitudes(), &self.latents.partition, level, window)
    }

    /// The factors of the steps of `level`, where there is masking, on the part of its coarser grid that `output` depends on.
    fn factors(&self, level: u8, output: Window) -> Result<Option<Grid>, Error> {
        let Latents {
            masking, partition, ..
        } = &*self.latents;
        if *masking == 0 {
            return Ok(None);
        }
        let window = match self.gains.is_some() {
            true => head::reach(output, partition.size(level)),
            false => output,
        };
        masking::factors(
            &self.magnitudes(),
            partition,
            (*masking, self.latents.step),
            level,
            window,
        )
        .map(Some)
    }

    /// The colours' planes at `level`, as the head reads them.
    fn read<'a>(&self, level: u8, colours: &'a [[Grid; 4]], gains: &[f32]) -> Vec<head::Plane<'a>> {
        let pairs = colours.iter().zip(gains).enumerate();
        pairs
            .map(|(plane, (parts, &gain))| head::Plane {
                parts: parts.each_ref(),
                step: self.latents.step(plane, level),
                gain,
            })
            .collect()
    }

    /// Lets the head correct the colours' grids and bands, and cuts all of them to `outputs`.
    fn correct(
        &self,
        level: u8,
        planes: &mut [[Grid; 4]],
        factors: Option<&Grid>,
        outputs: [Window; 4],
    ) {
        let Some(gains) = &self.gains else { return };
        let (colours, alpha) = planes.split_at_mut(colours(planes.len()));
        for parts in alpha {
            for (part, window) in parts.iter_mut().zip(outputs) {
                *part = cut(part, window);
            }
        }
        let read = self.read(level, colours, gains);
        let corrected = head::correct(&self.heads, level, &read, factors, outputs);
        for (parts, corrected) in colours.iter_mut().zip(corrected) {
            *parts = corrected;
        }
    }
}

/// A level before the head corrects it: each plane's grid and bands, and the windows on which they will be joined.
#[cfg_attr(
    not(feature = "fit"),
    expect(dead_code, reason = "encoders alone look at it")
)]
struct Uncorrected<'a> {
    level: u8,
    planes: &'a [[Grid; 4]],
    factors: Option<&'a Grid>,
    outputs: [Window; 4],
}

/// How many of `planes` are colours, and not alpha.
pub(crate) fn colours(planes: usize) -> usize {
    if planes >= 3 { 3 } else { 1 }
}

/// What a synthesis of `wanted`, of a grid of `size`, takes: the windows of the halved grid and of the three bands.
fn parts(wanted: Window, size: (usize, usize)) -> ([Window; 4], [Window; 3]) {
    let columns = halves(&wanted.columns(), size.0);
    let rows = halves(&wanted.rows(), size.1);
    let bands = [
        Window::new(columns.1.clone(), rows.0.clone()),
        Window::new(columns.0.clone(), rows.1.clone()),
        Window::new(columns.1, rows.1.clone()),
    ];
    let low = Window::new(columns.0, rows.0);
    ([low, bands[0], bands[1], bands[2]], bands)
}
