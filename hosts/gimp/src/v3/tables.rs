//! Types of GIMP 3.0 and the functions that the program loads from its libraries.

use std::ffi::{c_char, c_double, c_int, c_uint, c_void};
use std::sync::OnceLock;

use crate::catalogue::Catalogue;
use crate::editor::{Gimp, Object, functions};
use crate::metadata::Metadata;

pub(crate) const EXPORT: &str = "file-inr-export";

pub(crate) type Text = *const c_char;
pub(crate) type RunImage =
    unsafe extern "C" fn(Object, c_int, Object, *const Object, Object, Object) -> Object;
pub(crate) type RunLoad =
    unsafe extern "C" fn(Object, c_int, Object, Object, *mut c_int, Object, Object) -> Object;
pub(crate) type RunThumbnail =
    unsafe extern "C" fn(Object, Object, c_int, Object, Object) -> Object;
pub(crate) type RunExport =
    unsafe extern "C" fn(Object, c_int, Object, Object, Object, Object, Object, Object) -> Object;
pub(crate) type Free = Option<unsafe extern "C" fn(Object)>;

/// `GTypeQuery`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct TypeQuery {
    pub(crate) kind: usize,
    pub(crate) name: usize,
    pub(crate) class_size: c_uint,
    pub(crate) instance_size: c_uint,
}

functions! {
    /// Functions that only GIMP 3.0 has, and functions of GLib.
    Gimp3 {
        gimp_main: unsafe extern "C" fn(usize, c_int, *mut *mut c_char) -> c_int,
        gimp_plug_in_get_type: extern "C" fn() -> usize,
        g_type_query: unsafe extern "C" fn(usize, *mut TypeQuery),
        g_type_register_static_simple: unsafe extern "C" fn(
            usize, Text, c_uint, unsafe extern "C" fn(Object, Object), c_uint, Free, c_uint
        ) -> usize,
        g_list_append: unsafe extern "C" fn(Object, Object) -> Object,
        g_strdup: unsafe extern "C" fn(Text) -> Object,
        g_object_get: unsafe extern "C" fn(Object, Text, ...),
        g_value_set_object: unsafe extern "C" fn(Object, Object),
        g_value_set_int: unsafe extern "C" fn(Object, c_int),
        g_quark_from_string: unsafe extern "C" fn(Text) -> u32,
        g_error_new_literal: unsafe extern "C" fn(u32, c_int, Text) -> Object,
        g_file_peek_path: unsafe extern "C" fn(Object) -> Text,
        gimp_image_procedure_new: unsafe extern "C" fn(Object, Text, c_int, RunImage, Object, Free) -> Object,
        gimp_load_procedure_new: unsafe extern "C" fn(Object, Text, c_int, RunLoad, Object, Free) -> Object,
        gimp_thumbnail_procedure_new: unsafe extern "C" fn(Object, Text, c_int, RunThumbnail, Object, Free) -> Object,
        gimp_export_procedure_new: unsafe extern "C" fn(Object, Text, c_int, c_int, RunExport, Object, Free) -> Object,
        gimp_export_procedure_set_capabilities: unsafe extern "C" fn(Object, c_int, *const c_void, Object, Free),
        gimp_export_options_get_image: unsafe extern "C" fn(Object, *mut Object) -> c_int,
        gimp_load_procedure_set_thumbnail_loader: unsafe extern "C" fn(Object, Text),
        gimp_file_procedure_set_extensions: unsafe extern "C" fn(Object, Text),
        gimp_file_procedure_set_magics: unsafe extern "C" fn(Object, Text),
        gimp_file_procedure_set_mime_types: unsafe extern "C" fn(Object, Text),
        gimp_file_procedure_set_format_name: unsafe extern "C" fn(Object, Text),
        gimp_procedure_get_name: unsafe extern "C" fn(Object) -> Text,
        gimp_procedure_set_menu_label: unsafe extern "C" fn(Object, Text),
        gimp_procedure_add_menu_path: unsafe extern "C" fn(Object, Text),
        gimp_procedure_set_image_types: unsafe extern "C" fn(Object, Text),
        gimp_procedure_set_documentation: unsafe extern "C" fn(Object, Text, Text, Text),
        gimp_procedure_set_attribution: unsafe extern "C" fn(Object, Text, Text, Text),
        gimp_procedure_add_double_argument: unsafe extern "C" fn(
            Object, Text, Text, Text, c_double, c_double, c_double, c_int
        ),
        gimp_procedure_add_int_argument: unsafe extern "C" fn(Object, Text, Text, Text, c_int, c_int, c_int, c_int),
        gimp_procedure_add_boolean_argument: unsafe extern "C" fn(Object, Text, Text, Text, c_int, c_int),
        gimp_procedure_add_string_argument: unsafe extern "C" fn(Object, Text, Text, Text, Text, c_int),
        gimp_procedure_add_choice_argument: unsafe extern "C" fn(Object, Text, Text, Text, Object, Text, c_int),
        gimp_procedure_add_drawable_argument: unsafe extern "C" fn(Object, Text, Text, Text, c_int, c_int),
        gimp_procedure_add_drawable_return_value: unsafe extern "C" fn(Object, Text, Text, Text, c_int, c_int),
        gimp_procedure_add_image_return_value: unsafe extern "C" fn(Object, Text, Text, Text, c_int, c_int),
        gimp_procedure_new_return_values: unsafe extern "C" fn(Object, c_int, Object) -> Object,
        gimp_value_array_index: unsafe extern "C" fn(Object, c_int) -> Object,
        gimp_choice_new: unsafe extern "C" fn() -> Object,
        gimp_choice_add: unsafe extern "C" fn(Object, Text, c_int, Text, Text),
        gimp_image_get_layers: unsafe extern "C" fn(Object) -> *mut Object,
        gimp_display_new: unsafe extern "C" fn(Object) -> Object,
        gimp_displays_flush: extern "C" fn() -> c_int,
    }
}

/// The loaded functions and plug-ins.
pub(crate) struct Tables {
    pub(crate) gimp: Gimp<Object>,
    pub(crate) metadata: Option<Metadata<Object>>,
    pub(crate) own: Gimp3,
    pub(crate) catalogue: Catalogue,
}

pub(crate) static TABLES: OnceLock<Tables> = OnceLock::new();

/// The loaded functions and plug-ins. `main` loads them before GIMP calls.
pub(crate) fn tables() -> &'static Tables {
    TABLES.get().expect("main loads them first")
}
