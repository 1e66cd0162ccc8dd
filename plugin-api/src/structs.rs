//! Structs that begin with their size, read from and written to the other side's memory.

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
    /// Bytes of the first version. When members are appended, the offset of the first of them.
    const LEAST: usize;
    /// What messages call it.
    const NAME: &str;
}

macro_rules! sized {
    ($($name:ident $(($appended:ident))?)*) => {$(
        // SAFETY: all of these are `repr(C)`, begin so, and hold integers, floats, pointers and optional functions.
        unsafe impl AbiStruct for $name {
            const LEAST: usize = sized!(@least $name $($appended)?);
            const NAME: &str = stringify!($name);
        }
    )*};
    (@least $name:ident) => { size_of::<$name>() };
    (@least $name:ident $appended:ident) => { std::mem::offset_of!($name, $appended) };
}

sized! {
    InrHost InrBuffer InrRegion InrProgress InrChoice InrParamInfo InrInputInfo InrFilterInfo InrValue InrInput
    InrFilterCall InrPlan InrApi InrPictureInfo(cicp) InrRenderCall InrEncodeCall(cicp) InrBytes InrCodec
}

/// The size that the struct at `pointer` says it has, checked.
///
/// # Safety
/// `pointer` is NULL or points to at least a size.
unsafe fn size_at<T: AbiStruct>(pointer: *const T) -> Result<usize, Failure> {
    if pointer.is_null() {
        return Err(Failure::bad(format!("{} is NULL", T::NAME)));
    }
    if !pointer.is_aligned() {
        return Err(Failure::bad(format!("{} is not aligned", T::NAME)));
    }
    // SAFETY: neither NULL nor unaligned, and an `AbiStruct` begins with its size.
    let size = unsafe { pointer.cast::<usize>().read() };
    if size < T::LEAST {
        let least = T::LEAST;
        return Err(Failure::bad(format!(
            "{} says that it has {size} bytes, {least} are needed",
            T::NAME
        )));
    }
    Ok(size)
}

/// A copy of the struct at `pointer`; members that it does not have are zero.
///
/// # Errors
/// [`crate::Status::BadArgument`] for NULL and for structs that are too short.
///
/// # Safety
/// `pointer` is NULL or points to as many bytes as the struct there says.
pub unsafe fn read<T: AbiStruct>(pointer: *const T) -> Result<T, Failure> {
    // SAFETY: the caller's promise.
    let size = unsafe { size_at(pointer) }?;
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the source has `size` bytes, and no more are copied than the target has.
    unsafe {
        let bytes = size.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast(), bytes);
    }
    // SAFETY: zero bytes are valid, and so are those of the other side's struct.
    Ok(unsafe { value.assume_init() })
}

/// Writes `value` to `out`, as far as the struct there says that it reaches; its size stays.
///
/// # Errors
/// As [`read`].
///
/// # Safety
/// `out` is NULL or points to as many writable bytes as the struct there says.
pub unsafe fn write<T: AbiStruct>(out: *mut T, value: T) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    let size = unsafe { size_at(out) }?;
    let skip = size_of::<usize>();
    let bytes = size.min(size_of::<T>()) - skip;
    // SAFETY: both have at least `skip + bytes` bytes.
    unsafe {
        let from = (&raw const value).cast::<u8>().add(skip);
        std::ptr::copy_nonoverlapping(from, out.cast::<u8>().add(skip), bytes);
    }
    Ok(())
}

/// Structs behind an array of pointers.
///
/// # Safety
/// `pointers` is NULL or points to `count` pointers that [`read`] may read.
pub(crate) unsafe fn read_all<T: AbiStruct>(
    pointers: *const *const T,
    count: u32,
    most: u32,
) -> Result<Vec<T>, Failure> {
    if count > most {
        let name = T::NAME;
        return Err(Failure::bad(format!(
            "{count} of {name}, the most is {most}"
        )));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    if pointers.is_null() || !pointers.is_aligned() {
        return Err(Failure::bad(format!("the array of {} is NULL", T::NAME)));
    }
    // SAFETY: the array has `count` pointers by the caller's promise.
    let each = (0..count as usize).map(|index| unsafe { read(pointers.add(index).read()) });
    each.collect()
}

/// A copy of a string; `None` for NULL.
///
/// # Safety
/// `text` is NULL or ends with a zero byte.
pub(crate) unsafe fn text(text: *const c_char, what: &str) -> Result<Option<String>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and it ends by the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    match text.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Failure::bad(format!("{what} is not UTF-8"))),
    }
}

/// A copy of `size` bytes; `None` for NULL.
///
/// # Safety
/// `data` is NULL or points to `size` bytes.
pub unsafe fn bytes(data: *const u8, size: usize) -> Option<Vec<u8>> {
    if data.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { std::slice::from_raw_parts(data, size) }.to_vec())
}

/// `text` up to its first zero byte.
pub(crate) fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).expect("zero bytes were cut off")
}
