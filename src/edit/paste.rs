//! Seamless pasting.

use super::{colours, editing, plane};
use crate::edit::poisson::Poisson;
use crate::error::Error;
use crate::progress::Observer;
use inr_image::Raster;

/// Which gradients the pasted part has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guidance {
    /// The source's.
    #[default]
    Source,
    /// Of source and picture whichever is steeper, so that what lies below shows through flat parts.
    Mixed,
}

/// What is pasted where.
#[derive(Clone, Copy, Debug)]
pub struct Paste<'a> {
    /// What is pasted; its alpha, if it has any, counts into the mask.
    pub source: Raster<'a>,
    /// Shape `[height, width]` of the source, 0.0..=1.0: where it is pasted, and how much of it; all of it by default.
    pub mask: Option<&'a [f32]>,
    /// Where the source's first pixel goes, in pixels from the picture's; may lie outside.
    pub at: [i64; 2],
    /// Which gradients count.
    pub guidance: Guidance,
}

/// `raster` with a source pasted so that its border fits: the gradients of the source, integrated under the mask with the
/// picture's values around it (P. Pérez, M. Gangnet, A. Blake, "Poisson image editing", 2003). Interleaved samples of the
/// picture's size; alpha stays.
///
/// # Errors
/// [`Error::Misuse`] for a source of another kind of colour, a mask of another size, or one that covers all of the
/// picture; [`Error::Cancelled`].
pub fn paste(
    raster: Raster,
    paste: &Paste,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<f32>, Error> {
    let mut watch = editing(observer);
    raster.check()?;
    paste.source.check()?;
    let source = &paste.source;
    let count = colours(&raster);
    if colours(source) != count && colours(source) != 1 {
        return Err(Error::Misuse {
            what: format!("{} colours pasted into {count}", colours(source)),
            want: "give a source with the picture's colours, or grey",
        });
    }
    let mask = shares(paste)?;
    let frame = Frame::new(&raster, paste, &mask);
    let Some(frame) = frame else {
        return Ok(raster.samples.to_vec());
    };
    let inside: Vec<bool> = frame.mask.iter().map(|share| *share > 0.0).collect();
    let system = Poisson::masked(frame.size[0], frame.size[1], &inside, threads)?;
    let mut samples = raster.samples.to_vec();
    for channel in 0..count {
        let values = frame.of_picture(&raster, channel);
        let pasted = frame.of_source(source, channel.min(colours(source) - 1), paste.at);
        let mut b = vec![0.0; values.len()];
        Poisson::border(frame.size[0], &inside, &values, &mut b);
        guide(
            frame.size[0],
            &inside,
            [&values, &pasted],
            paste.guidance,
            &mut b,
        );
        let begun = channel as f64 / count as f64;
        let found = system.solved(&b, &mut |share| watch(begun + share / count as f64))?;
        for (index, (value, share)) in found.iter().zip(&frame.mask).enumerate() {
            if *share > 0.0 {
                let x = frame.corner[0] + index % frame.size[0];
                let y = frame.corner[1] + index / frame.size[0];
                let sample = &mut samples[(y * raster.width + x) * raster.channels + channel];
                *sample += share * (value - *sample);
            }
        }
    }
    Ok(samples)
}

/// How much of each pixel of the source is pasted.
fn shares(paste: &Paste) -> Result<Vec<f32>, Error> {
    let source = &paste.source;
    let pixels = source.width * source.height;
    let mut shares = match paste.mask {
        None => vec![1.0; pixels],
        Some(mask) if mask.len() == pixels => {
            mask.iter().map(|share| share.clamp(0.0, 1.0)).collect()
        }
        Some(mask) => {
            return Err(Error::Misuse {
                what: format!("a mask of {} pixels for a source of {pixels}", mask.len()),
                want: "give a mask of the source's size",
            });
        }
    };
    if source.has_alpha() {
        let alpha = plane(source, source.channels - 1);
        shares
            .iter_mut()
            .zip(alpha)
            .for_each(|(share, alpha)| *share *= alpha);
    }
    Ok(shares)
}

/// The part of the picture around what is pasted.
struct Frame {
    corner: [usize; 2],
    size: [usize; 2],
    mask: Vec<f32>,
}

impl Frame {
    /// `None` when nothing lies inside the picture.
    fn new(raster: &Raster, paste: &Paste, shares: &[f32]) -> Option<Self> {
        let (width, sides) = (
            paste.source.width,
            [raster.width as i64, raster.height as i64],
        );
        let place = |index: usize| {
            [
                (index % width) as i64 + paste.at[0],
                (index / width) as i64 + paste.at[1],
            ]
        };
        let inside = |at: &[i64; 2]| (0..2).all(|axis| (0..sides[axis]).contains(&at[axis]));
        let used: Vec<(usize, [i64; 2])> = shares
            .iter()
            .enumerate()
            .filter(|(_, share)| **share > 0.0)
            .map(|(index, _)| (index, place(index)))
            .filter(|(_, at)| inside(at))
            .collect();
        let bound = |axis: usize, first: i64, pick: fn(i64, i64) -> i64| {
            used.iter().map(|(_, at)| at[axis]).fold(first, pick)
        };
        used.first()?;
        // One pixel more on each side holds the values that the border takes.
        let corner = [0, 1].map(|axis| (bound(axis, i64::MAX, i64::min) - 1).max(0));
        let end = [0, 1].map(|axis| (bound(axis, i64::MIN, i64::max) + 2).min(sides[axis]));
        let size = [0, 1].map(|axis| (end[axis] - corner[axis]) as usize);
        let mut mask = vec![0.0; size[0] * size[1]];
        for (index, at) in used {
            let [x, y] = [0, 1].map(|axis| (at[axis] - corner[axis]) as usize);
            mask[y * size[0] + x] = shares[index];
        }
        let corner = corner.map(|side| side as usize);
        Some(Self { corner, size, mask })
    }

    fn of_picture(&self, raster: &Raster, channel: usize) -> Vec<f32> {
        let rows = self.corner[1]..self.corner[1] + self.size[1];
        let row = |y: usize| {
            let start = (y * raster.width + self.corner[0]) * raster.channels + channel;
            let samples = raster.samples[start..].iter().step_by(raster.channels);
            samples.take(self.size[0]).copied()
        };
        rows.flat_map(row).collect()
    }

    /// The source's samples, continued over its border.
    fn of_source(&self, source: &Raster, channel: usize, at: [i64; 2]) -> Vec<f32> {
        let side = [source.width as i64, source.height as i64];
        let place = |axis: usize, index: usize| {
            let wanted = (self.corner[axis] + index) as i64 - at[axis];
            wanted.clamp(0, side[axis] - 1) as usize
        };
        let mut out = Vec::with_capacity(self.mask.len());
        for y in 0..self.size[1] {
            let row = place(1, y) * source.width;
            let pixels = (0..self.size[0]).map(|x| row + place(0, x));
            out.extend(pixels.map(|pixel| source.samples[pixel * source.channels + channel]));
        }
        out
    }
}

/// Adds the negative divergence of the wanted differences around each pixel that is `inside`.
fn guide(
    width: usize,
    inside: &[bool],
    [picture, source]: [&[f32]; 2],
    guidance: Guidance,
    b: &mut [f32],
) {
    crate::edit::poisson::neighbours(width, inside.len(), |at, other| {
        if !inside[at] && !inside[other] {
            return;
        }
        let [below, above] = [picture, source].map(|values| values[other] - values[at]);
        let wanted = match guidance {
            Guidance::Mixed if below.abs() > above.abs() => below,
            _ => above,
        };
        b[at] -= wanted;
        b[other] += wanted;
    });
}
