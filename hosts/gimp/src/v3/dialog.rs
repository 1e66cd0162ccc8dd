//! The dialogs that GIMP builds from the arguments of procedures, and what happens in them while they are open.

use std::cell::Cell;
use std::ffi::{CStr, c_double, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};

use inr_plugin_api::{Failure, Kind, Param};

use super::arguments::values;
use super::tables::{Text, tables};
use crate::catalogue;
use crate::editor::{Object, c_string as text, functions, library};
use crate::links::{KEYS, Lead};
use crate::live::LiveWidgets;
use crate::preview::Preview;

functions! {
    /// Functions of GIMP's dialogs and GTK 3.
    Widgets {
        gimp_ui_init: unsafe extern "C" fn(Text),
        gimp_procedure_dialog_new: unsafe extern "C" fn(Object, Object, Text) -> Object,
        gimp_export_procedure_dialog_new: unsafe extern "C" fn(Object, Object, Object) -> Object,
        gimp_procedure_dialog_get_scale_entry: unsafe extern "C" fn(Object, Text, c_double) -> Object,
        gimp_label_spin_set_digits: unsafe extern "C" fn(Object, c_int),
        gimp_label_spin_set_increments: unsafe extern "C" fn(Object, c_double, c_double),
        gimp_scale_entry_set_bounds: unsafe extern "C" fn(Object, c_double, c_double, c_int),
        gimp_procedure_dialog_fill: unsafe extern "C" fn(Object, ...),
        gimp_procedure_dialog_fill_list: unsafe extern "C" fn(Object, Object) -> Object,
        gimp_procedure_dialog_get_drawable_preview: unsafe extern "C" fn(Object, Text, Object) -> Object,
        gimp_procedure_dialog_get_label: unsafe extern "C" fn(Object, Text, Text, c_int, c_int) -> Object,
        gimp_procedure_dialog_set_sensitive: unsafe extern "C" fn(Object, Text, c_int, Object, Text, c_int),
        gimp_procedure_dialog_set_sensitive_if_in: unsafe extern "C" fn(Object, Text, Object, Text, Object, c_int),
        gimp_value_array_new_from_types: unsafe extern "C" fn(*mut Object, ...) -> Object,
        gtk_label_set_line_wrap: unsafe extern "C" fn(Object, c_int),
        gtk_label_set_max_width_chars: unsafe extern "C" fn(Object, c_int),
        g_object_set: unsafe extern "C" fn(Object, Text, ...),
        g_param_spec_get_name: unsafe extern "C" fn(Object) -> Text,
        gimp_procedure_dialog_run: unsafe extern "C" fn(Object) -> c_int,
        gtk_widget_destroy: unsafe extern "C" fn(Object),
    }
}

/// `G_TYPE_STRING` and `G_TYPE_NONE`.
const STRING: usize = 16 << 2;
const NONE: usize = 1 << 2;

/// Names of the widgets that are no arguments.
const PREVIEW: &CStr = c"inr-preview";
const SIZE: &CStr = c"inr-size";
const NOTE: &CStr = c"inr-note";

/// Contents of a dialog.
pub(super) struct Question<'a> {
    pub(super) title: &'a str,
    pub(super) params: &'a [Param],
    /// The image to export, or NULL.
    pub(super) export: Object,
    /// The filter's preview.
    pub(super) preview: Option<&'a Preview<'a, Object>>,
    /// Native size of the picture whose width, height and scale are linked.
    pub(super) native: Option<[u32; 2]>,
}

impl Default for Question<'_> {
    fn default() -> Self {
        Self {
            title: "",
            params: &[],
            export: null_mut(),
            preview: None,
            native: None,
        }
    }
}

/// Shows the dialog that GIMP builds for a procedure, which stores its values in `config`.
///
/// # Errors
/// [`inr_plugin_api::Status::Cancelled`] when the user cancels.
///
/// # Safety
/// GIMP runs `procedure` with this config.
pub(super) unsafe fn ask(
    procedure: Object,
    config: Object,
    question: &Question,
) -> Result<(), Failure> {
    let library = library("libgimpui-3.0.so.0")?;
    let end: Text = null();
    // SAFETY: the types match the libraries' headers, and the caller makes the other promises.
    let accepted = unsafe {
        let ui = Widgets::load(library)?;
        (ui.gimp_ui_init)(c"inr".as_ptr());
        let dialog = match question.export.is_null() {
            true => {
                (ui.gimp_procedure_dialog_new)(procedure, config, text(question.title).as_ptr())
            }
            false => (ui.gimp_export_procedure_dialog_new)(procedure, config, question.export),
        };
        sliders(&ui, dialog, question.params);
        conditions(&ui, dialog, config, question.params);
        let live = Live::new(ui, LiveWidgets::load(library)?, config, question, dialog);
        let ui = &live.ui;
        match question.preview {
            Some(preview) => {
                (ui.gimp_procedure_dialog_fill_list)(dialog, live.contents(preview));
            }
            None => (ui.gimp_procedure_dialog_fill)(dialog, end),
        }
        let [drawing, notifying] = live.connect();
        live.changed(null_mut());
        let accepted = (ui.gimp_procedure_dialog_run)(dialog) != 0;
        live.live.off(config, notifying);
        if !live.shown.is_null() {
            live.live.off(live.shown, drawing);
        }
        (ui.gtk_widget_destroy)(dialog);
        live.keep();
        accepted
    };
    match accepted {
        true => Ok(()),
        false => Err(Failure::cancelled()),
    }
}

