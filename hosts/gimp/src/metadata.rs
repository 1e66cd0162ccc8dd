//! Exif, XMP and resolution of GIMP's images.
//!
//! GIMP keeps them in a `GimpMetadata`, which is a `GExiv2Metadata`.

use std::ffi::{c_char, c_double, c_int, c_void};
use std::ptr::null_mut;

use inr_plugin_api::host::PictureInfo;

use crate::editor::{Gimp, Handle, Object, c_string, functions};

functions! {
    /// Functions of libgimp, libgimpbase, gexiv2 and GLib. Where a second name has one argument less, C ignores ours.
    Metadata<H> {
        gimp_image_get_metadata: extern "C" fn(H) -> Object,
        gimp_image_set_metadata: unsafe extern "C" fn(H, Object) -> c_int,
        gimp_metadata_new: extern "C" fn() -> Object,
        gimp_metadata_set_from_exif: unsafe extern "C" fn(Object, *const u8, c_int, *mut Object) -> c_int,
        gimp_metadata_set_from_xmp: unsafe extern "C" fn(Object, *const u8, c_int, *mut Object) -> c_int,
        gimp_metadata_get_resolution: unsafe extern "C" fn(Object, *mut c_double, *mut c_double, *mut c_void) -> c_int,
        gexiv2_metadata_get_exif_data: unsafe extern "C" fn(Object, c_int, *mut Object) -> Object,
        gexiv2_metadata_try_generate_xmp_packet | gexiv2_metadata_generate_xmp_packet: unsafe extern "C" fn(Object, c_int, u32, *mut Object) -> *mut c_char,
        gexiv2_metadata_try_set_tag_string | gexiv2_metadata_set_tag_string: unsafe extern "C" fn(Object, *const c_char, *const c_char, *mut Object) -> c_int,
        gexiv2_metadata_has_xmp: unsafe extern "C" fn(Object) -> c_int,
        g_bytes_get_data: unsafe extern "C" fn(Object, *mut usize) -> *const u8,
        g_bytes_unref: unsafe extern "C" fn(Object),
    }
}

/// What JPEG files have before Exif, and GIMP wants before it.
const EXIF_PREFIX: &[u8] = b"Exif\0\0";
/// Resolutions that are none, in pixels per inch.
const RESOLUTIONS: std::ops::RangeInclusive<f64> = 0.01..=1e6;

impl<H: Handle> Metadata<H> {
    /// Gives `image` the Exif, XMP and resolution of a file, and names what GIMP does not take.
    pub fn apply(&self, gimp: &Gimp<H>, image: H, info: &PictureInfo) {
        if info.exif.is_none() && info.xmp.is_none() {
            return;
        }
        // SAFETY: GIMP returns NULL or a reference.
        let Ok(held) = (unsafe { gimp.held((self.gimp_metadata_new)(), "metadata") }) else {
            return;
        };
        let exif = info.exif.as_ref().map(|exif| [EXIF_PREFIX, exif].concat());
        let blocks = [
            ("Exif", exif.as_deref(), self.gimp_metadata_set_from_exif),
            ("XMP", info.xmp.as_deref(), self.gimp_metadata_set_from_xmp),
        ];
        for (name, bytes, set) in blocks {
            let Some(bytes) = bytes else { continue };
            let mut error = null_mut();
            let size = c_int::try_from(bytes.len()).unwrap_or(0);
            // SAFETY: GIMP copies the valid bytes; the error is freed.
            let taken = unsafe {
                let taken = set(held.get(), bytes.as_ptr(), size, &mut error);
                (gimp.g_clear_error)(&mut error);
                taken
            };
            if taken == 0 {
                eprintln!("inr: GIMP cannot use the picture's {name} and omits it");
            }
        }
        let (mut x, mut y) = (0.0, 0.0);
        // SAFETY: GIMP writes two numbers to valid pointers, and no unit to NULL.
        let known =
            unsafe { (self.gimp_metadata_get_resolution)(held.get(), &mut x, &mut y, null_mut()) };
        if known != 0 && RESOLUTIONS.contains(&x) && RESOLUTIONS.contains(&y) {
            (gimp.gimp_image_set_resolution)(image, x, y);
        }
        // SAFETY: the object lives during the call.
        unsafe { (self.gimp_image_set_metadata)(image, held.get()) };
    }

