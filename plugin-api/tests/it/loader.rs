//! Plug-ins in C and in Rust through the loader, and plug-ins that violate the header.

use std::sync::atomic::{AtomicBool, Ordering};

use inr_plugin_api::host::{
    LoadError, Options, Pixmap, Plugin, Request, Session, Source, Watcher, find,
};
use inr_plugin_api::{Failure, Format, Layout, Region, Sample, Status, Value};

use crate::common::{compiled, example, grey, request};

#[test]
fn a_plug_in_in_c_works() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::load(&compiled(folder.path(), "threshold.c", &[])).unwrap();
    assert_eq!((plugin.id(), plugin.filters().len()), ("org.example.c", 1));
    assert!(plugin.encode_params().is_none());
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([13, 7]);
    let request = Request {
        sources: vec![Source::whole(None, &input)],
        values: vec![("level".into(), Value::Number(100.0))],
        ..request("threshold", &input)
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
    let request = request("org.example.rust.invert", &input);
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
fn calls_report_progress_and_can_be_cancelled() {
    let plugin = example("invert");
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([64, 64]);
    let request = request("invert", &input);
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
fn invalid_calls_fail_with_a_message_and_leave_the_session_usable() {
    let plugin = example("invert");
    let limited = Options {
        max_pixels: 100,
        ..Options::default()
    };
    let mut session = plugin.open(&limited).unwrap();
    let (small, large) = (grey([10, 10]), grey([11, 10]));
    let run = |session: &mut Session, input: &Pixmap, values: &[(&str, Value)]| {
        let values = values.iter().cloned();
        let request = Request {
            values: values
                .map(|(key, value)| (key.to_string(), value))
                .collect(),
            ..request("invert", input)
        };
        let mut output = Pixmap::new([10, 10], input.format);
        session.run(&request, &mut output, None)
    };
    run(&mut session, &small, &[("amount", Value::Number(0.5))]).unwrap();
    let number = |key, value| (key, Value::Number(value));
    let bad = Status::BadArgument;
    let cases = [
        (&small, number("amount", 2.0), bad, "0 to 1"),
        (&small, number("amount", f64::NAN), bad, "0 to 1"),
        (&small, number("other", 0.0), bad, "give amount"),
        (
            &large,
            number("amount", 1.0),
            Status::TooLarge,
            "limit is 100",
        ),
    ];
    for (input, value, status, part) in cases {
        let failure = run(&mut session, input, &[value]).unwrap_err();
        assert_eq!(failure.status, status, "{failure}");
        assert!(failure.message.contains(part), "{failure}");
    }
    // The session remains usable.
    run(&mut session, &small, &[]).unwrap();
}

#[test]
fn plug_ins_that_violate_the_header_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("CASE_NO_EXPORT", "does not export inr_get_api"),
        ("CASE_VERSION", "does not support version 1"),
        (
            "CASE_OTHER_MAJOR",
            "version 1 of the plug-in ABI; it supports version 7",
        ),
        ("CASE_ERROR", "inr_get_api returned unsupported (code 3)"),
        (
            "CASE_STRANGE_ERROR",
            "inr_get_api returned internal (code -77)",
        ),
        ("CASE_NO_TABLE", "returned no function table"),
        ("CASE_SHORT_TABLE", "InrApi states a size of 24 bytes"),
        ("CASE_NULL_FUNCTION", "function session_open is NULL"),
        ("CASE_NO_ID", "id is missing"),
        ("CASE_NOT_UTF8", "version is not UTF-8"),
        ("CASE_NULL_FILTER", "InrFilterInfo is NULL"),
        ("CASE_MANY_FILTERS", "4000000000 structs InrFilterInfo"),
        ("CASE_BAD_DEFAULT", "the default of level is 7"),
        ("CASE_BAD_SLIDER", "slider from 3 to 2"),
    ];
    for (case, part) in cases {
        let error = Plugin::load(&compiled(folder.path(), "hostile.c", &[case])).unwrap_err();
        assert!(error.to_string().contains(part), "{case}: {error}");
    }
    // The loader accepts this one, which fails at its first call.
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
fn a_panic_becomes_a_code_and_disables_only_its_handle() {
    let plugin = example("faulty");
    let input = grey([8, 8]);
    let request = request("divide", &input);
    let mut output = Pixmap::new([8, 8], input.format);
    let mut session = plugin.open(&Options::default()).unwrap();
    let failure = session.run(&request, &mut output, None).unwrap_err();
    assert_eq!(failure.status, Status::Internal);
    assert!(failure.message.contains("divide by zero"), "{failure}");
    // The handle rejects every further call.
    let failure = session.plan(&request).unwrap_err();
    assert_eq!(failure.status, Status::Internal);
    assert!(failure.message.contains("close this handle"), "{failure}");
    drop(session);
    let mut session = plugin.open(&Options::default()).unwrap();
    assert_eq!(session.plan(&request).unwrap().size, [8, 8]);
}

#[test]
fn a_panic_in_the_host_s_progress_resumes_after_the_plug_in_returns() {
    let plugin = example("invert");
    let mut session = plugin.open(&Options::default()).unwrap();
    let input = grey([8, 8]);
    let request = request("invert", &input);
    let mut output = Pixmap::new([8, 8], input.format);
    let flag = AtomicBool::new(false);
    let run = std::panic::AssertUnwindSafe(|| {
        let watcher = Watcher {
            progress: &mut |_| panic!("the host's own"),
            cancelled: &flag,
        };
        let _: Result<(), Failure> = session.run(&request, &mut output, Some(watcher));
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
