//! Reads and writes structs, strings and bytes in the other side's memory.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;

use crate::abi::*;
use crate::abi_codec::*;
use crate::status::Failure;

/// A `repr(C)` struct that begins with its size in bytes.
///
/// # Safety
/// The struct is `repr(C)`, its first member is `struct_size: usize`, and zero bytes are a valid value of every member.
pub unsafe trait AbiStruct: Copy {
    /// Size of the struct in its first version: the offset of the first member that a later version appended.
    const MIN_SIZE: usize;
    /// Name in messages.
    const NAME: &str;
}

/// Returns a zeroed struct with its size set, for the other side to fill.
pub fn empty<T: AbiStruct>() -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: an `AbiStruct` begins with its size, and zero bytes are valid values of the other members.
    unsafe {
        value.as_mut_ptr().cast::<usize>().write(size_of::<T>());
        value.assume_init()
    }
}

macro_rules! sized {
    ($($name:ident $(($appended:ident))?)*) => {$(
        // SAFETY: each struct is `repr(C)`, begins with its size, and holds integers, floats, pointers and optional functions.
        unsafe impl AbiStruct for $name {
            const MIN_SIZE: usize = sized!(@min $name $($appended)?);
            const NAME: &str = stringify!($name);
        }
    )*};
    (@min $name:ident) => { size_of::<$name>() };
    (@min $name:ident $appended:ident) => { std::mem::offset_of!($name, $appended) };
}

sized! {
    InrHost InrBuffer InrRegion InrProgress InrChoice InrParamInfo InrInputInfo InrFilterInfo InrValue InrInput
    InrFilterCall InrPlan InrApi InrPictureInfo(cicp) InrRenderCall InrEncodeCall(cicp) InrBytes InrCodec(extension)
}

/// What an [`InrHost`] of any version of the ABI begins with.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct AnyHost {
    struct_size: usize,
    pub(crate) abi_major: u32,
}

// SAFETY: the struct is `repr(C)`, begins with its size, and holds integers.
unsafe impl AbiStruct for AnyHost {
    const MIN_SIZE: usize = std::mem::offset_of!(Self, abi_major) + size_of::<u32>();
    const NAME: &str = InrHost::NAME;
}

const _: () =
    assert!(std::mem::offset_of!(AnyHost, abi_major) == std::mem::offset_of!(InrHost, abi_major));

/// Returns the size that the struct at `pointer` states, after checking the pointer and the size.
///
/// # Safety
/// `pointer` is NULL or points to a readable size.
unsafe fn size_at<T: AbiStruct>(pointer: *const T) -> Result<usize, Failure> {
    if pointer.is_null() {
        return Err(Failure::bad(format!("{} is NULL", T::NAME)));
    }
    if !pointer.is_aligned() {
        return Err(Failure::bad(format!("{} is not aligned", T::NAME)));
    }
    // SAFETY: the pointer is not NULL and is aligned, and an `AbiStruct` begins with its size.
    let size = unsafe { pointer.cast::<usize>().read() };
    if size < T::MIN_SIZE {
        let (name, min) = (T::NAME, T::MIN_SIZE);
        return Err(Failure::bad(format!(
            "{name} states a size of {size} bytes; the minimum is {min}"
        )));
    }
    Ok(size)
}

/// Copies the struct at `pointer`. Members beyond its stated size are zero.
///
/// # Errors
/// [`crate::Status::BadArgument`] for NULL, unaligned pointers and structs below the minimum size.
///
/// # Safety
/// `pointer` is NULL or points to as many readable bytes as the struct states.
pub unsafe fn read<T: AbiStruct>(pointer: *const T) -> Result<T, Failure> {
    // SAFETY: the caller makes this promise.
    let size = unsafe { size_at(pointer) }?;
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the source has `size` bytes, and the copy fits the target.
    unsafe {
        let bytes = size.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast(), bytes);
    }
    // SAFETY: zero bytes are valid, and so are the bytes of the other side's struct.
    Ok(unsafe { value.assume_init() })
}

/// Writes `value` to `out` up to the size that the struct there states, and leaves that size unchanged.
///
/// # Errors
/// The errors of [`read`].
///
/// # Safety
/// `out` is NULL or points to as many writable bytes as the struct states.
pub unsafe fn write<T: AbiStruct>(out: *mut T, value: T) -> Result<(), Failure> {
    // SAFETY: the caller makes this promise.
    let size = unsafe { size_at(out) }?;
    let skip = size_of::<usize>();
    let bytes = size.min(size_of::<T>()) - skip;
    // SAFETY: source and target have at least `skip + bytes` bytes.
    unsafe {
        let from = (&raw const value).cast::<u8>().add(skip);
        std::ptr::copy_nonoverlapping(from, out.cast::<u8>().add(skip), bytes);
    }
    Ok(())
}

/// Copies the structs behind an array of pointers.
///
/// # Safety
/// `pointers` is NULL or points to `count` pointers that [`read`] may read.
pub(crate) unsafe fn read_all<T: AbiStruct>(
    pointers: *const *const T,
    count: u32,
    max: u32,
) -> Result<Vec<T>, Failure> {
    if count > max {
        let name = T::NAME;
        return Err(Failure::bad(format!(
            "{count} structs {name}; the limit is {max}"
        )));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    if pointers.is_null() || !pointers.is_aligned() {
        return Err(Failure::bad(format!(
            "the array of {} is NULL or not aligned",
            T::NAME
        )));
    }
    // SAFETY: the caller promises an array of `count` pointers.
    let each = (0..count as usize).map(|index| unsafe { read(pointers.add(index).read()) });
    each.collect()
}

/// Copies a string. NULL gives `None`.
///
/// # Safety
/// `text` is NULL or ends with a zero byte.
pub(crate) unsafe fn text(text: *const c_char, what: &str) -> Result<Option<String>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the pointer is not NULL, and the caller promises a zero byte at the end.
    let text = unsafe { CStr::from_ptr(text) };
    match text.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Failure::bad(format!("{what} is not UTF-8"))),
    }
}

/// Copies `size` bytes. NULL gives `None`.
///
/// # Safety
/// `data` is NULL or points to `size` bytes.
pub unsafe fn bytes(data: *const u8, size: usize) -> Option<Vec<u8>> {
    if data.is_null() {
        return None;
    }
    // SAFETY: the caller makes this promise.
    Some(unsafe { std::slice::from_raw_parts(data, size) }.to_vec())
}

/// Copies `text` up to its first zero byte for C.
pub(crate) fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).expect("zero bytes were cut off")
}
