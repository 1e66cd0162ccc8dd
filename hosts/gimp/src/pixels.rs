//! Transfers pixels between GIMP's buffers and plug-ins.

use std::ffi::{CStr, c_int};

use inr_plugin_api::host::Pixmap;
use inr_plugin_api::{Failure, Format, Layout, Sample, Status};

use crate::catalogue::MAX_PIXELS;
use crate::editor::{Gimp, Handle, Object, Rectangle};

/// Maximum width and height of GIMP's images.
const MAX_SIDE: u32 = 524_288;

/// Sample type in which plug-ins process a `GimpPrecision`: its own for encoded integers of 8 or 16 bits, otherwise floats.
pub fn sample(precision: c_int) -> Sample {
    match precision {
        150 => Sample::U8,
        250 => Sample::U16,
        _ => Sample::F32,
    }
}

/// The `GimpPrecision` of encoded samples.
pub fn precision(sample: Sample) -> c_int {
    match sample {
        Sample::U8 => 150,
        Sample::U16 => 250,
        Sample::F16 => 550,
        Sample::F32 => 650,
    }
}

/// babl's name of the values of masks and selections.
const VALUES: &CStr = c"Y float";

/// babl's name of encoded samples with straight alpha.
fn encoding(format: Format) -> &'static CStr {
    let names = match format.sample {
        Sample::U8 => [c"Y' u8", c"Y'A u8", c"R'G'B' u8", c"R'G'B'A u8"],
        Sample::U16 => [c"Y' u16", c"Y'A u16", c"R'G'B' u16", c"R'G'B'A u16"],
        Sample::F16 => [c"Y' half", c"Y'A half", c"R'G'B' half", c"R'G'B'A half"],
        Sample::F32 => [c"Y' float", c"Y'A float", c"R'G'B' float", c"R'G'B'A float"],
    };
    names[format.layout.channels() - 1]
}

/// Allocates zeroed pixels within the limits of GIMP and of this host.
///
/// # Errors
/// [`Status::TooLarge`] and [`Status::OutOfMemory`].
pub fn blank(size: [u32; 2], sample: Sample, layout: Layout) -> Result<Pixmap, Failure> {
    let side = size[0].max(size[1]);
    if side > MAX_SIDE {
        let message = format!("{side} pixels on a side; the limit is {MAX_SIDE}");
        return Err(Failure::new(Status::TooLarge, message));
    }
    Pixmap::within(MAX_PIXELS, size, Format::plain(sample, layout))
}

impl<H: Handle> Gimp<H> {
    /// Reads all pixels of `drawable` as `sample`; the conversion is exact when the drawable stores this type.
    ///
    /// # Errors
    /// The errors of [`blank`]; [`Status::Io`] when the drawable does not exist.
    pub fn read(&self, drawable: H, sample: Sample) -> Result<Pixmap, Failure> {
        self.read_part(drawable, Rectangle::whole(self.size(drawable)), sample)
    }

    /// Reads the pixels of `part` like [`Gimp::read`].
    ///
    /// # Errors
    /// The errors of [`Gimp::read`].
    pub fn read_part(
        &self,
        drawable: H,
        part: Rectangle,
        sample: Sample,
    ) -> Result<Pixmap, Failure> {
        // SAFETY: GIMP returns NULL or a reference.
        let buffer = unsafe { self.held((self.gimp_drawable_get_buffer)(drawable), "pixels") }?;
        let size = [part.width, part.height].map(|side| side as u32);
        let mut pixels = blank(size, sample, self.layout(drawable))?;
        // SAFETY: `buffer` holds the object, and `pixels` has room for the rectangle in this format.
        unsafe {
            let format = self.format(buffer.get(), pixels.format);
            let data = pixels.data.as_mut_ptr().cast();
            (self.gegl_buffer_get)(buffer.get(), &part, 1.0, format, data, 0, 0);
        }
        Ok(pixels)
    }

    /// Reads `part` of a channel as floats of its own values, which have no curve; what lies outside is 0.
    ///
    /// # Errors
    /// The errors of [`Gimp::read`].
    pub fn read_channel(&self, channel: H, part: Rectangle) -> Result<Pixmap, Failure> {
        // SAFETY: GIMP returns NULL or a reference.
        let buffer = unsafe { self.held((self.gimp_drawable_get_buffer)(channel), "pixels") }?;
        let size = [part.width, part.height].map(|side| side as u32);
        let mut pixels = blank(size, Sample::F32, Layout::Grey)?;
        // SAFETY: `buffer` holds the object, and `pixels` has room for the rectangle in this format.
        unsafe {
            let format = (self.babl_format)(VALUES.as_ptr());
            let data = pixels.data.as_mut_ptr().cast();
            (self.gegl_buffer_get)(buffer.get(), &part, 1.0, format, data, 0, 0);
        }
        Ok(pixels)
    }

