//! Finds plug-in files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::error::LoadError;

/// The searched folders in order: the folders of `INR_PLUGIN_PATH` (separated as in `PATH`), the running program's folder,
/// `inr` in the user's library folder, and `inr` in the system's library folders.
pub fn search_path() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("INR_PLUGIN_PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    if let Some(folder) = std::env::current_exe()
        .ok()
        .as_deref()
        .and_then(Path::parent)
    {
        folders.push(folder.to_path_buf());
    }
    if cfg!(unix) {
        if let Some(home) = std::env::var_os("HOME") {
            folders.push(Path::new(&home).join(".local/lib/inr"));
        }
        folders.push(PathBuf::from("/usr/local/lib/inr"));
        folders.push(PathBuf::from("/usr/lib/inr"));
    }
    folders.retain(|folder| !folder.as_os_str().is_empty());
    folders
}

/// Finds the file of the plug-in `name`. A path is returned unchanged. A bare name is searched for in `folders` and then in
/// [`search_path`], with and without the system's prefix and extension of libraries.
///
/// # Errors
/// [`LoadError::NotFound`] when no folder has such a file.
pub fn find(name: impl AsRef<OsStr>, folders: &[PathBuf]) -> Result<PathBuf, LoadError> {
    let given = Path::new(name.as_ref());
    let bare = given.components().count() == 1 && given.file_name().is_some();
    if given.is_file() || !bare {
        return Ok(given.to_path_buf());
    }
    let text = given.to_string_lossy();
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let names = [
        text.to_string(),
        format!("{prefix}{text}{suffix}"),
        format!("{prefix}{}{suffix}", text.replace('-', "_")),
    ];
    let folders: Vec<PathBuf> = folders.iter().cloned().chain(search_path()).collect();
    let mut files = folders
        .iter()
        .flat_map(|folder| names.iter().map(|name| folder.join(name)));
    files.find(|file| file.is_file()).ok_or_else(|| {
        let searched: Vec<String> = folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        LoadError::NotFound {
            name: text.into_owned(),
            searched: searched.join(", "),
        }
    })
}
