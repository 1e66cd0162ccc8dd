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

/// The codec of a plug-in.
#[derive(Debug)]
pub struct Codec<'a> {
    session: &'a mut Session,
    table: InrCodec,
}

/// An open picture file. Any thread may use it, one call at a time.
#[derive(Debug)]
pub struct Picture {
    plugin: Plugin,
    table: InrCodec,
    raw: *mut InrPicture,
}

// SAFETY: the header lets handles move between threads, and `&mut self` prevents simultaneous calls.
unsafe impl Send for Picture {}

/// Contents of a picture file.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureInfo {
    /// Native width and height.
    pub size: [u32; 2],
    /// Storage format of the source's pixels.
    pub format: Format,
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Exif, beginning with its TIFF header.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// Code points in the form of `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
    /// Name of the model.
    pub model: String,
    /// Size of the file in bytes.
    pub file_size: u64,
}

/// Metadata for a file beside its pixels and ICC profile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// Exif, beginning with its TIFF header.
    pub exif: Option<&'a [u8]>,
    /// XMP packet.
    pub xmp: Option<&'a [u8]>,
    /// Code points in the form of `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
}

const COMPLETE: &str = "the loader rejects incomplete tables";

impl Session {
    /// The plug-in's codec.
    ///
    /// # Errors
    /// [`crate::Status::Unsupported`] when the plug-in has none.
    pub fn codec(&mut self) -> Result<Codec<'_>, Failure> {
        let table = self.plugin().codec_table();
        let table = table.ok_or_else(|| Failure::unsupported("the plug-in has no codec"))?;
        Ok(Codec {
            session: self,
            table,
        })
    }
}

impl Codec<'_> {
    /// Opens the file in `bytes`.
    ///
    /// # Errors
    /// The plug-in's failure; [`crate::Status::Corrupt`] for damaged files.
    pub fn open(&mut self, bytes: &[u8]) -> Result<Picture, Failure> {
        let plugin = self.session.plugin().clone();
        let open = self.table.picture_open.expect(COMPLETE);
        let session = self.session.raw();
        let mut raw = null_mut();
        // SAFETY: the session is open, and the bytes are valid during the call.
        let code = plugin.call(|_| unsafe { open(session, bytes.as_ptr(), bytes.len(), &mut raw) });
        self.session.outcome(code)?;
        if raw.is_null() {
            return Err(Failure::bad("the plug-in returned no picture"));
        }
        let table = self.table;
        Ok(Picture { plugin, table, raw })
    }

    /// Encodes `pixels` and `extras` into a file.
    ///
    /// # Errors
    /// The plug-in's failure.
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
        let mut bytes: InrBytes = structs::empty();
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
            // SAFETY: the session is open, and `call` and all its pointers are valid during the call.
            plugin.call(|_| unsafe { encode(session, &call, &mut bytes) })
        });
        self.session.outcome(code)?;
        // SAFETY: the plug-in promises `size` bytes at `data`.
        let file = unsafe { structs::bytes(bytes.data, bytes.size) };
        // SAFETY: the session that allocated the bytes frees them once.
        plugin.call(|_| unsafe { free(session, &mut bytes) });
        file.ok_or_else(|| Failure::bad("the plug-in returned no file"))
    }
}

impl Picture {
    fn outcome(&mut self, code: i32) -> Result<(), Failure> {
        if code == INR_OK {
            return Ok(());
        }
        let message = self.table.picture_message.expect(COMPLETE);
        let text = self.plugin.call(|_| {
            // SAFETY: the picture is open, and its message is valid until the next call.
            unsafe { structs::text(message(self.raw), "the message") }
        });
        Err(failure(code, text))
    }

    /// Describes the contents of the file.
    ///
    /// # Errors
    /// The plug-in's failure.
    pub fn info(&mut self) -> Result<PictureInfo, Failure> {
        let info = self.table.picture_info.expect(COMPLETE);
        let mut raw: InrPictureInfo = structs::empty();
        // SAFETY: the picture is open.
        let code = self.plugin.call(|_| unsafe { info(self.raw, &mut raw) });
        self.outcome(code)?;
        let format = Format {
            sample: Sample::from_code(raw.sample)?,
            layout: Layout::from_code(raw.layout)?,
            alpha: Alpha::from_code(raw.alpha)?,
            transfer: Transfer::from_code(raw.transfer)?,
        };
        // SAFETY: the plug-in promises that these are valid until the picture is closed.
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

    /// Renders `region` (`None`: the whole picture) or a derivative (`INR_DERIVATIVE_*`) of it into `output`. `range` is the
    /// derivative that maps to the end of the sample range; 0 stands for the largest in the region.
    ///
    /// # Errors
    /// The plug-in's failure.
    ///
    /// # Panics
    /// When the watcher's `progress` panics.
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
            // SAFETY: the picture is open, `call` and all its pointers are valid during the call, and nothing else uses
            // `output`.
            self.plugin.call(|_| unsafe { render(self.raw, &call) })
        });
        self.outcome(code)
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        let close = self.table.picture_close.expect(COMPLETE);
        // SAFETY: the picture is open, and this is its last call.
        self.plugin.call(|_| unsafe { close(self.raw) });
    }
}
