//! Pictures, requests and plug-ins for the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use inr_plugin_api::host::{Pixmap, Plugin, Request, Source, find};
use inr_plugin_api::{Format, Layout, Sample};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Pixels with varied bytes below 60, which are finite in every sample type.
pub fn filled(size: [u32; 2], sample: Sample, layout: Layout) -> Pixmap {
    let mut pixels = Pixmap::new(size, Format::plain(sample, layout));
    for (index, byte) in pixels.data.iter_mut().enumerate() {
        *byte = (index * 37 % 60) as u8;
    }
    pixels
}

/// Grey pixels over the whole range of bytes.
pub fn grey(size: [u32; 2]) -> Pixmap {
    let mut pixels = Pixmap::new(size, Format::plain(Sample::U8, Layout::Grey));
    for (index, byte) in pixels.data.iter_mut().enumerate() {
        *byte = (index * 37 % 256) as u8;
    }
    pixels
}

/// A request with `input` as the only input and default values.
pub fn request<'a>(filter: &'a str, input: &'a Pixmap) -> Request<'a> {
    Request {
        filter,
        sources: vec![Source::whole(Some("image"), input)],
        ..Request::default()
    }
}

/// Compiles one of the C programs into a library.
pub fn compiled(folder: &Path, source: &str, defines: &[&str]) -> PathBuf {
    let name = source.replace('.', "_");
    let output = folder.join(format!("lib{name}{}.so", defines.join("")));
    // -Wno-unused-function: some cases of hostile.c leave functions out.
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror"])
        .args(["-Wno-unused-function", "-shared", "-fPIC", "-I"])
        .arg(Path::new(ROOT).join("include"))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg(Path::new(ROOT).join("tests/programs").join(source))
        .arg("-o")
        .arg(&output)
        .output()
        .expect("a C compiler");
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{source}: {errors}");
    output
}

/// An example in Rust, which cargo builds with the tests.
pub fn example(name: &str) -> Plugin {
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().unwrap().parent().unwrap().join("examples");
    Plugin::load(&find(name, &[folder]).unwrap()).unwrap()
}
