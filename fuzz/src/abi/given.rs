//! What the host gives: numbers, buffers and their memory, values of parameters and regions, odd ones among them.

use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};

use arbitrary::{Arbitrary, Result, Unstructured};
use inr_plugin_api::*;

/// Seldom there.
#[derive(Debug)]
pub(super) struct Rare<T>(pub(super) Option<T>);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Rare<T> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let there = u.ratio(1, 16)?;
        Ok(Self(there.then(|| T::arbitrary(u)).transpose()?))
    }
}

#[derive(Arbitrary, Debug)]
pub(super) enum Number {
    Unit(u8),
    Small(i8),
    Any(f64),
}

impl Number {
    pub(super) fn get(&self) -> f64 {
        match *self {
            Self::Unit(byte) => f64::from(byte) / 255.0,
            Self::Small(number) => f64::from(number),
            Self::Any(number) => number,
        }
    }
}

#[derive(Arbitrary, Debug)]
pub(super) enum Stride {
    Tight,
    Padded(u8),
    Upwards(u8),
    Any(isize),
}

#[derive(Arbitrary, Debug)]
pub(super) struct Buffer {
    pub(super) size: [u8; 2],
    pub(super) odd_size: Rare<[u32; 2]>,
    pub(super) format: [u8; 4],
    pub(super) stride: Stride,
    pub(super) shift: u8,
    pub(super) pixels: Vec<u8>,
    pub(super) icc: Rare<Vec<u8>>,
    pub(super) struct_size: Rare<u8>,
    pub(super) no_data: Rare<()>,
}

/// Bytes that a buffer may reach over; larger ones have no data, or cannot be.
pub(super) const MOST_BYTES: u128 = 1 << 20;

/// A buffer and its memory.
pub(super) struct Block {
    pub(super) raw: InrBuffer,
    pub(super) memory: Vec<u8>,
    pub(super) before: Vec<u8>,
    /// Where the top row begins, and bytes of a row.
    pub(super) top: usize,
    pub(super) row: usize,
}

impl Block {
    pub(super) fn new(buffer: &Buffer, fitted: Option<([u32; 2], u32)>) -> Self {
        let [sample, mut layout, alpha, transfer] = buffer.format.map(u32::from);
        layout %= 6;
        let mut size = buffer.size.map(|side| u32::from(side) % 17);
        size = buffer.odd_size.0.unwrap_or(size);
        if let Some(fitted) = fitted {
            (size, layout) = fitted;
        }
        let sample = sample % 6;
        // Alpha that does not go with the layout is refused, so it is seldom.
        let alpha = match (alpha % 16, layout) {
            (0, _) => 3,
            (1..4, _) => alpha % 4,
            (_, 2 | 4) => 1 + alpha % 2,
            _ => 0,
        };
        let bytes = [1_u128, 1, 2, 2, 4, 1][sample as usize];
        let row = u128::from(size[0]) * bytes * u128::from(layout.max(1));
        let stride = match buffer.stride {
            Stride::Tight => row as isize,
            Stride::Padded(more) => row as isize + isize::from(i16::from(more)),
            Stride::Upwards(more) => -(row as isize + isize::from(i16::from(more))),
            Stride::Any(any) => any,
        };
        let down = stride.unsigned_abs() as u128 * u128::from(size[1].saturating_sub(1));
        let reach = row + down;
        let shift = usize::from(buffer.shift % 8);
        let length = if reach <= MOST_BYTES {
            reach as usize
        } else {
            1
        };
        let pixels = buffer.pixels.iter().copied().cycle();
        let mut memory: Vec<u8> = pixels.take(shift + length).collect();
        memory.resize(shift + length, 0x5a);
        let top = shift
            + if stride < 0 && reach <= MOST_BYTES {
                down as usize
            } else {
                0
            };
        let honest = reach <= MOST_BYTES || reach > isize::MAX as u128;
        let data = if honest && buffer.no_data.0.is_none() {
            memory.as_mut_ptr().wrapping_add(top).cast()
        } else {
            null_mut()
        };
        let icc = buffer.icc.0.as_deref();
        let raw = InrBuffer {
            struct_size: size_of::<InrBuffer>().min(odd(&buffer.struct_size)),
            data,
            stride,
            width: size[0],
            height: size[1],
            sample,
            layout,
            alpha,
            transfer: 1 + transfer % 3 / 2 + transfer / 250,
            icc: icc.map_or(null(), <[u8]>::as_ptr),
            icc_size: icc.map_or(0, <[u8]>::len),
        };
        Self {
            raw,
            before: memory.clone(),
            memory,
            top,
            row: row.min(MOST_BYTES) as usize,
        }
    }