/// Gives numbers their sliders.
///
/// # Safety
/// The dialog has these parameters; likewise for the next function.
unsafe fn sliders(ui: &Widgets, dialog: Object, params: &[Param]) {
    for param in params {
        if let Kind::Number {
            range,
            display: [low, high],
            step,
            digits,
            ..
        } = param.kind
        {
            let key = text(&param.key);
            // SAFETY: the caller makes this promise.
            unsafe {
                let entry = (ui.gimp_procedure_dialog_get_scale_entry)(dialog, key.as_ptr(), 1.0);
                // GIMP derives the decimal places from the whole range and rounds values to them.
                (ui.gimp_label_spin_set_digits)(entry, digits as c_int);
                (ui.gimp_label_spin_set_increments)(
                    entry,
                    step,
                    (step * 10.0).min(range[1] - range[0]),
                );
                (ui.gimp_scale_entry_set_bounds)(entry, low, high, 1);
            }
        }
    }
}

/// Has GIMP grey out what other parameters disable.
unsafe fn conditions(ui: &Widgets, dialog: Object, config: Object, params: &[Param]) {
    for param in params {
        let Some((by, wanted)) = &param.enabled_by else {
            continue;
        };
        let [key, by] = [&param.key, by].map(|part| text(part));
        // SAFETY: the caller makes this promise; GIMP copies the text and takes over the values.
        unsafe {
            match wanted {
                None => (ui.gimp_procedure_dialog_set_sensitive)(
                    dialog,
                    key.as_ptr(),
                    1,
                    config,
                    by.as_ptr(),
                    0,
                ),
                Some(wanted) => {
                    let wanted = text(wanted);
                    let mut error = null_mut();
                    let values = (ui.gimp_value_array_new_from_types)(
                        &raw mut error,
                        STRING,
                        wanted.as_ptr(),
                        NONE,
                    );
                    (ui.gimp_procedure_dialog_set_sensitive_if_in)(
                        dialog,
                        key.as_ptr(),
                        config,
                        by.as_ptr(),
                        values,
                        1,
                    );
                }
            }
        }
    }
}

/// The state of an open dialog.
struct Live<'a> {
    ui: Widgets,
    live: LiveWidgets,
    config: Object,
    question: &'a Question<'a>,
    /// GIMP's preview, the line with the size of the result, and the line about the method; NULL where there are none.
    shown: Object,
    size: Object,
    note: Object,
    lead: Cell<Lead>,
    /// Linked values are being set.
    busy: Cell<bool>,
}

impl<'a> Live<'a> {
    /// Creates the widgets that are no arguments.
    ///
    /// # Safety
    /// The dialog is of a procedure with this config and these parameters; likewise for the methods.
    unsafe fn new(
        ui: Widgets,
        live: LiveWidgets,
        config: Object,
        question: &'a Question<'a>,
        dialog: Object,
    ) -> Self {
        let (mut shown, mut size, mut note) = (null_mut(), null_mut(), null_mut());
        // SAFETY: the caller makes this promise.
        let found = unsafe { values(config, question.params) };
        if let Some(preview) = question.preview {
            // SAFETY: the caller makes this promise, and the drawable exists.
            unsafe {
                let label = |name: &CStr| {
                    let create = ui.gimp_procedure_dialog_get_label;
                    let label = create(dialog, name.as_ptr(), c" ".as_ptr(), 0, 0);
                    (ui.gtk_label_set_line_wrap)(label, 1);
                    (ui.gtk_label_set_max_width_chars)(label, 50);
                    label
                };
                if preview.is_possible() {
                    let create = ui.gimp_procedure_dialog_get_drawable_preview;
                    shown = create(dialog, PREVIEW.as_ptr(), preview.drawable);
                    note = label(NOTE);
                }
                if !preview.procedure.edits() {
                    size = label(SIZE);
                }
            }
        }
        Self {
            ui,
            live,
            config,
            question,
            shown,
            size,
            note,
            lead: Cell::new(Lead::of(&found)),
            busy: Cell::new(false),
        }
    }

