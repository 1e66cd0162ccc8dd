//! Plug-ins by others, in C and in Rust, through the loader; and those that break the rules.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use inr_plugin_api::guest::Region;
use inr_plugin_api::host::{LoadError, Options, Pixmap, Plugin, Request, Source, Watcher, find};
use inr_plugin_api::{Format, Layout, Sample, Status, Value};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Compiles one of the programs into a library.
fn compiled(folder: &Path, source: &str, defines: &[&str]) -> PathBuf {
    let output = folder.join(format!(
        "lib{}{}.so",
        source.replace('.', "_"),
        defines.join("")
    ));
    let compiled = Command::new("cc")
        .args([
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Werror",
            // Hostile ones leave some out.
            "-Wno-unused-function",
            "-shared",
            "-fPIC",
            "-I",
        ])
        .arg(Path::new(ROOT).join("include"))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg(Path::new(ROOT).join("tests/programs").join(source))
        .arg("-o")
        .arg(&output)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{source}: {errors}");
    output
}

/// An example in Rust, which cargo builds with the tests.
fn example(name: &str) -> Plugin {
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().unwrap().parent().unwrap().join("examples");
    Plugin::load(&find(name, &[folder]).unwrap()).unwrap()
}

fn grey(size: [u32; 2]) -> Pixmap {
    let mut pixels = Pixmap::new(size, Format::plain(Sample::U8, Layout::Grey));
    for (index, byte) in pixels.data.iter_mut().enumerate() {
        *byte = (index * 37 % 256) as u8;
    }
    pixels
}

#[test]
fn a_plug_in_in_c_works() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::load(&compiled(folder.path(), "threshold.c", &[])).unwrap();
    assert_eq!((plugin.id(), plugin.filters().len()), ("org.example.c", 1));
    assert!(plugin.encode_params().is_none());
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([13, 7]);
    let request = Request {
        filter: "threshold",
        sources: vec![Source::whole(None, &input)],
        values: vec![("level".into(), Value::Number(100.0))],
        region: None,
    };
    assert_eq!(session.plan(&request).unwrap().size, [13, 7]);
    let mut output = Pixmap::new([13, 7], input.format);
    session.run(&request, &mut output, None).unwrap();
    let expected = input.data.iter().map(|v| if *v < 100 { 0 } else { 255 });
    assert!(output.data.iter().copied().eq(expected));

    let wide = Pixmap::new([13, 7], Format::plain(Sample::U16, Layout::Grey));
    let request = Request {
        sources: vec![Source::whole(None, &wide)],
        ..request
    };
    let failure = session.run(&request, &mut output, None).unwrap_err();
    assert_eq!(failure.status, Status::Unsupported);
    assert_eq!(failure.message, "only 8 bits are supported");
}

#[test]
fn a_plug_in_in_rust_works_and_tiles_change_nothing() {
    let plugin = example("invert");
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([40, 30]);
    let request = Request {
        filter: "org.example.rust.invert",
        sources: vec![Source::whole(Some("image"), &input)],
        values: Vec::new(),
        region: None,
    };
    let mut whole = Pixmap::new([40, 30], input.format);
    session.run(&request, &mut whole, None).unwrap();
    assert!(
        whole
            .data
            .iter()
            .zip(&input.data)
            .all(|(a, b)| *a == 255 - *b)
    );

    let region = Region {
        origin: [5.0, 8.0],
        step: [1.0; 2],
        size: [20, 10],
    };
    let request = Request {
        region: Some(region),
        ..request
    };
    let mut tile = Pixmap::new([20, 10], input.format);
    session.run(&request, &mut tile, None).unwrap();
    for y in 0..10 {
        let row = &whole.data[(y + 8) * 40 + 5..][..20];
        assert_eq!(row, &tile.data[y * 20..][..20]);
    }
}

#[test]
fn calls_are_watched_and_stopped() {
    let plugin = example("invert");
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([64, 64]);
    let request = Request {
        filter: "invert",
        sources: vec![Source::whole(None, &input)],
        ..Request::default()
    };
    let mut output = Pixmap::new([64, 64], input.format);
    let flag = AtomicBool::new(false);
    let mut shares = Vec::new();
    let mut keep = |share: f64| {
        shares.push(share);
        true
    };
    let watcher = Watcher {
        progress: &mut keep,
        cancelled: &flag,
    };
    session.run(&request, &mut output, Some(watcher)).unwrap();
    assert!(shares.is_sorted() && shares.len() > 60 && shares.last() == Some(&1.0));
    let mut stop = |share: f64| share < 0.5;
    let watcher = Watcher {
        progress: &mut stop,
        cancelled: &flag,
    };
    let failure = session
        .run(&request, &mut output, Some(watcher))
        .unwrap_err();
    assert_eq!(failure.status, Status::Cancelled);
    flag.store(true, Ordering::Relaxed);
    let watcher = Watcher {
        progress: &mut |_| true,
        cancelled: &flag,
    };
    let failure = session
        .run(&request, &mut output, Some(watcher))
        .unwrap_err();
    assert_eq!(failure.status, Status::Cancelled);
}

