//! Installs the procedures when GIMP queries the plug-in.

use std::ffi::{CString, c_int};

use inr_plugin_api::{FileType, Kind, Param, ParamType};

use super::tables::{ParamDef, SAVE, tables, tag};
use crate::catalogue::{Catalogue, Procedure, open_params};
use crate::editor::c_string;
use crate::procedure::{LOAD, PLUGIN, THUMBNAIL};

/// Arguments or results: types, names and descriptions.
type Arguments = Vec<(c_int, String, String)>;

/// Description of a procedure for GIMP.
struct Entry<'a> {
    name: &'a str,
    hint: &'a str,
    help: &'a str,
    label: Option<String>,
    /// Supported image types; `None` for procedures without an image.
    images: Option<&'a str>,
    arguments: Arguments,
    results: Arguments,
}

/// Installs all procedures.
pub(crate) extern "C" fn query() {
    let work = || {
        let catalogue = Catalogue::load();
        for procedure in catalogue.procedures() {
            install_filter(&procedure);
        }
        if let Ok((_, params)) = catalogue.codec() {
            let file_type = catalogue.file_type();
            install_load(&file_type);
            install_thumbnail();
            install_save(params, &file_type);
        }
    };
    // Nothing may unwind into GIMP, so a panic leaves the remaining procedures out.
    let _ = std::panic::catch_unwind(work);
}

fn argument(tag: c_int, name: &str, description: &str) -> (c_int, String, String) {
    (tag, name.to_owned(), description.to_owned())
}

fn run_mode() -> (c_int, String, String) {
    argument(
        tag::INT32,
        "run-mode",
        "0 with a dialog, 1 without, 2 with the last values",
    )
}

/// Argument type of values of `kind`.
pub(crate) fn tag_of(kind: &Kind) -> c_int {
    match kind.param_type() {
        ParamType::Int | ParamType::Bool => tag::INT32,
        ParamType::Double => tag::FLOAT,
        ParamType::Choice | ParamType::String => tag::STRING,
        ParamType::Rgb => tag::COLOR,
    }
}

fn described(params: &[Param]) -> impl Iterator<Item = (c_int, String, String)> {
    params.iter().map(|param| {
        let values = match &param.kind {
            Kind::Number {
                range: [low, high],
                default,
                ..
            } => format!("{low} to {high}, default {default}"),
            Kind::Bool(default) => format!("0 or 1, default {}", u8::from(*default)),
            Kind::Choice { choices, default } => {
                let keys: Vec<&str> = choices.iter().map(|(key, _)| key.as_str()).collect();
                format!("{}; default {default}", keys.join(", "))
            }
            Kind::Text(default) => format!("default \"{default}\""),
            Kind::Rgb(default) => format!("default {default:?}"),
        };
        let text = format!("{}: {} ({values})", param.label, param.hint);
        (tag_of(&param.kind), param.key.clone(), text)
    })
}

fn install_filter(procedure: &Procedure) {
    let filter = procedure.filter;
    let mut arguments = vec![
        run_mode(),
        argument(tag::IMAGE, "image", "The image"),
        argument(tag::DRAWABLE, "drawable", "The layer to edit"),
    ];
    for input in filter.inputs.iter().skip(1) {
        let may = if input.required { "" } else { " (-1: none)" };
        let text = format!("{}: {}{may}", input.label, input.hint);
        arguments.push((tag::DRAWABLE, input.key.clone(), text));
    }
    arguments.extend(described(&procedure.params()));
    let result = match procedure.edits() {
        true => argument(tag::DRAWABLE, "result", "The changed or new layer"),
        false => argument(tag::IMAGE, "result", "The new image"),
    };
    install(&Entry {
        name: &procedure.name,
        hint: &filter.hint,
        help: "An invalid number 0 or text \"\" stands for the default.",
        label: Some(format!("{}...", filter.label)),
        images: Some("RGB*, GRAY*"),
        arguments,
        results: vec![result],
    });
    let name = c_string(&procedure.name);
    let menu = c_string(&format!("<Image>/Filters/{}", procedure.plugin.name()));
    // SAFETY: both strings are valid during the call.
    unsafe { (tables().own.gimp_plugin_menu_register)(name.as_ptr(), menu.as_ptr()) };
}

fn file_arguments() -> Arguments {
    vec![
        argument(tag::STRING, "filename", "The file"),
        argument(tag::STRING, "raw-filename", "The file as it was entered"),
    ]
}

