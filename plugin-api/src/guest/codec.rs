//! The suite `inr.codec` of plug-ins in Rust: what C calls, around a [`Codec`] in which nothing is unsafe.

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use super::handle::{Handle, Host, in_session};
use super::tables::{Tables, settle_values};
use super::watch::Watch;
use crate::abi::*;
use crate::abi_codec::*;
use crate::buffer::{Format, Pixels, PixelsMut};
use crate::describe::{Param, Value};
use crate::region::Region;
use crate::status::Failure;
use crate::structs::{bytes, read, write};

/// A reader and writer of pictures. A value is an open picture.
pub trait Codec: Sized + 'static {
    /// The suite's tables, always the same ones: keep them in a `LazyLock`.
    fn tables() -> &'static CodecTables;

    /// The picture in `file`.
    ///
    /// # Errors
    /// Whatever speaks against opening it.
    fn open(file: &[u8], host: &Host) -> Result<Self, Failure>;

    /// What is told of it.
    fn info(&self) -> CodecInfo<'_>;

    /// Fills `output`.
    ///
    /// # Errors
    /// As the codec has them.
    fn render(&mut self, call: &RenderCall, output: &mut PixelsMut) -> Result<(), Failure>;

    /// The file of a picture.
    ///
    /// # Errors
    /// As the codec has them.
    fn encode(call: &EncodeCall, host: &Host) -> Result<Vec<u8>, Failure>;
}

/// What [`InrPictureInfo`] tells.
#[derive(Clone, Copy, Debug)]
pub struct CodecInfo<'a> {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Samples that it would be rendered in by itself.
    pub format: Format,
    /// ICC profile.
    pub icc: Option<&'a [u8]>,
    /// Exif.
    pub exif: Option<&'a [u8]>,
    /// XMP.
    pub xmp: Option<&'a [u8]>,
    /// Code points, as `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
    /// What kind of field it is.
    pub model: &'static CStr,
    /// Bytes of the file.
    pub file_size: u64,
}

/// A render that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct RenderCall {
    /// The part; all of it if there is none.
    pub region: Option<Region>,
    /// One of `INR_DERIVATIVE_*`.
    pub derivative: u32,
    /// What the end of the derivative's range stands for, if the host says.
    pub range: Option<f64>,
    /// Progress and cancelling.
    pub watch: Watch,
}

/// A picture to be encoded.
#[derive(Debug)]
pub struct EncodeCall<'a> {
    /// Its pixels.
    pub pixels: Pixels<'a>,
    /// Exif.
    pub exif: Option<Vec<u8>>,
    /// XMP.
    pub xmp: Option<Vec<u8>>,
    /// Code points, as `InrPictureInfo::cicp`.
    pub cicp: Option<[u8; 4]>,
    /// The parameters' values, in their order.
    pub values: Vec<Value>,
    /// Progress and cancelling.
    pub watch: Watch,
}

/// A codec's functions and parameters as C sees them. Made once, never freed: hosts keep pointers into it.
#[derive(Debug)]
pub struct CodecTables {
    params: Vec<Param>,
    pub(super) table: InrCodec,
}

// SAFETY: what the table's pointers lead to is never written again.
unsafe impl Send for CodecTables {}
// SAFETY: as above.
unsafe impl Sync for CodecTables {}

impl CodecTables {
    /// Those of `C`, whose encoder has `params`.
    pub fn new<C: Codec>(params: Vec<Param>) -> Self {
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
            },
            params,
        }
    }
}

/// What is behind an [`InrPicture`].
struct Opened<C>(C);

unsafe extern "C" fn picture_open<C: Codec>(
    session: *mut InrSession,
    data: *const u8,
    size: usize,
    out: *mut *mut InrPicture,
) -> i32 {
    // SAFETY: the header asks this of the caller.
    unsafe {
        in_session(session, |session| {
            if out.is_null() || data.is_null() {
                return Err(Failure::bad("the bytes or out are NULL"));
            }
            let file = std::slice::from_raw_parts(data, size);
            let opened = Handle::open(Opened(C::open(file, &session.host)?));
            out.write(opened.cast());
            Ok(())
        })
    }
}

unsafe extern "C" fn picture_close<C: Codec>(picture: *mut InrPicture) {
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened<C>>::close(picture.cast()) }
}

unsafe extern "C" fn picture_message<C: Codec>(picture: *mut InrPicture) -> *const c_char {
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened<C>>::message(picture.cast()) }
}

unsafe extern "C" fn picture_info<C: Codec>(
    picture: *mut InrPicture,
    out: *mut InrPictureInfo,
) -> i32 {
    let work = |opened: &mut Opened<C>| {
        let told = opened.0.info();
        let blob = |blob: Option<&[u8]>| blob.map_or((null(), 0), |b| (b.as_ptr(), b.len()));
        let (icc, icc_size) = blob(told.icc);
        let (exif, exif_size) = blob(told.exif);
        let (xmp, xmp_size) = blob(told.xmp);
        let info = InrPictureInfo {
            struct_size: 0,
            width: told.size[0],
            height: told.size[1],
            sample: told.format.sample.code(),
            layout: told.format.layout.code(),
            alpha: told.format.alpha.code(),
            transfer: told.format.transfer.code(),
            icc,
            icc_size,
            exif,
            exif_size,
            xmp,
            xmp_size,
            model: told.model.as_ptr(),
            file_size: told.file_size,
            cicp: told.cicp.unwrap_or_default(),
        };
        // SAFETY: the header asks this of the caller.
        unsafe { write(out, info) }
    };
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened<C>>::with(picture.cast(), work) }
}

unsafe extern "C" fn picture_render<C: Codec>(
    picture: *mut InrPicture,
    call: *const InrRenderCall,
) -> i32 {
    let work = |opened: &mut Opened<C>| {
        // SAFETY: the header asks these of the caller.
        let (call, mut output, watch) = unsafe {
            let call = read(call)?;
            let output = PixelsMut::new(call.output)?;
            (call, output, Watch::new(call.progress)?)
        };
        let region = match call.region.is_null() {
            true => None,
            // SAFETY: the header asks this of the caller.
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
    // SAFETY: the header asks this of the caller.
    unsafe { Handle::<Opened<C>>::with(picture.cast(), work) }
}

unsafe extern "C" fn encode<C: Codec>(
    session: *mut InrSession,
    call: *const InrEncodeCall,
    out: *mut InrBytes,
) -> i32 {
    // SAFETY: the header asks this of the caller.
    unsafe {
        in_session(session, |session| {
            let call = read(call)?;
            read(out)?;
            let call = EncodeCall {
                pixels: Pixels::new(call.input, true)?,
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
    // SAFETY: the header asks this of the caller. The code only says that there was nothing to free.
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
