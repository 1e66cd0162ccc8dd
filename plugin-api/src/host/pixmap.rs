//! Pixels that the host owns.

use std::ffi::c_void;

use crate::abi::InrBuffer;
use crate::buffer::Format;
use crate::status::{Failure, Status};

/// Pixels that the host owns: rows without gaps, from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixmap {
    /// Width and height.
    pub size: [u32; 2],
    /// Storage format of the pixels.
    pub format: Format,
    /// The bytes; size and format determine their number.
    pub data: Vec<u8>,
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
}

impl Pixmap {
    /// Allocates zeroed pixels.
    pub fn new(size: [u32; 2], format: Format) -> Self {
        let bytes = size[0] as usize * size[1] as usize * format.pixel_size();
        Self {
            size,
            format,
            data: vec![0; bytes],
            icc: None,
        }
    }

    /// Allocates zeroed pixels within a limit.
    ///
    /// # Errors
    /// [`Status::TooLarge`] above `max_pixels`, [`Status::OutOfMemory`] when the allocation fails.
    pub fn within(max_pixels: u64, size: [u32; 2], format: Format) -> Result<Self, Failure> {
        let [width, height] = size;
        let pixels = u64::from(width) * u64::from(height);
        let bytes = pixels.checked_mul(format.pixel_size() as u64);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = bytes.filter(|_| pixels <= max_pixels).ok_or_else(|| {
            let message = format!("{width} x {height} pixels; the limit is {max_pixels} in all");
            Failure::new(Status::TooLarge, message)
        })?;
        let mut data = Vec::new();
        let reserved = data.try_reserve_exact(bytes);
        reserved.map_err(|error| Failure::new(Status::OutOfMemory, error.to_string()))?;
        data.resize(bytes, 0);
        Ok(Self {
            size,
            format,
            data,
            icc: None,
        })
    }

    fn check(&self) -> Result<(), Failure> {
        let [width, height] = self.size.map(|side| side as usize);
        let wanted = width.checked_mul(height);
        let wanted = wanted.and_then(|pixels| pixels.checked_mul(self.format.pixel_size()));
        match wanted == Some(self.data.len()) && self.data.len() <= isize::MAX as usize {
            true => Ok(()),
            false => Err(Failure::bad(format!(
                "{} bytes do not match {:?} pixels of {:?}",
                self.data.len(),
                self.size,
                self.format
            ))),
        }
    }

    /// The pixels as an input.
    pub(super) fn source(&self) -> Result<InrBuffer, Failure> {
        self.check()?;
        let data = self.data.as_ptr().cast_mut().cast();
        Ok(describe(data, self.size, self.format, self.icc.as_deref()))
    }

    /// The pixels as an output.
    pub(super) fn target(&mut self) -> Result<InrBuffer, Failure> {
        self.check()?;
        let data = self.data.as_mut_ptr().cast();
        Ok(describe(data, self.size, self.format, None))
    }
}

/// Builds the C struct of pixels at `data`.
fn describe(data: *mut c_void, size: [u32; 2], format: Format, icc: Option<&[u8]>) -> InrBuffer {
    InrBuffer {
        struct_size: size_of::<InrBuffer>(),
        data,
        stride: (size[0] as usize * format.pixel_size()) as isize,
        width: size[0],
        height: size[1],
        sample: format.sample.code(),
        layout: format.layout.code(),
        alpha: format.alpha.code(),
        transfer: format.transfer.code(),
        icc: icc.map_or(std::ptr::null(), <[u8]>::as_ptr),
        icc_size: icc.map_or(0, <[u8]>::len),
    }
}
