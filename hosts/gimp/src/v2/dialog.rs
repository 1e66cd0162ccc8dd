//! Dialogs built from descriptions of parameters.

use std::ffi::{CStr, CString, c_char, c_double, c_float, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

use inr_plugin_api::{Failure, Input, Kind, Param, Value};

use super::tables::NAME;
use crate::catalogue::Values;
use crate::editor::{Gimp, Object, c_string, functions, library};
use crate::procedure::EXPORTS;

type Text = *const c_char;

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
        gtk_widget_set_tooltip_text: unsafe extern "C" fn(Object, Text),
        gtk_widget_show_all: unsafe extern "C" fn(Object),
        gtk_widget_destroy: unsafe extern "C" fn(Object),
    }
}

/// `GtkResponseType`, and the response of the Reset button.
const CANCEL: c_int = -6;
const ACCEPT: c_int = -5;
const RESET: c_int = 1;

/// Contents of a dialog.
pub(crate) struct Question<'a> {
    pub(crate) title: &'a str,
    /// Explanation at the top.
    pub(crate) text: &'a str,
    /// Label of the accepting button.
    pub(crate) accept: &'a CStr,
    pub(crate) inputs: &'a [Input],
    pub(crate) params: &'a [Param],
}

/// The user interface, which starts on demand.
pub(crate) struct Ui(Widgets);

