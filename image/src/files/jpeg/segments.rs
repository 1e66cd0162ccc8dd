//! The segments of a JPEG, and its faults.

use crate::error::Error;

const fn damaged(what: &'static str) -> Error {
    Error::Corrupt {
        format: "JPEG",
        what,
    }
}

/// The end is missing.
pub(super) const CUT_OFF: Error = damaged("the file is cut off");
/// The headers or the compressed data break the rules.
pub(super) const CORRUPT: Error = damaged("its headers or compressed data are corrupt");

/// The segments of a file before its first scan: marker and payload.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    /// Where the next one begins.
    pub(super) at: usize,
}

impl<'a> Segments<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 2 }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            match rest {
                // Any number of fill bytes may come before a marker.
                [0xff, 0xff, ..] => self.at += 1,
                [0xff, 0x01 | 0xd0..=0xd8, ..] => self.at += 2,
                [0xff, 0xd9 | 0xda, ..] => return None,
                [0xff, marker, high, low, ..] => {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    let payload = rest.get(4..2 + length)?;
                    self.at += 2 + length;
                    return Some((*marker, payload));
                }
                _ => return None,
            }
        }
    }
}
