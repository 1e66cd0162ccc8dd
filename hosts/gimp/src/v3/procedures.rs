//! Creates the procedures.

use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use inr_plugin_api::{Kind, Param};

use super::run;
use super::tables::{EXPORT, Text, tables};
use crate::catalogue::{Procedure, open_params};
use crate::editor::{Object, c_string as text};
use crate::file::magic;
use crate::procedure::{EXPORTS, LOAD, PLUGIN, THUMBNAIL};

/// `G_PARAM_READWRITE`.
const READWRITE: c_int = 3;

/// Lists the names of the procedures.
pub(crate) unsafe extern "C" fn query(_plugin: Object) -> Object {
    let own = &tables().own;
    let catalogue = &tables().catalogue;
    let filters = catalogue
        .procedures()
        .into_iter()
        .map(|procedure| procedure.name);
    let codec = catalogue.codec().ok();
    let codec = codec.map(|_| [THUMBNAIL, LOAD, EXPORT].map(str::to_owned));
    let names = filters.chain(codec.into_iter().flatten());
    names.fold(null_mut(), |list, name| {
        // SAFETY: GLib copies the name and owns the list.
        unsafe { (own.g_list_append)(list, (own.g_strdup)(text(&name).as_ptr())) }
    })
}

/// Creates the procedure `name`.
pub(crate) unsafe extern "C" fn create(plugin: Object, name: *const c_char) -> Object {
    // SAFETY: GIMP passes a string.
    let called = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    // SAFETY: GIMP passes a string and its plug-in object.
    let work = || unsafe {
        match &*called {
            LOAD => load(plugin, name),
            THUMBNAIL => (tables().own.gimp_thumbnail_procedure_new)(
                plugin,
                name,
                PLUGIN,
                run::thumbnail,
                null_mut(),
                None,
            ),
            EXPORT => export(plugin, name),
            _ => filter(plugin, name, &called),
        }
    };
    // Nothing may unwind into GIMP; NULL stands for no procedure.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(null_mut())
}

/// Sets label, documentation and attribution of a procedure.
///
/// # Safety
/// The procedure is a valid object; likewise for the functions below.
unsafe fn describe(procedure: Object, label: &str, hint: &str) {
    let own = &tables().own;
    let developers = c"The inr developers".as_ptr();
    // SAFETY: the caller makes this promise, and GIMP copies the strings.
    unsafe {
        (own.gimp_procedure_set_menu_label)(procedure, text(label).as_ptr());
        (own.gimp_procedure_set_documentation)(
            procedure,
            text(hint).as_ptr(),
            text(hint).as_ptr(),
            std::ptr::null(),
        );
        (own.gimp_procedure_set_attribution)(procedure, developers, developers, c"2026".as_ptr());
    }
}

unsafe fn filter(plugin: Object, name: Text, called: &str) -> Object {
    let own = &tables().own;
    let Ok(found) = tables().catalogue.procedure(called) else {
        return null_mut();
    };
    let Procedure { filter, .. } = &found;
    // SAFETY: the caller makes this promise, and GIMP copies the strings.
    unsafe {
        let procedure =
            (own.gimp_image_procedure_new)(plugin, name, PLUGIN, run::filter, null_mut(), None);
        describe(procedure, &format!("{}...", filter.label), &filter.hint);
        (own.gimp_procedure_set_image_types)(procedure, c"RGB*, GRAY*".as_ptr());
        let menu = text(&format!("<Image>/Filters/{}", found.plugin.name()));
        (own.gimp_procedure_add_menu_path)(procedure, menu.as_ptr());
        for input in filter.inputs.iter().skip(1) {
            let [key, label, hint] = [&input.key, &input.label, &input.hint].map(|part| text(part));
            let optional = c_int::from(!input.required);
            let add = own.gimp_procedure_add_drawable_argument;
            add(
                procedure,
                key.as_ptr(),
                label.as_ptr(),
                hint.as_ptr(),
                optional,
                READWRITE,
            );
        }
        for param in found.params() {
            argument(procedure, &param);
        }
        let add = match found.edits() {
            true => own.gimp_procedure_add_drawable_return_value,
            false => own.gimp_procedure_add_image_return_value,
        };
        add(
            procedure,
            c"result".as_ptr(),
            c"Result".as_ptr(),
            c"The result of the filter".as_ptr(),
            0,
            READWRITE,
        );
        procedure
    }
}