    /// Writes floats of [`Gimp::read_channel`] over the whole of a channel.
    ///
    /// # Errors
    /// [`Status::Io`] when the channel does not exist.
    pub fn write_channel(&self, channel: H, pixels: &Pixmap) -> Result<(), Failure> {
        // SAFETY: GIMP returns NULL or a reference.
        let buffer = unsafe { self.held((self.gimp_drawable_get_buffer)(channel), "pixels") }?;
        let size = pixels.size.map(|side| side as c_int);
        // SAFETY: `buffer` holds the object, and `pixels` fills the rectangle in this format.
        unsafe {
            let format = (self.babl_format)(VALUES.as_ptr());
            let data = pixels.data.as_ptr().cast();
            (self.gegl_buffer_set)(buffer.get(), &Rectangle::whole(size), 0, format, data, 0);
            (self.gegl_buffer_flush)(buffer.get());
        }
        (self.gimp_drawable_update)(channel, 0, 0, size[0], size[1]);
        Ok(())
    }

    /// Writes `pixels` at `at` into the buffer of `drawable`, or into its shadow buffer.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for colours in a grey image; [`Status::Io`] when the drawable does not exist.
    pub fn write(
        &self,
        drawable: H,
        shadow: bool,
        pixels: Pixmap,
        at: [c_int; 2],
    ) -> Result<(), Failure> {
        let pixels = relayout(pixels, self.layout(drawable))?;
        let buffer = match shadow {
            true => (self.gimp_drawable_get_shadow_buffer)(drawable),
            false => (self.gimp_drawable_get_buffer)(drawable),
        };
        // SAFETY: GIMP returns NULL or a reference.
        let buffer = unsafe { self.held(buffer, "buffer") }?;
        let [width, height] = pixels.size.map(|side| side as c_int);
        let [x, y] = at;
        let rectangle = Rectangle {
            x,
            y,
            width,
            height,
        };
        // SAFETY: `buffer` holds the object, and `pixels` fills the rectangle in this format.
        unsafe {
            let format = self.format(buffer.get(), pixels.format);
            let data = pixels.data.as_ptr().cast();
            (self.gegl_buffer_set)(buffer.get(), &rectangle, 0, format, data, 0);
            (self.gegl_buffer_flush)(buffer.get());
        }
        Ok(())
    }

    /// babl's name of `format` in the colour space of `buffer`, so that GEGL converts only the sample type.
    ///
    /// # Safety
    /// `buffer` is a GEGL buffer.
    unsafe fn format(&self, buffer: Object, format: Format) -> *const std::ffi::c_void {
        // SAFETY: the caller makes this promise, and babl never frees formats.
        unsafe {
            let space = (self.babl_format_get_space)((self.gegl_buffer_get_format)(buffer));
            (self.babl_format_with_space)(encoding(format).as_ptr(), space)
        }
    }
}

/// Converts `pixels` to `layout`: copies grey into three channels, adds opaque alpha, or drops alpha.
///
/// # Errors
/// [`Status::Unsupported`] from colour to grey.
pub fn relayout(pixels: Pixmap, layout: Layout) -> Result<Pixmap, Failure> {
    let from = pixels.format;
    if from.layout == layout {
        return Ok(pixels);
    }
    if layout.is_grey() && !from.layout.is_grey() {
        let message = "the result has colours and the image is grey; convert it with Image > Mode > RGB first";
        return Err(Failure::unsupported(message));
    }
    let to = Format::plain(from.sample, layout);
    let opaque = match from.sample {
        Sample::U8 => vec![u8::MAX],
        Sample::U16 => u16::MAX.to_ne_bytes().to_vec(),
        Sample::F16 => 0x3c00_u16.to_ne_bytes().to_vec(),
        Sample::F32 => 1.0_f32.to_ne_bytes().to_vec(),
    };
    let bytes = from.sample.size();
    let mut data = Vec::with_capacity(pixels.data.len() / from.pixel_size() * to.pixel_size());
    for pixel in pixels.data.chunks_exact(from.pixel_size()) {
        let (colours, alpha) = match from.layout.has_alpha() {
            true => pixel.split_at(pixel.len() - bytes),
            false => (pixel, opaque.as_slice()),
        };
        let copies = if from.layout.is_grey() && !layout.is_grey() {
            3
        } else {
            1
        };
        for _ in 0..copies {
            data.extend_from_slice(colours);
        }
        if layout.has_alpha() {
            data.extend_from_slice(alpha);
        }
    }
    Ok(Pixmap {
        format: to,
        data,
        ..pixels
    })
}
