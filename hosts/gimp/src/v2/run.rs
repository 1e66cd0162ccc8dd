//! Runs procedures.

use std::ffi::{CStr, c_char, c_int};
use std::path::Path;

use inr_plugin_api::{Failure, Input, Param};

use super::arguments::{Arguments, int, text};
use super::tables::{GimpParam, SAVE, Tables, tables, tag};
use super::ui::{Question, Ui};
use crate::catalogue::{Catalogue, Procedure, Values, from_bytes, open_params, to_bytes};
use crate::editor::c_string;
use crate::file::{self, Opened};
use crate::filter::{Job, Made};
use crate::preview::Preview;
use crate::procedure::{
    INTERACTIVE, LOAD, NONINTERACTIVE, SUCCESS, THUMBNAIL, file_name, guarded, outcome,
};

type Results = Vec<GimpParam>;

/// Runs the procedure `name`. Leaks the results, because GIMP reads them after the call.
///
/// # Safety
/// GIMP calls it with `count` arguments and with pointers to store the results.
pub(crate) unsafe extern "C" fn run(
    name: *const c_char,
    count: c_int,
    arguments: *const GimpParam,
    result_count: *mut c_int,
    results: *mut *mut GimpParam,
) {
    let work = || {
        // SAFETY: GIMP passes a string and `count` arguments.
        let (name, arguments) = unsafe {
            let name = CStr::from_ptr(name).to_string_lossy();
            (
                name,
                std::slice::from_raw_parts(arguments, count.max(0) as usize),
            )
        };
        call(&name, Arguments(arguments))
    };
    let all = match guarded(work) {
        Ok(made) => [vec![int(tag::STATUS, SUCCESS)], made].concat(),
        Err(failure) => {
            let (status, message) = outcome(&failure);
            let message = message.into_iter().map(text);
            [int(tag::STATUS, status)]
                .into_iter()
                .chain(message)
                .collect()
        }
    };
    let all = all.leak();
    // SAFETY: GIMP passes valid pointers for both.
    unsafe {
        *result_count = all.len() as c_int;
        *results = all.as_mut_ptr();
    }
}

fn call(name: &str, arguments: Arguments) -> Result<Results, Failure> {
    let tables = tables();
    // SAFETY: NULL stands for a program without arguments.
    unsafe { (tables.gimp.gegl_init)(std::ptr::null_mut(), std::ptr::null_mut()) };
    let catalogue = Catalogue::load();
    let host = Host {
        tables,
        catalogue: &catalogue,
    };
    match name {
        LOAD => host.load(arguments),
        THUMBNAIL => host.thumbnail(arguments),
        SAVE => host.save(arguments),
        _ => host.filter(&catalogue.procedure(name)?, arguments),
    }
}

struct Host<'a> {
    tables: &'a Tables,
    catalogue: &'a Catalogue,
}

