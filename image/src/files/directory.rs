//! TIFF directories, which TIFF files and Exif blocks are made of.
//!
//! Source: TIFF 6.0 (Adobe, 1992), section 2; BigTIFF (AWare Systems, 2007).

use std::collections::HashSet;

/// Directories of one chain at most.
const MOST_DIRECTORIES: usize = 1 << 16;

/// Numbers of bytes of the values of each field type.
fn width(kind: u16) -> Option<usize> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}

/// Bytes of a rational are those of two numbers.
fn swapped_width(kind: u16) -> usize {
    match kind {
        5 | 10 => 4,
        other => width(other).unwrap_or(1),
    }
}

/// A file or block with its byte order.
#[derive(Clone, Copy)]
pub(super) struct Directories<'a> {
    bytes: &'a [u8],
    pub(super) big_endian: bool,
    /// Offsets of 64 bits.
    wide: bool,
}

/// A field of a directory.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) tag: u16,
    kind: u16,
    data: &'a [u8],
    big_endian: bool,
}

impl<'a> Directories<'a> {
    /// The directories of `bytes`, none when it does not start like a TIFF.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let plain = Self {
            bytes,
            big_endian,
            wide: false,
        };
        match plain.number(2, 2)? {
            42 => Some(plain),
            43 if plain.number(4, 2)? == 8 => Some(Self {
                wide: true,
                ..plain
            }),
            _ => None,
        }
    }

    fn number(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        Some(number(bytes, self.big_endian))
    }

    fn offset(&self, at: usize) -> Option<u64> {
        self.number(at, if self.wide { 8 } else { 4 })
    }

    /// Offsets of the directories of the main chain, which ends at the first that is damaged.
    pub(super) fn chain(&self) -> Vec<u64> {
        let (mut seen, mut chain) = (HashSet::new(), Vec::new());
        let mut next = self.offset(if self.wide { 8 } else { 4 });
        while let Some(at) = next.filter(|at| *at != 0 && seen.insert(*at)) {
            let Some((_, after)) = self.entries(at) else {
                break;
            };
            chain.push(at);
            if chain.len() == MOST_DIRECTORIES {
                break;
            }
            next = self.offset(after);
        }
        chain
    }

    /// The number of entries of the directory at `at` with the place of the first, and the place after the last.
    fn entries(&self, at: u64) -> Option<((usize, usize), usize)> {
        let at = usize::try_from(at).ok()?;
        let (head, entry) = if self.wide { (8, 20) } else { (2, 12) };
        let count = usize::try_from(self.number(at, head)?).ok()?;
        let first = at + head;
        let after = first.checked_add(count.checked_mul(entry)?)?;
        (after <= self.bytes.len()).then_some(((count, first), after))
    }

    /// The fields of the directory at `at`, without those that do not lie in the file.
    pub(super) fn fields(&self, at: u64) -> Vec<Field<'a>> {
        let Some(((count, first), _)) = self.entries(at) else {
            return Vec::new();
        };
        let entry = if self.wide { 20 } else { 12 };
        (0..count)
            .filter_map(|index| self.field(first + index * entry))
            .collect()
    }

    fn field(&self, at: usize) -> Option<Field<'a>> {
        let (tag, kind) = (self.number(at, 2)? as u16, self.number(at + 2, 2)? as u16);
        let inline = if self.wide { 8 } else { 4 };
        let count = usize::try_from(self.number(at + 4, inline)?).ok()?;
        let length = count.checked_mul(width(kind)?)?;
        let value = at + 4 + inline;
        let from = match length <= inline {
            true => value,
            false => usize::try_from(self.offset(value)?).ok()?,
        };
        Some(Field {
            tag,
            kind,
            data: self.bytes.get(from..from.checked_add(length)?)?,
            big_endian: self.big_endian,
        })
    }

    /// The same fields to be written, with the directories that fields of `links` point to.
    pub(super) fn copy(&self, at: u64, links: &[u16], keep: fn(u16) -> bool) -> Vec<Written> {
        let mut copied = Vec::new();
        for field in self.fields(at).into_iter().filter(|field| keep(field.tag)) {
            match (links.split_first(), field.first()) {
                (Some(_), Some(target)) if links.contains(&field.tag) => {
                    let below: &[u16] = if field.tag == EXIF {
                        &[INTEROPERABILITY]
                    } else {
                        &[]
                    };
                    let fields = self.copy(target, below, |_| true);
                    copied.push(Written::link(field.tag, fields));
                }
                _ => copied.push(field.written()),
            }
        }
        copied
    }
}

fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match big_endian {
        true => bytes.iter().fold(0, fold),
        false => bytes.iter().rev().fold(0, fold),
    }
}