#[test]
fn what_a_filter_does_not_take_is_refused_with_a_message() {
    let plugin = example("invert");
    let limited = Options {
        max_pixels: 100,
        ..Options::default()
    };
    let mut session = plugin.open(&limited).unwrap();
    let (small, large) = (grey([10, 10]), grey([11, 10]));
    let run =
        |session: &mut inr_plugin_api::host::Session, input: &Pixmap, values: &[(&str, Value)]| {
            let values = values
                .iter()
                .map(|(key, value)| (key.to_string(), value.clone()));
            let request = Request {
                filter: "invert",
                sources: vec![Source::whole(None, input)],
                values: values.collect(),
                region: None,
            };
            let mut output = Pixmap::new([10, 10], input.format);
            session.run(&request, &mut output, None)
        };
    run(&mut session, &small, &[("amount", Value::Number(0.5))]).unwrap();
    let cases = [
        (
            &small,
            ("amount", Value::Number(2.0)),
            Status::BadArgument,
            "0 to 1",
        ),
        (
            &small,
            ("amount", Value::Number(f64::NAN)),
            Status::BadArgument,
            "0 to 1",
        ),
        (
            &small,
            ("other", Value::Number(0.0)),
            Status::BadArgument,
            "give amount",
        ),
        (
            &large,
            ("amount", Value::Number(1.0)),
            Status::TooLarge,
            "limit is 100",
        ),
    ];
    for (input, value, status, part) in cases {
        let failure = run(&mut session, input, &[value]).unwrap_err();
        assert_eq!(failure.status, status, "{failure}");
        assert!(failure.message.contains(part), "{failure}");
    }
    // Nothing of that hurt the session.
    run(&mut session, &small, &[]).unwrap();
}

#[test]
fn plug_ins_that_break_the_rules_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("CASE_NO_EXPORT", "does not export inr_get_api"),
        ("CASE_VERSION", "does not serve version 1"),
        (
            "CASE_OTHER_MAJOR",
            "does not serve version 1 of the plug-in ABI, but 7",
        ),
        (
            "CASE_ERROR",
            "refuses to work: it answers Unsupported (code 3)",
        ),
        (
            "CASE_STRANGE_ERROR",
            "refuses to work: it answers Internal (code -77)",
        ),
        ("CASE_NO_TABLE", "gives no function table"),
        ("CASE_SHORT_TABLE", "InrApi says that it has 24 bytes"),
        ("CASE_NULL_FUNCTION", "its function session_open is NULL"),
        ("CASE_NO_ID", "its id is missing"),
        ("CASE_NOT_UTF8", "its version is not UTF-8"),
        ("CASE_NULL_FILTER", "InrFilterInfo is NULL"),
        ("CASE_MANY_FILTERS", "4000000000 of InrFilterInfo"),
        ("CASE_BAD_DEFAULT", "the default of level is 7"),
        ("CASE_BAD_SLIDER", "a slider from 3 to 2"),
    ];
    for (case, part) in cases {
        let error = Plugin::load(&compiled(folder.path(), "hostile.c", &[case])).unwrap_err();
        assert!(error.to_string().contains(part), "{case}: {error}");
    }
    // This one is accepted until it is asked to work.
    let plugin = Plugin::load(&compiled(folder.path(), "hostile.c", &["CASE_NONE"])).unwrap();
    let failure = plugin.open(&Options::default()).unwrap_err();
    assert_eq!(failure.status, Status::Internal);

    let text = folder.path().join("text.so");
    std::fs::write(&text, "no library").unwrap();
    assert!(matches!(
        Plugin::load(&text),
        Err(LoadError::Unloadable { .. })
    ));
    assert!(matches!(
        find("nowhere-to-be-found", &[]),
        Err(LoadError::NotFound { .. })
    ));
}

#[test]
fn a_panic_is_a_code_and_ends_the_handle_alone() {
    let plugin = example("faulty");
    let input = grey([8, 8]);
    let request = Request {
        filter: "divide",
        sources: vec![Source::whole(None, &input)],
        ..Request::default()
    };
    let mut output = Pixmap::new([8, 8], input.format);
    let mut session = plugin.open(&Options::default()).unwrap();
    let failure = session.run(&request, &mut output, None).unwrap_err();
    assert_eq!(failure.status, Status::Internal);
    assert!(failure.message.contains("divide by zero"), "{failure}");
    // Even what does not panic is refused now.
    let failure = session.plan(&request).unwrap_err();
    assert_eq!(failure.status, Status::Internal);
    assert!(failure.message.contains("close this handle"), "{failure}");
    drop(session);
    let mut session = plugin.open(&Options::default()).unwrap();
    assert_eq!(session.plan(&request).unwrap().size, [8, 8]);
}

#[test]
fn a_panic_of_the_host_s_progress_does_not_go_through_the_plug_in() {
    let plugin = example("invert");
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([8, 8]);
    let request = Request {
        filter: "invert",
        sources: vec![Source::whole(None, &input)],
        ..Request::default()
    };
    let mut output = Pixmap::new([8, 8], input.format);
    let flag = AtomicBool::new(false);
    let run = std::panic::AssertUnwindSafe(|| {
        let watcher = Watcher {
            progress: &mut |_| panic!("the host's own"),
            cancelled: &flag,
        };
        let _ = session.run(&request, &mut output, Some(watcher));
    });
    let panic = std::panic::catch_unwind(run).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the host's own"));
    session.run(&request, &mut output, None).unwrap();
}

#[test]
fn plug_ins_are_found_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libmy_blur.so");
    std::fs::write(&file, "").unwrap();
    let folders = [folder.path().to_path_buf()];
    for name in ["libmy_blur.so", "my_blur", "my-blur"] {
        assert_eq!(find(name, &folders).unwrap(), file);
    }
    assert_eq!(find(&file, &[]).unwrap(), file);
}
