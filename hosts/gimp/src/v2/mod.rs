//! The front end for GIMP 2.10: `query` installs the procedures and `run` runs them. Images and items are numbers.

mod arguments;
mod controls;
mod dialog;
mod live;
mod query;
mod run;
mod tables;
mod ui;
mod widgets;

use std::process::ExitCode;

use crate::editor::{Gimp, library};
use crate::metadata::Metadata;
use tables::{Gimp2, PlugInInfo, TABLES, Tables};

static INFO: PlugInInfo = PlugInInfo {
    init: None,
    quit: None,
    query: Some(query::query),
    run: Some(run::run),
};

/// Passes control to GIMP, which calls `query` or `run`.
pub(crate) fn main() -> ExitCode {
    let loaded = library("libgimp-2.0.so.0").and_then(|library| {
        // SAFETY: the types match the library's headers.
        unsafe {
            Ok(Tables {
                gimp: Gimp::load(library)?,
                metadata: Metadata::load(library).ok(),
                own: Gimp2::load(library)?,
            })
        }
    });
    let tables = match loaded {
        Ok(tables) => TABLES.get_or_init(|| tables),
        Err(failure) => {
            eprintln!("inr: {failure}; only GIMP starts this program, from its plug-in folder");
            return ExitCode::FAILURE;
        }
    };
    crate::arguments::with_arguments(|count, arguments| {
        // SAFETY: the arguments have the form of C, and GIMP does not write to their text.
        unsafe { (tables.own.gimp_main)(&INFO, count, arguments) }
    })
}
