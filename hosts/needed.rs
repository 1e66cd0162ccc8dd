// Has a library name those of its host as needed, without their development files: it is linked with empty libraries of
// the same names. For build scripts, by include!.

/// Links what is being built with `names`, the names that the libraries carry on every Linux.
fn link(names: &[&str]) {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../needed.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let linker = std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    println!("cargo:rustc-cdylib-link-arg=-Wl,--no-as-needed");
    for name in names {
        let file = out.join(name);
        let made = std::process::Command::new(&linker)
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
