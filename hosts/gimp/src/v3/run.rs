//! Runs procedures.

use std::ffi::{CStr, c_int};
use std::path::PathBuf;
use std::ptr::{null, null_mut};

use inr_plugin_api::Failure;

use super::arguments::values;
use super::dialog::{Question, ask};
use super::tables::{Text, tables};
use crate::catalogue::open_params;
use crate::editor::{Object, c_string as text};
use crate::file::{self, Opened};
use crate::filter::{Job, Made};
use crate::preview::Preview;
use crate::procedure::{INTERACTIVE, NONINTERACTIVE, SUCCESS, file_name, guarded, outcome};

/// `GIMP_EXPORT_EXPORT`.
const COPIED: c_int = 1;

/// A result of a procedure.
enum Output {
    Object(Object),
    Int(c_int),
    /// Keeps the default value.
    Default,
}

/// Runs `work` and returns its outcome to GIMP.
///
/// # Safety
/// `procedure` is the one that GIMP runs.
unsafe fn answer(procedure: Object, work: impl FnOnce() -> Result<Vec<Output>, Failure>) -> Object {
    let own = &tables().own;
    // SAFETY: the caller makes this promise; GIMP takes over errors, and values add their own references.
    unsafe {
        let outputs = match guarded(work) {
            Ok(outputs) => outputs,
            Err(failure) => {
                let (status, message) = outcome(&failure);
                let error = message.map_or(null_mut(), |message| {
                    let domain = (own.g_quark_from_string)(c"inr".as_ptr());
                    (own.g_error_new_literal)(domain, 0, text(message).as_ptr())
                });
                return (own.gimp_procedure_new_return_values)(procedure, status, error);
            }
        };
        let values = (own.gimp_procedure_new_return_values)(procedure, SUCCESS, null_mut());
        for (index, output) in (1..).zip(outputs) {
            let value = (own.gimp_value_array_index)(values, index);
            match output {
                Output::Object(object) => (own.g_value_set_object)(value, object),
                Output::Int(int) => (own.g_value_set_int)(value, int),
                Output::Default => {}
            }
        }
        values
    }
}

/// The path of a `GFile`.
///
/// # Safety
/// `file` is a `GFile`.
unsafe fn path(file: Object) -> Result<PathBuf, Failure> {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: the caller makes this promise, and the path is valid as long as the file object.
    unsafe {
        let path = (tables().own.g_file_peek_path)(file);
        match path.is_null() {
            true => Err(Failure::unsupported("only local files are supported")),
            false => Ok(std::ffi::OsStr::from_bytes(CStr::from_ptr(path).to_bytes()).into()),
        }
    }
}

/// Runs a filter.
///
/// # Safety
/// Only GIMP calls it; likewise for the functions below.
pub(crate) unsafe extern "C" fn filter(
    procedure: Object,
    mode: c_int,
    image: Object,
    drawables: *const Object,
    config: Object,
    _data: Object,
) -> Object {
    let own = &tables().own;
    // SAFETY: GIMP passes valid objects, and NULL ends the drawables.
    let work = || unsafe {
        let name = CStr::from_ptr((own.gimp_procedure_get_name)(procedure)).to_string_lossy();
        let found = tables().catalogue.procedure(&name)?;
        let drawable = match drawables.is_null() {
            true => null_mut(),
            false => *drawables,
        };
        if drawable.is_null() || !(*drawables.add(1)).is_null() {
            return Err(Failure::bad("select exactly one layer"));
        }
        let params = found.params();
        if mode == INTERACTIVE {
            let preview = Preview {
                gimp: &tables().gimp,
                procedure: &found,
                image,
                drawable,
            };
            ask(
                procedure,
                config,
                &Question {
                    title: &found.filter.label,
                    params: &params,
                    preview: Some(&preview),
                    ..Question::default()
                },
            )?;
        }
        let end: Text = null();
        let others = found.filter.inputs.iter().skip(1).map(|input| {
            let mut item: Object = null_mut();
            (own.g_object_get)(config, text(&input.key).as_ptr(), &raw mut item, end);
            (input.key.clone(), item)
        });
        let job = Job {
            procedure: &found,
            image,
            drawable,
            others: others.filter(|(_, item)| !item.is_null()).collect(),
            values: values(config, &params),
        };
        let made = job.run(&tables().gimp)?;
        if mode != NONINTERACTIVE {
            if let Made::Image(made) = made {
                (own.gimp_display_new)(made);
            }
            (own.gimp_displays_flush)();
        }
        let (Made::Image(made) | Made::Drawable(made)) = made;
        Ok(vec![Output::Object(made)])
    };
    // SAFETY: GIMP passes the procedure that it runs.
    unsafe { answer(procedure, work) }
}

