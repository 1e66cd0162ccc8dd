//! The suite `inr.codec` for plug-ins in Rust: the C functions around a safe [`Codec`].

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use super::handle::{Handle, Host, in_session};
use super::tables::{Tables, settle_values, text};
use super::watch::Watch;
use crate::abi::*;
use crate::abi_codec::*;
use crate::buffer::{Format, Pixels, PixelsMut};
use crate::describe::{FileType, Param, Value};
use crate::region::Region;
use crate::status::Failure;
use crate::structs::{bytes, read, write};

/// Decodes and encodes pictures. A value of the type is an open picture.
pub trait Codec: Sized + 'static {
    /// The suite's tables. Every call must return the same tables: keep them in a `LazyLock`.
    fn tables() -> &'static CodecTables;

    /// Opens the picture in `file`.
    ///
    /// # Errors
    /// Any reason not to open the file.
    fn open(file: &[u8], host: &Host) -> Result<Self, Failure>;

    /// Describes the open picture.
    fn info(&self) -> CodecInfo<'_>;

    /// Renders into `output`.
    ///
    /// # Errors
    /// Defined by the codec.
    fn render(&mut self, call: &RenderCall, output: &mut PixelsMut) -> Result<(), Failure>;

    /// Encodes a picture into a file.
    ///
    /// # Errors
    /// Defined by the codec.
    fn encode(call: &EncodeCall, host: &Host) -> Result<Vec<u8>, Failure>;
}

/// Description of a picture, the safe form of [`InrPictureInfo`].
#[derive(Clone, Copy, Debug)]
pub struct CodecInfo<'a> {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Format of the source's samples.
    pub format: Format,
    /// ICC profile.
    pub icc: Option<&'a [u8]>,
    /// Exif.
    pub exif: Option<&'a [u8]>,
    /// XMP.
    pub xmp: Option<&'a [u8]>,
    /// Code points in the form of `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
    /// Name of the model.
    pub model: &'static CStr,
    /// Size of the file in bytes.
    pub file_size: u64,
}

/// A call that renders a picture.
#[derive(Clone, Copy, Debug)]
pub struct RenderCall {
    /// Requested region; `None` for the whole picture.
    pub region: Option<Region>,
    /// One of `INR_DERIVATIVE_*`.
    pub derivative: u32,
    /// The derivative that maps to the end of the sample range, when the host sets it.
    pub range: Option<f64>,
    /// Progress and cancelling.
    pub watch: Watch,
}

/// A call that encodes a picture.
#[derive(Debug)]
pub struct EncodeCall<'a> {
    /// Pixels of the picture.
    pub pixels: Pixels<'a>,
    /// Exif.
    pub exif: Option<Vec<u8>>,
    /// XMP.
    pub xmp: Option<Vec<u8>>,
    /// Code points in the form of `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
    /// Values of the parameters in their order.
    pub values: Vec<Value>,
    /// Progress and cancelling.
    pub watch: Watch,
}

/// Functions and parameters of a codec for C. Never freed, because hosts keep pointers into it.
#[derive(Debug)]
pub struct CodecTables {
    params: Vec<Param>,
    pub(super) table: InrCodec,
}

// SAFETY: nothing writes to the memory behind the table's pointers.
unsafe impl Send for CodecTables {}
// SAFETY: the same reason.
unsafe impl Sync for CodecTables {}

impl CodecTables {
    /// Builds the tables of `C`, whose encoder has `params`, for files of `file_type`.
    pub fn new<C: Codec>(params: Vec<Param>, file_type: FileType) -> Self {
        let magic: &'static [u8] = file_type.magic.leak();
        Self {
            table: InrCodec {
                struct_size: size_of::<InrCodec>(),
                version: INR_SUITE_CODEC_VERSION,
                param_count: params.len() as u32,
                params: Tables::params(&params),
                picture_open: Some(picture_open::<C>),
                picture_close: Some(picture_close::<C>),
                picture_message: Some(picture_message::<C>),
                picture_info: Some(picture_info::<C>),
                picture_render: Some(picture_render::<C>),
                encode: Some(encode::<C>),
                bytes_free: Some(bytes_free),
                extension: optional(&file_type.extension),
                mime_type: optional(&file_type.mime_type),
                magic: optional_bytes(magic),
                magic_size: magic.len(),
            },
            params,
        }
    }
}

fn optional(value: &str) -> *const c_char {
    match value.is_empty() {
        true => null(),
        false => text(value),
    }
}

fn optional_bytes(bytes: &'static [u8]) -> *const u8 {
    match bytes.is_empty() {
        true => null(),
        false => bytes.as_ptr(),
    }
}

