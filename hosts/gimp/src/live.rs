//! Widgets that show while a dialog is open what its values do: a preview and lines of text. Both versions of GIMP have them.

use std::ffi::{c_char, c_int, c_ulong};
use std::ptr::null_mut;

use crate::catalogue::Values;
use crate::editor::{Handle, Object, Rectangle, c_string, functions};
use crate::preview::{Preview, Shown, image_type};

functions! {
    /// Functions of GIMP's preview, of GTK and of GObject.
    LiveWidgets {
        gimp_preview_get_area: unsafe extern "C" fn(Object) -> Object,
        gimp_preview_get_position: unsafe extern "C" fn(Object, *mut c_int, *mut c_int),
        gimp_preview_get_size: unsafe extern "C" fn(Object, *mut c_int, *mut c_int),
        gimp_preview_invalidate: unsafe extern "C" fn(Object),
        gimp_preview_area_draw: unsafe extern "C" fn(Object, c_int, c_int, c_int, c_int, c_int, *const u8, c_int),
        gimp_preview_area_fill: unsafe extern "C" fn(Object, c_int, c_int, c_int, c_int, u8, u8, u8),
        g_signal_handler_disconnect: unsafe extern "C" fn(Object, c_ulong),
        gtk_label_set_text: unsafe extern "C" fn(Object, *const c_char),
        g_signal_connect_data: unsafe extern "C" fn(
            Object, *const c_char, unsafe extern "C" fn(), Object, Object, c_int
        ) -> c_ulong,
    }
}

impl LiveWidgets {
    /// Sets the text of a label; NULL stands for none.
    ///
    /// # Safety
    /// `label` is NULL or a label.
    pub unsafe fn say(&self, label: Object, text: &str) {
        if !label.is_null() {
            let text = c_string(text);
            // SAFETY: the caller makes this promise, and GTK copies the text.
            unsafe { (self.gtk_label_set_text)(label, text.as_ptr()) };
        }
    }

    /// Has GTK call `handler` with the object that emits `signal` and with `data`; returns the number of the handler.
    ///
    /// # Safety
    /// The object has a signal of this name, whose handlers have the type of `handler`, and `data` outlives the object.
    pub unsafe fn on(
        &self,
        object: Object,
        signal: &std::ffi::CStr,
        handler: unsafe extern "C" fn(),
        data: Object,
    ) -> c_ulong {
        // SAFETY: the caller makes this promise.
        unsafe {
            (self.g_signal_connect_data)(object, signal.as_ptr(), handler, data, null_mut(), 0)
        }
    }

    /// Ends the calls of the handler that [`LiveWidgets::on`] returned for `object`.
    ///
    /// # Safety
    /// The object exists and has this handler.
    pub unsafe fn off(&self, object: Object, handler: c_ulong) {
        // SAFETY: the caller makes this promise.
        unsafe { (self.g_signal_handler_disconnect)(object, handler) };
    }

    /// Renders what the widget `shown` shows, and returns a line about it.
    ///
    /// # Safety
    /// `shown` is a preview of `preview`'s drawable.
    pub unsafe fn draw<H: Handle>(
        &self,
        shown: Object,
        preview: &Preview<H>,
        values: &Values,
    ) -> String {
        let mut visible = Rectangle::default();
        // SAFETY: the caller makes this promise, and GIMP writes numbers to valid pointers.
        unsafe {
            (self.gimp_preview_get_position)(shown, &mut visible.x, &mut visible.y);
            (self.gimp_preview_get_size)(shown, &mut visible.width, &mut visible.height);
        }
        let Rectangle { width, height, .. } = visible;
        // SAFETY: the widget has an area, of this size.
        let area = unsafe {
            let area = (self.gimp_preview_get_area)(shown);
            // Nothing of an earlier picture stays, around a smaller one or where there is none.
            (self.gimp_preview_area_fill)(area, 0, 0, width, height, 153, 153, 153);
            area
        };
        let Shown { pixels, note } = match preview.part(visible, values) {
            Ok(shown) => shown,
            Err(failure) => return format!("No preview: {failure}"),
        };
        let [columns, rows] = pixels.size.map(|side| side as c_int);
        let (left, top) = ((width - columns).max(0) / 2, (height - rows).max(0) / 2);
        let stride = columns * pixels.format.pixel_size() as c_int;
        // SAFETY: the pixels fill the rectangle in this layout.
        unsafe {
            (self.gimp_preview_area_draw)(
                area,
                left,
                top,
                columns,
                rows,
                image_type(pixels.format.layout),
                pixels.data.as_ptr(),
                stride,
            );
        }
        note.map_or_else(String::new, |note| format!("Preview by {note}"))
    }
}
