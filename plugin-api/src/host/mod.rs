//! Finds, loads and calls plug-ins.
//!
//! ```no_run
//! use inr_plugin_api::host::{Options, Plugin, find};
//!
//! let plugin = Plugin::load(&find("libinr_plugin.so", &[])?)?;
//! for filter in plugin.filters() {
//!     println!("{}: {}", filter.key, filter.hint);
//! }
//! let session = plugin.open(&Options::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
mod error;
mod options;
mod pixmap;
mod plugin;
mod read;
mod request;
mod search;
mod session;
mod watch;

pub use codec::{Codec, Extras, Picture, PictureInfo};
pub use error::LoadError;
pub use options::Options;
pub use pixmap::Pixmap;
pub use plugin::Plugin;
pub use request::{Request, Source};
pub use search::{find, search_path};
pub use session::{Outcome, Session};
pub use watch::Watcher;