    /// Names of the widgets in their order, as a list of GLib's.
    unsafe fn contents(&self, preview: &Preview<Object>) -> Object {
        let own = &tables().own;
        let inputs = preview.procedure.filter.inputs.iter().skip(1);
        let inputs = inputs.map(|input| text(&input.key));
        let params = self.question.params.iter();
        // Colours have no argument.
        let params = params.filter(|param| !matches!(param.kind, Kind::Rgb(_)));
        let params = params.map(|param| text(&param.key));
        let others = [(self.shown, PREVIEW), (self.size, SIZE), (self.note, NOTE)];
        let others = others.into_iter().filter(|(widget, _)| !widget.is_null());
        let others = others.map(|(_, name)| name.to_owned());
        // The preview comes first, as in GIMP's own dialogs.
        let names = others.clone().take(usize::from(!self.shown.is_null()));
        let rest = others.skip(usize::from(!self.shown.is_null()));
        names
            .chain(inputs)
            .chain(params)
            .chain(rest)
            .fold(null_mut(), |list, name| {
                // SAFETY: GLib copies the name and owns the list.
                unsafe { (own.g_list_append)(list, (own.g_strdup)(name.as_ptr())) }
            })
    }

    /// Has GTK call this value; returns the handlers that the preview, if any, and the config must lose before the dialog is
    /// destroyed and this value ends.
    unsafe fn connect(&self) -> [std::ffi::c_ulong; 2] {
        let data: Object = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the caller makes this promise, and handlers of these signals take the objects and the data.
        unsafe {
            let mut drawing = 0;
            if !self.shown.is_null() {
                let handler: unsafe extern "C" fn() =
                    std::mem::transmute(on_draw as unsafe extern "C" fn(Object, *const Live));
                drawing = self.live.on(self.shown, c"invalidated", handler, data);
            }
            let handler: unsafe extern "C" fn() =
                std::mem::transmute(on_notify as unsafe extern "C" fn(Object, Object, *const Live));
            [drawing, self.live.on(self.config, c"notify", handler, data)]
        }
    }

    /// Adapts the dialog to a change of the property `spec`; NULL for the dialog's first values.
    unsafe fn changed(&self, spec: Object) {
        if self.busy.get() {
            return;
        }
        // SAFETY: the caller makes this promise, and GObject passes a description with a name.
        unsafe {
            if let Some(native) = self.question.native {
                let name = (!spec.is_null()).then(|| {
                    CStr::from_ptr((self.ui.g_param_spec_get_name)(spec)).to_string_lossy()
                });
                self.busy.set(true);
                self.link(name.and_then(|name| Lead::named(&name)), native);
                self.busy.set(false);
            }
            if let Some(preview) = self.question.preview {
                let found = values(self.config, self.question.params);
                self.live.say(self.size, &preview.size(&found));
            }
            if !self.shown.is_null() {
                (self.live.gimp_preview_invalidate)(self.shown);
            }
        }
    }

    /// Sets the sizes that follow from the one that changed.
    unsafe fn link(&self, changed: Option<Lead>, native: [u32; 2]) {
        // SAFETY: the caller makes this promise.
        let found = unsafe { values(self.config, self.question.params) };
        let lead = self.lead.get().after(changed, native, &found);
        self.lead.set(lead);
        let given = catalogue::number(&found, &[], KEYS[lead as usize]);
        if let Some(linked) = lead.linked(native, given) {
            // SAFETY: the same reason.
            unsafe { self.set(lead, linked) };
        }
    }

    /// Sets those of width, height and scale that follow `lead`.
    unsafe fn set(&self, lead: Lead, sizes: [f64; 3]) {
        let end: Text = null();
        for other in [Lead::Width, Lead::Height, Lead::Scale] {
            let key = text(KEYS[other as usize]);
            let size = sizes[other as usize];
            // SAFETY: the caller makes this promise: sides are integers and the scale is a double.
            unsafe {
                match other {
                    _ if other == lead => {}
                    Lead::Scale => {
                        (self.ui.g_object_set)(self.config, key.as_ptr(), size as c_double, end);
                    }
                    _ => (self.ui.g_object_set)(self.config, key.as_ptr(), size as c_int, end),
                }
            }
        }
    }

    /// Leaves in the config, of linked sizes, the one that was set last.
    unsafe fn keep(&self) {
        let Some(native) = self.question.native else {
            return;
        };
        // SAFETY: the caller makes this promise.
        unsafe {
            let mut found = values(self.config, self.question.params);
            let lead = self.lead.get();
            if lead.keep(native, &mut found) {
                let sizes = KEYS.map(|key| catalogue::number(&found, &[], key));
                self.set(lead, sizes);
            }
        }
    }

    /// Draws the preview.
    unsafe fn draw(&self) {
        let Some(preview) = self.question.preview else {
            return;
        };
        // SAFETY: the caller makes this promise, and the widget shows this drawable.
        unsafe {
            let found = values(self.config, self.question.params);
            let said = self.live.draw(self.shown, preview, &found);
            self.live.say(self.note, &said);
        }
    }
}

unsafe extern "C" fn on_notify(_config: Object, spec: Object, live: *const Live) {
    // SAFETY: `ask` disconnects the handler before its value ends. Nothing may unwind into GTK.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { (*live).changed(spec) }));
}

unsafe extern "C" fn on_draw(_preview: Object, live: *const Live) {
    // SAFETY: the value lives as long as the dialog. Nothing may unwind into GTK.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { (*live).draw() }));
}
