//! Calls of the codec suite.

use std::ptr::{null, null_mut};

use super::pixmap::Pixmap;
use super::plugin::Plugin;
use super::request::Values;
use super::session::{Session, failure};
use super::watch::{Watcher, watched};
use crate::abi::*;
use crate::abi_codec::*;
use crate::buffer::Format;
use crate::codes::{Alpha, Layout, Sample, Transfer};
use crate::describe::Value;
use crate::region::Region;
use crate::status::Failure;
use crate::structs;

/// The codec of a plug-in that has one.
#[derive(Debug)]
pub struct Codec<'a> {
    session: &'a mut Session,
    table: InrCodec,
}

/// An opened picture file. One call at a time; any thread.
#[derive(Debug)]
pub struct Picture {
    plugin: Plugin,
    table: InrCodec,
    raw: *mut InrPicture,
}

// SAFETY: the header lets handles move between threads; `&mut self` keeps calls apart.
unsafe impl Send for Picture {}

/// What a picture file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureInfo {
    /// Width and height at native size.
    pub size: [u32; 2],
    /// How the source's pixels were stored.
    pub format: Format,
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Exif from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// Code points, as `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
    /// Kind of field.
    pub model: String,
    /// Length of the file.
    pub file_size: u64,
}

/// What goes into a file beside pixels and profile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// Exif from its TIFF header on.
    pub exif: Option<&'a [u8]>,
    /// XMP packet.
    pub xmp: Option<&'a [u8]>,
    /// Code points, as `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
}

const COMPLETE: &str = "the loader saw that all functions are there";

impl Session {
    /// The codec, if the plug-in has one.
    pub fn codec(&mut self) -> Option<Codec<'_>> {
        let table = self.plugin().codec_table()?;
        Some(Codec {
            session: self,
            table,
        })
    }
}

impl Codec<'_> {
    /// Opens the file in `bytes`.
    ///
    /// # Errors
    /// What the plug-in says; [`crate::Status::Corrupt`] for damaged files.
    pub fn open(&mut self, bytes: &[u8]) -> Result<Picture, Failure> {
        let plugin = self.session.plugin().clone();
        let open = self.table.picture_open.expect(COMPLETE);
        let session = self.session.raw();
        let mut raw = null_mut();
        // SAFETY: the session is open, and the bytes are there.
        let code = plugin.call(|_| unsafe { open(session, bytes.as_ptr(), bytes.len(), &mut raw) });
        self.session.outcome(code)?;
        if raw.is_null() {
            return Err(Failure::bad("the plug-in opened nothing"));
        }
        let table = self.table;
        Ok(Picture { plugin, table, raw })
    }

    /// Makes a file of `pixels` and `extras`.
    ///
    /// # Errors
    /// What the plug-in says.
    pub fn encode(
        &mut self,
        pixels: &Pixmap,
        extras: Extras,
        values: &[(String, Value)],
        watcher: Option<Watcher>,
    ) -> Result<Vec<u8>, Failure> {
        let plugin = self.session.plugin().clone();
        let encode = self.table.encode.expect(COMPLETE);
        let free = self.table.bytes_free.expect(COMPLETE);
        let session = self.session.raw();
        let input = pixels.source()?;
        let values = Values::new(values)?;
        let values = values.pointers();
        let start = |blob: Option<&[u8]>| blob.map_or(null(), <[u8]>::as_ptr);
        let size = |blob: Option<&[u8]>| blob.map_or(0, <[u8]>::len);
        let mut bytes = InrBytes {
            struct_size: size_of::<InrBytes>(),
            data: null_mut(),
            size: 0,
        };
        let code = watched(watcher, |progress| {
            let call = InrEncodeCall {
                struct_size: size_of::<InrEncodeCall>(),
                input: &raw const input,
                values: values.as_ptr(),
                value_count: values.len() as u32,
                reserved: 0,
                exif: start(extras.exif),
                exif_size: size(extras.exif),
                xmp: start(extras.xmp),
                xmp_size: size(extras.xmp),
                progress,
                cicp: extras.cicp.unwrap_or_default(),
            };
            // SAFETY: the session is open, and `call` and all that it points to is there.
            plugin.call(|_| unsafe { encode(session, &call, &mut bytes) })
        });
        self.session.outcome(code)?;
        // SAFETY: the plug-in says that it wrote so many bytes there.
        let file = unsafe { structs::bytes(bytes.data, bytes.size) };
        // SAFETY: they are freed once, in the session that gave them.
        plugin.call(|_| unsafe { free(session, &mut bytes) });
        file.ok_or_else(|| Failure::bad("the plug-in wrote no file"))
    }
}

