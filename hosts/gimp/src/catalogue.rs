//! The available plug-ins and their filters as procedures of GIMP.

use std::path::PathBuf;
use std::sync::Mutex;

use inr_plugin_api::host::{Options, Plugin, Session, find};
use inr_plugin_api::{Failure, FileType, Filter, INR_CAP_EDITS, Kind, Param, Value};

/// Maximum number of pixels of a picture.
pub const MAX_PIXELS: u64 = 1 << 28;
/// Maximum size of a file in bytes.
pub const MAX_BYTES: u64 = 1 << 28;
/// Key of the parameter that this host adds to filters that edit.
pub const NEW_LAYER: &str = "new-layer";

/// Filters whose result becomes a new layer by default.
const BESIDE: [&str; 2] = ["org.inr-format.gradient", "org.inr-format.laplacian"];

/// Values of parameters by key.
pub type Values = Vec<(String, Value)>;

/// The loaded plug-ins.
#[derive(Debug)]
pub struct Catalogue {
    plugins: Vec<Plugin>,
}

/// A filter as a procedure of GIMP.
#[derive(Debug)]
pub struct Procedure<'a> {
    /// Plug-in of the filter.
    pub plugin: &'a Plugin,
    /// Description of the filter.
    pub filter: &'a Filter,
    /// Name of the procedure.
    pub name: String,
}

impl Catalogue {
    /// Loads the plug-ins beside this program; without any, searches for libinr_plugin. Reports files that fail to load on
    /// standard error.
    pub fn load() -> Self {
        let mut plugins: Vec<Plugin> = beside().into_iter().filter_map(load).collect();
        if plugins.is_empty() {
            match find("inr_plugin", &[]) {
                Ok(file) => plugins.extend(load(file)),
                Err(error) => eprintln!("inr: {error}"),
            }
        }
        Self { plugins }
    }

    /// All filters as procedures.
    pub fn procedures(&self) -> Vec<Procedure<'_>> {
        let of = |plugin| {
            let filters = Plugin::filters(plugin).iter();
            filters.map(move |filter| Procedure::new(plugin, filter))
        };
        self.plugins.iter().flat_map(of).collect()
    }

    /// The filter that GIMP calls `name`.
    ///
    /// # Errors
    /// [`inr_plugin_api::Status::Unsupported`] when no plug-in has it.
    pub fn procedure(&self, name: &str) -> Result<Procedure<'_>, Failure> {
        let mut procedures = self.procedures().into_iter();
        let found = procedures.find(|procedure| procedure.name == name);
        found.ok_or_else(|| Failure::unsupported(format!("no plug-in here provides {name}")))
    }

    /// How to recognise the files of [`Catalogue::codec`].
    pub fn file_type(&self) -> FileType {
        let stated = self.codec().ok().and_then(|(plugin, _)| plugin.file_type());
        // A plug-in of an earlier version of the ABI does not state it.
        stated.cloned().unwrap_or_else(|| FileType {
            extension: "inr".into(),
            mime_type: "image/x-inr".into(),
            magic: Vec::new(),
        })
    }

    /// The plug-in that reads and writes picture files, and the parameters of its encoder.
    ///
    /// # Errors
    /// [`inr_plugin_api::Status::Unsupported`] when there is none.
    pub fn codec(&self) -> Result<(&Plugin, &[Param]), Failure> {
        let mut codecs = self.plugins.iter();
        let found = codecs.find_map(|plugin| Some((plugin, plugin.encode_params()?)));
        found.ok_or_else(|| Failure::unsupported("no plug-in here reads .inr files"))
    }
}

/// The libraries in this program's folder, sorted by name.
fn beside() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let entries = program.parent().and_then(|folder| folder.read_dir().ok());
    let files = entries.into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|e| e == std::env::consts::DLL_EXTENSION)
    });
    files.sort();
    files
}

fn load(file: PathBuf) -> Option<Plugin> {
    let loaded = Plugin::load(&file);
    loaded.inspect_err(|error| eprintln!("inr: {error}")).ok()
}

/// Opens a session of `plugin` within this host's limits.
///
/// # Errors
/// The plug-in's failure.
pub fn session(plugin: &Plugin) -> Result<Session, Failure> {
    plugin.open(&Options {
        threads: 0,
        max_pixels: MAX_PIXELS,
        max_bytes: MAX_BYTES,
        log: Some(|level, text| log().push((level, text.to_owned()))),
    })
}

