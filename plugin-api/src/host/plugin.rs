//! Loaded plug-ins.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use libloading::Library;

use super::error::LoadError;
use super::options::{Options, raw_host};
use super::read;
use crate::abi::*;
use crate::abi_codec::InrCodec;
use crate::codes::ThreadClass;
use crate::describe::{Capabilities, FileType, Filter, Param};
use crate::status::{Failure, Status};
use crate::structs;

/// A loaded plug-in. It stays loaded until the process ends, because its threads and thread-local data may outlive any call.
/// Its code runs with all rights of the process.
#[derive(Clone, Debug)]
pub struct Plugin(pub(crate) Arc<Loaded>);

#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) calls: Calls,
    path: PathBuf,
    id: String,
    name: String,
    version: String,
    capabilities: Capabilities,
    filters: Vec<Filter>,
    codec: Option<(InrCodec, Vec<Param>)>,
    file_type: Option<FileType>,
    /// Locked during calls of a plug-in that accepts one call at a time.
    one: Option<Mutex<()>>,
}

/// The functions of a complete table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    pub(crate) session_open: unsafe extern "C" fn(*const InrHost, *mut *mut InrSession) -> i32,
    pub(crate) session_close: unsafe extern "C" fn(*mut InrSession),
    pub(crate) session_message: unsafe extern "C" fn(*mut InrSession) -> *const std::ffi::c_char,
    pub(crate) filter_plan:
        unsafe extern "C" fn(*mut InrSession, *const InrFilterCall, *mut InrPlan) -> i32,
    pub(crate) filter_run: unsafe extern "C" fn(*mut InrSession, *const InrFilterCall) -> i32,
}

// SAFETY: nothing writes to tables after `inr_get_api`, and the header lets any thread call their functions; `one`
// serialises the calls where the thread class requires it.
unsafe impl Send for Loaded {}
// SAFETY: the same reason.
unsafe impl Sync for Loaded {}

impl Plugin {
    /// Loads the plug-in at `path` and reads its description.
    ///
    /// # Errors
    /// [`LoadError`] when the file is not a plug-in, has another version, or violates the header.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let path = path.to_path_buf();
        let open = |source| LoadError::Unloadable {
            path: path.clone(),
            source,
        };
        // The system would search its own folders for a bare name.
        let file = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        // SAFETY: loading runs the file's initialisers; the caller chose to trust this file.
        let library = unsafe { Library::new(&file) }.map_err(open)?;
        // SAFETY: the header defines the type of this function.
        let get_api = unsafe { library.get::<InrGetApi>(c"inr_get_api".to_bytes_with_nul()) };
        let get_api = match get_api {
            Ok(found) => *found,
            Err(_) => return Err(LoadError::NotAPlugin { path }),
        };
        std::mem::forget(library);
        Self::from_export(get_api, path)
    }

    /// Reads the description of a plug-in that is linked into this program.
    ///
    /// # Errors
    /// The errors of [`Plugin::load`], with `path` as the plug-in's name.
    pub fn from_export(get_api: InrGetApi, path: PathBuf) -> Result<Self, LoadError> {
        let host = raw_host(&Options::default(), std::ptr::null_mut());
        let mut table = std::ptr::null();
        // SAFETY: both pointers refer to local values, and the function follows the header.
        let code = unsafe { get_api(INR_ABI_MAJOR, &host, &mut table) };
        if code == INR_VERSION {
            let found = String::new();
            return Err(LoadError::Version { path, found });
        }
        if code != INR_OK {
            let status = Status::from_code(code);
            return Err(LoadError::Refused { path, status, code });
        }
        if table.is_null() {
            return Err(LoadError::NoTable { path });
        }
        let malformed = |failure: Failure| LoadError::Malformed {
            path: path.clone(),
            reason: failure.message,
        };
        // SAFETY: the plug-in promises a table.
        let api = unsafe { structs::read(table) }.map_err(malformed)?;
        if api.abi_major != INR_ABI_MAJOR {
            let found = format!("; it supports version {}", api.abi_major);
            return Err(LoadError::Version { path, found });
        }
        // SAFETY: the plug-in promises that the table follows the header.
        let loaded = unsafe { loaded(&api, path.clone()) }.map_err(malformed)?;
        Ok(Self(Arc::new(loaded)))
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Unique name: a reversed domain.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Name that users see.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Version of the plug-in.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Capabilities of all filters and suites.
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    /// Filters of the plug-in.
    pub fn filters(&self) -> &[Filter] {
        &self.0.filters
    }

    /// Finds the filter with this key or id and returns its index with it.
    ///
    /// # Errors
    /// [`Status::BadArgument`], whose message lists the filters.
    pub fn filter(&self, name: &str) -> Result<(usize, &Filter), Failure> {
        let mut all = self.filters().iter().enumerate();
        let found = all.find(|(_, filter)| filter.key == name || filter.id == name);
        found.ok_or_else(|| {
            let keys: Vec<&str> = self.filters().iter().map(|f| f.key.as_str()).collect();
            let message = format!(
                "{} has no filter {name}; it has {}",
                self.name(),
                keys.join(", ")
            );
            Failure::bad(message)
        })
    }

    /// Parameters of the encoder, if the plug-in has a codec.
    pub fn encode_params(&self) -> Option<&[Param]> {
        self.0.codec.as_ref().map(|(_, params)| params.as_slice())
    }

    /// How to recognise the codec's files; `None` without a codec, for codecs that state nothing of it, and so for plug-ins before
    /// version 1.2 of the ABI.
    pub fn file_type(&self) -> Option<&FileType> {
        self.0.file_type.as_ref()
    }

    pub(crate) fn codec_table(&self) -> Option<InrCodec> {
        self.0.codec.as_ref().map(|(table, _)| *table)
    }

    /// Runs `call`; serialises the calls when the thread class requires it.
    pub(crate) fn call<T>(&self, call: impl FnOnce(&Calls) -> T) -> T {
        let _alone = self.0.one.as_ref().map(|one| {
            one.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        });
        call(&self.0.calls)
    }
}