    /// Exif and XMP of `image`, with its resolution.
    pub fn of(&self, gimp: &Gimp<H>, image: H) -> [Option<Vec<u8>>; 2] {
        // SAFETY: GIMP returns NULL or a reference.
        let held = unsafe { gimp.held((self.gimp_image_get_metadata)(image), "metadata") };
        // SAFETY: as above.
        let held =
            held.or_else(|_| unsafe { gimp.held((self.gimp_metadata_new)(), "new metadata") });
        let Ok(held) = held else {
            return [None, None];
        };
        let metadata = held.get();
        let (mut x, mut y) = (0.0, 0.0);
        // SAFETY: GIMP writes two numbers to valid pointers.
        let known = unsafe { (gimp.gimp_image_get_resolution)(image, &mut x, &mut y) };
        if known != 0 && RESOLUTIONS.contains(&x) && RESOLUTIONS.contains(&y) {
            self.set(gimp, metadata, "Exif.Image.XResolution", &ratio(x));
            self.set(gimp, metadata, "Exif.Image.YResolution", &ratio(y));
            // Inches.
            self.set(gimp, metadata, "Exif.Image.ResolutionUnit", "2");
        }
        [self.exif(gimp, metadata), self.xmp(gimp, metadata)]
    }

    fn set(&self, gimp: &Gimp<H>, metadata: Object, tag: &str, value: &str) {
        let (tag, value) = (c_string(tag), c_string(value));
        let mut error = null_mut();
        // SAFETY: the texts are valid during the call; the error is freed.
        unsafe {
            let set = self.gexiv2_metadata_try_set_tag_string;
            set(metadata, tag.as_ptr(), value.as_ptr(), &mut error);
            (gimp.g_clear_error)(&mut error);
        }
    }

    fn exif(&self, gimp: &Gimp<H>, metadata: Object) -> Option<Vec<u8>> {
        let (mut size, mut error) = (0, null_mut());
        // SAFETY: gexiv2 returns NULL or a reference, which owns its bytes and ends here; the error is freed. 0: little endian.
        unsafe {
            let bytes = (self.gexiv2_metadata_get_exif_data)(metadata, 0, &mut error);
            (gimp.g_clear_error)(&mut error);
            if bytes.is_null() {
                return None;
            }
            let data = (self.g_bytes_get_data)(bytes, &mut size);
            let exif = (!data.is_null() && size > 0)
                .then(|| std::slice::from_raw_parts(data, size).to_vec());
            (self.g_bytes_unref)(bytes);
            exif
        }
    }

    fn xmp(&self, gimp: &Gimp<H>, metadata: Object) -> Option<Vec<u8>> {
        let mut error = null_mut();
        // SAFETY: gexiv2 returns NULL or a text, which ends here; the error is freed. 0, 0: a packet without padding.
        unsafe {
            if (self.gexiv2_metadata_has_xmp)(metadata) == 0 {
                return None;
            }
            let generate = self.gexiv2_metadata_try_generate_xmp_packet;
            let text = generate(metadata, 0, 0, &mut error);
            (gimp.g_clear_error)(&mut error);
            if text.is_null() {
                return None;
            }
            let packet = std::ffi::CStr::from_ptr(text).to_bytes().to_vec();
            (gimp.g_free)(text.cast());
            (!packet.is_empty()).then_some(packet)
        }
    }
}

/// A resolution as Exif has it: a ratio of whole numbers.
fn ratio(resolution: f64) -> String {
    if resolution.fract().abs() < 1e-6 {
        return format!("{resolution:.0}/1");
    }
    format!("{:.0}/1000", resolution * 1000.0)
}
