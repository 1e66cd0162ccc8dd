//! Types of GIMP 2.10 and the functions that the program loads from its libraries.

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;

use crate::editor::{Gimp, functions};
use crate::metadata::Metadata;

/// Name of this plug-in for GIMP's windows.
pub(crate) const NAME: &std::ffi::CStr = c"inr";
pub(crate) const SAVE: &str = "file-inr-save";

/// `GimpPDBArgType`.
pub(crate) mod tag {
    use std::ffi::c_int;
    pub(crate) const INT32: c_int = 0;
    pub(crate) const FLOAT: c_int = 3;
    pub(crate) const STRING: c_int = 4;
    pub(crate) const COLOR: c_int = 10;
    pub(crate) const IMAGE: c_int = 13;
    pub(crate) const DRAWABLE: c_int = 16;
    pub(crate) const STATUS: c_int = 21;
}

/// `GimpParamDef`.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct ParamDef {
    pub(crate) tag: c_int,
    pub(crate) name: *const c_char,
    pub(crate) description: *const c_char,
}

/// `GimpParam`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct GimpParam {
    pub(crate) tag: c_int,
    pub(crate) data: ParamData,
}

/// `GimpParamData`, of which `rgb` is among the largest members.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union ParamData {
    pub(crate) int: c_int,
    pub(crate) float: f64,
    pub(crate) text: *mut c_char,
    pub(crate) rgb: [f64; 4],
}

const _: () = assert!(size_of::<GimpParam>() == 40);

pub(crate) type Run =
    unsafe extern "C" fn(*const c_char, c_int, *const GimpParam, *mut c_int, *mut *mut GimpParam);

/// `GimpPlugInInfo`.
#[repr(C)]
pub(crate) struct PlugInInfo {
    pub(crate) init: Option<extern "C" fn()>,
    pub(crate) quit: Option<extern "C" fn()>,
    pub(crate) query: Option<extern "C" fn()>,
    pub(crate) run: Option<Run>,
}

functions! {
    /// Functions that only GIMP 2.10 has.
    Gimp2 {
        gimp_main: unsafe extern "C" fn(*const PlugInInfo, c_int, *mut *mut c_char) -> c_int,
        gimp_install_procedure: unsafe extern "C" fn(
            *const c_char, *const c_char, *const c_char, *const c_char, *const c_char, *const c_char, *const c_char,
            *const c_char, c_int, c_int, c_int, *const ParamDef, *const ParamDef
        ),
        gimp_plugin_menu_register: unsafe extern "C" fn(*const c_char, *const c_char) -> c_int,
        gimp_register_magic_load_handler: unsafe extern "C" fn(*const c_char, *const c_char, *const c_char, *const c_char) -> c_int,
        gimp_register_save_handler: unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> c_int,
        gimp_register_file_handler_mime: unsafe extern "C" fn(*const c_char, *const c_char) -> c_int,
        gimp_register_thumbnail_loader: unsafe extern "C" fn(*const c_char, *const c_char) -> c_int,
        gimp_procedural_db_get_data: unsafe extern "C" fn(*const c_char, *mut c_void) -> c_int,
        gimp_procedural_db_get_data_size: unsafe extern "C" fn(*const c_char) -> c_int,
        gimp_procedural_db_set_data: unsafe extern "C" fn(*const c_char, *const c_void, u32) -> c_int,
        gimp_image_set_filename: unsafe extern "C" fn(c_int, *const c_char) -> c_int,
        gimp_item_is_valid: extern "C" fn(c_int) -> c_int,
        gimp_display_new: extern "C" fn(c_int) -> c_int,
        gimp_displays_flush: extern "C" fn() -> c_int,
    }
}

/// The loaded functions.
pub(crate) struct Tables {
    pub(crate) gimp: Gimp<c_int>,
    pub(crate) metadata: Option<Metadata<c_int>>,
    pub(crate) own: Gimp2,
}

pub(crate) static TABLES: OnceLock<Tables> = OnceLock::new();

/// The loaded functions. `main` loads them before GIMP calls.
pub(crate) fn tables() -> &'static Tables {
    TABLES.get().expect("main loads them first")
}