impl Host<'_> {
    /// Reads the bytes stored under `key`.
    fn stored(&self, key: &str) -> Vec<u8> {
        let own = &self.tables.own;
        let key = c_string(key);
        // SAFETY: the key is valid during the call.
        let size = unsafe { (own.gimp_procedural_db_get_data_size)(key.as_ptr()) };
        let mut bytes = vec![0_u8; size.max(0) as usize];
        if !bytes.is_empty() {
            // SAFETY: the key is valid, and `bytes` has the size that GIMP reported.
            unsafe { (own.gimp_procedural_db_get_data)(key.as_ptr(), bytes.as_mut_ptr().cast()) };
        }
        bytes
    }

    /// Stores `bytes` under `key` until GIMP ends.
    fn store_bytes(&self, key: &str, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let key = c_string(key);
        // SAFETY: the key and the bytes are valid during the call.
        unsafe {
            (self.tables.own.gimp_procedural_db_set_data)(
                key.as_ptr(),
                bytes.as_ptr().cast(),
                bytes.len() as u32,
            )
        };
    }

    /// Reads the values of the last call of `name`, or defaults.
    fn last(&self, name: &str, params: &[Param]) -> Values {
        from_bytes(&self.stored(name), params)
    }

    fn store(&self, name: &str, values: &Values) {
        self.store_bytes(name, &to_bytes(values));
    }

    fn filter(&self, procedure: &Procedure, mut arguments: Arguments) -> Result<Results, Failure> {
        let gimp = &self.tables.gimp;
        let mode = arguments.int(tag::INT32)?;
        let image = arguments.int(tag::IMAGE)?;
        let drawable = arguments.int(tag::DRAWABLE)?;
        let inputs = procedure.filter.inputs.get(1..).unwrap_or_default();
        let params = procedure.params();
        let others = self.others(procedure, mode, inputs, &mut arguments)?;
        let (others, values) = match mode {
            NONINTERACTIVE => (others, arguments.values(&params)?),
            INTERACTIVE => {
                let preview = Preview {
                    gimp,
                    procedure,
                    image,
                    drawable,
                };
                let question = Question {
                    title: &procedure.filter.label,
                    text: &procedure.filter.hint,
                    accept: c"_OK",
                    inputs,
                    params: &params,
                    preview: Some(&preview),
                    native: None,
                };
                Ui::start()?.ask(&question, others, self.last(&procedure.name, &params))?
            }
            _ => (others, self.last(&procedure.name, &params)),
        };
        if mode == INTERACTIVE {
            self.store(&procedure.name, &values);
            let items = others.iter().flat_map(|item| item.to_ne_bytes());
            self.store_bytes(&items_key(procedure), &items.collect::<Vec<u8>>());
        }
        let used = inputs.iter().zip(&others);
        let used = used.filter(|(_, item)| (self.tables.own.gimp_item_is_valid)(**item) != 0);
        let job = Job {
            procedure,
            image,
            drawable,
            others: used
                .map(|(input, item)| (input.key.clone(), *item))
                .collect(),
            values,
        };
        let made = job.run(gimp)?;
        if mode != NONINTERACTIVE {
            if let Made::Image(made) = made {
                (self.tables.own.gimp_display_new)(made);
            }
            (self.tables.own.gimp_displays_flush)();
        }
        Ok(vec![match made {
            Made::Image(made) => int(tag::IMAGE, made),
            Made::Drawable(made) => int(tag::DRAWABLE, made),
        }])
    }

    /// Reads the further inputs from the arguments; other modes than the non-interactive one reuse those of the last call.
    fn others(
        &self,
        procedure: &Procedure,
        mode: c_int,
        inputs: &[Input],
        arguments: &mut Arguments,
    ) -> Result<Vec<c_int>, Failure> {
        let given = inputs.iter().map(|_| arguments.int(tag::DRAWABLE));
        let given = given.collect::<Result<Vec<c_int>, Failure>>()?;
        if mode == NONINTERACTIVE {
            return Ok(given);
        }
        let last = self.stored(&items_key(procedure));
        let last = last
            .chunks_exact(4)
            .map(|b| c_int::from_ne_bytes([b[0], b[1], b[2], b[3]]));
        let last: Vec<c_int> = last.collect();
        Ok(if last.len() == given.len() {
            last
        } else {
            given
        })
    }

    fn load(&self, mut arguments: Arguments) -> Result<Results, Failure> {
        let (plugin, _) = self.catalogue.codec()?;
        let params = open_params();
        let mode = arguments.int(tag::INT32)?;
        let path = arguments.path()?;
        arguments.path()?;
        self.tables
            .gimp
            .progress(&format!("Opening {}", file_name(&path)));
        let mut opened = Opened::new(plugin, &path)?;
        let [width, height] = opened.info.size;
        let values = match mode {
            NONINTERACTIVE => arguments.values(&params)?,
            INTERACTIVE => {
                let question = Question {
                    title: &format!("Open {}", file_name(&path)),
                    text: &format!(
                        "{width} x {height} pixels at native size; sharp at any other size."
                    ),
                    accept: c"_Open",
                    inputs: &[],
                    params: &params,
                    preview: None,
                    native: Some(opened.info.size),
                };
                let (_, values) =
                    Ui::start()?.ask(&question, Vec::new(), self.last(LOAD, &params))?;
                self.store(LOAD, &values);
                values
            }
            _ => self.last(LOAD, &params),
        };
        let size = opened.size(&values);
        let image = opened.render(&self.tables.gimp, self.tables.metadata.as_ref(), size)?;
        let name = c_path(&path);
        // SAFETY: the name is valid during the call.
        unsafe { (self.tables.own.gimp_image_set_filename)(image, name.as_ptr()) };
        Ok(vec![int(tag::IMAGE, image)])
    }

    fn thumbnail(&self, mut arguments: Arguments) -> Result<Results, Failure> {
        let (plugin, _) = self.catalogue.codec()?;
        let path = arguments.path()?;
        let side = arguments.int(tag::INT32)?;
        let mut opened = Opened::new(plugin, &path)?;
        let size = opened.size_within(u32::try_from(side).unwrap_or(0));
        let image = opened.render(&self.tables.gimp, self.tables.metadata.as_ref(), size)?;
        let native = opened.info.size.map(|side| int(tag::INT32, side as c_int));
        Ok([vec![int(tag::IMAGE, image)], native.to_vec()].concat())
    }

    fn save(&self, mut arguments: Arguments) -> Result<Results, Failure> {
        let (plugin, params) = self.catalogue.codec()?;
        let mode = arguments.int(tag::INT32)?;
        let image = arguments.int(tag::IMAGE)?;
        let drawable = arguments.int(tag::DRAWABLE)?;
        let path = arguments.path()?;
        arguments.path()?;
        let gimp = &self.tables.gimp;
        let write = |image, drawable, values: &Values| {
            gimp.progress(&format!("Exporting {}", file_name(&path)));
            let metadata = self.tables.metadata.as_ref();
            file::save(gimp, metadata, plugin, image, drawable, &path, values)
        };
        match mode {
            NONINTERACTIVE => write(image, drawable, &arguments.values_given(params)?)?,
            _ => {
                let ui = Ui::start()?;
                let export = ui.export(gimp, image, drawable)?;
                let mut values = self.last(SAVE, params);
                if mode == INTERACTIVE {
                    let question = Question {
                        title: "Export as INR",
                        text: "",
                        accept: c"_Export",
                        inputs: &[],
                        params,
                        preview: None,
                        native: None,
                    };
                    (_, values) = ui.ask(&question, Vec::new(), values)?;
                }
                write(export.image, export.drawable, &values)?;
                self.store(SAVE, &values);
            }
        }
        Ok(Results::new())
    }
}

fn items_key(procedure: &Procedure) -> String {
    format!("{}-inputs", procedure.name)
}

fn c_path(path: &Path) -> std::ffi::CString {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
}
