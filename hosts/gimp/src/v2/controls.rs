//! The widgets of parameters.

use std::ffi::{CStr, CString, c_int, c_uint};
use std::ptr::{null, null_mut};

use inr_plugin_api::{Kind, Param, Value};

use super::ui::Ui;
use crate::editor::{Object, c_string};

/// The widget of a parameter.
#[derive(Clone, Copy)]
pub(super) enum Widget {
    Adjustment(Object),
    Check(Object),
    Choice(Object),
    Entry(Object),
    Colour(Object),
}

/// A parameter in a dialog.
pub(super) struct Control {
    pub(super) widget: Widget,
    /// The label beside it; NULL where it is part of the widget.
    pub(super) label: Object,
}

impl Widget {
    /// The object that signals changes, by the signal [`Widget::signal`].
    pub(super) fn object(self) -> Object {
        match self {
            Self::Adjustment(object)
            | Self::Check(object)
            | Self::Choice(object)
            | Self::Entry(object)
            | Self::Colour(object) => object,
        }
    }

    pub(super) fn signal(self) -> &'static CStr {
        match self {
            Self::Adjustment(_) => c"value-changed",
            Self::Check(_) => c"toggled",
            Self::Choice(_) | Self::Entry(_) => c"changed",
            Self::Colour(_) => c"color-changed",
        }
    }
}

impl Control {
    fn plain(widget: Widget) -> Self {
        Self {
            widget,
            label: null_mut(),
        }
    }
}

impl Ui {
    /// Adds the widget of `param`.
    pub(super) unsafe fn control(
        &self,
        table: Object,
        row: &mut c_int,
        param: &Param,
        value: &Value,
    ) -> Control {
        let ui = &self.widgets;
        let hint = c_string(&param.hint);
        // SAFETY: the caller makes this promise, and all strings and widgets exist.
        unsafe {
            let (kind, widget) = match (&param.kind, value) {
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
                    return Control::plain(Widget::Check(check));
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
                    (Widget::Choice(list), list)
                }
                (Kind::Rgb(_), Value::Rgb([r, g, b])) => {
                    let title = c_string(&param.label);
                    let button =
                        (ui.gimp_color_button_new)(title.as_ptr(), 60, 20, &[*r, *g, *b, 1.0], 0);
                    (Widget::Colour(button), button)
                }
                (_, value) => {
                    let entry = (ui.gtk_entry_new)();
                    (ui.gtk_entry_set_text)(entry, c_string(&value.to_string()).as_ptr());
                    (Widget::Entry(entry), entry)
                }
            };
            let label = self.attach(table, row, &param.label, &hint, widget);
            Control {
                widget: kind,
                label,
            }
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
            return Control::plain(Widget::Adjustment(null_mut()));
        };
        let [label, hint]: [CString; 2] = [
            c_string(&format!("{}:", param.label)),
            c_string(&param.hint),
        ];
        let (none, page) = (null(), step * 10.0);
        // SAFETY: the caller makes this promise, and both strings are valid.
        let adjustment = unsafe {
            (self.widgets.gimp_scale_entry_new)(
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
        Control::plain(Widget::Adjustment(adjustment))
    }

    /// Reads the value of `control`; an invalid one becomes the default.
    ///
    /// # Safety
    /// The dialog of the control exists.
    pub(super) unsafe fn value(&self, param: &Param, control: &Control) -> Value {
        let ui = &self.widgets;
        // SAFETY: the caller makes this promise, and texts of entries end with a zero byte.
        let value = unsafe {
            match (&control.widget, &param.kind) {
                (Widget::Adjustment(adjustment), kind) => {
                    let number = (ui.gtk_adjustment_get_value)(*adjustment);
                    match kind {
                        Kind::Number { whole: true, .. } => Value::Number(number.round()),
                        _ => Value::Number(number),
                    }
                }
                (Widget::Check(check), _) => {
                    Value::Number(f64::from((ui.gtk_toggle_button_get_active)(*check)))
                }
                (Widget::Choice(list), Kind::Choice { choices, .. }) => {
                    let chosen = usize::try_from((ui.gtk_combo_box_get_active)(*list)).unwrap_or(0);
                    choices
                        .get(chosen)
                        .map_or_else(|| param.default(), |(key, _)| Value::Text(key.clone()))
                }
                (Widget::Colour(button), _) => {
                    let mut rgb = [0.0; 4];
                    (ui.gimp_color_button_get_color)(*button, &mut rgb);
                    Value::Rgb([rgb[0], rgb[1], rgb[2]])
                }
                (Widget::Entry(entry) | Widget::Choice(entry), _) => {
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

    /// Greys a control out, or not.
    ///
    /// # Safety
    /// The dialog of the control exists.
    pub(super) unsafe fn enable(&self, control: &Control, enabled: bool) {
        let ui = &self.widgets;
        let enabled = c_int::from(enabled);
        // SAFETY: the caller makes this promise.
        unsafe {
            match control.widget {
                Widget::Adjustment(slider) => (ui.gimp_scale_entry_set_sensitive)(slider, enabled),
                _ => (ui.gtk_widget_set_sensitive)(control.widget.object(), enabled),
            }
            if !control.label.is_null() {
                (ui.gtk_widget_set_sensitive)(control.label, enabled);
            }
        }
    }
}
