//! Chunk `GRID`: the latents' parameters, the lengths of their segments, and the segments.

use super::fitted::CLASSES;
use super::{Latents, Partition};
use crate::chunk::RawChunk;
use crate::error::FormatError;
use crate::header::Header;
use crate::limits::Limits;
use crate::model::Model;

/// Version of the built-in starting states that the segments were coded with.
const PRIOR: u8 = super::prior::VERSION;

/// The strongest masking.
const MOST_MASKING: u8 = 16;
/// Strengths of grain of a plane.
const GRAINS: usize = 4;

/// Flags of the optional parts.
const COLOUR: u8 = 1;
const RELATIVE_STEPS: u8 = 2;
const GAINS: u8 = 4;
const MASKING: u8 = 8;
const FITTED: u8 = 16;
const GRAIN: u8 = 32;
const DEGRADATION: u8 = 64;

/// Reads a payload part by part.
struct Reader<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let (part, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(FormatError::GridTooShort {
                offset: self.offset,
                needed: count as u64,
                found: self.rest.len() as u64,
            })?;
        self.rest = rest;
        Ok(part)
    }

    fn byte(&mut self) -> Result<u8, FormatError> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Reads a number below 2^32 in groups of seven bits, lowest first; the top bit is set in every byte except the
    /// last. Numbers that are larger, or longer than five bytes, return `u32::MAX`, which exceeds any segment length.
    fn number(&mut self) -> Result<u32, FormatError> {
        let mut number = 0_u32;
        for shift in (0..28).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        let top = self.byte()?;
        Ok(if top < 16 {
            number | u32::from(top) << 28
        } else {
            u32::MAX
        })
    }
}

