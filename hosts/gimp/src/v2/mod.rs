//! The front end for GIMP 2.10: `query` installs the procedures and `run` runs them; images and items are numbers.

mod arguments;
mod dialog;
mod query;
mod run;
mod tables;

use std::process::ExitCode;

use crate::editor::{Gimp, library};
use tables::{Gimp2, PlugInInfo, TABLES, Tables};

static INFO: PlugInInfo = PlugInInfo {
    init: None,
    quit: None,
    query: Some(query::query),
    run: Some(run::run),
};

/// Hands control to GIMP, which calls back.
pub(crate) fn main() -> ExitCode {
    let loaded = library("libgimp-2.0.so.0").and_then(|library| {
        // SAFETY: the types are those of the library's headers.
        unsafe {
            Ok(Tables {
                gimp: Gimp::load(library)?,
                own: Gimp2::load(library)?,
            })
        }
    });
    let tables = match loaded {
        Ok(tables) => TABLES.get_or_init(|| tables),
        Err(failure) => {
            eprintln!("inr: {failure}; GIMP 2.10 starts this program, from its folder of plug-ins");
            return ExitCode::FAILURE;
        }
    };
    crate::arguments::with_arguments(|count, arguments| {
        // SAFETY: the arguments are as C has them, and GIMP does not write into their text.
        unsafe { (tables.own.gimp_main)(&INFO, count, arguments) }
    })
}