/// Lines that plug-ins logged, with their levels. Any thread may log, and only the main one may talk to GIMP.
static LOG: Mutex<Vec<(u32, String)>> = Mutex::new(Vec::new());

fn log() -> std::sync::MutexGuard<'static, Vec<(u32, String)>> {
    LOG.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Takes the lines that plug-ins logged since the last call, with their levels.
pub fn logged() -> Vec<(u32, String)> {
    std::mem::take(&mut log())
}

impl<'a> Procedure<'a> {
    fn new(plugin: &'a Plugin, filter: &'a Filter) -> Self {
        let name = format!("plug-in-{}-{}", plugin.name(), filter.key);
        let plain = |c: char| match c.is_ascii_alphanumeric() {
            true => c.to_ascii_lowercase(),
            false => '-',
        };
        Self {
            plugin,
            filter,
            name: name.chars().map(plain).collect(),
        }
    }

    /// True when the result has the picture's size and may replace the picture.
    pub fn edits(&self) -> bool {
        self.filter.capabilities.has(INR_CAP_EDITS)
    }

    /// Parameters of the filter and of this host.
    pub fn params(&self) -> Vec<Param> {
        let mut params = self.filter.params.clone();
        if self.edits() {
            let beside = BESIDE.contains(&self.filter.id.as_str());
            let hint = "Keeps the layer and puts the result above it.";
            let kind = Kind::Bool(beside);
            params.push(Param::new(NEW_LAYER, "Result as a new layer", hint, kind));
        }
        params
    }
}

/// Parameters for opening a file; the value 0 means the default for each.
pub fn open_params() -> Vec<Param> {
    let number = |key: &str, label: &str, hint: &str, whole, display: [f64; 2], default, digits| {
        let kind = Kind::Number {
            whole,
            range: [0.0, display[1] * 32.0],
            display,
            default,
            step: if whole { 1.0 } else { 0.1 },
            digits,
        };
        Param::new(key, label, hint, kind)
    };
    let side = "In pixels. 0: from the scale or the other side.";
    vec![
        number("width", "Width", side, true, [0.0, 16_384.0], 0.0, 0),
        number("height", "Height", side, true, [0.0, 16_384.0], 0.0, 0),
        number(
            "scale",
            "Scale",
            "Rendered pixels per native pixel.",
            false,
            [0.1, 8.0],
            1.0,
            3,
        ),
    ]
}

/// The value of the number `key`, or its default in `params`.
pub fn number(values: &Values, params: &[Param], key: &str) -> f64 {
    let given = values.iter().find(|(name, _)| name == key);
    let value = given.map(|(_, value)| value.clone());
    let default = || {
        params
            .iter()
            .find(|param| param.key == key)
            .map(Param::default)
    };
    match value.or_else(default) {
        Some(Value::Number(number)) => number,
        _ => 0.0,
    }
}

/// False when another parameter's value disables `param`.
pub fn is_enabled(param: &Param, values: &Values) -> bool {
    let Some((by, wanted)) = &param.enabled_by else {
        return true;
    };
    let wanted = wanted.clone().map_or(Value::Number(1.0), Value::Text);
    let found = values.iter().find(|(key, _)| key == by);
    found.is_none_or(|(_, value)| *value == wanted)
}

/// Serialises values for the next call.
pub fn to_bytes(values: &Values) -> Vec<u8> {
    let each = values.iter().map(|(key, value)| format!("{key}={value}\0"));
    each.collect::<String>().into_bytes()
}

/// Reads values of [`to_bytes`] for `params`; missing or invalid values become defaults.
pub fn from_bytes(bytes: &[u8], params: &[Param]) -> Values {
    let text = String::from_utf8_lossy(bytes);
    let kept: Vec<(&str, &str)> = text.split('\0').filter_map(|v| v.split_once('=')).collect();
    let value = |param: &Param| {
        let kept = kept.iter().find(|(key, _)| *key == param.key);
        let kept = kept.and_then(|(_, text)| param.parse(text).ok());
        (param.key.clone(), kept.unwrap_or_else(|| param.default()))
    };
    params.iter().map(value).collect()
}