/// Copies and validates a table.
///
/// # Safety
/// The table follows the header.
unsafe fn loaded(api: &InrApi, path: PathBuf) -> Result<Loaded, Failure> {
    let missing = |name: &str| Failure::bad(format!("function {name} is NULL"));
    let calls = Calls {
        session_open: api.session_open.ok_or_else(|| missing("session_open"))?,
        session_close: api.session_close.ok_or_else(|| missing("session_close"))?,
        session_message: api
            .session_message
            .ok_or_else(|| missing("session_message"))?,
        filter_plan: api.filter_plan.ok_or_else(|| missing("filter_plan"))?,
        filter_run: api.filter_run.ok_or_else(|| missing("filter_run"))?,
    };
    // SAFETY: the caller promises that the table follows the header.
    let codec = match unsafe { read::codec(api) }? {
        None => None,
        Some(table) => {
            // SAFETY: the same promise.
            let params = unsafe { read::params(table.params, table.param_count) }?;
            Some((table, params))
        }
    };
    let file_type = match &codec {
        None => None,
        // SAFETY: the same promise.
        Some((table, _)) => unsafe { read::file_type(table) }?,
    };
    // SAFETY: the same promise.
    let filters = unsafe { read::filters(api) }?;
    // All filters share the same functions, so one filter of the class `One` serialises the calls of all.
    let classes = filters.iter().map(|filter| filter.thread_class);
    let mut classes = classes.chain([ThreadClass::from_code(api.thread_class)?]);
    let one = classes
        .any(|class| class == ThreadClass::One)
        .then(|| Mutex::new(()));
    // SAFETY: the same promise.
    unsafe {
        Ok(Loaded {
            calls,
            path,
            id: read::named(api.id, "the plug-in's id")?,
            name: read::named(api.name, "the plug-in's name")?,
            version: read::named(api.version, "the plug-in's version")?,
            capabilities: Capabilities(api.capabilities),
            filters,
            codec,
            file_type,
            one,
        })
    }
}