/// Adds the argument of `param`. Colours have no argument and keep their defaults.
unsafe fn argument(procedure: Object, param: &Param) {
    let own = &tables().own;
    let texts = [&param.key, &param.label, &param.hint].map(|part| text(part));
    let [key, label, hint] = [0, 1, 2].map(|i| texts[i].as_ptr());
    let whole = |number: f64| number as c_int;
    // SAFETY: the caller makes this promise; GIMP copies the strings and takes over the choice.
    unsafe {
        match &param.kind {
            Kind::Number {
                whole: true,
                range: [low, high],
                default,
                ..
            } => {
                let [low, high, default] = [*low, *high, *default].map(whole);
                (own.gimp_procedure_add_int_argument)(
                    procedure, key, label, hint, low, high, default, READWRITE,
                );
            }
            Kind::Number {
                range: [low, high],
                default,
                ..
            } => {
                (own.gimp_procedure_add_double_argument)(
                    procedure, key, label, hint, *low, *high, *default, READWRITE,
                );
            }
            Kind::Bool(default) => {
                (own.gimp_procedure_add_boolean_argument)(
                    procedure,
                    key,
                    label,
                    hint,
                    (*default).into(),
                    READWRITE,
                );
            }
            Kind::Choice { choices, default } => {
                let choice = (own.gimp_choice_new)();
                for (id, (key, label)) in choices.iter().enumerate() {
                    (own.gimp_choice_add)(
                        choice,
                        text(key).as_ptr(),
                        id as c_int,
                        text(label).as_ptr(),
                        c"".as_ptr(),
                    );
                }
                let default = text(default);
                (own.gimp_procedure_add_choice_argument)(
                    procedure,
                    key,
                    label,
                    hint,
                    choice,
                    default.as_ptr(),
                    READWRITE,
                );
            }
            Kind::Text(default) => {
                let default = text(default);
                (own.gimp_procedure_add_string_argument)(
                    procedure,
                    key,
                    label,
                    hint,
                    default.as_ptr(),
                    READWRITE,
                );
            }
            Kind::Rgb(_) => {}
        }
    }
}

/// Sets MIME type and extension.
unsafe fn file_type(procedure: Object) {
    let own = &tables().own;
    let found = tables().catalogue.file_type();
    let [mime, extension] = [&found.mime_type, &found.extension].map(|part| text(part));
    // SAFETY: the caller makes this promise, and GIMP copies the strings.
    unsafe {
        (own.gimp_file_procedure_set_mime_types)(procedure, mime.as_ptr());
        (own.gimp_file_procedure_set_extensions)(procedure, extension.as_ptr());
    }
}

unsafe fn load(plugin: Object, name: Text) -> Object {
    let own = &tables().own;
    // SAFETY: the caller makes this promise, and GIMP copies the strings.
    unsafe {
        let procedure =
            (own.gimp_load_procedure_new)(plugin, name, PLUGIN, run::load, null_mut(), None);
        describe(procedure, "INR picture", "Opens .inr files at any size.");
        for param in open_params() {
            argument(procedure, &param);
        }
        file_type(procedure);
        let magic = text(&magic(&tables().catalogue.file_type().magic));
        (own.gimp_file_procedure_set_magics)(procedure, magic.as_ptr());
        (own.gimp_load_procedure_set_thumbnail_loader)(procedure, text(THUMBNAIL).as_ptr());
        procedure
    }
}

unsafe fn export(plugin: Object, name: Text) -> Object {
    let own = &tables().own;
    // SAFETY: the caller makes this promise, and GIMP copies the strings.
    unsafe {
        let procedure =
            (own.gimp_export_procedure_new)(plugin, name, PLUGIN, 0, run::export, null_mut(), None);
        describe(procedure, "INR picture", "Exports .inr files.");
        (own.gimp_procedure_set_image_types)(procedure, c"*".as_ptr());
        (own.gimp_export_procedure_set_capabilities)(
            procedure,
            EXPORTS,
            std::ptr::null(),
            null_mut(),
            None,
        );
        (own.gimp_file_procedure_set_format_name)(procedure, c"INR".as_ptr());
        file_type(procedure);
        for param in tables()
            .catalogue
            .codec()
            .map(|(_, params)| params)
            .unwrap_or_default()
        {
            argument(procedure, param);
        }
        procedure
    }
}