/// The widget of a parameter.
enum Control {
    Adjustment(Object),
    Check(Object),
    Choice(Object),
    Entry(Object),
    Colour(Object),
}

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
    /// Starts GTK, which ends the process without a display.
    ///
    /// # Errors
    /// When the library of GIMP's widgets is missing.
    pub(crate) fn start() -> Result<Self, Failure> {
        let library = library("libgimpui-2.0.so.0")?;
        // SAFETY: the types match the libraries' headers.
        let widgets = unsafe { Widgets::load(library) }?;
        // SAFETY: the name is valid during the call.
        unsafe { (widgets.gimp_ui_init)(NAME.as_ptr(), 0) };
        Ok(Self(widgets))
    }

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
            (self.0.gimp_export_image)(&mut image, &mut drawable, c"INR".as_ptr(), EXPORTS)
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
        let ui = &self.0;
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
            (ui.gtk_widget_show_all)(area);
            let answer = (ui.gimp_dialog_run)(dialog);
            let items = boxes.iter().map(|chosen| {
                let mut item = -1;
                (ui.gimp_int_combo_box_get_active)(*chosen, &mut item);
                item
            });
            let items = items.collect();
            let each = question.params.iter().zip(&controls);
            let values =
                each.map(|(param, control)| (param.key.clone(), self.value(param, control)));
            let values = values.collect();
            (ui.gtk_widget_destroy)(dialog);
            (answer, items, values)
        }
    }

    /// Creates the dialog, and in it an area with an empty table below the explanation.
    ///
    /// # Safety
    /// GTK has started.
    unsafe fn window(&self, question: &Question) -> [Object; 3] {
        let ui = &self.0;
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
    unsafe fn label(&self, text: &str) -> Object {
        let text = c_string(text);
        // SAFETY: the string and the label exist.
        unsafe {
            let label = (self.0.gtk_label_new)(text.as_ptr());
            (self.0.gtk_label_set_line_wrap)(label, 1);
            (self.0.gtk_misc_set_alignment)(label, 0.0, 0.5);
            label
        }
    }

    /// Adds the heading of a group.
    unsafe fn heading(&self, table: Object, row: &mut c_int, group: &str) {
        // SAFETY: the caller makes this promise.
        unsafe {
            let label = self.label(group);
            (self.0.gtk_table_attach_defaults)(
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

    /// Adds `widget` in the next row with a label and a tooltip.
    unsafe fn attach(
        &self,
        table: Object,
        row: &mut c_int,
        label: &str,
        hint: &CStr,
        widget: Object,
    ) {
        let label = c_string(&format!("{label}:"));
        // SAFETY: the caller makes this promise, and all strings are valid.
        unsafe {
            (self.0.gtk_widget_set_tooltip_text)(widget, hint.as_ptr());
            (self.0.gimp_table_attach_aligned)(
                table,
                0,
                *row,
                label.as_ptr(),
                0.0,
                0.5,
                widget,
                2,
                0,
            );
        }
        *row += 1;
    }

    /// Adds a list of the layers of all images.
    unsafe fn item(&self, table: Object, row: &mut c_int, input: &Input, item: c_int) -> Object {
        // Columns of GIMP's list of items: number and label; -1 ends the arguments.
        let (number, label, end): (c_int, c_int, c_int) = (0, 1, -1);
        // SAFETY: the caller makes this promise, and the arguments have the columns' types.
        unsafe {
            let list = (self.0.gimp_drawable_combo_box_new)(null(), null());
            if !input.required {
                (self.0.gimp_int_combo_box_prepend)(
                    list,
                    number,
                    -1 as c_int,
                    label,
                    c"None".as_ptr(),
                    end,
                );
            }
            (self.0.gimp_int_combo_box_set_active)(list, item);
            self.attach(table, row, &input.label, &c_string(&input.hint), list);
            list
        }
    }

    /// Adds the widget of `param`.
    unsafe fn control(
        &self,
        table: Object,
        row: &mut c_int,
        param: &Param,
        value: &Value,
    ) -> Control {
        let ui = &self.0;
        let hint = c_string(&param.hint);
        // SAFETY: the caller makes this promise, and all strings and widgets exist.
        unsafe {
            let (control, widget) = match (&param.kind, value) {
                (Kind::Number { .. }, Value::Number(number)) => {
                    return self.scale(table, row, param, *number);
                }
                (Kind::Bool(_), value) => {
                    let label = c_string(&param.label);
                    let check = (ui.gtk_check_button_new_with_label)(label.as_ptr());
                    (ui.gtk_toggle_button_set_active)(
                        check,
                        c_int::from(*value == Value::Number(1.0)),
                    );
                    (ui.gtk_widget_set_tooltip_text)(check, hint.as_ptr());
                    (ui.gtk_table_attach_defaults)(
                        table,
                        check,
                        0,
                        3,
                        *row as c_uint,
                        *row as c_uint + 1,
                    );
                    *row += 1;
                    return Control::Check(check);
                }
                (Kind::Choice { choices, .. }, value) => {
                    let list = (ui.gtk_combo_box_text_new)();
                    for (_, label) in choices {
                        (ui.gtk_combo_box_text_append_text)(list, c_string(label).as_ptr());
                    }
                    let chosen = choices
                        .iter()
                        .position(|(key, _)| *value == Value::Text(key.clone()));
                    (ui.gtk_combo_box_set_active)(list, chosen.unwrap_or(0) as c_int);
                    (Control::Choice(list), list)
                }
                (Kind::Rgb(_), Value::Rgb([r, g, b])) => {
                    let title = c_string(&param.label);
                    let button =
                        (ui.gimp_color_button_new)(title.as_ptr(), 60, 20, &[*r, *g, *b, 1.0], 0);
                    (Control::Colour(button), button)
                }
                (_, value) => {
                    let entry = (ui.gtk_entry_new)();
                    (ui.gtk_entry_set_text)(entry, c_string(&value.to_string()).as_ptr());
                    (Control::Entry(entry), entry)
                }
            };
            self.attach(table, row, &param.label, &hint, widget);
            control
        }
    }

    /// Adds a slider over the display range with a spin button over the whole range.
    unsafe fn scale(&self, table: Object, row: &mut c_int, param: &Param, value: f64) -> Control {
        let Kind::Number {
            range,
            display,
            step,
            digits,
            ..
        } = &param.kind
        else {
            return Control::Adjustment(null_mut());
        };
        let [label, hint]: [CString; 2] = [
            c_string(&format!("{}:", param.label)),
            c_string(&param.hint),
        ];
        let (none, page) = (null(), step * 10.0);
        // SAFETY: the caller makes this promise, and both strings are valid.
        let adjustment = unsafe {
            (self.0.gimp_scale_entry_new)(
                table,
                0,
                *row,
                label.as_ptr(),
                160,
                8,
                value,
                display[0],
                display[1],
                *step,
                page,
                *digits,
                0,
                range[0],
                range[1],
                hint.as_ptr(),
                none,
            )
        };
        *row += 1;
        Control::Adjustment(adjustment)
    }

    /// Reads the value of `control`; an invalid one becomes the default.
    ///
    /// # Safety
    /// The dialog of the control exists.
    unsafe fn value(&self, param: &Param, control: &Control) -> Value {
        let ui = &self.0;
        // SAFETY: the caller makes this promise, and texts of entries end with a zero byte.
        let value = unsafe {
            match (control, &param.kind) {
                (Control::Adjustment(adjustment), kind) => {
                    let number = (ui.gtk_adjustment_get_value)(*adjustment);
                    match kind {
                        Kind::Number { whole: true, .. } => Value::Number(number.round()),
                        _ => Value::Number(number),
                    }
                }
                (Control::Check(check), _) => {
                    Value::Number(f64::from((ui.gtk_toggle_button_get_active)(*check)))
                }
                (Control::Choice(list), Kind::Choice { choices, .. }) => {
                    let chosen = usize::try_from((ui.gtk_combo_box_get_active)(*list)).unwrap_or(0);
                    choices
                        .get(chosen)
                        .map_or_else(|| param.default(), |(key, _)| Value::Text(key.clone()))
                }
                (Control::Colour(button), _) => {
                    let mut rgb = [0.0; 4];
                    (ui.gimp_color_button_get_color)(*button, &mut rgb);
                    Value::Rgb([rgb[0], rgb[1], rgb[2]])
                }
                (Control::Entry(entry) | Control::Choice(entry), _) => {
                    let text = CStr::from_ptr((ui.gtk_entry_get_text)(*entry));
                    Value::Text(text.to_string_lossy().into_owned())
                }
            }
        };
        match param.check(&value) {
            Ok(()) => value,
            Err(_) => param.default(),
        }
    }
}