/// Opens a file.
pub(crate) unsafe extern "C" fn load(
    procedure: Object,
    mode: c_int,
    file: Object,
    _metadata: Object,
    _flags: *mut c_int,
    config: Object,
    _data: Object,
) -> Object {
    // SAFETY: GIMP passes valid objects.
    let work = || unsafe {
        let (plugin, _) = tables().catalogue.codec()?;
        let path = path(file)?;
        tables()
            .gimp
            .progress(&format!("Opening {}", file_name(&path)));
        let mut opened = Opened::new(plugin, &path)?;
        let params = open_params();
        if mode == INTERACTIVE {
            let [width, height] = opened.info.size;
            let title = format!("Open {} ({width} x {height})", file_name(&path));
            ask(
                procedure,
                config,
                &Question {
                    title: &title,
                    params: &params,
                    native: Some(opened.info.size),
                    ..Question::default()
                },
            )?;
        }
        let size = opened.size(&values(config, &params));
        Ok(vec![Output::Object(opened.render(
            &tables().gimp,
            tables().metadata.as_ref(),
            size,
        )?)])
    };
    // SAFETY: GIMP passes the procedure that it runs.
    unsafe { answer(procedure, work) }
}

/// Renders a thumbnail.
pub(crate) unsafe extern "C" fn thumbnail(
    procedure: Object,
    file: Object,
    side: c_int,
    _config: Object,
    _data: Object,
) -> Object {
    // SAFETY: GIMP passes valid objects.
    let work = || unsafe {
        let mut opened = Opened::new(tables().catalogue.codec()?.0, &path(file)?)?;
        let size = opened.size_within(u32::try_from(side).unwrap_or(0));
        let [width, height] = opened.info.size.map(|side| side as c_int);
        let image = opened.render(&tables().gimp, tables().metadata.as_ref(), size)?;
        Ok(vec![
            Output::Object(image),
            Output::Int(width),
            Output::Int(height),
            Output::Default,
            Output::Int(1),
        ])
    };
    // SAFETY: GIMP passes the procedure that it runs.
    unsafe { answer(procedure, work) }
}

/// Exports an image.
pub(crate) unsafe extern "C" fn export(
    procedure: Object,
    mode: c_int,
    image: Object,
    file: Object,
    options: Object,
    _metadata: Object,
    config: Object,
    _data: Object,
) -> Object {
    let own = &tables().own;
    let gimp = &tables().gimp;
    // SAFETY: GIMP passes valid objects; NULL ends the layers, whose list is freed.
    let work = || unsafe {
        let (plugin, params) = tables().catalogue.codec()?;
        let path = path(file)?;
        if mode == INTERACTIVE {
            ask(
                procedure,
                config,
                &Question {
                    params,
                    export: image,
                    ..Question::default()
                },
            )?;
        }
        let values = values(config, params);
        let mut merged = image;
        let copied = (own.gimp_export_options_get_image)(options, &mut merged) == COPIED;
        let layers = (own.gimp_image_get_layers)(merged);
        let layer = match layers.is_null() {
            true => null_mut(),
            false => *layers,
        };
        (gimp.g_free)(layers.cast());
        gimp.progress(&format!("Exporting {}", file_name(&path)));
        let done = match layer.is_null() {
            true => Err(Failure::unsupported("the image has no layers")),
            false => file::save(
                gimp,
                tables().metadata.as_ref(),
                plugin,
                merged,
                layer,
                &path,
                &values,
            ),
        };
        if copied {
            (gimp.gimp_image_delete)(merged);
        }
        done.map(|()| Vec::new())
    };
    // SAFETY: GIMP passes the procedure that it runs.
    unsafe { answer(procedure, work) }
}
