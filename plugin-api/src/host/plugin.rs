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
use crate::describe::{Capabilities, Filter, Param};
use crate::status::{Failure, Status};
use crate::structs;

/// A loaded plug-in; it stays loaded until the process ends, for threads and thread-local data of its code may outlive
/// any call. What is called is the plug-in's own code: it can do all that the process can.
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
    /// Held during calls of a plug-in that takes one at a time.
    one: Option<Mutex<()>>,
}

/// The functions of the table, all of them there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    pub(crate) session_open: unsafe extern "C" fn(*const InrHost, *mut *mut InrSession) -> i32,
    pub(crate) session_close: unsafe extern "C" fn(*mut InrSession),
    pub(crate) session_message: unsafe extern "C" fn(*mut InrSession) -> *const std::ffi::c_char,
    pub(crate) filter_plan:
        unsafe extern "C" fn(*mut InrSession, *const InrFilterCall, *mut InrPlan) -> i32,
    pub(crate) filter_run: unsafe extern "C" fn(*mut InrSession, *const InrFilterCall) -> i32,
}

// SAFETY: tables are never written after they were given away, and the header lets any thread call their functions, one
// at a time where `one` says so.
unsafe impl Send for Loaded {}
// SAFETY: as above.
unsafe impl Sync for Loaded {}

impl Plugin {
    /// Loads the plug-in in the file at `path` and reads what it says of itself.
    ///
    /// # Errors
    /// [`LoadError`] for files that are no plug-ins, of another version, or whose tables break the rules.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let path = path.to_path_buf();
        let open = |source| LoadError::Unloadable {
            path: path.clone(),
            source,
        };
        // A bare name would be looked for where the system keeps libraries.
        let file = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        // SAFETY: loading runs the file's own start-up code, which the caller trusts by naming it.
        let library = unsafe { Library::new(&file) }.map_err(open)?;
        // SAFETY: the header gives the function of this name this type.
        let get_api = unsafe { library.get::<InrGetApi>(c"inr_get_api".to_bytes_with_nul()) };
        let get_api = match get_api {
            Ok(found) => *found,
            Err(_) => return Err(LoadError::NotAPlugin { path }),
        };
        std::mem::forget(library);
        Self::from_export(get_api, path)
    }

    /// The plug-in behind `get_api`, linked into this program.
    ///
    /// # Errors
    /// As [`Plugin::load`]; `path` is what it is called in them.
    pub fn from_export(get_api: InrGetApi, path: PathBuf) -> Result<Self, LoadError> {
        let host = raw_host(&Options::default(), std::ptr::null_mut());
        let mut table = std::ptr::null();
        // SAFETY: both pointers are to values of ours; the function keeps to the header.
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
        // SAFETY: the plug-in says that this is a table.
        let api = unsafe { structs::read(table) }.map_err(malformed)?;
        if api.abi_major != INR_ABI_MAJOR {
            let found = format!(", but {}", api.abi_major);
            return Err(LoadError::Version { path, found });
        }
        // SAFETY: as above.
        let loaded = unsafe { loaded(&api, path.clone()) }.map_err(malformed)?;
        Ok(Self(Arc::new(loaded)))
    }

    /// The file it came from.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Its name for programs.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// What its parts are able to do.
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    /// Its filters.
    pub fn filters(&self) -> &[Filter] {
        &self.0.filters
    }

    /// The filter with this key or id, and its number.
    ///
    /// # Errors
    /// [`Status::BadArgument`] naming those that there are.
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

    /// The parameters of its encoder, if it has a codec.
    pub fn encode_params(&self) -> Option<&[Param]> {
        self.0.codec.as_ref().map(|(_, params)| params.as_slice())
    }

    pub(crate) fn codec_table(&self) -> Option<InrCodec> {
        self.0.codec.as_ref().map(|(table, _)| *table)
    }

    /// Runs `call`, alone if the plug-in asks for it.
    pub(crate) fn call<T>(&self, call: impl FnOnce(&Calls) -> T) -> T {
        let _alone = self.0.one.as_ref().map(|one| {
            one.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        });
        call(&self.0.calls)
    }
}

/// What a table says, copied.
///
/// # Safety
/// The table keeps to the header.
unsafe fn loaded(api: &InrApi, path: PathBuf) -> Result<Loaded, Failure> {
    let missing = |name: &str| Failure::bad(format!("its function {name} is NULL"));
    let calls = Calls {
        session_open: api.session_open.ok_or_else(|| missing("session_open"))?,
        session_close: api.session_close.ok_or_else(|| missing("session_close"))?,
        session_message: api
            .session_message
            .ok_or_else(|| missing("session_message"))?,
        filter_plan: api.filter_plan.ok_or_else(|| missing("filter_plan"))?,
        filter_run: api.filter_run.ok_or_else(|| missing("filter_run"))?,
    };
    // SAFETY: the caller's promise, here and below.
    let codec = match unsafe { read::codec(api) }? {
        None => None,
        Some(table) => {
            // SAFETY: as above.
            let params = unsafe { read::params(table.params, table.param_count) }?;
            Some((table, params))
        }
    };
    // SAFETY: as above.
    let filters = unsafe { read::filters(api) }?;
    // One filter that takes one call at a time keeps all of them apart: they come through the same functions.
    let classes = filters.iter().map(|filter| filter.thread_class);
    let mut classes = classes.chain([ThreadClass::from_code(api.thread_class)?]);
    let one = classes
        .any(|class| class == ThreadClass::One)
        .then(|| Mutex::new(()));
    // SAFETY: as above.
    unsafe {
        Ok(Loaded {
            calls,
            path,
            id: read::named(api.id, "its id")?,
            name: read::named(api.name, "its name")?,
            version: read::named(api.version, "its version")?,
            capabilities: Capabilities(api.capabilities),
            filters,
            codec,
            one,
        })
    }
}