fn install_load(file_type: &FileType) {
    let mut arguments = vec![run_mode()];
    arguments.extend(file_arguments());
    arguments.extend(described(&open_params()));
    install(&Entry {
        name: LOAD,
        hint: "Opens .inr files at any size.",
        help: "Renders the picture at the given size, or at its native size if all are 0.",
        label: Some("INR picture".into()),
        images: None,
        arguments,
        results: vec![argument(tag::IMAGE, "image", "The new image")],
    });
    let own = &tables().own;
    let magic = crate::file::magic(&file_type.magic);
    let texts = [LOAD, &file_type.mime_type, &file_type.extension, &magic];
    let [name, mime, extension, magic] = texts.map(c_string);
    // SAFETY: all strings are valid during the calls.
    unsafe {
        (own.gimp_register_file_handler_mime)(name.as_ptr(), mime.as_ptr());
        (own.gimp_register_magic_load_handler)(
            name.as_ptr(),
            extension.as_ptr(),
            c"".as_ptr(),
            magic.as_ptr(),
        );
    }
}

fn install_thumbnail() {
    install(&Entry {
        name: THUMBNAIL,
        hint: "Renders .inr files as thumbnails.",
        help: "Renders the picture so that its longer side has the given size.",
        label: None,
        images: None,
        arguments: vec![
            argument(tag::STRING, "filename", "The file"),
            argument(tag::INT32, "thumb-size", "Longer side"),
        ],
        results: vec![
            argument(tag::IMAGE, "image", "The thumbnail"),
            argument(tag::INT32, "image-width", "Native width"),
            argument(tag::INT32, "image-height", "Native height"),
        ],
    });
    let (load, thumbnail) = (c_string(LOAD), c_string(THUMBNAIL));
    // SAFETY: both strings are valid during the call.
    unsafe { (tables().own.gimp_register_thumbnail_loader)(load.as_ptr(), thumbnail.as_ptr()) };
}

fn install_save(params: &[Param], file_type: &FileType) {
    let mut arguments = vec![
        run_mode(),
        argument(tag::IMAGE, "image", "The image"),
        argument(tag::DRAWABLE, "drawable", "The layer to export"),
    ];
    arguments.extend(file_arguments());
    arguments.extend(described(params));
    install(&Entry {
        name: SAVE,
        hint: "Exports .inr files.",
        help: "0 or \"\" for an argument of the encoder selects its default; give 0.01 for the lowest quality.",
        label: Some("INR picture".into()),
        images: Some("*"),
        arguments,
        results: Vec::new(),
    });
    let own = &tables().own;
    let texts = [SAVE, &file_type.mime_type, &file_type.extension];
    let [name, mime, extension] = texts.map(c_string);
    // SAFETY: all strings are valid during the calls.
    unsafe {
        (own.gimp_register_file_handler_mime)(name.as_ptr(), mime.as_ptr());
        (own.gimp_register_save_handler)(name.as_ptr(), extension.as_ptr(), c"".as_ptr());
    }
}

fn install(entry: &Entry) {
    let texts = |list: &Arguments| -> Vec<[CString; 2]> {
        let each = list
            .iter()
            .map(|(_, name, text)| [c_string(name), c_string(text)]);
        each.collect()
    };
    let definitions = |list: &Arguments, texts: &[[CString; 2]]| -> Vec<ParamDef> {
        let each = list
            .iter()
            .zip(texts)
            .map(|((tag, ..), [name, text])| ParamDef {
                tag: *tag,
                name: name.as_ptr(),
                description: text.as_ptr(),
            });
        each.collect()
    };
    let (argument_texts, result_texts) = (texts(&entry.arguments), texts(&entry.results));
    let arguments = definitions(&entry.arguments, &argument_texts);
    let results = definitions(&entry.results, &result_texts);
    // GIMP requires NULL for an empty list.
    let start = |list: &[ParamDef]| match list.is_empty() {
        true => std::ptr::null(),
        false => list.as_ptr(),
    };
    let [name, hint, help] = [entry.name, entry.hint, entry.help].map(c_string);
    let label = entry.label.as_deref().map(c_string);
    let images = entry.images.map(c_string);
    let optional = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
    // SAFETY: all strings and definitions are valid during the call.
    unsafe {
        (tables().own.gimp_install_procedure)(
            name.as_ptr(),
            hint.as_ptr(),
            help.as_ptr(),
            c"The inr developers".as_ptr(),
            c"The inr developers".as_ptr(),
            c"2026".as_ptr(),
            optional(&label),
            optional(&images),
            PLUGIN,
            arguments.len() as c_int,
            results.len() as c_int,
            start(&arguments),
            start(&results),
        );
    }
}
