//! The front end for GIMP 3.0: a subclass of `GimpPlugIn` creates procedures, from whose arguments GIMP draws dialogs and
//! keeps the last values; images and items are objects.

mod procedures;
mod run;
mod tables;

use std::ffi::{c_int, c_void};
use std::process::ExitCode;

use crate::catalogue::Catalogue;
use crate::editor::{Gimp, Object, library};
use tables::{Gimp3, TABLES, Tables, Text, TypeQuery, tables};

/// Sets the functions of the subclass. What `GimpPlugInClass` begins with is as large as `GObjectClass`; they follow in this order.
unsafe extern "C" fn class_init(class: Object, _data: Object) {
    /// The type of `GObject`.
    const OBJECT: usize = 20 << 2;
    extern "C" fn not_translated(_: Object, _: Text, _: Object, _: Object) -> c_int {
        0
    }
    let mut parent = TypeQuery::default();
    // SAFETY: GLib writes its answer; the class has room for its five functions behind what its parent has.
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

/// Hands control to GIMP, which calls back.
pub(crate) fn main() -> ExitCode {
    let loaded = library("libgimp-3.0.so.0").and_then(|library| {
        // SAFETY: the types are those of the library's headers.
        unsafe {
            Ok(Tables {
                gimp: Gimp::load(library)?,
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
        // SAFETY: GLib writes its answer; the subclass is as large as its parent; the arguments are as C has them.
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
