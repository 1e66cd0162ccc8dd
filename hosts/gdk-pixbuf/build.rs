//! Has the loader name the host's libraries as needed, without their development files: it is linked with empty
//! libraries of the same names.

use std::path::PathBuf;
use std::process::Command;

/// Libraries with the names that they carry on every Linux.
const NEEDED: [&str; 3] = [
    "libgdk_pixbuf-2.0.so.0",
    "libgobject-2.0.so.0",
    "libglib-2.0.so.0",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let linker = std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    println!("cargo:rustc-cdylib-link-arg=-Wl,--no-as-needed");
    for name in NEEDED {
        let file = out.join(name);
        let made = Command::new(&linker)
            .args(["-shared", "-nostdlib", "-x", "c", "/dev/null", "-o"])
            .arg(&file)
            .arg(format!("-Wl,-soname,{name}"))
            .status();
        match made {
            Ok(status) if status.success() => {}
            other => panic!("{} could not make {name}: {other:?}", linker.display()),
        }
        println!("cargo:rustc-cdylib-link-arg={}", file.display());
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,--as-needed");
}
