//! The front end for GIMP 3.0: a subclass of `GimpPlugIn` creates procedures. GIMP builds dialogs from their arguments and
//! stores the last values. Images and items are objects.

mod arguments;
mod dialog;
mod procedures;
mod run;
mod tables;

use std::ffi::{c_int, c_void};
use std::process::ExitCode;

use crate::catalogue::Catalogue;
use crate::editor::{Gimp, Object, library};
use crate::metadata::Metadata;
use tables::{Gimp3, TABLES, Tables, Text, TypeQuery, tables};

/// Sets the functions of the subclass. They follow in this order after a `GObjectClass` at the start of `GimpPlugInClass`.
unsafe extern "C" fn class_init(class: Object, _data: Object) {
    /// The type of `GObject`.
    const OBJECT: usize = 20 << 2;
    extern "C" fn not_translated(_: Object, _: Text, _: Object, _: Object) -> c_int {
        0
    }
    let mut parent = TypeQuery::default();
    // SAFETY: GLib fills `parent`; the class has room for five functions after its parent's.
    unsafe {
        (tables().own.g_type_query)(OBJECT, &mut parent);
        let functions = class
            .byte_add(parent.class_size as usize)
            .cast::<*const c_void>();
        functions.write(procedures::query as *const c_void);
        functions.add(2).write(procedures::create as *const c_void);
        functions.add(4).write(not_translated as *const c_void);
    }
}

/// Passes control to GIMP, which calls the functions of the subclass.
pub(crate) fn main() -> ExitCode {
    let loaded = library("libgimp-3.0.so.0").and_then(|library| {
        // SAFETY: the types match the library's headers.
        unsafe {
            Ok(Tables {
                gimp: Gimp::load(library)?,
                metadata: Metadata::load(library).ok(),
                own: Gimp3::load(library)?,
                catalogue: Catalogue::load(),
            })
        }
    });
    let tables = match loaded {
        Ok(tables) => TABLES.get_or_init(|| tables),
        Err(failure) => {
            eprintln!("inr: {failure}");
            return ExitCode::FAILURE;
        }
    };
    let own = &tables.own;
    crate::arguments::with_arguments(|count, arguments| {
        let parent = (own.gimp_plug_in_get_type)();
        let mut sizes = TypeQuery::default();
        // SAFETY: GLib fills `sizes`, the subclass has its parent's size, and the arguments have the form of C.
        unsafe {
            (own.g_type_query)(parent, &mut sizes);
            let (class, instance) = (sizes.class_size, sizes.instance_size);
            let kind = (own.g_type_register_static_simple)(
                parent,
                c"InrPlugIn".as_ptr(),
                class,
                class_init,
                instance,
                None,
                0,
            );
            (own.gimp_main)(kind, count, arguments)
        }
    })
}