impl<'a> Field<'a> {
    /// The bytes of the values as they lie in the file.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.data
    }

    /// The values of an integer type; negative ones wrap.
    pub(super) fn integers(&self) -> impl Iterator<Item = u64> + use<'a> {
        let (width, big_endian) = (width(self.kind).unwrap_or(1), self.big_endian);
        let integer = !matches!(self.kind, 5 | 10 | 11 | 12);
        let data = if integer { self.data } else { &[] };
        data.chunks_exact(width)
            .map(move |bytes| number(bytes, big_endian))
    }

    /// The first value of an integer type.
    pub(super) fn first(&self) -> Option<u64> {
        self.integers().next()
    }

    /// The values of rationals, floats and unsigned integers.
    pub(super) fn reals(&self) -> Vec<f64> {
        let big_endian = self.big_endian;
        let whole = move |bytes: &[u8]| number(bytes, big_endian);
        match self.kind {
            5 => {
                let ratio = |bytes: &[u8]| whole(&bytes[..4]) as f64 / whole(&bytes[4..]) as f64;
                self.data.chunks_exact(8).map(ratio).collect()
            }
            11 => {
                let float = |bytes| f64::from(f32::from_bits(whole(bytes) as u32));
                self.data.chunks_exact(4).map(float).collect()
            }
            12 => {
                let float = |bytes| f64::from_bits(whole(bytes));
                self.data.chunks_exact(8).map(float).collect()
            }
            _ => self.integers().map(|value| value as f64).collect(),
        }
    }

    fn written(&self) -> Written {
        let mut data = self.data.to_vec();
        if self.big_endian {
            let width = swapped_width(self.kind);
            data.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        }
        // BigTIFF has types of 64 bits that a plain directory lacks: only offsets use them.
        Written {
            tag: self.tag,
            kind: self.kind,
            data,
            below: None,
        }
    }
}

/// Exif's own directory.
pub(super) const EXIF: u16 = 34_665;
/// The directory of positions.
pub(super) const GPS: u16 = 34_853;
/// A directory below Exif's.
const INTEROPERABILITY: u16 = 40_965;

/// A field that is to be written, little-endian.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) tag: u16,
    kind: u16,
    data: Vec<u8>,
    /// The directory that it points to.
    below: Option<Vec<Written>>,
}

impl Written {
    /// A field of bytes without a meaning of their own.
    pub(super) fn opaque(tag: u16, data: &[u8]) -> Self {
        Self::new(tag, 7, data.to_vec())
    }

    /// A field of bytes.
    pub(super) fn bytes(tag: u16, data: &[u8]) -> Self {
        Self::new(tag, 1, data.to_vec())
    }

    /// A field of 16-bit integers.
    pub(super) fn shorts(tag: u16, values: &[u16]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(tag, 3, data.collect())
    }

    /// A field of 32-bit integers.
    pub(super) fn longs(tag: u16, values: &[u32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(tag, 4, data.collect())
    }

    /// A field of one rational.
    pub(super) fn ratio(tag: u16, [over, under]: [u32; 2]) -> Self {
        let data = [over.to_le_bytes(), under.to_le_bytes()].concat();
        Self::new(tag, 5, data)
    }

    /// A field that points to the directory of `fields`.
    pub(super) fn link(tag: u16, fields: Vec<Written>) -> Self {
        let mut link = Self::longs(tag, &[0]);
        link.below = Some(fields);
        link
    }

    fn new(tag: u16, kind: u16, data: Vec<u8>) -> Self {
        Self {
            tag,
            kind,
            data,
            below: None,
        }
    }
}

/// Appends a directory of `fields`, sorted, to `out`, which begins with the header; returns its offset.
pub(super) fn append(out: &mut Vec<u8>, mut fields: Vec<Written>) -> u32 {
    fields.sort_by_key(|field| field.tag);
    fields.dedup_by_key(|field| field.tag);
    for field in &mut fields {
        if let Some(below) = field.below.take() {
            field.data = append(out, below).to_le_bytes().to_vec();
        }
    }
    let mut entries = (fields.len() as u16).to_le_bytes().to_vec();
    for field in &fields {
        let count = field.data.len() / width(field.kind).unwrap_or(1);
        entries.extend(field.tag.to_le_bytes());
        entries.extend(field.kind.to_le_bytes());
        entries.extend((count as u32).to_le_bytes());
        let mut value = field.data.clone();
        if value.len() > 4 {
            out.resize(out.len().next_multiple_of(2), 0);
            value = (out.len() as u32).to_le_bytes().to_vec();
            out.extend(&field.data);
        }
        value.resize(4, 0);
        entries.extend(value);
    }
    out.resize(out.len().next_multiple_of(2), 0);
    let at = out.len() as u32;
    out.extend(entries);
    out.extend([0; 4]);
    at
}

/// A block of one directory of `fields` and those below it.
pub(super) fn block(fields: Vec<Written>) -> Vec<u8> {
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let at = append(&mut out, fields);
    out[4..8].copy_from_slice(&at.to_le_bytes());
    out
}
