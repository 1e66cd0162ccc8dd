//! The C program `smoke.c` against the shared library, under valgrind, and against the static one.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use inr::{InrPicture, Limits, OutputSize, RenderOptions, Samples};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where cargo puts the libraries of this package when it builds its tests.
fn built(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let file = here.parent().unwrap().join(name);
    assert!(file.is_file(), "{} is missing", file.display());
    file
}

fn compile(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let program = folder.join(name);
    let compiled = Command::new("cc")
        .args([
            "-std=gnu11",
            "-g",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I",
        ])
        .arg(Path::new(ROOT).join("../plugin-api/include"))
        .arg(Path::new(ROOT).join("tests/smoke.c"))
        .args(arguments)
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    program
}

/// Runs the program, through `under` if there is any, and compares what it rendered with what the library renders.
fn passes(under: &[&str], program: &Path, library: &Path, folder: &Path) {
    let file = Path::new(ROOT).join("../fixtures/latents/camera-64.inr");
    let raw = folder.join("out.raw");
    let words: Vec<&std::ffi::OsStr> = under
        .iter()
        .map(std::ffi::OsStr::new)
        .chain([program, library, &file, &raw].map(Path::as_os_str))
        .collect();
    let ran = Command::new(words[0]).args(&words[1..]).output();
    let ran =
        ran.unwrap_or_else(|error| panic!("{:?}: {error}; scripts/test installs it", words[0]));
    let said = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{errors}");

    let opened = InrPicture::open(&std::fs::read(&file).unwrap(), &Limits::default()).unwrap();
    let options = RenderOptions::default().size(OutputSize::Scale(3.0));
    let rendered = opened.render(&options, &mut ()).unwrap().picture;
    let Samples::U8(samples) = rendered.samples() else {
        panic!("a file of 8 bits");
    };
    assert!(
        *samples == std::fs::read(&raw).unwrap(),
        "other pixels than the library's"
    );
}

#[test]
fn the_shared_library_has_no_leak_and_no_error_under_valgrind() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "smoke", &[]);
    let valgrind = [
        "valgrind",
        "--quiet",
        "--error-exitcode=3",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite,indirect",
        "--show-leak-kinds=definite,indirect",
        "--fair-sched=yes",
    ];
    passes(
        &valgrind,
        &program,
        &built("libinr_plugin.so"),
        folder.path(),
    );
}

#[test]
fn the_static_library_works_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let library = built("libinr_plugin.a");
    let arguments = ["-DLINKED", library.to_str().unwrap()];
    let program = compile(folder.path(), "linked", &arguments);
    passes(&[], &program, Path::new("-"), folder.path());
}
