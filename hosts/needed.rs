// Links a library against its host's libraries without their development files: it creates empty libraries with the same
// names. Build scripts include this file.

/// Links the library against `names`, which the host's libraries have on every Linux.
fn link(names: &[&str]) {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../needed.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
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
            other => panic!("{} cannot create {name}: {other:?}", linker.display()),
        }
        println!("cargo:rustc-cdylib-link-arg={}", file.display());
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,--as-needed");
}