fn append_number(out: &mut Vec<u8>, mut number: usize) {
    while number > 127 {
        out.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads the payload of `GRID`. With `cut`, segments missing from the payload are left empty; the parts before them
/// must be complete, so that the payload bounds the memory for the segments.
///
/// # Errors
/// [`FormatError::GridTooShort`], [`FormatError::GridSurplus`], [`FormatError::Field`], [`FormatError::OverLimit`],
/// [`FormatError::UnsupportedValue`].
pub(crate) fn read(
    raw: &RawChunk<'_>,
    header: &Header,
    limits: &Limits,
    cut: bool,
) -> Result<Latents, FormatError> {
    let mut reader = Reader {
        rest: raw.payload,
        offset: raw.offset,
    };
    let (mut latents, flags) = read_fixed(&mut reader, header, limits)?;
    read_optional(&mut reader, &mut latents, flags)?;
    latents.check()?;
    read_segments(&mut reader, &mut latents, cut)?;
    latents
        .segments
        .resize_with(latents.partition.segments(), Vec::new);
    Ok(latents)
}

/// Reads the part at the start of every payload, and the flags of the optional parts.
fn read_fixed(
    reader: &mut Reader<'_>,
    header: &Header,
    limits: &Limits,
) -> Result<(Latents, u8), FormatError> {
    let [prior, levels, flags] = reader.array()?;
    if prior != PRIOR {
        return Err(FormatError::UnsupportedValue {
            field: "latents.prior",
            found: prior.to_string(),
            known: "1".into(),
        });
    }
    if flags & !(COLOUR | RELATIVE_STEPS | GAINS | MASKING | FITTED | GRAIN | DEGRADATION) != 0 {
        return Err(FormatError::UnsupportedValue {
            field: "latents.flags",
            found: flags.to_string(),
            known: "0..=127".into(),
        });
    }
    let partition = Partition {
        width: header.width,
        height: header.height,
        planes: header.layout.channels() as u8,
        levels,
        tile: u16::from_le_bytes(reader.array()?),
    };
    partition.check(limits)?;
    let latents = Latents {
        partition,
        step: f32::from_le_bytes(reader.array()?),
        relative_steps: Vec::new(),
        colour: None,
        centroids: Vec::new(),
        gains: Vec::new(),
        masking: 0,
        fitted: Default::default(),
        grain: Vec::new(),
        degradation: None,
        segments: Vec::new(),
    };
    Ok((latents, flags))
}

/// Reads the parts between the fixed one and the lengths of the segments.
fn read_optional(
    reader: &mut Reader<'_>,
    latents: &mut Latents,
    flags: u8,
) -> Result<(), FormatError> {
    let planes = usize::from(latents.partition.planes);
    let grids = usize::from(latents.partition.levels) + 1;
    if flags & COLOUR != 0 {
        let mut colour = [[0; 3]; 3];
        for entry in colour.iter_mut().flatten() {
            *entry = i16::from_le_bytes(reader.array()?);
        }
        latents.colour = Some(colour);
    }
    if flags & RELATIVE_STEPS != 0 {
        let bytes = reader.take(planes * grids)?;
        latents.relative_steps = bytes.iter().map(|&byte| byte as i8).collect();
    }
    let centroids = reader.take(planes * CLASSES * 2)?;
    latents.centroids = centroids
        .chunks_exact(CLASSES * 2)
        .map(|plane| {
            std::array::from_fn(|class| [plane[class * 2] as i8, plane[class * 2 + 1] as i8])
        })
        .collect();
    if flags & GAINS != 0 {
        latents.gains = reader.take(planes)?.to_vec();
    }
    if flags & MASKING != 0 {
        latents.masking = reader.byte()?;
        if latents.masking == 0 {
            return Err(FormatError::Field {
                field: "latents.masking",
                found: "0".into(),
                wanted: "1..=16, or no flag",
            });
        }
    }
    if flags & FITTED != 0 {
        let mask = reader.byte()?;
        if !(1..1 << CLASSES).contains(&mask) {
            return Err(FormatError::Field {
                field: "latents.fitted",
                found: mask.to_string(),
                wanted: "1..=7, or no flag",
            });
        }
        let length = reader.number()? as usize;
        latents.read_fitted(mask, reader.take(length)?)?;
    }
    if flags & GRAIN != 0 {
        latents.grain = reader.take(GRAINS * planes)?.to_vec();
    }
    if flags & DEGRADATION != 0 {
        latents.degradation = Some(reader.array()?);
    }
    Ok(())
}

fn read_segments(
    reader: &mut Reader<'_>,
    latents: &mut Latents,
    cut: bool,
) -> Result<(), FormatError> {
    let count = latents.partition.segments();
    if count > reader.rest.len() {
        let (needed, found) = (count as u64, reader.rest.len() as u64);
        return Err(FormatError::GridTooShort {
            offset: reader.offset,
            needed,
            found,
        });
    }
    let lengths = (0..count)
        .map(|_| Ok(reader.number()? as usize))
        .collect::<Result<Vec<_>, FormatError>>()?;
    for length in lengths {
        match reader.take(length) {
            Ok(segment) => latents.segments.push(segment.to_vec()),
            Err(_) if cut => break,
            Err(error) => return Err(error),
        }
    }
    if cut {
        return Ok(());
    }
    match reader.rest.len() as u64 {
        0 => Ok(()),
        count => Err(FormatError::GridSurplus {
            offset: reader.offset,
            count,
        }),
    }
}

/// Serialises the payload of `GRID`.
///
/// # Errors
/// [`FormatError::Field`] and [`FormatError::OverLimit`].
pub(crate) fn write(latents: &Latents) -> Result<Vec<u8>, FormatError> {
    latents.check()?;
    let Latents {
        partition,
        relative_steps,
        colour,
        centroids,
        gains,
        segments,
        ..
    } = latents;
    let flag = |present: bool, flag: u8| if present { flag } else { 0 };
    let flags = flag(colour.is_some(), COLOUR)
        | flag(!relative_steps.is_empty(), RELATIVE_STEPS)
        | flag(!gains.is_empty(), GAINS)
        | flag(latents.masking != 0, MASKING)
        | flag(latents.fitted.iter().any(|class| !class.is_empty()), FITTED)
        | flag(!latents.grain.is_empty(), GRAIN)
        | flag(latents.degradation.is_some(), DEGRADATION);
    let mut out = vec![PRIOR, partition.levels, flags];
    out.extend_from_slice(&partition.tile.to_le_bytes());
    out.extend_from_slice(&latents.step.to_le_bytes());
    for entry in colour.iter().flatten().flatten() {
        out.extend_from_slice(&entry.to_le_bytes());
    }
    out.extend(relative_steps.iter().map(|&step| step as u8));
    out.extend(
        centroids
            .iter()
            .flatten()
            .flatten()
            .map(|&centroid| centroid as u8),
    );
    out.extend_from_slice(gains);
    if latents.masking != 0 {
        out.push(latents.masking);
    }
    if flags & FITTED != 0 {
        let (mask, bytes) = latents.write_fitted();
        out.push(mask);
        append_number(&mut out, bytes.len());
        out.extend(bytes);
    }
    out.extend_from_slice(&latents.grain);
    out.extend(latents.degradation.iter().flatten());
    for segment in segments {
        append_number(&mut out, segment.len());
    }
    for segment in segments {
        out.extend_from_slice(segment);
    }
    Ok(out)
}

impl Latents {
    /// Checks that the parts are consistent.
    fn check(&self) -> Result<(), FormatError> {
        let planes = usize::from(self.partition.planes);
        let wrong = |field, found: String, wanted| {
            Err(FormatError::Field {
                field,
                found,
                wanted,
            })
        };
        if !(self.step.is_normal() && self.step > 0.0 && self.step <= 1e6) {
            return wrong(
                "latents.step",
                self.step.to_string(),
                "above 0, at most 1e6",
            );
        }
        if self.colour.is_some() && planes < 3 {
            return wrong(
                "latents.colour",
                String::from("present"),
                "three planes or more",
            );
        }
        let relative = self.relative_steps.len();
        if relative != 0 && relative != planes * (usize::from(self.partition.levels) + 1) {
            return wrong(
                "latents.relative_steps",
                relative.to_string(),
                "none, or one per plane and level",
            );
        }
        if self.centroids.len() != planes {
            return wrong(
                "latents.centroids",
                self.centroids.len().to_string(),
                "one set per plane",
            );
        }
        if !self.gains.is_empty() && self.gains.len() != planes {
            return wrong(
                "latents.gains",
                self.gains.len().to_string(),
                "none, or one per plane",
            );
        }
        if self.masking > MOST_MASKING {
            return wrong("latents.masking", self.masking.to_string(), "0..=16");
        }
        if !self.grain.is_empty() && self.grain.len() != GRAINS * planes {
            return wrong(
                "latents.grain",
                self.grain.len().to_string(),
                "none, or four per plane",
            );
        }
        self.check_fitted()
    }

    /// Checks the latents against the header of their file before writing.
    ///
    /// # Errors
    /// [`FormatError::Field`] and [`FormatError::OverLimit`].
    pub(crate) fn check_against(&self, header: &Header) -> Result<(), FormatError> {
        self.partition.check(&Limits::NONE)?;
        self.check()?;
        let wrong = |field, found: String, wanted| {
            Err(FormatError::Field {
                field,
                found,
                wanted,
            })
        };
        let Partition {
            width,
            height,
            planes,
            ..
        } = self.partition;
        if (width, height) != (header.width, header.height) {
            return wrong(
                "latents.partition",
                format!("{width} x {height}"),
                "the picture's size",
            );
        }
        if usize::from(planes) != header.layout.channels() {
            return wrong(
                "latents.planes",
                planes.to_string(),
                "the number of channels",
            );
        }
        if !matches!(header.model, Model::Pyramid) {
            return wrong("model", String::from("a network"), "a pyramid");
        }
        if self.segments.len() != self.partition.segments() {
            return wrong(
                "latents.segments",
                self.segments.len().to_string(),
                "one per tile, and one",
            );
        }
        Ok(())
    }
}
