//! Functions of GIMP's widgets and of GTK 2.

use std::ffi::{c_char, c_double, c_float, c_int, c_uint, c_void};

use crate::editor::{Object, functions};

pub(super) type Text = *const c_char;

functions! {
    /// Functions of GIMP's widgets and GTK 2.
    Widgets {
        gimp_ui_init: unsafe extern "C" fn(Text, c_int),
        gimp_export_image: unsafe extern "C" fn(*mut c_int, *mut c_int, Text, c_int) -> c_int,
        gimp_dialog_new: unsafe extern "C" fn(Text, Text, Object, c_int, *const c_void, Text, ...) -> Object,
        gimp_window_set_transient: unsafe extern "C" fn(Object),
        gimp_dialog_run: unsafe extern "C" fn(Object) -> c_int,
        gimp_scale_entry_new: unsafe extern "C" fn(
            Object, c_int, c_int, Text, c_int, c_int, c_double, c_double, c_double, c_double, c_double, c_uint, c_int,
            c_double, c_double, Text, Text
        ) -> Object,
        gimp_table_attach_aligned: unsafe extern "C" fn(
            Object, c_int, c_int, Text, c_float, c_float, Object, c_int, c_int
        ) -> Object,
        gimp_drawable_combo_box_new: unsafe extern "C" fn(*const c_void, *const c_void) -> Object,
        gimp_int_combo_box_prepend: unsafe extern "C" fn(Object, ...),
        gimp_int_combo_box_set_active: unsafe extern "C" fn(Object, c_int) -> c_int,
        gimp_int_combo_box_get_active: unsafe extern "C" fn(Object, *mut c_int) -> c_int,
        gimp_color_button_new: unsafe extern "C" fn(Text, c_int, c_int, *const [f64; 4], c_int) -> Object,
        gimp_color_button_get_color: unsafe extern "C" fn(Object, *mut [f64; 4]),
        gtk_dialog_get_content_area: unsafe extern "C" fn(Object) -> Object,
        gtk_box_pack_start: unsafe extern "C" fn(Object, Object, c_int, c_int, c_uint),
        gtk_container_set_border_width: unsafe extern "C" fn(Object, c_uint),
        gtk_table_new: unsafe extern "C" fn(c_uint, c_uint, c_int) -> Object,
        gtk_table_set_row_spacings: unsafe extern "C" fn(Object, c_uint),
        gtk_table_set_col_spacings: unsafe extern "C" fn(Object, c_uint),
        gtk_table_attach_defaults: unsafe extern "C" fn(Object, Object, c_uint, c_uint, c_uint, c_uint),
        gtk_label_new: unsafe extern "C" fn(Text) -> Object,
        gtk_label_set_line_wrap: unsafe extern "C" fn(Object, c_int),
        gtk_misc_set_alignment: unsafe extern "C" fn(Object, c_float, c_float),
        gtk_misc_set_padding: unsafe extern "C" fn(Object, c_int, c_int),
        gtk_check_button_new_with_label: unsafe extern "C" fn(Text) -> Object,
        gtk_toggle_button_set_active: unsafe extern "C" fn(Object, c_int),
        gtk_toggle_button_get_active: unsafe extern "C" fn(Object) -> c_int,
        gtk_combo_box_text_new: unsafe extern "C" fn() -> Object,
        gtk_combo_box_text_append_text: unsafe extern "C" fn(Object, Text),
        gtk_combo_box_set_active: unsafe extern "C" fn(Object, c_int),
        gtk_combo_box_get_active: unsafe extern "C" fn(Object) -> c_int,
        gtk_entry_new: unsafe extern "C" fn() -> Object,
        gtk_entry_set_text: unsafe extern "C" fn(Object, Text),
        gtk_entry_get_text: unsafe extern "C" fn(Object) -> Text,
        gtk_adjustment_get_value: unsafe extern "C" fn(Object) -> c_double,
        gimp_scale_entry_set_sensitive: unsafe extern "C" fn(Object, c_int),
        gimp_drawable_preview_new_from_drawable_id: unsafe extern "C" fn(c_int) -> Object,
        gtk_widget_set_sensitive: unsafe extern "C" fn(Object, c_int),
        gtk_adjustment_set_value: unsafe extern "C" fn(Object, c_double),
        gtk_widget_set_tooltip_text: unsafe extern "C" fn(Object, Text),
        gtk_widget_show_all: unsafe extern "C" fn(Object),
        gtk_widget_destroy: unsafe extern "C" fn(Object),
    }
}