    /// Of a buffer that was written: what lies between rows is as it was.
    pub(super) fn check_gaps(&self) {
        let mut own = vec![false; self.memory.len()];
        for y in 0..self.raw.height.min(self.memory.len() as u32) as isize {
            let start = (y.saturating_mul(self.raw.stride)).saturating_add(self.top as isize);
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            if let Some(row) = own.get_mut(start..start.saturating_add(self.row)) {
                row.fill(true);
            }
        }
        let pairs = self.memory.iter().zip(&self.before).zip(own);
        assert!(
            pairs
                .into_iter()
                .all(|((now, before), own)| own || now == before)
        );
    }

    pub(super) fn check_untouched(&self) {
        assert!(self.memory == self.before, "an input was written");
    }
}

/// The size that a struct says it has, where that is odd.
pub(super) fn odd(size: &Rare<u8>) -> usize {
    size.0.map_or(usize::MAX, usize::from)
}

#[derive(Arbitrary, Debug)]
pub(super) struct Value {
    pub(super) param: u8,
    pub(super) odd_key: Rare<Vec<u8>>,
    pub(super) number: Number,
    pub(super) choice: u8,
    pub(super) text: Rare<Vec<u8>>,
    pub(super) rgb: [Number; 3],
    pub(super) struct_size: Rare<u8>,
}

/// Bytes up to their first zero, as C has them.
pub(super) fn c_string(bytes: &[u8]) -> CString {
    let end = bytes.iter().position(|byte| *byte == 0);
    CString::new(&bytes[..end.unwrap_or(bytes.len())]).unwrap_or_default()
}

/// Values as C sees them, and their strings.
pub(super) struct Values {
    pub(super) _texts: Vec<CString>,
    pub(super) raw: Vec<InrValue>,
}

impl Values {
    pub(super) fn new(values: &[Value], params: &[InrParamInfo]) -> Self {
        let mut texts = Vec::new();
        let mut keep = |bytes: &[u8]| -> *const c_char {
            texts.push(c_string(bytes));
            texts[texts.len() - 1].as_ptr()
        };
        let raw = values.iter().take(40).map(|value| {
            let param = params.get(usize::from(value.param) % params.len().max(1));
            let choices = param.map_or(0, |param| param.choice_count as usize);
            let choice = (choices > 0).then(|| {
                let at = usize::from(value.choice) % choices;
                // SAFETY: the table has so many choices.
                param.map_or(null(), |param| unsafe { (**param.choices.add(at)).key })
            });
            InrValue {
                struct_size: size_of::<InrValue>().min(odd(&value.struct_size)),
                key: match (&value.odd_key.0, param) {
                    (None, Some(param)) => param.key,
                    (key, _) => keep(key.as_deref().unwrap_or(b"")),
                },
                number: value.number.get(),
                text: match (&value.text.0, choice) {
                    (Some(text), _) => keep(text),
                    (None, choice) => choice.unwrap_or(null()),
                },
                rgb: [0, 1, 2].map(|at| value.rgb[at].get()),
            }
        });
        let raw = raw.collect();
        Self { _texts: texts, raw }
    }

    pub(super) fn pointers(&self) -> Vec<*const InrValue> {
        self.raw.iter().map(std::ptr::from_ref).collect()
    }
}

#[derive(Arbitrary, Debug)]
pub(super) struct Region {
    pub(super) origin: [Number; 2],
    pub(super) step: [Number; 2],
    pub(super) unit: bool,
    pub(super) size: [u8; 2],
    pub(super) odd_size: Rare<[u32; 2]>,
    pub(super) struct_size: Rare<u8>,
}

impl Region {
    pub(super) fn raw(&self) -> InrRegion {
        let [x, y] = [0, 1].map(|at| self.origin[at].get());
        let [step_x, step_y] = [0, 1].map(|at| if self.unit { 1.0 } else { self.step[at].get() });
        let size = self.size.map(|side| u32::from(side) % 17);
        let [width, height] = self.odd_size.0.unwrap_or(size);
        InrRegion {
            struct_size: size_of::<InrRegion>().min(odd(&self.struct_size)),
            x,
            y,
            step_x,
            step_y,
            width,
            height,
        }
    }
}
