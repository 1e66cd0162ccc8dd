//! Dialogs built from descriptions of parameters.

use std::ffi::{CStr, c_int, c_uint};
use std::ptr::{null, null_mut};

use inr_plugin_api::{Failure, Input};

use super::controls::Control;
use super::live::Live;
use super::tables::NAME;
use super::ui::{Question, Ui};
use super::widgets::Text;
use crate::catalogue::Values;
use crate::editor::{Gimp, Object, c_string};
use crate::procedure::EXPORTS;

/// `GtkResponseType`, and the response of the Reset button.
const CANCEL: c_int = -6;
const ACCEPT: c_int = -5;
const RESET: c_int = 1;

/// An image for export, whose layers and colours GIMP adapted to the format.
pub(crate) struct Export<'a> {
    gimp: &'a Gimp<c_int>,
    pub(crate) image: c_int,
    pub(crate) drawable: c_int,
    copied: bool,
}

impl Drop for Export<'_> {
    fn drop(&mut self) {
        if self.copied {
            (self.gimp.gimp_image_delete)(self.image);
        }
    }
}

impl Ui {
    /// Lets GIMP merge layers and convert indexed colours in a copy of the image.
    ///
    /// # Errors
    /// [`inr_plugin_api::Status::Cancelled`] when the user cancels.
    pub(crate) fn export<'a>(
        &self,
        gimp: &'a Gimp<c_int>,
        image: c_int,
        drawable: c_int,
    ) -> Result<Export<'a>, Failure> {
        let (mut image, mut drawable) = (image, drawable);
        // SAFETY: GIMP writes two numbers to valid pointers.
        let done = unsafe {
            (self.widgets.gimp_export_image)(&mut image, &mut drawable, c"INR".as_ptr(), EXPORTS)
        };
        match done {
            0 => Err(Failure::cancelled()),
            done => Ok(Export {
                gimp,
                image,
                drawable,
                copied: done == 2,
            }),
        }
    }

    /// Shows a dialog with `items` and `values` and returns the user's choice.
    ///
    /// # Errors
    /// [`inr_plugin_api::Status::Cancelled`] when the user cancels.
    pub(crate) fn ask(
        &self,
        question: &Question,
        items: Vec<c_int>,
        values: Values,
    ) -> Result<(Vec<c_int>, Values), Failure> {
        let (items, mut values) = (items, values);
        loop {
            // SAFETY: `start` loaded the functions and started GTK.
            let (answer, items, found) = unsafe { self.shown(question, &items, &values) };
            match answer {
                ACCEPT => return Ok((items, found)),
                RESET => {
                    values = question
                        .params
                        .iter()
                        .map(|p| (p.key.clone(), p.default()))
                        .collect()
                }
                _ => return Err(Failure::cancelled()),
            }
        }
    }

    /// Shows the dialog until the user presses a button, and returns the button with items and values.
    ///
    /// # Safety
    /// GTK has started.
    unsafe fn shown(
        &self,
        question: &Question,
        items: &[c_int],
        values: &Values,
    ) -> (c_int, Vec<c_int>, Values) {
        let ui = &self.widgets;
        // SAFETY: GTK has started, all widgets are valid, and the dialog lives until the end.
        unsafe {
            let [dialog, area, table] = self.window(question);
            let mut row = 0;
            let each = question.inputs.iter().zip(items);
            let boxes: Vec<Object> = each
                .map(|(input, item)| self.item(table, &mut row, input, *item))
                .collect();
            let mut group = "";
            let each = question.params.iter().zip(values);
            let controls: Vec<Control> = each
                .map(|(param, (_, value))| {
                    if param.group != group {
                        group = &param.group;
                        self.heading(table, &mut row, group);
                    }
                    self.control(table, &mut row, param, value)
                })
                .collect();
            let live = Live::new(self, question, &controls, [area, table], row, values);
            live.connect();
            (ui.gtk_widget_show_all)(area);
            live.changed(null_mut());
            let answer = (ui.gimp_dialog_run)(dialog);
            let items = boxes.iter().map(|chosen| {
                let mut item = -1;
                (ui.gimp_int_combo_box_get_active)(*chosen, &mut item);
                item
            });
            let items = items.collect();
            let values = live.kept();
            live.end();
            (ui.gtk_widget_destroy)(dialog);
            (answer, items, values)
        }
    }

    /// Creates the dialog, and in it an area with an empty table below the explanation.
    ///
    /// # Safety
    /// GTK has started.
    unsafe fn window(&self, question: &Question) -> [Object; 3] {
        let ui = &self.widgets;
        let title = c_string(question.title);
        let end: Text = null();
        // SAFETY: all widgets and strings exist, and NULL ends the list of buttons.
        unsafe {
            let dialog = (ui.gimp_dialog_new)(
                title.as_ptr(),
                NAME.as_ptr(),
                null_mut(),
                0,
                null(),
                null(),
                c"_Reset".as_ptr(),
                RESET,
                c"_Cancel".as_ptr(),
                CANCEL,
                question.accept.as_ptr(),
                ACCEPT,
                end,
            );
            (ui.gimp_window_set_transient)(dialog);
            let area = (ui.gtk_dialog_get_content_area)(dialog);
            if !question.text.is_empty() {
                let label = self.label(question.text);
                (ui.gtk_misc_set_padding)(label, 12, 0);
                (ui.gtk_box_pack_start)(area, label, 0, 0, 12);
            }
            let table = (ui.gtk_table_new)(1, 3, 0);
            (ui.gtk_container_set_border_width)(table, 12);
            (ui.gtk_table_set_row_spacings)(table, 6);
            (ui.gtk_table_set_col_spacings)(table, 6);
            (ui.gtk_box_pack_start)(area, table, 0, 0, 0);
            [dialog, area, table]
        }
    }

    /// Creates a paragraph of text.
    ///
    /// # Safety
    /// GTK has started; the methods below also require a valid table.
    pub(super) unsafe fn label(&self, text: &str) -> Object {
        let text = c_string(text);
        // SAFETY: the string and the label exist.
        unsafe {
            let label = (self.widgets.gtk_label_new)(text.as_ptr());
            (self.widgets.gtk_label_set_line_wrap)(label, 1);
            (self.widgets.gtk_misc_set_alignment)(label, 0.0, 0.5);
            label
        }
    }

    /// Adds the heading of a group.
    unsafe fn heading(&self, table: Object, row: &mut c_int, group: &str) {
        // SAFETY: the caller makes this promise.
        unsafe {
            let label = self.label(group);
            (self.widgets.gtk_table_attach_defaults)(
                table,
                label,
                0,
                3,
                *row as c_uint,
                *row as c_uint + 1,
            );
        }
        *row += 1;
    }

    /// Adds `widget` in the next row with a tooltip and a label, which is returned.
    pub(super) unsafe fn attach(
        &self,
        table: Object,
        row: &mut c_int,
        label: &str,
        hint: &CStr,
        widget: Object,
    ) -> Object {
        *row += 1;
        let label = c_string(&format!("{label}:"));
        // SAFETY: the caller makes this promise, and all strings are valid.
        unsafe {
            (self.widgets.gtk_widget_set_tooltip_text)(widget, hint.as_ptr());
            (self.widgets.gimp_table_attach_aligned)(
                table,
                0,
                *row - 1,
                label.as_ptr(),
                0.0,
                0.5,
                widget,
                2,
                0,
            )
        }
    }

    /// Adds a list of the layers of all images.
    unsafe fn item(&self, table: Object, row: &mut c_int, input: &Input, item: c_int) -> Object {
        // Columns of GIMP's list of items: number and label; -1 ends the arguments.
        let (number, label, end): (c_int, c_int, c_int) = (0, 1, -1);
        // SAFETY: the caller makes this promise, and the arguments have the columns' types.
        unsafe {
            let list = (self.widgets.gimp_drawable_combo_box_new)(null(), null());
            if !input.required {
                (self.widgets.gimp_int_combo_box_prepend)(
                    list,
                    number,
                    -1 as c_int,
                    label,
                    c"None".as_ptr(),
                    end,
                );
            }
            (self.widgets.gimp_int_combo_box_set_active)(list, item);
            self.attach(table, row, &input.label, &c_string(&input.hint), list);
            list
        }
    }
}