impl Picture {
    fn outcome(&mut self, code: i32) -> Result<(), Failure> {
        if code == INR_OK {
            return Ok(());
        }
        let message = self.table.picture_message.expect(COMPLETE);
        let text = self.plugin.call(|_| {
            // SAFETY: the picture is open; its message is a string until the next call.
            unsafe { structs::text(message(self.raw), "the message") }
        });
        Err(failure(code, text))
    }

    /// What the file holds.
    ///
    /// # Errors
    /// What the plug-in says.
    pub fn info(&mut self) -> Result<PictureInfo, Failure> {
        let info = self.table.picture_info.expect(COMPLETE);
        let mut raw = InrPictureInfo {
            struct_size: size_of::<InrPictureInfo>(),
            width: 0,
            height: 0,
            sample: 0,
            layout: 0,
            alpha: 0,
            transfer: 0,
            icc: null(),
            icc_size: 0,
            exif: null(),
            exif_size: 0,
            xmp: null(),
            xmp_size: 0,
            model: null(),
            file_size: 0,
            cicp: [0; 4],
        };
        // SAFETY: the picture is open.
        let code = self.plugin.call(|_| unsafe { info(self.raw, &mut raw) });
        self.outcome(code)?;
        let format = Format {
            sample: Sample::from_code(raw.sample)?,
            layout: Layout::from_code(raw.layout)?,
            alpha: Alpha::from_code(raw.alpha)?,
            transfer: Transfer::from_code(raw.transfer)?,
        };
        // SAFETY: the plug-in says that these are there until the picture is closed.
        unsafe {
            Ok(PictureInfo {
                size: [raw.width, raw.height],
                format,
                icc: structs::bytes(raw.icc, raw.icc_size),
                exif: structs::bytes(raw.exif, raw.exif_size),
                xmp: structs::bytes(raw.xmp, raw.xmp_size),
                model: structs::text(raw.model, "the model")?.unwrap_or_default(),
                file_size: raw.file_size,
                cicp: Some(raw.cicp).filter(|cicp| *cicp != [0; 4]),
            })
        }
    }

    /// Renders `region`, all of the picture by default, or a derivative (`INR_DERIVATIVE_*`), into `output`. `range` is what
    /// ends the range of samples of a derivative, 0 for the largest there is.
    ///
    /// # Errors
    /// What the plug-in says.
    ///
    /// # Panics
    /// When the watcher's progress does.
    pub fn render(
        &mut self,
        region: Option<&Region>,
        derivative: u32,
        range: f64,
        output: &mut Pixmap,
        watcher: Option<Watcher>,
    ) -> Result<(), Failure> {
        let render = self.table.picture_render.expect(COMPLETE);
        let region = region.map(Region::raw);
        let target = output.target()?;
        let code = watched(watcher, |progress| {
            let call = InrRenderCall {
                struct_size: size_of::<InrRenderCall>(),
                region: region.as_ref().map_or(null(), std::ptr::from_ref),
                output: &raw const target,
                derivative,
                reserved: 0,
                range,
                progress,
            };
            // SAFETY: the picture is open, `call` and all that it points to is there, and `output` is ours alone.
            self.plugin.call(|_| unsafe { render(self.raw, &call) })
        });
        self.outcome(code)
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        let close = self.table.picture_close.expect(COMPLETE);
        // SAFETY: the picture is open, and this is its end.
        self.plugin.call(|_| unsafe { close(self.raw) });
    }
}
