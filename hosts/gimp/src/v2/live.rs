//! What happens in a dialog while it is open: controls that others disable, linked sizes, the size of the result, and the
//! preview.

use std::cell::Cell;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use super::controls::{Control, Widget};
use super::ui::{Question, Ui};
use crate::catalogue::{self, Values};
use crate::editor::Object;
use crate::links::{KEYS, Lead};

/// The state of an open dialog.
pub(super) struct Live<'a> {
    ui: &'a Ui,
    question: &'a Question<'a>,
    controls: &'a [Control],
    /// GIMP's preview, the line with the size of the result, and the line about the method; NULL where there are none.
    preview: Object,
    size: Object,
    note: Object,
    lead: Cell<Lead>,
    /// Linked controls are being set, or the dialog is being destroyed.
    busy: Cell<bool>,
}

impl<'a> Live<'a> {
    /// Adds the widgets to the dialog with this area and table, whose next row is `row`.
    ///
    /// # Safety
    /// GTK has started and the widgets exist, as long as this value does; likewise for the methods.
    pub(super) unsafe fn new(
        ui: &'a Ui,
        question: &'a Question<'a>,
        controls: &'a [Control],
        [area, table]: [Object; 2],
        row: c_int,
        values: &Values,
    ) -> Self {
        let mut live = Self {
            ui,
            question,
            controls,
            preview: null_mut(),
            size: null_mut(),
            note: null_mut(),
            lead: Cell::new(Lead::of(values)),
            busy: Cell::new(false),
        };
        let Some(preview) = question.preview else {
            return live;
        };
        let widgets = &ui.widgets;
        // SAFETY: the caller makes this promise.
        unsafe {
            if preview.is_possible() {
                live.preview =
                    (widgets.gimp_drawable_preview_new_from_drawable_id)(preview.drawable);
                (widgets.gtk_container_set_border_width)(live.preview, 12);
                (widgets.gtk_box_pack_start)(area, live.preview, 1, 1, 0);
                live.note = ui.label("");
            }
            if !preview.procedure.edits() {
                live.size = ui.label("");
            }
            for (label, row) in [(live.size, row), (live.note, row + 1)] {
                if !label.is_null() {
                    let row = row as u32;
                    (widgets.gtk_table_attach_defaults)(table, label, 0, 3, row, row + 1);
                }
            }
        }
        live
    }

    /// Has GTK call this value until the dialog is destroyed.
    ///
    /// # Safety
    /// See [`Live::new`].
    pub(super) unsafe fn connect(&self) {
        let data: Object = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the caller makes this promise, and handlers of these signals take the object and the data.
        unsafe {
            let handler: unsafe extern "C" fn() =
                std::mem::transmute(on_change as unsafe extern "C" fn(Object, *const Live));
            for Control { widget, .. } in self.controls {
                if !widget.object().is_null() {
                    self.ui
                        .live
                        .on(widget.object(), widget.signal(), handler, data);
                }
            }
            if !self.preview.is_null() {
                let handler: unsafe extern "C" fn() =
                    std::mem::transmute(on_draw as unsafe extern "C" fn(Object, *const Live));
                self.ui.live.on(self.preview, c"invalidated", handler, data);
            }
        }
    }

    /// The values of the controls.
    ///
    /// # Safety
    /// See [`Live::new`].
    unsafe fn values(&self) -> Values {
        let each = self.question.params.iter().zip(self.controls);
        // SAFETY: the caller makes this promise.
        let each = each
            .map(|(param, control)| (param.key.clone(), unsafe { self.ui.value(param, control) }));
        each.collect()
    }

    /// The values to run with and to keep: of linked sizes the one that was set last.
    ///
    /// # Safety
    /// See [`Live::new`].
    pub(super) unsafe fn kept(&self) -> Values {
        // SAFETY: the caller makes this promise.
        let mut values = unsafe { self.values() };
        if let Some(native) = self.question.native {
            self.lead.get().keep(native, &mut values);
        }
        values
    }

    /// Adapts the dialog to a change of the control with this object; NULL for the dialog's first values.
    ///
    /// # Safety
    /// See [`Live::new`].
    pub(super) unsafe fn changed(&self, object: Object) {
        if self.busy.get() {
            return;
        }
        // SAFETY: the caller makes this promise.
        unsafe {
            if let Some(native) = self.question.native {
                self.busy.set(true);
                self.link(object, native);
                self.busy.set(false);
            }
            let values = self.values();
            for (param, control) in self.question.params.iter().zip(self.controls) {
                if param.enabled_by.is_some() {
                    let enabled = catalogue::is_enabled(param, &values);
                    self.ui.enable(control, enabled);
                }
            }
            if let Some(preview) = self.question.preview {
                self.ui.live.say(self.size, &preview.size(&values));
            }
            if !self.preview.is_null() {
                (self.ui.live.gimp_preview_invalidate)(self.preview);
            }
        }
    }

    /// Has what GTK still calls do nothing, before the dialog is destroyed.
    pub(super) fn end(&self) {
        self.busy.set(true);
    }

    /// Sets the sizes that follow from the one that changed.
    ///
    /// # Safety
    /// See [`Live::new`].
    unsafe fn link(&self, object: Object, native: [u32; 2]) {
        let each = self.question.params.iter().zip(self.controls);
        let changed = each
            .clone()
            .find(|(_, control)| control.widget.object() == object);
        let changed = changed.and_then(|(param, _)| Lead::named(&param.key));
        // SAFETY: the caller makes this promise.
        unsafe {
            let values = self.values();
            let lead = self.lead.get().after(changed, native, &values);
            self.lead.set(lead);
            let Some(linked) =
                lead.linked(native, catalogue::number(&values, &[], KEYS[lead as usize]))
            else {
                return;
            };
            for (param, control) in each {
                let own = Lead::named(&param.key).filter(|own| *own != lead);
                if let (Some(own), Widget::Adjustment(slider)) = (own, control.widget) {
                    (self.ui.widgets.gtk_adjustment_set_value)(slider, linked[own as usize]);
                }
            }
        }
    }

    /// Draws the preview.
    ///
    /// # Safety
    /// See [`Live::new`].
    unsafe fn draw(&self) {
        let Some(preview) = self.question.preview else {
            return;
        };
        if self.busy.get() {
            return;
        }
        // SAFETY: the caller makes this promise, and the widget shows this drawable.
        unsafe {
            let said = self.ui.live.draw(self.preview, preview, &self.values());
            self.ui.live.say(self.note, &said);
        }
    }
}

unsafe extern "C" fn on_change(object: Object, live: *const Live) {
    // SAFETY: `connect` passed a value that lives as long as the dialog. Nothing may unwind into GTK.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { (*live).changed(object) }));
}

unsafe extern "C" fn on_draw(_preview: Object, live: *const Live) {
    // SAFETY: the same reason.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { (*live).draw() }));
}