/// Contents of an [`InrPicture`].
struct Opened<C>(C);

unsafe extern "C" fn picture_open<C: Codec>(
    session: *mut InrSession,
    data: *const u8,
    size: usize,
    out: *mut *mut InrPicture,
) -> i32 {
    // SAFETY: the header requires this of the caller.
    unsafe {
        in_session(session, |session| {
            if out.is_null() || data.is_null() {
                return Err(Failure::bad("the bytes or the output pointer is NULL"));
            }
            let file = std::slice::from_raw_parts(data, size);
            let opened = Handle::open(Opened(C::open(file, &session.host)?));
            out.write(opened.cast());
            Ok(())
        })
    }
}

unsafe extern "C" fn picture_close<C: Codec>(picture: *mut InrPicture) {
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Opened<C>>::close(picture.cast()) }
}

unsafe extern "C" fn picture_message<C: Codec>(picture: *mut InrPicture) -> *const c_char {
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Opened<C>>::message(picture.cast()) }
}

unsafe extern "C" fn picture_info<C: Codec>(
    picture: *mut InrPicture,
    out: *mut InrPictureInfo,
) -> i32 {
    let work = |opened: &mut Opened<C>| {
        let found = opened.0.info();
        let blob = |blob: Option<&[u8]>| blob.map_or((null(), 0), |b| (b.as_ptr(), b.len()));
        let (icc, icc_size) = blob(found.icc);
        let (exif, exif_size) = blob(found.exif);
        let (xmp, xmp_size) = blob(found.xmp);
        let info = InrPictureInfo {
            struct_size: 0,
            width: found.size[0],
            height: found.size[1],
            sample: found.format.sample.code(),
            layout: found.format.layout.code(),
            alpha: found.format.alpha.code(),
            transfer: found.format.transfer.code(),
            icc,
            icc_size,
            exif,
            exif_size,
            xmp,
            xmp_size,
            model: found.model.as_ptr(),
            file_size: found.file_size,
            cicp: found.cicp.unwrap_or_default(),
        };
        // SAFETY: the header requires this of the caller.
        unsafe { write(out, info) }
    };
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Opened<C>>::with(picture.cast(), work) }
}

unsafe extern "C" fn picture_render<C: Codec>(
    picture: *mut InrPicture,
    call: *const InrRenderCall,
) -> i32 {
    let work = |opened: &mut Opened<C>| {
        // SAFETY: the header requires these of the caller.
        let (call, mut output, watch) = unsafe {
            let call = read(call)?;
            let output = PixelsMut::new(call.output)?;
            (call, output, Watch::new(call.progress)?)
        };
        let region = match call.region.is_null() {
            true => None,
            // SAFETY: the header requires this of the caller.
            false => Some(Region::checked(&unsafe { read(call.region) }?)?),
        };
        let call = RenderCall {
            region,
            derivative: call.derivative,
            range: Some(call.range).filter(|range| *range != 0.0),
            watch,
        };
        opened.0.render(&call, &mut output)
    };
    // SAFETY: the header requires this of the caller.
    unsafe { Handle::<Opened<C>>::with(picture.cast(), work) }
}

unsafe extern "C" fn encode<C: Codec>(
    session: *mut InrSession,
    call: *const InrEncodeCall,
    out: *mut InrBytes,
) -> i32 {
    // SAFETY: the header requires this of the caller.
    unsafe {
        in_session(session, |session| {
            let call = read(call)?;
            read(out)?;
            let pixels = Pixels::new(call.input, true)?;
            let [width, height] = pixels.size();
            session.warn_of_strays("the picture", &pixels, [0, 0, width, height]);
            let call = EncodeCall {
                pixels,
                exif: bytes(call.exif, call.exif_size),
                xmp: bytes(call.xmp, call.xmp_size),
                cicp: Some(call.cicp).filter(|cicp| *cicp != [0; 4]),
                values: settle_values(&C::tables().params, call.values, call.value_count)?,
                watch: Watch::new(call.progress)?,
            };
            let file = C::encode(&call, &session.host)?;
            write(out, session.host.hand_out(file)?)
        })
    }
}

unsafe extern "C" fn bytes_free(session: *mut InrSession, bytes: *mut InrBytes) {
    if bytes.is_null() {
        return;
    }
    // SAFETY: the header requires this of the caller. The status only reports that nothing was freed.
    unsafe {
        in_session(session, |session| {
            let given = read(bytes)?;
            session.host.release(given);
            let freed = InrBytes {
                struct_size: given.struct_size,
                data: null_mut(),
                size: 0,
            };
            write(bytes, freed)
        });
    }
}
