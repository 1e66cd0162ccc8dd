//! The C types of the suite `inr.codec`, which decodes and encodes picture files.

use std::ffi::c_char;

use crate::abi::{InrBuffer, InrParamInfo, InrProgress, InrRegion, InrSession, InrValue};

/// The picture itself.
pub const INR_DERIVATIVE_NONE: u32 = 0;
/// The derivative along x of every colour channel.
pub const INR_DERIVATIVE_DX: u32 = 1;
/// The derivative along y of every colour channel.
pub const INR_DERIVATIVE_DY: u32 = 2;
/// The Laplacian of every colour channel.
pub const INR_DERIVATIVE_LAPLACIAN: u32 = 3;
/// The derivatives of luma along x in red and along y in green.
pub const INR_DERIVATIVE_GRADIENT: u32 = 4;
/// The gradient of luma: its direction as hue, its length as value.
pub const INR_DERIVATIVE_GRADIENT_HSV: u32 = 5;
/// The length of the gradient of luma.
pub const INR_DERIVATIVE_MAGNITUDE: u32 = 6;
/// The unit normal of a relief whose height is luma.
pub const INR_DERIVATIVE_NORMAL: u32 = 7;

/// An opaque handle: an open picture file. It remains valid after its session is closed.
#[derive(Debug)]
pub struct InrPicture {
    _private: [u8; 0],
}

/// Contents of a picture file. Pointers are valid until the picture is closed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrPictureInfo {
    /// Size of this struct; the host sets it before the call.
    pub struct_size: usize,
    /// Native width.
    pub width: u32,
    /// Native height.
    pub height: u32,
    /// `INR_SAMPLE_*` of the source.
    pub sample: u32,
    /// `INR_LAYOUT_*` of the source.
    pub layout: u32,
    /// `INR_ALPHA_*` of the source.
    pub alpha: u32,
    /// `INR_TRANSFER_*` of the source.
    pub transfer: u32,
    /// ICC profile, or NULL.
    pub icc: *const u8,
    /// Size of the profile in bytes.
    pub icc_size: usize,
    /// Exif, beginning with its TIFF header, or NULL.
    pub exif: *const u8,
    /// Size of the Exif data in bytes.
    pub exif_size: usize,
    /// XMP packet, or NULL.
    pub xmp: *const u8,
    /// Size of the XMP packet in bytes.
    pub xmp_size: usize,
    /// Model, for example "pyramid".
    pub model: *const c_char,
    /// Size of the file in bytes.
    pub file_size: u64,
    /// Code points of ITU-T H.273: colour primaries, transfer characteristics, matrix coefficients, full range flag. All are
    /// 0 when unspecified. Since minor version 1.
    pub cicp: [u8; 4],
}

/// A call that renders a picture.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrRenderCall {
    /// Size of this struct.
    pub struct_size: usize,
    /// Requested region inside the picture; NULL: the whole picture at the output's size.
    pub region: *const InrRegion,
    /// Output buffer with the region's size, the layout of the picture or derivative, and any sample, alpha and transfer.
    pub output: *const InrBuffer,
    /// `INR_DERIVATIVE_*`.
    pub derivative: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The derivative, above 0, that maps to the end of the sample range; 0: the largest in the region.
    pub range: f64,
    /// May be NULL.
    pub progress: *const InrProgress,
}

/// A call that encodes a picture.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrEncodeCall {
    /// Size of this struct.
    pub struct_size: usize,
    /// The picture with its ICC profile.
    pub input: *const InrBuffer,
    /// Array of `value_count` values of `InrCodec::params`.
    pub values: *const *const InrValue,
    /// Number of values.
    pub value_count: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Exif, beginning with its TIFF header, or NULL.
    pub exif: *const u8,
    /// Size of the Exif data in bytes.
    pub exif_size: usize,
    /// XMP packet, or NULL.
    pub xmp: *const u8,
    /// Size of the XMP packet in bytes.
    pub xmp_size: usize,
    /// May be NULL.
    pub progress: *const InrProgress,
    /// Code points in the form of `InrPictureInfo::cicp`. Since minor version 1.
    pub cicp: [u8; 4],
}

/// A file in memory, in the host's memory when the host set `alloc`, otherwise in the plug-in's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrBytes {
    /// Size of this struct; the host sets it before the call.
    pub struct_size: usize,
    /// The bytes.
    pub data: *mut u8,
    /// Number of bytes.
    pub size: usize,
}

/// Name of the suite that opens, renders and encodes picture files; its struct is `InrCodec`.
pub const INR_SUITE_CODEC: &str = "inr.codec";
/// Version of the suite `inr.codec`.
pub const INR_SUITE_CODEC_VERSION: u32 = 1;

/// The suite `inr.codec`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InrCodec {
    /// Size of this struct.
    pub struct_size: usize,
    /// Version of the suite.
    pub version: u32,
    /// Number of parameters of `encode`.
    pub param_count: u32,
    /// Array of `param_count` parameters.
    pub params: *const *const InrParamInfo,
    /// Opens a file; the plug-in does not use `bytes` after the call. Leaves `out` unchanged on failure, which the session's
    /// message describes.
    pub picture_open: Option<
        unsafe extern "C" fn(
            session: *mut InrSession,
            bytes: *const u8,
            size: usize,
            out: *mut *mut InrPicture,
        ) -> i32,
    >,
    /// Frees the picture. No call may be running. Accepts NULL.
    pub picture_close: Option<unsafe extern "C" fn(picture: *mut InrPicture)>,
    /// Returns the message of the picture's last call, like `InrApi::session_message`.
    pub picture_message: Option<unsafe extern "C" fn(picture: *mut InrPicture) -> *const c_char>,
    /// Describes the contents of the file.
    pub picture_info:
        Option<unsafe extern "C" fn(picture: *mut InrPicture, out: *mut InrPictureInfo) -> i32>,
    /// Renders the picture or a derivative at any size.
    pub picture_render:
        Option<unsafe extern "C" fn(picture: *mut InrPicture, call: *const InrRenderCall) -> i32>,
    /// Encodes a picture into a file, which the host frees with `bytes_free`.
    pub encode: Option<
        unsafe extern "C" fn(
            session: *mut InrSession,
            call: *const InrEncodeCall,
            out: *mut InrBytes,
        ) -> i32,
    >,
    /// Frees a file that `encode` of the same session returned and clears the struct. Accepts NULL and empty structs.
    pub bytes_free: Option<unsafe extern "C" fn(session: *mut InrSession, bytes: *mut InrBytes)>,
    /// Usual extension of file names in lower case without a dot, or NULL. Since minor version 2.
    pub extension: *const c_char,
    /// MIME type of the files, or NULL. Since minor version 2.
    pub mime_type: *const c_char,
    /// The first bytes of every file, or NULL. Since minor version 2.
    pub magic: *const u8,
    /// Number of these bytes. Since minor version 2.
    pub magic_size: usize,
}
