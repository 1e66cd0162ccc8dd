//! The suite `inr.codec`: files to pictures and back.

use std::ffi::c_char;

use crate::abi::{InrBuffer, InrParamInfo, InrProgress, InrRegion, InrSession, InrValue};

/// The field itself.
pub const INR_DERIVATIVE_NONE: u32 = 0;
/// d/dx of every colour channel.
pub const INR_DERIVATIVE_DX: u32 = 1;
/// d/dy of every colour channel.
pub const INR_DERIVATIVE_DY: u32 = 2;
/// The Laplacian of every colour channel.
pub const INR_DERIVATIVE_LAPLACIAN: u32 = 3;
/// d/dx and d/dy of luma in red and green.
pub const INR_DERIVATIVE_GRADIENT: u32 = 4;
/// Luma's gradient: direction as the hue, length as the value.
pub const INR_DERIVATIVE_GRADIENT_HSV: u32 = 5;
/// Length of luma's gradient.
pub const INR_DERIVATIVE_MAGNITUDE: u32 = 6;
/// Unit normal of the relief whose height is luma.
pub const INR_DERIVATIVE_NORMAL: u32 = 7;

/// An opened picture file; not to be looked into. Independent of the session that opened it.
#[derive(Debug)]
pub struct InrPicture {
    _private: [u8; 0],
}

/// What a picture file holds. Pointers are there until the picture is closed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrPictureInfo {
    /// Size of this struct; set by the host before the call.
    pub struct_size: usize,
    /// Width at native size.
    pub width: u32,
    /// Height at native size.
    pub height: u32,
    /// `INR_SAMPLE_*` of the source.
    pub sample: u32,
    /// `INR_LAYOUT_*` of the source.
    pub layout: u32,
    /// `INR_ALPHA_*`.
    pub alpha: u32,
    /// `INR_TRANSFER_*`.
    pub transfer: u32,
    /// ICC profile, or NULL.
    pub icc: *const u8,
    /// Bytes of the profile.
    pub icc_size: usize,
    /// Exif from its TIFF header on, or NULL.
    pub exif: *const u8,
    /// Bytes of Exif.
    pub exif_size: usize,
    /// XMP packet, or NULL.
    pub xmp: *const u8,
    /// Bytes of XMP.
    pub xmp_size: usize,
    /// Kind of field, such as "pyramid".
    pub model: *const c_char,
    /// Length of the file.
    pub file_size: u64,
    /// Code points of ITU-T H.273: colour primaries, transfer characteristics, matrix coefficients, full range flag; all 0:
    /// not stated. Since minor version 1.
    pub cicp: [u8; 4],
}

/// What is asked of a picture.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrRenderCall {
    /// Size of this struct.
    pub struct_size: usize,
    /// The wanted pixels, inside the picture; NULL: all of it at the output's size.
    pub region: *const InrRegion,
    /// Where they go, with the region's size, the picture's layout (a derivative's, for derivatives), and any sample, alpha
    /// and transfer.
    pub output: *const InrBuffer,
    /// `INR_DERIVATIVE_*`.
    pub derivative: u32,
    /// 0.
    pub reserved: u32,
    /// The derivative that ends the range of samples, above 0; 0: the largest in the region.
    pub range: f64,
    /// May be NULL.
    pub progress: *const InrProgress,
}

/// What is asked of the encoder.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrEncodeCall {
    /// Size of this struct.
    pub struct_size: usize,
    /// The picture with its ICC profile.
    pub input: *const InrBuffer,
    /// `value_count` of them, of `InrCodec::params`.
    pub values: *const *const InrValue,
    /// Values.
    pub value_count: u32,
    /// 0.
    pub reserved: u32,
    /// Exif from its TIFF header on, or NULL.
    pub exif: *const u8,
    /// Bytes of Exif.
    pub exif_size: usize,
    /// XMP packet, or NULL.
    pub xmp: *const u8,
    /// Bytes of XMP.
    pub xmp_size: usize,
    /// May be NULL.
    pub progress: *const InrProgress,
    /// As `InrPictureInfo::cicp`. Since minor version 1.
    pub cicp: [u8; 4],
}

/// A file in memory: the host's memory if it gave `alloc`, else the plug-in's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrBytes {
    /// Size of this struct; set by the host before the call.
    pub struct_size: usize,
    /// The bytes.
    pub data: *mut u8,
    /// How many.
    pub size: usize,
}

/// Name of the suite that opens, renders and encodes picture files: `InrCodec`.
pub const INR_SUITE_CODEC: &str = "inr.codec";
/// Version of `InrCodec`.
pub const INR_SUITE_CODEC_VERSION: u32 = 1;

/// The suite `inr.codec`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrCodec {
    /// Size of this struct.
    pub struct_size: usize,
    /// Version of the suite.
    pub version: u32,
    /// Parameters of `encode`.
    pub param_count: u32,
    /// `param_count` of them.
    pub params: *const *const InrParamInfo,
    /// Opens a file, whose bytes are not kept. `out` is untouched on failure, which the session's message tells of.
    pub picture_open: Option<
        unsafe extern "C" fn(
            session: *mut InrSession,
            bytes: *const u8,
            size: usize,
            out: *mut *mut InrPicture,
        ) -> i32,
    >,
    /// Frees it; no call may be under way. NULL is fine.
    pub picture_close: Option<unsafe extern "C" fn(picture: *mut InrPicture)>,
    /// Why the picture's last call failed, as `InrApi::session_message`.
    pub picture_message: Option<unsafe extern "C" fn(picture: *mut InrPicture) -> *const c_char>,
    /// What it holds.
    pub picture_info:
        Option<unsafe extern "C" fn(picture: *mut InrPicture, out: *mut InrPictureInfo) -> i32>,
    /// Renders it at any size, or its derivatives.
    pub picture_render:
        Option<unsafe extern "C" fn(picture: *mut InrPicture, call: *const InrRenderCall) -> i32>,
    /// Makes a file of a picture; `bytes_free` takes it back.
    pub encode: Option<
        unsafe extern "C" fn(
            session: *mut InrSession,
            call: *const InrEncodeCall,
            out: *mut InrBytes,
        ) -> i32,
    >,
    /// Frees what `encode` of the same session gave, and forgets it; NULL and empty are fine.
    pub bytes_free: Option<unsafe extern "C" fn(session: *mut InrSession, bytes: *mut InrBytes)>,
}
