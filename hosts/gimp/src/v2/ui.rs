//! The user interface, and the contents of a dialog.

use std::ffi::{CStr, c_int};

use inr_plugin_api::{Failure, Input, Param};

use super::tables::NAME;
use super::widgets::Widgets;
use crate::editor::library;
use crate::live::LiveWidgets;
use crate::preview::Preview;

/// Contents of a dialog.
pub(crate) struct Question<'a> {
    pub(crate) title: &'a str,
    /// Explanation at the top.
    pub(crate) text: &'a str,
    /// Label of the accepting button.
    pub(crate) accept: &'a CStr,
    pub(crate) inputs: &'a [Input],
    pub(crate) params: &'a [Param],
    /// The filter's preview.
    pub(crate) preview: Option<&'a Preview<'a, c_int>>,
    /// Native size of the picture whose width, height and scale are linked.
    pub(crate) native: Option<[u32; 2]>,
}

/// The user interface, which starts on demand.
pub(crate) struct Ui {
    pub(super) widgets: Widgets,
    pub(super) live: LiveWidgets,
}

impl Ui {
    /// Starts GTK, which ends the process without a display.
    ///
    /// # Errors
    /// When the library of GIMP's widgets is missing.
    pub(crate) fn start() -> Result<Self, Failure> {
        let library = library("libgimpui-2.0.so.0")?;
        // SAFETY: the types match the libraries' headers.
        let (widgets, live) = unsafe { (Widgets::load(library)?, LiveWidgets::load(library)?) };
        // SAFETY: the name is valid during the call.
        unsafe { (widgets.gimp_ui_init)(NAME.as_ptr(), 0) };
        Ok(Self { widgets, live })
    }
}
